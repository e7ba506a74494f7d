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
