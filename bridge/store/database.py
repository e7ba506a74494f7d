"""An open database: transactions that are all or nothing, and errors that say whose turn it is."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import create_engine, event, make_url
from sqlalchemy.exc import DBAPIError

from bridge.errors import StoreError, StoreUnavailable
from bridge.store import migrate
from bridge.store.places import NoPlace, Places
from bridge.store.translation import translated

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sqlalchemy import Connection, Engine

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Any number that nobody else locks in the same database.
_MIGRATION_LOCK = 4_791_200_126
# Bringing a large database up to date takes its time, and nobody answers requests meanwhile.
_MIGRATION_PATIENCE = timedelta(seconds=30)
# After which a write is no longer one of a crowd that gets on, but waits for something itself.
_STUCK_SECONDS = 1.0
_SQLITE_PRAGMAS = (
    # Readers never wait for a writer, and a writer never for readers.
    "PRAGMA journal_mode = WAL",
    # An answered PUT survives a power cut.
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA cache_size = -16000",
    "PRAGMA temp_store = MEMORY",
)


def microseconds(instant: datetime) -> int:
    """Microseconds since 1970 of an aware `instant`, as the tables keep it."""
    return (instant - _EPOCH) // timedelta(microseconds=1)


def instant(count: int) -> datetime:
    """The UTC instant that the tables keep as `count` microseconds since 1970."""
    return _EPOCH + timedelta(0, 0, count)


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
        with translated():
            try:
                with self.connection.begin_nested():
                    yield
            except DBAPIError:
                if self.connection.dialect.name == "sqlite" and not _driver(self.connection).in_transaction:
                    # SQLite undoes everything when its disk is full: nothing more may follow as if it had not.
                    self.connection.invalidate()
                raise


class Database:
    """A database of appointments on SQLite or PostgreSQL.

    Args:
        url: `sqlite:///path` or `postgresql://user@host/name`.
        clock: Gives the present instant in UTC.
        connections: How many connections may be open at once; one a thread is enough.
        patience: How long to wait for a lock, for another write or for a free connection. On SQLite a quarter as many
            writes as there are connections wait as long; on PostgreSQL half as many write at once. While they are
            stuck, more are refused at once, so that threads are left for everything else.
    """

    def __init__(
        self,
        url: str,
        *,
        clock: Callable[[], datetime],
        connections: int = 20,
        patience: timedelta = timedelta(seconds=8),
    ) -> None:
        parsed = make_url(url)
        self.is_sqlite = parsed.get_backend_name() == "sqlite"
        self._clock = clock
        self._patience = patience
        # SQLite lets one writer in at a time; waiting here is fair and costs no polling.
        self._writers = Places(
            1 if self.is_sqlite else connections // 2,
            in_line=connections // 4 if self.is_sqlite else 0,
            patience=patience.total_seconds(),
            stuck=_STUCK_SECONDS,
        )
        self._writes = 0
        if self.is_sqlite:
            self._engine = create_engine(
                parsed.set(drivername="sqlite+pysqlite"),
                pool_size=connections,
                max_overflow=connections,
                pool_timeout=patience.total_seconds(),
                # The driver begins no transaction by itself (and with `autocommit`, new in Python 3.12, it would not
                # commit those that we begin).
                connect_args={
                    "check_same_thread": False,
                    "timeout": patience.total_seconds(),
                    "isolation_level": None,
                },
            )
            event.listen(self._engine, "connect", self._configure_sqlite)
            event.listen(self._engine, "begin", _begin_sqlite)
        else:
            self._engine = create_engine(
                parsed.set(drivername="postgresql+psycopg"),
                pool_size=connections,
                max_overflow=connections,
                pool_timeout=patience.total_seconds(),
                pool_pre_ping=True,
                isolation_level="READ COMMITTED",
                connect_args={"connect_timeout": 10, "application_name": "calbridge"},
            )
            event.listen(self._engine, "connect", self._configure_postgresql)

    @property
    def engine(self) -> Engine:
        """The SQLAlchemy engine, for `bridge.store` and its tests."""
        return self._engine

    @property
    def writes(self) -> int:
        """How many transactions have written through this object; counted on SQLite only."""
        return self._writes

    def close(self) -> None:
        """Closes every connection."""
        self._engine.dispose()

    def migrate(self, folder: Path = migrate.FOLDER) -> None:
        """Brings the tables to the form that this version needs; does nothing where they have it.

        Several processes may do so at once.

        Args:
            folder: Where the migrations are.

        Raises:
            StoreNewer: A newer Calbridge made this database.
            StoreError: The database cannot be reached or written.
        """
        with translated(), self._engine.connect() as connection:
            if migrate.is_current(connection, folder):
                return
        with translated(), self._alone() as connection:
            migrate.upgrade(connection, folder)

    def check(self) -> None:
        """Passes where the database answers and its tables have the form that this version needs.

        Raises:
            StoreNewer: A newer Calbridge made this database.
            StoreError: It cannot be reached, or its tables are older than this version.
        """
        with translated(), self._engine.connect() as connection:
            migrate.check(connection)

    @contextmanager
    def reading(self) -> Iterator[Transaction]:
        """A transaction that sees one unchanging state and cannot write.

        Raises:
            StoreError: As `bridge.errors` says.
        """
        with translated(), self._engine.connect() as connection:
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
        with translated():
            if not self.is_sqlite:
                with self._turn_to_write(), self._engine.begin() as connection:
                    yield Transaction(connection, self._clock(), writing=True)
                return
            with self._turn_to_write() as left, self._engine.connect() as connection:
                self._wait_at_most(connection, left)
                immediate = connection.execution_options(calbridge_writing=True)
                with immediate.begin():
                    yield Transaction(immediate, self._clock(), writing=True)
                self._writes += 1

    @contextmanager
    def _turn_to_write(self) -> Iterator[timedelta]:
        try:
            with self._writers.one() as left:
                yield timedelta(seconds=left)
        except NoPlace as error:
            raise StoreUnavailable(
                "Other writes have been running for too long, so nothing was stored.",
                remedy="Try again in a moment.",
            ) from error

    def _wait_at_most(self, connection: Connection, patience: timedelta) -> None:
        """Makes a writer who waited for other threads wait for other processes only as long as is left."""
        # To the second: a statement for each write would cost more than it tells.
        if abs(connection.info.get("calbridge_patience", self._patience) - patience) < timedelta(seconds=1):
            return
        _on_sqlite(connection, f"PRAGMA busy_timeout = {max(1, patience // timedelta(milliseconds=1))}")
        connection.info["calbridge_patience"] = patience

    @contextmanager
    def _alone(self) -> Iterator[Connection]:
        """A writing transaction beside which no other process changes the tables' form."""
        if not self.is_sqlite:
            with self._engine.begin() as connection:
                connection.exec_driver_sql(
                    f"SET LOCAL lock_timeout = {_MIGRATION_PATIENCE // timedelta(milliseconds=1)}"
                )
                connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_MIGRATION_LOCK})")
                yield connection
            return
        with self._turn_to_write(), self._engine.connect() as connection:
            immediate = connection.execution_options(calbridge_writing=True)
            self._wait_at_most(connection, _MIGRATION_PATIENCE)
            # Alembic replaces a table by a changed copy: dropping the old one must not delete what refers to it.
            _on_sqlite(connection, "PRAGMA foreign_keys = OFF")
            try:
                with immediate.begin():
                    yield immediate
                    if immediate.exec_driver_sql("PRAGMA foreign_key_check").first() is not None:
                        raise StoreError("The migration would break references between tables, so it was not done.")
            finally:
                _on_sqlite(connection, "PRAGMA foreign_keys = ON")

    def _configure_sqlite(self, connection: Any, _record: object) -> None:
        cursor = connection.cursor()
        for pragma in _SQLITE_PRAGMAS:
            cursor.execute(pragma)
        cursor.close()

    def _configure_postgresql(self, connection: Any, _record: object) -> None:
        # Whoever hangs while it holds a lock must not make everybody else hang too.
        connection.execute(f"SET lock_timeout = {self._patience // timedelta(milliseconds=1)}")
        # A plan made while a table was empty is kept when it has grown: reading all of it must not stay the way.
        connection.execute("SET enable_seqscan = off")
        # Statements here are short; to compile those that read a whole table after all takes longer than they do.
        connection.execute("SET jit = off")
        connection.commit()


def _on_sqlite(connection: Connection, pragma: str) -> None:
    """Sets what SQLite does not let be set within a transaction."""
    _driver(connection).execute(pragma)


def _driver(connection: Connection) -> Any:
    return connection.connection.dbapi_connection


def _begin_sqlite(connection: Connection) -> None:
    writing = connection.get_execution_options().get("calbridge_writing", False)
    if connection.info.get("calbridge_writing") is not writing:
        connection.exec_driver_sql(f"PRAGMA query_only = {'OFF' if writing else 'ON'}")
        connection.info["calbridge_writing"] = writing
    # Taking the write lock at once means that no transaction fails half way because another wrote first.
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")
