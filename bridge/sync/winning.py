"""Who wins where both sides changed the same: the rule says, or what is known of when each was changed."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from bridge.core.decision import winner
from bridge.core.recurrence import held_components
from bridge.core.series import time_of
from bridge.core.sides import Side

if TYPE_CHECKING:
    from bridge.core.model import CalendarObject
    from bridge.sync.assignment import Assignment
    from bridge.sync.judging import Verdict


def winner_of(a: Assignment, verdict: Verdict) -> Side:
    """The side whose version stays."""
    if verdict.winner is not None:
        return verdict.winner
    there = verdict.pair.their_object
    policy = a.terms.options.on_conflict
    return winner(policy, verdict.pair.ours.changed_at, _modified(there) or _noted(verdict))


def _modified(obj: CalendarObject) -> datetime | None:
    """When a remote object was last changed, as its LAST-MODIFIED says (RFC 5545 section 3.8.7.3)."""
    found = [time_of(component, "LAST-MODIFIED") for component in held_components(obj.calendar)]
    return max((each for each in found if isinstance(each, datetime) and each.tzinfo is not None), default=None)


def _noted(verdict: Verdict) -> datetime | None:
    """When the change there was first heard of, for upstreams that do not say when it was made."""
    return min((intent.noted_at for intent in verdict.pair.intents if intent.side is Side.THERE), default=None)
