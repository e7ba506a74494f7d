"""Databases for tests: every test that asks for `database` runs on SQLite and on a real PostgreSQL."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from bridge.store.database import Database
from tests.postgresql import PostgreSQL, running_postgresql
from tests.store.desk import Clock, Desk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    """The server of the session."""
    with running_postgresql() as server:
        yield server


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with the tables, to be copied."""
    path = tmp_path_factory.mktemp("migrated") / "store.sqlite3"
    database = Database(f"sqlite:///{path}", clock=Clock())
    database.migrate()
    database.close()
    return path


@pytest.fixture(scope="session")
def migrated_postgresql(postgresql: PostgreSQL) -> str:
    """The name of a database with the tables, emptied after each test."""
    name = postgresql.make_database()
    database = Database(postgresql.url(name), clock=Clock())
    database.migrate()
    database.close()
    return name


@pytest.fixture
def empty_url(backend: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a database without tables."""
    if backend == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.sqlite3'}"
        return
    server: PostgreSQL = request.getfixturevalue("postgresql")
    name = server.make_database()
    yield server.url(name)
    server.drop_database(name)


@pytest.fixture(params=["sqlite", "postgresql"])
def backend(request: pytest.FixtureRequest) -> str:
    """Which kind of database a test runs on."""
    name: str = request.param
    return name


@pytest.fixture
def url(backend: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a database of the test's own, with tables, empty."""
    if backend == "sqlite":
        path = tmp_path / "store.sqlite3"
        shutil.copyfile(request.getfixturevalue("migrated_sqlite"), path)
        yield f"sqlite:///{path}"
        return
    server: PostgreSQL = request.getfixturevalue("postgresql")
    name: str = request.getfixturevalue("migrated_postgresql")
    yield server.url(name)
    server.empty_database(name)


@pytest.fixture
def clock() -> Clock:
    """The clock of the test."""
    return Clock()


@pytest.fixture
def open_database(url: str, clock: Clock) -> Iterator[Callable[[], Database]]:
    """Opens the test's database once more, as another process would."""
    opened: list[Database] = []

    def again() -> Database:
        opened.append(Database(url, clock=clock))
        return opened[-1]

    yield again
    for database in opened:
        database.close()


@pytest.fixture
def database(open_database: Callable[[], Database]) -> Database:
    """An empty store."""
    return open_database()


@pytest.fixture
def desk(database: Database, clock: Clock) -> Desk:
    """Anna, who works with an empty store."""
    return Desk(database, clock)
