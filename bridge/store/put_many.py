"""Many objects into one collection: what `calendar_object.put` would do one by one, in a few statements.

New objects that stand alone go in together; whatever meets something that is there already goes through `put`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, delete, insert, select

from bridge.errors import Conflict, NotFound, ObjectRefused
from bridge.store import calendar_object as objects
from bridge.store import collection as collections
from bridge.store import journal, texts
from bridge.store.calendar_object import Put
from bridge.store.collection import Kind
from bridge.store.journal import Version
from bridge.store.names import can_be_kept
from bridge.store.placement import IN_COLLECTION
from bridge.store.placing import object_values, placement_values, scope
from bridge.store.schema import calendar_object, placement, tombstone

if TYPE_CHECKING:
    from collections.abc import Collection as AnyCollection
    from collections.abc import Sequence

    from bridge.core.model import CalendarObject
    from bridge.store.collection import Collection
    from bridge.store.database import Transaction
    from bridge.store.journal import Author

    Named = tuple[str, CalendarObject]

_AT_ONCE = 500


def put_many(
    tx: Transaction,
    collection_id: int,
    wanted: Sequence[Named],
    *,
    author: Author,
    joinable: AnyCollection[int] = frozenset(),
) -> list[Put | Conflict | ObjectRefused]:
    """Stores each object under its href, in order; one that is refused leaves nothing, and the others go on.

    Args:
        tx: A writing transaction.
        collection_id: The collection.
        wanted: Href and object, each.
        author: Who does it, for the journal.
        joinable: As in `calendar_object.put`.

    Returns:
        What became of each, in the same order: what `put` did, or the error with which it refused.

    Raises:
        NotFound: The collection was deleted meanwhile.
    """
    here = collections.lock(tx, [collection_id]).get(collection_id)
    if here is None:
        raise NotFound("The calendar was deleted meanwhile.")
    results: list[Put | Conflict | ObjectRefused] = []
    for start in range(0, len(wanted), _AT_ONCE):
        results += _Batch(tx, here, author, joinable).put(wanted[start : start + _AT_ONCE])
        here = collections.lock(tx, [collection_id])[collection_id]
    return results


class _Batch:
    """Few enough objects to ask for all of their names in one statement."""

    def __init__(self, tx: Transaction, here: Collection, author: Author, joinable: AnyCollection[int]) -> None:
        self._tx = tx
        self._here = here
        self._author = author
        self._joinable = joinable
        self._fresh: list[Named] = []

    def put(self, wanted: Sequence[Named]) -> list[Put | Conflict | ObjectRefused]:
        hrefs, uids = self._taken(wanted)
        results = []
        for href, new in wanted:
            if href in hrefs or new.uid in uids or not (can_be_kept(href) and can_be_kept(new.uid)):
                self._store_fresh()
                results.append(self._put_alone(href, new))
            else:
                self._fresh.append((href, new))
                results.append(Put(new.etag, created=True, changed=True))
            hrefs.add(href)
            uids.add(new.uid)
        self._store_fresh()
        return results

    def _taken(self, wanted: Sequence[Named]) -> tuple[set[str], set[str]]:
        """The hrefs and UIDs among `wanted` that are in use where it matters: there, or in what could be joined."""
        execute = self._tx.connection.execute
        names = {
            "hrefs": [href for href, _ in wanted if can_be_kept(href)],
            "uids": [new.uid for _, new in wanted if can_be_kept(new.uid)],
        }
        there = {"collection_id": self._here.id}
        hrefs = set(execute(_HREFS, {**there, "hrefs": names["hrefs"]}).scalars())
        uids = set(execute(_UIDS, {**there, "uids": names["uids"]}).scalars())
        if self._joinable and self._here.address.kind is Kind.RESOURCE:
            within = {"scope": scope(self._here.address), "uids": names["uids"]}
            uids |= set(execute(_UIDS_IN_SCOPE, within).scalars())
        return hrefs, uids

    def _put_alone(self, href: str, new: CalendarObject) -> Put | Conflict | ObjectRefused:
        try:
            with self._tx.savepoint():
                return objects.put(self._tx, self._here.id, href, new, author=self._author, joinable=self._joinable)
        except (Conflict, ObjectRefused) as error:
            return error
        finally:
            self._here = collections.lock(self._tx, [self._here.id])[self._here.id]

    def _store_fresh(self) -> None:
        fresh, self._fresh = self._fresh, []
        if not fresh:
            return
        tx, here = self._tx, self._here
        execute = tx.connection.execute
        texts.keep(tx, ((new.etag, new.raw) for _, new in fresh))
        values = [{"scope": scope(here.address), **object_values(new)} for _, new in fresh]
        ids = {row.uid: row.id for row in execute(_INSERT_OBJECTS, values)}
        execute(_DELETE_TOMBSTONES, {"collection_id": here.id, "hrefs": [href for href, _ in fresh]})
        numbered = list(enumerate(fresh, start=here.revision + 1))
        execute(
            _INSERT_PLACEMENTS,
            [
                {
                    "collection_id": here.id,
                    "href": href,
                    "object_id": ids[new.uid],
                    **placement_values(tx, new, revision),
                }
                for revision, (href, new) in numbered
            ],
        )
        versions = [Version(revision, href, new.uid, new.summary, None, new.etag) for revision, (href, new) in numbered]
        journal.write(tx, here, versions, author=self._author)
        self._here = replace(here, revision=collections.advance(tx, here, by=len(fresh)))


_HREFS = select(placement.c.href).where(IN_COLLECTION, placement.c.href.in_(bindparam("hrefs", expanding=True)))
_UIDS = select(placement.c.uid).where(IN_COLLECTION, placement.c.uid.in_(bindparam("uids", expanding=True)))
_UIDS_IN_SCOPE = select(calendar_object.c.uid).where(
    calendar_object.c.scope == bindparam("scope"), calendar_object.c.uid.in_(bindparam("uids", expanding=True))
)
_INSERT_OBJECTS = insert(calendar_object).returning(calendar_object.c.id, calendar_object.c.uid)
_INSERT_PLACEMENTS = insert(placement)
_DELETE_TOMBSTONES = delete(tombstone).where(
    tombstone.c.collection_id == bindparam("collection_id"),
    tombstone.c.href.in_(bindparam("hrefs", expanding=True)),
)
