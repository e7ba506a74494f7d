"""What is true of every store at rest, whatever was done to it."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from bridge.core.canonical import digest
from bridge.store.schema import (
    body,
    calendar_object,
    collection,
    conflict,
    journal,
    link,
    metadata,
    placement,
    tombstone,
)
from tests.store.appointments import parse

if TYPE_CHECKING:
    from bridge.store.database import Database


def check_integrity(database: Database, *, expired: bool = False) -> None:
    """Asserts every invariant of the tables.

    Args:
        database: The store, at rest.
        expired: Whether old journal entries were forgotten, so that the journal begins late.
    """
    with database.reading() as tx:
        connection = tx.connection
        if database.is_sqlite:
            assert connection.exec_driver_sql("PRAGMA integrity_check").scalars().all() == ["ok"]
            assert connection.exec_driver_sql("PRAGMA foreign_key_check").all() == []
        rows = {table.name: connection.execute(select(table)).all() for table in metadata.sorted_tables}
    _check_bodies(rows)
    _check_objects(rows)
    _check_placements(rows)
    _check_revisions(rows, expired=expired)


def _check_bodies(rows: dict[str, Any]) -> None:
    bodies = {row.etag: bytes(row.raw) for row in rows[body.name]}
    used = {row.etag for row in rows[calendar_object.name]} | {row.etag for row in rows[placement.name]}
    used |= {etag for row in rows[journal.name] for etag in (row.before, row.after) if etag is not None}
    used |= {etag for row in rows[link.name] for etag in (row.base_here, row.base_there) if etag is not None}
    used |= {etag for row in rows[conflict.name] for etag in (row.lost, row.kept)}
    assert used == set(bodies), "every text is there, and no text is kept for nothing"
    for etag, raw in bodies.items():
        assert parse(raw).etag == etag


def _check_objects(rows: dict[str, Any]) -> None:
    bodies = {row.etag: bytes(row.raw) for row in rows[body.name]}
    placed = {row.object_id for row in rows[placement.name]}
    collections = {row.id: row for row in rows[collection.name]}
    for row in rows[calendar_object.name]:
        assert row.id in placed, "no object stands nowhere"
        meaning = parse(bodies[row.etag])
        assert (row.uid, row.component, row.summary) == (meaning.uid, meaning.component, meaning.summary)
        assert row.digest == digest(meaning)
        scopes = {
            there.owner if there.kind == "resource" else f"personal:{there.owner}/{there.key}"
            for place in rows[placement.name]
            if place.object_id == row.id
            for there in [collections[place.collection_id]]
        }
        assert scopes == {row.scope}, "an object is shared within one account only"


def _check_placements(rows: dict[str, Any]) -> None:
    objects = {row.id: row for row in rows[calendar_object.name]}
    bodies = {row.etag: bytes(row.raw) for row in rows[body.name]}
    for row in rows[placement.name]:
        assert row.etag == objects[row.object_id].etag, "a shared object has one text"
        assert row.uid == objects[row.object_id].uid
        assert row.size == len(bodies[row.etag])
    uids = Counter((row.collection_id, row.uid) for row in rows[placement.name])
    assert all(times == 1 for times in uids.values()), "a UID stands in a collection once"
    places = {(row.collection_id, row.href) for row in rows[placement.name]}
    gone = {(row.collection_id, row.href) for row in rows[tombstone.name]}
    assert not places & gone, "what stands there is not deleted"


def _check_revisions(rows: dict[str, Any], *, expired: bool) -> None:
    logged: dict[tuple[str, str, str, str], list[Any]] = defaultdict(list)
    for row in sorted(rows[journal.name], key=lambda row: row.id):
        logged[row.kind, row.owner, row.key, row.incarnation].append(row)
    for here in rows[collection.name]:
        standing = [row for row in rows[placement.name] if row.collection_id == here.id]
        deleted = [row for row in rows[tombstone.name] if row.collection_id == here.id]
        changed = [row.revision for row in [*standing, *deleted]]
        assert len(set(changed)) == len(changed), "each revision is the change of one href"
        assert max(changed, default=0) <= here.revision
        assert 0 <= here.floor <= here.revision
        entries = logged.pop((here.kind, here.owner, here.key, here.incarnation), [])
        revisions = [row.revision for row in entries]
        if revisions or not expired:
            first = revisions[0] if expired else 1
            assert revisions == list(range(first, here.revision + 1)), "revisions have no gap, and one entry each"
        last_of = {row.href: row for row in entries}
        if expired:
            continue
        assert {href: row.after for href, row in last_of.items() if row.after is not None} == {
            row.href: row.etag for row in standing
        }, "the journal tells what stands there"
        for row in standing:
            assert last_of[row.href].revision == row.revision
        before: dict[str, str | None] = {}
        for row in entries:
            assert row.before == before.get(row.href), "each entry begins where the one before it ended"
            before[row.href] = row.after
