"""Tests of deletions: what proves them, and what holds them back until a person has looked."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from bridge.core.decision import Move
from bridge.store.held import State
from tests.sync.appointments import START, event

if TYPE_CHECKING:
    from tests.sync.desk import Remote, Resource, SyncDesk

HOURS = timedelta(hours=1)


@pytest.fixture
def here(desk: SyncDesk) -> Resource:
    return desk.resource()


@pytest.fixture
def there(desk: SyncDesk) -> Remote:
    return desk.remote()


def filled(desk: SyncDesk, count: int) -> None:
    """A calendar with so many appointments, the same on both sides, long ago."""
    for number in range(count):
        desk.resource().put(event(f"u{number}", f"Cut {number}", start=START + number * HOURS))
    desk.rule()
    desk.rest()
    desk.wait(timedelta(hours=2))


# Gone needs proof.


def test_what_a_late_listing_lacks_just_after_we_wrote_it_stays(desk: SyncDesk, here: Resource, there: Remote) -> None:
    desk.rule()
    desk.sync()
    here.put(event("one", "Cut"))
    desk.run_due()
    there.shelf.forget_changes()
    there.shelf.number += 1
    kept = there.shelf.objects.copy()
    there.shelf.objects.clear()

    report = desk.sync()
    assert here.titles() == {"one": "Cut"}
    assert report is not None
    assert Move.DELETE_HERE not in report.counts

    there.shelf.objects.update(kept)
    desk.rest()
    assert here.titles() == there.titles() == {"one": "Cut"}


def test_what_is_in_no_listing_any_more_is_deleted_when_the_time_of_grace_is_over(
    desk: SyncDesk, here: Resource, there: Remote
) -> None:
    desk.rule()
    desk.sync()
    here.put(event("one", "Cut"))
    desk.run_due()
    there.shelf.forget_changes()
    there.shelf.number += 1
    there.shelf.objects.clear()
    desk.sync()

    desk.rest()

    assert here.titles() == {}


def test_what_a_listing_lacks_and_a_fetch_finds_stays(desk: SyncDesk, here: Resource, there: Remote) -> None:
    filled(desk, 3)
    # The last change is not in the listing, and every cursor has expired.
    there.put(event("u1", "Cut 1", start=START + HOURS))
    there.shelf.forget_changes()
    there.shelf.floor -= 1
    with_calls = ["stale", "stale"]
    there.shelf.misdeeds[:] = with_calls

    desk.poll()

    assert set(here.titles()) == {"u0", "u1", "u2"}


@pytest.mark.parametrize("misdeed", ["cut", "down"])
def test_what_could_not_be_fetched_stays_until_it_can(
    desk: SyncDesk, here: Resource, there: Remote, misdeed: str
) -> None:
    filled(desk, 3)
    there.delete("u1")
    there.shelf.misdeeds[:] = [None, misdeed]

    desk.poll(fails=True)
    assert set(here.titles()) == {"u0", "u1", "u2"}

    desk.rest()
    assert set(here.titles()) == {"u0", "u2"}


def test_a_listing_that_is_cut_off_deletes_nothing(desk: SyncDesk, here: Resource, there: Remote) -> None:
    filled(desk, 4)
    there.shelf.forget_changes()
    there.shelf.floor += 1
    there.shelf.number += 1
    there.shelf.misdeeds[:] = [None, "cut"]

    desk.poll(fails=True)

    assert len(here.titles()) == 4
    desk.rest()
    assert len(here.titles()) == len(there.titles()) == 4


def test_a_cursor_that_has_expired_leads_to_a_comparison_and_to_no_doubles(
    desk: SyncDesk, here: Resource, there: Remote
) -> None:
    filled(desk, 4)
    there.delete("u1")
    there.put(event("u2", "Perm", start=START + 2 * HOURS))
    there.shelf.forget_changes()
    there.writes()

    desk.rest()

    assert here.titles() == there.titles() == {"u0": "Cut 0", "u2": "Perm", "u3": "Cut 3"}
    assert there.writes() == []


def test_a_calendar_that_was_gone_and_is_there_again_empty_is_filled_and_nothing_is_deleted_here(
    desk: SyncDesk, here: Resource, there: Remote
) -> None:
    filled(desk, 8)
    there.shelf.exists = False
    desk.poll(fails=True)
    problem = desk.rule_now().problem
    assert problem is not None
    assert problem.code == "CalendarGone"

    there.shelf.objects.clear()
    there.shelf.forget_changes()
    there.shelf.exists = True
    desk.rest()

    assert len(here.titles()) == len(there.titles()) == 8
    assert desk.holds() == []
    assert desk.rule_now().problem is None


# The guard.


def test_a_small_calendar_may_empty(desk: SyncDesk, here: Resource, there: Remote) -> None:
    filled(desk, 4)
    for number in range(4):
        there.delete(f"u{number}")

    desk.rest()

    assert here.titles() == {}
    assert desk.holds() == []


def test_an_emptying_of_a_large_calendar_is_held_and_shown_and_the_rest_goes_on(
    desk: SyncDesk, here: Resource, there: Remote
) -> None:
    filled(desk, 30)
    for number in range(29):
        there.delete(f"u{number}")
    there.put(event("u29", "Perm", start=START + 29 * HOURS))
    there.put(event("new", "Colour", start=START + 31 * HOURS))

    assert desk.plan().counts[Move.HELD] == 29
    desk.rest()

    assert len(here.titles()) == 31
    assert here.titles()["u29"] == "Perm"
    assert here.titles()["new"] == "Colour"
    (hold,) = desk.holds()
    assert desk.held_uids(hold) == {f"u{number}" for number in range(29)}


def test_what_is_held_costs_no_work_until_somebody_decides(desk: SyncDesk, here: Resource, there: Remote) -> None:
    filled(desk, 30)
    for number in range(29):
        there.delete(f"u{number}")
    desk.sync()

    assert desk.due() == []
    assert len(here.titles()) == 30


@pytest.mark.parametrize("where", ["here", "there"])
def test_what_was_held_is_deleted_when_it_is_approved(
    desk: SyncDesk, here: Resource, there: Remote, where: str
) -> None:
    filled(desk, 30)
    near = here if where == "here" else there
    for number in range(29):
        near.delete(f"u{number}")
    desk.rest()
    (hold,) = desk.holds()

    desk.decide(hold, State.APPROVED)
    desk.run_due()

    assert set(here.titles()) == set(there.titles()) == {"u29"}
    assert desk.holds() == []


@pytest.mark.parametrize("where", ["here", "there"])
def test_what_was_held_is_back_on_both_sides_when_it_is_refused(
    desk: SyncDesk, here: Resource, there: Remote, where: str
) -> None:
    filled(desk, 30)
    near = here if where == "here" else there
    for number in range(29):
        near.delete(f"u{number}")
    desk.rest()
    (hold,) = desk.holds()

    desk.decide(hold, State.REFUSED)
    desk.rest()

    assert here.titles() == there.titles()
    assert len(here.titles()) == 30
    assert desk.holds() == []


def test_a_hold_dissolves_when_what_it_held_comes_back(desk: SyncDesk, here: Resource, there: Remote) -> None:
    filled(desk, 30)
    gone = dict(list(there.objects().items())[:29])
    for obj in gone.values():
        there.delete(obj.uid)
    desk.rest()
    assert len(desk.holds()) == 1

    for remote_id, obj in gone.items():
        there.put(obj, remote_id)
    desk.rest()

    assert desk.holds() == []
    assert here.titles() == there.titles()
    assert len(here.titles()) == 30


def test_a_slow_trickle_of_deletions_is_held_too(desk: SyncDesk, here: Resource, there: Remote) -> None:
    filled(desk, 30)
    for number in range(29):
        there.delete(f"u{number}")
        desk.wait(timedelta(minutes=1))
        desk.sync()

    assert len(desk.holds()) == 1
    assert len(here.titles()) >= 22
