"""A process is killed at any step of what it does."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, TypeVar

from sqlalchemy import event as sqlalchemy_event

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.sync.desk import SyncDesk

_Desk = TypeVar("_Desk", bound="SyncDesk")


class Killed(BaseException):
    """What ends a process at any moment: nothing catches it."""


@dataclass
class Fuse:
    """Ends the process at a step: a statement, a commit, or a call to an upstream, before or after it.

    Once burnt, every further step ends it as well: the dead write no farewell.
    """

    at: int
    steps: int = 0
    burnt: bool = False

    def statement(self, _connection: object, _cursor: object, statement: str, *_: object) -> None:
        """A statement; to die before one that only reads is to die after the one before it."""
        if not statement.startswith(("SELECT", "PRAGMA", "BEGIN")):
            self.step()

    def step(self, *_: object) -> None:
        if self.burnt or self.steps == self.at:
            self.burnt = True
            raise Killed
        self.steps += 1


@contextmanager
def burning(desk: SyncDesk, at: int) -> Iterator[Fuse]:
    """A block in which the process is killed at a step, if it gets that far; then another takes over."""
    fuse, engine = Fuse(at), desk.database.engine
    sqlalchemy_event.listen(engine, "before_cursor_execute", fuse.statement)
    sqlalchemy_event.listen(engine, "commit", fuse.step)
    for remote in desk.remotes.values():
        remote.shelf.watched = fuse.step
    try:
        yield fuse
    except Killed:
        pass
    finally:
        for remote in desk.remotes.values():
            remote.shelf.watched = None
        sqlalchemy_event.remove(engine, "before_cursor_execute", fuse.statement)
        sqlalchemy_event.remove(engine, "commit", fuse.step)
    if fuse.burnt:
        desk.die()


def killed_everywhere(
    opened: Callable[[], _Desk], act: Callable[[_Desk], object], *, fewest: int
) -> Iterator[tuple[str, _Desk]]:
    """Desks at which a process was killed, each at the step after that of the one before; at the last one it was not.

    Args:
        opened: Makes ready a desk.
        act: What the process does.
        fewest: How many steps there have to be, so that it is known to have done something.

    Yields:
        Where it was killed, to be said of what is wrong afterwards, and the desk.
    """
    for at in count():
        desk = opened()
        with burning(desk, at) as fuse:
            act(desk)
        yield f"killed at step {at}", desk
        if not fuse.burnt:
            assert at >= fewest
            return
