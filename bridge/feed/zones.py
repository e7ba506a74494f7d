"""The time zones of one feed: which are named, under which TZID, and their VTIMEZONE components.

IANA zones get a minimal definition of ours; what an object brings as its own zone goes out with its rules as they are.
Two objects may bring different zones under one TZID (Outlook calls all of them 'Customized Time Zone'): the second
gets a TZID of its own, so that both keep their hour (RFC 5545 section 3.2.19 makes TZIDs unique per stream only).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, tzinfo
from hashlib import sha256
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from bridge.core.temporal import resolve_zone
from bridge.core.vtimezone import vtimezone
from bridge.core.zones import is_iana
from bridge.feed.lines import Block, Line

if TYPE_CHECKING:
    from collections.abc import Iterable

    import icalendar

__all__ = ["FeedZones", "ObjectZones", "Zone", "is_iana"]

_OBSERVANCES = frozenset({"STANDARD", "DAYLIGHT"})
_RULES = frozenset({"DTSTART", "TZOFFSETFROM", "TZOFFSETTO", "TZNAME", "RRULE", "RDATE", "EXDATE"})
_NEEDED = ("DTSTART", "TZOFFSETFROM", "TZOFFSETTO")
_EARLIEST_YEAR = 1970


@dataclass(frozen=True, slots=True)
class Zone:
    """What one TZID of one object means.

    Attributes:
        tzid: The name that a feed prefers for it.
        rules: Its rules, to calculate with.
        definition: The observances where the object brings its own, else nothing.
    """

    tzid: str
    rules: tzinfo
    definition: tuple[Block, ...] = ()


class ObjectZones:
    """The zones of one calendar object, by the TZIDs that it uses."""

    def __init__(self, calendar: icalendar.Calendar, account: ZoneInfo) -> None:
        self._calendar = calendar
        self._account = account
        self._known: dict[str, Zone] = {}

    def zone(self, tzid: str) -> Zone:
        """Gives the meaning of a TZID; one that nobody knows means the account's zone."""
        if tzid not in self._known:
            self._known[tzid] = self._look_up(tzid)
        return self._known[tzid]

    def _look_up(self, tzid: str) -> Zone:
        rules = resolve_zone(tzid, self._calendar)
        if isinstance(rules, ZoneInfo) and rules.key:
            return Zone(rules.key, rules)
        if rules is UTC:
            return Zone("Etc/UTC", rules)
        definition = self._definition(tzid) if rules is not None else ()
        if rules is not None and definition:
            return Zone(tzid, rules, definition)
        offset = rules.utcoffset(None) if rules is not None else None
        if rules is not None and offset is not None:
            return Zone(tzid, rules, (_constant(offset),))
        return Zone(self._account.key, self._account)

    def _definition(self, tzid: str) -> tuple[Block, ...]:
        for component in self._calendar.walk("VTIMEZONE"):
            if str(component.get("TZID", "")).strip() != tzid.strip():
                continue
            observances = [inner for inner in Block.read(component).blocks if _is_observance(inner)]
            return tuple(sorted((_bare(inner) for inner in observances), key=Block.folded))
        return ()


class FeedZones:
    """The zones of one feed, gathered while its components are written."""

    def __init__(self) -> None:
        self._iana: dict[str, tuple[datetime, datetime]] = {}
        self._own: dict[str, Zone] = {}

    def need(self, key: str, first: datetime, last: datetime) -> None:
        """Notes that an IANA zone is named by something between two instants."""
        known = self._iana.get(key)
        if known is None:
            self._iana[key] = (first, last)
        elif first < known[0] or last > known[1]:
            self._iana[key] = (min(first, known[0]), max(last, known[1]))

    def placed(self, blocks: Iterable[Block], zones: ObjectZones, *, first: datetime, last: datetime) -> list[Block]:
        """Gives the components of an object with the TZIDs that this feed uses, and notes their zones."""
        return [
            replace(
                block,
                lines=tuple(self._placed_line(line, zones, first, last) for line in block.lines),
                blocks=tuple(self.placed(block.blocks, zones, first=first, last=last)),
            )
            for block in blocks
        ]

    def folded(self) -> bytes:
        """Gives all VTIMEZONE components, sorted by TZID."""
        definitions = {tzid: _own_zone(tzid, zone.definition) for tzid, zone in self._own.items()}
        for key, (first, last) in self._iana.items():
            definitions[key] = vtimezone(key, tzid=key, first=_from(first), last=_until(last))
        return b"".join(definitions[tzid] for tzid in sorted(definitions))

    def _placed_line(self, line: Line, zones: ObjectZones, first: datetime, last: datetime) -> Line:
        tzid = line.param("TZID")
        if not tzid and ";TZID=" not in line.params.upper():
            return line
        if line.value.endswith("Z"):
            return line.with_param("TZID", "")
        zone = zones.zone(tzid)
        if not zone.definition:
            self.need(zone.tzid, first, last)
            return line if zone.tzid == tzid else line.with_param("TZID", zone.tzid)
        return line.with_param("TZID", self._own_tzid(zone))

    def _own_tzid(self, zone: Zone) -> str:
        wanted = zone.tzid.replace('"', "'").strip() or "Unnamed"
        if self._own.setdefault(wanted, zone).rules == zone.rules:
            return wanted
        fingerprint = sha256(b"".join(block.folded() for block in zone.definition)).hexdigest()[:12]
        return self._own_tzid(replace(zone, tzid=f"{wanted} {fingerprint}"))


def _own_zone(tzid: str, observances: tuple[Block, ...]) -> bytes:
    return Block("VTIMEZONE", (Line("TZID", "", tzid),), observances).folded()


def _constant(offset: timedelta) -> Block:
    minutes = round(offset.total_seconds() / 60)
    text = f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}{abs(minutes) % 60:02}"
    lines = (Line("DTSTART", "", "19700101T000000"), Line("TZOFFSETFROM", "", text), Line("TZOFFSETTO", "", text))
    return _bare(Block("STANDARD", lines))


def _is_observance(block: Block) -> bool:
    return block.name in _OBSERVANCES and all(block.value(name) for name in _NEEDED)


def _bare(observance: Block) -> Block:
    """Keeps the rules of an observance alone, and name it: some readers take a time in a nameless one for floating."""
    lines = [line for line in observance.lines if line.name in _RULES]
    if not observance.value("TZNAME"):
        lines = [line for line in lines if line.name != "TZNAME"]
        lines.append(Line("TZNAME", "", observance.value("TZOFFSETTO")))
    return Block(observance.name, tuple(sorted(lines, key=_by_name)))


def _by_name(line: Line) -> tuple[str, str]:
    return line.name, line.value


def _from(first: datetime) -> datetime:
    """Gives a start that does not move when an appointment is added in the same year; a DTSTART may precede `first`."""
    return datetime(max(first.year - 1, _EARLIEST_YEAR), 1, 1, tzinfo=UTC)


def _until(last: datetime) -> datetime:
    return datetime(min(max(last.year, _EARLIEST_YEAR) + 1, 9999), 12, 31, tzinfo=UTC)
