"""Expansion writes each instance in a range as a component of its own, for clients that ask a server to expand.

RFC 4791 section 9.6.5: times in UTC, no recurrence properties, a RECURRENCE-ID in each instance of a series.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import icalendar

from bridge.core import recurrence
from bridge.core.temporal import AllDay, instant

if TYPE_CHECKING:
    from datetime import date, datetime, tzinfo

    from bridge.core.model import CalendarObject
    from bridge.core.recurrence import Instance
    from bridge.core.temporal import Time

_NOT_IN_AN_INSTANCE = frozenset({"RRULE", "RDATE", "EXDATE", "EXRULE", "DURATION"})


@dataclass(frozen=True, slots=True)
class Expanded:
    """A stream of instances.

    Attributes:
        text: A VCALENDAR with one component for each instance.
        count: How many there are.
    """

    text: str
    count: int


def expanded(obj: CalendarObject, start: datetime, end: datetime, *, zone: tzinfo, limit: int) -> Expanded:
    """The instances of `obj` that touch the range from `start` to `end`.

    Args:
        obj: The object.
        start: Start of the range, UTC.
        end: End of the range, exclusive, UTC.
        zone: The account's zone.
        limit: The most instances.

    Raises:
        TooManyInstances: There are more than `limit`.
    """
    calendar = icalendar.Calendar()
    for name, value in obj.calendar.property_items(recursive=False):
        if name not in {"BEGIN", "END"}:
            calendar.add(name, value)
    instances = recurrence.expand(obj, start, end, zone=zone, limit=limit)
    for instance in instances:
        calendar.add_component(_component(instance, zone))
    return Expanded(calendar.to_ical(sorted=False).decode(), len(instances))


def _component(instance: Instance, zone: tzinfo) -> icalendar.Component:
    component = instance.component.copy(recursive=True)
    had_start = "DTSTART" in component
    end_name = "DUE" if component.name == "VTODO" else "DTEND"
    had_end = end_name in component or "DURATION" in component
    for name in (*_NOT_IN_AN_INSTANCE, "DTSTART", end_name, "RECURRENCE-ID"):
        component.pop(name, None)
    if instance.recurrence_id is not None:
        component.add("RECURRENCE-ID", _value(instance.recurrence_id, zone))
    if had_start:
        component.add("DTSTART", _value(instance.start, zone))
    if had_end:
        component.add(end_name, _value(instance.end, zone))
    return component


def _value(time: Time, zone: tzinfo) -> date | datetime:
    if isinstance(time, AllDay):
        return time.day
    return instant(time, zone)
