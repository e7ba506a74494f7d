"""Tests that notifications change when something happens, never what: lost, doubled, late or made up as they may be."""

from __future__ import annotations

import random
import threading
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from bridge.store import watch
from tests.fakes.watched_shelf import WEEK
from tests.store.appointments import appointment
from tests.store.desk import Clock
from tests.sync.desk import POLL
from tests.sync.stage import new_database
from tests.sync.watching import WatchDesk

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SECOND = timedelta(seconds=1)
STEPS = 400


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[WatchDesk]:
    """A desk with one rule that is told of changes, at rest."""
    clock = Clock()
    database = new_database(tmp_path, clock)
    made = WatchDesk(database, clock)
    made.rule()
    made.sync()
    made.run_due()
    made.calls()
    yield made
    database.close()


def work(desk: WatchDesk, length: timedelta) -> int:
    """A worker looks for due rules five times a second, for so long; gives how many passes it began."""
    passes = 0
    end = desk.clock.now + length
    while desk.clock.now < end:
        passes += len(desk.run_due())
        desk.wait(SECOND / 5)
    return passes


def forged(real: dict[str, str], dice: random.Random) -> dict[str, str]:
    """A notification that somebody made up who knows everything but the token."""
    lies = {
        "X-Goog-Channel-Token": dice.choice(["", "guess", real["X-Goog-Channel-Token"][:-1], "x" * 300]),
        "X-Goog-Channel-ID": dice.choice(["0" * 32, "' OR 1=1 --", "deadbeef" * 4]),
    }
    name = dice.choice(list(lies))
    return {**real, name: lies[name]}


@pytest.mark.parametrize("seed", range(6))
def test_whatever_becomes_of_notifications_both_sides_are_the_same_at_the_next_poll(desk: WatchDesk, seed: int) -> None:
    dice = random.Random(seed)
    late: list[dict[str, str]] = []
    expired: list[dict[str, str]] = []
    began, passes, answers = desk.clock.now, 0, []
    for step in range(STEPS):
        if dice.random() < 0.3:
            desk.remote().put(appointment(f"u{dice.randrange(12)}", f"Title {step}"))
            late += desk.exchange.notifications()
        for _ in range(dice.randrange(4)):
            if late:
                # Any order, some twice, some never.
                told = dice.choice(late)
                fate = dice.random()
                if fate < 0.7:
                    late.remove(told)
                if fate < 0.9:
                    answers += desk.deliver(told)
                if fate < 0.3:
                    answers += desk.deliver(forged(told, dice))
        if dice.random() < 0.02:
            expired += late
            late.clear()
            with desk.database.writing() as tx:
                # As if its end had come without a renewal.
                watch.drop(tx, desk.rule_now().id)
            desk.close()
        if expired and dice.random() < 0.3:
            answers += desk.deliver(dice.choice(expired))
        passes += len(desk.run_due())
        desk.wait(dice.choice([SECOND / 10, SECOND / 2, SECOND, 5 * SECOND]))
    elapsed = desk.clock.now - began
    asked = desk.calls().count("changes")

    assert {204, 404} <= set(answers) <= {204, 404}
    assert asked <= passes <= elapsed / (2 * SECOND) + elapsed / (0.9 * POLL) + len(desk.exchange.ever) + 1
    desk.poll()
    assert desk.resource().titles() == desk.remote().titles()
    desk.poll()
    assert desk.remote().writes() == []


def test_a_storm_of_notifications_is_a_pass_each_two_seconds(desk: WatchDesk) -> None:
    began, asked = desk.clock.now, 0
    while desk.clock.now - began < timedelta(seconds=20):
        desk.deliver(*desk.exchange.notifications(), *desk.exchange.notifications())
        desk.run_due()
        desk.wait(SECOND / 10)
    asked = desk.calls().count("changes")
    assert 9 <= asked <= 11


def test_a_storm_of_forged_ones_is_no_pass_and_no_look_into_the_database(desk: WatchDesk) -> None:
    dice = random.Random(0)
    (real,) = desk.exchange.notifications()
    with desk.door.statements() as statements:
        answers = desk.deliver(*(forged(real, dice) for _ in range(500)))
    assert set(answers) == {404}
    assert statements == []
    assert desk.due() == []


def test_a_lost_notification_is_made_up_for_by_the_next_poll(desk: WatchDesk) -> None:
    desk.remote().put(appointment("lost"))
    assert work(desk, timedelta(seconds=10)) == 0
    desk.wait(POLL)
    desk.run_due()
    assert desk.resource().titles() == {"lost": "Haircut"}


def test_a_change_is_here_within_a_second_after_it_was_told_of(desk: WatchDesk) -> None:
    desk.wait(timedelta(minutes=1))
    for number in range(20):
        desk.remote().put(appointment(f"a{number}"))
        desk.deliver(*desk.exchange.notifications())
        work(desk, SECOND)
        assert len(desk.resource().titles()) == number + 1
        desk.wait(2 * SECOND)


def test_what_a_rule_writes_itself_comes_back_as_one_look_and_no_change(desk: WatchDesk) -> None:
    desk.remote().put(appointment("before"))
    desk.poll()
    desk.calls()
    desk.wait(timedelta(minutes=1))
    for number in range(10):
        desk.resource().put(appointment(f"a{number}"))
    desk.run_due()
    written = desk.calls()
    assert written.count("create") == 10
    for _ in range(10):
        desk.deliver(*desk.exchange.notifications())
    work(desk, 10 * SECOND)
    assert desk.calls().count("changes") == 1
    assert desk.remote().writes() == []


def test_a_watch_that_fell_silent_is_replaced_in_time_and_polling_never_stops(desk: WatchDesk) -> None:
    for number in range(8):
        desk.wait(WEEK / 7)
        desk.remote().put(appointment(f"a{number}"))
        desk.run_due()
        desk.close()
        assert len(desk.resource().titles()) == number + 1
    assert len(desk.exchange.ever) == 2


def test_a_worker_that_runs_closes_what_is_wanted_no_more(desk: WatchDesk) -> None:
    closed = threading.Event()
    desk.exchange.when_closed = closed.set
    worker = desk.worker()
    worker.start()
    try:
        desk.drop_rule()
        desk.wait(6 * SECOND)
        assert closed.wait(30)
    finally:
        worker.stop()
    assert desk.exchange.live() == []
