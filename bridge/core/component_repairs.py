"""What producers get wrong in the properties of a component is repaired once it is read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from icalendar.prop import vBroken, vDDDLists, vDDDTypes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from icalendar.cal import Component

HELD = frozenset({"VEVENT", "VTODO", "VJOURNAL"})
_SINGLE = (
    "UID", "DTSTART", "DTEND", "DUE", "DURATION", "RECURRENCE-ID", "SUMMARY", "DESCRIPTION", "LOCATION", "STATUS",
    "TRANSP", "CLASS", "SEQUENCE", "DTSTAMP", "CREATED", "LAST-MODIFIED", "COMPLETED", "PRIORITY", "GEO", "ORGANIZER",
)  # fmt: skip
_TIMES = ("DTSTART", "DTEND", "DUE", "RECURRENCE-ID", "RDATE", "EXDATE")
_END_NAMES = {"VEVENT": "DTEND", "VTODO": "DUE"}
_DAY = timedelta(days=1)
_ZERO = timedelta(0)


@dataclass(frozen=True, slots=True)
class ComponentRepair:
    """A named repair of a freshly read component.

    Attributes:
        name: What is wrong, in small letters with dashes.
        producer: Who writes it so.
        why: What it would do to the reading.
        applies: Whether a component has it; the second argument is its master, itself where it is one or has none.
        mend: Takes it out of the component.
    """

    name: str
    producer: str
    why: str
    applies: Callable[[Component, Component], bool]
    mend: Callable[[Component, Component], None]


def _value(component: Component, name: str) -> Any:
    """The native value of a property that stands once and is sound, else `None`."""
    prop = dict.get(component, name)
    return None if isinstance(prop, vBroken) else getattr(prop, "dt", None)


def _is_date(value: object) -> bool:
    return isinstance(value, date) and not isinstance(value, datetime)


def _props(component: Component, *names: str) -> Iterator[Any]:
    for name in names:
        found = dict.get(component, name)
        if found is not None:
            yield from found if isinstance(found, list) else [found]


def _replace(component: Component, name: str, value: date | datetime, like: Any = None) -> None:
    """Puts a time in the place of another, with the parameters of the property that it resembles."""
    prop = vDDDTypes(value)
    if isinstance(value, datetime) and value.tzinfo is not None and value.tzinfo is not UTC and like is not None:
        prop.params["TZID"] = like.params.get("TZID", "UTC")
    component[name] = prop


def _combined(day: date, like: datetime) -> datetime:
    return datetime.combine(day, like.time(), like.tzinfo)


# ------------------------------------------------------------------------------------------- one of a kind


def _doubled(component: Component, _: Component) -> bool:
    return any(isinstance(dict.get(component, name), list) for name in _SINGLE)


def _keep_first_sound(component: Component, _: Component) -> None:
    for name in _SINGLE:
        found = dict.get(component, name)
        if isinstance(found, list):
            component[name] = next((prop for prop in found if not isinstance(prop, vBroken)), found[0])


def _value_type_missing(component: Component, _: Component) -> bool:
    return any(_wrong_value_type(prop) for prop in _props(component, *_TIMES))


def _wrong_value_type(prop: Any) -> bool:
    if isinstance(prop, vBroken):
        return False
    declared = str(prop.params.get("VALUE", "DATE-TIME")).upper()
    return declared != _actual_value_type(prop)


def _actual_value_type(prop: Any) -> str:
    value = prop.dts[0].dt
    if isinstance(value, tuple):
        return "PERIOD"
    return "DATE" if _is_date(value) else "DATE-TIME"


def _declare_value_type(component: Component, _: Component) -> None:
    for prop in _props(component, *_TIMES):
        if _wrong_value_type(prop):
            actual = _actual_value_type(prop)
            prop.params.pop("VALUE", None)
            if actual != "DATE-TIME":
                prop.params["VALUE"] = actual


def _midnight_declared_date(component: Component, _: Component) -> bool:
    return any(_is_midnight_date(dict.get(component, name)) for name in _TIMES[:4])


def _is_midnight_date(prop: Any) -> bool:
    value = getattr(prop, "dt", None) if isinstance(prop, vDDDTypes) else None
    return (
        isinstance(value, datetime) and value.time() == time(0) and str(prop.params.get("VALUE", "")).upper() == "DATE"
    )


def _to_declared_date(component: Component, _: Component) -> None:
    for name in _TIMES[:4]:
        prop = dict.get(component, name)
        if _is_midnight_date(prop):
            _replace(component, name, prop.dt.date())


def _zulu_with_tzid(component: Component, _: Component) -> bool:
    return any(_zone_to_drop(prop) for prop in _props(component, *_TIMES))


def _zone_to_drop(prop: Any) -> bool:
    if isinstance(prop, vBroken) or "TZID" not in prop.params:
        return False
    value = prop.dts[0].dt
    if isinstance(value, tuple):
        value = value[0]
    return _is_date(value) or (value.tzinfo is UTC)


def _drop_zone(component: Component, _: Component) -> None:
    for prop in _props(component, *_TIMES):
        if _zone_to_drop(prop):
            del prop.params["TZID"]


# ------------------------------------------------------------------------------------------- start and end


def _unreadable_recurrence_id(component: Component, _: Component) -> bool:
    return isinstance(dict.get(component, "RECURRENCE-ID"), vBroken) and _value(component, "DTSTART") is not None


def _recurrence_id_from_start(component: Component, _: Component) -> None:
    component["RECURRENCE-ID"] = component["DTSTART"]


def _override_without_start(component: Component, _: Component) -> bool:
    return (
        component.name == "VEVENT"
        and _value(component, "DTSTART") is None
        and _value(component, "RECURRENCE-ID") is not None
    )


def _start_from_recurrence_id(component: Component, _: Component) -> None:
    _replace(component, "DTSTART", component["RECURRENCE-ID"].dt, component["RECURRENCE-ID"])


def _outlook_all_day(component: Component, _: Component) -> bool:
    start, end = _value(component, "DTSTART"), _value(component, "DTEND")
    return (
        isinstance(start, datetime)
        and isinstance(end, datetime)
        and str(dict.get(component, "X-MICROSOFT-CDO-ALLDAYEVENT", "")).strip().upper() == "TRUE"
        and start.time() == end.time() == time(0)
        and start.date() < end.date()
    )


def _to_dates(component: Component, _: Component) -> None:
    for name in ("DTSTART", "DTEND"):
        _replace(component, name, component[name].dt.date())


def _end_of_other_kind(component: Component, _: Component) -> bool:
    start, end = _value(component, "DTSTART"), _value(component, _END_NAMES.get(component.name, ""))
    return isinstance(start, date) and isinstance(end, date) and _is_date(start) != _is_date(end)


def _end_of_same_kind(component: Component, _: Component) -> None:
    name = _END_NAMES[component.name]
    start, end = component["DTSTART"], component[name].dt
    if _is_date(start.dt):
        whole = end.time() == time(0)
        _replace(component, name, end.date() if whole else end.date() + _DAY)
    else:
        _replace(component, name, datetime.combine(end, time(0), start.dt.tzinfo), start)


def _end_and_duration(component: Component, _: Component) -> bool:
    return "DURATION" in component and _END_NAMES.get(component.name, "") in component


def _drop_duration(component: Component, _: Component) -> None:
    del component["DURATION"]


def _negative_duration(component: Component, _: Component) -> bool:
    duration = _value(component, "DURATION")
    return isinstance(duration, timedelta) and duration < _ZERO


def _end_not_after_start(component: Component, _: Component) -> bool:
    if component.name != "VEVENT":
        return False
    start, end = _value(component, "DTSTART"), _value(component, "DTEND")
    if not isinstance(start, date) or not isinstance(end, date):
        return False
    if _is_date(start) or _is_date(end):
        return _is_date(start) and _is_date(end) and end <= start
    if (start.tzinfo is None) != (end.tzinfo is None):
        # Which comes first is decided on the wall clock where one of both floats.
        start, end = start.replace(tzinfo=None), end.replace(tzinfo=None)
    return bool(end < start)


def _drop_end(component: Component, _: Component) -> None:
    del component["DTEND"]


# ------------------------------------------------------------------------------------------- recurrence


def _empty_rule(component: Component, _: Component) -> bool:
    return any(not isinstance(rule, vBroken) and not rule.get("FREQ") for rule in _props(component, "RRULE"))


def _drop_empty_rules(component: Component, _: Component) -> None:
    rules = [rule for rule in _props(component, "RRULE") if isinstance(rule, vBroken) or rule.get("FREQ")]
    del component["RRULE"]
    if rules:
        component["RRULE"] = rules if len(rules) > 1 else rules[0]


def _rule_in_override(component: Component, _: Component) -> bool:
    return "RECURRENCE-ID" in component and any(name in component for name in ("RRULE", "RDATE", "EXDATE"))


def _drop_recurrence(component: Component, _: Component) -> None:
    for name in ("RRULE", "RDATE", "EXDATE"):
        component.pop(name, None)


def _until_of_other_form(component: Component, _: Component) -> bool:
    start = _value(component, "DTSTART")
    return isinstance(start, date) and any(_better_until(rule, start) for rule in _props(component, "RRULE"))


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
    start = component["DTSTART"].dt
    for rule in _props(component, "RRULE"):
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
    start = _value(component, "DTSTART")
    return isinstance(start, date) and any(
        _like_start(entry.dt, start) is not entry.dt
        for prop in _props(component, "EXDATE", "RDATE")
        if not isinstance(prop, vBroken)
        for entry in prop.dts
    )


def _lists_of_same_kind(component: Component, _: Component) -> None:
    start = component["DTSTART"]
    for name in ("EXDATE", "RDATE"):
        props = list(_props(component, name))
        for index, prop in enumerate(props):
            if isinstance(prop, vBroken) or all(_like_start(entry.dt, start.dt) is entry.dt for entry in prop.dts):
                continue
            better = vDDDLists([vDDDTypes(_like_start(entry.dt, start.dt)) for entry in prop.dts])
            if _is_date(start.dt):
                better.params["VALUE"] = "DATE"
            elif "TZID" in start.params:
                better.params["TZID"] = start.params["TZID"]
            props[index] = better
        if props:
            component[name] = props if len(props) > 1 else props[0]


def _recurrence_id_of_other_kind(component: Component, master: Component) -> bool:
    start, named = _value(master, "DTSTART"), _value(component, "RECURRENCE-ID")
    return (
        component is not master
        and isinstance(start, date)
        and isinstance(named, date)
        and _like_start(named, start) is not named
    )


def _recurrence_id_of_same_kind(component: Component, master: Component) -> None:
    before, start = component["RECURRENCE-ID"], master["DTSTART"]
    _replace(component, "RECURRENCE-ID", _like_start(before.dt, start.dt), start)
    if "RANGE" in before.params:
        component["RECURRENCE-ID"].params["RANGE"] = before.params["RANGE"]


COMPONENT_REPAIRS = (
    ComponentRepair(
        "doubled-property",
        "Merge tools, hand-written exporters",
        "Of a property that stands once by RFC 5545 only the first sound one counts.",
        _doubled,
        _keep_first_sound,
    ),
    ComponentRepair(
        "midnight-declared-date",
        "Hand-written exporters",
        "VALUE=DATE beside 20260101T000000 means the whole day.",
        _midnight_declared_date,
        _to_declared_date,
    ),
    ComponentRepair(
        "undeclared-value-type",
        "Google (old), many booking systems; RDATE with periods from Exchange",
        "A date needs VALUE=DATE, a period VALUE=PERIOD; strict readers take the whole component for broken.",
        _value_type_missing,
        _declare_value_type,
    ),
    ComponentRepair(
        "tzid-beside-utc-or-date",
        "PHP exporters, Zimbra",
        "TZID must not stand beside a time in UTC or a date (RFC 5545 section 3.2.19); the value counts.",
        _zulu_with_tzid,
        _drop_zone,
    ),
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
    ComponentRepair(
        "outlook-all-day",
        "Outlook",
        "Midnight to midnight with X-MICROSOFT-CDO-ALLDAYEVENT is a day, which moves to other hours in other zones.",
        _outlook_all_day,
        _to_dates,
    ),
    ComponentRepair(
        "end-of-other-kind",
        "Hand-written exporters",
        "DTSTART and DTEND (or DUE) are both dates or both date-times (RFC 5545 section 3.8.2.2).",
        _end_of_other_kind,
        _end_of_same_kind,
    ),
    ComponentRepair(
        "end-and-duration",
        "Thunderbird, when one instance of a series with DURATION is moved",
        "Only one of both may stand (RFC 5545 section 3.6.1); the end is what the person dragged.",
        _end_and_duration,
        _drop_duration,
    ),
    ComponentRepair(
        "negative-duration",
        "Converters",
        "An appointment does not end before it begins; it has the default duration.",
        _negative_duration,
        _drop_duration,
    ),
    ComponentRepair(
        "end-not-after-start",
        "Booking systems (all-day events that end on the same date), converters",
        "DTEND is exclusive and later than DTSTART; without it the default duration of RFC 5545 section 3.6.1 holds.",
        _end_not_after_start,
        _drop_end,
    ),
    ComponentRepair(
        "empty-rule",
        "Exchange, Zimbra, web forms",
        "An RRULE without FREQ is no recurrence.",
        _empty_rule,
        _drop_empty_rules,
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
        "UNTIL is a date beside a date, in UTC beside a zone (RFC 5545 section 3.3.10); the last instance would be lost.",
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


def repair_components(components: list[Component]) -> tuple[str, ...]:
    """Repairs the events, to-dos and journals among components, and names the repairs in the order of the table."""
    held = [component for component in components if component.name in HELD]
    masters = {str(component.get("UID")): component for component in held if "RECURRENCE-ID" not in component}
    took = []
    for repair in COMPONENT_REPAIRS:
        applied = False
        for component in held:
            master = masters.get(str(component.get("UID")), component) if len(held) > 1 else component
            if repair.applies(component, master):
                repair.mend(component, master)
                applied = True
        if applied:
            took.append(repair.name)
    return tuple(took)
