"""A stream is read property by property, so that one broken value spoils nothing beside it."""

from __future__ import annotations

import re
from collections import OrderedDict
from datetime import date, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import icalendar
from icalendar.cal.component_factory import ComponentFactory
from icalendar.parser import Contentline, Parameters
from icalendar.parser.ical.component import ComponentIcalParser
from icalendar.parser.property import unescape_backslash
from icalendar.prop import TypesFactory, vBroken, vDDDLists, vDDDTypes, vDuration, vInt, vText

from bridge.core.temporal import read_time
from bridge.core.zones import custom_zone, named_zone
from bridge.errors import NotACalendar

if TYPE_CHECKING:
    from icalendar.cal import Component

_UNREADABLE = (ValueError, TypeError, LookupError, ArithmeticError, AttributeError, AssertionError)
_PLAIN_LINE = re.compile(r'([A-Za-z0-9-]+)((?:;[A-Za-z0-9-]+=[^";:,\\%^\x00-\x1f\x7f]+)*):(.*)')
_DEFINITION = re.compile(
    r"^BEGIN:VTIMEZONE[ \t]*\n.*?^END:VTIMEZONE[ \t]*(?:\n|\Z)", re.MULTILINE | re.DOTALL | re.IGNORECASE
)
_DEFINED_NAME = re.compile(r"^TZID[^:\n]*:(.*)$", re.MULTILINE | re.IGNORECASE)
_TIMES = {"DTSTART", "DTEND", "DUE", "RECURRENCE-ID"}
_LISTS = {"RDATE", "EXDATE"}
_STAMPS = {"DTSTAMP", "CREATED", "LAST-MODIFIED"}
_STAMP = re.compile(r"[0-9]{8}T[0-9]{6}Z")
_SMALL_NUMBER = re.compile("[0-9]{1,9}")
_ENCODING = "utf-8"
_DEEPEST = 8
_COMPONENTS = ComponentFactory()
_TYPES = TypesFactory.instance()


@lru_cache(maxsize=1024)
def _value_class(name: str, value: str | None) -> Any:
    return _TYPES.for_property(name, value)


class _Line(Contentline):
    """A content line that finds its parts at once where it holds nothing quoted or escaped before its value."""

    __slots__ = ()

    def parts(self) -> tuple[str, Parameters, str]:
        match = _PLAIN_LINE.fullmatch(self)
        if match is None:
            return super().parts()
        name, params, value = match.groups()
        # Not `Parameters()`: its constructor looks for defaults that nobody has given.
        parameters = Parameters.__new__(Parameters)
        if params:
            for param in params[1:].split(";"):
                key, _, text = param.partition("=")
                parameters[key] = text.strip()
        return name, parameters, unescape_backslash(value) if "\\" in value else value


class _Parser(ComponentIcalParser):
    """icalendar's parser, with zones that belong to this stream alone and with broken values kept beside sound ones."""

    def __init__(self, lines: list[_Line], zones: dict[str, str]) -> None:
        super().__init__(list[Contentline](lines), _COMPONENTS, _TYPES)
        self._zones = zones

    def get_factory_for_property(self, name: str, params: Parameters) -> Any:
        value = params.get("VALUE") if params else None
        return _value_class(name, value.upper() if isinstance(value, str) else None)

    def handle_line_parse_error(self, exception: Exception) -> None:
        # The line itself is in the message of icalendar's error; `parse_content_lines` does not hand it over.
        if self.component is None:
            raise NotACalendar("There is text outside of the calendar.") from exception
        self.component.errors.append((None, str(exception)))

    def handle_begin_component(self, vals: str) -> None:
        if len(self._stack) >= _DEEPEST:
            raise NotACalendar("The calendar nests its components too deeply.")
        super().handle_begin_component(vals.strip())

    def handle_end_component(self, vals: str) -> None:
        # Not icalendar's own: it keeps each VTIMEZONE for the whole process, so that one client's 'Customized Time
        # Zone' would move the appointments of all others.
        name = vals.strip().upper()
        if not self._stack or self._stack[-1].name != name:
            raise NotACalendar(f"The calendar ends a {name or 'component'} that it has not begun.")
        component = self._stack.pop()
        if self._stack:
            self._stack[-1].add_component(component)
        else:
            self._components.append(component)

    def handle_property(self, name: str, params: Parameters, vals: str, line: Contentline) -> None:
        if self.component is None:
            raise NotACalendar("There is text outside of the calendar.")
        if name not in _TIMES and name not in _LISTS and not (name in _STAMPS and _STAMP.fullmatch(vals)):
            # icalendar makes each text and each number twice, and parameters for each.
            kind = self.get_factory_for_property(name, params)
            if kind is vText:
                text = str.__new__(vText, vals)
                text.encoding = _ENCODING  # type: ignore[attr-defined]  # a slot for which icalendar declares no type
                text.params = params
                self._add(name, text)
            elif kind is vInt and _SMALL_NUMBER.fullmatch(vals):
                number = int.__new__(vInt, vals)
                number.params = params
                self._add(name, number)
            else:
                super().handle_property(name, params, vals, line)
            return
        try:
            prop = self._times(name, params, vals)
        except _UNREADABLE as error:
            self.handle_property_parse_error(error, name, params, vals, line)
            return
        prop.params = params
        self._add(name, prop)

    def _add(self, name: str, prop: Any) -> None:
        """Adds a property to the component that is being read; its name is in capitals."""
        component = self._stack[-1]
        if OrderedDict.__contains__(component, name):
            component.add(name, prop, encode=False)
        else:
            # Not `component.add`: it sees to the capitals of the name three times.
            OrderedDict.__setitem__(component, name, prop)

    def handle_property_parse_error(
        self,
        exception: Exception,
        name: str,
        params: Parameters,
        val: str,
        line: Contentline,  # noqa: ARG002 -- icalendar's signature
    ) -> None:
        assert self.component is not None  # noqa: S101 -- `handle_property` has seen to it
        broken = vBroken.from_parse_error(val, params, name, "unknown", exception)
        self.component.errors.append((name, str(exception)))
        self.component.add(name, broken, encode=False)

    def _times(self, name: str, params: Parameters, text: str) -> vDDDTypes | vDDDLists:
        tzid = params.get("TZID") if params else None
        zone = self._zone(tzid) if isinstance(tzid, str) else None
        if name not in _LISTS:
            # Not `vDDDTypes(...)`: its constructor works out parameters, and these have the line's own.
            prop = vDDDTypes.__new__(vDDDTypes)
            prop.dt = read_time(text, zone)
            return prop
        values = [_read_value(part, zone) for part in text.split(",") if part.strip()]
        if not values:
            raise ValueError("the list is empty")
        return vDDDLists([vDDDTypes(value) for value in values])

    def _zone(self, tzid: str) -> tzinfo | None:
        zone = named_zone(tzid)
        if zone is not None or tzid.strip() not in self._zones:
            return zone
        return custom_zone(self._zones[tzid.strip()])


def _duration(text: str) -> timedelta:
    duration: timedelta = vDuration.from_ical(text)  # type: ignore[no-untyped-call]  # icalendar types half of itself
    return duration


def _read_value(text: str, zone: tzinfo | None) -> Any:
    """Reads one entry of RDATE or EXDATE: a time, or a period (RFC 5545 section 3.3.9) as (start, end or duration)."""
    first, slash, last = text.partition("/")
    start = read_time(first, zone)
    if not slash:
        return start
    if not isinstance(start, datetime):
        raise ValueError("a period begins with a date-time")  # noqa: TRY004 -- the value is wrong
    end: date | timedelta = _duration(last.strip()) if "P" in last.upper() else read_time(last, zone)
    if isinstance(end, timedelta):
        return start, abs(end)
    if not isinstance(end, datetime):
        raise ValueError("a period ends with a date-time")  # noqa: TRY004 -- the value is wrong
    if (end.tzinfo is None) != (start.tzinfo is None):
        end = end.replace(tzinfo=start.tzinfo)
    if end < start:
        raise ValueError("a period does not end before it begins")
    # A period in UTC and one in a zone cannot be told apart by their ends alone.
    return start, end if start.tzinfo is None else end.astimezone(start.tzinfo)


def without_known_zones(text: str) -> str:
    """The text of a stream without the VTIMEZONEs of zones that are known by their names.

    Args:
        text: The stream, unfolded, with LF line ends.
    """

    def kept(match: re.Match[str]) -> str:
        name = _DEFINED_NAME.search(match[0])
        return "" if name is None or named_zone(name[1]) else match[0]

    return _DEFINITION.sub(kept, text) if "VTIMEZONE" in text or "vtimezone" in text else text


def read_components(text: str) -> icalendar.Calendar:
    """Reads one VCALENDAR, leniently: what cannot be read stays as it stands, as `vBroken` or in `errors`.

    Args:
        text: The stream, unfolded, with LF line ends.

    Returns:
        The calendar, without the VTIMEZONEs of zones that are known by their names.

    Raises:
        NotACalendar: If it is no iCalendar, holds several calendars, is cut off or wrongly nested.
    """
    text = without_known_zones(text)
    zones: dict[str, str] = {}
    for definition in _DEFINITION.findall(text) if "VTIMEZONE" in text or "vtimezone" in text else ():
        zones.setdefault(_DEFINED_NAME.findall(definition)[0].strip(), definition)
    lines = [_line(line) for line in text.split("\n") if line.strip()]
    if not lines or lines[0].strip().upper() != "BEGIN:VCALENDAR":
        raise NotACalendar("This is no iCalendar stream: it does not begin with BEGIN:VCALENDAR.")
    parser = _Parser(lines, zones)
    calendars: list[Component] = parser.parse()
    if parser.component is not None:
        raise NotACalendar(
            f"The calendar is cut off: its {parser.component.name} does not end.", remedy="Send it again in full."
        )
    if len(calendars) != 1:
        raise NotACalendar(f"There are {len(calendars)} calendars in one stream where one is allowed.")
    calendar = calendars[0]
    assert isinstance(calendar, icalendar.Calendar)  # noqa: S101 -- the first line says so
    return calendar


def _line(text: str) -> _Line:
    # Not `_Line(text)`: its constructor decodes and checks what has been decoded and checked.
    line = str.__new__(_Line, text)
    line.strict = False  # type: ignore[attr-defined]  # a slot of the parent, which declares no type for it
    return line
