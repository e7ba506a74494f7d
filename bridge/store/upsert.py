"""Writes that make a row or change the one that is there, in one statement: nobody gets in between."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy.dialects import postgresql, sqlite

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import ColumnElement, Table

    from bridge.store.database import Transaction

# The two dialects have the same words for it, in classes of their own.
_INSERT: dict[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


def insert_unless_there(tx: Transaction, table: Table, values: Mapping[str, object]) -> bool:
    """Makes a row where none stands with the same key; gives whether it did."""
    statement = _INSERT[tx.connection.dialect.name](table).values(**values).on_conflict_do_nothing()
    return tx.connection.execute(statement.returning(*table.primary_key)).first() is not None


def insert_or_change(
    tx: Transaction,
    table: Table,
    key: Mapping[str, object],
    values: Mapping[str, object],
    changed: Mapping[str, Any],
    *,
    where: ColumnElement[bool] | None = None,
) -> bool:
    """Makes a row of `key` and `values`, or changes the one that stands under `key`.

    Args:
        tx: A writing transaction.
        table: The table; `key` names all columns of its primary key.
        key: Column and value, each.
        values: The other columns of a new row.
        changed: The columns of a row that is there already; may be expressions of its present columns.
        where: Of which row that is there already they may be changed; None: of any.

    Returns:
        Whether a row was made or changed.
    """
    statement = _INSERT[tx.connection.dialect.name](table).values(**key, **values)
    written = statement.on_conflict_do_update(index_elements=list(key), set_=dict(changed), where=where)
    return tx.connection.execute(written.returning(*table.primary_key)).first() is not None
