"""A hold keeps deletions back until a person has approved or refused them; a rule has at most one waiting a side."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, delete, exists, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from bridge.core.sides import Side
from bridge.errors import Conflict, NotFound
from bridge.store import rule as rules
from bridge.store.database import instant, microseconds
from bridge.store.names import legible
from bridge.store.schema import held, held_item

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from sqlalchemy import Row

    from bridge.store.database import Transaction


class State(StrEnum):
    """What has become of a hold."""

    WAITING = "waiting"
    APPROVED = "approved"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Held:
    """Deletions that a rule does not do by itself.

    Attributes:
        id: Number of the hold; never given to another.
        rule_id: The rule.
        side: From where it would delete.
        at: When they were first held, UTC.
        total: How many objects stood on that side.
        state: What has become of it.
        decided_at: When a person decided, UTC, or None.
        decided_by: Who, or empty.
    """

    id: int
    rule_id: int
    side: Side
    at: datetime
    total: int
    state: State
    decided_at: datetime | None
    decided_by: str


@dataclass(frozen=True, slots=True)
class HeldItem:
    """One object that would be deleted.

    Attributes:
        uid: Of the object here.
        remote_id: Of the object there, or None.
        summary: Its title.
    """

    uid: str
    remote_id: str | None
    summary: str = field(repr=False)


_SELECT = select(held)
_WAITING = _SELECT.where(held.c.state == State.WAITING).order_by(held.c.id)
_OPEN = _WAITING.where(held.c.rule_id == bindparam("rule_id"), held.c.side == bindparam("side"))
_ITEMS = {
    "sqlite": sqlite.insert(held_item).on_conflict_do_nothing(),
    "postgresql": postgresql.insert(held_item).on_conflict_do_nothing(),
}


def open_or_extend(tx: Transaction, rule_id: int, side: Side, wanted: Iterable[HeldItem], *, total: int) -> Held:
    """Holds deletions: in the rule's waiting hold of that side, or in a new one.

    Args:
        tx: A writing transaction of whoever holds the rule's lease.
        rule_id: The rule.
        side: From where it would delete.
        wanted: What; that which the hold has already is not added again.
        total: How many objects stand on that side.
    """
    row = tx.connection.execute(_OPEN, {"rule_id": rule_id, "side": side}).first()
    if row is None:
        values = {"rule_id": rule_id, "side": side, "at": microseconds(tx.now), "total": total, "state": State.WAITING}
        row = tx.connection.execute(insert(held).returning(held), values).one()
    rows = [
        {"held_id": row.id, "uid": each.uid, "remote_id": each.remote_id, "summary": legible(each.summary)}
        for each in wanted
    ]
    if rows:
        tx.connection.execute(_ITEMS[tx.connection.dialect.name], rows)
    return _from_row(row)


def waiting(tx: Transaction, rule_id: int | None = None) -> list[Held]:
    """The holds that wait for a person, of one rule or of all, the oldest first."""
    query = _WAITING if rule_id is None else _WAITING.where(held.c.rule_id == rule_id)
    return [_from_row(row) for row in tx.connection.execute(query)]


def get(tx: Transaction, held_id: int) -> Held:
    """The hold with this number.

    Raises:
        NotFound: There is none any more.
    """
    row = tx.connection.execute(_SELECT.where(held.c.id == held_id)).one_or_none()
    if row is None:
        raise NotFound(f"There is no hold {held_id} any more.", remedy="`calbridge held list` lists those there are.")
    return _from_row(row)


def items(tx: Transaction, held_id: int) -> list[HeldItem]:
    """What would be deleted, by title."""
    query = select(held_item).where(held_item.c.held_id == held_id).order_by(held_item.c.summary, held_item.c.uid)
    return [HeldItem(row.uid, row.remote_id, row.summary) for row in tx.connection.execute(query)]


def approve(tx: Transaction, held_id: int, *, by: str) -> Held:
    """Lets the rule delete what was held; it is due now.

    Raises:
        NotFound: There is no such hold any more.
        Conflict: It was decided already.
    """
    return _decide(tx, held_id, State.APPROVED, by)


def refuse(tx: Transaction, held_id: int, *, by: str) -> Held:
    """Has the rule keep what was held, and bring it back where it is gone; it is due now.

    Raises:
        NotFound: There is no such hold any more.
        Conflict: It was decided already.
    """
    return _decide(tx, held_id, State.REFUSED, by)


def _decide(tx: Transaction, held_id: int, state: State, by: str) -> Held:
    values = {"state": state, "decided_at": microseconds(tx.now), "decided_by": legible(by)}
    mine = (held.c.id == held_id, held.c.state == State.WAITING)
    decided = tx.connection.execute(update(held).where(*mine).values(values)).rowcount == 1
    found = get(tx, held_id)
    if not decided:
        raise Conflict(f"The hold {held_id} was {found.state} already.", remedy="Nothing needs to be done.")
    rules.make_due(tx, found.rule_id, tx.now)
    return found


_UIDS = (
    select(held_item.c.uid)
    .select_from(held_item.join(held, held.c.id == held_item.c.held_id))
    .where(held.c.rule_id == bindparam("rule_id"), held.c.side == bindparam("side"), held.c.state == bindparam("state"))
)


def uids(tx: Transaction, rule_id: int, side: Side, state: State) -> set[str]:
    """The UIDs in a rule's holds of one side that are in this state, and not dealt with yet."""
    return set(tx.connection.execute(_UIDS, {"rule_id": rule_id, "side": side, "state": state}).scalars())


def take_out(tx: Transaction, rule_id: int, side: Side, gone: Iterable[str]) -> None:
    """Takes objects out of a rule's holds: the deletion is done, or the reason for it is gone.

    A hold that waits and has none left dissolves; one that was decided stays as a record.
    """
    of_side = select(held.c.id).where(held.c.rule_id == rule_id, held.c.side == side)
    query = delete(held_item).where(held_item.c.held_id.in_(of_side), held_item.c.uid == bindparam("gone_uid"))
    rows = [{"gone_uid": uid} for uid in sorted(set(gone))]
    if rows:
        tx.connection.execute(query, rows)
    empty = ~exists().where(held_item.c.held_id == held.c.id)
    mine = (held.c.rule_id == rule_id, held.c.side == side, held.c.state == State.WAITING)
    tx.connection.execute(delete(held).where(*mine, empty))


def expire(tx: Transaction, before: datetime) -> int:
    """Forgets holds that were decided before an instant and dealt with since; gives how many."""
    done = ~exists().where(held_item.c.held_id == held.c.id)
    return tx.connection.execute(delete(held).where(held.c.decided_at < microseconds(before), done)).rowcount


def _from_row(row: Row[*tuple[Any, ...]]) -> Held:
    return Held(
        row.id,
        row.rule_id,
        Side(row.side),
        instant(row.at),
        row.total,
        State(row.state),
        None if row.decided_at is None else instant(row.decided_at),
        row.decided_by or "",
    )
