"""A clock that is wrong for a while, and right again, keeps no rule waiting."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from bridge.store import lease
from bridge.sync.worker import LEASE
from tests.sync.appointments import event

if TYPE_CHECKING:
    from tests.sync.desk import SyncDesk

WRONG = [timedelta(days=1), timedelta(days=365)]


@pytest.fixture
def ahead(desk: SyncDesk, request: pytest.FixtureRequest) -> SyncDesk:
    """A rule at rest that ran while the clock was ahead; the clock is right again."""
    wrong: timedelta = request.param
    desk.rule()
    desk.resource().put(event("here", "Cut"))
    desk.remote().put(event("there", "Dye"))
    desk.rest()
    desk.wait(wrong)
    desk.run_due()
    desk.wait(-wrong)
    return desk


@pytest.mark.parametrize("ahead", WRONG, indirect=True)
def test_what_changes_there_after_the_clock_was_ahead_is_here_at_the_next_poll(ahead: SyncDesk) -> None:
    ahead.remote().put(event("there", "Dye, and cut"))

    ahead.wait()
    ahead.run_due()

    assert ahead.resource().titles()["there"] == "Dye, and cut"


@pytest.mark.parametrize("ahead", WRONG, indirect=True)
def test_the_server_knows_that_there_is_something_to_do(ahead: SyncDesk) -> None:
    with ahead.database.reading() as tx:
        due = lease.next_due(tx)

    assert due is not None
    assert due <= ahead.clock()


@pytest.mark.parametrize("ahead", WRONG, indirect=True)
def test_it_looks_once_and_then_as_often_as_ever(ahead: SyncDesk) -> None:
    ahead.run_due()

    assert ahead.run_due() == []


@pytest.mark.parametrize("wrong", WRONG)
def test_what_was_put_off_while_the_clock_was_ahead_goes_there_when_it_is_right(
    desk: SyncDesk, wrong: timedelta
) -> None:
    desk.rule()
    desk.rest()
    desk.wait(wrong)
    desk.resource().put(event("one", "Cut"))
    desk.remote().shelf.misdeeds += ["down"] * 3
    desk.run_due(fails=True)
    desk.remote().shelf.misdeeds.clear()
    desk.wait(-wrong)

    desk.wait()
    desk.run_due()

    assert desk.remote().titles() == {"one": "Cut"}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_rule_whose_worker_died_while_the_clock_was_ahead_goes_on(desk: SyncDesk, wrong: timedelta) -> None:
    desk.rule()
    desk.rest()
    desk.wait(wrong)
    with desk.database.writing() as tx:
        lease.claim(tx, owner="dead", until=tx.now + LEASE, limit=1)
    desk.wait(-wrong)
    desk.remote().put(event("there", "Dye"))

    desk.run_due()

    assert desk.resource().titles() == {"there": "Dye"}


def test_a_clock_that_goes_back_by_a_year_keeps_nothing_waiting(desk: SyncDesk) -> None:
    desk.rule()
    desk.rest()
    desk.wait(-timedelta(days=365))
    desk.remote().put(event("there", "Dye"))

    desk.run_due()

    assert desk.resource().titles() == {"there": "Dye"}
