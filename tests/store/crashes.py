"""Writes that die at a chosen statement; run as a program, each death is that of a whole process.

`python -m tests.store.crashes URL NAME` repeats the write NAME, killed at its first statement, at its second, and so
on, until it comes through. It prints how often it was killed.
"""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlalchemy import event, select

from bridge.core.sides import Side
from bridge.store import calendar_object, lease, outbox, rewind, run
from bridge.store import link as links
from bridge.store import rule as rules
from bridge.store.collection import Address, Kind
from bridge.store.database import Database
from bridge.store.journal import Author
from bridge.store.put_many import put_many
from bridge.store.schema import metadata
from tests.store.appointments import appointment, parse
from tests.store.assignments import MINUTE, declare, link
from tests.store.desk import ANNA, Clock, Desk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from bridge.store.database import Transaction
    from bridge.store.rule import Rule

KILLED = 9


def prepare(desk: Desk) -> None:
    """Two resources share an appointment, and one of them has another of its own; a rule pushes from each.

    One of the rules is in the midst of a pass.
    """
    anna, room = desk.calendar("anna"), desk.calendar("room-1")
    for here in (anna, room):
        desk.put(here, "shared.ics", appointment("shared"), joinable={anna, room})
    desk.put(anna, "own.ics", appointment("own"))
    desk.put(anna, "own.ics", appointment("own", "Colour"))
    for rule in (declare(desk, "running"), declare(desk, "waiting", of="room-1")):
        with desk.database.writing() as tx:
            wanted = [link(rule, uid, base_there=links.keep_body(tx, _BASE.raw)) for uid in ("own", "shared")]
            links.put_many(tx, wanted)
            outbox.bring_back(tx, rule.id, Side.HERE, ["own", "shared"])
    with desk.database.writing() as tx:
        (rule,) = lease.claim(tx, owner="worker", until=tx.now + MINUTE, limit=1)
        run.begin(tx, rule.id, "poll")


_BASE = appointment(summary="As it was")


def _pull(desk: Desk) -> None:
    """What a pass does at once when an object has changed there."""
    new, there = appointment("own", "Pulled"), appointment("own", "As it is there")
    anna = desk.calendar("anna")
    with desk.database.writing() as tx:
        rule = _running(tx)
        (number,) = (each.id for each in run.recent(tx, rule.id))
        author = Author("rule:running", f"run:{number}", rule.id)
        calendar_object.put(tx, anna, "own.ics", new, author=author)
        here, there_ = links.keep_body(tx, new.raw), links.keep_body(tx, there.raw)
        links.put(tx, link(rule, "own", base_here=here, base_there=there_, remote_etag="2"))
        run.note(tx, number, move="pull", side=Side.HERE, uid="own", summary="Pulled")
        for intent in outbox.take(tx, rule.id, now=tx.now, limit=10):
            outbox.settle(tx, intent)


def _read(desk: Desk) -> None:
    """What a pass does at once when it has read what changed there."""
    with desk.database.writing() as tx:
        rule = _running(tx)
        outbox.note_there(tx, rule.id, [("/own.ics", "changed"), ("/new.ics", "changed"), ("/shared.ics", "gone")])
        rules.note_cursor(tx, rule.id, "sync-2")
        rules.note_full(tx, rule.id)


def _remove_rule(desk: Desk) -> None:
    with desk.database.writing() as tx:
        rules.remove(tx, _running(tx).id)


def _running(tx: Transaction) -> Rule:
    rule = rules.find(tx, "running")
    assert rule is not None
    return lease.hold_lease(tx, rule.id, "worker")


def _go_back(desk: Desk) -> None:
    with desk.database.writing() as tx:
        here = Address(Kind.RESOURCE, "salon", "anna")
        rewind.rewind(tx, here, tx.now - MINUTE, author=ANNA, parse=parse)


def _put_many(desk: Desk, where: int) -> None:
    wanted = [("a.ics", appointment("a")), ("shared.ics", appointment("shared", "Shave")), ("b.ics", appointment("b"))]
    with desk.database.writing() as tx:
        put_many(tx, where, wanted, author=ANNA)


WRITES: Mapping[str, Callable[[Desk], object]] = {
    "create": lambda desk: desk.put(desk.calendar("anna"), "new.ics", appointment("new")),
    "replace": lambda desk: desk.put(desk.calendar("anna"), "own.ics", appointment("own", "Shave")),
    "replace in two calendars": lambda desk: desk.put(
        desk.calendar("room-1"), "shared.ics", appointment("shared", "Shave")
    ),
    "join": lambda desk: desk.put(
        desk.calendar("room-1"),
        "own.ics",
        appointment("own", "Colour", stamp="20261102T000000Z"),
        joinable={desk.calendar("anna"), desk.calendar("room-1")},
    ),
    "remove": lambda desk: desk.remove(desk.calendar("anna"), "own.ics"),
    "remove from one of two": lambda desk: desk.remove(desk.calendar("anna"), "shared.ics"),
    "move": lambda desk: desk.move((desk.calendar("anna"), "own.ics"), (desk.calendar("room-1"), "moved.ics")),
    "move a shared one": lambda desk: desk.move(
        (desk.calendar("anna"), "shared.ics"), (desk.calendar("room-1"), "moved.ics")
    ),
    "put many": lambda desk: _put_many(desk, desk.calendar("room-1")),
    "undo": lambda desk: desk.undo(desk.history("anna")[0]),
    "go back": _go_back,
    "pull": _pull,
    "read": _read,
    "declare a rule": lambda desk: declare(desk, "running", target="elsewhere"),
    "remove a rule": _remove_rule,
}


def everything(database: Database) -> dict[str, list[object]]:
    """Every row of every table."""
    with database.reading() as tx:
        return {
            table.name: sorted(map(tuple, tx.connection.execute(select(table))), key=str)
            for table in metadata.sorted_tables
        }


@contextmanager
def dying_at(database: Database, step: int, die: Callable[[], object]) -> Iterator[None]:
    """Calls `die` before the statement or the commit with this number in the block, counted from 0."""
    steps = iter(range(step + 1))

    def count(*_: object) -> None:
        if next(steps, None) == step:
            die()

    for name in ("before_cursor_execute", "commit"):
        event.listen(database.engine, name, count)
    try:
        yield
    finally:
        for name in ("before_cursor_execute", "commit"):
            event.remove(database.engine, name, count)


def _killed_at(url: str, name: str, step: int) -> bool:
    """Does the write in a process of its own that dies at `step`; gives whether it got that far."""
    process = os.fork()
    if process == 0:
        database = Database(url, clock=Clock())
        with dying_at(database, step, lambda: os._exit(KILLED)):
            WRITES[name](Desk(database, Clock()))
        os._exit(0)
    _, status = os.waitpid(process, 0)
    code = os.waitstatus_to_exitcode(status)
    assert code in {0, KILLED}, code
    return code == KILLED


def _look(url: str) -> dict[str, list[object]]:
    database = Database(url, clock=Clock())
    seen = everything(database)
    database.close()
    return seen


def main(url: str, name: str) -> None:
    """Kills the write at every step, and looks after each death."""
    before = _look(url)
    step = 0
    while _killed_at(url, name, step):
        assert _look(url) == before, f"killed at step {step}, it left something behind"
        step += 1
    assert _look(url) != before, "at last it was done"
    sys.stdout.write(f"{step}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
