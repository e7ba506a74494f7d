"""A link ties one calendar object here to one remote object under one rule, and keeps what both last agreed on."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, delete, func, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError

from bridge.errors import Conflict, ObjectRefused
from bridge.store import texts
from bridge.store.database import instant, microseconds
from bridge.store.names import LONGEST_NAME, can_be_kept
from bridge.store.schema import link

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from sqlalchemy import Row

    from bridge.store.database import Transaction

_BATCH = 500


class Made(StrEnum):
    """How a link came about.

    Attributes:
        HERE: The object was made here, and created there.
        THERE: The object was made there, and taken over.
        ADOPTED: It stood on both sides already.
    """

    HERE = "here"
    THERE = "there"
    ADOPTED = "adopted"


@dataclass(frozen=True, slots=True)
class Link:
    """One calendar object and one remote object under one rule.

    Attributes:
        rule_id: The rule.
        uid: Of the object here.
        made: How the link came about.
        remote_id: Of the object there; None while it is being created.
        remote_etag: Its version when it was last seen, or None.
        base_here: Etag of our bytes when both last agreed, or None.
        base_there: Etag of theirs, or None.
        view: The projection that counted then, as text.
        generation: How often the object was created there again.
        written_at: When we last wrote, or were about to, UTC; or None.
        streak: How often in a row the same was written.
        wrote: What was last written, as the engine notes it.
    """

    rule_id: int
    uid: str
    made: Made
    remote_id: str | None = None
    remote_etag: str | None = None
    base_here: str | None = None
    base_there: str | None = None
    view: str = ""
    generation: int = 0
    written_at: datetime | None = None
    streak: int = 0
    wrote: str = ""

    @property
    def is_announced(self) -> bool:
        """Whether `base_here` is being created there, and nobody knows yet whether it was."""
        return self.remote_id is None and self.base_here is not None and self.written_at is not None


_OF_RULE = link.c.rule_id == bindparam("rule_id")
_COLUMNS = (
    link.c.rule_id,
    link.c.uid,
    link.c.made,
    link.c.remote_id,
    link.c.remote_etag,
    link.c.base_here,
    link.c.base_there,
    link.c.view,
    link.c.generation,
    link.c.written_at,
    link.c.streak,
    link.c.wrote,
)
_EVERY = select(*_COLUMNS).where(_OF_RULE)
_IN_ORDER = _EVERY.order_by(link.c.uid)
_BY_UID = _EVERY.where(link.c.uid == bindparam("uid"))
_BY_UIDS = _EVERY.where(link.c.uid.in_(bindparam("uids", expanding=True)))
_BY_REMOTES = select(*_COLUMNS).where(
    link.c.remote_id.in_(bindparam("remote_ids", expanding=True)),
    # Not by the key, which would lead to all links of the rule.
    link.c.rule_id + 0 == bindparam("rule_id"),
)
_ETAGS = select(link.c.remote_id, func.coalesce(link.c.remote_etag, "")).where(_OF_RULE, link.c.remote_id.is_not(None))
_ETAGS_OF_PAIRS = _ETAGS.where(or_(link.c.base_here.is_not(None), link.c.base_there.is_not(None)))
_UIDS = select(link.c.uid).where(_OF_RULE)
_COUNT = (
    select(func.count())
    .select_from(link)
    .where(_OF_RULE, link.c.base_here.is_not(None), link.c.base_there.is_not(None))
)
_MADE = {made.value: made for made in Made}


def get(tx: Transaction, rule_id: int, uid: str) -> Link | None:
    """The link of the object `uid`, or None."""
    row = tx.connection.execute(_BY_UID, {"rule_id": rule_id, "uid": uid}).one_or_none()
    return None if row is None else _from_row(row)


def by_uids(tx: Transaction, rule_id: int, uids: Iterable[str]) -> dict[str, Link]:
    """The links of those of these objects that have one, by UID."""
    found: dict[str, Link] = {}
    for batch in _batches(uids):
        rows = tx.connection.execute(_BY_UIDS, {"rule_id": rule_id, "uids": batch})
        found.update((row.uid, _from_row(row)) for row in rows)
    return found


def by_remotes(tx: Transaction, rule_id: int, remote_ids: Iterable[str]) -> dict[str, Link]:
    """The links of those of these remote objects that have one, by remote id."""
    found: dict[str, Link] = {}
    for batch in _batches(remote_ids):
        rows = tx.connection.execute(_BY_REMOTES, {"rule_id": rule_id, "remote_ids": batch})
        found.update((row.remote_id, _from_row(row)) for row in rows)
    return found


def every(tx: Transaction, rule_id: int) -> Iterator[Link]:
    """All links of a rule, by UID, read in batches."""
    for rows in tx.connection.execute(_IN_ORDER, {"rule_id": rule_id}).partitions(_BATCH):
        for row in rows:
            yield _from_row(row)


_ANNOUNCED = _EVERY.where(link.c.remote_id.is_(None), link.c.base_here.is_not(None), link.c.written_at.is_not(None))


def announced(tx: Transaction, rule_id: int) -> list[Link]:
    """The links of the objects that are being created there, as far as is known."""
    return [_from_row(row) for row in tx.connection.execute(_ANNOUNCED, {"rule_id": rule_id})]


def etags(tx: Transaction, rule_id: int, *, left_alone: bool = True) -> dict[str, str]:
    """The etag of each linked remote object when it was last seen, by remote id; empty where it is not known.

    Args:
        tx: A transaction.
        rule_id: The rule.
        left_alone: Whether those count that are only noted as left alone, without a base on either side.
    """
    query = _ETAGS if left_alone else _ETAGS_OF_PAIRS
    return {row[0]: row[1] for row in tx.connection.execute(query, {"rule_id": rule_id})}


def uids(tx: Transaction, rule_id: int) -> set[str]:
    """The UIDs of all linked objects."""
    return set(tx.connection.execute(_UIDS, {"rule_id": rule_id}).scalars())


def count(tx: Transaction, rule_id: int) -> int:
    """How many objects a rule keeps the same on both sides."""
    return tx.connection.execute(_COUNT, {"rule_id": rule_id}).scalar_one()


def keep_body(tx: Transaction, raw: bytes) -> str:
    """Keeps bytes for a link or a conflict that is written next, and gives their etag."""
    return keep_bodies(tx, [raw])[0]


def keep_bodies(tx: Transaction, raws: Sequence[bytes]) -> list[str]:
    """Keeps bytes for links or conflicts that are written next, and gives the etag of each."""
    named = [(texts.etag_of(raw), raw) for raw in raws]
    if named:
        texts.keep(tx, named)
    return [etag for etag, _ in named]


def put(tx: Transaction, new: Link) -> None:
    """Makes the link, or puts it in place of the one that the same object has.

    Raises:
        ObjectRefused: The remote id or the UID is no text that a database can keep, or far too long.
        Conflict: Another link of the rule has the remote id; the transaction must end with it.
    """
    put_many(tx, [new])


def _upsert(new: Any) -> Any:
    """Both dialects have the same words for it, in classes of their own."""
    columns = [column.name for column in _COLUMNS if not column.primary_key]
    return new.on_conflict_do_update(
        index_elements=["rule_id", "uid"], set_={name: new.excluded[name] for name in columns}
    )


_UPSERT = {"sqlite": _upsert(sqlite.insert(link)), "postgresql": _upsert(postgresql.insert(link))}
_BASES = select(link.c.base_here, link.c.base_there).where(_OF_RULE)
_BASES_OF = _BASES.where(link.c.uid == bindparam("uid"))
_BASES_OF_MANY = _BASES.where(link.c.uid.in_(bindparam("uids", expanding=True)))


def put_many(tx: Transaction, new: Sequence[Link]) -> None:
    """Does what `put` does, for links of one rule and different objects.

    Raises:
        ObjectRefused: As `put` says; then none of them is written.
        Conflict: As `put` says.
    """
    if not new:
        return
    for each in new:
        _refuse_names(each)
    rows = [_values(each) for each in sorted(new, key=lambda each: each.uid)]
    replaced = _bases(tx, new[0].rule_id, [each.uid for each in new])
    try:
        tx.connection.execute(_UPSERT[tx.connection.dialect.name], rows)
    except IntegrityError as error:
        if "unique" not in str(error.orig).lower():
            raise
        raise Conflict(
            f"The remote object of {' or '.join(repr(each.uid) for each in new[:3])} is linked to another appointment.",
            remedy="Reset the rule: everything is read and compared anew.",
        ) from error
    texts.forget_unused(tx, replaced - {etag for each in new for etag in (each.base_here, each.base_there)})


def remove(tx: Transaction, rule_id: int, uid: str) -> None:
    """Forgets the link of an object, if it has one."""
    unused = _bases(tx, rule_id, [uid])
    tx.connection.execute(_REMOVE, {"rule_id": rule_id, "uid": uid})
    texts.forget_unused(tx, unused)


_REMOVE = delete(link).where(_OF_RULE, link.c.uid == bindparam("uid"))


def _bases(tx: Transaction, rule_id: int, uids: Sequence[str]) -> set[str | None]:
    """The texts that the links of these objects point at."""
    if len(uids) == 1:
        rows = tx.connection.execute(_BASES_OF, {"rule_id": rule_id, "uid": uids[0]}).all()
        return {etag for row in rows for etag in row}
    found: set[str | None] = set()
    for batch in _batches(uids):
        for row in tx.connection.execute(_BASES_OF_MANY, {"rule_id": rule_id, "uids": batch}):
            found.update(row)
    return found


def _refuse_names(new: Link) -> None:
    for name, what in ((new.uid, "UID"), (new.remote_id, "remote id")):
        if name is not None and not can_be_kept(name):
            raise ObjectRefused(
                f"The {what} {name[:80]!r} cannot be kept: it is empty, no text, or longer than {LONGEST_NAME} octets.",
                remedy="Delete the appointment at the upstream, and make it anew.",
            )


def _batches(names: Iterable[str]) -> Iterator[list[str]]:
    wanted = sorted(filter(can_be_kept, set(names)))
    for start in range(0, len(wanted), _BATCH):
        yield wanted[start : start + _BATCH]


def _values(new: Link) -> dict[str, object]:
    return {
        "rule_id": new.rule_id,
        "uid": new.uid,
        "remote_id": new.remote_id,
        "remote_etag": new.remote_etag,
        "base_here": new.base_here,
        "base_there": new.base_there,
        "view": new.view,
        "made": new.made,
        "generation": new.generation,
        "written_at": None if new.written_at is None else microseconds(new.written_at),
        "streak": new.streak,
        "wrote": new.wrote,
    }


def _from_row(row: Row[*tuple[Any, ...]]) -> Link:
    return Link(
        row[0],
        row[1],
        _MADE[row[2]],
        row[3],
        row[4],
        row[5],
        row[6],
        row[7],
        row[8],
        None if row[9] is None else instant(row[9]),
        row[10],
        row[11],
    )
