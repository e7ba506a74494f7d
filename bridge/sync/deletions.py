"""Deletions pass the guard, or wait for a person; nothing of what waits is deleted meanwhile."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from bridge.core.decision import Move
from bridge.core.guard import exceeded, why_held
from bridge.core.sides import Side
from bridge.store import held as holds
from bridge.store import link as links
from bridge.store import run as runs
from bridge.sync.judging import held_back

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bridge.sync.assignment import Assignment
    from bridge.sync.judging import Verdict

_HOUR = timedelta(hours=1)
_SIDES = {Move.DELETE_HERE: Side.HERE, Move.DELETE_THERE: Side.THERE}


def guarded(a: Assignment, verdicts: Sequence[Verdict], *, dry: bool) -> list[Verdict]:
    """The verdicts, with deletions held back where they are too many.

    Args:
        a: The rule.
        verdicts: All of one pass.
        dry: Whether nothing is to be written: then what would be held is held, but nobody is told.
    """
    result = list(verdicts)
    for move, side in _SIDES.items():
        result = _guarded_on(a, result, move, side, dry=dry)
    return result


def _guarded_on(a: Assignment, verdicts: list[Verdict], move: Move, side: Side, *, dry: bool) -> list[Verdict]:
    with a.database.reading() as tx:
        approved = holds.approved(tx, a.rule.id, side)
        waiting = holds.waiting_uids(tx, a.rule.id, side)
        deletions = [each for each in verdicts if each.step.move is move and each.pair.uid not in approved]
        if not deletions and not waiting:
            return verdicts
        of = links.count(tx, a.rule.id)
        recent = runs.deletions_since(tx, a.rule.id, tx.now - _HOUR)[0 if side is Side.HERE else 1]
    # What waits already is part of one mass deletion, however slowly the rest of it comes.
    named = {each.pair.uid for each in deletions}
    still = named | {uid for uid in waiting if uid not in {each.pair.uid for each in verdicts}}
    if not exceeded(len(still), of, a.terms.guard, recent=recent):
        if waiting and not dry:
            with a.writing() as tx:
                holds.dissolve(tx, a.rule.id, side, waiting)
        return verdicts
    if not dry:
        with a.writing() as tx:
            back = {each.pair.uid for each in verdicts} & waiting - named
            holds.dissolve(tx, a.rule.id, side, back)
            holds.hold(
                tx,
                a.rule.id,
                side,
                [(each.pair.uid, each.pair.remote_id, each.step.summary) for each in deletions],
                total=of,
            )
    sentence, _ = why_held(len(still), of, a.terms.guard, side=side, rule=a.rule.key, recent=recent)
    held = {id(each) for each in deletions}
    return [
        next(held_back([each], frozenset({move}), sentence)) if id(each) in held else each for each in verdicts
    ]
