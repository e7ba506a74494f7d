"""Appointments for tests of the store."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from bridge.core import ics

if TYPE_CHECKING:
    from bridge.core.model import CalendarObject

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
START = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)


def appointment(
    uid: str = "haircut",
    summary: str = "Haircut",
    *,
    start: datetime = START,
    length: timedelta = timedelta(hours=1),
    rule: str = "",
    stamp: str = "20261101T000000Z",
) -> CalendarObject:
    """An appointment; `stamp` changes its bytes but not its meaning."""
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//test//EN",
        "BEGIN:VEVENT",
        f"UID:{uid}",
        f"DTSTAMP:{stamp}",
        f"DTSTART:{start:%Y%m%dT%H%M%SZ}",
        f"DTEND:{start + length:%Y%m%dT%H%M%SZ}",
        f"SUMMARY:{summary}",
        *([f"RRULE:{rule}"] if rule else []),
        "END:VEVENT",
        "END:VCALENDAR",
        "",
    ]
    return parse("\r\n".join(lines).encode())


def task(uid: str = "call", summary: str = "Call back") -> CalendarObject:
    """A to-do without any time."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//test//EN", "BEGIN:VTODO", f"UID:{uid}"]
    lines += ["DTSTAMP:20261101T000000Z", f"SUMMARY:{summary}", "END:VTODO", "END:VCALENDAR", ""]
    return parse("\r\n".join(lines).encode())


@lru_cache(maxsize=4096)
def parse(raw: bytes) -> CalendarObject:
    """Reads the bytes of one object as the store's users do; what was read lately is remembered."""
    return ics.parse(raw, zone=AMSTERDAM, max_instances=1000)
