"""What every database must do for intents: inherited beside `tests.contracts.store`."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from bridge.core.sides import Side
from bridge.store import calendar_object, lease, outbox
from bridge.store import rule as rules
from bridge.store.journal import Author
from bridge.store.outbox import Waiting
from bridge.store.put_many import put_many
from tests.store.appointments import appointment
from tests.store.assignments import MINUTE, declare, intents, read

if TYPE_CHECKING:
    from bridge.store.rule import Rule
    from tests.store.desk import Desk


def waiting(desk: Desk, rule: Rule) -> list[str]:
    return sorted(intent.key for intent in intents(desk, rule))


def settle_all(desk: Desk, *rules_: Rule) -> None:
    for rule in rules_:
        for intent in intents(desk, rule):
            with desk.database.writing() as tx:
                assert outbox.settle(tx, intent)


class OutboxContract:
    """Whatever changes is looked at by every rule that has to know."""

    def test_each_change_is_noted_once_for_each_rule_of_its_calendar(self, desk: Desk) -> None:
        one, two, other = declare(desk, "one"), declare(desk, "two"), declare(desk, "other", of="bert")
        desk.put(desk.calendar(), "x.ics", appointment())
        desk.put(desk.calendar(), "x.ics", appointment(summary="Colour"))

        assert (waiting(desk, one), waiting(desk, two), waiting(desk, other)) == (["haircut"], ["haircut"], [])
        (intent,) = intents(desk, one)
        assert (intent.rule_id, intent.side, intent.version, intent.hint) == (one.id, Side.HERE, 2, "")
        assert (intent.noted_at, intent.not_before, intent.attempts) == (desk.clock.now, desk.clock.now, 0)

    def test_every_way_to_change_something_is_noted(self, desk: Desk) -> None:
        anna, room = desk.calendar("anna"), desk.calendar("room-1")
        here, there = declare(desk, "here"), declare(desk, "there", of="room-1")
        desk.put(anna, "a.ics", appointment("a"))
        assert (waiting(desk, here), waiting(desk, there)) == (["a"], [])
        settle_all(desk, here)

        desk.put(room, "a.ics", appointment("a"), joinable={anna, room})
        assert (waiting(desk, here), waiting(desk, there)) == ([], ["a"])
        settle_all(desk, there)

        desk.put(room, "a.ics", appointment("a", "Shared"))
        assert (waiting(desk, here), waiting(desk, there)) == (["a"], ["a"])
        settle_all(desk, here, there)

        with desk.database.writing() as tx:
            put_many(tx, anna, [("a.ics", appointment("a")), ("b.ics", appointment("b"))], author=desk.author)
        assert (waiting(desk, here), waiting(desk, there)) == (["a", "b"], ["a"])
        settle_all(desk, here, there)

        desk.move((anna, "b.ics"), (room, "b.ics"))
        assert (waiting(desk, here), waiting(desk, there)) == (["b"], ["b"])
        settle_all(desk, here, there)

        desk.remove(room, "b.ics")
        assert (waiting(desk, here), waiting(desk, there)) == ([], ["b"])
        settle_all(desk, there)

        desk.undo(desk.history("room-1", uid="b")[0])
        assert (waiting(desk, here), waiting(desk, there)) == ([], ["b"])

    def test_a_put_that_changes_nothing_is_not_noted(self, desk: Desk) -> None:
        desk.put(desk.calendar(), "x.ics", appointment())
        rule = declare(desk)

        desk.put(desk.calendar(), "x.ics", appointment())

        assert waiting(desk, rule) == []

    def test_what_a_rule_changes_itself_is_news_to_the_others_only(self, desk: Desk) -> None:
        anna, room = desk.calendar("anna"), desk.calendar("room-1")
        mine, sibling, far = declare(desk, "mine"), declare(desk, "sibling"), declare(desk, "far", of="room-1")
        for here in (anna, room):
            desk.put(here, "x.ics", appointment(), joinable={anna, room})
        settle_all(desk, mine, sibling, far)

        by_rule = replace(desk, author=Author("rule:mine", "run:1", mine.id))
        by_rule.put(anna, "x.ics", appointment(summary="Pulled"))

        assert (waiting(desk, mine), waiting(desk, sibling), waiting(desk, far)) == ([], ["haircut"], ["haircut"])

    def test_rules_that_do_not_push_and_those_left_over_hear_nothing(self, desk: Desk) -> None:
        pulls, gone = declare(desk, "pulls", pushes=False), declare(desk, "gone")
        with desk.database.writing() as tx:
            rules.leave_over(tx, keep={pulls.id})

        desk.put(desk.calendar(), "x.ics", appointment())

        assert (waiting(desk, pulls), waiting(desk, gone)) == ([], [])

    def test_where_no_rule_pushes_nothing_is_noted(self, desk: Desk) -> None:
        rule, bert = declare(desk), desk.calendar("bert")

        with desk.database.writing() as tx:
            outbox.note_here(tx, bert, ["haircut"], except_rule=None)

        assert waiting(desk, rule) == []

    def test_a_settled_intent_that_was_noted_again_in_between_stays(self, desk: Desk) -> None:
        rule = declare(desk)
        desk.put(desk.calendar(), "x.ics", appointment())
        (taken,) = intents(desk, rule)
        desk.clock.go_on(MINUTE)
        desk.put(desk.calendar(), "x.ics", appointment(summary="Colour"))

        with desk.database.writing() as tx:
            assert not outbox.settle(tx, taken)
            assert not outbox.postpone(tx, taken, tx.now + MINUTE)

        (again,) = intents(desk, rule)
        assert (again.version, again.attempts, again.noted_at) == (2, 0, desk.clock.now - MINUTE)
        with desk.database.writing() as tx:
            assert outbox.settle(tx, again)
        assert waiting(desk, rule) == []

    def test_an_old_version_settles_nothing_that_was_noted_after_it_was_settled(self, desk: Desk) -> None:
        rule = declare(desk)
        desk.put(desk.calendar(), "x.ics", appointment())
        (taken,) = intents(desk, rule)
        settle_all(desk, rule)
        desk.put(desk.calendar(), "x.ics", appointment(summary="Colour"))

        with desk.database.writing() as tx:
            assert not outbox.settle(tx, taken)

        assert waiting(desk, rule) == ["haircut"]

    def test_what_is_put_off_waits_until_then_or_until_it_changes_again(self, desk: Desk) -> None:
        rule = declare(desk)
        desk.put(desk.calendar(), "x.ics", appointment())
        desk.put(desk.calendar(), "y.ics", appointment("y"))
        for intent in intents(desk, rule):
            with desk.database.writing() as tx:
                assert outbox.postpone(tx, intent, tx.now + MINUTE)
        assert intents(desk, rule) == []

        desk.put(desk.calendar(), "y.ics", appointment("y", "Colour"))
        assert [(intent.key, intent.attempts) for intent in intents(desk, rule)] == [("y", 0)]
        desk.clock.go_on(MINUTE)
        assert [(intent.key, intent.attempts) for intent in intents(desk, rule)] == [("y", 0), ("haircut", 1)]

    def test_what_changed_last_comes_first_and_what_has_waited_longest_is_among_them(self, desk: Desk) -> None:
        rule = declare(desk)
        for uid in ("c", "a", "b", "d", "e"):
            desk.put(desk.calendar(), f"{uid}.ics", appointment(uid))
            desk.clock.go_on(MINUTE)

        with desk.database.reading() as tx:
            taken = {
                limit: [each.key for each in outbox.take(tx, rule.id, now=tx.now, limit=limit)]
                for limit in (1, 2, 4, 9)
            }
            assert taken == {1: ["c"], 2: ["e", "c"], 4: ["e", "d", "a", "c"], 9: ["e", "d", "b", "a", "c"]}
            assert outbox.take(tx, rule.id, now=tx.now - timedelta(hours=1), limit=2) == []

    def test_what_changed_there_comes_after_what_changed_here(self, desk: Desk) -> None:
        rule = declare(desk)
        with desk.database.writing() as tx:
            outbox.note_there(tx, rule.id, [("/x/1.ics", "changed"), ("/x/2.ics", "gone")])
        desk.put(desk.calendar(), "c.ics", appointment("c"))

        assert [intent.key for intent in intents(desk, rule)] == ["c", "/x/1.ics", "/x/2.ics"]

    def test_only_what_changed_here_since_is_new(self, desk: Desk) -> None:
        rule = declare(desk)
        desk.put(desk.calendar(), "a.ics", appointment("a"))
        with desk.database.reading() as tx:
            last = outbox.last(tx)
        for uid in ("b", "c", "d"):
            desk.put(desk.calendar(), f"{uid}.ics", appointment(uid))
        with desk.database.writing() as tx:
            outbox.note_there(tx, rule.id, [("/x/1.ics", "changed")])

        with desk.database.reading() as tx:
            found = outbox.newest(tx, rule.id, now=tx.now, after=last, limit=2)

        assert [each.key for each in found] == ["d", "c"]

    def test_remote_objects_are_noted_with_what_was_last_said_of_them(self, desk: Desk) -> None:
        rule = declare(desk)
        desk.put(desk.calendar(), "x.ics", appointment("a"))

        with desk.database.writing() as tx:
            refused = outbox.note_there(tx, rule.id, [("a", "gone"), ("b", "absent"), ("a", "changed"), ("\0", "gone")])
            assert outbox.note_there(tx, rule.id, []) == []

        assert refused == ["\0"]
        there = [each for each in intents(desk, rule) if each.side is Side.THERE]
        assert [(each.key, each.hint, each.version) for each in there] == [("a", "changed", 1), ("b", "absent", 1)]
        assert read(desk, lambda tx: outbox.waiting(tx, rule.id)) == Waiting(1, 2, desk.clock.now)

    def test_the_lag_is_known(self, desk: Desk) -> None:
        rule = declare(desk)
        assert read(desk, lambda tx: outbox.waiting(tx, rule.id)) == Waiting(0, 0, None)
        began = desk.clock.now
        desk.put(desk.calendar(), "x.ics", appointment())
        desk.clock.go_on(MINUTE)
        desk.put(desk.calendar(), "x.ics", appointment(summary="Colour"))
        desk.put(desk.calendar(), "y.ics", appointment("y"))

        assert read(desk, lambda tx: outbox.waiting(tx, rule.id)) == Waiting(2, 0, began)

    @pytest.mark.parametrize(("side", "hint"), [(Side.HERE, ""), (Side.THERE, "changed")])
    def test_what_is_brought_back_is_looked_at_again(self, desk: Desk, side: Side, hint: str) -> None:
        rule = declare(desk)

        with desk.database.writing() as tx:
            outbox.bring_back(tx, rule.id, side, ["x", "x"])

        assert [(each.side, each.key, each.hint) for each in intents(desk, rule)] == [(side, "x", hint)]

    def test_what_is_noted_for_later_is_ready_then(self, desk: Desk) -> None:
        rule = declare(desk)
        with desk.database.writing() as tx:
            outbox.note_there(tx, rule.id, [("x", "absent")], not_before=tx.now + MINUTE)
            outbox.bring_back(tx, rule.id, Side.HERE, ["y"], not_before=tx.now + 2 * MINUTE)

        assert intents(desk, rule) == []
        desk.clock.go_on(MINUTE)
        assert waiting(desk, rule) == ["x"]
        desk.clock.go_on(MINUTE)
        assert waiting(desk, rule) == ["x", "y"]

    def test_a_change_that_is_undone_by_an_error_leaves_no_intent(self, desk: Desk) -> None:
        rule, anna = declare(desk), desk.calendar()

        with desk.database.writing() as tx:
            calendar_object.put(tx, anna, "x.ics", appointment(), author=desk.author)
            tx.connection.rollback()

        assert waiting(desk, rule) == []
        assert read(desk, lease.next_due) == rule.due_at
