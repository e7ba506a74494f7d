"""A series that was cut in two is one change: its second part is made before its first part is shortened."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.core.series_split import goes_on_as
from bridge.core.sides import Side

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bridge.core.model import CalendarObject
    from bridge.sync.assignment import Assignment
    from bridge.sync.judging import Verdict


def splits(
    a: Assignment, changed: Sequence[Verdict], created: Sequence[Verdict], *, on: Side
) -> list[tuple[Verdict, Verdict]]:
    """The pairs of a shortened series and the one that goes on in its place (`bridge.core.series_split`).

    Args:
        a: The rule.
        changed: The verdicts on what was changed.
        created: Those on what is new.
        on: The side on which both happened.
    """
    if not changed or not created:
        return []
    new = {obj.uid: verdict for verdict in created for obj in [_now(a, verdict, on)]}
    objects = [_now(a, verdict, on) for verdict in created]
    found = []
    for verdict in changed:
        before = verdict.bases.here if on is Side.HERE else verdict.bases.there
        if before is None or not before.recurring:
            continue
        uid = goes_on_as(before, _now(a, verdict, on), objects, zone=a.terms.zone)
        if uid is not None and uid in new:
            found.append((verdict, new.pop(uid)))
    return found


def _now(a: Assignment, verdict: Verdict, on: Side) -> CalendarObject:
    return a.parse(verdict.pair.ours.raw) if on is Side.HERE else verdict.pair.their_object
