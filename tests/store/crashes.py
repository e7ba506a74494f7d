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

from bridge.store.database import Database
from bridge.store.put_many import put_many
from bridge.store.schema import metadata
from tests.store.appointments import appointment
from tests.store.desk import ANNA, Clock, Desk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

KILLED = 9


def prepare(desk: Desk) -> None:
    """Two resources share an appointment, and one of them has another of its own."""
    anna, room = desk.calendar("anna"), desk.calendar("room-1")
    for here in (anna, room):
        desk.put(here, "shared.ics", appointment("shared"), joinable={anna, room})
    desk.put(anna, "own.ics", appointment("own"))
    desk.put(anna, "own.ics", appointment("own", "Colour"))


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
