"""Tests of the memory that empties itself when the database changes."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from bridge.store.collection import Address, Kind, get
from bridge.store.pulse import Pulse
from tests.store.appointments import appointment
from tests.store.desk import Desk

if TYPE_CHECKING:
    from collections.abc import Callable

    from bridge.store.database import Database, Transaction


def revision(tx: Transaction) -> int:
    return get(tx, Address(Kind.RESOURCE, "salon", "anna")).revision


def test_what_is_remembered_is_never_stale(
    desk: Desk, database: Database, open_database: Callable[[], Database]
) -> None:
    anna = desk.calendar()
    pulse = Pulse(database)
    assert pulse.remembered("anna", revision) == 0

    desk.put(anna, "x.ics", appointment())
    assert pulse.remembered("anna", revision) == 1

    Desk(open_database(), desk.clock).remove(anna, "x.ics")
    assert pulse.remembered("anna", revision) == 2


def test_each_thread_sees_the_present_state(desk: Desk, database: Database) -> None:
    anna = desk.calendar()
    pulse = Pulse(database)
    pulse.remembered("anna", revision)
    desk.put(anna, "x.ics", appointment())
    seen: list[int] = []

    thread = threading.Thread(target=lambda: seen.append(pulse.remembered("anna", revision)))
    thread.start()
    thread.join()

    assert seen == [1]


def test_a_failed_reading_is_not_remembered(desk: Desk, database: Database) -> None:
    pulse = Pulse(database)

    def fail(_: Transaction) -> int:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        pulse.remembered("anna", fail)

    desk.calendar()
    assert pulse.remembered("anna", revision) == 0


class TestSqlite:
    """Where the database tells cheaply whether it has changed."""

    @pytest.fixture
    def backend(self) -> str:
        return "sqlite"

    def test_nothing_is_read_again_while_nothing_changes(self, desk: Desk, database: Database) -> None:
        desk.calendar()
        pulse = Pulse(database)
        read: list[int] = []

        for _ in range(3):
            pulse.remembered("anna", lambda tx: read.append(revision(tx)))

        assert read == [0]

    def test_ones_own_writes_show_at_once_however_long_it_rests(self, desk: Desk, database: Database) -> None:
        anna = desk.calendar()
        pulse = Pulse(database, rest=timedelta(hours=1))
        assert pulse.remembered("anna", revision) == 0

        desk.put(anna, "x.ics", appointment())

        assert pulse.remembered("anna", revision) == 1

    def test_different_keys_are_remembered_apart(self, database: Database) -> None:
        pulse = Pulse(database)

        def read(value: int) -> Callable[[Transaction], int]:
            return lambda _: value

        assert [pulse.remembered(("feed", number), read(number)) for number in (1, 2, 1)] == [1, 2, 1]
