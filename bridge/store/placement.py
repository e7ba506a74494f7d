"""Placements: where calendar objects stand, and how they are found without reading more texts than are asked for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import bindparam, func, select, union_all

from bridge.core.model import ComponentType
from bridge.store.database import instant, microseconds
from bridge.store.names import can_be_kept
from bridge.store.schema import body, calendar_object, placement

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from sqlalchemy import CompoundSelect, CursorResult, Row, Select

    from bridge.store.database import Transaction

SHORT = timedelta(days=31)
"""Objects whose span is longer are looked up apart, so that a short window reads few rows however large the store."""

_BATCH = 500
# To look a member up by its value in the class takes ten times as long.
_COMPONENTS = {component.value: component for component in ComponentType}


@dataclass(frozen=True, slots=True)
class Entry:
    """A placement, as a listing shows it, without the text.

    Attributes:
        href: Name within the collection.
        etag: Strong validator, without quotes.
        uid: UID of the object.
        component: Type of its components.
        size: Of the text, in octets.
        changed_at: When it last changed, UTC.
    """

    href: str
    etag: str
    uid: str
    component: ComponentType
    size: int
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class Stored(Entry):
    """A placement with its text.

    Attributes:
        raw: The bytes exactly as they came.
        first: First instant that it touches, in seconds since 1970.
        last: Last instant that it touches, in seconds since 1970.
        recurring: Whether it is a series.
        floats: Whether when it is depends on the zone of the calendar; `first` and `last` then hold for any zone.
        feed_ready: Whether its text can be copied into a feed as it stands.
        tzids: The TZIDs that it names.
        object_id: Number of the object; equal for all placements of a shared appointment.
    """

    raw: bytes
    first: int
    last: int
    recurring: bool
    floats: bool
    feed_ready: bool
    tzids: tuple[str, ...]
    object_id: int


class Shown(NamedTuple):
    """A placement as a feed needs it; no dataclass, as a feed makes thousands and those take four times as long.

    Attributes:
        object_id: Number of the object; equal for all placements of a shared appointment.
        raw: The bytes exactly as they came.
        uid: UID of the object.
        component: Type of its components.
        tzids: The TZIDs that it names.
        feed_ready: Whether its text can be copied into a feed as it stands.
        changed_at: When it last changed, UTC.
        first: First instant that it touches, UTC.
        last: Last instant that it touches, UTC.
    """

    object_id: int
    raw: bytes
    uid: str
    component: ComponentType
    tzids: tuple[str, ...]
    feed_ready: bool
    changed_at: datetime
    first: datetime
    last: datetime


_ENTRY_COLUMNS = (
    placement.c.href,
    placement.c.etag,
    placement.c.uid,
    placement.c.component,
    placement.c.size,
    placement.c.changed_at,
)
_STORED_COLUMNS = (
    *_ENTRY_COLUMNS,
    body.c.raw,
    placement.c.first,
    placement.c.last,
    calendar_object.c.recurring,
    calendar_object.c.floats,
    calendar_object.c.feed_ready,
    calendar_object.c.tzids,
    placement.c.object_id,
)
IN_COLLECTION = placement.c.collection_id == bindparam("collection_id")
_WITH_TEXT = placement.join(calendar_object, calendar_object.c.id == placement.c.object_id).join(
    body, body.c.etag == placement.c.etag
)
_STORED = select(*_STORED_COLUMNS).select_from(_WITH_TEXT).where(IN_COLLECTION)
_LISTING = select(*_ENTRY_COLUMNS).where(IN_COLLECTION).order_by(placement.c.href)
_ETAGS = select(placement.c.href, placement.c.etag).where(IN_COLLECTION).order_by(placement.c.href)
_ETAGS_BY_UID = select(placement.c.uid, placement.c.etag).where(IN_COLLECTION)
_ENTRY = select(*_ENTRY_COLUMNS).where(IN_COLLECTION, placement.c.href == bindparam("href"))
_ONE = _STORED.where(placement.c.href == bindparam("href"))
_MANY = _STORED.where(placement.c.href.in_(bindparam("hrefs", expanding=True)))
_BY_UIDS = _STORED.where(placement.c.uid.in_(bindparam("uids", expanding=True)))
_ALL = _STORED.order_by(placement.c.href)


def _in_range(query: Select[*tuple[Any, ...]]) -> CompoundSelect[*tuple[Any, ...]]:
    """Two searches of one index, not one with OR, for which SQLite reads the whole collection."""
    return union_all(
        query.where(
            placement.c.prolonged == bindparam("no", value=False),
            placement.c.first < bindparam("end"),
            # Lets the index skip everything that ended long ago.
            placement.c.first >= bindparam("start_short"),
            placement.c.last >= bindparam("start"),
        ),
        query.where(
            placement.c.prolonged == bindparam("yes", value=True),
            # Most series have ended long ago: the index on `last` skips them, which the one on `first` could not.
            placement.c.first + 0 < bindparam("end"),
            placement.c.last >= bindparam("start"),
        ),
    )


_TOUCHING = _in_range(_STORED)
_SHOWN = _in_range(
    select(
        placement.c.object_id,
        body.c.raw,
        placement.c.uid,
        placement.c.component,
        calendar_object.c.tzids,
        calendar_object.c.feed_ready,
        placement.c.changed_at,
        placement.c.first,
        placement.c.last,
    )
    .select_from(_WITH_TEXT)
    .where(IN_COLLECTION)
)


def etags(tx: Transaction, collection_id: int) -> list[tuple[str, str]]:
    """Every (href, etag) of a collection, by href, read from an index alone."""
    return [(row[0], row[1]) for row in tx.connection.execute(_ETAGS, {"collection_id": collection_id})]


def etags_by_uid(tx: Transaction, collection_id: int) -> dict[str, str]:
    """The etag of every object of a collection, by UID."""
    return {row[0]: row[1] for row in tx.connection.execute(_ETAGS_BY_UID, {"collection_id": collection_id})}


def listing(tx: Transaction, collection_id: int) -> list[Entry]:
    """Every placement of a collection, by href, without texts."""
    return [_entry(row) for row in tx.connection.execute(_LISTING, {"collection_id": collection_id})]


def entry(tx: Transaction, collection_id: int, href: str) -> Entry | None:
    """The placement under `href` without its text, or None."""
    if not can_be_kept(href):
        return None
    row = tx.connection.execute(_ENTRY, {"collection_id": collection_id, "href": href}).one_or_none()
    return None if row is None else _entry(row)


def get(tx: Transaction, collection_id: int, href: str) -> Stored | None:
    """The placement under `href`, or None."""
    if not can_be_kept(href):
        return None
    row = tx.connection.execute(_ONE, {"collection_id": collection_id, "href": href}).one_or_none()
    return None if row is None else _stored(row)


def get_many(tx: Transaction, collection_id: int, hrefs: Iterable[str]) -> Iterator[Stored]:
    """The placements under those of `hrefs` that are there, in any order."""
    wanted = sorted(filter(can_be_kept, set(hrefs)))
    for start in range(0, len(wanted), _BATCH):
        batch = wanted[start : start + _BATCH]
        for row in tx.connection.execute(_MANY, {"collection_id": collection_id, "hrefs": batch}):
            yield _stored(row)


def by_uids(tx: Transaction, collection_id: int, uids: Iterable[str]) -> Iterator[Stored]:
    """The placements of those objects among `uids` that are there, in any order."""
    wanted = sorted(filter(can_be_kept, set(uids)))
    for start in range(0, len(wanted), _BATCH):
        batch = wanted[start : start + _BATCH]
        for row in tx.connection.execute(_BY_UIDS, {"collection_id": collection_id, "uids": batch}):
            yield _stored(row)


def get_all(tx: Transaction, collection_id: int) -> Iterator[Stored]:
    """Every placement of a collection, by href."""
    yield from _in_batches(tx.connection.execute(_ALL, {"collection_id": collection_id}))


def touching(tx: Transaction, collection_id: int, start: datetime, end: datetime) -> Iterator[Stored]:
    """The placements whose span touches the range from `start` to `end`, both aware, in any order.

    A series whose span encloses the range may still have no instance in it; `bridge.core.recurrence` tells.
    """
    yield from _in_batches(tx.connection.execute(_TOUCHING, _bounds(collection_id, start, end)))


def shown(tx: Transaction, collection_id: int, start: datetime, end: datetime) -> Iterator[Shown]:
    """What `touching` gives, as a feed needs it."""
    for rows in tx.connection.execute(_SHOWN, _bounds(collection_id, start, end)).partitions(_BATCH):
        for row in rows:
            object_id, raw, uid, component, tzids, ready, changed_at, first, last = row
            yield Shown(
                object_id,
                raw,
                uid,
                _COMPONENTS[component],
                tuple(tzids.split("\n")) if tzids else (),
                ready,
                instant(changed_at),
                moment(first),
                moment(last),
            )


def _bounds(collection_id: int, start: datetime, end: datetime) -> dict[str, int]:
    return {
        "collection_id": collection_id,
        "start": seconds(start),
        "start_short": seconds(start) - int(SHORT.total_seconds()),
        "end": seconds(end),
    }


def count(tx: Transaction, collection_id: int) -> int:
    """How many objects stand in a collection."""
    query = select(func.count()).select_from(placement).where(placement.c.collection_id == collection_id)
    return tx.connection.execute(query).scalar_one()


_BY_UID = select(placement.c.href, placement.c.etag).where(IN_COLLECTION, placement.c.uid == bindparam("uid"))


def href_of_uid(tx: Transaction, collection_id: int, uid: str) -> str | None:
    """The href under which `uid` stands in a collection, or None."""
    row = tx.connection.execute(_BY_UID, {"collection_id": collection_id, "uid": uid}).one_or_none()
    return None if row is None else row.href


def seconds(moment: datetime) -> int:
    """Whole seconds since 1970 of an aware `moment`, as spans are kept."""
    return microseconds(moment) // 1_000_000


def moment(count: int) -> datetime:
    """The UTC instant of a span's bound, kept as `count` whole seconds since 1970."""
    return instant(count * 1_000_000)


def _in_batches(result: CursorResult[*tuple[Any, ...]]) -> Iterator[Stored]:
    # Fetched one by one, rows take twice as long.
    for rows in result.partitions(_BATCH):
        for row in rows:
            yield _stored(row)


def _entry(row: Row[*tuple[Any, ...]]) -> Entry:
    return Entry(row[0], row[1], row[2], _COMPONENTS[row[3]], row[4], instant(row[5]))


def _stored(row: Row[*tuple[Any, ...]]) -> Stored:
    return Stored(
        row[0],
        row[1],
        row[2],
        _COMPONENTS[row[3]],
        row[4],
        instant(row[5]),
        bytes(row[6]),
        row[7],
        row[8],
        row[9],
        row[10],
        row[11],
        tuple(row[12].split("\n")) if row[12] else (),
        row[13],
    )
