"""What every database must tell of how all rules are doing: inherited beside `tests.contracts.store`."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from bridge.core.sides import Side
from bridge.store import conflict, held, outbox, parked, status
from bridge.store import link as links
from bridge.store import rule as rules
from bridge.store.held import HeldItem
from tests.store.appointments import appointment
from tests.store.assignments import MINUTE, claim, declare, finish, link, put_link, read

if TYPE_CHECKING:
    from tests.store.desk import Desk


class StatusContract:
    """How all rules are doing, in a few statements."""

    def test_a_rule_tells_what_it_has_done_and_what_waits(self, desk: Desk) -> None:
        rule = finish(desk, declare(desk))
        put_link(desk, link(rule), here=appointment(), there=appointment())
        put_link(desk, link(rule, "alone"))
        with desk.database.writing() as tx:
            outbox.bring_back(tx, rule.id, Side.HERE, ["a", "b"])
            held.open_or_extend(tx, rule.id, Side.HERE, [HeldItem(uid, None, "") for uid in "abc"], total=5)
            parked.park(tx, rule.id, Side.THERE, "x", uid="", summary="", reason="No.")
            etag = links.keep_body(tx, appointment().raw)
            conflict.note(
                tx, rule_id=rule.id, uid="a", summary="", lost_side=Side.HERE, lost=etag, kept=etag, properties=""
            )
        desk.clock.go_on(MINUTE)

        (found,) = read(desk, status.read)

        assert (found.rule, found.read_at) == (rule, desk.clock.now)
        assert (found.links, found.waiting, found.held, found.conflicts, found.parked) == (1, 2, 3, 1, 1)
        assert (found.oldest, found.lag, found.running) == (desk.clock.now - MINUTE, MINUTE, False)
        assert found.next_pass == desk.clock.now + timedelta(minutes=59)

    def test_a_rule_at_rest_has_nothing_to_tell(self, desk: Desk) -> None:
        declare(desk)

        (found,) = read(desk, status.read)

        assert (found.links, found.waiting, found.held, found.conflicts, found.parked) == (0, 0, 0, 0, 0)
        assert (found.oldest, found.lag) == (None, None)

    def test_what_a_person_has_decided_does_not_wait_for_one(self, desk: Desk) -> None:
        rule = declare(desk)
        with desk.database.writing() as tx:
            hold = held.open_or_extend(tx, rule.id, Side.HERE, [HeldItem("a", None, "")], total=5)
            held.refuse(tx, hold.id, by="boss")
            etag = links.keep_body(tx, appointment().raw)
            number = conflict.note(
                tx, rule_id=rule.id, uid="a", summary="", lost_side=Side.HERE, lost=etag, kept=etag, properties=""
            )
            conflict.set_state(tx, number, conflict.State.DISMISSED)

        (found,) = read(desk, status.read)

        assert (found.held, found.conflicts) == (0, 0)

    def test_a_rule_runs_while_a_worker_has_it(self, desk: Desk) -> None:
        declare(desk)
        claim(desk)

        (found,) = read(desk, status.read)
        assert found.running
        desk.clock.go_on(MINUTE)
        (found,) = read(desk, status.read)
        assert not found.running

    def test_the_next_pass_is_when_the_upstream_may_be_asked_again_or_never(self, desk: Desk) -> None:
        later = desk.clock.now + timedelta(hours=5)
        waits = finish(desk, declare(desk, "a waits"), not_before=later)
        paused, gone = declare(desk, "b paused"), declare(desk, "c gone")
        with desk.database.writing() as tx:
            rules.pause(tx, paused.id)
            rules.leave_over(tx, keep={waits.id, paused.id})

        found = read(desk, status.read)

        assert [(each.rule.id, each.next_pass) for each in found] == [
            (waits.id, later),
            (paused.id, None),
            (gone.id, None),
        ]
