"""Tests of how SQLite finds things: by an index, and without touching the texts where nobody asks for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import event

from bridge.store import calendar_object, collection, journal, placement
from bridge.store.collection import Address, Kind
from tests.store.appointments import START, appointment

if TYPE_CHECKING:
    from collections.abc import Callable

    from bridge.store.database import Database, Transaction
    from tests.store.desk import Desk

SALON = Address(Kind.RESOURCE, "salon", "anna")


@pytest.fixture
def backend() -> str:
    return "sqlite"


@pytest.fixture
def anna(desk: Desk) -> int:
    """A calendar with some appointments, about which SQLite knows its statistics."""
    anna = desk.calendar()
    with desk.database.writing() as tx:
        for number in range(50):
            rule = "FREQ=WEEKLY" if number % 10 == 0 else ""
            new = appointment(str(number), rule=rule)
            calendar_object.put(tx, anna, f"{number}.ics", new, author=desk.author)
    return anna


def plans(database: Database, work: Callable[[Transaction], object], *, writing: bool = False) -> list[str]:
    """How SQLite does each statement of `work`, one line a step."""
    steps: list[str] = []

    def explain(connection: object, cursor: object, statement: str, parameters: object, *_: object) -> None:  # noqa: ARG001 -- SQLAlchemy's names and order
        if statement.lstrip().startswith(("SELECT", "UPDATE", "DELETE", "INSERT")):
            explaining = cursor.connection.cursor()  # type: ignore[attr-defined]
            rows = explaining.execute(f"EXPLAIN QUERY PLAN {statement}", parameters).fetchall()
            steps.extend(row[3] for row in rows)

    event.listen(database.engine, "before_cursor_execute", explain)
    try:
        with database.writing() if writing else database.reading() as tx:
            work(tx)
    finally:
        event.remove(database.engine, "before_cursor_execute", explain)
    return steps


def scans(steps: list[str]) -> list[str]:
    """The steps that look at every row of a table."""
    return [step for step in steps if step.startswith("SCAN ") and not step.startswith(("SCAN CONSTANT", "SCAN ("))]


@pytest.fixture(params=["etags", "listing", "entry", "count", "href of a uid", "idle sync", "sync", "first sync"])
def without_texts(request: pytest.FixtureRequest, desk: Desk, anna: int) -> Callable[[Transaction], object]:
    token = desk.changes().token
    reads: dict[str, Callable[[Transaction], object]] = {
        "etags": lambda tx: placement.etags(tx, anna),
        "listing": lambda tx: placement.listing(tx, anna),
        "entry": lambda tx: placement.entry(tx, anna, "1.ics"),
        "count": lambda tx: placement.count(tx, anna),
        "href of a uid": lambda tx: placement.href_of_uid(tx, anna, "1"),
        "idle sync": lambda tx: collection.changes_since(tx, collection.get(tx, SALON), token),
        "sync": lambda tx: collection.changes_since(tx, collection.get(tx, SALON), token, limit=10),
        "first sync": lambda tx: collection.changes_since(tx, collection.get(tx, SALON), "", limit=10),
    }
    return reads[request.param]


def test_lists_and_syncs_read_no_text(database: Database, without_texts: Callable[[Transaction], object]) -> None:
    steps = plans(database, without_texts)

    assert steps
    assert not [step for step in steps if "body" in step or "calendar_object" in step]


def test_lists_and_syncs_read_their_own_calendar_only(
    database: Database, without_texts: Callable[[Transaction], object]
) -> None:
    assert scans(plans(database, without_texts)) == []


def test_lists_come_in_order_without_sorting(database: Database, anna: int) -> None:
    steps = plans(database, lambda tx: (placement.etags(tx, anna), placement.listing(tx, anna)))

    assert not [step for step in steps if "TEMP B-TREE" in step]


def test_an_idle_sync_looks_only_at_what_is_newer(database: Database, desk: Desk, anna: int) -> None:
    desk.remove(anna, "1.ics")
    token = desk.changes().token
    steps = plans(database, lambda tx: collection.changes_since(tx, collection.get(tx, SALON), token))

    assert [step for step in steps if "placement" in step and "revision>?" in step]
    assert [step for step in steps if "tombstone" in step and "revision>?" in step]


def test_a_range_looks_only_at_what_may_touch_it(database: Database, anna: int) -> None:
    steps = plans(database, lambda tx: list(placement.touching(tx, anna, START, START)))

    assert scans(steps) == []
    assert [step for step in steps if "prolonged=? AND first>? AND first<?" in step]
    assert [step for step in steps if "prolonged=? AND last>?" in step]


@pytest.fixture(params=["put", "replace", "join", "remove", "move"])
def write(request: pytest.FixtureRequest, desk: Desk, anna: int) -> Callable[[Transaction], object]:
    room = desk.calendar("room-1")
    author = desk.author
    one = appointment("1")
    writes: dict[str, Callable[[Transaction], object]] = {
        "put": lambda tx: calendar_object.put(tx, anna, "new.ics", appointment("new"), author=author),
        "replace": lambda tx: calendar_object.put(tx, anna, "1.ics", appointment("1", "New"), author=author),
        "join": lambda tx: calendar_object.put(tx, room, "1.ics", one, author=author, joinable={anna, room}),
        "remove": lambda tx: calendar_object.remove(tx, anna, "1.ics", author=author),
        "move": lambda tx: calendar_object.move(
            tx, (anna, "1.ics"), (room, "1.ics"), moved=one, author=author, overwrite=True
        ),
    }
    return writes[request.param]


def test_a_write_looks_at_no_table_as_a_whole(database: Database, write: Callable[[Transaction], object]) -> None:
    assert scans(plans(database, write, writing=True)) == []


def test_upkeep_looks_only_at_what_is_old(database: Database, anna: int) -> None:
    assert anna

    def upkeep(tx: Transaction) -> None:
        collection.expire_tombstones(tx, START)
        journal.expire(tx, START)

    assert scans(plans(database, upkeep, writing=True)) == []
