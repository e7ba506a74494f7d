"""What producers get wrong about series and their instances is repaired once it is read."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from icalendar.prop import vBroken, vDDDLists, vDDDTypes

from bridge.core.component_repairs import ComponentRepair, is_date, property_of, props_of, replace_time, sound_time

if TYPE_CHECKING:
    from icalendar.cal import Component

    from bridge.core.component_repairs import Around


_RECURRENCE = ("RRULE", "EXRULE", "RDATE", "EXDATE")


def _combined(day: date, like: datetime) -> datetime:
    return datetime.combine(day, like.time(), like.tzinfo)


def _override_without_start(component: Component, _: Around) -> bool:
    return (
        component.name == "VEVENT"
        and sound_time(component, "DTSTART") is None
        and sound_time(component, "RECURRENCE-ID") is not None
    )


def _start_from_recurrence_id(component: Component, _: Around) -> None:
    replace_time(
        component, "DTSTART", property_of(component, "RECURRENCE-ID").dt, property_of(component, "RECURRENCE-ID")
    )


def _rule_in_override(component: Component, _: Around) -> bool:
    return "RECURRENCE-ID" in component and any(name in component for name in _RECURRENCE)


def _drop_recurrence(component: Component, _: Around) -> None:
    for name in _RECURRENCE:
        component.pop(name, None)


def _like_start(value: Any, start: date | datetime) -> Any:
    """A time in the kind of DTSTART: an excluded or replaced instance is named by the same kind of time."""
    if isinstance(value, tuple):
        return value
    if isinstance(start, datetime) != isinstance(value, datetime):
        return _combined(value, start) if isinstance(start, datetime) else value.date()
    if (
        isinstance(value, datetime)
        and isinstance(start, datetime)
        and value.tzinfo is None
        and start.tzinfo is not None
    ):
        return value.replace(tzinfo=start.tzinfo)
    return value


def _lists_of_other_kind(component: Component, _: Around) -> bool:
    start = sound_time(component, "DTSTART")
    return isinstance(start, date) and any(
        _like_start(entry.dt, start) is not entry.dt
        for prop in props_of(component, "EXDATE", "RDATE")
        if not isinstance(prop, vBroken)
        for entry in prop.dts
    )


def _lists_of_same_kind(component: Component, _: Around) -> None:
    start = property_of(component, "DTSTART")
    for name in ("EXDATE", "RDATE"):
        props = list(props_of(component, name))
        for index, prop in enumerate(props):
            if isinstance(prop, vBroken) or all(_like_start(entry.dt, start.dt) is entry.dt for entry in prop.dts):
                continue
            better = vDDDLists([vDDDTypes(_like_start(entry.dt, start.dt)) for entry in prop.dts])
            if is_date(start.dt):
                better.params["VALUE"] = "DATE"
            elif "TZID" in start.params:
                better.params["TZID"] = start.params["TZID"]
            props[index] = better
        if props:
            component[name] = props if len(props) > 1 else props[0]


def _recurrence_id_of_other_kind(component: Component, around: Around) -> bool:
    start, named = sound_time(around.master, "DTSTART"), sound_time(component, "RECURRENCE-ID")
    return (
        component is not around.master
        and isinstance(start, date)
        and isinstance(named, date)
        and _like_start(named, start) is not named
    )


def _recurrence_id_of_same_kind(component: Component, around: Around) -> None:
    before, start = property_of(component, "RECURRENCE-ID"), property_of(around.master, "DTSTART")
    replace_time(component, "RECURRENCE-ID", _like_start(before.dt, start.dt), start)
    if "RANGE" in before.params:
        property_of(component, "RECURRENCE-ID").params["RANGE"] = before.params["RANGE"]


# These come before the repairs of ends, which need a start.
IDENTITY_REPAIRS = (
    ComponentRepair(
        "override-without-start",
        "Exchange (cancelled instances)",
        "An override without DTSTART stands where the instance stood.",
        _override_without_start,
        _start_from_recurrence_id,
    ),
)

RECURRENCE_REPAIRS = (
    ComponentRepair(
        "recurrence-in-override",
        "Google, Exchange",
        "An override is one instance; the rule that it repeats is its master's.",
        _rule_in_override,
        _drop_recurrence,
    ),
    ComponentRepair(
        "exdate-of-other-kind",
        "Outlook, Exchange, Apple (date-only EXDATE), Google (floating EXDATE)",
        "An EXDATE of another kind than DTSTART would exclude nothing, and a cancelled instance would come back.",
        _lists_of_other_kind,
        _lists_of_same_kind,
    ),
    ComponentRepair(
        "recurrence-id-of-other-kind",
        "Exchange, Zimbra",
        "A RECURRENCE-ID of another kind than DTSTART would replace nothing, and the instance would be doubled.",
        _recurrence_id_of_other_kind,
        _recurrence_id_of_same_kind,
    ),
)
