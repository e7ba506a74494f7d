"""An object is parked when it cannot be brought across for a lasting reason: it is set aside, and the rest goes on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import delete, select

from bridge.core.sides import Side
from bridge.store.database import instant, microseconds
from bridge.store.names import can_be_kept, legible
from bridge.store.schema import parked
from bridge.store.upsert import insert_or_change

if TYPE_CHECKING:
    from datetime import datetime

    from bridge.store.database import Transaction

COPY = "UID"
"""The property of what stands there a second time, under the UID of an object that is linked."""

_SHORT = 200
_ELLIPSIS = "\N{HORIZONTAL ELLIPSIS}"


@dataclass(frozen=True, slots=True)
class Parked:
    """An object that is set aside.

    Attributes:
        rule_id: The rule.
        side: Where the object stands that cannot be brought across.
        key: UID of an object here, remote id of one there.
        uid: Of the object, or empty where nobody knows it.
        summary: Its title, or empty.
        reason: A sentence that says why.
        remedy: What to do now; may be empty.
        property: Which property it stumbles over, or empty.
        at: When it was last tried, UTC.
        attempts: How often.
    """

    rule_id: int
    side: Side
    key: str
    uid: str
    summary: str = field(repr=False)
    reason: str
    remedy: str
    property: str
    at: datetime
    attempts: int


def park(
    tx: Transaction,
    rule_id: int,
    side: Side,
    key: str,
    *,
    uid: str,
    summary: str,
    reason: str,
    remedy: str = "",
    property: str = "",  # noqa: A002 -- the iCalendar word
) -> None:
    """Sets an object aside, or notes that it failed once more."""
    values = {
        "uid": uid,
        "summary": legible(summary),
        "reason": legible(reason),
        "remedy": legible(remedy),
        "property": legible(property),
        "at": microseconds(tx.now),
    }
    which = {"rule_id": rule_id, "side": side, "key": _named(key)}
    again = {**values, "attempts": parked.c.attempts + 1}
    insert_or_change(tx, parked, which, {**values, "attempts": 1}, again)


def _named(key: str) -> str:
    """The key as it can be kept, also where that is why the object is set aside."""
    return key if can_be_kept(key) else legible(key, most=_SHORT) + _ELLIPSIS


def is_shortened(key: str) -> bool:
    """Whether the key of what is set aside is only the beginning of one that cannot be kept."""
    return key.endswith(_ELLIPSIS)


def unpark(tx: Transaction, rule_id: int, side: Side, key: str) -> bool:
    """Takes an object back in; gives whether it was set aside. `outbox.bring_back` has it looked at again."""
    this = (parked.c.rule_id == rule_id, parked.c.side == side, parked.c.key == _named(key))
    return tx.connection.execute(delete(parked).where(*this)).rowcount == 1


def every(tx: Transaction, rule_id: int | None = None) -> list[Parked]:
    """The objects that are set aside, of one rule or of all, the latest first."""
    query = select(parked).order_by(parked.c.at.desc(), parked.c.rule_id, parked.c.side, parked.c.key)
    if rule_id is not None:
        query = query.where(parked.c.rule_id == rule_id)
    return [
        Parked(
            row.rule_id,
            Side(row.side),
            row.key,
            row.uid,
            row.summary,
            row.reason,
            row.remedy,
            row.property,
            instant(row.at),
            row.attempts,
        )
        for row in tx.connection.execute(query)
    ]
