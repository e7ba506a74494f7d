"""Tests of many writers and readers at once: no gap, no lost update, no error that a client would see."""

from __future__ import annotations

import subprocess
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from bridge.errors import Conflict, NotFound, PreconditionFailed
from bridge.store import calendar_object, collection, feed_record, journal, placement, sealed
from bridge.store.collection import Address, Kind
from bridge.store.database import Database
from tests.repository import TOP
from tests.store.appointments import appointment
from tests.store.desk import ANNA, Clock, Desk
from tests.store.integrity import check_integrity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

WRITERS = 8
READERS = 40


@dataclass
class Crew:
    """Threads that start together; what one of them raises fails the test."""

    errors: list[Exception] = field(default_factory=list)
    _threads: list[threading.Thread] = field(default_factory=list)

    def add(self, work: Callable[[], object], times: int = 1) -> None:
        def run() -> None:
            try:
                work()
            except Exception as error:  # noqa: BLE001 -- a thread may not swallow it
                self.errors.append(error)

        self._threads += [threading.Thread(target=run) for _ in range(times)]

    def work(self) -> None:
        for thread in self._threads:
            thread.start()
        for thread in self._threads:
            thread.join()
        assert self.errors == []


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    """Room for everybody."""
    database = Database(url, clock=lambda: datetime.now(UTC), connections=WRITERS + READERS)
    yield database
    database.close()


@pytest.fixture
def desk(database: Database) -> Desk:
    return Desk(database, Clock())


def increment(desk: Desk, where: int, href: str, uid: str, times: int) -> int:
    """Raises the number in an appointment's title, as a client that knows If-Match does; gives the refusals."""
    refused = done = 0
    while done < times:
        stored = desk.get(where, href)
        assert stored is not None
        number = int(stored.raw.split(b"SUMMARY:")[1].split()[0])
        try:
            desk.put(where, href, appointment(uid, str(number + 1)), if_match=stored.etag)
            done += 1
        except PreconditionFailed:
            refused += 1
    return refused


def test_eight_writers_and_forty_readers_lose_nothing(desk: Desk, database: Database) -> None:
    anna = desk.calendar()
    desk.put(anna, "counter.ics", appointment("counter", "0"))
    crew = Crew()

    def write(number: int) -> None:
        increment(desk, anna, "counter.ics", "counter", 5)
        for turn in range(3):
            desk.put(anna, f"{number}.ics", appointment(str(number), f"Turn {turn}"))
        desk.remove(anna, f"{number}.ics")

    def read() -> None:
        client: dict[str, str] = {}
        token, revision = "", 0
        for _ in range(10):
            with database.reading() as tx:
                here = collection.get(tx, Address(Kind.RESOURCE, "salon", "anna"))
                changes = collection.changes_since(tx, here, token, limit=3)
                while changes.truncated:
                    apply(client, changes)
                    changes = collection.changes_since(tx, here, changes.token, limit=3)
                apply(client, changes)
                assert client == dict(placement.etags(tx, anna)), "a token leads to the very state"
                assert here.revision >= revision
                assert len(list(placement.get_all(tx, anna))) == len(client)
            token, revision = changes.token, here.revision

    for number in range(WRITERS):
        crew.add(lambda number=number: write(number))  # type: ignore[misc]
    crew.add(read, READERS)
    crew.work()

    assert desk.summaries(anna) == {"counter.ics": str(WRITERS * 5)}
    assert desk.state().revision == 1 + WRITERS * (5 + 3 + 1)
    check_integrity(database)


def apply(client: dict[str, str], changes: collection.Changes) -> None:
    for change in changes.changes:
        if change.etag is None:
            client.pop(change.href, None)
        else:
            client[change.href] = change.etag


def test_of_parallel_creates_exactly_one_wins(desk: Desk, database: Database) -> None:
    anna = desk.calendar()
    crew = Crew()
    won: list[int] = []

    def create(number: int) -> None:
        for turn in range(5):
            try:
                desk.put(anna, f"{turn}.ics", appointment(str(turn), f"By {number}"), create_only=True)
                won.append(turn)
            except PreconditionFailed:
                pass

    for number in range(WRITERS):
        crew.add(lambda number=number: create(number))  # type: ignore[misc]
    crew.work()

    assert sorted(won) == list(range(5))
    check_integrity(database)


def test_of_parallel_creates_under_different_names_exactly_one_wins(desk: Desk, database: Database) -> None:
    anna = desk.calendar()
    crew = Crew()
    won: list[int] = []

    def create(number: int) -> None:
        try:
            desk.put(anna, f"{number}.ics", appointment(), create_only=True)
            won.append(number)
        except Conflict:
            pass

    for number in range(WRITERS):
        crew.add(lambda number=number: create(number))  # type: ignore[misc]
    crew.work()

    assert list(desk.summaries(anna)) == [f"{number}.ics" for number in won]
    assert len(won) == 1
    check_integrity(database)


def test_shared_appointments_changed_from_both_ends_stay_shared(desk: Desk, database: Database) -> None:
    calendars = [desk.calendar(key) for key in ("anna", "room-1", "laser")]
    for here in calendars:
        for number in range(3):
            desk.put(here, f"{number}.ics", appointment(str(number), "0"), joinable=calendars)
    crew = Crew()
    for writer in range(6):
        here, number = calendars[writer % 3], writer % 2
        crew.add(lambda here=here, n=number: increment(desk, here, f"{n}.ics", str(n), 4))  # type: ignore[misc]

    crew.work()

    for here in calendars:
        assert desk.summaries(here) == {"0.ics": "12", "1.ics": "12", "2.ics": "0"}
    check_integrity(database)


def test_appointments_that_join_and_leave_all_the_time_are_never_torn(desk: Desk, database: Database) -> None:
    calendars = [desk.calendar(key) for key in ("anna", "room-1", "laser")]
    crew = Crew()

    def come_and_go(here: int, there: int) -> None:
        for turn in range(12):
            desk.put(here, "x.ics", appointment(summary=f"{turn % 3}"), joinable=calendars)
            if turn % 4 == 3:
                with suppress(NotFound):
                    desk.remove(here, "x.ics")
            if turn % 6 == 5:
                _try_to_move(desk, here, there, calendars)

    for number in range(3):
        pair = calendars[number], calendars[(number + 1) % 3]
        crew.add(lambda pair=pair: come_and_go(*pair))  # type: ignore[misc]
    crew.work()

    check_integrity(database)


def _try_to_move(desk: Desk, here: int, there: int, calendars: list[int]) -> None:
    stored = desk.get(here, "x.ics")
    if stored is None:
        return
    try:
        with desk.database.writing() as tx:
            calendar_object.move(
                tx,
                (here, "x.ics"),
                (there, "x.ics"),
                moved=appointment(summary=stored.raw.split(b"SUMMARY:")[1][:1].decode()),
                author=ANNA,
                overwrite=True,
                joinable=calendars,
            )
    except (Conflict, NotFound):
        pass


def test_what_leaves_all_its_calendars_at_once_leaves_nothing_behind(desk: Desk, database: Database) -> None:
    calendars = [desk.calendar(key) for key in ("anna", "room-1")]
    for number in range(10):
        for here in calendars:
            desk.put(here, f"{number}.ics", appointment(str(number)), joinable=calendars)
    crew = Crew()

    def leave(here: int) -> None:
        for number in range(10):
            desk.remove(here, f"{number}.ics")

    for here in calendars:
        crew.add(lambda here=here: leave(here))  # type: ignore[misc]
    crew.work()

    check_integrity(database)


def test_many_make_the_same_calendar_at_once_and_there_is_one(desk: Desk) -> None:
    crew = Crew()
    made: list[int] = []
    crew.add(lambda: made.append(desk.calendar("anna")), WRITERS)

    crew.work()

    assert len(set(made)) == 1


def test_many_colour_a_calendar_at_once(desk: Desk, database: Database) -> None:
    anna = desk.calendar()

    def colour(value: str) -> None:
        for _ in range(5):
            with database.writing() as tx:
                collection.set_properties(tx, anna, "anna", {"color": value, "name": None, "order": value})

    crew = Crew()
    for number in range(WRITERS):
        crew.add(lambda number=number: colour(f"#{number}"))  # type: ignore[misc]
    crew.work()

    with database.reading() as tx:
        seen = collection.properties(tx, anna, "anna")
    assert seen["color"] == seen["order"]


def test_many_fetch_and_rotate_a_feed_at_once(database: Database) -> None:
    def rotate() -> None:
        with database.writing() as tx:
            feed_record.note_fetch(tx, "phone", "Outlook")
            feed_record.rotate(tx, "phone")

    crew = Crew()
    crew.add(rotate, WRITERS)
    crew.work()

    with database.reading() as tx:
        assert feed_record.generations(tx) == {"phone": WRITERS}
        assert [fetch.count for fetch in feed_record.fetches(tx)] == [WRITERS]


def test_many_keep_one_secret_at_once(database: Database, tmp_path: Path) -> None:
    sealed.KeyFile.make(tmp_path / "key")
    keys = sealed.KeyFile(tmp_path / "key")

    def keep() -> None:
        with database.writing() as tx:
            sealed.keep(tx, keys, "token", b"secret")

    crew = Crew()
    crew.add(keep, WRITERS)
    crew.work()

    with database.reading() as tx:
        assert sealed.recall(tx, keys, "token") == b"secret"


def test_expiry_while_others_write_loses_nothing_and_breaks_nothing(desk: Desk, database: Database) -> None:
    anna = desk.calendar()
    crew = Crew()

    def write(number: int) -> None:
        for turn in range(8):
            desk.put(anna, f"{number}.ics", appointment(str(number), f"Turn {turn % 2}"))
            desk.remove(anna, f"{number}.ics")

    def expire() -> None:
        for _ in range(8):
            with database.writing() as tx:
                collection.expire_tombstones(tx, tx.now)
                journal.expire(tx, tx.now)

    for number in range(4):
        crew.add(lambda number=number: write(number))  # type: ignore[misc]
    crew.add(expire, 2)
    crew.work()

    with database.writing() as tx:
        journal.expire(tx, tx.now)
    check_integrity(database, expired=True)


WORK = """
import sys, threading
from datetime import UTC, datetime
from bridge.store.database import Database
from tests.store.desk import Clock, Desk
from tests.store.test_concurrency import Crew, increment
database = Database(sys.argv[1], clock=lambda: datetime.now(UTC), connections=4)
desk = Desk(database, Clock())
crew = Crew()
crew.add(lambda: increment(desk, int(sys.argv[2]), "counter.ics", "counter", 4), 4)
sys.stdin.readline()
crew.work()
database.close()
"""


def test_two_processes_of_four_writers_lose_nothing(desk: Desk, database: Database, url: str) -> None:
    anna = desk.calendar()
    desk.put(anna, "counter.ics", appointment("counter", "0"))
    processes = [
        subprocess.Popen(
            [sys.executable, "-W", "error", "-c", WORK, url, str(anna)],
            cwd=TOP,
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    errors = [process.communicate(timeout=60)[1] for process in processes]

    assert errors == ["", ""]
    assert desk.summaries(anna) == {"counter.ics": str(2 * 4 * 4)}
    check_integrity(database)
