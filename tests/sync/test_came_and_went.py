"""Tests that nothing waits for ever: what came and went before anybody looked is settled."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.store import outbox
from tests.store.appointments import appointment
from tests.sync.desk import QUIET

if TYPE_CHECKING:
    from tests.sync.desk import SyncDesk


def test_what_came_and_went_there_before_it_was_fetched_is_forgotten(desk: SyncDesk) -> None:
    desk.rule()
    desk.sync()
    with desk.database.writing() as tx:
        outbox.note_there(tx, desk.rule_now().id, [("vanished.ics", "changed")])
    (report,) = desk.run_due()

    assert set(report.counts) <= QUIET
    assert desk.waiting() == (0, 0)
    assert desk.due() == []


def test_what_was_untied_after_a_refusal_is_not_waited_for(desk: SyncDesk) -> None:
    desk.rule()
    desk.resource().put(appointment("a"))
    desk.sync()
    gone = desk.remote().id_of("a")
    with desk.database.writing() as tx:
        outbox.note_there(tx, desk.rule_now().id, [(gone, "changed"), ("other.ics", "gone")])
    desk.run_due()
    assert desk.waiting() == (0, 0)
    assert desk.resource().titles() == desk.remote().titles() == {"a": "Haircut"}
