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
from tests.sync.desk import POLL

if TYPE_CHECKING:
    from tests.sync.watching import WatchDesk

SECOND = timedelta(seconds=1)
STEPS = 400


def work(told: WatchDesk, length: timedelta) -> int:
    """A worker looks for due rules five times a second, for so long; gives how many passes it began."""
    passes = 0
    end = told.clock.now + length
    while told.clock.now < end:
        passes += len(told.run_due())
        told.wait(SECOND / 5)
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
def test_whatever_becomes_of_notifications_both_sides_are_the_same_at_the_next_poll(told: WatchDesk, seed: int) -> None:
    dice = random.Random(seed)
    late: list[dict[str, str]] = []
    expired: list[dict[str, str]] = []
    began, passes, answers = told.clock.now, 0, []
    for step in range(STEPS):
        if dice.random() < 0.3:
            told.remote().put(appointment(f"u{dice.randrange(12)}", f"Title {step}"))
            late += told.exchange.notifications()
        for _ in range(dice.randrange(4)):
            if late:
                # Any order, some twice, some never.
                message = dice.choice(late)
                fate = dice.random()
                if fate < 0.7:
                    late.remove(message)
                if fate < 0.9:
                    answers += told.deliver(message)
                if fate < 0.3:
                    answers += told.deliver(forged(message, dice))
        if dice.random() < 0.02:
            expired += late
            late.clear()
            with told.database.writing() as tx:
                # As if its end had come without a renewal.
                watch.drop(tx, told.rule_now().id)
            told.close()
        if expired and dice.random() < 0.3:
            answers += told.deliver(dice.choice(expired))
        passes += len(told.run_due())
        told.wait(dice.choice([SECOND / 10, SECOND / 2, SECOND, 5 * SECOND]))
    elapsed = told.clock.now - began
    asked = told.calls().count("changes")

    assert {204, 404} <= set(answers) <= {204, 404}
    assert asked <= passes <= elapsed / (2 * SECOND) + elapsed / (0.9 * POLL) + len(told.exchange.ever) + 1
    told.poll()
    assert told.resource().titles() == told.remote().titles()
    told.poll()
    assert told.remote().writes() == []


def test_a_storm_of_notifications_is_a_pass_each_two_seconds(told: WatchDesk) -> None:
    began, asked = told.clock.now, 0
    while told.clock.now - began < timedelta(seconds=20):
        told.deliver(*told.exchange.notifications(), *told.exchange.notifications())
        told.run_due()
        told.wait(SECOND / 10)
    asked = told.calls().count("changes")
    assert 9 <= asked <= 11


def test_a_storm_of_forged_ones_is_no_pass_and_no_look_into_the_database(told: WatchDesk) -> None:
    dice = random.Random(0)
    (real,) = told.exchange.notifications()
    with told.door.statements() as statements:
        answers = told.deliver(*(forged(real, dice) for _ in range(500)))
    assert set(answers) == {404}
    assert statements == []
    assert told.due() == []


def test_a_lost_notification_is_made_up_for_by_the_next_poll(told: WatchDesk) -> None:
    told.remote().put(appointment("lost"))
    assert work(told, timedelta(seconds=10)) == 0
    told.wait(POLL)
    told.run_due()
    assert told.resource().titles() == {"lost": "Haircut"}


def test_a_change_is_here_within_a_second_after_it_was_told_of(told: WatchDesk) -> None:
    told.wait(timedelta(minutes=1))
    for number in range(20):
        told.remote().put(appointment(f"a{number}"))
        told.deliver(*told.exchange.notifications())
        work(told, SECOND)
        assert len(told.resource().titles()) == number + 1
        told.wait(2 * SECOND)


def test_what_a_rule_writes_itself_comes_back_as_one_look_and_no_change(told: WatchDesk) -> None:
    told.remote().put(appointment("before"))
    told.poll()
    told.calls()
    told.wait(timedelta(minutes=1))
    for number in range(10):
        told.resource().put(appointment(f"a{number}"))
    told.run_due()
    written = told.calls()
    assert written.count("create") == 10
    for _ in range(10):
        told.deliver(*told.exchange.notifications())
    work(told, 10 * SECOND)
    assert told.calls().count("changes") == 1
    assert told.remote().writes() == []


def test_a_watch_that_fell_silent_is_replaced_in_time_and_polling_never_stops(told: WatchDesk) -> None:
    for number in range(8):
        told.wait(WEEK / 7)
        told.remote().put(appointment(f"a{number}"))
        told.run_due()
        told.close()
        assert len(told.resource().titles()) == number + 1
    assert len(told.exchange.ever) == 2


def test_a_worker_that_runs_closes_what_is_wanted_no_more(told: WatchDesk) -> None:
    closed = threading.Event()
    told.exchange.when_closed = closed.set
    worker = told.worker()
    worker.start()
    try:
        told.drop_rule()
        told.wait(6 * SECOND)
        assert closed.wait(30)
    finally:
        worker.stop()
    assert told.exchange.live() == []
