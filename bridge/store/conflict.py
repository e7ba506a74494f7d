"""A conflict keeps the version that lost when both sides had changed the same, so that a person can swap it back."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert, select, update

from bridge.core.sides import Side
from bridge.errors import NotFound
from bridge.store import texts
from bridge.store.database import instant, microseconds
from bridge.store.names import legible
from bridge.store.schema import conflict

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Row

    from bridge.store.database import Transaction


class State(StrEnum):
    """What a person has made of a conflict."""

    OPEN = "open"
    SWAPPED = "swapped"
    DISMISSED = "dismissed"


@dataclass(frozen=True, slots=True)
class ConflictRecord:
    """Two versions of one object, of which one was kept.

    Attributes:
        id: Number of the conflict; never given to another.
        rule_id: The rule.
        uid: Of the object.
        summary: Its title.
        at: When, UTC.
        lost_side: Whose version lost.
        lost: Etag of the version that lost.
        kept: Etag of the version that was kept.
        properties: The properties in which the two differ, as text.
        state: What a person has made of it.
    """

    id: int
    rule_id: int
    uid: str
    summary: str = field(repr=False)
    at: datetime
    lost_side: Side
    lost: str
    kept: str
    properties: str
    state: State


def note(
    tx: Transaction, *, rule_id: int, uid: str, summary: str, lost_side: Side, lost: str, kept: str, properties: str
) -> int:
    """Keeps a conflict, once however often the pass that met it is repeated, and gives its number.

    Args:
        tx: A writing transaction.
        rule_id: The rule.
        uid: Of the object.
        summary: Its title.
        lost_side: Whose version lost.
        lost: Etag of the version that lost, kept by `link.keep_body`.
        kept: Etag of the version that was kept, likewise.
        properties: The properties in which the two differ, as text.
    """
    values = {"rule_id": rule_id, "uid": uid, "summary": legible(summary), "at": microseconds(tx.now)}
    versions = {"lost_side": lost_side, "lost": lost, "kept": kept, "properties": legible(properties)}
    keys = {"rule_id": rule_id, "uid": uid, "lost": lost, "lost_side": lost_side, "state": State.OPEN}
    noted = tx.connection.execute(
        select(conflict.c.id, conflict.c.kept).where(*(conflict.c[name] == value for name, value in keys.items()))
    ).first()
    if noted is not None:
        # A pass that was broken off may have brought the winner over already, with what goes well together of both.
        if noted.kept != kept:
            tx.connection.execute(update(conflict).where(conflict.c.id == noted.id).values(kept=kept))
            texts.forget_unused(tx, [noted.kept])
        return int(noted.id)
    new = {**values, **versions, "state": State.OPEN}
    number: int = tx.connection.execute(insert(conflict).returning(conflict.c.id), new).scalar_one()
    return number


def every(tx: Transaction, rule_id: int | None = None, *, state: State | None = State.OPEN) -> list[ConflictRecord]:
    """The conflicts in one state, or in any (None), of one rule or of all, the newest first."""
    query = select(conflict).order_by(conflict.c.id.desc())
    if rule_id is not None:
        query = query.where(conflict.c.rule_id == rule_id)
    if state is not None:
        query = query.where(conflict.c.state == state)
    return [_from_row(row) for row in tx.connection.execute(query)]


def get(tx: Transaction, conflict_id: int) -> ConflictRecord:
    """The conflict with this number.

    Raises:
        NotFound: There is none any more.
    """
    row = tx.connection.execute(select(conflict).where(conflict.c.id == conflict_id)).one_or_none()
    if row is None:
        raise NotFound(
            f"There is no conflict {conflict_id} any more.", remedy="`calbridge conflicts list` lists those there are."
        )
    return _from_row(row)


def set_state(tx: Transaction, conflict_id: int, state: State) -> None:
    """Notes what a person has made of a conflict.

    Raises:
        NotFound: There is no such conflict any more.
    """
    if tx.connection.execute(update(conflict).where(conflict.c.id == conflict_id).values(state=state)).rowcount == 0:
        get(tx, conflict_id)


def expire(tx: Transaction, before: datetime) -> int:
    """Forgets conflicts of before an instant, and the versions that nothing else needs; gives how many."""
    old = delete(conflict).where(conflict.c.at < microseconds(before)).returning(conflict.c.lost, conflict.c.kept)
    gone = tx.connection.execute(old).all()
    texts.forget_unused(tx, (etag for row in gone for etag in row))
    return len(gone)


def _from_row(row: Row[*tuple[Any, ...]]) -> ConflictRecord:
    return ConflictRecord(
        row.id,
        row.rule_id,
        row.uid,
        row.summary,
        instant(row.at),
        Side(row.lost_side),
        row.lost,
        row.kept,
        row.properties,
        State(row.state),
    )
