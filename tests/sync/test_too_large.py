"""An appointment that is too large to be kept here is set aside where somebody sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.sync.appointments import event

if TYPE_CHECKING:
    from tests.sync.desk import SyncDesk

LARGE = f"DESCRIPTION:{'x' * 1_100_000}"


def test_it_is_named_with_its_size_and_what_to_do_and_the_rest_comes(desk: SyncDesk) -> None:
    desk.rule()
    desk.remote().put(event("large", "Plan of the house", LARGE))
    desk.remote().put(event("small", "Cut"))

    desk.rest()

    assert desk.resource().titles() == {"small": "Cut"}
    (aside,) = desk.parked()
    assert aside.summary == "Plan of the house"
    assert "limits.max_object allows 1048576" in aside.reason
    assert "raise limits.max_object" in aside.remedy


def test_the_plan_says_so_before(desk: SyncDesk) -> None:
    desk.rule()
    desk.remote().put(event("large", "Plan of the house", LARGE))

    (step,) = desk.plan().steps

    assert "limits.max_object" in step.reason


def test_it_costs_nothing_more_until_somebody_changes_it(desk: SyncDesk) -> None:
    desk.rule()
    desk.remote().put(event("large", "Plan of the house", LARGE))
    desk.rest()
    desk.remote().shelf.calls.clear()

    desk.poll()

    assert "fetch" not in desk.remote().shelf.calls


def test_it_comes_when_it_is_shortened_there(desk: SyncDesk) -> None:
    desk.rule()
    desk.remote().put(event("large", "Plan of the house", LARGE))
    desk.rest()

    desk.remote().put(event("large", "Plan of the house"))
    desk.rest()

    assert desk.resource().titles() == {"large": "Plan of the house"}
    assert desk.parked() == []


def test_it_is_forgotten_when_it_is_deleted_there(desk: SyncDesk) -> None:
    desk.rule()
    desk.remote().put(event("large", "Plan of the house", LARGE))
    desk.rest()

    desk.remote().delete("large")
    desk.rest()

    assert desk.parked() == []


def test_a_rule_that_only_sends_says_nothing_of_it(desk: SyncDesk) -> None:
    desk.rule(direction="push")
    desk.remote().put(event("large", "Plan of the house", LARGE))

    desk.rest()

    assert desk.parked() == []
