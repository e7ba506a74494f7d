"""Tests of how SQLite finds things: by an index, and without touching the texts where nobody asks for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import event

from bridge.core.sides import Side
from bridge.store import calendar_object, collection, journal, lease, outbox, placement, run
from bridge.store import link as links
from bridge.store import rule as rules
from bridge.store.collection import Address, Kind
from tests.store.appointments import START, appointment
from tests.store.assignments import declare, intents, link

if TYPE_CHECKING:
    from collections.abc import Callable

    from bridge.store.database import Database, Transaction
    from bridge.store.rule import Rule
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


@pytest.fixture
def rule(desk: Desk, anna: int) -> Rule:
    """A rule with fifty links and a hundred intents."""
    assert anna
    made = declare(desk)
    with desk.database.writing() as tx:
        texts = [links.keep_body(tx, appointment(str(number), "There").raw) for number in range(50)]
        links.put_many(tx, [link(made, str(number), base_there=etag) for number, etag in enumerate(texts)])
        outbox.bring_back(tx, made.id, Side.HERE, map(str, range(50)))
        outbox.note_there(tx, made.id, [(f"/{number}.ics", "changed") for number in range(50)])
        run.begin(tx, made.id, "poll")
    return made


@pytest.fixture(params=["pull", "read", "look", "compare", "guard", "log"])
def pass_(request: pytest.FixtureRequest, desk: Desk, anna: int, rule: Rule) -> Callable[[Transaction], object]:
    (done, *_) = intents(desk, rule)
    author = journal.Author("rule:anna-google", "run:1", rule.id)
    new = link(rule, "1", base_there=appointment("1", "Other").etag)

    def pull(tx: Transaction) -> None:
        calendar_object.put(tx, anna, "1.ics", appointment("1", "Other"), author=author)
        links.put(tx, new)
        links.remove(tx, rule.id, "2")
        run.note(tx, 1, move="pull", side=Side.HERE, uid="1", summary="Other")
        outbox.settle(tx, done)

    def read(tx: Transaction) -> None:
        outbox.note_there(tx, rule.id, [("/1.ics", "changed")])
        rules.note_cursor(tx, rule.id, "2")

    parts: dict[str, Callable[[Transaction], object]] = {
        "pull": pull,
        "read": read,
        "look": lambda tx: (
            outbox.take(tx, rule.id, now=tx.now, limit=10),
            links.by_uids(tx, rule.id, ["1", "2"]),
            links.by_remotes(tx, rule.id, ["/1.ics", "/2.ics"]),
            list(placement.by_uids(tx, anna, ["1", "2"])),
        ),
        "compare": lambda tx: (links.etags(tx, rule.id), links.uids(tx, rule.id), list(links.every(tx, rule.id))),
        "guard": lambda tx: (run.deletions_since(tx, rule.id, START), links.count(tx, rule.id)),
        "log": lambda tx: (journal.of_run(tx, 1), run.recent(tx, rule.id), run.items(tx, 1)),
    }
    return parts[request.param]


def test_a_pass_looks_at_no_table_as_a_whole(database: Database, pass_: Callable[[Transaction], object]) -> None:
    assert scans(plans(database, pass_, writing=True)) == []


def test_links_are_compared_without_sorting(database: Database, rule: Rule) -> None:
    steps = plans(database, lambda tx: (links.etags(tx, rule.id), list(links.every(tx, rule.id))))

    assert not [step for step in steps if "TEMP B-TREE" in step]


@pytest.mark.usefixtures("rule")
def test_a_run_is_looked_up_among_those_of_rules_only(database: Database) -> None:
    steps = plans(database, lambda tx: journal.of_run(tx, 1))

    assert [step for step in steps if "ix_journal_via" in step]


@pytest.mark.usefixtures("rule")
def test_the_next_rule_is_found_without_reading_intents_one_by_one(database: Database) -> None:
    steps = plans(database, lease.next_due)

    assert [step for step in steps if "intent USING COVERING INDEX" in step]
