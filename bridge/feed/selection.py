"""Which calendar objects a feed is made from: those of its settings, in its window, each UID once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.config import Detail
from bridge.core.model import ComponentType
from bridge.feed.direct import has_no_master

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bridge.core.model import CalendarObject
    from bridge.feed.entry import FeedEntry, FeedSettings, Window


def selected(entries: Iterable[FeedEntry], settings: FeedSettings, window: Window) -> list[FeedEntry]:
    """Gives the entries that a feed may show, sorted by UID; their categories are not looked at."""
    components = _components(settings)
    start, end = window.start, window.end
    return _one_per_uid(
        entry for entry in entries if entry.last >= start and entry.first <= end and entry.component in components
    )


def has_category(parsed: CalendarObject, wanted: frozenset[str]) -> bool:
    """Tells whether any component of an object has one of these categories, whatever the case."""
    names = {name.casefold() for name in wanted}
    found = parsed.calendar.walk(parsed.component.value)
    return any(
        str(category).strip().casefold() in names for one in found for category in getattr(one, "categories", ())
    )


def _components(settings: FeedSettings) -> frozenset[ComponentType]:
    if settings.detail is Detail.BUSY:
        # To-dos and journal entries take no time (RFC 5545 sections 3.6.2 and 3.6.3).
        return settings.components & {ComponentType.VEVENT}
    return settings.components


def _one_per_uid(entries: Iterable[FeedEntry]) -> list[FeedEntry]:
    """Sorts by UID and settles what stands in several collections as objects of its own under one UID."""
    first: dict[str, FeedEntry] = {}
    repeated: dict[str, list[FeedEntry]] = {}
    for entry in entries:
        known = first.setdefault(entry.uid, entry)
        if known is not entry:
            repeated.setdefault(entry.uid, [known]).append(entry)
    chosen: list[FeedEntry] = []
    for uid in sorted(first):
        if uid in repeated:
            for component in ComponentType:
                chosen.extend(_settled([entry for entry in repeated[uid] if entry.component is component]))
        else:
            chosen.append(first[uid])
    return chosen


def _settled(entries: list[FeedEntry]) -> list[FeedEntry]:
    newest_first = sorted(entries, key=lambda entry: (entry.changed_at, entry.raw), reverse=True)
    whole = [entry for entry in newest_first if not has_no_master(entry)]
    # Lone overrides may be of different instances, so all of them go on; `_Feed` writes each instance once.
    return whole[:1] or newest_first
