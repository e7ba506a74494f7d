"""The journal keeps every version of every object: who changed it, when, before and after; the source of undo."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, delete, insert, select, text

from bridge.errors import NotFound
from bridge.store import outbox, texts
from bridge.store.collection import Address, Collection, Kind
from bridge.store.database import instant, microseconds
from bridge.store.schema import body, journal

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from sqlalchemy import Row

    from bridge.store.database import Transaction


@dataclass(frozen=True, slots=True)
class Author:
    """Who makes a change.

    Attributes:
        who: `user:NAME`, `rule:KEY`, `cli`, `import` or `undo`.
        via: The client program as it names itself (User-Agent), possibly empty; of a rule `run:ID`.
        rule: Number of the rule whose pass it is, which need not hear of its own changes; the journal does not keep it.
    """

    who: str
    via: str = ""
    rule: int | None = field(default=None, compare=False)


class Action(StrEnum):
    """What happened to an object in one collection."""

    CREATE = "create"
    REPLACE = "replace"
    REMOVE = "remove"


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """One change of one object in one collection.

    Attributes:
        id: Number of the entry.
        at: When, UTC.
        author: Who, and through which program.
        address: The collection.
        href: Under which href.
        uid: UID of the object.
        summary: Its title after the change (before it, where it was removed).
        action: What happened.
        before: Etag of the bytes before, or None.
        after: Etag of the bytes after, or None.
        revision: Of the collection, after the change.
    """

    id: int
    at: datetime
    author: Author
    address: Address
    href: str
    uid: str
    summary: str
    action: Action
    before: str | None
    after: str | None
    revision: int


@dataclass(frozen=True, slots=True)
class Version:
    """What a change makes of one object in one collection.

    Attributes:
        revision: Of the collection, after the change.
        href: Under which href.
        uid: UID of the object.
        summary: Its title after the change (before it, where it is removed).
        before: Etag of the bytes before, or None.
        after: Etag of the bytes after, or None.
    """

    revision: int
    href: str
    uid: str
    summary: str
    before: str | None
    after: str | None

    @property
    def action(self) -> Action:
        """What happens to the object."""
        if self.before is None:
            return Action.CREATE
        return Action.REMOVE if self.after is None else Action.REPLACE


_INSERT = insert(journal)


def write(tx: Transaction, changed: Collection, versions: Iterable[Version], *, author: Author) -> None:
    """Notes changes of objects in the collection `changed`, in the transaction of the changes.

    The rules of that collection hear of them too, all but the author's own.
    """
    versions = list(versions)
    common = {
        "at": microseconds(tx.now),
        "who": author.who,
        "via": author.via[:200],
        "kind": changed.address.kind,
        "owner": changed.address.owner,
        "key": changed.address.key,
        "incarnation": changed.incarnation,
    }
    tx.connection.execute(
        _INSERT,
        [
            {
                **common,
                "href": each.href,
                "uid": each.uid,
                "summary": each.summary,
                "action": each.action,
                "before": each.before,
                "after": each.after,
                "revision": each.revision,
            }
            for each in versions
        ],
    )
    if changed.pushes:
        outbox.note_here(tx, changed.id, [each.uid for each in versions], except_rule=author.rule)


def history(
    tx: Transaction, *, address: Address | None = None, uid: str | None = None, limit: int = 100
) -> list[JournalEntry]:
    """The newest entries first, of one collection, of one UID, or of both."""
    query = select(journal).order_by(journal.c.id.desc()).limit(limit)
    if address is not None:
        query = query.where(
            journal.c.kind == address.kind, journal.c.owner == address.owner, journal.c.key == address.key
        )
    if uid is not None:
        query = query.where(journal.c.uid == uid)
    return [_from_row(row) for row in tx.connection.execute(query)]


# As the index has it.
_OF_RUN = (
    select(journal).where(text("who LIKE 'rule:%'"), journal.c.via == bindparam("run")).order_by(journal.c.id.desc())
)


def of_run(tx: Transaction, run_id: int) -> list[JournalEntry]:
    """What a run of a rule changed here, the newest first."""
    return [_from_row(row) for row in tx.connection.execute(_OF_RUN, {"run": f"run:{run_id}"})]


_SINCE = (
    select(journal)
    .where(
        journal.c.kind == bindparam("kind"),
        journal.c.owner == bindparam("owner"),
        journal.c.key == bindparam("address_key"),
        journal.c.at > bindparam("since"),
    )
    .order_by(journal.c.id)
)
_OLDEST = (
    select(journal)
    .where(
        journal.c.kind == bindparam("kind"),
        journal.c.owner == bindparam("owner"),
        journal.c.key == bindparam("address_key"),
    )
    .order_by(journal.c.id)
    .limit(1)
)


def _place(address: Address) -> dict[str, object]:
    return {"kind": address.kind, "owner": address.owner, "address_key": address.key}


def since(tx: Transaction, address: Address, instant_: datetime) -> list[JournalEntry]:
    """What changed in a collection after an instant, the oldest first."""
    rows = tx.connection.execute(_SINCE, {**_place(address), "since": microseconds(instant_)})
    return [_from_row(row) for row in rows]


def oldest(tx: Transaction, address: Address) -> JournalEntry | None:
    """The first change of a collection that is still remembered, or None."""
    row = tx.connection.execute(_OLDEST, _place(address)).one_or_none()
    return None if row is None else _from_row(row)


def get(tx: Transaction, entry_id: int) -> JournalEntry:
    """The entry with this number.

    Raises:
        NotFound: There is none, or it has expired.
    """
    row = tx.connection.execute(select(journal).where(journal.c.id == entry_id)).one_or_none()
    if row is None:
        raise NotFound(
            f"There is no journal entry {entry_id}.",
            remedy="`calbridge history` lists those that there are.",
        )
    return _from_row(row)


_RAW = select(body.c.raw).where(body.c.etag == bindparam("etag"))


def raw(tx: Transaction, etag: str) -> bytes:
    """The bytes that an entry points at.

    Raises:
        NotFound: The entries that pointed at them have expired.
    """
    found = tx.connection.execute(_RAW, {"etag": etag}).scalar_one_or_none()
    if found is None:
        raise NotFound(
            f"There is no version {etag!r} any more.", remedy="`calbridge history` lists those that there are."
        )
    return bytes(found)


def expire(tx: Transaction, before: datetime) -> int:
    """Forgets entries older than `before`, and the bytes that nothing points at any more.

    Returns:
        How many entries were forgotten.
    """
    gone = tx.connection.execute(
        delete(journal).where(journal.c.at < microseconds(before)).returning(journal.c.before, journal.c.after)
    ).all()
    texts.forget_unused(tx, (etag for row in gone for etag in row))
    return len(gone)


def _from_row(row: Row[*tuple[Any, ...]]) -> JournalEntry:
    return JournalEntry(
        id=row.id,
        at=instant(row.at),
        author=Author(row.who, row.via),
        address=Address(Kind(row.kind), row.owner, row.key),
        href=row.href,
        uid=row.uid,
        summary=row.summary,
        action=Action(row.action),
        before=row.before,
        after=row.after,
        revision=row.revision,
    )
