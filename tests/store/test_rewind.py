"""Tests of taking many changes back: a run of a rule, or a calendar back to an instant."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bridge.errors import NotFound, NothingToUndo, ObjectRefused
from bridge.store import journal, rewind
from bridge.store.collection import Address, Kind
from bridge.store.journal import Author
from tests.store.appointments import appointment, parse
from tests.store.assignments import MINUTE, declare, intents
from tests.store.integrity import check_integrity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from bridge.core.model import CalendarObject
    from bridge.store.database import Database
    from bridge.store.rewind import Undone
    from tests.store.desk import Desk

BOSS = Author("undo", "calbridge undo")


@pytest.fixture(autouse=True)
def _at_rest(database: Database) -> Iterator[None]:
    yield
    check_integrity(database)


@pytest.fixture
def anna(desk: Desk) -> int:
    return desk.calendar()


@pytest.fixture
def puller(desk: Desk) -> Desk:
    """A rule in its seventh run."""
    return replace(desk, author=Author("rule:anna-google", "run:7", declare(desk).id))


def undo_run(desk: Desk, run_id: int = 7) -> Undone:
    with desk.database.writing() as tx:
        return rewind.undo_run(tx, run_id, author=BOSS, parse=parse)


def go_back(desk: Desk, to: datetime, key: str = "anna", parse: Callable[[bytes], CalendarObject] = parse) -> Undone:
    with desk.database.writing() as tx:
        return rewind.rewind(tx, Address(Kind.RESOURCE, "salon", key), to, author=BOSS, parse=parse)


def test_a_run_is_known_by_its_number_and_no_client_can_pretend_to_be_one(desk: Desk, puller: Desk, anna: int) -> None:
    puller.put(anna, "x.ics", appointment("x"))
    replace(puller, author=Author("rule:anna-google", "run:77")).put(anna, "y.ics", appointment("y"))
    replace(desk, author=Author("user:anna", "run:7")).put(anna, "z.ics", appointment("z"))
    puller.remove(anna, "x.ics")

    with desk.database.reading() as tx:
        assert [entry.href for entry in journal.of_run(tx, 7)] == ["x.ics", "x.ics"]
        assert [entry.action for entry in journal.of_run(tx, 7)] == ["remove", "create"]


def test_everything_that_a_run_did_is_taken_back(desk: Desk, puller: Desk, anna: int) -> None:
    for uid in "abc":
        desk.put(anna, f"{uid}.ics", appointment(uid, "Before"))
    puller.put(anna, "a.ics", appointment("a", "Pulled"))
    puller.put(anna, "a.ics", appointment("a", "Pulled again"))
    puller.remove(anna, "b.ics")
    puller.put(anna, "d.ics", appointment("d", "Created"))

    undone = undo_run(desk)

    assert desk.summaries(anna) == {"a.ics": "Before", "b.ics": "Before", "c.ics": "Before"}
    assert [entry.href for entry in undone.done] == ["d.ics", "b.ics", "a.ics", "a.ics"]
    assert undone.skipped == ()


def test_what_a_run_changed_twice_is_taken_back_once(desk: Desk, puller: Desk, anna: int) -> None:
    desk.put(anna, "a.ics", appointment("a", "Before"))
    puller.put(anna, "a.ics", appointment("a", "Pulled"))
    puller.put(anna, "a.ics", appointment("a", "Pulled again"))
    undo_run(desk)

    with pytest.raises(NothingToUndo, match="is left to undo"):
        undo_run(desk)

    assert desk.summaries(anna) == {"a.ics": "Before"}


def test_only_what_is_not_back_yet_is_taken_back(desk: Desk, puller: Desk, anna: int) -> None:
    for uid in "ab":
        desk.put(anna, f"{uid}.ics", appointment(uid, "Before"))
        puller.put(anna, f"{uid}.ics", appointment(uid, "Pulled"))
    desk.put(anna, "a.ics", appointment("a", "Before"))

    undone = undo_run(desk)

    assert desk.summaries(anna) == {"a.ics": "Before", "b.ics": "Before"}
    assert ([entry.href for entry in undone.done], undone.skipped) == (["b.ics"], ())


def test_the_upstream_hears_of_an_undone_run(desk: Desk, puller: Desk, anna: int) -> None:
    puller.put(anna, "x.ics", appointment())
    rule = declare(desk)
    assert intents(desk, rule) == []

    undo_run(desk)

    assert [intent.key for intent in intents(desk, rule)] == ["haircut"]


def test_what_was_changed_after_a_run_stays_and_is_named(desk: Desk, puller: Desk, anna: int) -> None:
    puller.put(anna, "a.ics", appointment("a"))
    puller.put(anna, "b.ics", appointment("b"))
    desk.put(anna, "a.ics", appointment("a", "Edited"))

    undone = undo_run(desk)

    assert desk.summaries(anna) == {"a.ics": "Edited"}
    assert [entry.href for entry in undone.done] == ["b.ics"]
    ((skipped),) = undone.skipped
    assert skipped.entry.href == "a.ics"
    assert "was changed again" in skipped.reason


def test_a_shared_appointment_that_a_run_changed_is_back_in_all_of_its_calendars(
    desk: Desk, puller: Desk, anna: int
) -> None:
    room = desk.calendar("room-1")
    for here in (anna, room):
        desk.put(here, "x.ics", appointment(), joinable={anna, room})
    puller.put(anna, "x.ics", appointment(summary="Pulled"))

    undone = undo_run(desk)

    assert desk.summaries(anna) == desk.summaries(room) == {"x.ics": "Haircut"}
    assert (len(undone.done), undone.skipped) == (2, ())


def test_a_run_that_did_nothing_here_cannot_be_undone(desk: Desk) -> None:
    with pytest.raises(NothingToUndo, match="run 7"):
        undo_run(desk)


def test_a_calendar_goes_back_to_how_it_was(desk: Desk, anna: int) -> None:
    for uid in "abc":
        desk.put(anna, f"{uid}.ics", appointment(uid, "Before"))
    then = desk.clock.now
    desk.clock.go_on(MINUTE)
    desk.put(anna, "a.ics", appointment("a", "Changed"))
    desk.put(anna, "a.ics", appointment("a", "Changed again"))
    desk.remove(anna, "b.ics")
    desk.put(anna, "d.ics", appointment("d", "Created"))
    desk.put(anna, "e.ics", appointment("e", "Created and removed"))
    desk.remove(anna, "e.ics")

    undone = go_back(desk, then)

    assert desk.summaries(anna) == {"a.ics": "Before", "b.ics": "Before", "c.ics": "Before"}
    assert [entry.href for entry in undone.done] == ["a.ics", "b.ics", "d.ics", "e.ics"]
    assert undone.skipped == ()


def test_going_back_can_itself_be_taken_back(desk: Desk, anna: int) -> None:
    desk.put(anna, "a.ics", appointment("a", "Before"))
    then = desk.clock.now
    desk.clock.go_on(MINUTE)
    desk.put(anna, "a.ics", appointment("a", "Changed"))
    desk.clock.go_on(MINUTE)
    go_back(desk, then)

    desk.clock.go_on(MINUTE)
    go_back(desk, then + MINUTE)

    assert desk.summaries(anna) == {"a.ics": "Changed"}


def test_names_that_changed_hands_go_back_to_their_owners(desk: Desk, anna: int) -> None:
    desk.put(anna, "x.ics", appointment("a", "A"))
    desk.put(anna, "y.ics", appointment("b", "B"))
    then = desk.clock.now
    desk.clock.go_on(MINUTE)
    desk.move((anna, "x.ics"), (anna, "z.ics"))
    desk.move((anna, "y.ics"), (anna, "x.ics"))
    desk.move((anna, "z.ics"), (anna, "y.ics"))

    undone = go_back(desk, then)

    assert desk.summaries(anna) == {"x.ics": "A", "y.ics": "B"}
    assert undone.skipped == ()


def test_the_upstream_hears_of_a_calendar_that_went_back(desk: Desk, anna: int) -> None:
    then = desk.clock.now
    desk.clock.go_on(MINUTE)
    desk.put(anna, "a.ics", appointment("a"))
    rule = declare(desk)

    go_back(desk, then)

    assert [intent.key for intent in intents(desk, rule)] == ["a"]


def test_only_the_calendar_that_is_named_goes_back(desk: Desk, anna: int) -> None:
    then = desk.clock.now
    desk.clock.go_on(MINUTE)
    desk.put(anna, "a.ics", appointment("a"))
    desk.put(desk.calendar("bert"), "a.ics", appointment("a"))

    go_back(desk, then)

    assert (desk.summaries(anna), desk.summaries(desk.calendar("bert"))) == ({}, {"a.ics": "Haircut"})


def test_what_cannot_be_read_any_more_stays_and_is_named_with_what_it_stands_in_the_way_of(
    desk: Desk, anna: int
) -> None:
    desk.put(anna, "x.ics", appointment("a", "Too much by now"))
    desk.put(anna, "y.ics", appointment("b", "B"))
    desk.put(anna, "z.ics", appointment("c", "C"))
    then = desk.clock.now
    desk.clock.go_on(MINUTE)
    desk.remove(anna, "x.ics")
    desk.move((anna, "y.ics"), (anna, "x.ics"))
    desk.put(anna, "z.ics", appointment("c", "Changed"))

    def strict(raw: bytes) -> CalendarObject:
        if b"Too much" in raw:
            raise ObjectRefused("It has too many instances.")
        return parse(raw)

    undone = go_back(desk, then, parse=strict)

    assert desk.summaries(anna) == {"x.ics": "B", "z.ics": "C"}
    assert [entry.href for entry in undone.done] == ["z.ics"]
    assert {each.entry.href: each.reason for each in undone.skipped}.keys() == {"x.ics", "y.ics"}
    assert undone.skipped[0].reason == "It has too many instances."


def test_a_run_of_which_a_version_cannot_be_read_any_more_names_it(desk: Desk, puller: Desk, anna: int) -> None:
    desk.put(anna, "x.ics", appointment())
    puller.remove(anna, "x.ics")

    def refuse(_: bytes) -> CalendarObject:
        raise ObjectRefused("It has too many instances.")

    with desk.database.writing() as tx:
        undone = rewind.undo_run(tx, 7, author=BOSS, parse=refuse)

    assert [each.reason for each in undone.skipped] == ["It has too many instances."]


def test_a_calendar_that_does_not_exist_is_not_found(desk: Desk) -> None:
    with pytest.raises(NotFound):
        go_back(desk, desk.clock.now, "nobody")


def test_a_calendar_without_any_change_stays_as_it_is(desk: Desk, anna: int) -> None:
    assert go_back(desk, desk.clock.now - MINUTE).done == ()
    desk.put(anna, "a.ics", appointment())
    assert go_back(desk, desk.clock.now).done == ()
    assert desk.summaries(anna) == {"a.ics": "Haircut"}
