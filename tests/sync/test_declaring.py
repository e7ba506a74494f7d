"""Tests how a changed configuration reaches rules that wait."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.sync.desk import SyncDesk


def test_a_shorter_poll_counts_at_once(desk: SyncDesk) -> None:
    desk.rule(poll="7d")
    desk.sync()
    assert desk.rule_now().due_at - desk.clock.now > timedelta(days=5)
    desk.rule(poll="1m")
    assert desk.rule_now().due_at == desk.clock.now + timedelta(minutes=1)
    desk.wait(timedelta(minutes=1))
    assert desk.due() == ["r"]


def test_a_longer_poll_changes_nothing_for_the_next_pass(desk: SyncDesk) -> None:
    desk.rule(poll="1m")
    desk.sync()
    before = desk.rule_now()
    desk.rule(poll="7d")
    assert desk.rule_now().due_at == before.due_at


def test_a_rule_that_a_server_has_not_read_yet_runs_as_soon_as_it_has(desk: SyncDesk) -> None:
    desk.rule()
    read_later = desk.by_key.pop("r")
    assert desk.run_due(fails=True) == []
    assert desk.rule_now().problem is None
    assert desk.due() == []

    desk.by_key["r"] = read_later
    desk.wait(timedelta(seconds=1))

    assert len(desk.run_due()) == 1
    assert desk.rule_now().failures == 0


def test_a_rule_that_a_server_never_gets_to_read_is_in_trouble(desk: SyncDesk) -> None:
    desk.rule()
    del desk.by_key["r"]
    for _ in range(10):
        desk.run_due(fails=True)
        desk.wait(timedelta(seconds=1))

    problem = desk.rule_now().problem
    assert problem is not None
    assert "has no rule 'r'" in problem.sentence
    assert "the same file" in problem.remedy
