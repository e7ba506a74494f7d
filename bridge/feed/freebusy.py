"""A feed can be asked for as free-busy times alone, one VFREEBUSY: the `.ifb` form (RFC 5545 section 3.6.4)."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING

from bridge.core import ics
from bridge.core.availability import BusyKind, BusyPeriod, busy, vfreebusy
from bridge.errors import ObjectRefused
from bridge.feed.entry import LeftOut, Rendered
from bridge.feed.header import PRODID
from bridge.feed.selection import every_text, has_category

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date
    from zoneinfo import ZoneInfo

    from bridge.feed.entry import FeedEntry, FeedSettings


def render_freebusy(
    entries: Iterable[FeedEntry],
    settings: FeedSettings,
    *,
    zone: ZoneInfo,
    today: date,
    uid: str,
    max_instances: int = 10_000,
) -> Rendered:
    """Writes when the appointments of a feed block its window.

    The DTSTAMP is when one of the appointments changed last, so equal content gives equal bytes. An appointment that
    cannot be read blocks its whole span, and where one UID has several texts, each of them blocks: rather too busy than
    booked twice.

    Args:
        entries: The calendar objects, in any order.
        settings: What the owner of the feed chose; the detail does not matter.
        zone: The account's zone: what floating times and unknown TZIDs mean.
        today: The day in that zone; it sets the window.
        uid: The UID of the VFREEBUSY, the same for the same feed.
        max_instances: The limit with which the objects were accepted (`bridge.core.ics.parse`).

    Returns:
        The bytes, and every object that could not be read with the reason.
    """
    window = settings.window(today, zone)
    chosen = every_text(entries, settings, window)
    objects = []
    unread: list[BusyPeriod] = []
    left_out: list[LeftOut] = []
    for entry in chosen:
        try:
            parsed = ics.parse(entry.raw, zone=zone, max_instances=max_instances)
        except ObjectRefused as reason:
            left_out.append(LeftOut(entry.uid, str(reason)))
            first, last = max(entry.first, window.start), min(entry.last, window.end)
            if first < last:
                unread.append(BusyPeriod(first, last, BusyKind.BUSY))
            continue
        if not settings.categories or has_category(parsed, settings.categories):
            objects.append(parsed)
    periods = busy(objects, window.start, window.end, zone=zone, limit=max_instances)
    stamp = max((entry.changed_at for entry in chosen), default=window.start).astimezone(UTC)
    body = vfreebusy(sorted({*periods, *unread}), window.start, window.end, now=stamp, uid=uid, prodid=PRODID)
    return Rendered(body, tuple(left_out))
