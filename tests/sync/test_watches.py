"""Tests that watches are open where they should be, and nowhere else, whatever goes wrong with them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from bridge.errors import LoginRefused, RemoteRefused, Throttled, UpstreamUnavailable
from bridge.store import rule as rules
from bridge.store import watch as watch_table
from bridge.sync.watches import NO_PUBLIC_ADDRESS, TOO_SHORT
from bridge.upstream.powers import Watchable
from tests.fakes.shelf import FULL, Shelf, ShelfUpstream
from tests.fakes.watched_shelf import WEEK, Exchange, WatchedShelf, refused
from tests.store.appointments import appointment, parse
from tests.store.desk import Clock
from tests.sync.stage import new_database
from tests.sync.watching import HTTPS, WatchDesk

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


class Killed(BaseException):
    """The process ends here."""


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[WatchDesk]:
    clock = Clock()
    database = new_database(tmp_path, clock)
    made = WatchDesk(database, clock)
    yield made
    database.close()


@pytest.fixture
def told(desk: WatchDesk) -> WatchDesk:
    """A desk with one rule that is told of changes, at rest."""
    desk.rule()
    desk.sync()
    desk.run_due()
    desk.asked()
    desk.calls()
    return desk


def test_the_fake_has_the_power_that_is_tested() -> None:
    exchange = Exchange(Clock())
    shelf = WatchedShelf(Shelf(), parse, FULL, exchange)
    assert isinstance(shelf, Watchable)
    assert not isinstance(ShelfUpstream(Shelf(), parse), Watchable)
    shelf.watch("c", channel="one", token="t", address=HTTPS)
    with pytest.raises(RemoteRefused, match="not unique"):
        shelf.watch("c", channel="one", token="t", address=HTTPS)


# Opening.


def test_the_first_pass_of_a_rule_opens_a_watch(desk: WatchDesk) -> None:
    desk.rule()
    desk.sync()

    (there,) = desk.exchange.live()
    (here,) = desk.watches()
    assert there.address == f"{HTTPS}/hooks/caldav"
    assert there.calendar == here.calendar == "https://shelf.example.org/shelf/"
    assert (here.channel, here.resource) == (there.watch.channel, there.watch.resource)
    assert here.expires_at == desk.clock.now + WEEK
    assert len(there.watch.channel) <= 64
    assert there.token not in repr(here)


def test_what_changed_while_the_first_watch_was_opened_is_found_at_once(desk: WatchDesk) -> None:
    desk.rule()
    remote = desk.remote()

    def just_then(when: str, call: str) -> None:
        if (when, call) == ("after", "changes") and not desk.exchange.ever and not remote.shelf.objects:
            remote.put(appointment("between"))

    remote.shelf.watched = just_then
    desk.sync()
    assert desk.resource().titles() == {}
    assert desk.due() == ["r"]
    desk.run_due()
    assert desk.resource().titles() == {"between": "Haircut"}
    assert desk.due() == []


def test_a_change_there_is_here_as_soon_as_it_is_told(told: WatchDesk) -> None:
    told.wait(timedelta(seconds=30))
    told.remote().put(appointment("new"))
    assert told.due() == []

    assert told.deliver(*told.exchange.notifications()) == [204]

    told.run_due()
    assert told.resource().titles() == {"new": "Haircut"}


def test_an_idle_poll_is_still_one_request(told: WatchDesk) -> None:
    told.poll()
    assert (told.calls(), told.asked()) == (["changes"], [])


def test_an_idle_poll_writes_nothing_about_its_watch(desk: WatchDesk) -> None:
    desk.rule()
    desk.sync()
    desk.run_due()
    with_watch = writes_of_a_poll(desk)
    desk.unwatchable = True
    desk.poll()
    assert with_watch == writes_of_a_poll(desk)


def writes_of_a_poll(desk: WatchDesk) -> int:
    before = desk.database.writes
    desk.poll()
    return desk.database.writes - before


def test_each_rule_has_a_watch_of_its_own(desk: WatchDesk) -> None:
    desk.rule()
    desk.rule("s", "bert", "other")
    desk.sync("r")
    desk.sync("s")
    assert sorted(each.calendar for each in desk.exchange.live()) == [
        "https://other.example.org/shelf/",
        "https://shelf.example.org/shelf/",
    ]
    desk.run_due()
    desk.wait(timedelta(seconds=30))
    assert desk.deliver(desk.exchange.notification(desk.exchange.open[desk.watches("s")[0].channel], "exists")) == [204]
    assert desk.due() == ["s"]


def test_a_rule_that_only_sends_is_not_told_of_changes(desk: WatchDesk) -> None:
    desk.rule(direction="push")
    desk.sync()
    assert (desk.asked(), desk.watches()) == ([], [])


def test_an_upstream_that_tells_nobody_is_asked_for_nothing(desk: WatchDesk) -> None:
    desk.unwatchable = True
    desk.rule()
    desk.sync()
    found = desk.status()
    assert (found.watch, found.watch_problem) == (None, None)


@pytest.mark.parametrize("address", [None, "http://cal.example.org", "http://127.0.0.1:5232"])
def test_without_an_https_address_nothing_is_opened_and_status_says_why(desk: WatchDesk, address: str | None) -> None:
    desk.public_url = address
    desk.rule()
    desk.sync()

    problem = desk.status().watch_problem
    assert problem is not None
    assert problem.code == NO_PUBLIC_ADDRESS
    assert "server.public_url" in problem.sentence
    assert (desk.asked(), desk.watches()) == ([], [])
    assert desk.poll() is not None
    assert desk.status().watch_problem == problem

    desk.public_url = HTTPS
    desk.poll()
    assert desk.asked() == ["watch"]
    assert desk.status().watch_problem is None


# Renewing.


def test_a_watch_is_renewed_at_a_fifth_of_its_life_left_and_the_old_one_closed_after_that(told: WatchDesk) -> None:
    (old,) = told.exchange.live()
    told.wait(0.79 * WEEK)
    told.sync()
    assert told.asked() == []

    told.wait(0.02 * WEEK)
    told.sync()

    assert told.asked() == ["watch"]
    assert told.exchange.most_open == 2, "they overlap"
    (new,) = [each for each in told.exchange.live() if each is not old]
    counts = told.status().watch
    assert counts is not None
    assert counts.channel == new.watch.channel
    assert told.deliver(told.exchange.notification(new, "exists")) == [204]

    assert told.close() == 1
    assert told.exchange.live() == [new]
    assert [each.channel for each in told.watches()] == [new.watch.channel]


def test_a_renewal_comes_in_time_though_the_rule_asks_seldom(desk: WatchDesk) -> None:
    desk.rule(poll="7d")
    desk.sync()
    desk.run_due()
    for _ in range(30):
        desk.wait(DAY)
        desk.run_due()
        desk.close()
        assert len(desk.exchange.live()) == 1


def test_while_everything_goes_well_there_is_always_a_watch(desk: WatchDesk) -> None:
    desk.rule(poll="1h")
    desk.exchange.life = timedelta(hours=10)
    desk.sync()
    for _ in range(200):
        desk.wait(HOUR / 2)
        desk.run_due()
        desk.close()
        assert len(desk.exchange.live()) == 1
    # Ten hours each, of which eight are used.
    assert 12 <= len(desk.exchange.ever) <= 15


def test_a_renewal_that_fails_leaves_the_old_watch_and_is_tried_again(told: WatchDesk) -> None:
    (old,) = told.exchange.live()
    told.wait(0.81 * WEEK)
    told.exchange.refusal = UpstreamUnavailable("The other side does not answer.")
    told.sync()

    found = told.status()
    assert found.watch is not None
    assert found.watch_problem is not None
    assert (found.watch.channel, found.watch_problem.code) == (old.watch.channel, "UpstreamUnavailable")
    assert told.close() == 0

    told.exchange.refusal = None
    told.wait(HOUR)
    told.sync()
    found = told.status()
    assert found.watch is not None
    assert (found.watch.channel != old.watch.channel, found.watch_problem) == (True, None)
    assert told.close() == 1
    assert old not in told.exchange.live()


def test_a_watch_that_ends_at_once_is_not_opened_over_and_over(desk: WatchDesk) -> None:
    desk.rule()
    desk.exchange.life = timedelta(seconds=-5)
    desk.sync()
    for _ in range(12):
        desk.run_due()
        desk.wait(timedelta(minutes=5))
    problem = desk.status().watch_problem
    assert problem is not None
    assert (problem.code, "clock" in problem.remedy) == (TOO_SHORT, True)
    assert len(desk.exchange.ever) <= 6
    assert desk.calls().count("changes") <= 14

    desk.exchange.life = WEEK
    desk.wait(DAY)
    desk.sync()
    assert desk.status().watch is not None


# Refused, lost, killed.


@pytest.mark.parametrize(
    "error", [refused(), LoginRefused("No right."), Throttled("Later.", after=timedelta(minutes=20))], ids=type
)
def test_where_no_watch_can_be_opened_the_rule_asks_as_ever(desk: WatchDesk, error: Exception) -> None:
    desk.exchange.refusal = error
    desk.rule()
    desk.sync()

    problem = desk.status().watch_problem
    assert problem is not None
    assert (problem.code, problem.sentence) == (type(error).__name__, str(error).partition(" Renew")[0])
    assert desk.rule_now().problem is None
    assert desk.rule_now().failures == 0
    for number in range(1, 13):
        desk.remote().put(appointment(f"a{number}"))
        desk.poll()
        assert len(desk.resource().titles()) == number
    assert 2 <= desk.asked().count("watch") <= 6, "tried again, ever more seldom"
    assert desk.status().watch_problem is not None

    desk.exchange.refusal = None
    desk.wait(HOUR)
    desk.sync()
    assert desk.status().watch is not None
    assert desk.status().watch_problem is None


def test_a_refused_opening_leaves_nothing_behind(desk: WatchDesk) -> None:
    desk.exchange.refusal = refused()
    desk.rule()
    desk.sync()
    assert desk.watches() == []


def test_an_upstream_that_asks_to_be_left_alone_is_not_asked_for_a_watch_before(desk: WatchDesk) -> None:
    desk.exchange.refusal = Throttled("Later.", after=timedelta(minutes=50))
    desk.rule()
    desk.sync()
    for _ in range(9):
        desk.poll()
    assert desk.asked() == ["watch"]
    desk.poll()
    assert desk.asked() == ["watch"]


def test_an_opening_whose_answer_was_lost_is_known_by_its_first_notification(desk: WatchDesk) -> None:
    desk.rule()
    desk.exchange.loses_answers = True
    desk.sync()
    desk.exchange.loses_answers = False
    assert desk.status().watch is None

    assert desk.deliver(*desk.exchange.notifications("sync")) == [204]

    assert desk.status().watch is not None
    desk.poll()
    assert desk.status().watch_problem is None
    assert desk.asked() == ["watch"], "it is open, so no other is opened"


def test_an_opening_that_was_never_heard_of_is_repeated_and_a_late_sign_of_it_closes_it(desk: WatchDesk) -> None:
    desk.rule()
    desk.exchange.loses_answers = True
    desk.sync()
    (orphan,) = desk.exchange.live()
    desk.exchange.loses_answers = False
    desk.wait(HOUR)
    desk.sync()
    desk.run_due()
    (mine,) = [each for each in desk.exchange.live() if each is not orphan]
    assert desk.close() == 0, "its name there is not known"

    assert desk.deliver(desk.exchange.notification(orphan, "exists")) == [204]

    assert desk.due() == [], "the other one tells as well"
    assert desk.close() == 1
    assert desk.exchange.live() == [mine]


@pytest.mark.parametrize("opened", [False, True], ids=["before it was opened", "before that was stored"])
def test_a_worker_that_is_killed_while_it_opens_a_watch_leaves_nothing_that_works(
    desk: WatchDesk, monkeypatch: pytest.MonkeyPatch, *, opened: bool
) -> None:
    desk.rule()
    if opened:

        def killed(*_args: object, **_named: object) -> None:
            raise Killed

        monkeypatch.setattr(watch_table, "note_open", killed)
    else:
        desk.exchange.refusal = Killed()
    with pytest.raises(Killed):
        desk.sync()
    monkeypatch.undo()
    desk.exchange.refusal = None
    orphans = desk.exchange.live()
    assert len(orphans) == int(opened)

    desk.die()
    desk.run_due()

    (mine,) = [each for each in desk.exchange.live() if each not in orphans]
    assert desk.status().watch is not None
    desk.run_due()
    assert desk.deliver(*(desk.exchange.notification(each, "exists") for each in orphans)) == [204] * len(orphans)
    desk.close()
    assert desk.exchange.live() == [mine]
    assert desk.deliver(*(desk.exchange.notification(each, "exists") for each in orphans)) == [404] * len(orphans)
    assert desk.due() == []


# Closing.


def test_a_pause_closes_the_watch_and_its_end_opens_another(told: WatchDesk) -> None:
    rule_id = told.rule_now().id
    with told.database.writing() as tx:
        rules.pause(tx, rule_id)
    assert told.close() == 1
    assert told.exchange.live() == []

    with told.database.writing() as tx:
        rules.resume(tx, rule_id)
    told.run_due()
    assert len(told.exchange.live()) == 1
    assert told.status().watch is not None


def test_a_rule_that_leaves_the_configuration_has_its_watch_closed(told: WatchDesk) -> None:
    told.drop_rule()
    assert told.close() == 1
    assert told.exchange.live() == []


def test_a_rule_that_is_removed_has_its_watch_closed(told: WatchDesk) -> None:
    with told.database.writing() as tx:
        rules.remove(tx, told.rule_now().id)
    assert told.close() == 1
    assert told.exchange.live() == []


def test_a_rule_that_only_sends_from_now_on_has_its_watch_closed(told: WatchDesk) -> None:
    told.rule(direction="push")
    told.run_due()
    assert told.close() == 1
    assert (told.exchange.live(), told.status().watch) == ([], None)


def test_another_calendar_is_watched_in_place_of_the_one_that_is_gone(told: WatchDesk) -> None:
    shelf = told.remote().shelf
    shelf.exists = False
    told.poll(fails=True)
    assert told.close() == 1

    shelf.exists, shelf.id = True, "https://shelf.example.org/another/"
    told.wait(HOUR)
    told.sync()
    assert [each.calendar for each in told.exchange.live()] == ["https://shelf.example.org/another/"]
    assert told.status().watch is not None


def test_another_public_address_gets_the_notifications_from_now_on(told: WatchDesk) -> None:
    told.public_url = "https://new.example.org"
    told.poll()
    assert told.close() == 1
    assert [each.address for each in told.exchange.live()] == ["https://new.example.org/hooks/caldav"]


def test_without_a_public_address_any_more_the_watch_is_closed(told: WatchDesk) -> None:
    told.public_url = None
    told.poll()
    assert told.close() == 1
    assert told.exchange.live() == []
    told.poll()
    problem = told.status().watch_problem
    assert problem is not None
    assert problem.code == NO_PUBLIC_ADDRESS


def test_closing_that_fails_is_tried_again_ever_more_seldom(told: WatchDesk) -> None:
    told.drop_rule()
    told.exchange.refusal = UpstreamUnavailable("The other side does not answer.")
    for _ in range(600):
        assert told.close() == 0
        told.wait(timedelta(seconds=30))
    assert 6 <= told.asked().count("unwatch") <= 12

    told.exchange.refusal = None
    told.wait(HOUR)
    assert told.close() == 1
    assert told.exchange.live() == []


def test_what_cannot_be_closed_does_not_keep_the_rest_open(told: WatchDesk) -> None:
    told.rule("s", "bert", "other")
    told.sync("s")
    told.drop_rule("r")
    told.drop_rule("s")
    # The connection has left the configuration as well.
    del told.remotes["shelf"]
    assert told.close() == 2
    assert [each.calendar for each in told.exchange.live()] == ["https://shelf.example.org/shelf/"]
    assert told.close() == 0
    assert told.deliver(*told.exchange.notifications()) == [404]


def test_several_workers_close_a_watch_once(told: WatchDesk) -> None:
    told.drop_rule()
    with told.database.writing() as tx:
        (found,) = watch_table.to_close(tx, limit=9)
        assert watch_table.try_closing(tx, found.channel, until=tx.now + HOUR)
    assert told.close() == 0
    assert told.asked() == []
