"""An upstream that fails at one appointment again and again does not keep the others from going there."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from tests.sync.appointments import event

if TYPE_CHECKING:
    from tests.sync.desk import SyncDesk

POISON = "BREAK ON ME"


@pytest.fixture
def stuck(desk: SyncDesk) -> SyncDesk:
    """Ten appointments, at one of which the upstream fails each time."""
    desk.rule()
    desk.rest()
    for number in range(5):
        desk.resource().put(event(f"early-{number}", "Cut"))
    desk.resource().put(event("poison", POISON))
    for number in range(5):
        desk.resource().put(event(f"late-{number}", "Cut"))
    return desk


def go_on(desk: SyncDesk, rounds: int) -> None:
    for _ in range(rounds):
        desk.wait(timedelta(minutes=6))
        desk.run_due(fails=True)


def test_all_the_others_go_there(stuck: SyncDesk) -> None:
    go_on(stuck, 2)

    assert len(stuck.remote().titles()) == 10


@pytest.mark.parametrize("before", range(4))
@pytest.mark.parametrize("first", [True, False])
def test_all_the_others_go_there_wherever_it_stands_among_them(desk: SyncDesk, before: int, *, first: bool) -> None:
    desk.rule()
    if not first:
        desk.rest()
    for number in range(before):
        desk.resource().put(event(f"before-{number}", "Cut"))
    desk.resource().put(event("poison", POISON))
    for number in range(3 - before):
        desk.resource().put(event(f"after-{number}", "Cut"))

    go_on(desk, 2)

    assert len(desk.remote().titles()) == 3


def test_what_changes_later_goes_there_too(stuck: SyncDesk) -> None:
    go_on(stuck, 2)
    stuck.resource().put(event("early-1", "Cut and dye"))
    stuck.resource().delete("late-1")

    go_on(stuck, 1)

    titles = stuck.remote().titles()
    assert titles["early-1"] == "Cut and dye"
    assert "late-1" not in titles


def test_a_change_that_it_fails_at_keeps_no_other_change_waiting(desk: SyncDesk) -> None:
    desk.rule()
    for uid in ("one", "two", "three"):
        desk.resource().put(event(uid, "Cut"))
    desk.rest()
    desk.resource().put(event("one", "Cut, one"))
    desk.resource().put(event("two", POISON))
    desk.resource().put(event("three", "Cut, three"))

    go_on(desk, 2)

    assert desk.remote().titles() == {"one": "Cut, one", "two": "Cut", "three": "Cut, three"}


def test_after_many_tries_it_is_set_aside_with_what_the_upstream_said(stuck: SyncDesk) -> None:
    go_on(stuck, 20)

    (aside,) = stuck.parked()
    assert aside.uid == "poison"
    assert "internal fault (500)" in aside.reason
    assert stuck.rule_now().problem is None


def test_what_was_set_aside_goes_there_when_it_is_changed(stuck: SyncDesk) -> None:
    go_on(stuck, 20)
    stuck.resource().put(event("poison", "Cut"))

    go_on(stuck, 2)

    assert stuck.remote().titles()["poison"] == "Cut"
    assert stuck.parked() == []


@pytest.mark.parametrize("rounds", [3, 20], ids=["while it waits", "after it was set aside"])
def test_an_edit_of_what_it_failed_at_goes_there_at_once(stuck: SyncDesk, rounds: int) -> None:
    go_on(stuck, rounds)
    stuck.resource().put(event("poison", "Cut"))

    stuck.run_due()

    assert stuck.remote().titles()["poison"] == "Cut"
    assert stuck.parked() == []


def test_what_got_there_although_it_failed_does_not_win_over_an_edit(desk: SyncDesk) -> None:
    desk.rule()
    desk.rest()
    desk.resource().put(event("one", "Cut"))
    desk.remote().shelf.misdeeds = ["lost"]
    desk.run_due(fails=True)
    assert desk.remote().titles() == {"one": "Cut"}
    desk.resource().put(event("one", "Dye"))
    desk.remote().shelf.misdeeds = ["down"]
    go_on(desk, 2)

    assert desk.resource().titles() == desk.remote().titles() == {"one": "Dye"}
    assert desk.conflicts() == []


@pytest.mark.parametrize("rounds", [3, 20], ids=["while it waits", "after it was set aside"])
def test_an_edit_of_a_change_that_it_failed_at_goes_there_at_once(desk: SyncDesk, rounds: int) -> None:
    desk.rule()
    for uid in ("one", "two", "three"):
        desk.resource().put(event(uid, "Cut"))
    desk.rest()
    for uid, title in (("one", "Dye"), ("two", POISON), ("three", "Dye")):
        desk.resource().put(event(uid, title))
    go_on(desk, rounds)
    desk.resource().put(event("two", "Dye"))

    desk.run_due()

    assert desk.remote().titles() == {"one": "Dye", "two": "Dye", "three": "Dye"}
    assert desk.parked() == []


def test_what_was_set_aside_is_tried_at_once_when_it_is_changed_there(desk: SyncDesk) -> None:
    desk.rule(on_conflict="theirs")
    for uid in ("one", "two", "three"):
        desk.resource().put(event(uid, "Cut"))
    desk.rest()
    for uid, title in (("one", "Dye"), ("two", POISON), ("three", "Dye")):
        desk.resource().put(event(uid, title))
    go_on(desk, 20)
    assert [each.uid for each in desk.parked()] == ["two"]
    desk.remote().change("two", "SUMMARY:Cut", "SUMMARY:Shave")

    desk.poll()

    assert desk.resource().titles()["two"] == desk.remote().titles()["two"] == "Shave"
    assert desk.parked() == []


def test_what_only_waits_goes_there_the_next_night_when_it_is_changed(stuck: SyncDesk) -> None:
    go_on(stuck, 3)
    stuck.resource().put(event("poison", "Cut"))

    stuck.night()

    assert stuck.remote().titles()["poison"] == "Cut"
    assert stuck.parked() == []


def test_the_night_after_it_was_set_aside_nothing_is_in_trouble(stuck: SyncDesk) -> None:
    go_on(stuck, 20)

    stuck.wait(timedelta(days=1))
    stuck.run_due(fails=True)
    go_on(stuck, 3)

    assert stuck.rule_now().problem is None
    assert [each.uid for each in stuck.parked()] == ["poison"]


def test_an_upstream_that_takes_nothing_is_away_and_nothing_is_set_aside(desk: SyncDesk) -> None:
    desk.rule()
    desk.rest()
    for number in range(5):
        desk.resource().put(event(f"poison-{number}", POISON))

    go_on(desk, 20)

    problem = desk.rule_now().problem
    assert problem is not None
    assert problem.code == "UpstreamUnavailable"
    assert desk.parked() == []


def test_a_single_appointment_that_cannot_go_there_is_trouble_of_the_rule(desk: SyncDesk) -> None:
    desk.rule()
    desk.rest()
    desk.resource().put(event("poison", POISON))

    go_on(desk, 3)

    problem = desk.rule_now().problem
    assert problem is not None
    assert problem.code == "UpstreamUnavailable"
