"""Migrations bring the tables to the form that this version needs (Alembic)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bridge.errors import StoreError, StoreNewer

if TYPE_CHECKING:
    from alembic.config import Config
    from sqlalchemy import Connection

FOLDER = Path(__file__).parent / "migrations"
"""The migrations of this version."""


def is_current(connection: Connection, folder: Path = FOLDER) -> bool:
    """Whether the tables have the form that this version needs.

    Raises:
        StoreNewer: A newer Calbridge made this database.
    """
    return _state(connection, folder) == _head(folder)


def is_empty(connection: Connection) -> bool:
    """Tells whether no Calbridge has made tables here yet."""
    from alembic.migration import MigrationContext  # noqa: PLC0415 -- costs 0.2 s, and a worker process never needs it

    return MigrationContext.configure(connection).get_current_revision() is None


def upgrade(connection: Connection, folder: Path = FOLDER) -> None:
    """Applies the migrations that `connection`'s database lacks, in the transaction that is open there.

    Raises:
        StoreNewer: A newer Calbridge made this database.
    """
    from alembic import command  # noqa: PLC0415 -- costs 0.2 s, and a worker process never needs it

    # Asked again: another process may have done it since.
    if is_current(connection, folder):
        return
    config = _config(folder)
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def check(connection: Connection) -> None:
    """Passes where the tables have the form that this version needs.

    Raises:
        StoreNewer: A newer Calbridge made this database.
        StoreError: The tables are older than this version.
    """
    if not is_current(connection):
        raise StoreError(
            "The database was made by an older Calbridge.",
            remedy="Run `calbridge init`; it brings the tables up to date and loses nothing.",
        )


def _config(folder: Path) -> Config:
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(folder))
    return config


def _head(folder: Path) -> str | None:
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    return ScriptDirectory.from_config(_config(folder)).get_current_head()


def _state(connection: Connection, folder: Path) -> str | None:
    from alembic.migration import MigrationContext  # noqa: PLC0415
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    state = MigrationContext.configure(connection).get_current_revision()
    known = {script.revision for script in ScriptDirectory.from_config(_config(folder)).walk_revisions()}
    if state is not None and state not in known:
        raise StoreNewer(
            f"A newer Calbridge made this database (its form is {state!r}, the newest known here {_head(folder)!r}).",
            remedy="Start the newer version again, or restore a backup that this version made.",
        )
    return state
