"""What every database must do for rules: inherited beside `tests.contracts.store`."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from bridge.errors import NotFound
from bridge.store import lease, outbox
from bridge.store import rule as rules
from bridge.store.rule import Problem
from tests.store.appointments import appointment
from tests.store.assignments import MINUTE, claim, declare, finish, read

if TYPE_CHECKING:
    from collections.abc import Callable

    from bridge.store.database import Transaction
    from tests.store.desk import Desk

PROBLEM = "The upstream refuses the password."


class RuleContract:
    """Rules come with the configuration, and stay until a person removes them."""

    def test_a_new_rule_is_due_and_has_everything_before_it(self, desk: Desk) -> None:
        new = declare(desk)

        assert read(desk, lambda tx: rules.get(tx, new.id)) == new
        assert read(desk, lambda tx: rules.find(tx, "anna-google")) == new
        assert (new.active, new.paused, new.due_at, new.failures) == (True, False, desk.clock.now, 0)
        assert (new.cursor, new.adopted_at, new.last_full_at, new.problem, new.left_over_at) == (None,) * 5
        assert (new.collection_id, new.target, new.pushes) == (desk.calendar(), "salon/anna|google|primary", True)

    def test_declaring_it_again_as_it_is_changes_nothing(self, desk: Desk) -> None:
        new = finish(desk, declare(desk))

        desk.clock.go_on(MINUTE)

        assert declare(desk) == new

    def test_other_options_keep_the_rule_and_have_it_compare_everything_now(self, desk: Desk) -> None:
        old = finish(desk, declare(desk), failures=3, not_before=desk.clock.now + MINUTE)
        with desk.database.writing() as tx:
            rules.note_cursor(tx, old.id, "sync-1")
            rules.note_adopted(tx, old.id)
            rules.note_full(tx, old.id)
        desk.clock.go_on(MINUTE / 2)

        new = declare(desk, fingerprint="other", pushes=False)

        assert (new.id, new.cursor, new.adopted_at) == (old.id, "sync-1", desk.clock.now - MINUTE / 2)
        assert (new.due_at, new.not_before, new.failures) == (desk.clock.now, None, 0)
        assert (new.last_full_at, new.fingerprint, new.pushes) == (None, "other", False)

    def test_another_origin_is_taken_up_without_haste(self, desk: Desk) -> None:
        old = finish(desk, declare(desk))

        new = declare(desk, origin="ab.cd")

        assert new == replace(old, origin="ab.cd")

    def test_another_target_is_another_rule_and_the_old_one_is_left_over(self, desk: Desk) -> None:
        old = declare(desk)

        new = declare(desk, target="salon/anna|google|work")

        assert new.id != old.id
        assert read(desk, lambda tx: rules.find(tx, "anna-google")) == new
        _, left = read(desk, rules.every)
        assert (left.id, left.active, left.left_over_at) == (old.id, False, desk.clock.now)

    def test_what_left_the_configuration_is_left_over_and_never_runs(self, desk: Desk) -> None:
        stays, goes = declare(desk, "stays"), declare(desk, "goes")

        with desk.database.writing() as tx:
            (left,) = rules.leave_over(tx, keep={stays.id})
            assert rules.leave_over(tx, keep={stays.id}) == []

        assert (left.id, left.left_over_at) == (goes.id, desk.clock.now)
        assert read(desk, lambda tx: rules.find(tx, "goes")) is None
        assert [each.key for each in read(desk, rules.every)] == ["stays", "goes"]
        assert claim(desk) == [stays.id]

    def test_a_left_over_rule_that_comes_back_is_the_same_and_compares_everything(self, desk: Desk) -> None:
        old = finish(desk, declare(desk))
        with desk.database.writing() as tx:
            rules.note_full(tx, old.id)
            rules.leave_over(tx, keep=())

        again = declare(desk)

        assert (again.id, again.active, again.left_over_at) == (old.id, True, None)
        assert (again.last_full_at, again.due_at) == (None, desk.clock.now)

    def test_a_removed_rule_leaves_nothing_of_its_own(self, desk: Desk) -> None:
        gone, stays = declare(desk, "gone"), declare(desk, "stays")
        desk.put(desk.calendar(), "x.ics", appointment())

        with desk.database.writing() as tx:
            rules.remove(tx, gone.id)

        assert [each.id for each in read(desk, rules.every)] == [stays.id]
        assert read(desk, lambda tx: outbox.waiting(tx, gone.id).here) == 0
        assert read(desk, lambda tx: outbox.waiting(tx, stays.id).here) == 1

    @pytest.mark.parametrize(
        "work",
        [
            lambda tx: rules.get(tx, 4711),
            lambda tx: rules.remove(tx, 4711),
            lambda tx: rules.pause(tx, 4711),
            lambda tx: rules.resume(tx, 4711),
            lambda tx: rules.reset(tx, 4711),
            lambda tx: rules.make_due(tx, 4711, tx.now),
            lambda tx: rules.ask_now(tx, 4711),
            lambda tx: lease.take(tx, 4711, owner="cli", until=tx.now),
        ],
    )
    def test_a_rule_that_is_not_there_is_not_found(self, desk: Desk, work: Callable[[Transaction], object]) -> None:
        with pytest.raises(NotFound, match="calbridge rule list"), desk.database.writing() as tx:
            work(tx)

    def test_a_removed_rule_does_not_give_its_number_away(self, desk: Desk) -> None:
        gone = declare(desk)
        with desk.database.writing() as tx:
            rules.remove(tx, gone.id)

        assert declare(desk).id > gone.id

    def test_a_reset_rule_reads_everything_anew(self, desk: Desk) -> None:
        old = finish(desk, declare(desk), not_before=desk.clock.now + MINUTE)
        with desk.database.writing() as tx:
            rules.note_cursor(tx, old.id, "sync-1")
            rules.note_calendar(tx, old.id, "/calendars/anna/")
            rules.note_full(tx, old.id)
        assert read(desk, lambda tx: rules.get(tx, old.id)).calendar == "/calendars/anna/"

        with desk.database.writing() as tx:
            rules.reset(tx, old.id)

        new = read(desk, lambda tx: rules.get(tx, old.id))
        # Where it was is kept until it is looked up: only so is it seen that it is another one now.
        assert (new.cursor, new.calendar, new.last_full_at) == (None, "/calendars/anna/", None)
        assert (new.not_before, new.due_at) == (None, desk.clock.now)
        assert claim(desk) == [old.id]

    def test_a_calendar_that_is_gone_is_looked_up_anew(self, desk: Desk) -> None:
        rule = declare(desk)
        with desk.database.writing() as tx:
            rules.note_cursor(tx, rule.id, "sync-1")
            rules.note_calendar(tx, rule.id, "/calendars/anna/")
            rules.forget_calendar(tx, rule.id)

        new = read(desk, lambda tx: rules.get(tx, rule.id))
        assert (new.cursor, new.calendar) == (None, None)

    def test_a_problem_is_kept_with_its_beginning(self, desk: Desk) -> None:
        began = desk.clock.now
        finish(desk, declare(desk), problem=Problem("login", PROBLEM, "Change it.", began))
        desk.clock.go_on(timedelta(hours=1))

        same = finish(desk, declare(desk), problem=Problem("login", PROBLEM + "\0", "", desk.clock.now))
        other = finish(desk, declare(desk), problem=Problem("host", "No such host.", "", desk.clock.now))
        well = finish(desk, declare(desk))

        assert same.problem is not None
        assert (same.problem.since, same.problem.sentence) == (began, PROBLEM + "\N{REPLACEMENT CHARACTER}")
        assert other.problem == Problem("host", "No such host.", "", desk.clock.now)
        assert well.problem is None
