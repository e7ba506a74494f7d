"""When a series is, as we keep it, stands beside what Google can be given, where the two are not the same.

An hourly series, say, is a list of dates there. The mark keeps the rule, and the state of the event for which it
stands: as long as nobody there moves the series or changes its rules, it reads back as the hourly series, and an edit
of the rule here finds the rule. Else it says what Google says.
"""

from __future__ import annotations

from datetime import date, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple

from bridge.core.content import Line, flat, made, zones_of
from bridge.core.fold import folded
from bridge.core.meaning import TIMES
from bridge.core.reader import read_components
from bridge.core.series import times_of
from bridge.core.temporal import named_zone, shifted
from bridge.upstream.google.mapping import marks
from bridge.upstream.google.mapping.entries import ordered, read
from bridge.upstream.google.mapping.times import key_of, stamp
from bridge.upstream.google.mapping.times import read as read_moment

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bridge.core.content import Content, Part
    from bridge.upstream.google.mapping.whole import Event

_PATTERN = frozenset({*TIMES, "RRULE", "EXRULE", "RDATE"})
_DIGITS = 16


class Kept(NamedTuple):
    """When a series is, as we keep it.

    Attributes:
        lines: DTSTART, DTEND or DURATION, and the rules.
        zones: The VTIMEZONEs that they need and nobody knows by name.
        ends: When instances end that have an end of their own (RDATE with PERIOD), by their names.
        added: The names of the instances that the rules do not give, and that are there because of their overrides.
    """

    lines: tuple[Line, ...]
    zones: bytes
    ends: Mapping[str, date | datetime]
    added: frozenset[str]


def remember(
    part: Part, content: Content, body: Mapping[str, object], zone: str, *, added: Iterable[str]
) -> dict[str, str]:
    """The mark for a series.

    Args:
        part: Its master.
        content: Its object, which has the VTIMEZONEs.
        body: What Google is given: `start`, `end` and `recurrence`.
        zone: What floating times mean.
        added: The names of the instances that are there because of their overrides.
    """
    lines = [line for line in part.lines if line.name in _PATTERN]
    zones = [
        flat(content.zones[tzid])
        for tzid in sorted(zones_of(lines))
        if tzid in content.zones and named_zone(tzid) is None
    ]
    text = "\n".join([" ".join([state(body, zone), *added]), *zones, *(line.flat for line in lines)])
    return marks.pieces(marks.SERIES, text)


def recalled(event: Event, zone: str) -> Kept | None:
    """What the mark of a series says; None where there is none, or the series is not what it was then."""
    first, _, text = marks.text(event, marks.SERIES).partition("\n")
    head, *added = first.split(" ")
    if not head or not text or head != state(event, zone):
        return None
    lines: list[str] = []
    zones: list[str] = []
    inside = False
    for line in text.split("\n"):
        inside = inside or line.upper() == "BEGIN:VTIMEZONE"
        (zones if inside else lines).append(line)
        inside = inside and line.upper() != "END:VTIMEZONE"
    found = tuple(made(*_split(line)) for line in lines)
    ends = _ends([*zones, "BEGIN:VEVENT", *lines, "END:VEVENT"], zone)
    return Kept(found, b"".join(map(folded, zones)), ends, frozenset(added))


def _split(line: str) -> tuple[str, str, str]:
    value = Line("", line.encode()).value
    head = line.removesuffix(value).removesuffix(":")
    name, semicolon, params = head.partition(";")
    return name, value, semicolon + params


def _ends(lines: Iterable[str], zone: str) -> Mapping[str, date | datetime]:
    calendar = read_components("\n".join(["BEGIN:VCALENDAR", *lines, "END:VCALENDAR"]))
    [component] = [inner for inner in calendar.subcomponents if inner.name == "VEVENT"]
    periods = [entry for entry in times_of(component, "RDATE") if isinstance(entry, tuple)]
    return {key_of(begin, zone): _end(begin, end) for begin, end in periods}


def _end(begin: date | datetime, end: object) -> date | datetime:
    return end if isinstance(end, date) else shifted(begin, end)  # type: ignore[arg-type]  # a period ends so or so


def state(event: Mapping[str, object], zone: str) -> str:
    """What tells whether somebody has changed when a series is, however Google writes the same."""
    start = read_moment(event.get("start"), zone, keeps_zone=True)  # type: ignore[arg-type]  # JSON
    end = read_moment(event.get("end") or event.get("start"), zone, keeps_zone=True)  # type: ignore[arg-type]  # JSON
    lines: list[str] = event.get("recurrence") or []  # type: ignore[assignment]  # JSON
    found = read(lines, start)
    rules = [sorted(";".join(sorted(rule.split(";"))) for rule in rules) for rules in (found.rules, found.excluding)]
    dates = [key_of(one, zone) for one in ordered(found.dates)]
    said = [key_of(start, zone), "".join(stamp(start)), key_of(end, zone), rules, dates, sorted(found.periods)]
    return sha256(repr(said).encode()).hexdigest()[:_DIGITS]
