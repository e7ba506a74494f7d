"""An object is expanded into instances, within a range and a limit (RFC 5545 section 3.8.5, RFC 4791 section 9.9)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, Any

from bridge.core.model import BEGINNING, ENDLESS, HELD, Span
from bridge.core.rule_cost import check_cost
from bridge.core.rules import expandable, is_endless, last_counted, rules_of, until_of
from bridge.core.series import ZonedSeries, duration_of, extent, time_of, times_of
from bridge.core.temporal import AllDay, Time, from_native, instant
from bridge.errors import TooManyInstances

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from icalendar.cal import Component
    from icalendar.prop import vRecur

    from bridge.core.model import CalendarObject

_TIMES = ("DTSTART", "DTEND", "DUE", "RECURRENCE-ID")
_ZERO = timedelta(0)
_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)
# An instance over the night on which clocks are set back is that much longer than the others.
_LONGEST_NIGHT = timedelta(hours=3)
_FARTHEST = timedelta(days=36_525)
# recurring_ical_events looks some time before and after a range; the calendar of Python ends at 1 and 9999.
_EARLIEST, _LATEST = BEGINNING + 40_000 * _DAY, ENDLESS - 40_000 * _DAY


@dataclass(frozen=True, slots=True)
class Instance:
    """One instance of a recurrence set, or an object that does not recur.

    Attributes:
        recurrence_id: Which instance of the series it is: the start that the rule gave it, in the kind of time of the
            master; of an override the value of its RECURRENCE-ID; `None` for an object that does not recur.
        start: When it begins, in the kind of time of its component; floating times stand in the account's zone.
        end: When it ends, exclusive, in the same kind.
        first: The instant (UTC) at which it begins.
        last: The instant (UTC) at which it ends, exclusive; the same as `first` where it has no length.
        component: The component that describes it: an override, or the master.
    """

    recurrence_id: Time | None
    start: Time
    end: Time
    first: datetime
    last: datetime
    component: Component = field(repr=False, compare=False)

    @property
    def all_day(self) -> bool:
        """Whether it takes whole days."""
        return isinstance(self.start, AllDay)


def held_components(calendar: Component) -> list[Component]:
    """The events, to-dos or journal entries of a calendar, masters and overrides, in their order."""
    return [component for component in calendar.subcomponents if component.name in HELD]


def floats(component: Component) -> bool:
    """Whether a component has a time whose instant depends on the account's zone: a date, or a time without a zone."""
    times = [time_of(component, name) for name in _TIMES]
    times += [entry[0] if isinstance(entry, tuple) else entry for entry in times_of(component, "RDATE")]
    return any(time is not None and getattr(time, "tzinfo", None) is None for time in times)


def recurs(components: Sequence[Component]) -> bool:
    """Whether components make a series: a rule, an RDATE or an override."""
    return any(
        "RECURRENCE-ID" in component or "RDATE" in component or bool(rules_of(component)) for component in components
    )


def span(components: Sequence[Component], *, zone: tzinfo, max_instances: int) -> Span:
    """The first and last instant that any instance touches; `last` may be hours late, never early.

    Nothing is expanded but a rule with COUNT.

    Args:
        components: Master and overrides of one object.
        zone: The account's zone.
        max_instances: The most instances that a rule may have in a year, or in all where it has COUNT.

    Raises:
        TooManyInstances: If a rule, the RDATEs or the overrides go beyond the limit.
    """
    if len(components) > max_instances:
        raise _too_many(max_instances)
    first, last = ENDLESS, BEGINNING
    shift = longest = _ZERO
    begins = []
    for component in components:
        found = extent(component, zone)
        if found is None:
            return Span(BEGINNING, ENDLESS)
        begins.append(found[0])
        start, end = instant(found[0], zone), instant(found[1], zone)
        # What begins in an hour that the clocks skip can end before, by their hands.
        first, last = min(first, start), max(last, start, end)
        longest = max(longest, end - start)
        named = time_of(component, "RECURRENCE-ID")
        if named is not None and str(component["RECURRENCE-ID"].params.get("RANGE", "")).upper() == "THISANDFUTURE":
            shift = max(shift, start - instant(named, zone))
    for component, begin in zip(components, begins, strict=True):
        for start, end in _reach(component, begin, zone, max_instances):
            first, last = min(first, start), max(last, _later(max(end, start), longest + shift + _LONGEST_NIGHT))
    return Span(first, last)


def _reach(
    component: Component, begin: date | datetime, zone: tzinfo, max_instances: int
) -> Iterator[tuple[datetime, datetime]]:
    """Yields the starts between which the rules of a component lie, and each start and end that its RDATEs give."""
    start = instant(begin, zone)
    for rule in rules_of(component, "EXRULE"):
        check_cost(rule, begin, until=until_of(rule, zone), zone=zone, max_instances=max_instances, excludes=True)
    for rule in rules_of(component):
        check_cost(rule, begin, until=until_of(rule, zone), zone=zone, max_instances=max_instances)
        found = expandable(rule, begin, zone)
        if found is not None:
            yield start, _last_start(rule, found[1], begin, zone)
    dates = times_of(component, "RDATE")
    if len(dates) > max_instances:
        raise _too_many(max_instances)
    for entry in dates:
        if isinstance(entry, tuple):
            start = instant(entry[0], zone)
            yield start, _later(start, entry[1]) if isinstance(entry[1], timedelta) else instant(entry[1], zone)
        else:
            start = instant(entry, zone)
            yield start, start


def _last_start(rule: vRecur, expansion: Any, begin: date | datetime, zone: tzinfo) -> datetime:
    until = until_of(rule, zone)
    if until is not None:
        return until
    last = None if is_endless(rule) else last_counted(expansion, begin)
    return ENDLESS if last is None else instant(last, zone)


def _later(when: datetime, delta: timedelta) -> datetime:
    return when + delta if when < ENDLESS - delta else ENDLESS


def _too_many(limit: int) -> TooManyInstances:
    return TooManyInstances(
        f"The appointment has more than {limit} instances in the range.",
        remedy="Ask for a shorter range, or raise the limit.",
    )


def expand(obj: CalendarObject, start: datetime, end: datetime, *, zone: tzinfo, limit: int) -> tuple[Instance, ...]:
    """All instances that touch a range, in the order of their starts.

    An instance touches it if it begins before `end` and ends after `start`; one without length if it begins at or
    after `start` and before `end`. Instances keep their length on the wall clock.
    Of a series only what lies within a hundred years from the beginning of the range, or its own, is expanded, and
    nothing before the year 111 or after 9889.

    Args:
        obj: The object. One without any time has no instance.
        start: The instant at which the range begins.
        end: The instant at which it ends, exclusive.
        zone: The account's zone.
        limit: The most instances to answer with.

    Raises:
        TooManyInstances: If there are more than `limit`.
    """
    found: list[Instance] = []
    for instance in _instances(obj, start, end, zone):
        if len(found) >= limit:
            raise _too_many(limit)
        found.append(instance)
    return tuple(sorted(found, key=lambda instance: (instance.first, instance.last)))


def excluded_by_rule(
    obj: CalendarObject, start: datetime, end: datetime, *, zone: tzinfo, limit: int
) -> tuple[Time, ...]:
    """The starts in a range that only an EXRULE takes away, for readers that pass over it (RFC 5545 appendix A.3).

    Args:
        obj: The object.
        start: The instant at which the range begins.
        end: The instant at which it ends, exclusive.
        zone: The account's zone.
        limit: The most instances to look at.

    Raises:
        TooManyInstances: If there are more than `limit`.
    """
    if not any("EXRULE" in component for component in held_components(obj.calendar)):
        return ()
    without = obj.calendar.copy(recursive=True)
    for component in held_components(without):
        component.pop("EXRULE", None)
    kept = {instance.recurrence_id for instance in expand(obj, start, end, zone=zone, limit=limit)}
    every = expand(replace(obj, calendar=without), start, end, zone=zone, limit=limit)
    names = (instance.recurrence_id for instance in every)
    return tuple(name for name in names if name is not None and name not in kept)


def _instances(obj: CalendarObject, start: datetime, end: datetime, zone: tzinfo) -> Iterator[Instance]:
    """Yields the instances that touch a range, in no order."""
    components = held_components(obj.calendar)
    if not obj.recurring:
        found = extent(components[0], zone)
        if found is not None:
            alone = _instance(components[0], *found, None, zone)
            if _within(alone.first, alone.last, start, end):
                yield alone
        return
    low = max(start, obj.span.first, _EARLIEST)
    high = min(end, _LATEST, _later(low, _FARTHEST))
    if low >= high or not any(extent(component, zone) for component in components):
        return
    # A second more on both sides: what touches only by an inclusive bound is the business of `touches`.
    for occurrence in ZonedSeries(components, zone).instances(low - _SECOND, high + _SECOND):
        named = occurrence.named
        alone = _instance(occurrence.component, occurrence.start, occurrence.end, named, zone)
        if _within(alone.first, alone.last, start, end):
            yield alone


def _instance(
    component: Component, start: date | datetime, end: date | datetime, named: date | datetime | None, zone: tzinfo
) -> Instance:
    return Instance(
        None if named is None else _kind_of_time(named, component),
        _kind_of_time(start, component),
        _kind_of_time(end, component),
        instant(start, zone),
        instant(end, zone),
        component,
    )


def _kind_of_time(value: date | datetime, component: Component) -> Time:
    """The kind of time, its zone under the name by which the component calls it."""
    if isinstance(value, datetime):
        for name in ("DTSTART", "DTEND", "DUE", "RECURRENCE-ID"):
            found = time_of(component, name)
            if isinstance(found, datetime) and found.tzinfo is value.tzinfo:
                return from_native(value, dict.__getitem__(component, name).params.get("TZID"))
    return from_native(value)


def _within(first: datetime, last: datetime, start: datetime, end: datetime) -> bool:
    return start <= first < end if first == last else first < end and last > start


def touches(obj: CalendarObject, start: datetime, end: datetime, *, zone: tzinfo) -> bool:
    """Whether an object, or any instance of it, overlaps a range by the tables of RFC 4791 section 9.9.

    Args:
        obj: The object.
        start: The instant at which the range begins; `BEGINNING` where it is open.
        end: The instant at which it ends; `ENDLESS` where it is open.
        zone: The account's zone.
    """
    if obj.span.last < start or obj.span.first > end:
        return False
    if not obj.recurring:
        return _touches_once(held_components(obj.calendar)[0], start, end, zone)
    if obj.component == "VTODO" and any(extent(component, zone) is None for component in held_components(obj.calendar)):
        return True
    wide_start, wide_end = max(start, _EARLIEST) - _SECOND, min(end, _LATEST) + _SECOND
    return any(
        _touches_at(instance.component, instance.first, instance.last, start, end)
        for instance in _instances(obj, wide_start, wide_end, zone)
    )


def _touches_once(component: Component, start: datetime, end: datetime, zone: tzinfo) -> bool:
    found = extent(component, zone)
    if found is not None:
        return _touches_at(component, instant(found[0], zone), instant(found[1], zone), start, end)
    if component.name != "VTODO":
        return False
    created, completed = (
        None if value is None else instant(value, zone)
        for value in (time_of(component, name) for name in ("CREATED", "COMPLETED"))
    )
    if completed is not None:
        low = completed if created is None else min(created, completed)
        high = completed if created is None else max(created, completed)
        return start <= high and end >= low
    return created is None or end > created


def _touches_at(component: Component, first: datetime, last: datetime, start: datetime, end: datetime) -> bool:
    if component.name != "VTODO":
        return _within(first, last, start, end)
    due, begin = time_of(component, "DUE"), time_of(component, "DTSTART")
    if begin is None:
        return start < last and end >= last
    if due is not None:
        return (start < last or start <= first) and (end > first or end >= last)
    if duration_of(component) is not None:
        return start <= last and (end > first or end >= last)
    return start <= first and end > first
