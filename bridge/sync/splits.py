"""A series that was cut in two is one change: its second part is made before its first part is shortened."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bridge.core.decision import Move
from bridge.core.series_split import goes_on_as
from bridge.core.sides import Side

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

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


def won_by_splits(a: Assignment, by_move: Mapping[Move, Sequence[Verdict]]) -> dict[Move, list[Verdict]]:
    """The verdicts on what both sides changed; where one of them cut a series in two, that side wins.

    Its second part stands by itself whoever wins: beside the uncut series each of its instances would stand twice.

    Args:
        a: The rule.
        by_move: All verdicts.
    """
    merged = by_move.get(Move.MERGE, [])
    cut_by = {
        side: {first.pair.uid for first, _ in splits(a, merged, by_move.get(creation, []), on=side)}
        for side, creation in ((Side.HERE, Move.CREATE_THERE), (Side.THERE, Move.CREATE_HERE))
    }
    winners = {uid: side for side, uids in cut_by.items() for uid in uids - cut_by[side.other]}
    return {Move.MERGE: [replace(verdict, winner=winners.get(verdict.pair.uid)) for verdict in merged]}


def _now(a: Assignment, verdict: Verdict, on: Side) -> CalendarObject:
    return a.parse(verdict.pair.ours.raw) if on is Side.HERE else verdict.pair.their_object
