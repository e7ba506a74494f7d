"""Some servers list late: for a while after we made an object there, its absence from a listing proves nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.core import origin
from bridge.core.decision import Move
from bridge.sync.sighting import GRACE, Hint

if TYPE_CHECKING:
    from datetime import datetime

    from bridge.sync.assignment import Assignment
    from bridge.sync.judging import Verdict


def in_grace_until(a: Assignment, verdict: Verdict) -> datetime | None:
    """Until when the absence of an object proves nothing, as we have just made it there; None where it does."""
    if verdict.step.move is not Move.DELETE_HERE or verdict.pair.hint is not Hint.ABSENT:
        return None
    written_at, there = verdict.pair.linked.written_at, verdict.bases.there
    is_ours = there is not None and origin.marks(there) == a.origin
    if not is_ours or written_at is None or a.clock() - written_at >= GRACE:
        return None
    return written_at + GRACE
