"""What every database must tell about how rules are doing: inherited beside `tests.contracts.store`."""

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
    from bridge.store.status import RuleStatus
    from tests.store.desk import Desk


def statuses(desk: Desk) -> dict[str, RuleStatus]:
    return {each.rule.key: each for each in read(desk, status.read)}


class StatusContract:
    """A few statements tell how all rules are doing."""

    def test_each_rule_is_counted_by_itself(self, desk: Desk) -> None:
        busy, idle = declare(desk, "busy"), declare(desk, "idle", pushes=False)
        text = appointment()
        put_link(desk, link(busy, "a"), here=text, there=text)
        put_link(desk, link(busy, "b"), here=text, there=text)
        put_link(desk, link(busy, "alone"))
        with desk.database.writing() as tx:
            outbox.note_there(tx, busy.id, [("x.ics", "changed"), ("y.ics", "gone")])
            held.open_or_extend(tx, busy.id, Side.HERE, [HeldItem("a", None, ""), HeldItem("b", None, "")], total=9)
            decided = held.open_or_extend(tx, busy.id, Side.THERE, [HeldItem("c", None, "")], total=9)
            held.approve(tx, decided.id, by="boss")
            parked.park(tx, busy.id, Side.HERE, "a", uid="a", summary="", reason="No.")
            body = links.keep_body(tx, text.raw)
            for uid in ("a", "b"):
                number = conflict.note(
                    tx,
                    rule_id=busy.id,
                    uid=uid,
                    summary="",
                    lost_side=Side.HERE,
                    lost=body,
                    kept=body,
                    properties="SUMMARY",
                )
            conflict.set_state(tx, number, conflict.State.DISMISSED)
        desk.clock.go_on(MINUTE)
        found = statuses(desk)

        one = found["busy"]
        assert (one.links, one.waiting, one.held, one.conflicts, one.parked) == (2, 2, 2, 1, 1)
        assert one.lag == MINUTE
        other = found["idle"]
        assert (other.links, other.waiting, other.held, other.conflicts, other.parked) == (0, 0, 0, 0, 0)
        assert other.lag is None
        assert other.rule == read(desk, lambda tx: rules.get(tx, idle.id))

    def test_the_next_pass_waits_for_what_the_rule_waits_for(self, desk: Desk) -> None:
        rule = finish(desk, declare(desk), not_before=desk.clock.now + timedelta(hours=2))
        assert statuses(desk)[rule.key].next_pass == desk.clock.now + timedelta(hours=2)
        with desk.database.writing() as tx:
            rules.pause(tx, rule.id)
        assert statuses(desk)[rule.key].next_pass is None

    def test_a_rule_runs_as_long_as_its_lease_lasts(self, desk: Desk) -> None:
        rule = declare(desk)
        assert not statuses(desk)[rule.key].running
        claim(desk)
        assert statuses(desk)[rule.key].running
        desk.clock.go_on(MINUTE)
        assert not statuses(desk)[rule.key].running
