"""An object is taken apart into components and content lines, and written back with every untouched line as it came.

Nothing is read beyond names: what a line means is the business of `bridge.core.canonical`. The header comes first, then
the VTIMEZONEs that are named, then the rest, each in its old order.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import count
from typing import TYPE_CHECKING, NamedTuple

from bridge.core.canonical import instance_name
from bridge.core.fold import escaped, folded
from bridge.core.model import HELD
from bridge.core.recurrence import held_components

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from icalendar.cal import Component

    from bridge.core.model import CalendarObject

MASTER = ""
"""The key of the master among the parts."""

ORIGIN = "X-CALBRIDGE-ORIGIN"
"""The property that says which rule wrote an object; it never goes from one object to another."""

_REMEMBERED = 1024
"""Lines of at most `_SHORT` octets; most are the same in every object, as those of its time zone."""
_SHORT = 80

_CONTENT_LINE = re.compile(rb"\S[^\n]*(?:\n[ \t][^\n]*)*(?:\n|\Z)")
_FOLD = re.compile(rb"\r?\n[ \t]")
_NAME_END = re.compile(rb"[;:]")
# A colon within quotes belongs to a parameter (RFC 5545 section 3.2); a quote that nobody closes hides none.
_BEFORE_VALUE = re.compile(r'(?:[^":]|"[^"]*")*:|[^:]*:?')
_NAMED_ZONE = re.compile(r';[ \t]*TZID[ \t]*=[ \t]*(?:"([^"]*)"|([^";:]*))', re.IGNORECASE)
_ZONE_NAME = re.compile(rb"^TZID[^\n]*\n(?:[ \t][^\n]*\n)*", re.MULTILINE | re.IGNORECASE)
_ESCAPED = re.compile(r"\\(.)")
_UNESCAPED = {"n": "\n", "N": "\n"}


@dataclass(frozen=True, slots=True)
class Line:
    """One content line (RFC 5545 section 3.1).

    Attributes:
        name: The name of its property, in capitals.
        raw: Its octets with folds and line end.
    """

    name: str
    raw: bytes = field(repr=False)

    @property
    def flat(self) -> str:
        """The line unfolded and without its end."""
        return flat(self.raw)

    @property
    def value(self) -> str:
        """What stands behind the colon, escapes and all; empty where there is no colon."""
        return _BEFORE_VALUE.sub("", self.flat, count=1)


@dataclass(frozen=True, slots=True)
class Part:
    """One component of an object: its master or an override.

    Attributes:
        key: `MASTER`, or the name of the instance (`bridge.core.canonical.instance_name`); a second override of the
            same instance has `#2` behind it.
        component: Its type in capitals.
        begin: Its BEGIN line.
        content: Its lines and its subcomponents (VALARM ...) in their order; a subcomponent is a `Line` whose name
            is that of its BEGIN line, `BEGIN:VALARM`, and whose octets are the whole block.
        end: Its END line.
    """

    key: str
    component: str
    begin: bytes = field(repr=False)
    content: tuple[Line, ...] = field(repr=False)
    end: bytes = field(repr=False)

    @property
    def lines(self) -> tuple[Line, ...]:
        """Its own content lines."""
        return tuple(line for line in self.content if not is_block(line))

    @property
    def alarms(self) -> tuple[Line, ...]:
        """Its subcomponents, alarms and others."""
        return tuple(line for line in self.content if is_block(line))

    @property
    def raw(self) -> bytes:
        """All its octets."""
        return b"".join((self.begin, *(line.raw for line in self.content), self.end))

    def named(self, name: str) -> tuple[Line, ...]:
        """Its lines of a property, in their order."""
        return tuple(line for line in self.content if line.name == name)


@dataclass(frozen=True, slots=True)
class Content:
    """All lines of an object.

    Attributes:
        uid: Its UID, unescaped.
        header: The properties of the calendar itself.
        zones: The VTIMEZONE blocks by their TZIDs; of two under one TZID the first, as it is read.
        parts: The components by their keys, in their order.
        others: Components beside them that are none of the object's (VFREEBUSY, X- ...).
        begin: The BEGIN line of the calendar.
        end: The END line of the calendar.
    """

    uid: str
    header: tuple[Line, ...] = field(repr=False)
    zones: Mapping[str, bytes] = field(repr=False)
    parts: Mapping[str, Part]
    others: tuple[Line, ...] = field(repr=False, default=())
    begin: bytes = field(repr=False, default=b"BEGIN:VCALENDAR\r\n")
    end: bytes = field(repr=False, default=b"END:VCALENDAR\r\n")


class _Block(NamedTuple):
    """A component as it is found: its BEGIN, its content and its END, and those components that its content holds."""

    name: str
    begin: bytes
    content: tuple[Line, ...]
    end: bytes
    inner: tuple[_Block, ...]

    @property
    def line(self) -> Line:
        raw = b"".join((self.begin, *(line.raw for line in self.content), self.end))
        return Line(f"BEGIN:{self.name}", raw)


def is_block(line: Line) -> bool:
    """Whether a line of a part is a whole subcomponent."""
    return line.name.startswith("BEGIN:")


def flat(raw: bytes) -> str:
    """Content lines, unfolded, with LF between them and none at the end."""
    return _FOLD.sub(b"", raw).rstrip(b"\r\n").decode().replace("\r\n", "\n")


def read(obj: CalendarObject) -> Content:
    """Takes an object apart.

    An object that took repairs is taken apart as it was repaired, so that the lines say what the object means.
    """
    raw = obj.calendar.to_ical(sorted=False) if obj.repairs else obj.raw
    lines = _lines(raw)
    whole = _block(next(lines), lines)
    components = iter(held_components(obj.calendar))
    zones: dict[str, bytes] = {}
    parts: dict[str, Part] = {}
    others = []
    for block in whole.inner:
        if block.name in HELD:
            part = _part(block, next(components), parts)
            parts[part.key] = part
        elif block.name == "VTIMEZONE":
            zones.setdefault(_tzid(block), block.line.raw)
        else:
            others.append(block.line)
    header = tuple(line for line in whole.content if not is_block(line))
    return Content(obj.uid, header, zones, parts, tuple(others), whole.begin, whole.end)


def _lines(raw: bytes) -> Iterator[Line]:
    """The content lines of a stream; blank ones are none, and the last has an end."""
    return map(_line, _CONTENT_LINE.findall(raw))


def _line(raw: bytes) -> Line:
    return _short_line(raw) if len(raw) <= _SHORT else _any_line(raw)


def _any_line(raw: bytes) -> Line:
    name = _NAME_END.split(_FOLD.sub(b"", raw), maxsplit=1)[0]
    return Line(name.strip().decode().upper(), raw if raw.endswith(b"\n") else raw + b"\r\n")


_short_line = lru_cache(maxsize=_REMEMBERED)(_any_line)


def _block(begin: Line, lines: Iterator[Line]) -> _Block:
    """Reads on to the END that belongs to a BEGIN."""
    content: list[Line] = []
    inner: list[_Block] = []
    while (line := next(lines)).name != "END":
        if line.name == "BEGIN":
            inner.append(_block(line, lines))
            content.append(inner[-1].line)
        else:
            content.append(line)
    return _Block(begin.value.strip().upper(), begin.raw, tuple(content), line.raw, tuple(inner))


def _part(block: _Block, component: Component, parts: Collection[str]) -> Part:
    name = instance_name(component)
    keys = (name if number == 1 else f"{name}#{number}" for number in count(1))
    key = next(key for key in keys if key not in parts)
    return Part(key, block.name, block.begin, block.content, block.end)


def _tzid(block: _Block) -> str:
    return next((line.value.strip() for line in block.content if line.name == "TZID"), "")


def zones_of(lines: Iterable[Line]) -> frozenset[str]:
    """The TZIDs that lines and blocks name."""
    found = (pair for line in lines for pair in _NAMED_ZONE.findall(line.flat))
    return frozenset((quoted or plain).strip() for quoted, plain in found)


def with_zones(line: Line, names: Mapping[str, str]) -> Line:
    """The same line that calls its zones by other names, folded anew.

    Args:
        line: The line; no block.
        names: The new name for each TZID that it may have.
    """

    def renamed(match: re.Match[str]) -> str:
        name = names[(match[1] or match[2]).strip()]
        return match[0].partition("=")[0] + (f'="{name}"' if match[1] else f"={name}")

    return Line(line.name, folded(_NAMED_ZONE.sub(renamed, line.flat)))


def renamed_zone(block: bytes, tzid: str) -> bytes:
    """The same VTIMEZONE under another name."""
    line = folded(f"TZID:{tzid}")
    return _ZONE_NAME.sub(lambda _: line, block, count=1)


def write(content: Content) -> bytes:
    """The octets of an object, with those VTIMEZONEs that it names."""
    used = zones_of([*(line for part in content.parts.values() for line in part.content), *content.others])
    return b"".join((
        content.begin,
        *(line.raw for line in content.header),
        *(raw for tzid, raw in content.zones.items() if tzid in used),
        *(part.raw for part in content.parts.values()),
        *(line.raw for line in content.others),
        content.end,
    ))  # fmt: skip


def made(name: str, value: str, params: str = "") -> Line:
    """A new content line, folded.

    Args:
        name: The property.
        value: What stands behind the colon, escaped already (`bridge.core.fold.escaped`); it holds no line break.
        params: Its parameters as they are written, each with its semicolon before it.
    """
    return Line(name.upper(), folded(f"{name}{params}:{value}"))


def text(part: Part, name: str) -> str | None:
    """The first value of a TEXT property, unescaped; `None` where the part has none."""
    found = part.named(name)
    return unescaped(found[0].value) if found else None


def unescaped(value: str) -> str:
    """A TEXT value without its escapes (RFC 5545 section 3.3.11)."""
    return _ESCAPED.sub(lambda match: _UNESCAPED.get(match[1], match[1]), value)


def with_uid(content: Content, uid: str) -> Content:
    """The same object under another UID, in every component.

    Args:
        content: The object.
        uid: The new UID, unescaped.
    """
    return replace(with_line(content, "UID", escaped(uid)), uid=uid)


def with_line(content: Content, name: str, value: str, *, keys: Collection[str] | None = None) -> Content:
    """The same object whose components have one line of a property, in the place of all that they had of it.

    Args:
        content: The object.
        name: The property.
        value: What stands behind the colon, escaped already.
        keys: The parts that get it; all where it is None, since what marks an object marks each component.
    """
    line = made(name, value)
    changed = {
        key: part if keys is not None and key not in keys else _with_line(part, line)
        for key, part in content.parts.items()
    }
    return replace(content, parts=changed)


def _with_line(part: Part, line: Line) -> Part:
    at = next((at for at, old in enumerate(part.content) if old.name == line.name), None)
    if at is None:
        at = next((at for at, old in enumerate(part.content) if is_block(old)), len(part.content))
    kept = [[old for old in half if old.name != line.name] for half in (part.content[:at], part.content[at:])]
    return replace(part, content=(*kept[0], line, *kept[1]))


def without(content: Content, names: Collection[str]) -> Content:
    """The same object without any line of some properties, in every component.

    Args:
        content: The object.
        names: The properties, in capitals; `BEGIN:VALARM` stands for its alarms.
    """
    return replace(
        content,
        parts={
            key: replace(part, content=tuple(line for line in part.content if line.name not in names))
            for key, part in content.parts.items()
        },
    )
