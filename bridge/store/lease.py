"""A lease says which worker runs a rule: one at a time, until it lets go or its time is over.

A pass claims a rule, holds the lease at the start of each of its writing transactions, extends it, and finishes.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, and_, bindparam, case, func, null, or_, select, update

from bridge.errors import LeaseLost
from bridge.store.database import instant, microseconds
from bridge.store.names import legible
from bridge.store.rule import from_row, get
from bridge.store.schema import intent, rule

if TYPE_CHECKING:
    from collections.abc import Collection as AnyCollection
    from datetime import datetime

    from bridge.store.database import Transaction
    from bridge.store.rule import Problem, Rule

_NOW: ColumnElement[int] = bindparam("now", type_=rule.c.due_at.type)
# All at once, not for each rule: PostgreSQL keeps a plan that was made while the table was empty.
_first = (
    select(intent.c.rule_id, func.min(intent.c.not_before).label("at")).group_by(intent.c.rule_id).subquery("first")
)
_WITH_FIRST = rule.outerjoin(_first, _first.c.rule_id == rule.c.id)


def _earlier(one: ColumnElement[Any], other: ColumnElement[Any]) -> ColumnElement[Any]:
    """The earlier of two instants; `one` where the other is NULL."""
    return case((other < one, other), else_=one)


def _later(one: ColumnElement[Any], other: ColumnElement[Any]) -> ColumnElement[Any]:
    """The later of two instants; `one` where the other is NULL."""
    return case((other > one, other), else_=one)


_ASKED = _earlier(rule.c.due_at, rule.c.wanted_at)
_RUNS = and_(rule.c.active, ~rule.c.paused)
_CLAIMABLE = (
    select(rule.c.id)
    .select_from(_WITH_FIRST)
    .where(
        _RUNS,
        or_(rule.c.due_at <= _NOW, rule.c.wanted_at <= _NOW, _first.c.at <= _NOW),
        or_(rule.c.not_before.is_(None), rule.c.not_before <= _NOW),
        or_(rule.c.lease_until.is_(None), rule.c.lease_until <= _NOW),
    )
    # Who has waited longest comes first, for whatever reason.
    .order_by(_earlier(_ASKED, _first.c.at), rule.c.id)
    .limit(bindparam("most"))
    # Intents may be noted for a rule whose row is locked: their references to it need only its key.
    .with_for_update(of=rule, skip_locked=True, key_share=True)
)
_CLAIMABLE_OF = _CLAIMABLE.where(rule.c.id.in_(bindparam("only", expanding=True)))
_CLAIM = (
    update(rule)
    .where(rule.c.id.in_(bindparam("ids", expanding=True)))
    .values(
        lease_owner=bindparam("owner"),
        lease_until=bindparam("until"),
        lease_void=False,
        last_started_at=bindparam("at"),
        due_at=_ASKED,
        wanted_at=None,
    )
    .returning(rule)
)


_AHEAD = timedelta(minutes=10)
"""Clocks of several machines may differ by seconds; a rule that began later than this from now began under a clock
that was wrong."""
_LONG = timedelta(hours=1)
_SET_RIGHT = (
    update(rule)
    .where(rule.c.last_started_at > bindparam("ahead"))
    .values(
        due_at=_earlier(rule.c.due_at, _NOW),
        not_before=None,
        last_started_at=_NOW,
        last_full_at=None,
        lease_until=case((rule.c.lease_until > bindparam("long"), _NOW), else_=rule.c.lease_until),
    )
    .returning(rule.c.id)
)
_READY_NOW = (
    update(intent)
    .where(intent.c.rule_id.in_(bindparam("ids", expanding=True)), intent.c.not_before > _NOW)
    .values(not_before=_NOW)
)


def _set_right(tx: Transaction) -> None:
    """Has rules that ran under a clock that was ahead begin at once, and compare everything.

    What was put off then was put off until an instant that is far away.
    """
    now = {"now": microseconds(tx.now)}
    far = {"ahead": microseconds(tx.now + _AHEAD), "long": microseconds(tx.now + _LONG)}
    ids = tx.connection.execute(_SET_RIGHT, {**now, **far}).scalars().all()
    if ids:
        tx.connection.execute(_READY_NOW, {**now, "ids": ids})


def claim(
    tx: Transaction, *, owner: str, until: datetime, limit: int, only: AnyCollection[int] | None = None
) -> list[Rule]:
    """Gives `owner` the lease of rules that are due and that nobody has, those that have waited longest first.

    A rule is due when its time has come, when somebody asks for it, or when an intent of it is ready; and unless it is
    paused, left over or told to leave the upstream alone for now. One that ran under a clock that was ahead is due too,
    once that clock is right again.

    Args:
        tx: A writing transaction.
        owner: Names the worker; no other may have the same name.
        until: When the lease ends unless it is extended.
        limit: The most rules.
        only: Which rules come into question; None: all of them.
    """
    _set_right(tx)
    asked: dict[str, object] = {"now": microseconds(tx.now), "most": limit}
    if only is None:
        ids = tx.connection.execute(_CLAIMABLE, asked).scalars().all()
    else:
        ids = tx.connection.execute(_CLAIMABLE_OF, {**asked, "only": sorted(only)}).scalars().all()
    if not ids:
        return []
    values = {"ids": ids, "owner": owner, "until": microseconds(until), "at": microseconds(tx.now)}
    claimed = {row.id: from_row(row) for row in tx.connection.execute(_CLAIM, values)}
    return [claimed[rule_id] for rule_id in ids]


_FREE_ONE = (
    select(rule.c.id)
    .where(rule.c.id == bindparam("rule_id"), or_(rule.c.lease_until.is_(None), rule.c.lease_until <= _NOW))
    .with_for_update(of=rule, key_share=True)
)


def take(tx: Transaction, rule_id: int, *, owner: str, until: datetime) -> Rule | None:
    """Gives `owner` the lease of one rule, whether it is due, paused or left over; None where another worker has it.

    What the rule is told to wait for is over: it is due now.

    Args:
        tx: A writing transaction.
        rule_id: The rule.
        owner: Names the worker; no other may have the same name.
        until: When the lease ends unless it is extended.

    Raises:
        NotFound: There is no such rule.
    """
    now = microseconds(tx.now)
    if not tx.connection.execute(_FREE_ONE, {"rule_id": rule_id, "now": now}).scalars().all():
        get(tx, rule_id)
        return None
    due = {"due_at": case((rule.c.due_at < now, rule.c.due_at), else_=now)}
    tx.connection.execute(update(rule).where(rule.c.id == rule_id).values(due))
    values = {"ids": [rule_id], "owner": owner, "until": microseconds(until), "at": now}
    return from_row(tx.connection.execute(_CLAIM, values).one())


def release(tx: Transaction, rule_id: int, owner: str) -> None:
    """Ends the lease of `owner`, if it still has it, and leaves everything else as it is."""
    mine = (rule.c.id == rule_id, rule.c.lease_owner == owner)
    tx.connection.execute(update(rule).where(*mine).values(_FREE))


_HOLD = select(rule).where(rule.c.id == bindparam("rule_id")).with_for_update(key_share=True)


def hold_lease(tx: Transaction, rule_id: int, owner: str) -> Rule:
    """Keeps the lease of `owner` from anybody else until the transaction ends; its first statement.

    A lease whose time is over is still the owner's as long as nobody else has claimed the rule.

    Raises:
        LeaseLost: Somebody has, or the rule was changed, reset, left over or removed meanwhile.
    """
    row = tx.connection.execute(_HOLD, {"rule_id": rule_id}).one_or_none()
    if row is None or row.lease_owner != owner or row.lease_void:
        raise LeaseLost(
            f"The rule {rule_id if row is None else row.key!r} was changed meanwhile, or another worker runs it.",
            remedy="Nothing needs to be done: the next pass does the rest.",
        )
    return from_row(row)


_EXTEND = update(rule).where(rule.c.id == bindparam("rule_id")).values(lease_until=bindparam("until"))


def extend(tx: Transaction, rule_id: int, owner: str, until: datetime) -> None:
    """Lets the lease last until `until`.

    Raises:
        LeaseLost: As `hold_lease` says.
    """
    hold_lease(tx, rule_id, owner)
    tx.connection.execute(_EXTEND, {"rule_id": rule_id, "until": microseconds(until)})


_FREE: dict[str, Any] = {"lease_owner": None, "lease_until": None, "lease_void": False}


def finish(
    tx: Transaction,
    rule_id: int,
    owner: str,
    *,
    due_at: datetime,
    not_before: datetime | None,
    failures: int,
    problem: Problem | None,
    succeeded: bool,
) -> bool:
    """Ends the lease of `owner`, and notes how its pass went.

    Args:
        tx: A writing transaction.
        rule_id: The rule.
        owner: Who ran it.
        due_at: When the upstream is to be asked next; earlier where somebody asked for that meanwhile.
        not_before: Until when the upstream is left alone, also for what waits in the outbox; or None.
        failures: How many passes in a row have failed now.
        problem: Why it does not get on, or None. A problem of the same code as before keeps its `since`.
        succeeded: Whether the pass ended well.

    Returns:
        Whether it was noted; not where the rule was changed, reset or left over meanwhile: then only the lease ends.

    Raises:
        LeaseLost: Another worker runs the rule, or it was removed.
    """
    mine = (rule.c.id == rule_id, rule.c.lease_owner == owner)
    values: dict[str, Any] = {
        **_FREE,
        **_problem_values(problem),
        "due_at": microseconds(due_at),
        "not_before": None if not_before is None else microseconds(not_before),
        "failures": failures,
    }
    if succeeded:
        values["last_succeeded_at"] = microseconds(tx.now)
    if tx.connection.execute(update(rule).where(*mine, ~rule.c.lease_void).values(values)).rowcount == 1:
        return True
    if tx.connection.execute(update(rule).where(*mine).values(_FREE)).rowcount == 0:
        hold_lease(tx, rule_id, owner)
    return False


def _problem_values(problem: Problem | None) -> dict[str, Any]:
    if problem is None:
        return dict.fromkeys(("problem_code", "problem_sentence", "problem_remedy", "problem_since"), null())
    return {
        "problem_code": problem.code,
        "problem_sentence": legible(problem.sentence),
        "problem_remedy": legible(problem.remedy),
        "problem_since": case(
            (rule.c.problem_code == problem.code, rule.c.problem_since), else_=microseconds(problem.since)
        ),
    }


_DUE = _earlier(_ASKED, _first.c.at)
_NEXT = (
    select(func.min(_later(_later(_DUE, rule.c.not_before), rule.c.lease_until)), func.max(rule.c.last_started_at))
    .select_from(_WITH_FIRST)
    .where(_RUNS)
)


def next_due(tx: Transaction) -> datetime | None:
    """When `claim` will next find a rule, unless something happens before; None where there is none to run."""
    count, began = tx.connection.execute(_NEXT).one()
    if began is not None and instant(began) > tx.now + _AHEAD:
        return tx.now
    return None if count is None else instant(count)
