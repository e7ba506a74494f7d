"""Tests of undo: what stood before one change stands there again, unless it was changed since."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bridge.errors import NotFound, NothingToUndo
from bridge.store import collection, undo
from bridge.store.journal import Action, Author
from tests.store.appointments import appointment, parse
from tests.store.integrity import check_integrity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bridge.store.database import Database
    from tests.store.desk import Desk


@pytest.fixture(autouse=True)
def _at_rest(database: Database) -> Iterator[None]:
    yield
    check_integrity(database)


@pytest.fixture
def anna(desk: Desk) -> int:
    return desk.calendar()


def test_undoing_a_create_removes_the_appointment(desk: Desk, anna: int) -> None:
    desk.put(anna, "x.ics", appointment())

    desk.undo(desk.history()[0])

    assert desk.summaries(anna) == {}
    assert desk.history()[0].action is Action.REMOVE
    assert desk.history()[0].author == Author("undo")


def test_undoing_a_replace_brings_the_exact_bytes_back(desk: Desk, anna: int) -> None:
    desk.put(anna, "x.ics", appointment(summary="Cut"))
    desk.put(anna, "x.ics", appointment(summary="Colour"))

    undone = desk.undo(desk.history()[0])

    assert undone.summary == "Colour"
    assert desk.raw(anna, "x.ics") == appointment(summary="Cut").raw


def test_undoing_a_remove_brings_the_exact_bytes_back(desk: Desk, anna: int) -> None:
    desk.put(anna, "x.ics", appointment())
    desk.remove(anna, "x.ics")

    desk.undo(desk.history()[0])

    assert desk.raw(anna, "x.ics") == appointment().raw


def test_an_undo_can_be_undone(desk: Desk, anna: int) -> None:
    desk.put(anna, "x.ics", appointment(summary="Cut"))
    desk.put(anna, "x.ics", appointment(summary="Colour"))
    desk.undo(desk.history()[0])

    desk.undo(desk.history()[0])

    assert desk.summaries(anna) == {"x.ics": "Colour"}


def test_clients_hear_of_an_undo(desk: Desk, anna: int) -> None:
    desk.put(anna, "x.ics", appointment())
    token = desk.changes().token

    desk.undo(desk.history()[0])

    assert [(change.href, change.etag) for change in desk.changes(token=token).changes] == [("x.ics", None)]


def test_what_was_changed_since_is_not_undone(desk: Desk, anna: int) -> None:
    desk.put(anna, "x.ics", appointment(summary="Cut"))
    desk.put(anna, "x.ics", appointment(summary="Colour"))
    desk.put(anna, "x.ics", appointment(summary="Shave"))

    with pytest.raises(NothingToUndo, match="newest first"):
        desk.undo(desk.history()[1])

    assert desk.summaries(anna) == {"x.ics": "Shave"}


def test_a_removal_is_not_undone_where_the_appointment_stands_elsewhere_by_now(desk: Desk, anna: int) -> None:
    desk.put(anna, "x.ics", appointment())
    desk.remove(anna, "x.ics")
    removal = desk.history()[0]
    desk.put(anna, "y.ics", appointment(summary="Again"))

    with pytest.raises(NothingToUndo):
        desk.undo(removal)

    assert desk.summaries(anna) == {"y.ics": "Again"}


def test_a_removal_is_not_undone_where_another_appointment_took_the_name(desk: Desk, anna: int) -> None:
    desk.put(anna, "x.ics", appointment("a"))
    desk.remove(anna, "x.ics")
    removal = desk.history()[0]
    desk.put(anna, "x.ics", appointment("b", "Other"))

    with pytest.raises(NothingToUndo):
        desk.undo(removal)

    assert desk.summaries(anna) == {"x.ics": "Other"}


def test_nothing_is_undone_in_a_calendar_that_is_gone(desk: Desk, anna: int) -> None:
    desk.put(anna, "x.ics", appointment())
    desk.remove(anna, "x.ics")
    with desk.database.writing() as tx:
        collection.remove(tx, anna)

    with pytest.raises(NothingToUndo, match="does not exist any more"):
        desk.undo(desk.history()[0])


def test_an_entry_that_does_not_exist_is_not_found(desk: Desk) -> None:
    with pytest.raises(NotFound), desk.database.writing() as tx:
        undo.undo(tx, 4711, author=Author("undo"), parse=parse)


def test_a_shared_change_is_undone_in_every_calendar(desk: Desk, anna: int) -> None:
    room = desk.calendar("room-1")
    for here in (anna, room):
        desk.put(here, "x.ics", appointment(summary="Cut"), joinable={anna, room})
    desk.put(room, "x.ics", appointment(summary="Colour"))

    desk.undo(desk.history("anna")[0])

    assert desk.summaries(anna) == desk.summaries(room) == {"x.ics": "Cut"}


def test_an_appointment_that_comes_back_by_undo_is_shared_again_where_that_is_allowed(desk: Desk, anna: int) -> None:
    room = desk.calendar("room-1")
    for here in (anna, room):
        desk.put(here, "x.ics", appointment(summary="Cut"), joinable={anna, room})
    desk.remove(anna, "x.ics")

    with desk.database.writing() as tx:
        undo.undo(tx, desk.history("anna")[0].id, author=Author("undo"), parse=parse, joinable={anna, room})

    desk.put(room, "x.ics", appointment(summary="Colour"))
    assert desk.summaries(anna) == {"x.ics": "Colour"}
