"""A line that is carried from one object to another takes along the rules of the zone that it names."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

from bridge.core.content import Line, flat, is_block, renamed_zone, with_zones, zones_of
from bridge.core.zones import custom_zone, named_zone

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class Carrier:
    """Carries lines from one object to another.

    A zone that is known by its name means the same everywhere. The rules of any other come along, under a name that is
    free where other rules stand under its own.

    Args:
        target: The VTIMEZONEs of the object to which lines go, by TZID.
    """

    def __init__(self, target: Mapping[str, bytes]) -> None:
        self.zones = dict(target)
        """The VTIMEZONEs of the target, with those that have come."""

    def carried(self, lines: Iterable[Line], source: Mapping[str, bytes]) -> tuple[Line, ...]:
        """The lines as they stand in the target.

        Args:
            lines: The lines as they stand where they come from.
            source: The VTIMEZONEs of the object from which they come.
        """
        return tuple(self._carried(line, source) for line in lines)

    def _carried(self, line: Line, source: Mapping[str, bytes]) -> Line:
        names = {tzid: self._place(tzid, source.get(tzid, b"")) for tzid in zones_of([line])}
        # In a subcomponent no time counts but instants (RFC 5545 section 3.8.6.3).
        return line if is_block(line) or all(tzid == name for tzid, name in names.items()) else with_zones(line, names)

    def _place(self, tzid: str, block: bytes) -> str:
        """Sees to it that a zone is there, and tells under which name."""
        names = (tzid if number == 1 else f"{tzid} {number}" for number in count(1))
        name = next(name for name in names if named_zone(name) is not None or self._is_same(name, block))
        if block and name not in self.zones:
            self.zones[name] = block if name == tzid else renamed_zone(block, name)
        return name

    def _is_same(self, name: str, block: bytes) -> bool:
        """Whether a name is free, or stands for the rules of a VTIMEZONE (of which an empty one has none)."""
        there = self.zones.get(name)
        return there is None or custom_zone(flat(there)) == custom_zone(flat(block))
