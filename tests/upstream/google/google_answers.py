"""Google's answers to what the mapping would write: ids, stamps, offsets of the calendar's zone, instances."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from dateutil.rrule import rruleset, rrulestr  # type: ignore[import-untyped]  # dateutil ships no types

from bridge.core import ics
from bridge.upstream.google.mapping import changed, from_google, generated, to_google

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
        patch = changed(body, generated(whole.master, key, zone=ZONE))
        patched = {**patched_by(instance, patch), "id": f"{MASTER_ID}_{key}", "originalStartTime": original}
        exceptions.append(_as_shown(patched, shown_in))
    return master, exceptions


def patched_by(event: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    """An event after a PATCH: nested objects and arrays are replaced, properties merged by key, null removes."""
    wanted = {name: value for name, value in patch.items() if name != "extendedProperties"}
    merged = {**event, **{name: _full(value) for name, value in wanted.items()}}
    private = {
        **event.get("extendedProperties", {}).get("private", {}),
        **patch.get("extendedProperties", {}).get("private", {}),
    }
    merged["extendedProperties"] = {"private": _full(private)}
    return {name: value for name, value in merged.items() if value is not None}


def _full(value: Any) -> Any:
    return {key: one for key, one in value.items() if one is not None} if isinstance(value, dict) else value


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


def instances(
    master: Mapping[str, Any], exceptions: list[dict[str, Any]], begin: datetime, end: datetime, *, start_counts: bool
) -> list[tuple[datetime, datetime]]:
    """When Google shows something, by the words of its guide alone: rules by dateutil, exceptions by original start.

    Args:
        master: The event.
        exceptions: Its exceptions.
        begin: The instant at which to begin.
        end: The instant at which to end.
        start_counts: Whether the start of a series is an instance also where no rule has it; the guide does not say.
    """
    first, last = _moment(master["start"]), _moment(master["end"])
    starts = [first] if "recurrence" not in master else _starts(master, first, begin, end, start_counts=start_counts)
    length = last.replace(tzinfo=None) - first.replace(tzinfo=None)
    if first.tzinfo is not last.tzinfo:
        length = last.astimezone(first.tzinfo).replace(tzinfo=None) - first.replace(tzinfo=None)
    # A start in the hour that the clocks skip is an hour later.
    there = [_utc(start).astimezone(first.tzinfo) for start in starts]
    shown = {_utc(start): (_utc(start), _utc(start + length)) for start in there}
    for one in exceptions:
        shown.pop(_utc(_moment(one["originalStartTime"])), None)
    shown |= {
        _utc(_moment(one["originalStartTime"])): (_utc(_moment(one["start"])), _utc(_moment(one["end"])))
        for one in exceptions
        if one["status"] != "cancelled"
    }
    return sorted(one for one in shown.values() if begin <= one[0] < end)


def _starts(
    master: Mapping[str, Any], first: datetime, begin: datetime, end: datetime, *, start_counts: bool
) -> list[datetime]:
    rules = rruleset()
    for line in master["recurrence"]:
        head, _, value = line.partition(":")
        value = re.sub(r"UNTIL=(\d{8})(?=;|$)", r"UNTIL=\1T120000Z", value)
        if head == "RRULE":
            rules.rrule(rrulestr(value, dtstart=first))
        elif head == "EXRULE":
            rules.exrule(rrulestr(value, dtstart=first))
        else:
            for one in value.split(","):
                (rules.rdate if head.startswith("RDATE") else rules.exdate)(_listed(head, one, first))
    found: list[datetime] = rules.between(begin - timedelta(days=1), end, inc=True)
    excluded = {_utc(one) for one in rules._exdate}  # noqa: SLF001 -- dateutil has no other way to ask
    lone = not any(line.startswith(("RRULE", "RDATE")) for line in master["recurrence"])
    if (start_counts or lone) and _utc(first) not in excluded:
        found.append(first)
    return found


def _listed(head: str, value: str, first: datetime) -> datetime:
    when = datetime.fromisoformat(value)
    zone = ZoneInfo(head.partition("TZID=")[2]) if "TZID=" in head else first.tzinfo
    return when if when.tzinfo else when.replace(tzinfo=zone)


def _moment(moment: Mapping[str, str]) -> datetime:
    if "date" in moment:
        return datetime.fromisoformat(moment["date"]).replace(tzinfo=ZoneInfo(ZONE))
    return datetime.fromisoformat(moment["dateTime"]).astimezone(ZoneInfo(moment["timeZone"]))


def _utc(when: datetime) -> datetime:
    return when.replace(fold=0).astimezone(UTC)
