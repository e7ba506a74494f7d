"""Tests of events that an upstream makes of itself: out of office, a birthday; they are its own to change."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bridge.core.view import SPECIAL
from tests.sync.appointments import event

if TYPE_CHECKING:
    from tests.sync.desk import SyncDesk

AWAY = event("away", "Out of office", f"{SPECIAL}:outOfOffice")


def taken(desk: SyncDesk) -> None:
    """One has come over."""
    desk.remote().put(AWAY)
    desk.rule()
    desk.sync()
    desk.remote().writes()


def test_it_takes_time_here_like_any_other(desk: SyncDesk) -> None:
    taken(desk)

    assert desk.resource().titles() == {"away": "Out of office"}


def test_a_rule_can_leave_it_out(desk: SyncDesk) -> None:
    desk.remote().put(AWAY)
    desk.remote().put(event("one", "Cut"))
    desk.rule(pull={"special": "ignore"})
    desk.sync()

    assert desk.resource().titles() == {"one": "Cut"}


def test_a_rule_that_leaves_it_out_from_now_on_keeps_what_came_before(desk: SyncDesk) -> None:
    taken(desk)
    desk.rule(pull={"special": "ignore"})

    desk.rest()

    assert desk.resource().titles() == {"away": "Out of office"}
    assert desk.remote().titles() == {"away": "Out of office"}


def test_an_edit_of_it_here_is_set_aside_with_a_sentence(desk: SyncDesk) -> None:
    taken(desk)
    desk.resource().put(event("away", "At work", f"{SPECIAL}:outOfOffice"))

    desk.rest()

    [parked] = desk.parked()
    assert parked.summary == "At work"
    assert parked.reason == "The remote calendar makes this event of itself, so nothing but it may change it."
    assert parked.remedy == "Change it where it was made."
    assert desk.remote().titles() == {"away": "Out of office"}


def test_a_deletion_of_it_here_is_set_aside_and_it_stays_there(desk: SyncDesk) -> None:
    taken(desk)
    desk.resource().delete("away")

    desk.rest()

    assert [each.summary for each in desk.parked()] == ["Out of office"]
    assert desk.remote().titles() == {"away": "Out of office"}
    assert desk.resource().titles() == {}


def test_what_changes_there_still_comes_over_where_it_was_edited_here(desk: SyncDesk) -> None:
    taken(desk)
    desk.resource().put(event("away", "At work", f"{SPECIAL}:outOfOffice"))
    desk.rest()
    desk.remote().change("away", "DTEND:20261125T100000Z", "DTEND:20261125T110000Z")

    desk.rest()

    assert "DTEND:20261125T110000Z" in desk.resource().text("away")
    assert desk.parked() == []
    assert desk.remote().titles() == {"away": "Out of office"}


def test_its_deletion_there_deletes_it_here(desk: SyncDesk) -> None:
    taken(desk)
    desk.remote().delete("away")

    desk.rest()

    assert desk.resource().titles() == {}


@pytest.mark.parametrize("prefer", ["ours", "theirs"])
def test_what_stands_here_already_is_linked_with_it_and_nothing_is_written_there(desk: SyncDesk, prefer: str) -> None:
    desk.resource().put(event("mine", "Out of office", "LOCATION:Home"))
    desk.remote().put(AWAY)
    desk.rule(on_conflict=prefer)

    desk.rest()

    assert desk.resource().titles() == {"mine": "Out of office"}
    assert len(desk.links()) == 1
    assert desk.remote().writes() == []
    assert desk.parked() == []
