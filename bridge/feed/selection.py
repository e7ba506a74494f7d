"""Which calendar objects a feed is made from: those of its settings, in its window, each UID once.

Where only times are shown, nothing may be lost by that: someone is busy in every text that stands under a UID.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from bridge.core.model import ComponentType
from bridge.core.view import Detail
from bridge.feed.direct import has_no_master

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bridge.core.model import CalendarObject
    from bridge.feed.entry import FeedEntry, FeedSettings, Window

_FOLD = re.compile(rb"\r?\n[ \t]")
_TIMES = re.compile(
    rb"^(?:DTSTART|DTEND|DURATION|RRULE|EXRULE|RDATE|EXDATE|RECURRENCE-ID|STATUS|TRANSP|CATEGORIES|TZOFFSETTO)[;:][^\r\n]*",
    re.MULTILINE,
)


def selected(entries: Iterable[FeedEntry], settings: FeedSettings, window: Window) -> list[FeedEntry]:
    """Gives the entries that a feed may show, sorted by UID; their categories are not looked at.

    A busy feed shows every text of a UID that differs in its times, all but the newest under a UID that is derived.
    """
    return _one_per_uid(_within(entries, settings, window), every_time=settings.detail is Detail.BUSY)


def every_text(entries: Iterable[FeedEntry], settings: FeedSettings, window: Window) -> list[FeedEntry]:
    """Gives the same without a choice among those of one UID, in an order that depends on the entries alone."""
    return sorted(
        _within(entries, settings, window), key=lambda entry: (entry.uid, entry.component, entry.changed_at, entry.raw)
    )


def has_category(parsed: CalendarObject, wanted: frozenset[str]) -> bool:
    """Tells whether any component of an object has one of these categories, whatever the case."""
    names = {name.casefold() for name in wanted}
    found = parsed.calendar.walk(parsed.component.value)
    return any(
        str(category).strip().casefold() in names for one in found for category in getattr(one, "categories", ())
    )


def _within(entries: Iterable[FeedEntry], settings: FeedSettings, window: Window) -> Iterator[FeedEntry]:
    components = _components(settings)
    start, end = window.start, window.end
    return (entry for entry in entries if entry.last >= start and entry.first <= end and entry.component in components)


def _components(settings: FeedSettings) -> frozenset[ComponentType]:
    if settings.detail is Detail.BUSY:
        # To-dos and journal entries take no time (RFC 5545 sections 3.6.2 and 3.6.3).
        return settings.components & {ComponentType.VEVENT}
    return settings.components


def _one_per_uid(entries: Iterable[FeedEntry], *, every_time: bool) -> list[FeedEntry]:
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
                same = _settled([entry for entry in repeated[uid] if entry.component is component], every=every_time)
                chosen.extend(_told_apart(same) if every_time else same)
        else:
            chosen.append(first[uid])
    return chosen


def _settled(entries: list[FeedEntry], *, every: bool) -> list[FeedEntry]:
    newest_first = sorted(entries, key=lambda entry: (entry.changed_at, entry.raw), reverse=True)
    whole = [entry for entry in newest_first if not has_no_master(entry)]
    # Lone overrides may be of different instances, so all of them go on; `_Feed` writes each instance once.
    lone = [entry for entry in newest_first if has_no_master(entry)]
    return [*whole, *lone] if every else whole[:1] or lone


def _told_apart(entries: list[FeedEntry]) -> list[FeedEntry]:
    """Leaves out what repeats the times of another, and derives UIDs for those after the first."""
    of_other_times = list({_times(entry.raw): entry for entry in reversed(entries)}.values())[::-1]
    return [
        entry if not number else replace(entry, uid=f"{entry.uid}#{number + 1}")
        for number, entry in enumerate(of_other_times)
    ]


def _times(raw: bytes) -> tuple[bytes, ...]:
    """The lines that say when an object blocks, as they are written."""
    return tuple(_TIMES.findall(_FOLD.sub(b"", raw).upper()))
