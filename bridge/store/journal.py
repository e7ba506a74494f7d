"""The journal keeps every version of every object: who changed it, when, before and after; the source of undo."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, delete, exists, func, insert, or_, select

from bridge.errors import NotFound
from bridge.store.collection import Address, Collection, Kind
from bridge.store.database import instant, microseconds
from bridge.store.schema import body, calendar_object, journal

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from sqlalchemy import Row

    from bridge.store.database import Transaction


@dataclass(frozen=True, slots=True)
class Author:
    """Who makes a change.

    Attributes:
        who: `user:NAME`, `cli`, `import` or `undo`.
        via: The client program as it names itself (User-Agent), possibly empty.
    """

    who: str
    via: str = ""


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
    """Notes changes of objects in the collection `changed`, in the transaction of the changes."""
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
    # Only these can have become useless: looking at every text there is would take far longer.
    candidates = sorted({etag for row in gone for etag in row if etag is not None})
    for start in range(0, len(candidates), _BATCH):
        # A text that somebody is storing again just now is skipped: it is about to be used.
        locked = tx.connection.execute(_LOCK_TEXTS, {"etags": candidates[start : start + _BATCH]}).scalars().all()
        tx.connection.execute(_DELETE_UNUSED, {"etags": locked})
    return len(gone)


_BATCH = 500
_LOCK_TEXTS = (
    select(body.c.etag)
    .where(body.c.etag.in_(bindparam("etags", expanding=True)))
    .order_by(body.c.etag)
    .with_for_update(skip_locked=True)
)
_DELETE_UNUSED = delete(body).where(
    body.c.etag.in_(bindparam("etags", expanding=True)),
    ~or_(
        exists().where(calendar_object.c.etag == body.c.etag),
        exists().where(journal.c.before == body.c.etag),
        exists().where(journal.c.after == body.c.etag),
    ),
)


def size(tx: Transaction) -> int:
    """How many entries there are."""
    return tx.connection.execute(select(func.count()).select_from(journal)).scalar_one()


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
