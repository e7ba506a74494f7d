"""An instance that nobody has changed is the event of its series at another time, as Google gives it."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Final

from bridge.upstream.google.mapping import marks
from bridge.upstream.google.mapping.times import in_zone_of, key_of, moved, original_start, read, written

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bridge.upstream.google.mapping.whole import Body, Event

_SERIES_ONLY: Final = frozenset({"recurrence", "id", "etag", "kind", "htmlLink"})
_SERIES_MARKS: Final = (marks.SERIES, marks.MASTERLESS)


def generated(master: Body, key: str, *, zone: str, end: date | datetime | None = None) -> dict[str, Any]:
    """The body of an instance as long as nothing makes it differ from its series.

    Args:
        master: The event of the series, or its body (`Whole.master`).
        key: The name of the instance (`Whole.overrides`).
        zone: The zone of the calendar.
        end: When it ends, where it has an end of its own.
    """
    start = read(master.get("start"), zone, keeps_zone=True)
    begin = in_zone_of(original_start(key), start)
    first_end = read(master.get("end") or master.get("start"), zone, keeps_zone=True)
    end = in_zone_of(moved(start, first_end, begin), first_end) if end is None else in_zone_of(end, begin)
    instance = {name: value for name, value in master.items() if name not in _SERIES_ONLY}
    instance |= {"start": written(begin, zone), "end": written(end, zone)}
    private = {name: value for name, value in marks.private(master).items() if not name.startswith(_SERIES_MARKS)}
    if "extendedProperties" in master:
        instance["extendedProperties"] = {**master["extendedProperties"], "private": private}
    if "id" in master:
        instance |= {"recurringEventId": master["id"], "originalStartTime": instance["start"]}
    return instance


def name_of(event: Event, start: date | datetime | None, zone: str) -> str:
    """The name of the instance that an exception describes, from its original start, or else from its id.

    Raises:
        bridge.upstream.google.mapping.whole.NotReadable: It names none.
    """
    moment: Mapping[str, Any] | None = event.get("originalStartTime")
    if not moment:
        _, _, tail = str(event.get("id") or "").rpartition("_")
        try:
            original_start(tail)
        except ValueError:
            read(None, zone)
        return tail
    return _named(read(moment, zone), start, zone)


def _named(value: date | datetime, start: date | datetime | None, zone: str) -> str:
    if start is not None and isinstance(value, datetime) and not isinstance(start, datetime):
        return key_of(value.date(), zone)
    return key_of(value, zone)
