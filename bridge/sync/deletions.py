"""Deletions pass the guard, or wait for a person; nothing of what waits is deleted meanwhile."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from bridge.core.decision import Move
from bridge.core.guard import exceeded, why_held
from bridge.core.sides import Side
from bridge.store import held as holds
from bridge.store import link as links
from bridge.store import run as runs
from bridge.store.held import HeldItem, State

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bridge.store.database import Transaction
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
    rule_id = a.rule.id
    with a.database.reading() as tx:
        approved = holds.uids(tx, rule_id, side, State.APPROVED)
        waiting = holds.uids(tx, rule_id, side, State.WAITING)
        verdicts = [
            replace(each, approved=True) if each.step.move is move and each.pair.uid in approved else each
            for each in verdicts
        ]
        deletions = {each.pair.uid for each in verdicts if each.step.move is move and not each.approved}
        overtaken = approved & {each.pair.uid for each in verdicts if each.step.move is not move}
        # What waits already is part of one mass deletion, however slowly the rest of it comes.
        elsewhere = waiting - {each.pair.uid for each in verdicts}
        if not deletions and not waiting and not overtaken:
            return verdicts
        of = links.count(tx, rule_id)
        recent = runs.deletions_since(tx, rule_id, tx.now - _HOUR)[0 if side is Side.HERE else 1]
    count = len(deletions) + len(elsewhere)
    hold = bool(deletions) and exceeded(count, of, a.terms.guard, recent=recent)
    if not dry:
        released = overtaken | (waiting - elsewhere)
        _note(a, verdicts, side, held=deletions if hold else set(), looked_at=released, of=of)
    if not hold:
        return verdicts
    sentence = why_held(count, of, a.terms.guard, side=side, rule=a.rule.key, recent=recent)
    return [
        replace(each, step=replace(each.step, move=Move.HELD, reason=sentence), waits=True)
        if each.step.move is move and not each.approved
        else each
        for each in verdicts
    ]


def note_done(tx: Transaction, a: Assignment, verdicts: Sequence[Verdict]) -> None:
    """Ends the approval of deletions that are done: what comes back later is not covered by it."""
    for move, side in _SIDES.items():
        done = {each.pair.uid for each in verdicts if each.approved and each.step.move is move}
        if done:
            holds.take_out(tx, a.rule.id, side, done)


def _note(
    a: Assignment, verdicts: Sequence[Verdict], side: Side, *, held: set[str], looked_at: set[str], of: int
) -> None:
    """Brings the hold up to date: what is held now, and what is not to be deleted any more."""
    released = looked_at - held
    if not held and not released:
        return
    items = [
        HeldItem(each.pair.uid, each.pair.remote_id, each.step.summary) for each in verdicts if each.pair.uid in held
    ]
    with a.writing() as tx:
        if released:
            holds.take_out(tx, a.rule.id, side, released)
        if items:
            holds.open_or_extend(tx, a.rule.id, side, items, total=of)
