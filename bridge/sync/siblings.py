"""What a sibling rule wrote is its copy for as long as the appointment stands with it; afterwards it was moved here."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from bridge.core import origin
from bridge.core.sides import Side
from bridge.store import collection as collections
from bridge.store import journal, placement
from bridge.store import link as links
from bridge.store import rule as rules
from bridge.sync.pull import is_left_alone

if TYPE_CHECKING:
    from datetime import datetime

    from bridge.core.model import CalendarObject
    from bridge.store.database import Transaction
    from bridge.store.rule import Rule
    from bridge.sync.assignment import Assignment
    from bridge.sync.pairing import Pair

MOVING = timedelta(minutes=30)
"""For so long it is asked again whether a copy is the one that its rule then finds gone: each asks in its own time."""


def is_copy(tx: Transaction, a: Assignment, remote: CalendarObject) -> bool:
    """Whether a remote object that no link knows is the copy of what another rule of this site keeps.

    It is none any more where that rule has left the configuration, and where somebody moved it out of that rule's
    calendar: the appointment, once known by this very UID, stands there no longer. One under a UID that was made for
    a copy always is one.

    Args:
        tx: A transaction.
        a: The rule that sees it.
        remote: The object.
    """
    mark = origin.marks(remote)
    if mark is None or mark.site != a.origin.site or mark.rule == a.origin.rule:
        return False
    if origin.is_alias(remote.uid):
        return True
    sibling = rules.find_by_origin(tx, str(mark))
    return sibling is not None and not _has_lost(tx, sibling, remote.uid)


def may_be_moving(pair: Pair, now: datetime) -> bool:
    """Whether its rule may not have noticed yet that a copy was moved away from it."""
    return any(intent.side is Side.THERE and now - intent.noted_at < MOVING for intent in pair.intents)


def _has_lost(tx: Transaction, sibling: Rule, uid: str) -> bool:
    """Whether a rule had an appointment once, and has it no more on either side."""
    if placement.href_of_uid(tx, sibling.collection_id, uid) is not None:
        return False
    known = links.get(tx, sibling.id, uid)
    if known is not None and not is_left_alone(known):
        return False
    here = collections.with_id(tx, sibling.collection_id)
    return here is None or bool(journal.history(tx, address=here.address, uid=uid, limit=1))
