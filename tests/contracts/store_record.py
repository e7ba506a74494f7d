"""What every database must do for runs, holds and parked objects: inherited beside `tests.contracts.store`."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from bridge.core.sides import Side
from bridge.errors import Conflict, NotFound
from bridge.store import held, parked, run
from bridge.store import rule as rules
from bridge.store.held import Held, HeldItem, State
from bridge.store.parked import Parked
from tests.store.assignments import MINUTE, claim, declare, finish, read

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bridge.store.rule import Rule
    from tests.store.desk import Desk


def begin(desk: Desk, rule: Rule) -> int:
    with desk.database.writing() as tx:
        return run.begin(tx, rule.id, "poll")


def delete(desk: Desk, run_id: int, side: Side, *, deletes: bool = True) -> None:
    with desk.database.writing() as tx:
        run.note(tx, run_id, move="delete", side=side, uid="u", summary="Cut", deletes=deletes)


class RunContract:
    """What passes did."""

    def test_a_run_tells_what_it_did_and_how_it_ended(self, desk: Desk) -> None:
        rule = declare(desk)
        number = begin(desk, rule)
        (running,) = read(desk, run.recent)
        assert (running.ended_at, running.outcome, running.moves) == (None, "", {})
        desk.clock.go_on(MINUTE)
        with desk.database.writing() as tx:
            run.note(tx, number, move="pull", side=Side.HERE, uid="a", summary="Cut\0", note="SUMMARY")
            run.note(tx, number, move="delete there", side=Side.THERE, uid="b", summary="Shave", deletes=True)
            run.end(tx, number, outcome="failed", moves={"pull": 1}, requests=7, problem="No such host.")

        done = read(desk, lambda tx: run.get(tx, number))
        assert (done.rule_id, done.kind, done.outcome, done.requests) == (rule.id, "poll", "failed", 7)
        assert (done.moves, done.problem) == ({"pull": 1}, "No such host.")
        assert (done.started_at, done.ended_at) == (desk.clock.now - MINUTE, desk.clock.now)
        pulled, deleted = read(desk, lambda tx: run.items(tx, number))
        assert (pulled.move, pulled.side, pulled.uid, pulled.note) == ("pull", Side.HERE, "a", "SUMMARY")
        assert (pulled.summary, pulled.deletes, pulled.at) == ("Cut\N{REPLACEMENT CHARACTER}", False, desk.clock.now)
        assert (deleted.side, deleted.deletes, deleted.run_id) == (Side.THERE, True, number)

    def test_the_newest_runs_come_first_of_one_rule_or_of_all(self, desk: Desk) -> None:
        one, two = declare(desk, "one"), declare(desk, "two")
        first, second, third = (begin(desk, rule) for rule in (one, two, one))

        assert [each.id for each in read(desk, run.recent)] == [third, second, first]
        assert [each.id for each in read(desk, lambda tx: run.recent(tx, one.id))] == [third, first]
        assert [each.id for each in read(desk, lambda tx: run.recent(tx, limit=1))] == [third]

    def test_old_runs_are_forgotten_with_what_they_did(self, desk: Desk) -> None:
        rule = declare(desk)
        old = begin(desk, rule)
        delete(desk, old, Side.HERE)
        desk.clock.go_on(MINUTE)
        new = begin(desk, rule)

        with desk.database.writing() as tx:
            assert run.expire(tx, tx.now) == 1

        assert [each.id for each in read(desk, run.recent)] == [new]
        assert read(desk, lambda tx: run.items(tx, old)) == []
        with pytest.raises(NotFound, match="calbridge log"), desk.database.reading() as tx:
            run.get(tx, old)

    def test_no_number_of_a_run_is_given_twice(self, desk: Desk) -> None:
        rule = declare(desk)
        old = begin(desk, rule)
        with desk.database.writing() as tx:
            rules.remove(tx, rule.id)

        assert begin(desk, declare(desk)) > old

    def test_deletions_of_late_are_counted_but_not_those_that_a_person_approved(self, desk: Desk) -> None:
        rule, other = declare(desk), declare(desk, "other")
        first, foreign = begin(desk, rule), begin(desk, other)
        delete(desk, first, Side.HERE)
        desk.clock.go_on(timedelta(hours=1))
        second = begin(desk, rule)
        delete(desk, second, Side.HERE)
        delete(desk, second, Side.THERE)
        delete(desk, second, Side.THERE)
        delete(desk, second, Side.HERE, deletes=False)
        delete(desk, foreign, Side.HERE)

        now = desk.clock.now
        assert read(desk, lambda tx: run.deletions_since(tx, rule.id, now)) == (1, 2)
        assert read(desk, lambda tx: run.deletions_since(tx, rule.id, now - timedelta(hours=1))) == (2, 2)
        assert read(desk, lambda tx: run.deletions_since(tx, other.id, now + MINUTE)) == (0, 0)


def hold(desk: Desk, rule: Rule, *uids: str, side: Side = Side.HERE, total: int = 10) -> Held:
    items: Iterable[HeldItem] = [HeldItem(uid, f"/{uid}.ics", f"Title {uid}") for uid in uids]
    with desk.database.writing() as tx:
        return held.open_or_extend(tx, rule.id, side, items, total=total)


class HeldContract:
    """Deletions that wait for a person."""

    def test_a_hold_shows_what_would_be_deleted(self, desk: Desk) -> None:
        rule = declare(desk)

        new = hold(desk, rule, "b", "a")

        assert (new.rule_id, new.side, new.at, new.total) == (rule.id, Side.HERE, desk.clock.now, 10)
        assert (new.state, new.decided_at, new.decided_by) == (State.WAITING, None, "")
        assert read(desk, held.waiting) == [new] == [read(desk, lambda tx: held.get(tx, new.id))]
        items = read(desk, lambda tx: held.items(tx, new.id))
        assert items == [HeldItem("a", "/a.ics", "Title a"), HeldItem("b", "/b.ics", "Title b")]

    def test_a_rule_has_one_waiting_hold_a_side_which_grows(self, desk: Desk) -> None:
        one, two = declare(desk, "one"), declare(desk, "two")
        first = hold(desk, one, "a")
        desk.clock.go_on(MINUTE)

        again = hold(desk, one, "a", "b")
        there, other = hold(desk, one, "a", side=Side.THERE), hold(desk, two)

        assert again == first
        assert read(desk, held.waiting) == [first, there, other]
        assert read(desk, lambda tx: held.waiting(tx, two.id)) == [other]
        assert read(desk, lambda tx: held.uids(tx, one.id, Side.HERE, State.WAITING)) == {"a", "b"}

    def test_an_approved_hold_makes_its_rule_due_and_says_what_may_go(self, desk: Desk) -> None:
        rule = finish(desk, declare(desk))
        number = hold(desk, rule, "a", "b").id

        with desk.database.writing() as tx:
            done = held.approve(tx, number, by="boss")

        assert (done.state, done.decided_at, done.decided_by) == (State.APPROVED, desk.clock.now, "boss")
        assert claim(desk) == [rule.id]
        assert read(desk, held.waiting) == []
        assert read(desk, lambda tx: held.uids(tx, rule.id, Side.HERE, State.APPROVED)) == {"a", "b"}
        assert read(desk, lambda tx: held.uids(tx, rule.id, Side.THERE, State.APPROVED)) == set()
        assert hold(desk, rule, "c").id > number, "what comes later waits for itself"

    def test_a_refused_hold_makes_its_rule_due_and_says_what_has_to_stay(self, desk: Desk) -> None:
        rule = finish(desk, declare(desk))
        number = hold(desk, rule, "a").id

        with desk.database.writing() as tx:
            assert held.refuse(tx, number, by="boss").state is State.REFUSED

        assert claim(desk) == [rule.id]
        assert read(desk, lambda tx: held.uids(tx, rule.id, Side.HERE, State.REFUSED)) == {"a"}

    def test_a_hold_is_decided_once(self, desk: Desk) -> None:
        number = hold(desk, declare(desk), "a").id
        with desk.database.writing() as tx:
            held.refuse(tx, number, by="boss")

        with pytest.raises(Conflict, match="refused already"), desk.database.writing() as tx:
            held.approve(tx, number, by="anna")

        assert read(desk, lambda tx: held.get(tx, number)).decided_by == "boss"

    def test_a_waiting_hold_dissolves_with_the_last_reason_for_it(self, desk: Desk) -> None:
        rule = declare(desk)
        number = hold(desk, rule, "a", "b").id
        there = hold(desk, rule, "a", side=Side.THERE).id

        with desk.database.writing() as tx:
            held.take_out(tx, rule.id, Side.HERE, ["a", "c"])
        assert [each.uid for each in read(desk, lambda tx: held.items(tx, number))] == ["b"]
        with desk.database.writing() as tx:
            held.take_out(tx, rule.id, Side.HERE, ["b"])
            held.take_out(tx, rule.id, Side.HERE, [])

        assert [each.id for each in read(desk, held.waiting)] == [there]
        with desk.database.writing() as tx:
            held.take_out(tx, rule.id, Side.THERE, ["a"])
        assert read(desk, held.waiting) == []
        with pytest.raises(NotFound, match="held list"), desk.database.writing() as tx:
            held.approve(tx, there, by="boss")

    def test_a_decided_hold_stays_as_a_record_until_it_is_old_and_dealt_with(self, desk: Desk) -> None:
        rule = declare(desk)
        number = hold(desk, rule, "a").id
        with desk.database.writing() as tx:
            held.approve(tx, number, by="boss")
        desk.clock.go_on(MINUTE)
        with desk.database.writing() as tx:
            assert held.expire(tx, tx.now) == 0, "what may go is still there"
            held.take_out(tx, rule.id, Side.HERE, ["a"])
        assert read(desk, lambda tx: held.get(tx, number)).state is State.APPROVED

        with desk.database.writing() as tx:
            assert held.expire(tx, tx.now) == 1


class ParkedContract:
    """Objects that are set aside."""

    def test_a_parked_object_says_why_and_how_often(self, desk: Desk) -> None:
        rule = declare(desk)
        for reason in ("Too large.", "Still too large.\0"):
            with desk.database.writing() as tx:
                parked.park(
                    tx,
                    rule.id,
                    Side.HERE,
                    "haircut",
                    uid="haircut",
                    summary="Cut",
                    reason=reason,
                    remedy="Shorten it.",
                    property="DESCRIPTION",
                )
            desk.clock.go_on(MINUTE)

        assert read(desk, parked.every) == [
            Parked(
                rule_id=rule.id,
                side=Side.HERE,
                key="haircut",
                uid="haircut",
                summary="Cut",
                reason="Still too large.\N{REPLACEMENT CHARACTER}",
                remedy="Shorten it.",
                property="DESCRIPTION",
                at=desk.clock.now - MINUTE,
                attempts=2,
            )
        ]

    def test_parked_objects_are_those_of_one_rule_or_of_all(self, desk: Desk) -> None:
        one, two = declare(desk, "one"), declare(desk, "two")
        for rule, side in ((one, Side.HERE), (one, Side.THERE), (two, Side.HERE)):
            with desk.database.writing() as tx:
                parked.park(tx, rule.id, side, "x", uid="", summary="", reason="No.")
            desk.clock.go_on(MINUTE)

        with desk.database.writing() as tx:
            assert parked.unpark(tx, one.id, Side.HERE, "x")
            assert not parked.unpark(tx, one.id, Side.HERE, "x")

        assert [(each.rule_id, each.side) for each in read(desk, parked.every)] == [
            (two.id, Side.HERE),
            (one.id, Side.THERE),
        ]
        assert [each.side for each in read(desk, lambda tx: parked.every(tx, one.id))] == [Side.THERE]
