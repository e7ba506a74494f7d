"""A calendar-query filter, and the stored objects that match it (RFC 4791 sections 7.8 and 9.7).

The index answers as much as it can: only series, tasks and filters on properties make an object be parsed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from bridge.core import recurrence
from bridge.core.model import BEGINNING, ENDLESS, ComponentType
from bridge.errors import QueryRefused
from bridge.store import placement

if TYPE_CHECKING:
    import xml.etree.ElementTree as ET
    from collections.abc import Iterator, Sequence

    from icalendar import Component

    from bridge.core.model import CalendarObject
    from bridge.radicale_plugin.backing import Backing, HomeCalendar
    from bridge.store.database import Transaction
    from bridge.store.placement import Stored

_C = "{urn:ietf:params:xml:ns:caldav}"


@dataclass(frozen=True, slots=True)
class TimeRange:
    """From `start` up to, and without, `end`; both UTC."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class TextMatch:
    """A text that a value contains, or with `negate` does not contain."""

    text: str
    folds_case: bool
    negate: bool

    def holds(self, value: str) -> bool:
        """Whether `value` satisfies it."""
        if self.folds_case:
            return (self.text.casefold() in value.casefold()) != self.negate
        return (self.text in value) != self.negate


@dataclass(frozen=True, slots=True)
class ParameterFilter:
    """What a parameter of a property must be."""

    name: str
    is_absent: bool
    text: TextMatch | None


@dataclass(frozen=True, slots=True)
class PropertyFilter:
    """What a property of a component must be."""

    name: str
    is_absent: bool
    time_range: TimeRange | None
    text: TextMatch | None
    parameters: tuple[ParameterFilter, ...]


@dataclass(frozen=True, slots=True)
class ComponentFilter:
    """What a component must be: there or absent, touching a time range, with properties and components in it."""

    name: str
    is_absent: bool = False
    time_range: TimeRange | None = None
    properties: tuple[PropertyFilter, ...] = ()
    components: tuple[ComponentFilter, ...] = ()

    @property
    def is_indexed(self) -> bool:
        """Whether the component's type and time range are all that it asks for."""
        return not (self.is_absent or self.properties or self.components)


def read_time_range(element: ET.Element | None) -> TimeRange | None:
    """Reads a `C:time-range` (RFC 4791 section 9.9); a missing bound is open.

    Raises:
        QueryRefused: A bound is no UTC date-time, both are missing, or the range ends before it starts.
    """
    if element is None:
        return None
    start, end = element.get("start"), element.get("end")
    if start is None and end is None:
        raise QueryRefused("A time range needs a start or an end.")
    bounds = TimeRange(
        BEGINNING if start is None else read_instant(start), ENDLESS if end is None else read_instant(end)
    )
    if bounds.end <= bounds.start:
        raise QueryRefused(f"The time range from {start} to {end} ends before it starts.")
    return bounds


def read_instant(text: str) -> datetime:
    """Reads a UTC date-time such as `20260105T090000Z`.

    Raises:
        QueryRefused: It is something else.
    """
    try:
        return datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError as error:
        raise QueryRefused(
            f"{text[:40]!r} is not a UTC date-time.", remedy="Write it as in 20260105T090000Z."
        ) from error


def read_filter(element: ET.Element) -> ComponentFilter:
    """Reads a `C:filter` (RFC 4791 section 9.7).

    Raises:
        QueryRefused: It is not a filter on a VCALENDAR.
    """
    children = list(element)
    if (
        len(children) != 1
        or children[0].tag != f"{_C}comp-filter"
        or children[0].get("name", "").upper() != "VCALENDAR"
    ):
        raise QueryRefused("A filter starts with one comp-filter named VCALENDAR.")
    return _read_component(children[0])


def _read_component(element: ET.Element) -> ComponentFilter:
    name = element.get("name", "").upper()
    if not name:
        raise QueryRefused("A comp-filter needs a name.")
    return ComponentFilter(
        name,
        is_absent=element.find(f"{_C}is-not-defined") is not None,
        time_range=read_time_range(element.find(f"{_C}time-range")),
        properties=tuple(_read_property(child) for child in element.findall(f"{_C}prop-filter")),
        components=tuple(_read_component(child) for child in element.findall(f"{_C}comp-filter")),
    )


def _read_property(element: ET.Element) -> PropertyFilter:
    return PropertyFilter(
        element.get("name", "").upper(),
        is_absent=element.find(f"{_C}is-not-defined") is not None,
        time_range=read_time_range(element.find(f"{_C}time-range")),
        text=_read_text(element.find(f"{_C}text-match")),
        parameters=tuple(
            ParameterFilter(
                child.get("name", "").upper(),
                is_absent=child.find(f"{_C}is-not-defined") is not None,
                text=_read_text(child.find(f"{_C}text-match")),
            )
            for child in element.findall(f"{_C}param-filter")
        ),
    )


def _read_text(element: ET.Element | None) -> TextMatch | None:
    if element is None:
        return None
    collation = element.get("collation", "i;ascii-casemap")
    if collation not in {"i;ascii-casemap", "i;unicode-casemap", "i;octet", "default"}:
        raise QueryRefused(
            f"The collation {collation[:40]!r} is not known here.",
            remedy="Use i;ascii-casemap, i;unicode-casemap or i;octet.",
        )
    return TextMatch(
        element.text or "", folds_case=collation != "i;octet", negate=element.get("negate-condition") == "yes"
    )


def matching(
    tx: Transaction, collection_id: int, criteria: Sequence[ComponentFilter], backing: Backing, calendar: HomeCalendar
) -> Iterator[Stored]:
    """The objects of a collection that satisfy all `criteria`, each with its text, in any order.

    Raises:
        QueryRefused: A filter cannot be evaluated.
    """
    inner = [component for filter_ in criteria for component in filter_.components]
    bounds = next((each.time_range for each in inner if each.time_range is not None and not each.is_absent), None)
    candidates = (
        placement.get_all(tx, collection_id)
        if bounds is None
        else placement.touching(tx, collection_id, bounds.start, bounds.end)
    )
    wanted = {each.name for each in inner if not each.is_absent}
    indexed = all(filter_.is_indexed or filter_.components for filter_ in criteria) and all(
        each.is_indexed and not filter_.properties and not filter_.is_absent
        for filter_ in criteria
        for each in filter_.components
    )
    for stored in candidates:
        if wanted and wanted & set(ComponentType) - {stored.component}:
            continue
        if indexed and stored.component is ComponentType.VEVENT and not (stored.recurring or stored.floats):
            if all(each.time_range is None or _span_touches(stored, each.time_range) for each in inner):
                yield stored
            continue
        if indexed and all(each.time_range is None for each in inner) and wanted <= set(ComponentType):
            yield stored
            continue
        parsed = backing.stored_object(stored, calendar)
        if all(_matches_calendar(parsed, filter_, calendar) for filter_ in criteria):
            yield stored


def _span_touches(stored: Stored, bounds: TimeRange) -> bool:
    """RFC 4791 section 9.9 for a VEVENT without recurrence, whose span is exactly its one instance."""
    start, end = placement.seconds(bounds.start), placement.seconds(bounds.end)
    if stored.first == stored.last:
        return start <= stored.first < end
    return stored.first < end and stored.last > start


def _matches_calendar(parsed: CalendarObject, filter_: ComponentFilter, calendar: HomeCalendar) -> bool:
    if filter_.is_absent or not _matches_properties(parsed.calendar, filter_):
        return False
    return all(_matches_main(parsed, each, calendar) for each in filter_.components)


def _matches_main(parsed: CalendarObject, filter_: ComponentFilter, calendar: HomeCalendar) -> bool:
    components = [each for each in parsed.calendar.subcomponents if each.name == filter_.name]
    if filter_.is_absent:
        return not components
    if filter_.time_range is not None and (
        filter_.name != parsed.component
        or not recurrence.touches(parsed, filter_.time_range.start, filter_.time_range.end, zone=calendar.zone)
    ):
        return False
    return any(
        _matches_properties(each, filter_)
        and all(_matches_nested(parsed, each, nested, calendar) for nested in filter_.components)
        for each in components
    )


def _matches_nested(
    parsed: CalendarObject, component: Component, filter_: ComponentFilter, calendar: HomeCalendar
) -> bool:
    nested = [each for each in component.subcomponents if each.name == filter_.name]
    if filter_.is_absent:
        return not nested
    return any(
        _matches_properties(each, filter_)
        and (filter_.time_range is None or _alarm_rings(parsed, component, each, filter_.time_range, calendar))
        for each in nested
    )


def _alarm_rings(
    parsed: CalendarObject, component: Component, alarm: Component, bounds: TimeRange, calendar: HomeCalendar
) -> bool:
    """Whether an alarm of any instance rings within `bounds`."""
    trigger = getattr(alarm.get("TRIGGER"), "dt", None)
    if isinstance(trigger, datetime):
        return bounds.start <= trigger.astimezone(UTC) < bounds.end
    if not isinstance(trigger, timedelta):
        return False
    related_to_end = alarm["TRIGGER"].params.get("RELATED", "START").upper() == "END"
    margin = timedelta(days=1) + abs(trigger)
    earliest = max(bounds.start, BEGINNING + margin) - margin
    latest = min(bounds.end, ENDLESS - margin) + margin
    for instance in recurrence.expand(parsed, earliest, latest, zone=calendar.zone, limit=10_000):
        if instance.component.get("RECURRENCE-ID") != component.get("RECURRENCE-ID"):
            continue
        rings = (instance.last if related_to_end else instance.first) + trigger
        if bounds.start <= rings < bounds.end:
            return True
    return False


def _matches_properties(component: Component, filter_: ComponentFilter) -> bool:
    return all(_matches_property(component, each) for each in filter_.properties)


def _matches_property(component: Component, filter_: PropertyFilter) -> bool:
    found = component.get(filter_.name, [])
    values = found if isinstance(found, list) else [found]
    if filter_.is_absent:
        return not values
    return any(
        (filter_.text is None or filter_.text.holds(_text(value)))
        and (filter_.time_range is None or _value_within(value, filter_.time_range))
        and all(_matches_parameter(value, each) for each in filter_.parameters)
        for value in values
    )


def _matches_parameter(value: object, filter_: ParameterFilter) -> bool:
    parameter = getattr(value, "params", {}).get(filter_.name)
    if filter_.is_absent or parameter is None:
        return filter_.is_absent == (parameter is None)
    texts = parameter if isinstance(parameter, list) else [parameter]
    return filter_.text is None or any(filter_.text.holds(str(text)) for text in texts)


def _text(value: object) -> str:
    if isinstance(value, str):
        return str(value)
    to_ical = getattr(value, "to_ical", None)
    return to_ical().decode() if to_ical is not None else str(value)


def _value_within(value: object, bounds: TimeRange) -> bool:
    moment = getattr(value, "dt", None)
    if not isinstance(moment, datetime):
        return False
    return bounds.start <= (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) < bounds.end
