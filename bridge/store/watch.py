"""A watch is a standing request for notifications: kept before the upstream is asked for it, until it is closed there.

A rule has at most one that counts. What is not wanted any more, or whose rule is paused, left over or removed, waits to
be closed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, bindparam, delete, or_, select, update

from bridge.store.database import instant, microseconds
from bridge.store.schema import rule, watch

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sqlalchemy import Row

    from bridge.store.database import Transaction

_RENEWED_AT = 0.8


@dataclass(frozen=True, slots=True)
class WatchRecord:
    """A watch as it stood when it was read; instants are UTC.

    Attributes:
        channel: Names it: 32 hex digits.
        rule_id: Of the rule that it was opened for, or None where that was removed.
        connection: Key of the connection over which it was opened.
        calendar: Id of the remote calendar.
        address: Where its notifications are sent.
        resource: What the upstream calls that which is watched; None where it has not told so yet.
        opened_at: When the upstream was asked for it.
        expires_at: When it ends by itself, as far as is known.
        wanted: Whether it is to stay open.
        attempts: How often closing it was tried.
        heard_at: When a notification of it last led to something, or None.
        number: Of that notification, or None.
    """

    channel: str
    rule_id: int | None
    connection: str
    calendar: str
    address: str
    resource: str | None
    opened_at: datetime
    expires_at: datetime
    wanted: bool
    attempts: int
    heard_at: datetime | None
    number: int | None

    @property
    def renews_at(self) -> datetime:
        """When another takes its place: at a fifth of its life left."""
        return self.opened_at + _RENEWED_AT * (self.expires_at - self.opened_at)

    def is_open(self, now: datetime) -> bool:
        """Whether it is known to be open, and is to stay so."""
        return self.wanted and self.resource is not None and self.expires_at > now


@dataclass(frozen=True, slots=True)
class Listener:
    """A watch with what its notifications concern.

    Attributes:
        watch: The watch.
        runs: Whether passes over its rule begin: it stands in the configuration and is not paused.
        wanted_at: For when somebody has asked for a pass, or None.
        last_started_at: When its last pass began, or None.
    """

    watch: WatchRecord
    runs: bool
    wanted_at: datetime | None
    last_started_at: datetime | None


def _moment(count: int | None) -> datetime | None:
    return None if count is None else instant(count)


def _from_row(row: Row[*tuple[Any, ...]]) -> WatchRecord:
    return WatchRecord(
        channel=row.channel,
        rule_id=row.rule_id,
        connection=row.connection,
        calendar=row.calendar,
        address=row.address,
        resource=row.resource,
        opened_at=instant(row.opened_at),
        expires_at=instant(row.expires_at),
        wanted=row.wanted,
        attempts=row.attempts,
        heard_at=_moment(row.heard_at),
        number=row.number,
    )


_OF_RULE = select(watch).where(watch.c.rule_id == bindparam("rule_id")).order_by(watch.c.expires_at, watch.c.channel)
_WITH_RULE = watch.outerjoin(rule, rule.c.id == watch.c.rule_id)
_LISTENER = (
    select(watch, rule.c.active, rule.c.paused, rule.c.wanted_at, rule.c.last_started_at)
    .select_from(_WITH_RULE)
    .where(watch.c.channel == bindparam("channel"))
)
_NOW = bindparam("now", type_=watch.c.not_before.type)
_TO_CLOSE = (
    select(watch)
    .select_from(_WITH_RULE)
    .where(
        or_(~watch.c.wanted, rule.c.id.is_(None), ~rule.c.active, rule.c.paused),
        # Without the upstream's name for it, nothing can be closed; a notification tells it.
        watch.c.resource.is_not(None),
        watch.c.expires_at > _NOW,
        watch.c.not_before <= _NOW,
    )
    .order_by(watch.c.not_before, watch.c.channel)
    .limit(bindparam("most"))
)


def announce(
    tx: Transaction,
    channel: str,
    *,
    rule_id: int,
    connection: str,
    calendar: str,
    address: str,
    expires_at: datetime,
) -> None:
    """Keeps a watch that the upstream is going to be asked for.

    Args:
        tx: A writing transaction.
        channel: Names it; never used before.
        rule_id: The rule that it is for.
        connection: Key of the connection.
        calendar: Id of the remote calendar.
        address: Where its notifications are to be sent.
        expires_at: When it ends at the latest where nothing is heard of it.
    """
    values = {
        "channel": channel,
        "rule_id": rule_id,
        "connection": connection,
        "calendar": calendar,
        "address": address,
        "opened_at": microseconds(tx.now),
        "expires_at": microseconds(expires_at),
        "wanted": True,
        "attempts": 0,
        "not_before": microseconds(tx.now),
    }
    tx.connection.execute(watch.insert().values(values))


def note_open(tx: Transaction, channel: str, *, resource: str, expires_at: datetime) -> None:
    """Notes that the upstream has opened a watch; nothing where it is not kept any more."""
    values = {"resource": resource, "expires_at": microseconds(expires_at)}
    tx.connection.execute(update(watch).where(watch.c.channel == channel).values(values))


def note_heard(tx: Transaction, channel: str, *, number: int | None) -> None:
    """Notes that a notification of a watch has led to something."""
    values = {"heard_at": microseconds(tx.now), "number": number}
    tx.connection.execute(update(watch).where(watch.c.channel == channel).values(values))


def forget(tx: Transaction, channel: str) -> None:
    """Forgets a watch that is closed, or was never opened."""
    tx.connection.execute(delete(watch).where(watch.c.channel == channel))


def drop(tx: Transaction, rule_id: int, *, keep: str | None = None) -> None:
    """Has every watch of a rule be closed, but the one whose channel is `keep`."""
    others = and_(watch.c.rule_id == rule_id, watch.c.wanted)
    if keep is not None:
        others = and_(others, watch.c.channel != keep)
    tx.connection.execute(update(watch).where(others).values(wanted=False))


def of_rule(tx: Transaction, rule_id: int) -> list[WatchRecord]:
    """Every watch of a rule that is kept, the one that lasts longest last."""
    return [_from_row(row) for row in tx.connection.execute(_OF_RULE, {"rule_id": rule_id})]


def open_by_rule(tx: Transaction) -> Mapping[int, WatchRecord]:
    """The watch that counts of each rule that has one: of those that are open the one that lasts longest."""
    rows = tx.connection.execute(select(watch).order_by(watch.c.expires_at, watch.c.channel))
    found = [_from_row(row) for row in rows]
    return {each.rule_id: each for each in found if each.rule_id is not None and each.is_open(tx.now)}


def listener(tx: Transaction, channel: str) -> Listener | None:
    """The watch of this channel with what its notifications concern; None where it is not kept, or has expired."""
    row = tx.connection.execute(_LISTENER, {"channel": channel}).one_or_none()
    if row is None or row.expires_at <= microseconds(tx.now):
        return None
    runs = bool(row.active) and not row.paused
    return Listener(_from_row(row), runs, _moment(row.wanted_at), _moment(row.last_started_at))


def to_close(tx: Transaction, *, limit: int) -> list[WatchRecord]:
    """Watches that are open and not to stay so, those first that have waited longest since they were last tried.

    Args:
        tx: Any transaction.
        limit: The most.
    """
    asked = {"now": microseconds(tx.now), "most": limit}
    return [_from_row(row) for row in tx.connection.execute(_TO_CLOSE, asked)]


def try_closing(tx: Transaction, channel: str, *, until: datetime) -> bool:
    """Lets whoever asks first close a watch, and nobody else before `until`; gives whether it was this one."""
    free = and_(watch.c.channel == channel, watch.c.not_before <= microseconds(tx.now))
    values = {"attempts": watch.c.attempts + 1, "not_before": microseconds(until)}
    return tx.connection.execute(update(watch).where(free).values(values)).rowcount == 1


def expire(tx: Transaction) -> int:
    """Forgets the watches that have ended by themselves; gives how many."""
    return tx.connection.execute(delete(watch).where(watch.c.expires_at <= microseconds(tx.now))).rowcount
