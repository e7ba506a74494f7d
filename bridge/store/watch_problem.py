"""Why a rule has no watch, or cannot renew the one it has; its passes go on as ever."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import case, delete, select

from bridge.store.database import instant, microseconds
from bridge.store.names import legible
from bridge.store.schema import watch_problem
from bridge.store.upsert import insert_or_change

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sqlalchemy import Row

    from bridge.store.database import Transaction


@dataclass(frozen=True, slots=True)
class WatchProblem:
    """Why a watch could not be opened.

    Attributes:
        code: Names the kind of problem, for programs.
        sentence: What happened, for a person.
        remedy: What to do now; may be empty.
        since: When this kind of problem began, UTC.
        failures: How often it was tried since.
        not_before: Until when it is not tried again, UTC.
    """

    code: str
    sentence: str
    remedy: str
    since: datetime
    failures: int
    not_before: datetime


def _from_row(row: Row[*tuple[Any, ...]]) -> WatchProblem:
    return WatchProblem(row.code, row.sentence, row.remedy, instant(row.since), row.failures, instant(row.not_before))


def note(tx: Transaction, rule_id: int, *, code: str, sentence: str, remedy: str, not_before: datetime) -> None:
    """Notes why no watch could be opened; a problem of the same code as before keeps its `since` and counts on.

    Args:
        tx: A writing transaction.
        rule_id: The rule.
        code: Names the kind of problem.
        sentence: What happened.
        remedy: What to do now; may be empty.
        not_before: Until when it is not to be tried again.
    """
    table = watch_problem.c
    said = {
        "code": code,
        "sentence": legible(sentence),
        "remedy": legible(remedy),
        "not_before": microseconds(not_before),
    }
    again = {
        "since": case((table.code == code, table.since), else_=microseconds(tx.now)),
        "failures": case((table.code == code, table.failures + 1), else_=1),
    }
    first = {"since": microseconds(tx.now), "failures": 1}
    insert_or_change(tx, watch_problem, {"rule_id": rule_id}, {**said, **first}, {**said, **again})


def clear(tx: Transaction, rule_id: int) -> None:
    """Notes that nothing is in the way any more."""
    tx.connection.execute(delete(watch_problem).where(watch_problem.c.rule_id == rule_id))


def find(tx: Transaction, rule_id: int) -> WatchProblem | None:
    """Why a rule has no watch, or cannot renew it; None where nothing is in the way."""
    row = tx.connection.execute(select(watch_problem).where(watch_problem.c.rule_id == rule_id)).one_or_none()
    return None if row is None else _from_row(row)


def by_rule(tx: Transaction) -> Mapping[int, WatchProblem]:
    """The problem of each rule that has one."""
    return {row.rule_id: _from_row(row) for row in tx.connection.execute(select(watch_problem))}
