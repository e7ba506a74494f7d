"""The database drivers' errors become the store's, which say whose turn it is and what to do."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlalchemy.exc import DBAPIError, PendingRollbackError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from bridge.errors import StoreContended, StoreError, StoreFull, StoreReadOnly, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def translated() -> Iterator[None]:
    """Turns the driver's errors into the store's, with a sentence and a remedy."""
    try:
        yield
    except DBAPIError as error:
        ours = _translate(_root(error))
        if ours is None:
            raise
        raise ours from error
    except PendingRollbackError as error:
        raise StoreUnavailable(
            "The database undid the whole transaction after an error, so nothing was stored.",
            remedy="Try again in a moment.",
        ) from error
    except PoolTimeoutError as error:
        raise StoreUnavailable(
            "Every database connection has been busy for too long.",
            remedy="Try again in a moment; raise server.threads if this keeps happening.",
        ) from error


def _root(error: DBAPIError) -> DBAPIError:
    """The error behind a savepoint that could not be undone because it had undone the transaction already."""
    behind = error.orig.__context__ if error.orig is not None else None
    return behind if "no such savepoint" in str(error.orig) and isinstance(behind, DBAPIError) else error


_FULL = ("database or disk is full", "No space left on device")
_READ_ONLY = ("readonly database", "read-only transaction")
_CONTENDED = (
    # What was about to be referred to (a calendar, an old text) was deleted a moment before.
    "FOREIGN KEY constraint failed",
    "deadlock detected",
    "could not serialize access",
)
_BUSY = ("database is locked", "database table is locked")
_NO_TABLE = ("no such table", "no such column")
_DAMAGED = ("file is not a database", "database disk image is malformed")
_SQLSTATES: dict[str, type[StoreError]] = {
    "53100": StoreFull,  # disk_full
    "25006": StoreReadOnly,  # read_only_sql_transaction
    "40001": StoreContended,  # serialization_failure
    "40P01": StoreContended,  # deadlock_detected
    "55P03": StoreUnavailable,  # lock_not_available
    "42P01": StoreError,  # undefined_table
    "42703": StoreError,  # undefined_column
    "57014": StoreUnavailable,  # query_canceled
    "23503": StoreContended,  # foreign_key_violation: as above
}
_SENTENCES: dict[type[StoreError], tuple[str, str]] = {
    StoreError: (
        "The database lacks tables that this version of Calbridge needs.",
        "Run `calbridge init`; it brings the tables up to date and loses nothing.",
    ),
    StoreFull: (
        "The disk that holds the database is full, so nothing was stored.",
        "Free some space; no restart is needed.",
    ),
    StoreReadOnly: (
        "The database may not be written, so nothing was stored.",
        "Let the server's user write the database file and its folder.",
    ),
    StoreContended: (
        "Another change got in the way of this one, so nothing was stored.",
        "Try again in a moment.",
    ),
    StoreUnavailable: (
        "The database did not answer in time or is out of reach, so nothing was stored.",
        "Try again in a moment; `calbridge doctor` tells more.",
    ),
}


def _translate(error: DBAPIError) -> StoreError | None:
    text = str(error.orig)
    state = getattr(error.orig, "sqlstate", None)
    kind = _SQLSTATES.get(state or "")
    if kind is None:
        if any(mark in text for mark in _FULL):
            kind = StoreFull
        elif any(mark in text for mark in _READ_ONLY):
            kind = StoreReadOnly
        elif any(mark in text for mark in _NO_TABLE):
            kind = StoreError
        elif any(mark in text for mark in _DAMAGED):
            return StoreError(
                f"The database file cannot be read: SQLite says {text!r}.",
                remedy="Restore it from a backup, or name another file in `database`.",
            )
        elif any(mark in text for mark in _CONTENDED):
            kind = StoreContended
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
            return None
    message, remedy = _SENTENCES[kind]
    return kind(message, remedy=remedy)
