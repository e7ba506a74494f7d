"""Content lines and components as text: enough to choose, rename and fold, without reading any value.

A feed copies values as they stand, so it never needs their types (RFC 5545 section 3.1).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from icalendar.prop import vBroken

from bridge.core.fold import escaped, folded
from bridge.core.plain_rule import plain

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator

    import icalendar

_LINE = re.compile(r'([A-Za-z0-9-]+)((?:;[A-Za-z0-9-]+=(?:"[^"]*"|[^";:])*)*):(.*)', re.DOTALL)
_PARAM = re.compile(r';([A-Za-z0-9-]+)=((?:"[^"]*"|[^";:])*)')
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_NEEDS_QUOTES = re.compile(r"[;:,]")
_RULES = frozenset({"RRULE", "EXRULE"})
# icalendar takes these for plain text and escapes what separates their parts; so many of them are given back.
_SEPARATORS = {"RESOURCES": (",", -1), "REQUEST-STATUS": (";", 2)}


@dataclass(frozen=True, slots=True)
class Line:
    """One unfolded content line: upper-case name, parameters and value, both as written."""

    name: str
    params: str
    value: str

    @classmethod
    def read(cls, text: str) -> Line | None:
        """Splits an unfolded line; there is none where the text has no name that RFC 5545 allows, or no value."""
        match = _LINE.fullmatch(_CONTROL.sub("", text))
        if match is None:
            return None
        name, params, value = match.groups()
        return cls(name.upper(), params, value)

    def param(self, name: str) -> str:
        """Gives the value of a parameter without its quotes, empty where it is not there."""
        for key, value in _PARAM.findall(self.params):
            if key.upper() == name:
                return str(value).strip('"')
        return ""

    def with_param(self, name: str, value: str) -> Line:
        """Gives the same line with one parameter set; an empty value removes it."""
        kept = [f";{key}={old}" for key, old in _PARAM.findall(self.params) if key.upper() != name]
        if value:
            clean = value.replace('"', "'")
            kept.append(f';{name}="{clean}"' if _NEEDS_QUOTES.search(clean) else f";{name}={clean}")
        return replace(self, params="".join(kept))

    def with_only_params(self, names: Container[str]) -> Line:
        """Gives the same line with no other parameters than these."""
        kept = "".join(f";{key}={old}" for key, old in _PARAM.findall(self.params) if key.upper() in names)
        return replace(self, params=kept)

    def folded(self) -> bytes:
        """Gives the line as it goes out: folded, with its CRLF."""
        return folded(f"{self.name}{self.params}:{self.value}")


@dataclass(frozen=True, slots=True)
class Block:
    """One component: its lines in order, and the components inside it."""

    name: str
    lines: tuple[Line, ...]
    blocks: tuple[Block, ...] = ()

    @classmethod
    def read(cls, component: icalendar.Component) -> Block:
        """Takes a parsed component apart into lines.

        A property that no reader could read is left out: in a feed it would take all other appointments with it.

        Raises:
            ValueError: A value cannot be written again.
        """
        pairs = iter(component.property_items(sorted=False))
        next(pairs)
        return _read_until_end(str(component.name).upper(), component, pairs)

    def first(self, name: str) -> Line | None:
        """Gives the first line of that name."""
        return next((line for line in self.lines if line.name == name), None)

    def value(self, name: str) -> str:
        """Gives the value of the first line of that name, empty where there is none."""
        line = self.first(name)
        return line.value if line is not None else ""

    def folded(self) -> bytes:
        """Gives the component as it goes out."""
        return b"".join(
            [
                f"BEGIN:{self.name}\r\n".encode(),
                *(line.folded() for line in self.lines),
                *(block.folded() for block in self.blocks),
                f"END:{self.name}\r\n".encode(),
            ]
        )


def _read_until_end(name: str, component: icalendar.Component, pairs: Iterator[tuple[str, object]]) -> Block:
    lines: list[Line] = []
    blocks: list[Block] = []
    for key, value in pairs:
        if isinstance(value, vBroken):
            continue
        line = Line.read(str(component.content_line(key, value)))
        if line is None:
            continue
        if line.name == "END":
            break
        if line.name == "BEGIN":
            blocks.append(_read_until_end(line.value.upper(), component, pairs))
        elif (readable := _readable(line)) is not None:
            lines.append(readable)
    return Block(name, tuple(lines), tuple(blocks))


def _readable(line: Line) -> Line | None:
    if line.name in _SEPARATORS:
        separator, count = _SEPARATORS[line.name]
        return replace(line, value=line.value.replace(f"\\{separator}", separator, count))
    if line.name in _RULES:
        rule = plain(line.value)
        return replace(line, value=rule) if rule is not None else None
    return line


def text_line(name: str, value: str) -> bytes:
    """Writes a TEXT property from plain text: escaped, folded, with its CRLF (RFC 5545 section 3.3.11)."""
    lines = value.replace("\r\n", "\n").replace("\r", "\n")
    return folded(f"{name}:{_CONTROL.sub('', escaped(lines))}")


def joined(blocks: Iterable[Block]) -> bytes:
    """Writes components one after the other."""
    return b"".join(block.folded() for block in blocks)
