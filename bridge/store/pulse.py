"""A memory of what was read that empties itself as soon as anything in the database changes."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from bridge.store.database import Database, Transaction

_Value = TypeVar("_Value")


class Pulse:
    """Remembers, for each thread, what was read, for as long as no other connection has written anything.

    On SQLite one cheap look at `PRAGMA data_version` tells (a few microseconds, exact, across processes). PostgreSQL
    has nothing like it, so there everything is read anew each time.

    Args:
        database: The store. Its thread-local connections are kept open until the process ends.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._bound = threading.local()

    def remembered(self, key: Hashable, read: Callable[[Transaction], _Value]) -> _Value:
        """What `read` gave for `key` when it was last asked, or gives now where anything has changed since.

        Args:
            key: Names what is read.
            read: Reads it from one state of the database.
        """
        if not self._database.is_sqlite:
            with self._database.reading() as tx:
                return read(tx)
        version = self._version()
        memory: dict[Any, Any] = getattr(self._bound, "memory", {})
        if getattr(self._bound, "version", None) != version:
            memory = self._bound.memory = {}
            self._bound.version = version
        if key not in memory:
            # Read after the look: a write in between makes the next look differ, never this answer stale.
            with self._database.reading() as tx:
                memory[key] = read(tx)
        value: _Value = memory[key]
        return value

    def _version(self) -> int:
        cursor: Any = getattr(self._bound, "cursor", None)
        if cursor is None:
            connection = self._database.engine.raw_connection()
            connection.detach()
            self._bound.connection = connection
            cursor = self._bound.cursor = connection.cursor()
        cursor.execute("PRAGMA data_version")
        (version,) = cursor.fetchone()
        return int(version)
