"""Tests of watches that are opened, renewed and closed by a process that is killed at any step of it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from bridge.store import rule as rules
from tests.fakes.watched_shelf import WEEK
from tests.laws.sync_fuse import killed_everywhere
from tests.store.appointments import appointment
from tests.sync.stage import Stage
from tests.sync.watching import WatchDesk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FEWEST_KILLS = 8
HOUR = timedelta(hours=1)


def opening(desk: WatchDesk) -> None:
    desk.rule()
    desk.remote().put(appointment("theirs"))


def told(desk: WatchDesk) -> None:
    opening(desk)
    desk.sync()
    desk.run_due()


def renewal(desk: WatchDesk) -> None:
    told(desk)
    desk.wait(0.81 * WEEK)


def refusal(desk: WatchDesk) -> None:
    desk.public_url = None
    told(desk)
    desk.public_url = "https://cal.example.org"


def another_address(desk: WatchDesk) -> None:
    told(desk)
    desk.public_url = "https://new.example.org"


def pause(desk: WatchDesk) -> None:
    told(desk)
    with desk.database.writing() as tx:
        rules.pause(tx, desk.rule_now().id)


def removal(desk: WatchDesk) -> None:
    told(desk)
    with desk.database.writing() as tx:
        rules.remove(tx, desk.rule_now().id)


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    store = Stage()
    store.keep()
    yield store
    store.close()


def opened(stage: Stage, deed: Callable[[WatchDesk], None]) -> WatchDesk:
    stage.clear()
    desk = WatchDesk(stage.database, stage.clock)
    desk.resource()
    desk.remote()
    deed(desk)
    return desk


def end(desk: WatchDesk) -> None:
    """What is true when a worker has gone on for a while, and the other side has told of a change."""
    for _ in range(3):
        desk.wait(HOUR)
        desk.run_due()
        desk.close()
    assert set(desk.deliver(*desk.exchange.notifications())) <= {204, 404}
    desk.run_due()
    desk.close()


@pytest.mark.parametrize("deed", [opening, renewal, refusal, another_address])
def test_however_a_pass_ends_there_is_one_watch_at_last(stage: Stage, deed: Callable[[WatchDesk], None]) -> None:
    def act(desk: WatchDesk) -> None:
        desk.poll()
        desk.close()

    for where, desk in killed_everywhere(lambda: opened(stage, deed), act, fewest=FEWEST_KILLS):
        end(desk)
        (there,) = desk.exchange.live()
        found = desk.status()
        assert found.watch is not None, where
        assert (found.watch.channel, found.watch_problem) == (there.watch.channel, None)
        assert there.address == found.watch.address
        assert desk.resource().titles() == {"theirs": "Haircut"}


@pytest.mark.parametrize("deed", [pause, removal])
def test_however_closing_ends_there_is_no_watch_at_last(stage: Stage, deed: Callable[[WatchDesk], None]) -> None:
    for where, desk in killed_everywhere(lambda: opened(stage, deed), lambda desk: desk.close(), fewest=4):
        end(desk)
        assert desk.exchange.live() == [], where
