"""All processes send requests over a connection out of one bucket, so that together they keep to its provider's quota.

What a process has taken, and did not send because it was killed, is lost: the bucket fills again.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sqlalchemy import select, update

from bridge.core.model import BEGINNING
from bridge.store.database import instant, microseconds
from bridge.store.schema import allowance
from bridge.store.upsert import insert_unless_there

if TYPE_CHECKING:
    from datetime import datetime

    from bridge.core.polling import Bucket
    from bridge.store.database import Transaction


def take(tx: Transaction, connection: str, bucket: Bucket, count: int) -> datetime:
    """Takes some requests out of the bucket of a connection.

    Args:
        tx: A writing transaction.
        connection: Its key.
        bucket: As large, and filled as fast, as this process knows it to be.
        count: How many.

    Returns:
        The instant from which all of them may be sent, UTC.
    """
    mine = allowance.c.connection == connection
    insert_unless_there(tx, allowance, {"connection": connection, "spent_until": microseconds(BEGINNING)})
    found = select(allowance.c.spent_until).where(mine).with_for_update()
    spent_until = instant(tx.connection.execute(found).scalar_one())
    after, wait = replace(bucket, spent_until=spent_until).take(tx.now, count)
    tx.connection.execute(update(allowance).where(mine).values(spent_until=microseconds(after.spent_until)))
    return tx.now + wait
