"""The lines of a component are sorted into members: the smallest things that two people can change apart.

A member is one property, one value of a property that holds several (an attendee, a category, an excluded instance, a
comment), one alarm, or the times of a component together (DTSTART, DTEND, DUE and DURATION say one thing). Members are
compared by their canonical form (`bridge.core.canonical`) and carried as the lines that they stand in.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import count
from typing import TYPE_CHECKING, NamedTuple

from bridge.core.canonical import component_lines, instance_lines
from bridge.core.content import ORIGIN, Line, Part, flat, made, unescaped, zones_of
from bridge.core.reader import read_components
from bridge.core.series import time_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from icalendar.cal import Component

WHEN = "when"
"""The group of the lines that say when a component is."""

TIMES = frozenset({"DTSTART", "DTEND", "DUE", "DURATION"})
PATTERN = frozenset({WHEN, "RRULE", "EXRULE", "RDATE"})
"""The groups that say when the instances of a series are; EXDATE says which of them are cancelled."""

LISTS = frozenset({"EXDATE", "RDATE", "CATEGORIES"})
"""Properties with several values in a line, which may as well stand in lines of their own."""

_NO_MEMBERS = frozenset({"UID", ORIGIN})
_SETS = frozenset({
    *LISTS, "ATTENDEE", "COMMENT", "ATTACH", "RELATED-TO", "CONFERENCE", "IMAGE", "RESOURCES", "CONTACT",
    "REQUEST-STATUS", "STRUCTURED-DATA", "STYLED-DESCRIPTION", "LINK", "REFID", "CONCEPT",
})  # fmt: skip
# At most one each is allowed (RFC 5545 sections 3.6.1 to 3.6.3, RFC 7986 section 4); where more stand they are one.
_SINGLE = frozenset({
    "CLASS", "COLOR", "COMPLETED", "DESCRIPTION", "EXRULE", "GEO", "LOCATION", "ORGANIZER", "PERCENT-COMPLETE",
    "PRIORITY", "RECURRENCE-ID", "RRULE", "STATUS", "SUMMARY", "TRANSP", "URL",
})  # fmt: skip
_SEPARATOR = re.compile(r"(?:\\.|[^\\,])+")


class Slot(NamedTuple):
    """Where a member stands in an object.

    Attributes:
        part: The key of its part.
        group: `WHEN`, the name of its property, or `BEGIN:VALARM` and the like for subcomponents.
        member: Which of several it is; empty where there is only one.
    """

    part: str
    group: str
    member: str = ""


@dataclass(frozen=True, slots=True)
class Member:
    """What stands in a slot.

    Attributes:
        meaning: Its canonical form; members of equal meaning are equal.
        lines: The lines that say it; for a value of a list, a line of its own.
    """

    meaning: str
    lines: tuple[Line, ...] = field(compare=False, repr=False)


def repeating(parts: Iterable[Part]) -> frozenset[str]:
    """The properties outside of the RFCs of which a part has several: each line is then a member of its own."""
    counts = (Counter(line.name for line in part.lines) for part in parts)
    return frozenset(name for count in counts for name, number in count.items() if number > 1) - _SINGLE - TIMES


def is_set(group: str, repeated: frozenset[str]) -> bool:
    """Whether a group can have several members."""
    return group in _SETS or group in repeated or group.startswith("BEGIN:")


def zones_for(part: Part, zones: Mapping[str, bytes]) -> tuple[bytes, ...]:
    """The VTIMEZONEs that a part names, of those that there are."""
    return tuple(zones[tzid] for tzid in sorted(zones_of(part.content)) if tzid in zones)


def members(part: Part, zones: Mapping[str, bytes], repeated: frozenset[str]) -> Mapping[Slot, Member]:
    """The members of a part by their slots; what says nothing (DTSTAMP, TRANSP:OPAQUE) is none.

    Args:
        part: The part.
        zones: The VTIMEZONEs of its object.
        repeated: The properties whose lines are members of their own (`repeating`).
    """
    return _members(part, zones_for(part, zones), repeated)


@lru_cache(maxsize=64)
def _members(part: Part, zones: tuple[bytes, ...], repeated: frozenset[str]) -> Mapping[Slot, Member]:
    pieces = list(_pieces(part, repeated))
    found: dict[Slot, Member] = {}
    for (group, lines), component in zip(pieces, _read(part.component, pieces, zones), strict=True):
        meaning = "\n".join(component_lines(component)[1:-1])
        if not meaning:
            continue
        slot = Slot(part.key, group, _name(group, lines[0], meaning) if is_set(group, repeated) else "")
        same = found.get(slot)
        if same is not None and group in LISTS:
            found[slot] = Member(meaning, (*same.lines, *lines))
        else:
            found[_free(slot, found)] = Member(meaning, lines)
    return found


def _pieces(part: Part, repeated: frozenset[str]) -> Iterator[tuple[str, tuple[Line, ...]]]:
    """Yields each group of lines that says one thing."""
    single: dict[str, list[Line]] = {}
    for line in part.content:
        if line.name in LISTS:
            yield from ((line.name, (value,)) for value in values(line))
        elif is_set(line.name, repeated):
            yield line.name, (line,)
        elif line.name not in _NO_MEMBERS:
            single.setdefault(WHEN if line.name in TIMES else line.name, []).append(line)
    yield from ((group, tuple(lines)) for group, lines in single.items())


def _read(kind: str, pieces: Iterable[tuple[str, tuple[Line, ...]]], zones: Iterable[bytes]) -> list[Component]:
    """Reads each piece as a component of its own."""
    text = ["BEGIN:VCALENDAR"]
    text += [flat(zone) for zone in zones]
    for _, lines in pieces:
        text += [f"BEGIN:{kind}", *(line.flat for line in lines), f"END:{kind}"]
    calendar = read_components("\n".join([*text, "END:VCALENDAR"]))
    return [component for component in calendar.subcomponents if component.name == kind]


def _name(group: str, line: Line, meaning: str) -> str:
    """What tells a member from the others of its group, without what a server may add to it (parameters, a UID)."""
    if group in LISTS:
        return meaning.removeprefix(f"{group}:")
    if group.startswith("BEGIN:"):
        return "\n".join(said for said in meaning.split("\n")[1:-1] if not said.startswith("UID:"))
    return unescaped(line.value).strip().lower() if group == "ATTENDEE" else unescaped(line.value)


def _free(slot: Slot, found: Mapping[Slot, Member]) -> Slot:
    """The slot, or a numbered one where another member has it."""
    names = (slot.member if number == 1 else f"{slot.member}#{number}" for number in count(1))
    return next(free for name in names if (free := slot._replace(member=name)) not in found)


def values(line: Line) -> tuple[Line, ...]:
    """A line of a list as one line for each of its values."""
    found = _SEPARATOR.findall(line.value)
    if len(found) < 2:  # noqa: PLR2004 -- one value needs no line of its own
        return (line,)
    return tuple(with_values(line, [value]) for value in found)


def with_values(line: Line, found: Iterable[str]) -> Line:
    """The same line with other values."""
    before = line.flat.removesuffix(line.value).removesuffix(":")
    return made(line.name, ",".join(found), before[len(before.partition(";")[0]) :])


def instance_when(master: Part, override: Part, zones: Mapping[str, bytes], more: Mapping[str, bytes]) -> str:
    """The meaning of `WHEN` that an instance has as long as no override says otherwise; empty where nobody can tell.

    Args:
        master: The part with the rule.
        override: The part whose RECURRENCE-ID names the instance.
        zones: The VTIMEZONEs of the object of the master.
        more: Those of the object of the override.
    """
    pieces = [(WHEN, tuple(line for line in master.content if line.name in TIMES))]
    named = [("RECURRENCE-ID", override.named("RECURRENCE-ID"))]
    [first] = _read(master.component, pieces, zones_for(master, zones))
    [second] = _read(master.component, named, zones_for(override, more))
    name = time_of(second, "RECURRENCE-ID")
    return "" if name is None else "\n".join(instance_lines(first, name))
