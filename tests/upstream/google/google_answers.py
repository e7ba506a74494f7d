"""Google's answers to what the mapping would write: ids, stamps, offsets of the calendar's zone, instances."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from bridge.core import ics
from bridge.upstream.google.mapping import from_google, generated, to_google

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bridge.core.model import CalendarObject
    from bridge.upstream.google.mapping import Whole

ZONE = "Europe/Amsterdam"
MASTER_ID = "0123456789abcdef0123456789abcdef"


def parsed(raw: bytes) -> CalendarObject:
    return ics.parse(raw, zone=ZoneInfo(ZONE), max_instances=10_000)


def event(*lines: str, uid: str = "sample@example.org") -> bytes:
    """One VEVENT with a UID and a DTSTAMP."""
    return calendar(["BEGIN:VEVENT", f"UID:{uid}", "DTSTAMP:20260101T000000Z", *lines, "END:VEVENT"])


def calendar(*blocks: list[str]) -> bytes:
    lines = [line for block in blocks for line in block]
    return "\r\n".join(["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//x//x//EN", *lines, "END:VCALENDAR", ""]).encode()


def answered(whole: Whole, *, shown_in: str = "America/New_York") -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The master and the exceptions as a listing gives them once everything was written.

    Google shows times in a zone of its choice, keeps its own stamps, gives a creation an iCalUID of its own, and of a
    cancelled instance only what it guarantees.
    """
    master = _as_shown({**whole.master, "id": MASTER_ID}, shown_in)
    exceptions = []
    for key, body in whole.overrides.items():
        if body is None:
            # EXDATE stands in `recurrence`, or the instance was cancelled by itself.
            instance = generated(master, key, zone=ZONE)
            exceptions.append(
                {
                    "id": f"{MASTER_ID}_{key}",
                    "recurringEventId": MASTER_ID,
                    "originalStartTime": instance["start"],
                    "status": "cancelled",
                }
            )
            continue
        instance = generated(master, key, zone=ZONE)
        original = instance["start"]
        instance |= {
            **{name: value for name, value in body.items() if name != "extendedProperties"},
            "id": f"{MASTER_ID}_{key}",
            "originalStartTime": original,
        }
        marks = {**instance["extendedProperties"]["private"], **body["extendedProperties"]["private"]}
        instance["extendedProperties"] = {"private": marks}
        exceptions.append(_as_shown(instance, shown_in))
    return master, exceptions


def _as_shown(body: Mapping[str, Any], shown_in: str) -> dict[str, Any]:
    event = {
        "kind": "calendar#event",
        "etag": '"3181161784712000"',
        "created": "2026-11-01T10:00:00.000Z",
        "updated": "2026-11-02T10:00:00.123Z",
        "iCalUID": f"{MASTER_ID}@google.com",
        "sequence": 0,
        "eventType": "default",
        **body,
    }
    for name in ("start", "end", "originalStartTime"):
        if "dateTime" in event.get(name, {}):
            when = datetime.fromisoformat(event[name]["dateTime"]).astimezone(ZoneInfo(shown_in))
            event[name] = {**event[name], "dateTime": when.isoformat()}
    private = {**event["extendedProperties"]["private"], "calbridgeId": MASTER_ID}
    return {**event, "extendedProperties": {"private": private}}


def there_and_back(obj: CalendarObject) -> CalendarObject:
    master, exceptions = answered(to_google(obj, zone=ZONE))
    return parsed(from_google(master, exceptions, zone=ZONE))
