"""Tests that a watch that cannot be opened, or whose opening is cut short, does no harm, and is opened in the end."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from bridge.errors import LoginRefused, Throttled
from bridge.store import watch as watch_table
from tests.fakes.watched_shelf import refused
from tests.store.appointments import appointment

if TYPE_CHECKING:
    from tests.sync.watching import WatchDesk

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


class Killed(BaseException):
    """The process ends here."""


@pytest.mark.parametrize(
    "error", [refused(), LoginRefused("No right."), Throttled("Later.", after=timedelta(minutes=20))], ids=type
)
def test_where_no_watch_can_be_opened_the_rule_asks_as_ever(watched: WatchDesk, error: Exception) -> None:
    watched.exchange.refusal = error
    watched.rule()
    watched.sync()

    problem = watched.status().watch_problem
    assert problem is not None
    assert (problem.code, problem.sentence) == (type(error).__name__, str(error).partition(" Renew")[0])
    assert watched.rule_now().problem is None
    assert watched.rule_now().failures == 0
    for number in range(1, 13):
        watched.remote().put(appointment(f"a{number}"))
        watched.poll()
        assert len(watched.resource().titles()) == number
    assert 2 <= watched.asked().count("watch") <= 6, "tried again, ever more seldom"
    assert watched.status().watch_problem is not None

    watched.exchange.refusal = None
    watched.wait(HOUR)
    watched.sync()
    assert watched.status().watch is not None
    assert watched.status().watch_problem is None


def test_a_refused_opening_leaves_nothing_behind(watched: WatchDesk) -> None:
    watched.exchange.refusal = refused()
    watched.rule()
    watched.sync()
    assert watched.watches() == []


def test_an_upstream_that_asks_to_be_left_alone_is_not_asked_for_a_watch_before(watched: WatchDesk) -> None:
    watched.exchange.refusal = Throttled("Later.", after=timedelta(minutes=50))
    watched.rule()
    watched.sync()
    for _ in range(9):
        watched.poll()
    assert watched.asked() == ["watch"]
    watched.poll()
    assert watched.asked() == ["watch"]


def test_an_opening_whose_answer_was_lost_is_known_by_its_first_notification(watched: WatchDesk) -> None:
    watched.rule()
    watched.exchange.loses_answers = True
    watched.sync()
    watched.exchange.loses_answers = False
    assert watched.status().watch is None

    assert watched.deliver(*watched.exchange.notifications("sync")) == [204]

    assert watched.status().watch is not None
    watched.poll()
    assert watched.status().watch_problem is None
    assert watched.asked() == ["watch"], "it is open, so no other is opened"


def test_an_opening_that_was_never_heard_of_is_repeated_and_a_late_sign_of_it_closes_it(watched: WatchDesk) -> None:
    watched.rule()
    watched.exchange.loses_answers = True
    watched.sync()
    (orphan,) = watched.exchange.live()
    watched.exchange.loses_answers = False
    watched.wait(HOUR)
    watched.sync()
    watched.run_due()
    (mine,) = [each for each in watched.exchange.live() if each is not orphan]
    assert watched.close() == 0, "its name there is not known"

    assert watched.deliver(watched.exchange.notification(orphan, "exists")) == [204]

    assert watched.due() == [], "the other one tells as well"
    assert watched.close() == 1
    assert watched.exchange.live() == [mine]


@pytest.mark.parametrize("opened", [False, True], ids=["before it was opened", "before that was stored"])
def test_a_worker_that_is_killed_while_it_opens_a_watch_leaves_nothing_that_works(
    watched: WatchDesk, monkeypatch: pytest.MonkeyPatch, *, opened: bool
) -> None:
    watched.rule()
    if opened:

        def killed(*_args: object, **_named: object) -> None:
            raise Killed

        monkeypatch.setattr(watch_table, "note_open", killed)
    else:
        watched.exchange.refusal = Killed()
    with pytest.raises(Killed):
        watched.sync()
    monkeypatch.undo()
    watched.exchange.refusal = None
    orphans = watched.exchange.live()
    assert len(orphans) == int(opened)

    watched.die()
    watched.run_due()

    (mine,) = [each for each in watched.exchange.live() if each not in orphans]
    assert watched.status().watch is not None
    watched.run_due()
    assert watched.deliver(*(watched.exchange.notification(each, "exists") for each in orphans)) == [204] * len(orphans)
    watched.close()
    assert watched.exchange.live() == [mine]
    assert watched.deliver(*(watched.exchange.notification(each, "exists") for each in orphans)) == [404] * len(orphans)
    assert watched.due() == []
