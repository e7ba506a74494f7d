"""Tests of transactions, and of what the store says when the database is in trouble."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import event, text

from bridge.errors import StoreError, StoreFull, StoreReadOnly, StoreUnavailable, Turn
from bridge.store import calendar_object, collection
from bridge.store.database import Database
from tests.store.appointments import appointment
from tests.store.desk import ANNA, Clock, Desk
from tests.store.integrity import check_integrity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.postgresql import PostgreSQL

A_MOMENT = timedelta(milliseconds=200)


@pytest.fixture
def hasty(url: str, clock: Clock) -> Iterator[Database]:
    """The test's database, opened by someone with little patience and two connections."""
    database = Database(url, clock=clock, connections=1, patience=A_MOMENT)
    yield database
    database.close()


def test_what_was_written_is_there_for_everyone(desk: Desk, open_database: Callable[[], Database]) -> None:
    anna = desk.calendar()
    desk.put(anna, "x.ics", appointment())

    assert Desk(open_database(), desk.clock).summaries(anna) == {"x.ics": "Haircut"}


def test_a_reading_transaction_sees_one_state(desk: Desk) -> None:
    anna = desk.calendar()
    with desk.database.reading() as tx:
        before = collection.changes_since(tx, desk.state(), "")
        desk.put(anna, "x.ics", appointment())

        assert collection.changes_since(tx, desk.state(), "").changes == before.changes == ()


def test_a_reading_transaction_cannot_write(desk: Desk) -> None:
    anna = desk.calendar()

    with pytest.raises(StoreReadOnly), desk.database.reading() as tx:
        calendar_object.put(tx, anna, "x.ics", appointment(), author=ANNA)

    desk.put(anna, "y.ics", appointment())
    assert desk.summaries(anna) == {"y.ics": "Haircut"}


def test_a_second_write_that_waits_too_long_is_told_to_come_again(desk: Desk, hasty: Database) -> None:
    anna = desk.calendar()

    with desk.database.writing() as tx:
        collection.lock(tx, [anna])
        with pytest.raises(StoreUnavailable) as refused:
            Desk(hasty, desk.clock).put(anna, "x.ics", appointment())

    assert refused.value.turn is Turn.RETRY
    assert Desk(hasty, desk.clock).put(anna, "x.ics", appointment()).created


def test_a_second_write_in_the_same_process_that_waits_too_long_is_told_to_come_again(hasty: Database) -> None:
    desk = Desk(hasty, Clock())
    anna = desk.calendar()
    refused: list[StoreError] = []

    def put() -> None:
        try:
            desk.put(anna, "x.ics", appointment())
        except StoreError as error:
            refused.append(error)

    with hasty.writing() as tx:
        collection.lock(tx, [anna])
        other = threading.Thread(target=put)
        other.start()
        other.join()

    assert [type(error) for error in refused] == [StoreUnavailable]
    assert desk.put(anna, "x.ics", appointment()).created


def test_with_every_connection_busy_one_more_is_told_to_come_again(hasty: Database) -> None:
    with (
        hasty.reading(),
        hasty.reading(),
        pytest.raises(StoreUnavailable, match="connection has been busy"),
        hasty.reading(),
    ):
        pass

    with hasty.reading() as tx:
        assert not tx.writing


def test_a_calendar_that_was_deleted_meanwhile_is_no_crash(desk: Desk) -> None:
    with pytest.raises(StoreUnavailable), desk.database.writing() as tx:
        collection.set_properties(tx, 4711, "anna", {"D:displayname": "Anna"})


class TestSqlite:
    """Trouble that only a file can have."""

    @pytest.fixture
    def backend(self) -> str:
        return "sqlite"

    @pytest.fixture
    def path(self, tmp_path: Path, url: str) -> Path:
        assert url.endswith("store.sqlite3")
        return tmp_path / "store.sqlite3"

    @pytest.mark.parametrize("in_a_savepoint", [False, True], ids=["", "in a savepoint"])
    def test_a_full_disk_stores_nothing_and_says_so(self, desk: Desk, *, in_a_savepoint: bool) -> None:
        anna = desk.calendar()
        desk.put(anna, "x.ics", appointment("x"))
        large = appointment("y", summary="Haircut " * 100_000)
        fill_the_disk(desk.database, full=True)

        def put() -> None:
            with desk.database.writing() as tx:
                if not in_a_savepoint:
                    calendar_object.put(tx, anna, "y.ics", large, author=ANNA)
                    return
                with tx.savepoint():
                    calendar_object.put(tx, anna, "y.ics", large, author=ANNA)

        with pytest.raises(StoreFull, match=r"nothing was stored\. Free some space"):
            put()

        assert desk.summaries(anna) == {"x.ics": "Haircut"}
        fill_the_disk(desk.database, full=False)
        put()
        assert set(desk.summaries(anna)) == {"x.ics", "y.ics"}
        check_integrity(desk.database)

    def test_after_a_full_disk_nothing_follows_in_the_same_transaction(self, desk: Desk) -> None:
        anna = desk.calendar()
        large = appointment("y", summary="Haircut " * 100_000)
        fill_the_disk(desk.database, full=True)

        def put_whatever_fits() -> None:
            with desk.database.writing() as tx:
                for href, new in {"x.ics": appointment("x"), "y.ics": large, "z.ics": appointment("z")}.items():
                    with suppress(StoreFull), tx.savepoint():
                        calendar_object.put(tx, anna, href, new, author=ANNA)

        with pytest.raises(StoreUnavailable, match="undid the whole transaction"):
            put_whatever_fits()

        assert desk.summaries(anna) == {}

    def test_a_transaction_that_ends_after_a_full_disk_does_not_pretend_to_have_stored_anything(
        self, desk: Desk
    ) -> None:
        anna = desk.calendar()
        large = appointment("y", summary="Haircut " * 100_000)
        fill_the_disk(desk.database, full=True)

        def put_whatever_fits() -> None:
            with desk.database.writing() as tx:
                for href, new in {"x.ics": appointment("x"), "y.ics": large}.items():
                    with suppress(StoreFull), tx.savepoint():
                        calendar_object.put(tx, anna, href, new, author=ANNA)

        with pytest.raises(StoreUnavailable):
            put_whatever_fits()

        assert desk.summaries(anna) == {}

    def test_a_file_that_may_not_be_written_can_still_be_read(self, desk: Desk, path: Path) -> None:
        anna = desk.calendar()
        desk.put(anna, "x.ics", appointment())
        reader = Desk(Database(f"sqlite:///file:{path}?mode=ro&uri=true", clock=desk.clock), desk.clock)

        assert reader.summaries(anna) == {"x.ics": "Haircut"}
        with pytest.raises(StoreReadOnly, match="Let the server's user write"):
            reader.remove(anna, "x.ics")
        reader.database.close()

    def test_a_file_that_another_program_keeps_locked_is_to_be_tried_again(self, hasty: Database, path: Path) -> None:
        desk = Desk(hasty, Clock())
        anna = desk.calendar()
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")

        with pytest.raises(StoreUnavailable):
            desk.put(anna, "x.ics", appointment())
        assert desk.summaries(anna) == {}

        other.execute("ROLLBACK")
        other.close()
        assert desk.put(anna, "x.ics", appointment()).created

    def test_a_folder_that_is_not_there_is_out_of_reach(self, tmp_path: Path) -> None:
        database = Database(f"sqlite:///{tmp_path}/nowhere/x.sqlite3", clock=Clock())

        with pytest.raises(StoreUnavailable):
            database.migrate()

    def test_a_file_that_is_no_database_is_refused_and_left_alone(self, tmp_path: Path) -> None:
        path = tmp_path / "x.sqlite3"
        path.write_text("This is my diary." * 100)
        database = Database(f"sqlite:///{path}", clock=Clock())

        with pytest.raises(StoreError, match="cannot be read"):
            database.migrate()

        assert path.read_text() == "This is my diary." * 100


class TestPostgreSQL:
    """Trouble that only a server can have."""

    @pytest.fixture
    def backend(self) -> str:
        return "postgresql"

    def test_a_server_that_stops_in_the_middle_is_to_be_tried_again_until_it_is_back(
        self, desk: Desk, postgresql: PostgreSQL
    ) -> None:
        anna = desk.calendar()
        desk.put(anna, "x.ics", appointment())

        def put_while_it_stops() -> None:
            with desk.database.writing() as tx:
                calendar_object.put(tx, anna, "y.ics", appointment("y"), author=ANNA)
                postgresql.stop()

        try:
            with pytest.raises(StoreUnavailable):
                put_while_it_stops()
            with pytest.raises(StoreUnavailable):
                desk.summaries(anna)
            with pytest.raises(StoreUnavailable):
                desk.put(anna, "y.ics", appointment("y"))
        finally:
            postgresql.start()

        assert set(desk.summaries(anna)) == {"x.ics"}
        assert desk.put(anna, "y.ics", appointment("y")).created
        check_integrity(desk.database)

    def test_a_server_that_stops_while_someone_reads_is_to_be_tried_again(
        self, desk: Desk, postgresql: PostgreSQL
    ) -> None:
        anna = desk.calendar()

        def read_while_it_stops() -> None:
            with desk.database.reading() as tx:
                collection.properties(tx, anna, "anna")
                postgresql.stop()
                collection.properties(tx, anna, "anna")

        try:
            with pytest.raises(StoreUnavailable):
                read_while_it_stops()
        finally:
            postgresql.start()

        assert desk.summaries(anna) == {}

    def test_of_two_that_wait_for_each_other_one_is_to_be_tried_again(self, desk: Desk) -> None:
        rows = [desk.calendar("anna"), desk.calendar("bert")]
        both_hold_one = threading.Barrier(2, timeout=30)
        outcomes: list[str] = []

        def lock(first: int, second: int) -> None:
            query = text("SELECT 1 FROM collection WHERE id = :id FOR UPDATE")
            try:
                with desk.database.writing() as tx:
                    tx.connection.execute(query, {"id": first})
                    both_hold_one.wait()
                    tx.connection.execute(query, {"id": second})
                outcomes.append("done")
            except StoreUnavailable:
                outcomes.append("to be tried again")

        threads = [threading.Thread(target=lock, args=order) for order in (rows, rows[::-1])]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert sorted(outcomes) == ["done", "to be tried again"]

    def test_a_database_that_is_not_there_is_out_of_reach(self, postgresql: PostgreSQL) -> None:
        database = Database(postgresql.url("nowhere"), clock=Clock())

        with pytest.raises(StoreUnavailable):
            database.check()


def fill_the_disk(database: Database, *, full: bool) -> None:
    """Lets SQLite take a few more pages only, as on a disk with no room."""

    def limit(connection: sqlite3.Connection, _record: object) -> None:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages + 1 if full else 1_000_000}")

    database.engine.dispose()
    event.listen(database.engine, "connect", limit)
