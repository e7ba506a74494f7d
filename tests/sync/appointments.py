"""Appointments for tests of the sync engine."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from tests.store.appointments import parse

if TYPE_CHECKING:
    from bridge.core.model import CalendarObject

START = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def event(uid: str = "one", summary: str = "Haircut", *lines: str, start: datetime = START) -> CalendarObject:
    """An appointment of an hour, with further lines."""
    return calendar(component(uid, summary, *lines, start=start))


def component(uid: str, summary: str, *lines: str, start: datetime = START) -> list[str]:
    """The lines of one VEVENT of an hour."""
    return [
        "BEGIN:VEVENT",
        f"UID:{uid}",
        "DTSTAMP:20261101T000000Z",
        f"DTSTART:{start:%Y%m%dT%H%M%SZ}",
        f"DTEND:{start + HOUR:%Y%m%dT%H%M%SZ}",
        f"SUMMARY:{summary}",
        *lines,
        "END:VEVENT",
    ]


def all_day(uid: str = "one", summary: str = "Holiday", *lines: str) -> CalendarObject:
    """An appointment of a whole day."""
    times = ["DTSTART;VALUE=DATE:20261125", "DTEND;VALUE=DATE:20261126"]
    begin = ["BEGIN:VEVENT", f"UID:{uid}", "DTSTAMP:20261101T000000Z"]
    return calendar([*begin, *times, f"SUMMARY:{summary}", *lines, "END:VEVENT"])


def task(uid: str = "task", summary: str = "Call back", *lines: str) -> CalendarObject:
    """A to-do."""
    begin = ["BEGIN:VTODO", f"UID:{uid}", "DTSTAMP:20261101T000000Z"]
    return calendar([*begin, f"SUMMARY:{summary}", *lines, "END:VTODO"])


def series(uid: str = "daily", summary: str = "Class", *lines: str, days: int = 5) -> CalendarObject:
    """An appointment on each of some days, from `START` on."""
    return event(uid, summary, f"RRULE:FREQ=DAILY;COUNT={days}", *lines)


def with_instance(
    master: CalendarObject, day: int, summary: str, *lines: str, moved: timedelta = timedelta()
) -> CalendarObject:
    """A series of which the instance of a day has a title, and a time, of its own."""
    instance = START + timedelta(days=day)
    named = f"RECURRENCE-ID:{instance:%Y%m%dT%H%M%SZ}"
    inner = master.raw.decode().removesuffix("END:VCALENDAR\r\n")
    override = component(master.uid, summary, named, *lines, start=instance + moved)
    return parse((inner + "\r\n".join(override) + "\r\nEND:VCALENDAR\r\n").encode())


def calendar(*components: list[str]) -> CalendarObject:
    """An object of these components."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//test//EN"]
    lines += [line for each in components for line in each]
    return parse("\r\n".join([*lines, "END:VCALENDAR", ""]).encode())
