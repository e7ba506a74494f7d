"""An open database: transactions that are all or nothing, and errors that say whose turn it is."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import create_engine, event, make_url
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from bridge.errors import StoreError, StoreFull, StoreReadOnly, StoreUnavailable
from bridge.store import migrate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import Connection, Engine

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_BUSY_SECONDS = 30
_SQLITE_PRAGMAS = (
    # Readers never wait for a writer, and a writer never for readers.
    "PRAGMA journal_mode = WAL",
    # An answered PUT survives a power cut.
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    f"PRAGMA busy_timeout = {_BUSY_SECONDS * 1000}",
    "PRAGMA cache_size = -16000",
    "PRAGMA temp_store = MEMORY",
)


def microseconds(instant: datetime) -> int:
    """Microseconds since 1970 of an aware `instant`, as the tables keep it."""
    return (instant - _EPOCH) // timedelta(microseconds=1)


def instant(count: int) -> datetime:
    """The UTC instant that the tables keep as `count` microseconds since 1970."""
    return _EPOCH + timedelta(microseconds=count)


@dataclass(frozen=True, slots=True)
class Transaction:
    """One transaction: what is read in it is one state, what is written in it is one fact.

    Attributes:
        connection: The SQLAlchemy connection; only `bridge.store` looks at it.
        now: When the transaction began, UTC.
        writing: Whether it may write.
    """

    connection: Connection
    now: datetime
    writing: bool

    @property
    def is_open(self) -> bool:
        """Whether it has not ended yet."""
        return not self.connection.closed

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """Undoes what was done inside, and only that, when an error leaves the block."""
        with _translated(), self.connection.begin_nested():
            yield


class Database:
    """A database of appointments on SQLite or PostgreSQL.

    Args:
        url: `sqlite:///path` or `postgresql://user@host/name`.
        clock: Gives the present instant in UTC.
        connections: How many connections may be open at once; one a thread is enough.
    """

    def __init__(self, url: str, *, clock: Callable[[], datetime], connections: int = 20) -> None:
        parsed = make_url(url)
        self.is_sqlite = parsed.get_backend_name() == "sqlite"
        self._clock = clock
        # SQLite lets one writer in at a time; waiting here is fair and costs no polling.
        self._one_writer = threading.Lock()
        if self.is_sqlite:
            self._engine = create_engine(
                parsed.set(drivername="sqlite+pysqlite"),
                pool_size=connections,
                max_overflow=connections,
                connect_args={"check_same_thread": False, "timeout": _BUSY_SECONDS, "autocommit": True}
                if _driver_has_autocommit()
                else {"check_same_thread": False, "timeout": _BUSY_SECONDS, "isolation_level": None},
            )
            event.listen(self._engine, "connect", _configure_sqlite)
            event.listen(self._engine, "begin", _begin_sqlite)
        else:
            self._engine = create_engine(
                parsed.set(drivername="postgresql+psycopg"),
                pool_size=connections,
                max_overflow=connections,
                pool_pre_ping=True,
                connect_args={"connect_timeout": 10, "application_name": "calbridge"},
            )

    @property
    def engine(self) -> Engine:
        """The SQLAlchemy engine, for `bridge.store` and its tests."""
        return self._engine

    def close(self) -> None:
        """Closes every connection."""
        self._engine.dispose()

    def migrate(self) -> None:
        """Brings the tables to the form that this version needs; does nothing where they have it.

        Raises:
            StoreNewer: A newer Calbridge made this database.
            StoreError: The database cannot be reached or written.
        """
        with _translated(), self._engine.connect() as connection:
            migrate.upgrade(connection)

    def check(self) -> None:
        """Passes where the database answers and its tables have the form that this version needs.

        Raises:
            StoreNewer: A newer Calbridge made this database.
            StoreError: It cannot be reached, or its tables are older than this version.
        """
        with _translated(), self._engine.connect() as connection:
            migrate.check(connection)

    @contextmanager
    def reading(self) -> Iterator[Transaction]:
        """A transaction that sees one unchanging state and cannot write.

        Raises:
            StoreError: As `bridge.errors` says.
        """
        with _translated(), self._engine.connect() as connection:
            if not self.is_sqlite:
                connection = connection.execution_options(  # noqa: PLW2901 -- the same connection, configured
                    isolation_level="REPEATABLE READ",
                    postgresql_readonly=True,
                )
            with connection.begin():
                yield Transaction(connection, self._clock(), writing=False)

    @contextmanager
    def writing(self) -> Iterator[Transaction]:
        """A transaction whose writes all happen when the block ends well, and none otherwise.

        Raises:
            StoreError: As `bridge.errors` says.
        """
        with _translated():
            if not self.is_sqlite:
                with self._engine.begin() as connection:
                    yield Transaction(connection, self._clock(), writing=True)
                return
            if not self._one_writer.acquire(timeout=_BUSY_SECONDS):
                raise StoreUnavailable(
                    f"Another write has been running for more than {_BUSY_SECONDS} seconds.",
                    remedy="Try again in a moment.",
                )
            try:
                with self._engine.connect() as connection:
                    immediate = connection.execution_options(calbridge_writing=True)
                    with immediate.begin():
                        yield Transaction(immediate, self._clock(), writing=True)
            finally:
                self._one_writer.release()


def _driver_has_autocommit() -> bool:
    import sqlite3  # noqa: PLC0415 -- only asked for its version

    return hasattr(sqlite3, "LEGACY_TRANSACTION_CONTROL")


def _configure_sqlite(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    for pragma in _SQLITE_PRAGMAS:
        cursor.execute(pragma)
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    # Taking the write lock at once means that no transaction fails half way because another wrote first.
    writing = connection.get_execution_options().get("calbridge_writing", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")


@contextmanager
def _translated() -> Iterator[None]:
    """Turns the driver's errors into the store's, with a sentence and a remedy."""
    try:
        yield
    except DBAPIError as error:
        raise _translate(error) from error
    except SQLAlchemyError as error:
        if "QueuePool limit" in str(error):
            raise StoreUnavailable(
                "Every database connection has been busy for too long.",
                remedy="Try again in a moment; raise server.threads if this keeps happening.",
            ) from error
        raise


_FULL = ("database or disk is full", "No space left on device")
_READ_ONLY = ("readonly database", "read-only transaction")
_BUSY = ("database is locked", "database table is locked", "deadlock detected", "could not serialize access")
_SQLSTATES: dict[str, type[StoreError]] = {
    "53100": StoreFull,  # disk_full
    "25006": StoreReadOnly,  # read_only_sql_transaction
    "40001": StoreUnavailable,  # serialization_failure
    "40P01": StoreUnavailable,  # deadlock_detected
    "55P03": StoreUnavailable,  # lock_not_available
}
_SENTENCES: dict[type[StoreError], tuple[str, str]] = {
    StoreFull: (
        "The disk that holds the database is full, so nothing was stored.",
        "Free some space; no restart is needed.",
    ),
    StoreReadOnly: (
        "The database may not be written, so nothing was stored.",
        "Let the server's user write the database file and its folder.",
    ),
    StoreUnavailable: (
        "The database did not answer in time or is out of reach, so nothing was stored.",
        "Try again in a moment; `calbridge doctor` tells more.",
    ),
}


def _translate(error: DBAPIError) -> StoreError | DBAPIError:
    text = str(error.orig)
    state = getattr(error.orig, "sqlstate", None)
    kind = _SQLSTATES.get(state or "")
    if kind is None:
        if any(mark in text for mark in _FULL):
            kind = StoreFull
        elif any(mark in text for mark in _READ_ONLY):
            kind = StoreReadOnly
        elif (
            any(mark in text for mark in _BUSY)
            or error.connection_invalidated
            or "unable to open database file" in text
            or "disk I/O error" in text
            or (state or "").startswith(("08", "57P"))
            or type(error.orig).__name__ == "OperationalError"
        ):
            kind = StoreUnavailable
        else:
            return error
    message, remedy = _SENTENCES[kind]
    return kind(message, remedy=remedy)
