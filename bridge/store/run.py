"""A run is one pass over a rule, with what it did to each object: what the log shows, and what can be undone."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, delete, func, insert, select, update

from bridge.core.sides import Side
from bridge.errors import NotFound
from bridge.store.database import instant, microseconds
from bridge.store.names import legible
from bridge.store.schema import run, run_item

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from sqlalchemy import Row

    from bridge.store.database import Transaction


@dataclass(frozen=True, slots=True)
class Run:
    """One pass over a rule.

    Attributes:
        id: Number of the run; never given to another.
        rule_id: The rule.
        kind: What kind of pass, as the engine names it.
        started_at: When it began, UTC.
        ended_at: When it ended, UTC; None while it runs, or where its process died.
        outcome: How it ended, as the engine names it; empty until then.
        moves: How many objects had which move.
        requests: How many requests it sent.
        problem: A sentence that says why it failed, or empty.
    """

    id: int
    rule_id: int
    kind: str
    started_at: datetime
    ended_at: datetime | None
    outcome: str
    moves: Mapping[str, int]
    requests: int
    problem: str


@dataclass(frozen=True, slots=True)
class RunItem:
    """What a run did to one object.

    Attributes:
        run_id: The run.
        at: When, UTC.
        move: Which move it was.
        side: Where something was changed.
        uid: Of the object.
        summary: Its title.
        note: What else a person should know, or empty.
        deletes: Whether it deleted something there that no person had approved.
    """

    run_id: int
    at: datetime
    move: str
    side: Side
    uid: str
    summary: str = field(repr=False)
    note: str
    deletes: bool


_BEGIN = insert(run).returning(run.c.id)


def begin(tx: Transaction, rule_id: int, kind: str) -> int:
    """Notes that a pass begins, and gives its number."""
    values = {"rule_id": rule_id, "kind": kind, "started_at": microseconds(tx.now)}
    number: int = tx.connection.execute(_BEGIN, {**values, "moves": "{}", "requests": 0, "problem": ""}).scalar_one()
    return number


_NOTE = insert(run_item).values(
    rule_id=select(run.c.rule_id).where(run.c.id == bindparam("of_run")).scalar_subquery(), run_id=bindparam("of_run")
)


def note(
    tx: Transaction,
    run_id: int,
    *,
    move: str,
    side: Side,
    uid: str,
    summary: str,
    note: str = "",
    deletes: bool = False,
) -> None:
    """Notes what the run did to one object, in the transaction in which it is done or known to be done.

    Args:
        tx: A writing transaction.
        run_id: The run.
        move: Which move it was.
        side: Where something was changed.
        uid: Of the object.
        summary: Its title.
        note: What else a person should know.
        deletes: Whether it deleted something on that side that no person had approved: such count for the guard.
    """
    note_many(tx, [RunItem(run_id, tx.now, move, side, uid, summary, note, deletes)])


def note_many(tx: Transaction, items: Iterable[RunItem]) -> None:
    """Does what `note` does for each of several objects."""
    rows = [
        {
            "of_run": each.run_id,
            "at": microseconds(each.at),
            "move": each.move,
            "side": each.side,
            "uid": each.uid,
            "summary": legible(each.summary),
            "note": legible(each.note),
            "deletes": each.deletes,
        }
        for each in items
    ]
    if rows:
        tx.connection.execute(_NOTE, rows)


_END = (
    update(run)
    .where(run.c.id == bindparam("of_run"))
    .values({name: bindparam(name) for name in ("ended_at", "outcome", "moves", "requests", "problem")})
)


def end(
    tx: Transaction, run_id: int, *, outcome: str, moves: Mapping[str, int], requests: int, problem: str = ""
) -> None:
    """Notes how a pass ended.

    Args:
        tx: A writing transaction.
        run_id: The run.
        outcome: How, as the engine names it.
        moves: How many objects had which move.
        requests: How many requests were sent.
        problem: A sentence that says why it failed.
    """
    counts = {str(move): count for move, count in moves.items()}
    values = {"ended_at": microseconds(tx.now), "outcome": outcome, "requests": requests, "problem": legible(problem)}
    tx.connection.execute(_END, {"of_run": run_id, **values, "moves": json.dumps(counts, sort_keys=True)})


def get(tx: Transaction, run_id: int) -> Run:
    """The run with this number.

    Raises:
        NotFound: There is none, or it has expired.
    """
    row = tx.connection.execute(select(run).where(run.c.id == run_id)).one_or_none()
    if row is None:
        raise NotFound(f"There is no run {run_id}.", remedy="`calbridge log` lists those that there are.")
    return _from_row(row)


def recent(tx: Transaction, rule_id: int | None = None, *, limit: int = 100) -> list[Run]:
    """The newest runs first, of one rule or of all."""
    query = select(run).order_by(run.c.id.desc()).limit(limit)
    if rule_id is not None:
        query = query.where(run.c.rule_id == rule_id)
    return [_from_row(row) for row in tx.connection.execute(query)]


def items(tx: Transaction, run_id: int) -> list[RunItem]:
    """What a run did, in order."""
    query = select(run_item).where(run_item.c.run_id == run_id).order_by(run_item.c.id)
    return [
        RunItem(
            row.run_id, instant(row.at), row.move, Side(row.side), row.uid, row.summary, row.note, deletes=row.deletes
        )
        for row in tx.connection.execute(query)
    ]


_DELETIONS = (
    select(run_item.c.side, func.count().label("deletions"))
    .where(
        run_item.c.rule_id == bindparam("rule_id"),
        run_item.c.deletes == bindparam("yes", value=True),
        run_item.c.at >= bindparam("since"),
    )
    .group_by(run_item.c.side)
)


def deletions_since(tx: Transaction, rule_id: int, since: datetime) -> tuple[int, int]:
    """How many objects a rule has deleted here and there since an instant without a person's approval."""
    rows = tx.connection.execute(_DELETIONS, {"rule_id": rule_id, "since": microseconds(since)})
    counts = {row.side: row.deletions for row in rows}
    return counts.get(Side.HERE, 0), counts.get(Side.THERE, 0)


def expire(tx: Transaction, before: datetime) -> int:
    """Forgets runs that began before an instant; gives how many."""
    return tx.connection.execute(delete(run).where(run.c.started_at < microseconds(before))).rowcount


def _from_row(row: Row[*tuple[Any, ...]]) -> Run:
    return Run(
        row.id,
        row.rule_id,
        row.kind,
        instant(row.started_at),
        None if row.ended_at is None else instant(row.ended_at),
        row.outcome or "",
        json.loads(row.moves),
        row.requests,
        row.problem,
    )
