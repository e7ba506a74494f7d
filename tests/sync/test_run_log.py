"""Tests of what the log of passes says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.store import run as runs
from tests.sync.appointments import event

if TYPE_CHECKING:
    from tests.sync.desk import SyncDesk

MANY = 120


def test_it_says_how_many_requests_a_pass_took_over_all_its_connections(desk: SyncDesk) -> None:
    shelf = desk.remote().shelf
    desk.rule()
    desk.sync()
    for number in range(MANY):
        desk.resource().put(event(f"n{number}", "Cut"))
    shelf.calls.clear()

    desk.poll()

    with desk.database.reading() as tx:
        [run] = runs.recent(tx)
    assert run.requests == len(shelf.calls) >= MANY + 1
