"""Tests that watches are open where they should be, and nowhere else, whatever goes wrong with them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bridge.errors import RemoteRefused, UpstreamUnavailable
from bridge.store import rule as rules
from bridge.store import watch as watch_table
from bridge.sync.watches import NO_PUBLIC_ADDRESS, TOO_SHORT
from bridge.upstream.powers import Watchable
from tests.fakes.shelf import FULL, Shelf, ShelfUpstream
from tests.fakes.watched_shelf import WEEK, Exchange, WatchedShelf
from tests.store.appointments import appointment, parse
from tests.store.desk import Clock
from tests.sync.watching import HTTPS, WatchDesk

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def test_the_fake_has_the_power_that_is_tested() -> None:
    exchange = Exchange(Clock())
    shelf = WatchedShelf(Shelf(), parse, FULL, exchange)
    assert isinstance(shelf, Watchable)
    assert not isinstance(ShelfUpstream(Shelf(), parse), Watchable)
    shelf.watch("c", channel="one", token="t", address=HTTPS)
    with pytest.raises(RemoteRefused, match="not unique"):
        shelf.watch("c", channel="one", token="t", address=HTTPS)


# Opening.


def test_the_first_pass_of_a_rule_opens_a_watch(watched: WatchDesk) -> None:
    watched.rule()
    watched.sync()

    (there,) = watched.exchange.live()
    (here,) = watched.watches()
    assert there.address == f"{HTTPS}/hooks/caldav"
    assert there.calendar == here.calendar == "https://shelf.example.org/shelf/"
    assert (here.channel, here.resource) == (there.watch.channel, there.watch.resource)
    assert here.expires_at == watched.clock.now + WEEK
    assert len(there.watch.channel) <= 64
    assert there.token not in repr(here)


def test_what_changed_while_the_first_watch_was_opened_is_found_at_once(watched: WatchDesk) -> None:
    watched.rule()
    remote = watched.remote()

    def just_then(when: str, call: str) -> None:
        if (when, call) == ("after", "changes") and not watched.exchange.ever and not remote.shelf.objects:
            remote.put(appointment("between"))

    remote.shelf.watched = just_then
    watched.sync()
    assert watched.resource().titles() == {}
    assert watched.due() == ["r"]
    watched.run_due()
    assert watched.resource().titles() == {"between": "Haircut"}
    assert watched.due() == []


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


def test_an_idle_poll_writes_nothing_about_its_watch(watched: WatchDesk) -> None:
    watched.rule()
    watched.sync()
    watched.run_due()
    with_watch = writes_of_a_poll(watched)
    watched.unwatchable = True
    watched.poll()
    assert with_watch == writes_of_a_poll(watched)


def writes_of_a_poll(watched: WatchDesk) -> int:
    before = watched.database.writes
    watched.poll()
    return watched.database.writes - before


def test_each_rule_has_a_watch_of_its_own(watched: WatchDesk) -> None:
    watched.rule()
    watched.rule("s", "bert", "other")
    watched.sync("r")
    watched.sync("s")
    assert sorted(each.calendar for each in watched.exchange.live()) == [
        "https://other.example.org/shelf/",
        "https://shelf.example.org/shelf/",
    ]
    watched.run_due()
    watched.wait(timedelta(seconds=30))
    assert watched.deliver(
        watched.exchange.notification(watched.exchange.open[watched.watches("s")[0].channel], "exists")
    ) == [204]
    assert watched.due() == ["s"]


def test_a_rule_that_only_sends_is_not_told_of_changes(watched: WatchDesk) -> None:
    watched.rule(direction="push")
    watched.sync()
    assert (watched.asked(), watched.watches()) == ([], [])


def test_an_upstream_that_tells_nobody_is_asked_for_nothing(watched: WatchDesk) -> None:
    watched.unwatchable = True
    watched.rule()
    watched.sync()
    found = watched.status()
    assert (found.watch, found.watch_problem) == (None, None)


@pytest.mark.parametrize("address", [None, "http://cal.example.org", "http://127.0.0.1:5232"])
def test_without_an_https_address_none_is_opened_and_status_says_why(watched: WatchDesk, address: str | None) -> None:
    watched.public_url = address
    watched.rule()
    watched.sync()

    problem = watched.status().watch_problem
    assert problem is not None
    assert problem.code == NO_PUBLIC_ADDRESS
    assert "server.public_url" in problem.sentence
    assert (watched.asked(), watched.watches()) == ([], [])
    assert watched.poll() is not None
    assert watched.status().watch_problem == problem

    watched.public_url = HTTPS
    watched.poll()
    assert watched.asked() == ["watch"]
    assert watched.status().watch_problem is None


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


def test_a_renewal_comes_in_time_though_the_rule_asks_seldom(watched: WatchDesk) -> None:
    watched.rule(poll="7d")
    watched.sync()
    watched.run_due()
    for _ in range(30):
        watched.wait(DAY)
        watched.run_due()
        watched.close()
        assert len(watched.exchange.live()) == 1


def test_while_everything_goes_well_there_is_always_a_watch(watched: WatchDesk) -> None:
    watched.rule(poll="1h")
    watched.exchange.life = timedelta(hours=10)
    watched.sync()
    for _ in range(200):
        watched.wait(HOUR / 2)
        watched.run_due()
        watched.close()
        assert len(watched.exchange.live()) == 1
    # Ten hours each, of which eight are used.
    assert 12 <= len(watched.exchange.ever) <= 15


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


def test_a_watch_that_ends_at_once_is_not_opened_over_and_over(watched: WatchDesk) -> None:
    watched.rule()
    watched.exchange.life = timedelta(seconds=-5)
    watched.sync()
    for _ in range(12):
        watched.run_due()
        watched.wait(timedelta(minutes=5))
    problem = watched.status().watch_problem
    assert problem is not None
    assert (problem.code, "clock" in problem.remedy) == (TOO_SHORT, True)
    assert len(watched.exchange.ever) <= 6
    assert watched.calls().count("changes") <= 14

    watched.exchange.life = WEEK
    watched.wait(DAY)
    watched.sync()
    assert watched.status().watch is not None


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
