"""What is remembered of a feed: the generation of its URL, and when which client last fetched it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import delete, select

from bridge.store.database import instant, microseconds
from bridge.store.schema import feed, feed_fetch
from bridge.store.upsert import insert_or_change

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from bridge.store.database import Transaction


@dataclass(frozen=True, slots=True)
class FeedFetch:
    """How one family of clients fetches a feed.

    Attributes:
        feed: Name of the feed.
        client: Family of the client, such as `Outlook` or `Google Calendar`.
        at: When it last fetched, UTC.
        interval: Time between its last two fetches, or None after the first.
        count: How many fetches were recorded.
    """

    feed: str
    client: str
    at: datetime
    interval: timedelta | None
    count: int


def generations(tx: Transaction) -> dict[str, int]:
    """The generation of every feed whose URL was ever rotated, by name; all others are at 0."""
    return {row.name: row.generation for row in tx.connection.execute(select(feed))}


def rotate(tx: Transaction, name: str) -> int:
    """Raises the generation of a feed, which revokes its URL, and gives the new one."""
    insert_or_change(tx, feed, {"name": name}, {"generation": 1}, {"generation": feed.c.generation + 1})
    return generations(tx)[name]


def note_fetch(tx: Transaction, name: str, client: str) -> None:
    """Notes that `client` fetched the feed now."""
    now = microseconds(tx.now)
    insert_or_change(
        tx,
        feed_fetch,
        {"feed": name, "client": client},
        {"at": now, "interval": None, "times": 1},
        {"at": now, "interval": now - feed_fetch.c.at, "times": feed_fetch.c.times + 1},
    )


def fetches(tx: Transaction, name: str | None = None) -> list[FeedFetch]:
    """The recorded fetches of one feed, or of all, the newest first."""
    query = select(feed_fetch).order_by(feed_fetch.c.at.desc())
    if name is not None:
        query = query.where(feed_fetch.c.feed == name)
    return [
        FeedFetch(
            row.feed,
            row.client,
            instant(row.at),
            None if row.interval is None else instant(row.interval) - instant(0),
            row.times,
        )
        for row in tx.connection.execute(query)
    ]


def forget(tx: Transaction, name: str) -> None:
    """Forgets the fetches of a feed, as after a rotation nobody can fetch the old URL."""
    tx.connection.execute(delete(feed_fetch).where(feed_fetch.c.feed == name))
