"""What every database must do for the leases of rules: inherited beside `tests.contracts.store`."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from bridge.core.sides import Side
from bridge.errors import LeaseLost, NotFound
from bridge.store import lease, outbox
from bridge.store import rule as rules
from tests.store.appointments import appointment
from tests.store.assignments import MINUTE, claim, declare, finish, read

if TYPE_CHECKING:
    from collections.abc import Callable

    from bridge.store.database import Transaction
    from tests.store.desk import Desk

PROBLEM = "The upstream refuses the password."


class LeaseContract:
    """One worker runs a rule at a time."""

    def test_a_rule_is_claimed_once_until_its_worker_lets_go(self, desk: Desk) -> None:
        rule = declare(desk)

        with desk.database.writing() as tx:
            (mine,) = lease.claim(tx, owner="a", until=tx.now + MINUTE, limit=5)
        assert claim(desk, "b") == []

        assert (mine.lease_owner, mine.lease_until) == ("a", desk.clock.now + MINUTE)
        assert mine.last_started_at == desk.clock.now
        with desk.database.writing() as tx:
            assert lease.hold_lease(tx, rule.id, "a") == mine
            later = tx.now + timedelta(minutes=5)
            assert lease.finish(
                tx, rule.id, "a", due_at=later, not_before=None, failures=0, problem=None, succeeded=True
            )
        done = read(desk, lambda tx: rules.get(tx, rule.id))
        assert (done.lease_owner, done.lease_until, done.due_at) == (None, None, later)
        assert done.last_succeeded_at == desk.clock.now
        assert claim(desk, "b") == []
        desk.clock.go_on(timedelta(minutes=5))
        assert claim(desk, "b") == [rule.id]

    def test_one_rule_is_taken_whether_it_is_due_or_not_but_from_nobody(self, desk: Desk) -> None:
        waits = finish(desk, declare(desk, "waits"), not_before=desk.clock.now + MINUTE)
        paused, left = declare(desk, "paused"), declare(desk, "left")
        with desk.database.writing() as tx:
            rules.pause(tx, paused.id)
            rules.leave_over(tx, keep={waits.id, paused.id})
        assert claim(desk) == []

        for rule in (waits, paused, left):
            with desk.database.writing() as tx:
                mine = lease.take(tx, rule.id, owner="a", until=tx.now + MINUTE)
                assert mine is not None
                assert (mine.lease_owner, mine.due_at <= tx.now) == ("a", True)
                assert lease.hold_lease(tx, rule.id, "a").id == rule.id
            with desk.database.writing() as tx:
                assert lease.take(tx, rule.id, owner="b", until=tx.now + MINUTE) is None
        desk.clock.go_on(MINUTE)
        with desk.database.writing() as tx:
            assert lease.take(tx, waits.id, owner="b", until=tx.now + MINUTE)
        with desk.database.writing() as tx, pytest.raises(NotFound):
            lease.take(tx, 4711, owner="b", until=tx.now + MINUTE)

    def test_what_was_put_off_under_a_clock_that_was_ahead_is_due_when_it_is_right(self, desk: Desk) -> None:
        year, day = timedelta(days=365), timedelta(days=1)
        rule, dead = declare(desk), declare(desk, "dead")
        desk.clock.go_on(year)
        claim(desk, "a")
        with desk.database.writing() as tx:
            outbox.note_there(tx, rule.id, [("one", "changed")], not_before=tx.now + MINUTE)
            lease.finish(
                tx,
                rule.id,
                "a",
                due_at=tx.now + day,
                not_before=tx.now + day,
                failures=1,
                problem=None,
                succeeded=False,
            )
        desk.clock.go_on(-year)

        assert read(desk, lease.next_due) == desk.clock.now
        assert sorted(claim(desk, "b")) == sorted([rule.id, dead.id])

        with desk.database.reading() as tx:
            assert [each.key for each in outbox.take(tx, rule.id, now=tx.now, limit=5)] == ["one"]
        assert claim(desk, "c") == []

    def test_clocks_that_differ_by_seconds_make_nothing_due(self, desk: Desk) -> None:
        rule = declare(desk)
        desk.clock.go_on(timedelta(seconds=20))
        finish(desk, rule, not_before=None)
        desk.clock.go_on(timedelta(seconds=-20))

        assert claim(desk, "b") == []

    def test_a_lease_is_given_back_by_its_owner_alone(self, desk: Desk) -> None:
        rule = declare(desk)
        claim(desk, "a")
        with desk.database.writing() as tx:
            lease.release(tx, rule.id, "b")
            lease.hold_lease(tx, rule.id, "a")
            lease.release(tx, rule.id, "a")
        free = read(desk, lambda tx: rules.get(tx, rule.id))
        assert (free.lease_owner, free.lease_until, free.due_at) == (None, None, rule.due_at)
        assert claim(desk, "b") == [rule.id]

    def test_asking_now_ends_what_the_upstream_was_left_alone_for(self, desk: Desk) -> None:
        rule = finish(desk, declare(desk), not_before=desk.clock.now + MINUTE)
        assert claim(desk) == []
        with desk.database.writing() as tx:
            rules.ask_now(tx, rule.id)
        assert claim(desk) == [rule.id]

    def test_a_lease_that_ended_is_taken_over_and_its_old_worker_writes_nothing_more(self, desk: Desk) -> None:
        rule = declare(desk)
        claim(desk, "dead")
        desk.clock.go_on(MINUTE)
        with desk.database.writing() as tx:
            # Nobody has taken it over yet, so what is known by now may still be noted.
            lease.hold_lease(tx, rule.id, "dead")

        assert claim(desk, "b") == [rule.id]

        with pytest.raises(LeaseLost, match="anna-google"), desk.database.writing() as tx:
            lease.hold_lease(tx, rule.id, "dead")
        with pytest.raises(LeaseLost), desk.database.writing() as tx:
            lease.extend(tx, rule.id, "dead", tx.now + MINUTE)
        with pytest.raises(LeaseLost):
            finish(desk, rule, "dead")
        assert read(desk, lambda tx: rules.get(tx, rule.id)).lease_owner == "b"

    def test_an_extended_lease_lasts(self, desk: Desk) -> None:
        rule = declare(desk)
        claim(desk, "a")
        with desk.database.writing() as tx:
            lease.extend(tx, rule.id, "a", tx.now + 3 * MINUTE)

        desk.clock.go_on(2 * MINUTE)
        assert claim(desk, "b") == []
        desk.clock.go_on(MINUTE)
        assert claim(desk, "b") == [rule.id]

    @pytest.mark.parametrize(
        "change",
        [
            lambda tx, _: rules.leave_over(tx, keep=()),
            rules.reset,
            rules.remove,
        ],
    )
    def test_a_pass_over_a_rule_that_is_changed_meanwhile_writes_nothing_more(
        self, desk: Desk, change: Callable[[Transaction, int], object]
    ) -> None:
        rule = declare(desk)
        claim(desk, "a")

        with desk.database.writing() as tx:
            change(tx, rule.id)

        with pytest.raises(LeaseLost), desk.database.writing() as tx:
            lease.hold_lease(tx, rule.id, "a")
        assert claim(desk, "b") == [], "nobody begins before the other has let go"

    def test_new_options_take_effect_when_the_pass_with_the_old_ones_lets_go(self, desk: Desk) -> None:
        rule = declare(desk)
        claim(desk, "a")
        declare(desk, fingerprint="new")

        assert claim(desk, "b") == []
        with desk.database.writing() as tx:
            later = tx.now + timedelta(hours=1)
            noted = lease.finish(
                tx, rule.id, "a", due_at=later, not_before=later, failures=1, problem=None, succeeded=True
            )

        assert not noted, "what a pass under old options found does not count"
        assert claim(desk, "b") == [rule.id]
        with desk.database.writing() as tx:
            assert lease.hold_lease(tx, rule.id, "b").last_succeeded_at is None

    def test_whoever_waited_longest_comes_first(self, desk: Desk) -> None:
        ids = {}
        for minutes in (3, 1, 2):
            rule = declare(desk, f"{minutes}")
            ids[minutes] = rule.id
            finish(desk, rule, due_at=desk.clock.now + minutes * MINUTE)
        desk.clock.go_on(10 * MINUTE)

        with desk.database.writing() as tx:
            first = lease.claim(tx, owner="a", until=tx.now + MINUTE, limit=2)

        assert [each.id for each in first] == [ids[1], ids[2]]
        assert claim(desk, "b") == [ids[3]]

    def test_only_those_that_come_into_question_are_claimed(self, desk: Desk) -> None:
        one, two = declare(desk, "one"), declare(desk, "two")

        with desk.database.writing() as tx:
            assert lease.claim(tx, owner="a", until=tx.now + MINUTE, limit=5, only=()) == []
            (claimed,) = lease.claim(tx, owner="a", until=tx.now + MINUTE, limit=5, only=[two.id])

        assert claimed.id == two.id
        assert claim(desk) == [one.id]

    def test_a_change_here_makes_its_rule_run_before_its_time_and_says_so(self, desk: Desk) -> None:
        rule = finish(desk, declare(desk))
        assert claim(desk) == []

        desk.put(desk.calendar(), "x.ics", appointment())

        with desk.database.writing() as tx:
            (claimed,) = lease.claim(tx, owner="a", until=tx.now + MINUTE, limit=5)
        assert (claimed.id, claimed.due_at > desk.clock.now) == (rule.id, True)

    def test_an_intent_that_is_put_off_makes_its_rule_run_when_it_is_ready(self, desk: Desk) -> None:
        rule = finish(desk, declare(desk))
        desk.put(desk.calendar(), "x.ics", appointment())
        with desk.database.writing() as tx:
            (intent,) = outbox.take(tx, rule.id, now=tx.now, limit=5)
            outbox.postpone(tx, intent, tx.now + MINUTE)

        assert claim(desk) == []
        assert read(desk, lease.next_due) == desk.clock.now + MINUTE
        desk.clock.go_on(MINUTE)
        assert claim(desk) == [rule.id]

    def test_a_rule_that_leaves_the_upstream_alone_does_so_whatever_waits(self, desk: Desk) -> None:
        rule = finish(desk, declare(desk), not_before=desk.clock.now + 2 * MINUTE)
        desk.put(desk.calendar(), "x.ics", appointment())
        with desk.database.writing() as tx:
            rules.make_due(tx, rule.id, tx.now)

        assert claim(desk) == []
        assert read(desk, lease.next_due) == desk.clock.now + 2 * MINUTE
        desk.clock.go_on(2 * MINUTE)
        assert claim(desk) == [rule.id]

    def test_a_paused_rule_does_not_run_but_hears_of_everything(self, desk: Desk) -> None:
        rule = declare(desk)
        with desk.database.writing() as tx:
            rules.pause(tx, rule.id)
        desk.put(desk.calendar(), "x.ics", appointment())

        assert claim(desk) == []
        assert read(desk, lease.next_due) is None
        with desk.database.writing() as tx:
            rules.resume(tx, rule.id)
        assert claim(desk) == [rule.id]
        assert read(desk, lambda tx: outbox.waiting(tx, rule.id).here) == 1

    def test_who_asks_for_a_pass_while_one_is_running_gets_another(self, desk: Desk) -> None:
        rule = declare(desk)
        claim(desk, "a")
        with desk.database.writing() as tx:
            rules.make_due(tx, rule.id, tx.now + timedelta(seconds=30))
            rules.make_due(tx, rule.id, tx.now + timedelta(seconds=2))
            rules.make_due(tx, rule.id, tx.now + timedelta(seconds=9))

        finish(desk, rule, "a")

        assert read(desk, lease.next_due) == desk.clock.now + timedelta(seconds=2)
        desk.clock.go_on(timedelta(seconds=2))
        with desk.database.writing() as tx:
            (claimed,) = lease.claim(tx, owner="b", until=tx.now + MINUTE, limit=1)
        assert claimed.due_at == desk.clock.now

    def test_a_worker_that_dies_is_made_up_for_when_its_lease_ends(self, desk: Desk) -> None:
        declare(desk)
        claim(desk, "dead")

        assert read(desk, lease.next_due) == desk.clock.now + MINUTE

    def test_the_next_rule_is_known_without_claiming(self, desk: Desk) -> None:
        assert read(desk, lease.next_due) is None
        for number in (3, 1, 2):
            finish(desk, declare(desk, f"{number}"), due_at=desk.clock.now + number * MINUTE)

        assert read(desk, lease.next_due) == desk.clock.now + MINUTE

    def test_remote_objects_that_wait_make_a_rule_run_too(self, desk: Desk) -> None:
        rule = finish(desk, declare(desk))

        with desk.database.writing() as tx:
            outbox.bring_back(tx, rule.id, Side.THERE, ["remote-1"])

        assert claim(desk) == [rule.id]

    def test_who_is_asked_now_does_not_leave_the_upstream_alone_any_longer(self, desk: Desk) -> None:
        rule = finish(desk, declare(desk), not_before=desk.clock.now + MINUTE)

        with desk.database.writing() as tx:
            rules.ask_now(tx, rule.id)

        assert claim(desk) == [rule.id]

    @pytest.mark.parametrize("change", [rules.pause, lambda tx, _: rules.leave_over(tx, keep=())])
    def test_one_rule_is_taken_by_itself_whatever_it_is_told_to_wait_for(
        self, desk: Desk, change: Callable[[Transaction, int], object]
    ) -> None:
        rule = finish(desk, declare(desk), not_before=desk.clock.now + MINUTE)
        with desk.database.writing() as tx:
            change(tx, rule.id)

        with desk.database.writing() as tx:
            taken = lease.take(tx, rule.id, owner="cli", until=tx.now + MINUTE)
            assert taken is not None
            assert taken == lease.hold_lease(tx, rule.id, "cli")

        assert (taken.lease_owner, taken.due_at) == ("cli", desk.clock.now)

    def test_a_rule_that_a_worker_has_is_not_taken(self, desk: Desk) -> None:
        rule = declare(desk)
        claim(desk, "worker")

        with desk.database.writing() as tx:
            assert lease.take(tx, rule.id, owner="cli", until=tx.now + MINUTE) is None
            assert lease.hold_lease(tx, rule.id, "worker").lease_owner == "worker"

    def test_a_rule_that_is_released_is_as_due_as_before(self, desk: Desk) -> None:
        rule = declare(desk)
        claim(desk, "a")
        with desk.database.writing() as tx:
            lease.release(tx, rule.id, "somebody else")
        assert claim(desk, "b") == []

        with desk.database.writing() as tx:
            lease.release(tx, rule.id, "a")

        assert claim(desk, "b") == [rule.id]
