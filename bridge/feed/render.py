"""A feed is one calendar stream made from many calendar objects (RFC 5545, RFC 7986), in bytes.

Pure: the bytes depend on the entries, the settings and the day alone, not on the order of the entries nor on the time.
An object that is ready is copied as bytes; every other one is parsed, repaired and written anew.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC
from typing import TYPE_CHECKING

from bridge.core import ics
from bridge.core.recurrence import excluded_by_rule
from bridge.core.view import Detail
from bridge.errors import CalbridgeError, TooManyInstances
from bridge.feed.detail import shown
from bridge.feed.direct import copied, may_name_categories, sieved
from bridge.feed.entry import FeedEntry, FeedSettings, LeftOut, Rendered, Window
from bridge.feed.header import header
from bridge.feed.instances import spelled_out
from bridge.feed.lines import Block, Line, joined
from bridge.feed.selection import has_category, selected
from bridge.feed.zones import FeedZones, ObjectZones, is_iana

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date
    from zoneinfo import ZoneInfo

    from bridge.core.model import CalendarObject

__all__ = ["FeedEntry", "FeedSettings", "LeftOut", "Rendered", "Window", "render"]

# What icalendar raises when a value that it kept cannot be written again; a newline in a value is an AssertionError.
_UNWRITABLE = (CalbridgeError, ValueError, TypeError, LookupError, AttributeError, ArithmeticError, AssertionError)


def render(
    entries: Iterable[FeedEntry],
    settings: FeedSettings,
    *,
    zone: ZoneInfo,
    today: date,
    max_instances: int = 10_000,
) -> Rendered:
    """Writes a feed.

    Args:
        entries: The calendar objects, in any order; what lies outside the window is skipped. Of several with one UID
            the one that changed last is shown, and one with a master before one without; a busy feed shows the times
            of all.
        settings: What the owner of the feed chose.
        zone: The account's zone: what floating times and unknown TZIDs mean.
        today: The day in that zone; it sets the window.
        max_instances: The limit with which the objects were accepted (`bridge.core.ics.parse`).

    Returns:
        The bytes, and every object that could not be shown with the reason.
    """
    window = settings.window(today, zone)
    feed = _Feed(settings, window, zone, max_instances)
    for entry in selected(entries, settings, window):
        feed.add(entry)
    return feed.rendered()


class _Feed:
    """One feed while it is being written."""

    def __init__(self, settings: FeedSettings, window: Window, zone: ZoneInfo, max_instances: int) -> None:
        self._settings = settings
        self._window = window
        self._full = settings.detail is Detail.FULL
        self._zone = zone
        self._max_instances = max_instances
        self._zones = FeedZones()
        self._pieces: list[bytes] = []
        self._left_out: list[LeftOut] = []
        self._known: dict[tuple[str, ...], bool] = {}
        self._lone: set[str] = set()

    def add(self, entry: FeedEntry) -> None:
        piece = self._direct(entry) if entry.feed_ready else None
        if piece is None:
            try:
                piece = self._anew(entry)
            except _UNWRITABLE as reason:
                self._left_out.append(LeftOut(entry.uid, str(reason) or type(reason).__name__))
                return
        self._pieces.append(piece)

    def rendered(self) -> Rendered:
        body = b"".join([header(self._settings, self._zone), self._zones.folded(), *self._pieces, b"END:VCALENDAR\r\n"])
        return Rendered(body, tuple(self._left_out))

    def _direct(self, entry: FeedEntry) -> bytes | None:
        settings = self._settings
        if settings.categories:
            return None if may_name_categories(entry.raw) else b""
        known = self._known.get(entry.tzids)
        if known is None:
            known = self._known[entry.tzids] = all(is_iana(tzid) for tzid in entry.tzids)
        if not known:
            return None
        piece = copied(entry, alarms=settings.alarms) if self._full else sieved(entry, settings.detail)
        if piece:
            for tzid in entry.tzids:
                self._zones.need(tzid, entry.first, entry.last)
        return piece

    def _anew(self, entry: FeedEntry) -> bytes:
        settings = self._settings
        parsed = ics.parse(entry.raw, zone=self._zone, max_instances=self._max_instances)
        if settings.categories and not has_category(parsed, settings.categories):
            return b""
        blocks = [
            _renamed(_stamped(Block.read(component), entry), entry.uid, known=parsed.uid)
            for component in parsed.calendar.subcomponents
            if component.name == entry.component.value
        ]
        zones = ObjectZones(parsed.calendar, self._zone)
        seen = shown(
            [self._plain(block, parsed) for block in blocks],
            detail=settings.detail,
            alarms=settings.alarms,
            zone_of=lambda tzid: zones.zone(tzid).rules if tzid else self._zone,
        )
        if all(block.first("RECURRENCE-ID") for block in blocks):
            seen = tuple(block for block in seen if block.value("UID") not in self._lone)
            self._lone.update(block.value("UID") for block in seen)
        return joined(self._zones.placed(seen, zones, first=entry.first, last=entry.last))

    def _plain(self, block: Block, parsed: CalendarObject) -> Block:
        """Spells out what an EXRULE excludes in the window: most readers pass over the rule, and would show it."""
        if block.first("EXRULE") is None:
            return block
        start, end = self._window.start, self._window.end
        try:
            excluded = excluded_by_rule(parsed, start, end, zone=self._zone, limit=self._max_instances)
        except TooManyInstances:
            return block
        return spelled_out(block, excluded)


def _stamped(block: Block, entry: FeedEntry) -> Block:
    """Gives a component a DTSTAMP where it has none: one that stays the same until the object changes."""
    if block.value("DTSTAMP"):
        return block
    stamp = Line("DTSTAMP", "", entry.changed_at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ"))
    return replace(block, lines=(*(line for line in block.lines if line.name != "DTSTAMP"), stamp))


def _renamed(block: Block, uid: str, *, known: str) -> Block:
    """Gives a component the UID that was derived for its object, where there is another one of the same UID."""
    if uid == known:
        return block
    lines = tuple(replace(line, value=uid) if line.name == "UID" else line for line in block.lines)
    return replace(block, lines=lines)
