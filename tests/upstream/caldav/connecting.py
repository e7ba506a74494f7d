"""Connections and appointments for the tests of the CalDAV adapter."""

from __future__ import annotations

import hashlib
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from bridge.core.ics import parse
from bridge.upstream.answers import Limits
from bridge.upstream.caldav.adapter import CaldavUpstream
from bridge.upstream.protocol import Changed, Gone
from tests.upstream.caldav.small_server import small_server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bridge.core.model import CalendarObject
    from tests.upstream.caldav.small_server import Manners, SmallServer

BERLIN = ZoneInfo("Europe/Berlin")


def read(raw: bytes) -> CalendarObject:
    """The object in a stream."""
    return parse(raw, zone=BERLIN, max_instances=10_000)


def text(uid: str, title: str = "Haircut", *more: str) -> bytes:
    """The bytes of one appointment."""
    lines = (
        "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Test//EN", "BEGIN:VEVENT", f"UID:{uid}",
        "DTSTAMP:20260101T000000Z", "DTSTART:20270105T090000Z", "DTEND:20270105T100000Z", f"SUMMARY:{title}", *more,
        "END:VEVENT", "END:VCALENDAR", "",
    )  # fmt: skip
    return "\r\n".join(lines).encode()


def event(uid: str, title: str = "Haircut", *more: str) -> CalendarObject:
    """One appointment."""
    return read(text(uid, title, *more))


def request_id(of: str) -> str:
    """A request id; the same for the same word."""
    return hashlib.sha256(of.encode()).hexdigest()[:32]


@contextmanager
def connected(url: str, **changed: Any) -> Iterator[CaldavUpstream]:
    """A connection that is closed in the end."""
    settings: dict[str, Any] = {"url": url, "user": "alice", "password": "secret", "limits": Limits(connect=5, read=5)}
    upstream = CaldavUpstream(parse=read, **{**settings, **changed})
    try:
        yield upstream
    finally:
        upstream.close()


@contextmanager
def with_two(manners: Manners | None = None) -> Iterator[tuple[SmallServer, CaldavUpstream]]:
    """A calendar with the objects a and b, and a connection to it."""
    with small_server(manners) as server, connected(server.site) as upstream:
        server.put("a.ics", text("a"))
        server.put("b.ics", text("b"))
        yield server, upstream


def listed(upstream: CaldavUpstream, calendar: str, cursor: str | None = None) -> tuple[dict[str, str], set[str], str]:
    """What `changes` tells: etag by remote id, what is gone, and the cursor of the last page."""
    pages = list(upstream.changes(calendar, cursor))
    assert [page.cursor is not None for page in pages] == [False] * (len(pages) - 1) + [True]
    items = [item for page in pages for item in page.items]
    changed = {item.remote_id: item.etag for item in items if isinstance(item, Changed)}
    return changed, {item.remote_id for item in items if isinstance(item, Gone)}, pages[-1].cursor or ""
