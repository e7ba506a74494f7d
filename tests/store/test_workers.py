"""Tests of workers and clients at once: no rule is run by two, nobody waits for a pass, and nothing is forgotten."""

from __future__ import annotations

import threading
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from bridge.errors import NotFound
from bridge.store import calendar_object, lease, outbox, placement
from bridge.store import rule as rules
from bridge.store.database import Database
from bridge.store.journal import Author
from tests.store.appointments import appointment
from tests.store.assignments import declare, intents, read
from tests.store.desk import Clock, Desk
from tests.store.integrity import check_integrity
from tests.store.test_concurrency import Crew

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bridge.store.rule import Rule

WORKERS = 8
LONG = timedelta(minutes=5)


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    """Room for everybody."""
    database = Database(url, clock=lambda: datetime.now(UTC), connections=3 * WORKERS)
    yield database
    database.close()


@pytest.fixture
def desk(database: Database) -> Desk:
    return Desk(database, Clock())


def claim(database: Database, owner: str, *, limit: int) -> list[Rule]:
    with database.writing() as tx:
        return lease.claim(tx, owner=owner, until=tx.now + LONG, limit=limit)


def let_go(database: Database, rule: Rule, owner: str, *, after: timedelta) -> None:
    with database.writing() as tx:
        later = tx.now + after
        lease.finish(tx, rule.id, owner, due_at=later, not_before=None, failures=0, problem=None, succeeded=True)


def test_workers_never_have_the_same_rule_at_once(desk: Desk, database: Database) -> None:
    for number in range(5):
        declare(desk, f"{number}")
    crew, lock = Crew(), threading.Lock()
    running: set[int] = set()
    passes: list[int] = []

    def work(owner: str) -> None:
        for _ in range(6):
            claimed = claim(database, owner, limit=2)
            with lock:
                assert not running.intersection(each.id for each in claimed)
                running.update(each.id for each in claimed)
                passes.extend(each.id for each in claimed)
            for each in claimed:
                with database.writing() as tx:
                    lease.hold_lease(tx, each.id, owner)
                with lock:
                    running.discard(each.id)
                let_go(database, each, owner, after=timedelta(0))

    for number in range(WORKERS):
        crew.add(lambda number=number: work(f"worker {number}"))  # type: ignore[misc]
    crew.work()

    assert set(passes) == {rule.id for rule in read(desk, rules.every)}


# On SQLite one writer at a time works: there nobody else is in the midst of anything.
@pytest.mark.parametrize("backend", ["postgresql"])
def test_a_worker_takes_what_others_are_not_taking_and_waits_for_nobody(desk: Desk, database: Database) -> None:
    first, second = declare(desk, "first"), declare(desk, "second")

    with database.writing() as one:
        (mine,) = lease.claim(one, owner="one", until=one.now + LONG, limit=1)
        with database.writing() as other:
            (theirs,) = lease.claim(other, owner="other", until=other.now + LONG, limit=5)

    assert (mine.id, theirs.id) == (first.id, second.id)


@pytest.mark.parametrize("backend", ["postgresql"])
def test_a_client_does_not_wait_for_a_pass_over_a_rule_of_its_calendar(desk: Desk, database: Database) -> None:
    rule, anna = declare(desk), desk.calendar()
    claim(database, "worker", limit=1)

    with database.writing() as tx:
        lease.hold_lease(tx, rule.id, "worker")
        desk.put(anna, "x.ics", appointment())

    assert [intent.key for intent in intents(Desk(database, Clock(datetime.now(UTC))), rule)] == ["haircut"]


@pytest.mark.parametrize("backend", ["postgresql"])
def test_a_change_that_was_under_way_when_its_rule_came_is_noted_or_seen_by_the_first_pass(
    desk: Desk, database: Database
) -> None:
    anna, crew = desk.calendar(), Crew()
    written, declared = threading.Event(), threading.Event()

    def edit() -> None:
        with database.writing() as tx:
            calendar_object.put(tx, anna, "x.ics", appointment(), author=desk.author)
            written.set()
            # The rule has to wait for this, so that it cannot have come before the appointment is there.
            assert not declared.wait(0.3)

    def begin() -> None:
        written.wait()
        declare(desk)
        declared.set()
        assert desk.summaries(anna) == {"x.ics": "Haircut"}

    crew.add(edit)
    crew.add(begin)
    crew.work()


@dataclass
class Copier:
    """Copies a calendar by the intents of a rule, as a pass does, and writes there itself."""

    database: Database
    rule: Rule
    calendar: int
    copy: dict[str, str] = field(default_factory=dict)

    def work(self, owner: str, ended: threading.Event) -> None:
        """Runs the rule whenever it is due, until nothing is left after the end."""
        last = False
        while not last:
            last = ended.is_set()
            for _ in claim(self.database, owner, limit=1):
                last = False
                self._run(owner)
                let_go(self.database, self.rule, owner, after=timedelta(hours=1))

    def _run(self, owner: str) -> None:
        with self.database.reading() as tx:
            taken = outbox.take(tx, self.rule.id, now=tx.now, limit=10)
            found = {each.uid: each.etag for each in placement.by_uids(tx, self.calendar, [each.key for each in taken])}
        self.copy.update({each.key: found.get(each.key, "") for each in taken})
        with self.database.writing() as tx:
            lease.hold_lease(tx, self.rule.id, owner)
            mine = appointment("mine", str(tx.now))
            author = Author("rule:anna-google", "run:1", self.rule.id)
            calendar_object.put(tx, self.calendar, "mine.ics", mine, author=author)
            for each in taken:
                outbox.settle(tx, each)


def test_what_clients_and_passes_change_at_once_is_never_forgotten(desk: Desk, database: Database) -> None:
    anna, rule = desk.calendar(), declare(desk)
    copier, ended, crew = Copier(database, rule, anna), threading.Event(), Crew()

    def edit(number: int) -> None:
        uid = str(number % 2)
        for turn in range(12):
            desk.put(anna, f"{uid}.ics", appointment(uid, f"By {number}, {turn}"))
            if turn % 5 == number:
                with suppress(NotFound):
                    desk.remove(anna, f"{uid}.ics")

    def see_the_end() -> None:
        for editor in editors:
            editor.join()
        ended.set()

    editors = [threading.Thread(target=edit, args=(number,)) for number in range(4)]
    for editor in editors:
        editor.start()
    for owner in ("one", "two"):
        crew.add(lambda owner=owner: copier.work(owner, ended))  # type: ignore[misc]
    crew.add(see_the_end)
    crew.work()

    there = {each.uid: each.etag for each in read(desk, lambda tx: list(placement.get_all(tx, anna)))}
    there.pop("mine", None)
    assert {uid: etag for uid, etag in copier.copy.items() if etag} == there
    check_integrity(database)
