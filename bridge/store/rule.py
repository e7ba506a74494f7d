"""A rule as the store keeps it: what it ties together, and how far it has come; `lease` says who runs it.

The key in the configuration together with the target names a rule: under another target it is another rule, and the old
one is left over until a person removes it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, case, delete, select, update

from bridge.errors import NotFound
from bridge.store import collection as collections
from bridge.store import texts
from bridge.store.database import instant, microseconds
from bridge.store.schema import conflict, link, rule
from bridge.store.upsert import insert_unless_there

if TYPE_CHECKING:
    from collections.abc import Collection as AnyCollection
    from datetime import datetime

    from sqlalchemy import Row

    from bridge.store.database import Transaction


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a rule does not get on.

    Attributes:
        code: Names the kind of problem, for programs.
        sentence: What happened, for a person.
        remedy: What to do now; may be empty.
        since: When this kind of problem began, UTC.
    """

    code: str
    sentence: str
    remedy: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule as it stood when it was read; instants are UTC.

    Attributes:
        id: Number in the database; never given to another rule.
        key: Its name in the configuration.
        target: Resource, connection and remote calendar, as text.
        origin: `site.rule`, the mark on everything that it writes upstream.
        calendar: Id of the remote calendar, or None where it was not found yet.
        collection_id: Of the resource.
        pushes: Whether changes here are noted for it.
        active: Whether it stands in the configuration.
        left_over_at: Since when it does not, or None.
        paused: Whether a person has stopped it for now.
        cursor: What the upstream gave at the last reading; None: everything is to be listed.
        fingerprint: Of its options.
        adopted_at: When its first pass was done, or None.
        due_at: When the upstream is to be asked next; a pass may come earlier for what waits in the outbox.
        not_before: Until when the upstream is left alone, or None.
        failures: How many passes in a row have failed.
        problem: Why it does not get on, or None.
        last_started_at: When its last pass began, or None.
        last_succeeded_at: When a pass last ended well, or None.
        last_full_at: When everything was last compared; None: it has to be.
        lease_owner: The worker that has it now, or had it last without an end, or None.
        lease_until: Until when, or None.
    """

    id: int
    key: str
    target: str
    origin: str
    calendar: str | None
    collection_id: int
    pushes: bool
    active: bool
    left_over_at: datetime | None
    paused: bool
    cursor: str | None = field(repr=False)
    fingerprint: str
    adopted_at: datetime | None
    due_at: datetime
    not_before: datetime | None
    failures: int
    problem: Problem | None
    last_started_at: datetime | None
    last_succeeded_at: datetime | None
    last_full_at: datetime | None
    lease_owner: str | None
    lease_until: datetime | None


def _moment(count: int | None) -> datetime | None:
    return None if count is None else instant(count)


def from_row(row: Row[*tuple[Any, ...]]) -> Rule:
    """The rule that a row of all columns holds."""
    problem = None
    if row.problem_code is not None:
        problem = Problem(row.problem_code, row.problem_sentence, row.problem_remedy, instant(row.problem_since))
    return Rule(
        id=row.id,
        key=row.key,
        target=row.target,
        origin=row.origin,
        calendar=row.calendar,
        collection_id=row.collection_id,
        pushes=row.pushes,
        active=row.active,
        left_over_at=_moment(row.left_over_at),
        paused=row.paused,
        cursor=row.cursor,
        fingerprint=row.fingerprint,
        adopted_at=_moment(row.adopted_at),
        due_at=instant(row.due_at if row.wanted_at is None else min(row.due_at, row.wanted_at)),
        not_before=_moment(row.not_before),
        failures=row.failures,
        problem=problem,
        last_started_at=_moment(row.last_started_at),
        last_succeeded_at=_moment(row.last_succeeded_at),
        last_full_at=_moment(row.last_full_at),
        lease_owner=row.lease_owner,
        lease_until=_moment(row.lease_until),
    )


_SELECT = select(rule)
_WITH_ID = rule.c.id == bindparam("rule_id")
_ONE = _SELECT.where(_WITH_ID)
_NAMED = _SELECT.where(rule.c.key == bindparam("rule_key"))
_ACTIVE = _NAMED.where(rule.c.active)
# A pass that runs on may write nothing more; the next begins when it has let go, or when its lease ends.
_VOIDED = {"lease_void": rule.c.lease_owner.is_not(None)}
_ANEW: dict[str, Any] = {"last_full_at": None, "not_before": None}


def get(tx: Transaction, rule_id: int) -> Rule:
    """The rule with this number.

    Raises:
        NotFound: There is none.
    """
    row = tx.connection.execute(_ONE, {"rule_id": rule_id}).one_or_none()
    if row is None:
        raise NotFound(f"There is no rule {rule_id} any more.", remedy="`calbridge rule list` lists those there are.")
    return from_row(row)


def find(tx: Transaction, key: str) -> Rule | None:
    """The rule that stands in the configuration under `key`, or None."""
    row = tx.connection.execute(_ACTIVE, {"rule_key": key}).one_or_none()
    return None if row is None else from_row(row)


def find_by_origin(tx: Transaction, origin: str) -> Rule | None:
    """The rule in the configuration whose mark is `origin`, or None."""
    query = _SELECT.where(rule.c.active, rule.c.origin == origin).limit(1)
    row = tx.connection.execute(query).one_or_none()
    return None if row is None else from_row(row)


def every(tx: Transaction) -> list[Rule]:
    """All rules by key, those in the configuration before those that are left over."""
    query = _SELECT.order_by(rule.c.active.desc(), rule.c.key, rule.c.id)
    return [from_row(row) for row in tx.connection.execute(query)]


def declare(
    tx: Transaction, *, key: str, target: str, origin: str, collection_id: int, pushes: bool, fingerprint: str
) -> Rule:
    """Makes a rule, takes a left-over one up again, or changes its options; does nothing where all is as it says.

    Other options, or a new beginning, make it due now and have it compare everything: what happened meanwhile was not
    noted for it. A rule of the same key under another target becomes left over.

    Args:
        tx: A writing transaction.
        key: Its name in the configuration.
        target: Resource, connection and remote calendar, as text.
        origin: Its mark.
        collection_id: Of the resource.
        pushes: Whether changes here are to be noted for it.
        fingerprint: Of its options.
    """
    named = [from_row(row) for row in tx.connection.execute(_NAMED, {"rule_key": key})]
    old = next((each for each in named if each.target == target), None)
    _leave(tx, [each.id for each in named if each.active and each is not old])
    wanted = {
        "origin": origin,
        "collection_id": collection_id,
        "pushes": pushes,
        "active": True,
        "fingerprint": fingerprint,
    }
    if old is not None and all(getattr(old, name) == value for name, value in wanted.items()):
        return old
    if old is None or not old.active or pushes > old.pushes:
        # A change whose writer did not see this rule yet is here before its first pass looks.
        collections.lock(tx, [collection_id])
    if old is None:
        # Another process may just have read the same configuration.
        insert_unless_there(tx, rule, {"key": key, "target": target, **_NEW, **wanted, "due_at": microseconds(tx.now)})
        return from_row(tx.connection.execute(_NAMED.where(rule.c.target == target), {"rule_key": key}).one())
    values: dict[str, Any] = {**wanted, "left_over_at": None}
    if not old.active or old.fingerprint != fingerprint:
        values |= {
            "last_full_at": None,
            "wanted_at": microseconds(tx.now),
            "not_before": None,
            "failures": 0,
            **_VOIDED,
        }
    tx.connection.execute(update(rule).where(rule.c.id == old.id).values(values))
    return get(tx, old.id)


_NEW: dict[str, Any] = {"paused": False, "failures": 0, "lease_void": False}


def leave_over(tx: Transaction, *, keep: AnyCollection[int]) -> list[Rule]:
    """Stops all rules but those in `keep`: they have left the configuration, and whoever runs one may write no more.

    Returns:
        Those that were active before.
    """
    return _leave(tx, [each.id for each in every(tx) if each.active and each.id not in keep])


def _leave(tx: Transaction, ids: list[int]) -> list[Rule]:
    for rule_id in sorted(ids):
        values = {"active": False, "left_over_at": microseconds(tx.now), **_VOIDED}
        tx.connection.execute(update(rule).where(rule.c.id == rule_id).values(values))
    return [get(tx, rule_id) for rule_id in ids]


def remove(tx: Transaction, rule_id: int) -> None:
    """Forgets a rule with its links, intents, runs and everything else of it; what it wrote stays on both sides.

    Raises:
        NotFound: There is none.
    """
    get(tx, rule_id)
    pointers = (link.c.base_here, link.c.base_there, conflict.c.lost, conflict.c.kept)
    kept: set[str | None] = set()
    for pointer in pointers:
        kept.update(tx.connection.execute(select(pointer).where(pointer.table.c.rule_id == rule_id)).scalars())
    tx.connection.execute(delete(rule).where(rule.c.id == rule_id))
    texts.forget_unused(tx, kept)


def pause(tx: Transaction, rule_id: int) -> None:
    """Has no further pass begin until `resume`; what changes meanwhile is noted.

    Raises:
        NotFound: There is no such rule.
    """
    _change(tx, rule_id, {"paused": True})


def resume(tx: Transaction, rule_id: int) -> None:
    """Ends a pause: the rule is due now.

    Raises:
        NotFound: There is no such rule.
    """
    _change(tx, rule_id, {"paused": False, "wanted_at": microseconds(tx.now), "not_before": None})


def make_due(tx: Transaction, rule_id: int, at: datetime) -> None:
    """Has a pass that asks the upstream begin at `at`, or earlier where it is due earlier; also while one is running.

    Raises:
        NotFound: There is no such rule.
    """
    when = microseconds(at)
    earlier = case((rule.c.wanted_at < when, rule.c.wanted_at), else_=when)
    _change(tx, rule_id, {"wanted_at": earlier})


def ask_now(tx: Transaction, rule_id: int) -> None:
    """Has a pass that asks the upstream begin now, also where the upstream was to be left alone for a while.

    Raises:
        NotFound: There is no such rule.
    """
    _change(tx, rule_id, {"wanted_at": microseconds(tx.now), "not_before": None})


def reset(tx: Transaction, rule_id: int) -> None:
    """Has the remote calendar be looked up again, and everything be read and compared anew, now.

    The links stay, so that nothing is doubled.

    Raises:
        NotFound: There is no such rule.
    """
    _change(tx, rule_id, {**_ANEW, "cursor": None, "wanted_at": microseconds(tx.now), **_VOIDED})


def note_cursor(tx: Transaction, rule_id: int, cursor: str | None) -> None:
    """Keeps what the upstream gave for the next reading; in the transaction that notes what this reading brought."""
    _change(tx, rule_id, {"cursor": cursor})


def note_calendar(tx: Transaction, rule_id: int, calendar: str) -> None:
    """Keeps the id of the remote calendar that the rule's settings name."""
    _change(tx, rule_id, {"calendar": calendar})


def forget_calendar(tx: Transaction, rule_id: int) -> None:
    """Notes that the remote calendar is gone: what is found under its name later is a new one."""
    _change(tx, rule_id, {"calendar": None, "cursor": None})


def note_adopted(tx: Transaction, rule_id: int) -> None:
    """Notes that the first pass is done."""
    _change(tx, rule_id, {"adopted_at": microseconds(tx.now)})


def note_full(tx: Transaction, rule_id: int) -> None:
    """Notes that everything was compared."""
    _change(tx, rule_id, {"last_full_at": microseconds(tx.now)})


def _change(tx: Transaction, rule_id: int, values: dict[str, Any]) -> None:
    if tx.connection.execute(update(rule).where(rule.c.id == rule_id).values(values)).rowcount == 0:
        get(tx, rule_id)
