"""A memory of what was read that empties itself as soon as anything in the database changes."""

from __future__ import annotations

import threading
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from bridge.store.database import Database, Transaction

_Value = TypeVar("_Value")
_AT_ONCE = timedelta(0)


class Pulse:
    """Remembers what was read for as long as nothing has been written.

    Writes through the same `Database` count at once. Those of other processes show on SQLite by a cheap look at
    `PRAGMA data_version`; PostgreSQL has nothing like it, so there everything is read anew each time.

    Args:
        database: The store. One connection is kept open until the process ends.
        rest: How long after a look the next one may wait. Each look lets another thread run, which under load costs
            more than the look itself.
    """

    def __init__(self, database: Database, *, rest: timedelta = _AT_ONCE) -> None:
        self._database = database
        self._rest = rest.total_seconds()
        self._looking = threading.Lock()
        self._connection: Any = None
        self._version = -1
        self._next_look = 0.0
        self._memory: tuple[object, dict[Hashable, Any]] = (None, {})

    def remembered(self, key: Hashable, read: Callable[[Transaction], _Value]) -> _Value:
        """What `read` gave for `key` when it was last asked, or gives now where anything has changed since.

        Args:
            key: Names what is read.
            read: Reads it from one state of the database.
        """
        if not self._database.is_sqlite:
            with self._database.reading() as tx:
                return read(tx)
        seen = self._look()
        seen_before, memory = self._memory
        if seen_before != seen:
            memory = {}
            self._memory = (seen, memory)
        if key not in memory:
            # Read after the look: a write in between makes the next look differ, never this answer stale.
            with self._database.reading() as tx:
                memory[key] = read(tx)
        value: _Value = memory[key]
        return value

    def _look(self) -> tuple[int, int]:
        """A pair that differs from every earlier one once something has been written."""
        if time.monotonic() >= self._next_look:
            with self._looking:
                # Another thread may have looked while this one waited.
                if time.monotonic() >= self._next_look:
                    self._version = self._data_version()
                    self._next_look = time.monotonic() + self._rest
        return self._database.writes, self._version

    def _data_version(self) -> int:
        if self._connection is None:
            self._connection = self._database.engine.raw_connection()
            self._connection.detach()
        version: int = self._connection.cursor().execute("PRAGMA data_version").fetchone()[0]
        return version
