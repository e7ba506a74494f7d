"""How all rules are doing, read in a few statements: what `calbridge status` and the metrics show."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from bridge.core.sides import Side
from bridge.store import rule as rules
from bridge.store import watch as watches
from bridge.store import watch_problem
from bridge.store.conflict import State as ConflictState
from bridge.store.database import instant
from bridge.store.held import State as HeldState
from bridge.store.parked import COPY
from bridge.store.schema import conflict, held, held_item, intent, link, parked

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sqlalchemy import Select

    from bridge.store.database import Transaction
    from bridge.store.rule import Rule
    from bridge.store.watch import WatchRecord
    from bridge.store.watch_problem import WatchProblem


@dataclass(frozen=True, slots=True)
class RuleStatus:
    """How a rule was doing when it was read.

    Attributes:
        rule: The rule.
        read_at: When, UTC.
        links: How many objects it keeps the same on both sides.
        waiting: How many objects wait to be looked at.
        oldest: Since when the first of them has waited, UTC, or None.
        held: How many deletions wait for a person.
        conflicts: How many conflicts nobody has looked at.
        parked: How many objects are set aside.
        copies: How many of these stand in the remote calendar a second time.
        watch: The watch by which the upstream tells it of changes, or None.
        watch_problem: Why there is none, or why it cannot be renewed, or None.
    """

    rule: Rule
    read_at: datetime
    links: int
    waiting: int
    oldest: datetime | None
    held: int
    conflicts: int
    parked: int
    copies: int = 0
    watch: WatchRecord | None = None
    watch_problem: WatchProblem | None = None

    @property
    def lag(self) -> timedelta | None:
        """For how long the object that has waited longest has waited; None where nothing waits."""
        return None if self.oldest is None else max(self.read_at - self.oldest, timedelta(0))

    @property
    def running(self) -> bool:
        """Whether a worker has it now."""
        rule = self.rule
        return rule.lease_owner is not None and rule.lease_until is not None and rule.lease_until > self.read_at

    @property
    def next_pass(self) -> datetime | None:
        """When the upstream is asked next, UTC; None where that is not going to happen."""
        rule = self.rule
        if rule.paused or not rule.active:
            return None
        return rule.due_at if rule.not_before is None else max(rule.due_at, rule.not_before)


def read(tx: Transaction) -> list[RuleStatus]:
    """How every rule is doing: by key, those in the configuration before those that are left over."""
    links = _counts(tx, _LINKS)
    waits = {row.rule_id: row for row in tx.connection.execute(_WAITING)}
    held_back, clashes, aside, copies = (_counts(tx, query) for query in (_HELD, _CONFLICTS, _PARKED, _COPIES))
    open_now, problems = watches.open_by_rule(tx), watch_problem.by_rule(tx)
    return [
        RuleStatus(
            rule=each,
            read_at=tx.now,
            links=links.get(each.id, 0),
            waiting=waits[each.id].count_ if each.id in waits else 0,
            oldest=instant(waits[each.id].oldest) if each.id in waits else None,
            held=held_back.get(each.id, 0),
            conflicts=clashes.get(each.id, 0),
            parked=aside.get(each.id, 0),
            copies=copies.get(each.id, 0),
            watch=open_now.get(each.id),
            watch_problem=problems.get(each.id),
        )
        for each in rules.every(tx)
    ]


def _counts(tx: Transaction, query: Select[*tuple[Any, ...]]) -> Mapping[int, int]:
    return {row[0]: row[1] for row in tx.connection.execute(query)}


_LINKS = (
    select(link.c.rule_id, func.count())
    .where(link.c.base_here.is_not(None), link.c.base_there.is_not(None))
    .group_by(link.c.rule_id)
)
_WAITING = select(intent.c.rule_id, func.count().label("count_"), func.min(intent.c.noted_at).label("oldest")).group_by(
    intent.c.rule_id
)
_HELD = (
    select(held.c.rule_id, func.count())
    .select_from(held.join(held_item, held_item.c.held_id == held.c.id))
    .where(held.c.state == HeldState.WAITING)
    .group_by(held.c.rule_id)
)
_CONFLICTS = (
    select(conflict.c.rule_id, func.count()).where(conflict.c.state == ConflictState.OPEN).group_by(conflict.c.rule_id)
)
_PARKED = select(parked.c.rule_id, func.count()).group_by(parked.c.rule_id)
_COPIES = _PARKED.where(parked.c.side == Side.THERE.value, parked.c.property == COPY)
