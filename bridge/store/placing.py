"""Places in locked collections: an object comes to one, stands in it with a new text, or goes from it.

Each step is one change of one collection: its next revision, one journal row, and a tombstone where something goes.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, delete, insert, select, update

from bridge.core.canonical import digest
from bridge.core.model import BEGINNING, ENDLESS
from bridge.store import collection as collections
from bridge.store import journal
from bridge.store.collection import Address, Collection, Kind
from bridge.store.database import microseconds
from bridge.store.journal import Version
from bridge.store.names import can_be_kept
from bridge.store.placement import IN_COLLECTION, SHORT, seconds
from bridge.store.schema import calendar_object, placement, tombstone

if TYPE_CHECKING:
    from collections.abc import Collection as AnyCollection

    from sqlalchemy import Row

    from bridge.core.model import CalendarObject
    from bridge.store.database import Transaction
    from bridge.store.journal import Author

    Placed = Row[*tuple[Any, ...]]
    Locked = dict[int, Collection]

_ANY_ZONE = 26 * 3600
"""Seconds by which the clocks of two zones can differ: from UTC-12 to UTC+14."""

_PLACED = (
    select(
        placement.c.collection_id,
        placement.c.href,
        placement.c.object_id,
        placement.c.etag,
        placement.c.uid,
        calendar_object.c.summary,
    )
    .select_from(placement.join(calendar_object, calendar_object.c.id == placement.c.object_id))
    .where(IN_COLLECTION, placement.c.href == bindparam("href"))
)
_PLACEMENTS = select(placement.c.collection_id, placement.c.href, placement.c.etag).where(
    placement.c.object_id == bindparam("object_id")
)


def placed(tx: Transaction, collection_id: int, href: str) -> Placed | None:
    """What stands under `href`, or None."""
    if not can_be_kept(href):
        return None
    return tx.connection.execute(_PLACED, {"collection_id": collection_id, "href": href}).one_or_none()


def scope(address: Address) -> str:
    """Within which an object is shared: the account, or the one calendar of a user's own."""
    return address.owner if address.kind is Kind.RESOURCE else f"personal:{address}"


def object_values(new: CalendarObject) -> dict[str, object]:
    """The columns of an object that come from its text."""
    return {
        "uid": new.uid,
        "component": new.component,
        "etag": new.etag,
        "digest": digest(new),
        "summary": new.summary,
        "recurring": new.recurring,
        "floats": new.floats,
        "feed_ready": new.feed_ready,
        "tzids": "\n".join(new.tzids),
    }


def placement_values(tx: Transaction, new: CalendarObject, revision: int) -> dict[str, object]:
    """The columns of a placement that come from the text of its object, and from the change."""
    first, last = seconds(new.span.first), seconds(new.span.last)
    if new.floats:
        # The calendar may get another zone, and a resource that shares the object may have one already: the index has
        # to find it all the same.
        first, last = max(first - _ANY_ZONE, seconds(BEGINNING)), min(last + _ANY_ZONE, seconds(ENDLESS))
    return {
        "uid": new.uid,
        "etag": new.etag,
        "component": new.component,
        "size": len(new.raw),
        "first": first,
        "last": last,
        "prolonged": last - first > SHORT.total_seconds(),
        "revision": revision,
        "changed_at": microseconds(tx.now),
    }


_SAME_MEANING = select(calendar_object.c.id).where(
    calendar_object.c.scope == bindparam("scope"),
    calendar_object.c.uid == bindparam("uid"),
    calendar_object.c.digest == bindparam("digest"),
)
_INSERT_OBJECT = insert(calendar_object).returning(calendar_object.c.id)


def join_or_create(
    tx: Transaction, here: Collection, new: CalendarObject, joinable: AnyCollection[int]
) -> tuple[int, set[int]]:
    """The object that `new` belongs to, and the other collections in which it is already placed."""
    within = scope(here.address)
    values = object_values(new)
    if here.address.kind is Kind.RESOURCE and joinable:
        key = {"scope": within, "uid": new.uid, "digest": values["digest"]}
        for candidate in tx.connection.execute(_SAME_MEANING, key).scalars().all():
            placed_in = set(tx.connection.execute(_PLACEMENTS, {"object_id": candidate}).scalars())
            if placed_in <= set(joinable):
                return candidate, placed_in
    result = tx.connection.execute(_INSERT_OBJECT, {"scope": within, **values})
    return result.scalar_one(), set()


_INSERT_PLACEMENT = insert(placement)
_DELETE_TOMBSTONE = delete(tombstone).where(
    tombstone.c.collection_id == bindparam("collection_id"), tombstone.c.href == bindparam("href")
)


def place(
    tx: Transaction, locked: Locked, where: tuple[int, str], object_id: int, new: CalendarObject, *, author: Author
) -> None:
    """Puts an object where nothing stands."""
    here, revision = _advanced(tx, locked, where[0])
    key = {"collection_id": here.id, "href": where[1]}
    tx.connection.execute(_DELETE_TOMBSTONE, key)
    tx.connection.execute(_INSERT_PLACEMENT, {**key, "object_id": object_id, **placement_values(tx, new, revision)})
    journal.write(tx, here, [Version(revision, where[1], new.uid, new.summary, None, new.etag)], author=author)


def replace_text(tx: Transaction, locked: Locked, object_id: int, new: CalendarObject, *, author: Author) -> None:
    """Gives the object its new text, in every collection where it is placed."""
    placements = tx.connection.execute(_PLACEMENTS, {"object_id": object_id}).all()
    tx.connection.execute(update(calendar_object).where(calendar_object.c.id == object_id), object_values(new))
    for each in placements:
        if each.etag != new.etag:
            _renew(tx, locked, each, object_id, new, author=author)


def replace_object(
    tx: Transaction, locked: Locked, old: Placed, object_id: int, new: CalendarObject, *, author: Author
) -> None:
    """Puts an object where another of the same UID stands, which goes from there, and stays where else it is."""
    if old.etag == new.etag:
        # Nobody can tell the one from the other, so nothing has changed for anybody.
        key = (placement.c.collection_id == old.collection_id) & (placement.c.href == old.href)
        tx.connection.execute(update(placement).where(key).values(object_id=object_id))
    else:
        _renew(tx, locked, old, object_id, new, author=author)
    forget_unless_placed(tx, old.object_id)


def take_away(tx: Transaction, locked: Locked, old: Placed, *, author: Author) -> None:
    """Takes an object out of one collection, but keeps it; `forget_unless_placed` comes after."""
    here, revision = _advanced(tx, locked, old.collection_id)
    key = (placement.c.collection_id == here.id) & (placement.c.href == old.href)
    tx.connection.execute(delete(placement).where(key))
    gone = {"collection_id": here.id, "href": old.href, "revision": revision, "at": microseconds(tx.now)}
    tx.connection.execute(insert(tombstone), gone)
    journal.write(tx, here, [Version(revision, old.href, old.uid, old.summary, old.etag, None)], author=author)


def forget_unless_placed(tx: Transaction, object_id: int) -> None:
    """Deletes an object that stands nowhere any more; the journal keeps its versions."""
    if tx.connection.execute(_PLACEMENTS, {"object_id": object_id}).first() is None:
        tx.connection.execute(delete(calendar_object).where(calendar_object.c.id == object_id))


def _renew(
    tx: Transaction, locked: Locked, old: Placed, object_id: int, new: CalendarObject, *, author: Author
) -> None:
    here, revision = _advanced(tx, locked, old.collection_id)
    tx.connection.execute(
        update(placement).where(placement.c.collection_id == here.id, placement.c.href == old.href),
        {"object_id": object_id, **placement_values(tx, new, revision)},
    )
    journal.write(tx, here, [Version(revision, old.href, new.uid, new.summary, old.etag, new.etag)], author=author)


def _advanced(tx: Transaction, locked: Locked, collection_id: int) -> tuple[Collection, int]:
    """The collection as it was before this change, and its revision after it."""
    here = locked[collection_id]
    revision = collections.advance(tx, here)
    locked[collection_id] = replace(here, revision=revision)
    return here, revision
