"""A recurrence set is expanded by recurring_ical_events, with zones, bounds and identities put right."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import cached_property
from typing import TYPE_CHECKING, Any

from dateutil.rrule import rruleset  # type: ignore[import-untyped]  # dateutil ships no types
from icalendar.prop import vBroken
from recurring_ical_events.adapters.component import ComponentAdapter
from recurring_ical_events.occurrence import Occurrence
from recurring_ical_events.series import Series

from bridge.core.rules import rule_text, rules_of, starts, subtracted
from bridge.core.temporal import instant, shifted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from icalendar.cal import Component

# An instance is as long, and an override moves what follows by as much, as keeps within the calendar of Python.
LONGEST = timedelta(days=18_000)
_DAY = timedelta(days=1)
# The wall clock and real time differ by up to this over a change of the offset.
_LONGEST_SHIFT = timedelta(hours=24)


def time_of(component: Component, name: str) -> date | datetime | None:
    """The sound time in a property, a date, a naive or an aware date-time; `None` where there is none."""
    prop = dict.get(component, name)
    value = None if prop is None or isinstance(prop, vBroken) else getattr(prop, "dt", None)
    return value if isinstance(value, date) else None


def times_of(component: Component, name: str) -> list[Any]:
    """All sound entries of RDATE or EXDATE, each a time or a pair of a start and an end or duration."""
    found = dict.get(component, name)
    props = found if isinstance(found, list) else [found] if found is not None else []
    return [entry.dt for prop in props if not isinstance(prop, vBroken) for entry in prop.dts]


def duration_of(component: Component) -> timedelta | None:
    """The sound DURATION of a component."""
    prop = dict.get(component, "DURATION")
    value = None if prop is None or isinstance(prop, vBroken) else getattr(prop, "dt", None)
    return value if isinstance(value, timedelta) else None


def aware(value: date | datetime, zone: tzinfo) -> date | datetime:
    """A floating time put into the account's zone; a date or a zoned time as it is."""
    if isinstance(value, datetime) and value.tzinfo is None:
        return value.replace(tzinfo=zone)
    return value


def extent(component: Component, zone: tzinfo) -> tuple[date | datetime, date | datetime] | None:
    """Start and end of a component by itself, both dates or both aware.

    Without DTEND and DURATION an event on a date lasts a day and one at a time has no length (RFC 5545 section 3.6.1);
    a journal entry likewise; a to-do with only one of DTSTART and DUE is there at that time.

    Returns:
        `None` where it has no time at all.
    """
    start = time_of(component, "DTSTART")
    end = time_of(component, "DUE" if component.name == "VTODO" else "DTEND")
    if start is None:
        if component.name != "VTODO" or end is None:
            return None
        start = end
    start = aware(start, zone)
    duration = duration_of(component)
    if component.name != "VJOURNAL" and end is not None:
        end = aware(end, zone)
    elif component.name != "VJOURNAL" and duration is not None:
        end = aware(shifted(start, duration), zone)
    else:
        whole_day = not isinstance(start, datetime) and component.name != "VTODO"
        end = shifted(start, _DAY) if whole_day else start
    if isinstance(start, datetime) != isinstance(end, datetime):
        start, end = instant(start, zone), instant(end, zone)
    return (start, end) if start <= end else (end, start)


class _Adapter(ComponentAdapter):  # type: ignore[misc]  # recurring_ical_events ships no types
    """A component as recurring_ical_events sees it: floating times in the account's zone, identities in UTC."""

    # All three are abstract in the parent; the name only serves its pages of occurrences.
    raw_start: Any = None
    raw_end: Any = None
    component_name = None

    def __init__(self, component: Component, start: Any, end: Any, zone: tzinfo) -> None:
        super().__init__(component)
        self.zone = zone
        self.raw_start, self.raw_end = start, end if end - start < LONGEST else start + LONGEST

    @property
    def component(self) -> Component:
        component: Component = self._component
        return component

    @cached_property
    def sequence(self) -> int:
        found = dict.get(self._component, "SEQUENCE")
        return found if isinstance(found, int) else -1

    @cached_property
    def recurrence_ids(self) -> tuple[datetime, ...]:
        named = time_of(self._component, "RECURRENCE-ID")
        return () if named is None else (_identity(aware(named, self.zone)),)

    @cached_property
    def this_and_future(self) -> bool:
        named = time_of(self._component, "RECURRENCE-ID")
        if named is None or str(self._component["RECURRENCE-ID"].params.get("RANGE", "")).upper() != "THISANDFUTURE":
            return False
        return abs(instant(self.raw_start, self.zone) - instant(named, self.zone)) < LONGEST

    def is_modification(self) -> bool:
        return "RECURRENCE-ID" in self._component

    @cached_property
    def exdates(self) -> list[Any]:
        return [
            _in_utc(aware(value, self.zone))
            for value in times_of(self._component, "EXDATE")
            if not isinstance(value, tuple)
        ]

    @cached_property
    def rdates(self) -> list[Any]:
        return [self._in_zone(value) for value in times_of(self._component, "RDATE")]

    def _in_zone(self, value: Any) -> Any:
        if isinstance(value, tuple):
            start, end = aware(value[0], self.zone), value[1]
            return start, end if isinstance(end, timedelta) else aware(end, self.zone)
        return aware(value, self.zone)

    @cached_property
    def rrules(self) -> set[str]:
        return self._texts("RRULE")

    @cached_property
    def exrules(self) -> set[str]:
        return self._texts("EXRULE")

    def _texts(self, name: str) -> set[str]:
        texts = (rule_text(rule, self.raw_start, self.zone) for rule in rules_of(self._component, name))
        return {text for text in texts if text is not None}


def _identity(value: date | datetime) -> datetime:
    """What names an instance: its start as a naive date-time in UTC, or the midnight of its date."""
    if isinstance(value, datetime):
        return instant(value, UTC).replace(tzinfo=None)
    return datetime(value.year, value.month, value.day)  # noqa: DTZ001 -- recurring_ical_events compares naive identities


def _in_utc(value: date | datetime) -> date | datetime:
    return instant(value, UTC) if isinstance(value, datetime) else value


class _Rules(Series.RecurrenceRules):  # type: ignore[misc]  # recurring_ical_events ships no types
    """The rules of a master, expanded lazily and near the range only.

    Starts are handed on in UTC: recurring_ical_events also compares wall times with times in UTC, and would exclude
    the 12:00 of a day with the 10:00 in Berlin that an EXDATE names.
    """

    def __init__(self, core: _Adapter) -> None:
        super().__init__(core)
        self.exrules = [self.create_rule_with_start(text) for text in core.exrules]
        self.replace_ends = {
            _identity(start): end if isinstance(end, timedelta) else end - start
            for start, end in (period for period in core.rdates if isinstance(period, tuple))
        }

    def rrule_between(self, span_start: datetime, span_stop: datetime) -> Iterator[datetime]:
        first, last = span_start - _LONGEST_SHIFT, span_stop + _LONGEST_SHIFT
        if self.tzinfo is None:
            first, last = first.replace(tzinfo=None), last.replace(tzinfo=None)
        for rule in self.rrules:
            found = rule.between(first, last, inc=True) if isinstance(rule, rruleset) else starts(rule, first, last)
            excluded = [starts(exrule, first, last) for exrule in self.exrules]
            for start in subtracted(found, excluded):
                yield start if start.tzinfo is None else instant(start, UTC)


class _Instance(Occurrence):  # type: ignore[misc]  # recurring_ical_events ships no types
    """One instance, its end found on the wall clock of its master: a night shift ends at six in every night."""

    def __init__(self, adapter: _Adapter, start: Any, named: Any, duration: timedelta | None) -> None:
        self._adapter = adapter
        self.sequence = -1
        self.named = named
        self.start = start
        self.end = adapter.raw_end if duration is None else start + duration

    @property
    def component(self) -> Component:
        return self._adapter.component


class ZonedSeries(Series):  # type: ignore[misc]  # recurring_ical_events ships no types
    """The recurrence set of one calendar object.

    Args:
        components: Master and overrides, of which those without a time are left out; at least one has one.
        zone: The account's zone.
    """

    RecurrenceRules = _Rules

    def __init__(self, components: list[Component], zone: tzinfo) -> None:
        self.zone = zone
        found = ((component, extent(component, zone)) for component in components)
        super().__init__([_Adapter(component, *times, zone) for component, times in found if times is not None])

    def occurrence(self, adapter: _Adapter, start: Any = None, end: Any = None) -> _Instance:
        """An instance as recurring_ical_events asks for it: an override by itself, or the master moved to a start."""
        if start is None:
            return _Instance(adapter, adapter.raw_start, time_of(adapter.component, "RECURRENCE-ID"), None)
        core = self.recurrence.core.raw_start
        local, stop = start, end
        if isinstance(core, datetime):
            local, stop = start.astimezone(core.tzinfo), end
        length = stop - start
        return _Instance(adapter, local, local - adapter.move_recurrences_by, length)

    def instances(self, start: datetime, end: datetime) -> Iterator[_Instance]:
        """Yields the instances that may touch a range, in no order."""
        yield from self.between(start.astimezone(self.zone), end.astimezone(self.zone))
