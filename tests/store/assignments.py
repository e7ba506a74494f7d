"""Rules, leases and links for tests of the store."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from bridge.store import lease, outbox
from bridge.store import link as links
from bridge.store import rule as rules
from bridge.store.link import Link, Made

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from bridge.core.model import CalendarObject
    from bridge.store.database import Transaction
    from bridge.store.outbox import Intent
    from bridge.store.rule import Problem, Rule
    from tests.store.desk import Desk

T = TypeVar("T")
MINUTE = timedelta(minutes=1)


def read(desk: Desk, work: Callable[[Transaction], T]) -> T:
    """What `work` finds in a transaction of its own."""
    with desk.database.reading() as tx:
        return work(tx)


def declare(desk: Desk, key: str = "anna-google", *, of: str = "anna", **changed: Any) -> Rule:
    """A rule of the configuration."""
    where = desk.calendar(of)
    wanted = {
        "target": f"salon/{of}|google|primary",
        "origin": "0123456789abcdef.fedcba9876543210",
        "pushes": True,
        "fingerprint": "options",
        "collection_id": where,
    }
    with desk.database.writing() as tx:
        return rules.declare(tx, key=key, **{**wanted, **changed})


def claim(desk: Desk, owner: str = "worker") -> list[int]:
    """The numbers of the rules that are due; their leases last a minute."""
    with desk.database.writing() as tx:
        return [each.id for each in lease.claim(tx, owner=owner, until=tx.now + MINUTE, limit=100)]


def finish(
    desk: Desk,
    rule: Rule,
    owner: str | None = None,
    *,
    due_at: datetime | None = None,
    not_before: datetime | None = None,
    failures: int = 0,
    problem: Problem | None = None,
) -> Rule:
    """Ends the pass of `owner`, or a whole pass where nobody is named; the next is due in an hour."""
    with desk.database.writing() as tx:
        if owner is None:
            owner = "in between"
            rules.make_due(tx, rule.id, tx.now)
            (rule,) = lease.claim(tx, owner=owner, until=tx.now + MINUTE, limit=1, only=[rule.id])
        lease.finish(
            tx,
            rule.id,
            owner,
            due_at=tx.now + timedelta(hours=1) if due_at is None else due_at,
            not_before=not_before,
            failures=failures,
            problem=problem,
            succeeded=problem is None,
        )
        return rules.get(tx, rule.id)


def intents(desk: Desk, rule: Rule) -> list[Intent]:
    """What is ready for a rule."""
    return read(desk, lambda tx: outbox.take(tx, rule.id, now=tx.now, limit=1000))


def link(rule: Rule, uid: str = "haircut", **changed: Any) -> Link:
    """A link without texts."""
    values: dict[str, Any] = {
        "remote_id": f"/{uid}.ics",
        "remote_etag": "1",
        "base_here": None,
        "base_there": None,
        "view": "full",
        "made": Made.HERE,
        "generation": 0,
        "written_at": None,
        "streak": 0,
        "wrote": "",
    }
    return Link(rule_id=rule.id, uid=uid, **{**values, **changed})


def put_link(desk: Desk, new: Link, *, here: CalendarObject | None = None, there: CalendarObject | None = None) -> Link:
    """Keeps a link with its texts, as a pass does, and gives it as it is kept."""
    with desk.database.writing() as tx:
        kept = replace(
            new,
            base_here=None if here is None else links.keep_body(tx, here.raw),
            base_there=None if there is None else links.keep_body(tx, there.raw),
        )
        links.put(tx, kept)
    return kept
