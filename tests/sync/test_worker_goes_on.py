"""A worker goes on with its rules after whatever befell the machine for a moment."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from bridge.store import rule as rules
from bridge.store import status
from bridge.sync.worker import Observation, Worker
from tests.sync.appointments import event
from tests.system.process import eventually

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from structlog.typing import EventDict

    from tests.sync.desk import SyncDesk

PATIENCE = 30.0


class FailingClock:
    """A clock that cannot be read the first times that the worker's loop asks it."""

    def __init__(self, clock: Callable[[], datetime], times: int) -> None:
        self._clock = clock
        self._left = times

    def __call__(self) -> datetime:
        if self._left and threading.current_thread().name == "sync":
            self._left -= 1
            raise OSError("no clock")
        return self._clock()


def test_a_worker_goes_on_after_an_unexpected_fault(desk: SyncDesk) -> None:
    desk.remote().put(event("one", "Haircut"))
    here = desk.resource()
    desk.rule()
    done = threading.Event()
    office = replace(desk.office(), clock=FailingClock(desk.clock, 3))
    worker = Worker(office, owner="worker", threads=1, jitter=lambda: 1.0, observe=lambda _: done.set())

    worker.start()
    try:
        assert done.wait(PATIENCE)
    finally:
        worker.stop()

    assert here.titles() == {"one": "Haircut"}


def fill_the_disk(desk: SyncDesk) -> None:
    """Has the store refuse to note how a pass ended, as on a full disk."""
    full = "SELECT RAISE(ABORT, 'database or disk is full');"
    with desk.database.writing() as tx:
        tx.connection.exec_driver_sql(
            "CREATE TRIGGER no_room BEFORE UPDATE OF lease_owner ON rule "
            f"WHEN NEW.lease_owner IS NULL AND OLD.lease_owner IS NOT NULL BEGIN {full} END"
        )


def make_room(desk: SyncDesk) -> None:
    with desk.database.writing() as tx:
        tx.connection.exec_driver_sql("DROP TRIGGER no_room")


def runs(desk: SyncDesk) -> bool:
    with desk.database.reading() as tx:
        (found,) = status.read(tx)
    return found.running


@contextmanager
def ended_on_a_full_disk(desk: SyncDesk) -> Iterator[tuple[list[Observation], list[EventDict]]]:
    """A block that begins when a worker could not note how its pass had ended; gives what it notes, and its log."""
    ask_now(desk)
    noted: list[Observation] = []
    worker = Worker(desk.office(), owner="worker", threads=1, jitter=lambda: 1.0, observe=noted.append)
    fill_the_disk(desk)
    with capture_logs() as logged:
        worker.start()
        try:
            eventually(lambda: is_logged(logged, "sync_waits"), "the worker waits for the database")
            yield noted, logged
        finally:
            worker.stop()


def is_logged(logged: Sequence[EventDict], name: str) -> bool:
    return any(each["event"] == name for each in logged)


@pytest.mark.parametrize("problem", [False, True])
def test_a_pass_that_ended_while_the_disk_was_full_is_known_to_have_ended_as_soon_as_there_is_room(
    desk: SyncDesk, *, problem: bool
) -> None:
    desk.rule()
    desk.rest()
    desk.remote().shelf.exists = not problem

    with ended_on_a_full_disk(desk) as (noted, logged):
        assert runs(desk)
        assert noted == []
        make_room(desk)
        eventually(lambda: bool(noted), "the end of the pass is noted")

    found = desk.rule_now()
    assert not runs(desk)
    assert (found.problem is not None) == problem
    assert [each["event"] for each in logged].count("pass_not_noted") == 1


def test_what_another_worker_has_taken_over_meanwhile_is_not_noted(desk: SyncDesk) -> None:
    desk.rule()
    desk.rest()

    with ended_on_a_full_disk(desk) as (noted, logged):
        with desk.database.writing() as tx:
            tx.connection.exec_driver_sql("UPDATE rule SET lease_owner = 'another'")
        make_room(desk)
        eventually(lambda: is_logged(logged, "rule_taken_over"), "the worker sees that another has the rule")

    assert noted == []
    assert desk.rule_now().lease_owner == "another"


def ask_now(desk: SyncDesk) -> None:
    with desk.database.writing() as tx:
        rules.ask_now(tx, desk.rule_now().id)
