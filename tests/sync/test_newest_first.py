"""Tests of what people change while much waits: it does not wait for the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.sync.appointments import event

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from tests.fakes.shelf import Shelf
    from tests.sync.desk import SyncDesk

MANY = 1_000
SOME = 120
SOON = 60
"""So many requests go there within a few seconds."""


def after(shelf: Shelf, call: str, number: int, act: Callable[[], None]) -> None:
    """Somebody does something when so many calls of a kind have been made."""
    left = iter(range(number))

    def look(when: str, name: str) -> None:
        if (when, name) == ("before", call) and next(left, None) is None:
            shelf.watched = None
            act()

    shelf.watched = look


def written(shelf: Shelf) -> list[str]:
    """What was written there, in its order, by its title."""
    return [
        str(shelf.objects[remote_id][1].split(b"SUMMARY:")[1].split(b"\r\n")[0], "utf-8")
        for _, remote_id, _ in shelf.log
    ]


def linked(desk: SyncDesk, count: int) -> None:
    """So many appointments stand on both sides."""
    desk.remote("shelf", takes_uid_twice=True)
    for number in range(count):
        desk.resource().put(event(f"n{number}", f"Cut {number}"))
    desk.rule(guard={"objects": 1000, "percent": 100})
    desk.sync()
    desk.poll()
    desk.remote().shelf.log.clear()
    desk.remote().shelf.floor = desk.remote().shelf.number


def test_an_appointment_that_is_made_during_a_long_first_pass_is_there_within_seconds(desk: SyncDesk) -> None:
    here, shelf = desk.resource(), desk.remote("shelf", takes_uid_twice=True).shelf
    for number in range(MANY):
        here.put(event(f"n{number}", "Cut"))
    desk.rule()
    after(shelf, "create", 100, lambda: here.put(event("urgent", "Urgent")))

    desk.sync()

    titles = written(shelf)
    assert len(titles) == MANY + 1
    assert titles.index("Urgent") <= 100 + SOON


def test_a_change_that_is_made_while_many_wait_goes_before_them(desk: SyncDesk) -> None:
    linked(desk, SOME)
    here, shelf = desk.resource(), desk.remote().shelf
    for number in range(1, SOME):
        here.put(event(f"n{number}", "Shave"))
    after(shelf, "replace", 30, lambda: here.put(event("n0", "Urgent")))

    desk.poll()

    titles = written(shelf)
    assert titles.index("Urgent") <= 32
    assert len(titles) == SOME


def test_what_was_changed_last_goes_first(desk: SyncDesk) -> None:
    linked(desk, SOME)
    for number in range(SOME):
        desk.resource().put(event(f"n{number}", f"Shave {number}"))

    desk.poll()

    assert written(desk.remote().shelf)[:3] == [f"Shave {SOME - 1}", f"Shave {SOME - 2}", f"Shave {SOME - 3}"]


def test_a_change_of_a_moment_ago_goes_before_many_new_appointments(desk: SyncDesk) -> None:
    linked(desk, 2)
    for number in range(SOME):
        desk.resource().put(event(f"new{number}", "New"))
    desk.resource().put(event("n1", "Urgent"))

    desk.poll()

    titles = written(desk.remote().shelf)
    assert titles.index("Urgent") < 25
    assert len(titles) == SOME + 1


def test_what_waits_longest_is_not_passed_by_for_ever(desk: SyncDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bridge.sync.engine._MOST_INTENTS", 10)
    monkeypatch.setattr("bridge.sync.engine._MOST_ROUNDS", 1)
    linked(desk, 40)
    desk.rest()
    here, shelf = desk.resource(), desk.remote().shelf
    for number in range(40):
        here.put(event(f"n{number}", "Old"))
    for round_ in range(8):
        for number in range(10):
            here.put(event(f"new{round_}-{number}", "New"))
        desk.poll()

    assert all(title != f"Cut {number}" for number, title in enumerate(desk.remote().titles().values()))
    assert written(shelf).count("Old") == 40


def test_what_also_stands_there_and_is_put_here_during_the_first_pass_is_not_doubled(desk: SyncDesk) -> None:
    here, there = desk.resource(), desk.remote("shelf", takes_uid_twice=True)
    there.put(event("both", "Meeting"))
    for number in range(SOME):
        here.put(event(f"n{number}", "Cut"))
    desk.rule()
    after(there.shelf, "fetch", 0, lambda: here.put(event("both", "Meeting")))

    desk.sync()
    desk.rest()

    assert there.titles().keys() == here.titles().keys()
    assert len(there.shelf.objects) == SOME + 1


def test_deletions_that_come_in_between_count_for_the_guard_with_the_others(desk: SyncDesk) -> None:
    linked(desk, SOME)
    desk.rule(guard={"objects": 25, "percent": 100})
    desk.rest()
    here, shelf = desk.resource(), desk.remote().shelf

    def go_on() -> None:
        for number in range(50, 60):
            here.delete(f"n{number}")

    for number in range(20):
        here.delete(f"n{number}")
    after(shelf, "remove", 5, go_on)

    desk.poll()
    desk.poll()

    assert len(desk.remote().titles()) == SOME - 20
    [hold] = desk.holds()
    assert desk.held_uids(hold) == {f"n{number}" for number in range(50, 60)}
