"""What every database must do for watches: inherited beside `tests.contracts.store`."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from bridge.store import rule as rules
from bridge.store import status, watch, watch_problem
from tests.store.assignments import MINUTE, claim, declare, read

if TYPE_CHECKING:
    from collections.abc import Callable

    from bridge.store.database import Database, Transaction
    from bridge.store.rule import Rule
    from bridge.store.watch import WatchRecord
    from tests.store.desk import Clock, Desk

DAY = timedelta(days=1)


def announce(desk: Desk, rule: Rule, channel: str = "c") -> None:
    with desk.database.writing() as tx:
        watch.announce(
            tx,
            channel,
            rule_id=rule.id,
            connection="anna-google",
            calendar="primary",
            address="https://cal.example.org/hooks/google",
            expires_at=tx.now + 8 * DAY,
        )


def open_watch(desk: Desk, rule: Rule, channel: str = "c", *, life: timedelta = 5 * DAY) -> None:
    announce(desk, rule, channel)
    with desk.database.writing() as tx:
        watch.note_open(tx, channel, resource=f"r-{channel}", expires_at=tx.now + life)


def of_rule(desk: Desk, rule: Rule) -> list[WatchRecord]:
    return read(desk, lambda tx: watch.of_rule(tx, rule.id))


def to_close(desk: Desk) -> list[str]:
    return [each.channel for each in read(desk, lambda tx: watch.to_close(tx, limit=9))]


class WatchContract:
    """A watch is kept from before it is opened until it is closed."""

    def test_a_watch_is_open_once_the_upstream_said_so(self, desk: Desk) -> None:
        rule = declare(desk)
        announce(desk, rule)
        (announced,) = of_rule(desk, rule)
        assert (announced.resource, announced.is_open(desk.clock.now), announced.heard_at) == (None, False, None)
        assert (announced.connection, announced.calendar) == ("anna-google", "primary")

        with desk.database.writing() as tx:
            watch.note_open(tx, "c", resource="r", expires_at=tx.now + 5 * DAY)

        (kept,) = of_rule(desk, rule)
        assert (kept.resource, kept.is_open(desk.clock.now)) == ("r", True)
        assert kept.renews_at == desk.clock.now + 4 * DAY
        assert not kept.is_open(desk.clock.now + 5 * DAY)

    def test_the_one_that_lasts_longest_counts(self, desk: Desk) -> None:
        rule = declare(desk)
        open_watch(desk, rule, "long", life=5 * DAY)
        open_watch(desk, rule, "short", life=DAY)
        assert [each.channel for each in of_rule(desk, rule)] == ["short", "long"]
        assert read(desk, watch.open_by_rule)[rule.id].channel == "long"

        with desk.database.writing() as tx:
            watch.drop(tx, rule.id, keep="short")
        assert read(desk, watch.open_by_rule)[rule.id].channel == "short"
        assert to_close(desk) == ["long"]

    def test_what_is_announced_only_cannot_be_closed_until_it_is_heard_of(self, desk: Desk) -> None:
        rule = declare(desk)
        announce(desk, rule)
        with desk.database.writing() as tx:
            watch.drop(tx, rule.id)
        assert to_close(desk) == []
        with desk.database.writing() as tx:
            watch.note_open(tx, "c", resource="r", expires_at=tx.now + DAY)
        assert to_close(desk) == ["c"]

    @pytest.mark.parametrize(
        "end",
        [rules.pause, rules.remove, lambda tx, _: rules.leave_over(tx, keep=()), watch.drop],
        ids=["paused", "removed", "left over", "dropped"],
    )
    def test_a_watch_that_nobody_wants_is_to_be_closed(
        self, desk: Desk, end: Callable[[Transaction, int], object]
    ) -> None:
        rule = declare(desk)
        open_watch(desk, rule)
        assert to_close(desk) == []
        with desk.database.writing() as tx:
            end(tx, rule.id)
        assert to_close(desk) == ["c"]

    def test_the_watch_of_another_rule_stays(self, desk: Desk) -> None:
        rule, other = declare(desk), declare(desk, "other")
        open_watch(desk, rule)
        open_watch(desk, other, "stays")
        with desk.database.writing() as tx:
            rules.pause(tx, rule.id)
            watch.drop(tx, rule.id)
        assert to_close(desk) == ["c"]

    def test_closing_is_tried_by_one_at_a_time_and_again_after_a_while(self, desk: Desk) -> None:
        rule = declare(desk)
        open_watch(desk, rule)
        with desk.database.writing() as tx:
            watch.drop(tx, rule.id)
            assert watch.try_closing(tx, "c", until=tx.now + MINUTE)
        with desk.database.writing() as tx:
            assert not watch.try_closing(tx, "c", until=tx.now + MINUTE)
        assert to_close(desk) == []

        desk.clock.go_on(MINUTE)

        assert to_close(desk) == ["c"]
        (kept,) = of_rule(desk, rule)
        assert kept.attempts == 1
        with desk.database.writing() as tx:
            watch.forget(tx, "c")
        assert of_rule(desk, rule) == []

    def test_a_watch_that_has_ended_is_neither_closed_nor_listened_to(self, desk: Desk) -> None:
        rule = declare(desk)
        open_watch(desk, rule, life=DAY)
        with desk.database.writing() as tx:
            rules.pause(tx, rule.id)
            assert watch.expire(tx) == 0
        desk.clock.go_on(DAY)
        assert to_close(desk) == []
        assert read(desk, lambda tx: watch.listener(tx, "c")) is None
        assert read(desk, watch.open_by_rule) == {}
        with desk.database.writing() as tx:
            assert watch.expire(tx) == 1
        assert of_rule(desk, rule) == []

    def test_a_listener_tells_what_a_notification_concerns(self, desk: Desk) -> None:
        rule = declare(desk)
        open_watch(desk, rule)
        claim(desk)
        with desk.database.writing() as tx:
            rules.make_due(tx, rule.id, tx.now + MINUTE)

        found = read(desk, lambda tx: watch.listener(tx, "c"))

        assert found is not None
        assert (found.watch.rule_id, found.runs) == (rule.id, True)
        assert (found.wanted_at, found.last_started_at) == (desk.clock.now + MINUTE, desk.clock.now)
        assert read(desk, lambda tx: watch.listener(tx, "d")) is None

    def test_a_listener_of_a_removed_rule_concerns_nothing(self, desk: Desk) -> None:
        rule = declare(desk)
        open_watch(desk, rule)
        with desk.database.writing() as tx:
            rules.remove(tx, rule.id)

        found = read(desk, lambda tx: watch.listener(tx, "c"))

        assert found is not None
        assert (found.watch.rule_id, found.runs) == (None, False)
        assert to_close(desk) == ["c"]

    def test_what_was_heard_last_is_kept(self, desk: Desk) -> None:
        rule = declare(desk)
        open_watch(desk, rule)
        desk.clock.go_on(MINUTE)
        with desk.database.writing() as tx:
            watch.note_heard(tx, "c", number=17)
        (found,) = read(desk, status.read)
        assert found.watch is not None
        assert (found.watch.heard_at, found.watch.number) == (desk.clock.now, 17)

    def test_why_there_is_none_is_kept_with_since_when_and_how_often(self, desk: Desk) -> None:
        rule = declare(desk)
        began = desk.clock.now

        def note(code: str) -> None:
            with desk.database.writing() as tx:
                watch_problem.note(tx, rule.id, code=code, sentence="No\0.", remedy="Do.", not_before=tx.now + MINUTE)

        note("RemoteRefused")
        desk.clock.go_on(MINUTE)
        note("RemoteRefused")
        problem = read(desk, lambda tx: watch_problem.find(tx, rule.id))
        assert problem is not None
        assert (problem.since, problem.failures, problem.not_before) == (began, 2, desk.clock.now + MINUTE)
        assert (problem.code, problem.sentence, problem.remedy) == (
            "RemoteRefused",
            "No\N{REPLACEMENT CHARACTER}.",
            "Do.",
        )

        note("Throttled")
        (found,) = read(desk, status.read)
        assert found.watch_problem is not None
        assert (found.watch_problem.since, found.watch_problem.failures) == (desk.clock.now, 1)

        with desk.database.writing() as tx:
            watch_problem.clear(tx, rule.id)
        assert read(desk, watch_problem.by_rule) == {}

    def test_the_problem_goes_with_its_rule(self, desk: Desk) -> None:
        rule = declare(desk)
        with desk.database.writing() as tx:
            watch_problem.note(tx, rule.id, code="c", sentence="s", remedy="", not_before=tx.now)
            rules.remove(tx, rule.id)
        assert read(desk, watch_problem.by_rule) == {}

    def test_two_processes_see_the_same_watches(
        self, desk: Desk, open_database: Callable[[], Database], clock: Clock
    ) -> None:
        rule = declare(desk)
        open_watch(desk, rule)
        with open_database().reading() as tx:
            assert watch.listener(tx, "c") is not None
        with open_database().writing() as tx:
            assert watch.try_closing(tx, "c", until=clock.now + MINUTE)
        with desk.database.writing() as tx:
            assert not watch.try_closing(tx, "c", until=clock.now + MINUTE)
