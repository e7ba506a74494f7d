"""What producers get wrong in the form of single properties is repaired once they are read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING, Any

from icalendar.prop import vBroken, vDDDTypes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import tzinfo

    from icalendar.cal import Component

_SINGLE = (
    "UID", "DTSTART", "DTEND", "DUE", "DURATION", "RECURRENCE-ID", "SUMMARY", "DESCRIPTION", "LOCATION", "STATUS",
    "TRANSP", "CLASS", "SEQUENCE", "DTSTAMP", "CREATED", "LAST-MODIFIED", "COMPLETED", "PRIORITY", "GEO", "ORGANIZER",
)  # fmt: skip
_TIMES = ("DTSTART", "DTEND", "DUE", "RECURRENCE-ID", "RDATE", "EXDATE")


@dataclass(frozen=True, slots=True)
class Around:
    """What a component is read beside.

    Attributes:
        master: The master of its series; the component itself where it is one or has none.
        zone: The account's zone.
    """

    master: Component
    zone: tzinfo


@dataclass(frozen=True, slots=True)
class ComponentRepair:
    """A named repair of a freshly read component.

    Attributes:
        name: What is wrong, in small letters with dashes.
        producer: Who writes it so.
        why: What it would do to the reading.
        applies: Whether a component has it.
        mend: Takes it out of the component.
    """

    name: str
    producer: str
    why: str
    applies: Callable[[Component, Around], bool]
    mend: Callable[[Component, Around], None]


def sound_time(component: Component, name: str) -> Any:
    """The native value of a property that stands once and is sound, else `None`."""
    prop = dict.get(component, name)
    return None if isinstance(prop, vBroken) else getattr(prop, "dt", None)


def is_date(value: object) -> bool:
    """Whether a value is a date without a time of day."""
    return isinstance(value, date) and not isinstance(value, datetime)


def props_of(component: Component, *names: str) -> Iterator[Any]:
    """Yields the properties of these names, sound and broken."""
    for name in names:
        found = dict.get(component, name)
        if found is not None:
            yield from found if isinstance(found, list) else [found]


def property_of(component: Component, name: str) -> Any:
    """A property that is known to stand once and to be sound."""
    return dict.__getitem__(component, name)


def replace_time(component: Component, name: str, value: date | datetime, like: Any = None) -> None:
    """Puts a time in the place of another, with the parameters of the property that it resembles."""
    prop = vDDDTypes(value)
    if isinstance(value, datetime) and value.tzinfo is not None and value.tzinfo is not UTC and like is not None:
        prop.params["TZID"] = like.params.get("TZID", "UTC")
    component[name] = prop


def _doubled_names(component: Component) -> list[str]:
    # A journal entry may have several (RFC 5545 section 3.6.3).
    several = "DESCRIPTION" if component.name == "VJOURNAL" else None
    return [name for name in _SINGLE if isinstance(dict.get(component, name), list) and name != several]


def _doubled(component: Component, _: Around) -> bool:
    return bool(_doubled_names(component))


def _keep_first_sound(component: Component, _: Around) -> None:
    for name in _doubled_names(component):
        found = dict.__getitem__(component, name)
        component[name] = next((prop for prop in found if not isinstance(prop, vBroken)), found[0])


def _value_type_missing(component: Component, _: Around) -> bool:
    return any(_wrong_value_type(prop) for prop in props_of(component, *_TIMES))


def _wrong_value_type(prop: Any) -> bool:
    if isinstance(prop, vBroken):
        return False
    declared = str(prop.params.get("VALUE", "DATE-TIME")).upper()
    return declared != _actual_value_type(prop)


def _actual_value_type(prop: Any) -> str:
    value = prop.dts[0].dt
    if isinstance(value, tuple):
        return "PERIOD"
    return "DATE" if is_date(value) else "DATE-TIME"


def _declare_value_type(component: Component, _: Around) -> None:
    for prop in props_of(component, *_TIMES):
        if _wrong_value_type(prop):
            actual = _actual_value_type(prop)
            prop.params.pop("VALUE", None)
            if actual != "DATE-TIME":
                prop.params["VALUE"] = actual


def _midnight_declared_date(component: Component, _: Around) -> bool:
    return any(_is_midnight_date(dict.get(component, name)) for name in _TIMES[:4])


def _is_midnight_date(prop: Any) -> bool:
    value = getattr(prop, "dt", None) if isinstance(prop, vDDDTypes) else None
    return (
        isinstance(value, datetime) and value.time() == time(0) and str(prop.params.get("VALUE", "")).upper() == "DATE"
    )


def _to_declared_date(component: Component, _: Around) -> None:
    for name in _TIMES[:4]:
        if _is_midnight_date(dict.get(component, name)):
            replace_time(component, name, property_of(component, name).dt.date())


def _zulu_with_tzid(component: Component, _: Around) -> bool:
    return any(_zone_to_drop(prop) for prop in props_of(component, *_TIMES))


def _zone_to_drop(prop: Any) -> bool:
    if isinstance(prop, vBroken) or "TZID" not in prop.params:
        return False
    value = prop.dts[0].dt
    if isinstance(value, tuple):
        value = value[0]
    return is_date(value) or (value.tzinfo is UTC)


def _drop_zone(component: Component, _: Around) -> None:
    for prop in props_of(component, *_TIMES):
        if _zone_to_drop(prop):
            del prop.params["TZID"]


FORM_REPAIRS = (
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
)
