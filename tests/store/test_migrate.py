"""Tests of the migrations, from nothing, from this version and from a newer one."""

from __future__ import annotations

import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text
from sqlalchemy.exc import DBAPIError

from bridge.errors import StoreError, StoreNewer
from bridge.store import migrate
from bridge.store.database import Database
from bridge.store.schema import metadata
from tests.repository import TOP
from tests.store.appointments import appointment
from tests.store.assignments import declare
from tests.store.desk import Clock, Desk
from tests.store.integrity import check_integrity

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy.engine.interfaces import ReflectedIndex

MIGRATE_AND_SAY = """
import sys
from datetime import UTC, datetime
from bridge.store.database import Database
sys.stdin.readline()
database = Database(sys.argv[1], clock=lambda: datetime.now(UTC))
database.migrate()
database.check()
database.close()
"""

LATER = """
import sqlalchemy as sa
from alembic import op

revision = '9000'
down_revision = '0004'


def upgrade() -> None:
    with op.batch_alter_table('collection', recreate='auto') as batch:
        batch.add_column(sa.Column('length', sa.Integer(), nullable=False, server_default='7'))
        batch.alter_column('key', type_=sa.String(200))
"""


@pytest.fixture
def empty(empty_url: str) -> Iterator[Database]:
    database = Database(empty_url, clock=Clock())
    yield database
    database.close()


def test_an_empty_database_gets_its_tables_and_works(empty: Database) -> None:
    empty.migrate()

    empty.check()
    assert Desk(empty, Clock()).calendar() > 0
    check_integrity(empty)


def test_migrating_again_does_nothing(empty: Database) -> None:
    empty.migrate()
    here = Desk(empty, Clock()).calendar()

    empty.migrate()

    assert Desk(empty, Clock()).calendar() == here


def test_a_database_without_tables_says_how_to_make_them(empty: Database) -> None:
    with pytest.raises(StoreError, match="calbridge init"):
        empty.check()


def test_reading_a_database_without_tables_says_how_to_make_them(empty: Database) -> None:
    with pytest.raises(StoreError, match="calbridge init"):
        Desk(empty, Clock()).state()


def test_the_migrations_make_the_tables_that_the_program_knows(database: Database) -> None:
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})

        assert compare_metadata(context, metadata) == []


def test_the_migrations_make_the_same_keys_and_checks_as_the_program_would(database: Database, empty: Database) -> None:
    with empty.writing() as tx:
        metadata.create_all(tx.connection)

    assert described(database) == described(empty)


def described(database: Database) -> dict[str, object]:
    seen = inspect(database.engine)
    return {
        name: (
            [(column["name"], str(column["type"]), column["nullable"]) for column in seen.get_columns(name)],
            seen.get_pk_constraint(name),
            sorted(seen.get_foreign_keys(name), key=str),
            sorted(seen.get_unique_constraints(name), key=str),
            sorted(map(indexed, seen.get_indexes(name))),
            seen.get_table_options(name),
        )
        for name in seen.get_table_names()
        if name != "alembic_version"
    }


def indexed(index: ReflectedIndex) -> str:
    """An index, with its condition as text, which SQLAlchemy would compare by identity."""
    options = {name: str(value) for name, value in index.get("dialect_options", {}).items()}
    return str({**index, "dialect_options": options})


@pytest.mark.parametrize("task", ["migrate", "check"])
def test_a_database_of_a_newer_version_is_left_alone(empty: Database, task: str) -> None:
    empty.migrate()
    with empty.writing() as tx:
        tx.connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    with pytest.raises(StoreNewer, match=r"A newer Calbridge made this database .*9999.* Start the newer version"):
        getattr(empty, task)()


def test_processes_that_start_at_once_all_end_well(empty_url: str) -> None:
    processes = [
        subprocess.Popen(
            [sys.executable, "-W", "error", "-c", MIGRATE_AND_SAY, empty_url],
            cwd=TOP,
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()

    errors = [process.communicate(timeout=60)[1] for process in processes]

    assert [(process.returncode, error) for process, error in zip(processes, errors, strict=True)] == [(0, "")] * 3


def test_a_migration_that_fails_changes_nothing(empty: Database) -> None:
    with empty.writing() as tx:
        # The last of the tables: the migration fails when it has made all others.
        tx.connection.exec_driver_sql("CREATE TABLE placement (id INTEGER)")

    with pytest.raises((StoreError, DBAPIError)):
        empty.migrate()

    assert inspect(empty.engine).get_table_names() == ["placement"]


def test_a_database_of_the_first_version_gets_the_later_tables_and_keeps_what_it_has(
    empty: Database, tmp_path: Path
) -> None:
    first = tmp_path / "migrations"
    shutil.copytree(migrate.FOLDER, first)
    for later in (first / "versions").glob("000[2-9]_*.py"):
        later.unlink()
    empty.migrate(first)
    with empty.writing() as tx:
        tx.connection.exec_driver_sql(
            "INSERT INTO collection (kind, owner, key, incarnation, revision, floor, changed_at)"
            " VALUES ('resource', 'salon', 'anna', '0123456789abcdef', 7, 3, 0)"
        )

    empty.migrate()

    desk = Desk(empty, Clock())
    desk.put(desk.calendar(), "x.ics", appointment())
    assert desk.state().tag == "0123456789abcdef-8"
    assert declare(desk).collection_id == desk.calendar()


def test_a_later_migration_may_replace_a_table_that_others_refer_to(empty: Database, tmp_path: Path) -> None:
    """On SQLite Alembic copies a table to alter it, and dropping the old one would delete what refers to it."""
    empty.migrate()
    desk = Desk(empty, Clock())
    anna = desk.calendar()
    desk.put(anna, "x.ics", appointment())
    later = tmp_path / "migrations"
    shutil.copytree(migrate.FOLDER, later)
    (later / "versions" / "9000_later.py").write_text(LATER)

    empty.migrate(later)

    assert "length" in {column["name"] for column in inspect(empty.engine).get_columns("collection")}
    with empty.reading() as tx:
        assert tx.connection.exec_driver_sql("SELECT count(*) FROM placement").scalar_one() == 1
        assert tx.connection.exec_driver_sql("SELECT length FROM collection").scalar_one() == 7
    with pytest.raises(StoreNewer):
        empty.check()
