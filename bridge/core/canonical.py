"""Two objects of equal meaning have one canonical form and one digest.

What counts: every property of events, to-dos and journal entries and of their alarms, with its parameters, unknown and
broken ones included; which zone a wall time is in; the rules of a custom zone.

What does not count:

- the order of properties, parameters, components and of the values in a list; folding; line ends; escapes in a text;
- the header of the calendar (PRODID, VERSION, CALSCALE, METHOD, X-WR-...), and DTSTAMP, CREATED, LAST-MODIFIED,
  SEQUENCE, X-MOZ-GENERATION, X-LIC-ERROR, X-CALBRIDGE-ORIGIN and the like, which say who wrote the text and when;
- how the same is spelled: DURATION or DTEND; a Windows name, a prefix or the IANA name of a zone; several EXDATE, RDATE
  and CATEGORIES lines or one; an EXDATE or RECURRENCE-ID in UTC or in a zone; defaults that are written out
  (TRANSP:OPAQUE, CLASS:PUBLIC, INTERVAL=1, VALUE=DATE-TIME);
- the text of the VTIMEZONE of a zone that is known by its name, or that no time names;
- what a named repair mends (`bridge.core.repairs`).
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, timezone
from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from icalendar.prop import vBroken, vCategory, vDDDLists, vDDDTypes, vRecur, vText

from bridge.core.series import duration_of, time_of
from bridge.core.temporal import instant, shifted
from bridge.core.zones import CustomZone

if TYPE_CHECKING:
    from collections.abc import Iterator

    from icalendar.cal import Component

    from bridge.core.model import CalendarObject

_SILENT = frozenset({
    "DTSTAMP", "CREATED", "LAST-MODIFIED", "SEQUENCE", "X-MOZ-GENERATION", "X-LIC-ERROR", "X-LIC-ERRORTYPE",
    "X-RADICALE-NAME", "X-WR-ALARMUID", "X-EVOLUTION-CALDAV-ETAG", "X-EVOLUTION-CALDAV-HREF",
    "X-EVOLUTION-ALARM-UID", "X-APPLE-EWS-BUSYSTATUS", "X-MICROSOFT-CDO-APPT-SEQUENCE", "X-CALBRIDGE-ORIGIN",
})  # fmt: skip
_DEFAULTS = {"TRANSP": "OPAQUE", "CLASS": "PUBLIC", "PRIORITY": "0", "REPEAT": "0", "PERCENT-COMPLETE": "0"}
_WORDS = frozenset({"STATUS", "TRANSP", "CLASS", "ACTION", "X-MICROSOFT-CDO-BUSYSTATUS"})
_PARAM_DEFAULTS = {
    "ROLE": "REQ-PARTICIPANT", "PARTSTAT": "NEEDS-ACTION", "RSVP": "FALSE", "CUTYPE": "INDIVIDUAL", "RELATED": "START",
    "RELTYPE": "PARENT", "SCHEDULE-AGENT": "SERVER", "FBTYPE": "BUSY",
}  # fmt: skip
_PARAM_WORDS = frozenset({*_PARAM_DEFAULTS, "VALUE", "RANGE", "ENCODING"})
_SILENT_PARAMS = frozenset({"TZID", "VALUE", "X-VOBJ-ORIGINAL-TZID", "X-LIC-ERRORTYPE"})
_MERGED = frozenset({"EXDATE", "RDATE", "CATEGORIES"})
_RULE_DEFAULTS = {"INTERVAL": "1", "WKST": "MO", "RSCALE": "GREGORIAN", "SKIP": "OMIT"}
_ESCAPES = str.maketrans({"\\": "\\\\", "\n": "\\n", "\r": None})


def digest(obj: CalendarObject) -> str:
    """SHA-256 of the canonical form, in hex: equal meaning, equal digest."""
    return sha256(canonical(obj).encode()).hexdigest()


def canonical(obj: CalendarObject) -> str:
    """The canonical form of an object as text, one property a line."""
    held = (component for component in obj.calendar.subcomponents if component.name == obj.component)
    return "\n".join(sorted("\n".join(component_lines(component)) for component in held))


def instance_name(component: Component) -> str:
    """Which instance of its series an override describes: the instant (UTC), date or wall time of its RECURRENCE-ID.

    Returns:
        An empty text for a master.
    """
    prop = dict.get(component, "RECURRENCE-ID")
    return "" if prop is None else _value("RECURRENCE-ID", prop[0] if isinstance(prop, list) else prop)


def instance_lines(master: Component, named: date | datetime) -> list[str]:
    """The canonical lines that say when an instance of a series is, as long as no override says otherwise.

    Args:
        master: The component with the rule.
        named: The time that its RECURRENCE-ID gives, in any zone.

    Returns:
        Nothing where the master does not begin, or not in the kind of time of `named`.
    """
    start = time_of(master, "DTSTART")
    if start is None or isinstance(start, datetime) != isinstance(named, datetime):
        return []
    if isinstance(named, datetime) and named.tzinfo is not None:
        named = named.astimezone(getattr(start, "tzinfo", None) or UTC)
    lines = [f"DTSTART:{_time(named)}"]
    end = _end(master, start)
    if end is not None:
        lines.append(f"END:{_time(shifted(end, _wall(named) - _wall(start)))}")
    return lines


def _wall(value: date | datetime) -> datetime:
    return value.replace(tzinfo=None) if isinstance(value, datetime) else datetime.combine(value, time(0))


def component_lines(component: Component) -> list[str]:
    """The canonical lines of a component: its properties sorted, then its subcomponents sorted."""
    lines = sorted(_property_lines(component))
    inner = sorted("\n".join(component_lines(sub)) for sub in component.subcomponents)
    return [f"BEGIN:{component.name}", *lines, *inner, f"END:{component.name}"]


def _property_lines(component: Component) -> Iterator[str]:
    start = time_of(component, "DTSTART")
    ends = component.name in ("VEVENT", "VTODO")
    if ends:
        end = _end(component, start)
        if end is not None:
            yield f"END:{_time(end)}"
    for name, found in component.items():
        if name in _SILENT or (ends and start is not None and name in ("DTEND", "DUE", "DURATION") and _sound(found)):
            continue
        if name in _MERGED:
            yield from _merged_lines(name, found if isinstance(found, list) else [found])
            continue
        for prop in found if isinstance(found, list) else [found]:
            value = _value(name, prop)
            if value and _DEFAULTS.get(name) != value:
                yield f"{name}{_params(prop)}:{value}"
    for name, message in component.errors:
        if name is None:
            yield f"?:{message.translate(_ESCAPES)}"


def _sound(prop: Any) -> bool:
    return isinstance(prop, vDDDTypes) or not isinstance(prop, vBroken | list)


def _end(component: Component, start: date | datetime | None) -> date | datetime | None:
    """When a component ends, however it says so; `None` where DTSTART is missing or a to-do has no end."""
    if start is None:
        return None
    end = time_of(component, "DTEND" if component.name == "VEVENT" else "DUE")
    if end is not None:
        return end
    duration = duration_of(component)
    if duration is not None:
        return shifted(start, duration)
    if component.name == "VTODO":
        return None
    return start if isinstance(start, datetime) else shifted(start, timedelta(days=1))


def _merged_lines(name: str, props: list[Any]) -> Iterator[str]:
    """One line for all values of a property that may be one list or several."""
    values: set[str] = set()
    for prop in props:
        if isinstance(prop, vDDDLists):
            values.update(_entry(entry.dt) for entry in prop.dts)
        elif isinstance(prop, vCategory):
            values.update(str(category).translate(_ESCAPES) for category in prop.cats)
        else:
            yield f"{name}{_params(prop)}:{str(prop).translate(_ESCAPES)}"
    if values:
        yield f"{name}:{','.join(sorted(values))}"


def _value(name: str, prop: Any) -> str:
    if isinstance(prop, vText):
        text = str(prop).translate(_ESCAPES)
        return text.upper() if name in _WORDS else text
    if isinstance(prop, vDDDTypes):
        if name == "RECURRENCE-ID":
            return _entry(prop.dt)
        return _time(prop.dt) if isinstance(prop.dt, date) else prop.to_ical().decode()
    if isinstance(prop, vRecur):
        return _rule(prop)
    written = prop.to_ical()
    # icalendar writes a GEO as text and all else as octets.
    text = (written if isinstance(written, str) else written.decode()).translate(_ESCAPES)
    scheme, colon, rest = text.partition(":")
    return f"mailto:{rest.lower()}" if colon and scheme.lower() == "mailto" else text


def _params(prop: Any) -> str:
    found = getattr(prop, "params", None)
    if not found:
        return ""
    parts = []
    for name, value in found.items():
        if name in _SILENT_PARAMS:
            continue
        text = ",".join(sorted(map(str, value))) if isinstance(value, list) else str(value)
        text = text.upper() if name in _PARAM_WORDS else text
        if _PARAM_DEFAULTS.get(name) != text:
            parts.append(f";{name}={text.translate(_ESCAPES)}")
    return "".join(sorted(parts))


def _time(value: date | datetime) -> str:
    """A time with the zone of its wall: `20260714`, `20260714T170000`, `...Z` or `...[Europe/Berlin]`."""
    if not isinstance(value, datetime):
        return value.isoformat()
    wall = value.replace(tzinfo=None).isoformat()
    if value.tzinfo is None:
        return wall
    return f"{wall}Z" if value.tzinfo is UTC else f"{wall}[{_zone_name(value.tzinfo)}]"


def _zone_name(zone: Any) -> str:
    if isinstance(zone, CustomZone):
        return _rules_name(zone)
    return str(zone) if isinstance(zone, timezone) else str(getattr(zone, "key", zone))


@lru_cache(maxsize=256)
def _rules_name(zone: CustomZone) -> str:
    return sha256(repr([(onset.wall, onset.before, onset.after) for onset in zone.onsets]).encode()).hexdigest()


def _entry(value: Any) -> str:
    """What names an instance: its instant where it has one, since the zone in which it is named does not matter."""
    if isinstance(value, tuple):
        end = value[1] if isinstance(value[1], timedelta) else value[1] - value[0]
        return f"{_entry(value[0])}+{end.total_seconds():.0f}"
    if isinstance(value, datetime) and value.tzinfo is not None:
        return _time(instant(value, UTC))
    return _time(value) if isinstance(value, date) else str(value)


def _rule(rule: vRecur) -> str:
    parts = []
    for name, found in rule.items():
        values = found if isinstance(found, list) else [found]
        if name == "UNTIL":
            text = ",".join(_entry(value) for value in values)
        else:
            text = ",".join(sorted({str(value).upper() for value in values}))
        if _RULE_DEFAULTS.get(name) != text:
            parts.append(f"{name}={text}")
    return ";".join(sorted(parts))
