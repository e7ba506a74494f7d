"""What producers get wrong about series and their instances is repaired once it is read."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING, Any

from icalendar.prop import vBroken, vDDDLists, vDDDTypes

from bridge.core.component_repairs import ComponentRepair, is_date, property_of, props_of, replace_time, sound_time

if TYPE_CHECKING:
    from icalendar.cal import Component


def _combined(day: date, like: datetime) -> datetime:
    return datetime.combine(day, like.time(), like.tzinfo)


def _unreadable_recurrence_id(component: Component, _: Component) -> bool:
    return isinstance(dict.get(component, "RECURRENCE-ID"), vBroken) and sound_time(component, "DTSTART") is not None


def _recurrence_id_from_start(component: Component, _: Component) -> None:
    component["RECURRENCE-ID"] = property_of(component, "DTSTART")


def _override_without_start(component: Component, _: Component) -> bool:
    return (
        component.name == "VEVENT"
        and sound_time(component, "DTSTART") is None
        and sound_time(component, "RECURRENCE-ID") is not None
    )


def _start_from_recurrence_id(component: Component, _: Component) -> None:
    replace_time(
        component, "DTSTART", property_of(component, "RECURRENCE-ID").dt, property_of(component, "RECURRENCE-ID")
    )


def _empty_rule(component: Component, _: Component) -> bool:
    return any(not isinstance(rule, vBroken) and not rule.get("FREQ") for rule in props_of(component, "RRULE"))


def _drop_empty_rules(component: Component, _: Component) -> None:
    rules = [rule for rule in props_of(component, "RRULE") if isinstance(rule, vBroken) or rule.get("FREQ")]
    del component["RRULE"]
    if rules:
        component["RRULE"] = rules if len(rules) > 1 else rules[0]


def _count_below_one(component: Component, _: Component) -> bool:
    return any(_has_no_count(rule) for rule in props_of(component, "RRULE"))


def _has_no_count(rule: Any) -> bool:
    return not isinstance(rule, vBroken) and any(count < 1 for count in rule.get("COUNT") or ())


def _drop_count(component: Component, _: Component) -> None:
    for rule in props_of(component, "RRULE"):
        if _has_no_count(rule):
            del rule["COUNT"]


def _rule_in_override(component: Component, _: Component) -> bool:
    return "RECURRENCE-ID" in component and any(name in component for name in ("RRULE", "RDATE", "EXDATE"))


def _drop_recurrence(component: Component, _: Component) -> None:
    for name in ("RRULE", "RDATE", "EXDATE"):
        component.pop(name, None)


def _until_of_other_form(component: Component, _: Component) -> bool:
    start = sound_time(component, "DTSTART")
    return isinstance(start, date) and any(_better_until(rule, start) for rule in props_of(component, "RRULE"))


def _better_until(rule: Any, start: date | datetime) -> date | datetime | None:
    """UNTIL in the form that RFC 5545 section 3.3.10 wants beside this DTSTART, or `None` where it has it."""
    until = None if isinstance(rule, vBroken) else next(iter(rule.get("UNTIL") or ()), None)
    if not isinstance(until, date):
        return None
    if not isinstance(start, datetime):
        return until.date() if isinstance(until, datetime) else None
    if not isinstance(until, datetime):
        # Producers that give a day mean that its instance is the last one.
        last = datetime.combine(until, time(23, 59, 59), start.tzinfo)
        return last.astimezone(UTC) if start.tzinfo else last
    if until.tzinfo is None and start.tzinfo is not None:
        return until.replace(tzinfo=start.tzinfo).astimezone(UTC)
    return None


def _correct_until(component: Component, _: Component) -> None:
    start = property_of(component, "DTSTART").dt
    for rule in props_of(component, "RRULE"):
        until = _better_until(rule, start)
        if until is not None:
            rule["UNTIL"] = [until]


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


def _lists_of_other_kind(component: Component, _: Component) -> bool:
    start = sound_time(component, "DTSTART")
    return isinstance(start, date) and any(
        _like_start(entry.dt, start) is not entry.dt
        for prop in props_of(component, "EXDATE", "RDATE")
        if not isinstance(prop, vBroken)
        for entry in prop.dts
    )


def _lists_of_same_kind(component: Component, _: Component) -> None:
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


def _recurrence_id_of_other_kind(component: Component, master: Component) -> bool:
    start, named = sound_time(master, "DTSTART"), sound_time(component, "RECURRENCE-ID")
    return (
        component is not master
        and isinstance(start, date)
        and isinstance(named, date)
        and _like_start(named, start) is not named
    )


def _recurrence_id_of_same_kind(component: Component, master: Component) -> None:
    before, start = property_of(component, "RECURRENCE-ID"), property_of(master, "DTSTART")
    replace_time(component, "RECURRENCE-ID", _like_start(before.dt, start.dt), start)
    if "RANGE" in before.params:
        property_of(component, "RECURRENCE-ID").params["RANGE"] = before.params["RANGE"]


# These come before the repairs of ends, which need a start.
IDENTITY_REPAIRS = (
    ComponentRepair(
        "unreadable-recurrence-id",
        "Hand-written exporters",
        "An override that names no instance would be taken for a second master; it replaces the instance at its start.",
        _unreadable_recurrence_id,
        _recurrence_id_from_start,
    ),
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
        "empty-rule",
        "Exchange, Zimbra, web forms",
        "An RRULE without FREQ is no recurrence.",
        _empty_rule,
        _drop_empty_rules,
    ),
    ComponentRepair(
        "count-below-one",
        "Exchange, Zimbra",
        "COUNT=-1 says that a series has no end.",
        _count_below_one,
        _drop_count,
    ),
    ComponentRepair(
        "recurrence-in-override",
        "Google, Exchange",
        "An override is one instance; the rule that it repeats is its master's.",
        _rule_in_override,
        _drop_recurrence,
    ),
    ComponentRepair(
        "until-of-other-form",
        "Google (old), Apple, many booking systems",
        "UNTIL is a date beside a date, in UTC beside a zone (RFC 5545 section 3.3.10); the last instance would go.",
        _until_of_other_form,
        _correct_until,
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
