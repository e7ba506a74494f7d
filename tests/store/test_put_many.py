"""Law: many objects stored at once are what they would be if each had been put by itself."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings, strategies

from bridge.core.precondition import NO_PRECONDITION
from bridge.errors import Conflict, NotFound, ObjectRefused, UidConflict
from bridge.store import calendar_object
from bridge.store.calendar_object import Put
from bridge.store.collection import Kind
from bridge.store.database import Database
from bridge.store.put_many import put_many
from tests.store.appointments import appointment
from tests.store.crashes import everything
from tests.store.desk import ANNA, Clock, Desk
from tests.store.integrity import check_integrity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bridge.core.model import CalendarObject

    Named = tuple[str, CalendarObject]
    Results = list[Put | Conflict | ObjectRefused]

KEYS = ("anna", "room-1", "laser")
keys = strategies.sampled_from(KEYS)
hrefs = strategies.sampled_from(("a.ics", "b.ics", "c.ics", "", "x" * 3000))
objects = strategies.builds(
    appointment,
    uid=strategies.sampled_from(("u", "v", "w", "u" * 3000)),
    summary=strategies.sampled_from(("Cut", "Colour")),
    stamp=strategies.sampled_from(("20261101T000000Z", "20261102T000000Z")),
)
named = strategies.tuples(hrefs, objects)
joining = strategies.frozensets(keys)


def one_by_one(desk: Desk, where: int, wanted: list[Named], joinable: set[int]) -> Results:
    """The same by `put`, in one transaction."""
    results: Results = []
    with desk.database.writing() as tx:
        for href, new in wanted:
            try:
                with tx.savepoint():
                    done = calendar_object.put(
                        tx, where, href, new, author=ANNA, precondition=NO_PRECONDITION, joinable=joinable
                    )
            except (Conflict, ObjectRefused) as error:
                results.append(error)
            else:
                results.append(done)
    return results


def at_once(desk: Desk, where: int, wanted: list[Named], joinable: set[int]) -> Results:
    with desk.database.writing() as tx:
        return put_many(tx, where, wanted, author=ANNA, joinable=joinable)


def said(results: Results) -> list[object]:
    """The results in a form that can be compared."""
    return [each if isinstance(each, Put) else (type(each), str(each), getattr(each, "href", "")) for each in results]


def rows(database: Database) -> dict[str, list[Any]]:
    """Every row of every table, where an object goes by its places in place of its number."""
    found: dict[str, list[Any]] = dict(everything(database))
    places: dict[int, tuple[Any, ...]] = {}
    for collection_id, href, object_id, *_ in found["placement"]:
        places[object_id] = (*places.get(object_id, ()), (collection_id, href))
    found["placement"] = [(where, href, places[number], *rest) for where, href, number, *rest in found["placement"]]
    found["calendar_object"] = sorted((places[number], *rest) for number, *rest in found["calendar_object"])
    return found


@contextmanager
def two_desks(migrated: Path, before: list[tuple[str, Named, frozenset[str]]], gone: list[int]) -> Iterator[list[Desk]]:
    """Two stores that hold the same."""
    folder = Path(tempfile.mkdtemp(prefix="calbridge-"))
    files = [folder / "one.sqlite3", folder / "two.sqlite3"]
    shutil.copyfile(migrated, files[0])
    first = Database(f"sqlite:///{files[0]}", clock=Clock())
    desk = Desk(first, Clock())
    ids = {key: desk.calendar(key) for key in KEYS}
    for key, entry, joinable in before:
        one_by_one(desk, ids[key], [entry], {ids[each] for each in joinable})
    for number in gone:
        standing = sorted(desk.summaries(ids["anna"]))
        if number < len(standing):
            desk.remove(ids["anna"], standing[number])
    first.close()
    shutil.copyfile(*files)
    databases = [Database(f"sqlite:///{file}", clock=Clock()) for file in files]
    try:
        yield [Desk(database, Clock()) for database in databases]
    finally:
        for database in databases:
            database.close()
        shutil.rmtree(folder)


@settings(max_examples=60)
@given(
    before=strategies.lists(strategies.tuples(keys, named, joining), max_size=6),
    gone=strategies.lists(strategies.integers(0, 2), max_size=2),
    wanted=strategies.lists(named, max_size=8),
    joinable=joining,
)
def test_many_at_once_are_what_they_would_be_one_by_one(
    migrated_sqlite: Path,
    before: list[tuple[str, Named, frozenset[str]]],
    gone: list[int],
    wanted: list[Named],
    joinable: frozenset[str],
) -> None:
    with two_desks(migrated_sqlite, before, gone) as (one, other):
        ids = {one.calendar(key) for key in joinable}
        expected = one_by_one(one, one.calendar("anna"), wanted, ids)

        assert said(at_once(other, other.calendar("anna"), wanted, ids)) == said(expected)

        assert rows(other.database) == rows(one.database)
        check_integrity(other.database)


def test_each_kind_of_object_is_told_apart(desk: Desk) -> None:
    anna, room = desk.calendar("anna"), desk.calendar("room-1")
    same, old, shared, gone = (appointment(uid) for uid in ("same", "old", "shared", "gone"))
    for href, new in (("same.ics", same), ("old.ics", old), ("gone.ics", gone)):
        desk.put(anna, href, new)
    desk.remove(anna, "gone.ics")
    desk.put(room, "shared.ics", shared)

    results = at_once(
        desk,
        anna,
        [
            ("new.ics", appointment("new")),
            ("same.ics", same),
            ("old.ics", appointment("old", "Colour")),
            ("shared.ics", shared),
            ("gone.ics", gone),
            ("old.ics", appointment("another")),
            ("second.ics", appointment("new")),
            ("x" * 3000, appointment("long")),
            ("last.ics", appointment("last")),
        ],
        {anna, room},
    )

    done = [(each.created, each.changed) for each in results if isinstance(each, Put)]
    assert done == [(True, True), (False, False), (False, True), (True, True), (True, True), (True, True)]
    assert [type(each) for each in results[5:8]] == [UidConflict, UidConflict, ObjectRefused]
    assert set(desk.summaries(anna)) == {"new.ics", "same.ics", "old.ics", "shared.ics", "gone.ics", "last.ics"}
    desk.put(room, "shared.ics", appointment("shared", "Colour"))
    assert desk.summaries(anna)["shared.ics"] == "Colour"
    check_integrity(desk.database)


def test_more_than_one_statement_can_name_are_stored_in_their_order(desk: Desk) -> None:
    anna = desk.calendar("anna")
    wanted = [(f"{number}.ics", appointment(f"{number}")) for number in range(1101)]

    assert all(isinstance(each, Put) for each in at_once(desk, anna, wanted, {anna}))

    assert [change.href for change in desk.changes().changes] == [href for href, _ in wanted]
    assert desk.state().revision == 1101


def test_a_users_own_calendar_takes_many_too(desk: Desk) -> None:
    own = desk.calendar("own", owner="anna", kind=Kind.PERSONAL)

    at_once(desk, own, [("a.ics", appointment("a")), ("b.ics", appointment("b"))], {own})

    assert set(desk.summaries(own)) == {"a.ics", "b.ics"}
    check_integrity(desk.database)


def test_none_at_all_changes_nothing(desk: Desk) -> None:
    anna = desk.calendar("anna")

    assert at_once(desk, anna, [], {anna}) == []

    assert desk.state().revision == 0


def test_a_calendar_that_is_gone_takes_none(desk: Desk) -> None:
    with pytest.raises(NotFound):
        at_once(desk, 4711, [("a.ics", appointment())], set())
