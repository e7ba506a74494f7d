"""Stores for tests of the sync engine, made quickly and often: they do not wait for the disk."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import event

from bridge.store.database import Database
from tests.store.desk import Clock

if TYPE_CHECKING:
    from collections.abc import Callable

_template: list[bytes] = []


def new_database(folder: Path, clock: Callable[[], Any]) -> Database:
    """An empty store in a file, that does not wait for the disk."""
    path = folder / "store.sqlite3"
    if not _template:
        first = Database(f"sqlite:///{path}", clock=clock)
        first.migrate()
        with first.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        first.close()
        _template.append(path.read_bytes())
    path.write_bytes(_template[0])
    return open_database(path, clock)


def open_database(path: Path, clock: Callable[[], Any]) -> Database:
    """The store in `path`; what is written survives the death of the process, not that of the machine."""
    database = Database(f"sqlite:///{path}", clock=clock)

    @event.listens_for(database.engine, "connect")
    def _do_not_wait(connection: Any, _record: object) -> None:
        connection.execute("PRAGMA synchronous = OFF")

    return database


class Stage:
    """A store that many tests use, one after another: to open one takes longer than many of them last."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="calbridge-")
        self.clock = Clock()
        self._path = Path(self._folder.name) / "store.sqlite3"
        self.database = new_database(Path(self._folder.name), self.clock)
        self._first: bytes | None = None

    def clear(self) -> bool:
        """Brings the store back to how it was kept; gives whether it ever was."""
        if self._first is None:
            return False
        self.clock.now = Clock().now
        self.database.close()
        for name in ("store.sqlite3-wal", "store.sqlite3-shm"):
            (Path(self._folder.name) / name).unlink(missing_ok=True)
        self._path.write_bytes(self._first)
        return True

    def keep(self) -> None:
        """Keeps the store as it is, for all worlds that follow."""
        with self.database.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        self.database.close()
        self._first = self._path.read_bytes()

    def close(self) -> None:
        """Ends it, with its files."""
        self.database.close()
        self._folder.cleanup()
