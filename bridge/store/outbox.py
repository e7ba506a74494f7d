"""The outbox keeps intents: 'look at this object again under that rule', each once, until a pass has dealt with it.

An intent about an object here is written in the transaction that changes it, one about an object there in the
transaction that keeps the new cursor: whatever a cursor has passed or a client was told is done, is not forgotten.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, case, delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from bridge.core.sides import Side
from bridge.store.database import instant, microseconds
from bridge.store.names import can_be_kept
from bridge.store.schema import intent, rule

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from sqlalchemy import Select

    from bridge.store.database import Transaction

CHANGED = "changed"
"""The hint of a remote object that is to be looked at, for whatever reason."""


@dataclass(frozen=True, slots=True)
class Intent:
    """An object that needs attention under a rule.

    Attributes:
        id: Number of the intent; never given to another.
        rule_id: The rule.
        side: Where the object was seen to need it.
        key: UID of an object here, remote id of one there.
        noted_at: Since when it needs attention, UTC.
        version: Raised each time that it is noted again.
        attempts: How often it was put off since it was last noted.
        not_before: Until when it is put off, UTC; it is ready from then on.
        hint: What the upstream said of an object there: `changed`, `gone` or `absent`; empty for one here.
    """

    id: int
    rule_id: int
    side: Side
    key: str
    noted_at: datetime
    version: int
    attempts: int
    not_before: datetime
    hint: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits in the outbox for one rule.

    Attributes:
        here: How many objects here.
        there: How many objects there.
        oldest: Since when the first of them has waited, UTC, or None.
    """

    here: int
    there: int
    oldest: datetime | None


_PUSHING = (
    select(rule.c.id)
    .where(rule.c.collection_id == bindparam("collection_id"), rule.c.pushes, rule.c.active)
    .order_by(rule.c.id)
)


def _note(new: Any) -> Any:
    """Both dialects have the same words for it, in classes of their own."""
    return new.on_conflict_do_update(
        index_elements=["key", "rule_id", "side"],
        set_={
            "version": intent.c.version + 1,
            "attempts": 0,
            # What somebody waits for is not put off by who has time.
            "not_before": case(
                (new.excluded.not_before < intent.c.not_before, new.excluded.not_before), else_=intent.c.not_before
            ),
            "hint": new.excluded.hint,
        },
    )


_NOTE = {"sqlite": _note(sqlite.insert(intent)), "postgresql": _note(postgresql.insert(intent))}


def note_here(tx: Transaction, collection_id: int, uids: Iterable[str], *, except_rule: int | None) -> None:
    """Notes objects of a collection for every rule that pushes from there, in the transaction that changes them.

    `journal.write` does so for every change. The rules' rows are not written: a pass that holds one and waits for the
    collection must not meet a client that holds the collection and waits for the rule.

    Args:
        tx: A writing transaction in which the collection is locked.
        collection_id: The collection.
        uids: Of the objects.
        except_rule: The rule that makes the change, or None.
    """
    rules = tx.connection.execute(_PUSHING, {"collection_id": collection_id}).scalars().all()
    if rules:
        named = sorted(set(uids))
        _write(tx, [(each, Side.HERE, uid, "") for each in rules if each != except_rule for uid in named])


def note_there(
    tx: Transaction, rule_id: int, items: Iterable[tuple[str, str]], *, not_before: datetime | None = None
) -> list[str]:
    """Notes remote objects, in the transaction that keeps the cursor of the reading that named them.

    Args:
        tx: A writing transaction.
        rule_id: The rule.
        items: Remote id and hint, each; of an id that comes several times the last hint counts.
        not_before: Until when they are put off, or None: they are ready now.

    Returns:
        The ids that cannot be kept, being no text or far too long; such objects cannot be linked either.
    """
    hints = dict(items)
    kept = {remote_id: hint for remote_id, hint in hints.items() if can_be_kept(remote_id)}
    named = [(rule_id, Side.THERE, remote_id, hint) for remote_id, hint in sorted(kept.items())]
    _write(tx, named, not_before=not_before)
    return [remote_id for remote_id in hints if remote_id not in kept]


def bring_back(
    tx: Transaction, rule_id: int, side: Side, keys: Iterable[str], *, not_before: datetime | None = None
) -> None:
    """Notes objects once more, as after a person has mended what they stumbled over; as `note_there` does."""
    hint = CHANGED if side is Side.THERE else ""
    _write(tx, [(rule_id, side, key, hint) for key in sorted(set(keys))], not_before=not_before)


def _write(tx: Transaction, wanted: list[tuple[int, Side, str, str]], *, not_before: datetime | None = None) -> None:
    now = microseconds(tx.now)
    ready = now if not_before is None else microseconds(not_before)
    rows = [
        {
            "rule_id": rule_id,
            "side": side,
            "key": key,
            "noted_at": now,
            "version": 1,
            "attempts": 0,
            "not_before": ready,
            "hint": hint,
        }
        for rule_id, side, key, hint in wanted
    ]
    if rows:
        tx.connection.execute(_NOTE[tx.connection.dialect.name], rows)


_COLUMNS = (
    intent.c.id,
    intent.c.rule_id,
    intent.c.side,
    intent.c.key,
    intent.c.noted_at,
    intent.c.version,
    intent.c.attempts,
    intent.c.not_before,
    intent.c.hint,
)
_READY = select(*_COLUMNS).where(intent.c.not_before <= bindparam("now")).limit(bindparam("most"))
_OLDEST = _READY.where(intent.c.rule_id == bindparam("rule_id")).order_by(intent.c.not_before, intent.c.id)
_NEWEST = _READY.where(
    # By the number, and not by the key of the rule, which would lead to all that waits.
    intent.c.rule_id + 0 == bindparam("rule_id"),
    intent.c.side == Side.HERE.value,
    intent.c.id > bindparam("after"),
).order_by(intent.c.id.desc())
_SIDES = {side.value: side for side in Side}


def take(tx: Transaction, rule_id: int, *, now: datetime, limit: int) -> list[Intent]:
    """The intents of a rule that are ready; they stay until they are settled.

    Where more are ready than are taken, half of them are those that have waited longest, so that none waits for ever,
    and half are the newest of what somebody changed here, who may be looking.
    Each has to be settled or postponed by the pass that takes it: as long as one is ready, its rule is due.

    Returns:
        What changed here, the newest first; then what changed there, the oldest first.
    """
    which = {"rule_id": rule_id, "now": microseconds(now)}
    found = _intents(tx, _OLDEST, {**which, "most": limit + 1})
    if len(found) > limit:
        newest = _intents(tx, _NEWEST, {**which, "after": 0, "most": limit // 2})
        known = {each.id for each in newest}
        found = [*newest, *[each for each in found if each.id not in known][: limit - len(newest)]]
    here = sorted((each for each in found if each.side is Side.HERE), key=lambda each: each.id, reverse=True)
    return [*here, *(each for each in found if each.side is Side.THERE)]


def newest(tx: Transaction, rule_id: int, *, now: datetime, after: int, limit: int) -> list[Intent]:
    """The newest of the ready intents about objects here, the newest first.

    Args:
        tx: A transaction.
        rule_id: The rule.
        now: The instant, UTC.
        after: Only those with a higher number than this.
        limit: How many at the most.
    """
    which = {"rule_id": rule_id, "now": microseconds(now), "after": after, "most": limit}
    return _intents(tx, _NEWEST, which)


_LAST = select(func.coalesce(func.max(intent.c.id), 0))


def last(tx: Transaction) -> int:
    """The number of the latest intent of any rule; 0 where none waits."""
    number: int = tx.connection.execute(_LAST).scalar_one()
    return number


def _intents(tx: Transaction, query: Select[Any], which: dict[str, int]) -> list[Intent]:
    return [
        Intent(number, of_rule, _SIDES[side], key, instant(noted), version, attempts, instant(not_before), hint)
        for number, of_rule, side, key, noted, version, attempts, not_before, hint in tx.connection.execute(
            query, which
        )
    ]


_THIS = (intent.c.id == bindparam("this")) & (intent.c.version == bindparam("of_version"))
_SETTLE = delete(intent).where(_THIS)
_POSTPONE = update(intent).where(_THIS).values(attempts=intent.c.attempts + 1, not_before=bindparam("until"))


def settle(tx: Transaction, dealt_with: Intent) -> bool:
    """Ends an intent, unless it was noted again meanwhile; the last thing that a transaction does.

    A client that changes the object locks its collection first, and then the intent: so does a pass.

    Returns:
        Whether it ended.
    """
    return tx.connection.execute(_SETTLE, {"this": dealt_with.id, "of_version": dealt_with.version}).rowcount == 1


def postpone(tx: Transaction, put_off: Intent, until: datetime) -> bool:
    """Puts an intent off, unless it was noted again meanwhile.

    Returns:
        Whether it was put off.
    """
    return (
        tx.connection.execute(
            _POSTPONE, {"this": put_off.id, "of_version": put_off.version, "until": microseconds(until)}
        ).rowcount
        == 1
    )


_PUT_OFF = select(intent.c.key).where(
    intent.c.rule_id == bindparam("rule_id"),
    intent.c.side == Side.HERE.value,
    intent.c.not_before > bindparam("now"),
)


def put_off(tx: Transaction, rule_id: int) -> set[str]:
    """The UIDs of the objects here whose turn is yet to come."""
    found = tx.connection.execute(_PUT_OFF, {"rule_id": rule_id, "now": microseconds(tx.now)})
    return set(found.scalars())


_WAITING = (
    select(intent.c.side, func.count(), func.min(intent.c.noted_at))
    .where(intent.c.rule_id == bindparam("rule_id"))
    .group_by(intent.c.side)
)


def waiting(tx: Transaction, rule_id: int) -> Waiting:
    """How much waits for a rule, ready or put off, and since when."""
    rows = tx.connection.execute(_WAITING, {"rule_id": rule_id}).all()
    counts = {side: count for side, count, _ in rows}
    oldest = min((noted for _, _, noted in rows), default=None)
    return Waiting(counts.get(Side.HERE, 0), counts.get(Side.THERE, 0), None if oldest is None else instant(oldest))
