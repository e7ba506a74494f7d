"""A claim lets one process at a time do something that has a name, until it lets go or its time is over.

Rules have leases of their own; a claim is for what concerns no rule, such as the refresh of a connection's tokens.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, or_

from bridge.store.database import microseconds
from bridge.store.schema import claim
from bridge.store.upsert import insert_or_change

if TYPE_CHECKING:
    from datetime import datetime

    from bridge.store.database import Transaction


def take(tx: Transaction, name: str, owner: str, until: datetime) -> bool:
    """Gives `owner` the claim `name` where nobody has it, or extends the one that it has already.

    Args:
        tx: A writing transaction.
        name: What is claimed.
        owner: Names whoever claims it; two threads of one process need two names.
        until: When the claim ends unless it is extended, UTC.

    Returns:
        Whether it is the owner's now.
    """
    values = {"owner": owner, "until": microseconds(until)}
    free = or_(claim.c.until <= microseconds(tx.now), claim.c.owner == owner)
    return insert_or_change(tx, claim, {"name": name}, values, values, where=free)


def release(tx: Transaction, name: str, owner: str) -> None:
    """Ends the claim of `owner`, if it still has it."""
    tx.connection.execute(delete(claim).where(claim.c.name == name, claim.c.owner == owner))
