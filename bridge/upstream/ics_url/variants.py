"""Several masters under one UID are told apart: copies, versions of one appointment, or appointments of their own.

RFC 5545 section 3.8.4.7 allows one master for each UID. Yet feeds list every date of a course under one UID, or what an
appointment was before beside what it is now; and none of both may be lost or doubled for that.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_BLOCK: Final = re.compile(
    rb"^BEGIN:(VEVENT|VTODO|VJOURNAL|VTIMEZONE)[ \t]*\r?\n.*?^END:\1[ \t]*(?:\r?\n|\Z)",
    re.MULTILINE | re.DOTALL | re.IGNORECASE,
)
_INNER: Final = re.compile(
    rb"^BEGIN:([\w-]+)[ \t]*\r?\n.*?^END:\1[ \t]*\r?\n", re.MULTILINE | re.DOTALL | re.IGNORECASE
)
_FOLD: Final = re.compile(rb"\r?\n[ \t]")
_LINE: Final = re.compile(rb"^([\w-]+)((?:;[^:\n]*)?:)(.*)$", re.MULTILINE)
_SILENT: Final = frozenset({b"DTSTAMP", b"CREATED", b"LAST-MODIFIED", b"SEQUENCE"})
_SERIES: Final = frozenset({b"RRULE", b"RDATE"})


@dataclass(frozen=True, slots=True)
class Variant:
    """One master with its overrides, or overrides without a master.

    Attributes:
        name: What tells it from the others under its UID: when it starts; empty where there are no others.
        raw: A stream with nothing else.
    """

    name: str
    raw: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Component:
    """A component, and the stream that it came in."""

    raw: bytes = field(repr=False)
    lines: dict[bytes, bytes] = field(repr=False)
    meaning: bytes = field(repr=False)
    stream: int = 0

    @property
    def is_override(self) -> bool:
        return b"RECURRENCE-ID" in self.lines

    @property
    def sequence(self) -> int:
        text = self.lines.get(b"SEQUENCE", b"").strip()
        return int(text) if text.isdigit() and len(text) < 10 else 0  # noqa: PLR2004 -- a 32-bit integer has ten digits

    @property
    def start(self) -> bytes:
        return self.lines.get(b"DTSTART", b"").strip()


def variants(streams: Sequence[bytes]) -> tuple[Variant, ...]:
    """The objects in streams that hold components of one UID.

    Masters that differ in nothing but stamps are one. Masters are versions of one appointment, of which the latest
    stays, where each has another SEQUENCE, or where all start at the same time and each has another LAST-MODIFIED. All
    others are appointments of their own. Overrides go with the master that recurs, or else with the first.

    Args:
        streams: One VCALENDAR each, as `bridge.core.split.split` cuts them.
    """
    components = [one for number, stream in enumerate(streams) for one in _components(stream, number)]
    masters = _latest(_distinct(one for one in components if not one.is_override))
    overrides = [one for one in components if one.is_override]
    if not masters:
        return (Variant("", _joined(streams, overrides)),) if overrides else ()
    owner = next((one for one in masters if _SERIES & one.lines.keys()), masters[0])
    names = _names(masters)
    return tuple(
        Variant(name, _joined(streams, [master, *(overrides if master is owner else ())]))
        for name, master in zip(names, masters, strict=True)
    )


def _components(stream: bytes, number: int) -> Iterable[_Component]:
    for block in _BLOCK.finditer(stream):
        if block[1].upper() != b"VTIMEZONE":
            own = _FOLD.sub(b"", _INNER.sub(b"", block[0].split(b"\n", 1)[1]))
            lines: dict[bytes, bytes] = {}
            for name, _, value in _LINE.findall(own):
                lines.setdefault(name.upper(), value)
            yield _Component(block[0], lines, quiet(block[0], _SILENT), number)


def quiet(text: bytes, silent: frozenset[bytes]) -> bytes:
    """A text without its folds and without the lines of some properties.

    Args:
        text: Content lines.
        silent: The properties, in capitals.
    """
    return _lines_of(silent).sub(b"", _FOLD.sub(b"", text).replace(b"\r", b""))


@lru_cache(maxsize=8)
def _lines_of(names: frozenset[bytes]) -> re.Pattern[bytes]:
    return re.compile(rb"^(?:%s)[;:].*\n?" % b"|".join(sorted(names)), re.MULTILINE | re.IGNORECASE)


def _distinct(masters: Iterable[_Component]) -> list[_Component]:
    """Of those that differ in stamps only the last, in the order of the feed."""
    return list({master.meaning: master for master in masters}.values())


def _latest(masters: list[_Component]) -> list[_Component]:
    if len(masters) > 1:
        if len({one.sequence for one in masters}) == len(masters):
            return [max(masters, key=lambda one: one.sequence)]
        changed = {one.lines.get(b"LAST-MODIFIED", b"").strip() for one in masters}
        if len({one.start for one in masters}) == 1 and len(changed) == len(masters):
            return [max(masters, key=lambda one: one.lines.get(b"LAST-MODIFIED", b"").strip())]
    return masters


def _names(masters: Sequence[_Component]) -> list[str]:
    """When each starts; those that start at the same time are numbered by what they are."""
    if len(masters) == 1:
        return [""]
    names = {}
    times: Counter[str] = Counter()
    for master in sorted(masters, key=lambda one: (one.start, one.meaning)):
        start = master.start.decode(errors="replace")
        times[start] += 1
        names[id(master)] = start if times[start] == 1 else f"{start}.{times[start]}"
    return [names[id(master)] for master in masters]


def _joined(streams: Sequence[bytes], components: Sequence[_Component]) -> bytes:
    """A stream of some components: the header of the first one's, and the zones of all."""
    used = dict.fromkeys(one.stream for one in components)
    zones = dict.fromkeys(
        block[0] for number in used for block in _BLOCK.finditer(streams[number]) if block[1].upper() == b"VTIMEZONE"
    )
    stream = streams[next(iter(used))]
    blocks = list(_BLOCK.finditer(stream))
    last = blocks[-1].end()
    return b"".join((stream[: blocks[0].start()], *zones, *(one.raw for one in components), stream[last:]))
