"""A collection is a calendar on our side: its revision, its sync tokens and each user's view of its properties."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, bindparam, delete, exists, select, text, union_all, update
from sqlalchemy import literal as sql_literal

from bridge.errors import Conflict, NotFound, SyncTokenRefused, TooManyProperties
from bridge.store.database import instant, microseconds
from bridge.store.names import can_be_kept
from bridge.store.schema import collection, collection_property, placement, rule, tombstone
from bridge.store.upsert import insert_or_change, insert_unless_there

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from sqlalchemy import Row

    from bridge.store.database import Transaction

MOST_PROPERTIES = 200
"""How many DAV properties of one user a collection keeps."""

MOST_PROPERTY_OCTETS = 1_000_000
"""How many octets their names and values have together."""


class Kind(StrEnum):
    """Whose collection it is: a resource's, or a user's own."""

    RESOURCE = "resource"
    PERSONAL = "personal"


@dataclass(frozen=True, slots=True)
class Address:
    """Where a collection stands: `owner` is the key of an account, or the name of a user."""

    kind: Kind
    owner: str
    key: str

    def __str__(self) -> str:
        return f"{self.owner}/{self.key}"


@dataclass(frozen=True, slots=True)
class Collection:
    """A collection as it stood when it was read.

    Attributes:
        id: Number in the database.
        address: Where it stands.
        incarnation: New whenever the collection is rebuilt or restored, so that old sync tokens are refused.
        revision: Raised by one with each change; drives sync token, CTag and feed ETag.
        floor: Sync tokens of an earlier revision are refused: the tombstones before it are gone.
        changed_at: Instant of the last change, UTC.
        pushes: Whether a rule may want to hear of its changes; False only where it is locked and none does.
    """

    id: int
    address: Address
    incarnation: str
    revision: int
    floor: int
    changed_at: datetime
    pushes: bool = field(default=True, compare=False)

    @property
    def sync_token(self) -> str:
        """The token that a DAV client sends back to hear of later changes (RFC 6578 section 4); a valid URI."""
        return f"urn:calbridge:sync:{self.incarnation}:{self.revision}"

    @property
    def tag(self) -> str:
        """Changes exactly when an object in the collection changes; serves as CTag and as ETag, without quotes."""
        return f"{self.incarnation}-{self.revision}"


@dataclass(frozen=True, slots=True)
class Change:
    """An href whose object was put (`etag`), or deleted (`etag` is None), since a sync token."""

    href: str
    etag: str | None


@dataclass(frozen=True, slots=True)
class Changes:
    """What a client that holds an older token has to catch up with.

    Attributes:
        changes: Each href once, oldest change first.
        token: The token after these changes.
        truncated: Whether more changes follow, to be asked for with `token`.
    """

    changes: tuple[Change, ...]
    token: str
    truncated: bool


_SELECT = select(collection)
_BY_ADDRESS = _SELECT.where(
    collection.c.kind == bindparam("kind"),
    collection.c.owner == bindparam("owner"),
    collection.c.key == bindparam("key"),
)
_BY_OWNER = _SELECT.where(collection.c.kind == bindparam("kind"), collection.c.owner == bindparam("owner")).order_by(
    collection.c.key
)
_LOCK = (
    # Asked here, it costs a write no statement of its own; what is being declared meanwhile is seen, as it takes turns.
    select(
        collection,
        exists().where(rule.c.collection_id == collection.c.id, rule.c.pushes, rule.c.active).label("pushes"),
    )
    .where(collection.c.id.in_(bindparam("ids", expanding=True)))
    .order_by(collection.c.id)
    .with_for_update(of=collection)
)
_TAKE_TURNS = text(
    "SELECT pg_advisory_xact_lock(4791, hashtext(turn)) FROM"
    " (SELECT DISTINCT kind || ':' || owner AS turn FROM collection WHERE id = ANY(:ids) ORDER BY 1) AS turns"
)


def _from_row(row: Row[*tuple[Any, ...]]) -> Collection:
    return Collection(
        id=row.id,
        address=Address(Kind(row.kind), row.owner, row.key),
        incarnation=row.incarnation,
        revision=row.revision,
        floor=row.floor,
        changed_at=instant(row.changed_at),
    )


def find(tx: Transaction, address: Address) -> Collection | None:
    """The collection at `address`, or None."""
    if not (can_be_kept(address.owner) and can_be_kept(address.key)):
        return None
    row = tx.connection.execute(
        _BY_ADDRESS, {"kind": address.kind, "owner": address.owner, "key": address.key}
    ).one_or_none()
    return None if row is None else _from_row(row)


def get(tx: Transaction, address: Address) -> Collection:
    """The collection at `address`.

    Raises:
        NotFound: There is none.
    """
    found = find(tx, address)
    if found is None:
        raise NotFound(f"There is no calendar {str(address)!r}.")
    return found


_BY_ID = _SELECT.where(collection.c.id == bindparam("collection_id"))


def with_id(tx: Transaction, collection_id: int) -> Collection | None:
    """The collection with this number, or None."""
    row = tx.connection.execute(_BY_ID, {"collection_id": collection_id}).one_or_none()
    return None if row is None else _from_row(row)


def owned(tx: Transaction, kind: Kind, owner: str) -> list[Collection]:
    """The collections of an account or a user, by key."""
    return [_from_row(row) for row in tx.connection.execute(_BY_OWNER, {"kind": kind, "owner": owner})]


def every(tx: Transaction) -> list[Collection]:
    """All collections, of resources and of users, also those that have left the configuration."""
    return [_from_row(row) for row in tx.connection.execute(_SELECT.order_by(collection.c.id))]


def lock(tx: Transaction, ids: Iterable[int]) -> dict[int, Collection]:
    """Keeps other writers from these collections until the transaction ends; gives their present state by id.

    As an appointment may stand in several collections of an account, and only reading tells in which, one writer at a
    time works in an account: whatever collections two writers need, and in whatever order, they never wait for each
    other. (On SQLite one writer at a time works in the whole database.)
    """
    wanted = sorted(set(ids))
    if tx.connection.dialect.name == "postgresql":
        tx.connection.execute(_TAKE_TURNS, {"ids": wanted})
    rows = tx.connection.execute(_LOCK, {"ids": wanted})
    return {row.id: replace(_from_row(row), pushes=bool(row.pushes)) for row in rows}


def create(tx: Transaction, address: Address) -> Collection:
    """Makes an empty collection at `address`.

    Raises:
        Conflict: One stands there, or none can.
    """
    if not can_be_kept(address.key):
        raise Conflict(f"No calendar can have the name {address.key[:80]!r}.", remedy="Choose another name.")
    if not _create(tx, address):
        raise Conflict(f"There is a calendar {str(address)!r} already.", remedy="Choose another name.")
    return get(tx, address)


def ensure(tx: Transaction, address: Address) -> Collection:
    """The collection at `address`, made where it is not there yet."""
    found = find(tx, address)
    if found is None:
        _create(tx, address)
        found = get(tx, address)
    return found


def _create(tx: Transaction, address: Address) -> bool:
    values = {
        "kind": address.kind,
        "owner": address.owner,
        "key": address.key,
        "incarnation": secrets.token_hex(8),
        "revision": 0,
        "floor": 0,
        "changed_at": microseconds(tx.now),
    }
    return insert_unless_there(tx, collection, values)


def remove(tx: Transaction, collection_id: int) -> None:
    """Deletes an emptied collection; the journal keeps what was in it.

    The caller deletes the objects first, so that each has its journal row.
    """
    tx.connection.execute(delete(collection).where(collection.c.id == collection_id))


def renew(tx: Transaction, collection_id: int) -> None:
    """Gives the collection a new incarnation: every older sync token is refused from now on."""
    tx.connection.execute(
        update(collection).where(collection.c.id == collection_id).values(incarnation=secrets.token_hex(8)),
    )


_ADVANCE = (
    update(collection)
    .where(collection.c.id == bindparam("collection_id"))
    .values(revision=bindparam("next_revision"), changed_at=bindparam("at"))
)


def advance(tx: Transaction, locked: Collection, *, by: int = 1) -> int:
    """Raises the revision of a locked collection, by one for each change, and gives the new one."""
    revision = locked.revision + by
    tx.connection.execute(_ADVANCE, {"collection_id": locked.id, "next_revision": revision, "at": microseconds(tx.now)})
    return revision


_TOKEN = re.compile(r"urn:calbridge:sync:([0-9a-f]{16}):(\d{1,18})(?::(\d{1,18}))?")

_PUT_SINCE = select(placement.c.href, placement.c.etag, placement.c.revision).where(
    placement.c.collection_id == bindparam("collection_id"), placement.c.revision > bindparam("since")
)
_GONE_SINCE = select(tombstone.c.href, sql_literal(None).label("etag"), tombstone.c.revision).where(
    and_(tombstone.c.collection_id == bindparam("collection_id"), tombstone.c.revision > bindparam("gone_since"))
)
_SINCE = union_all(_PUT_SINCE, _GONE_SINCE).order_by("revision")
_SINCE_LIMITED = _SINCE.limit(bindparam("most"))


def changes_since(tx: Transaction, current: Collection, token: str, *, limit: int | None = None) -> Changes:
    """What has changed in `current` since `token` (RFC 6578 section 3.2); an empty token stands for everything.

    A first sync lists no deleted hrefs, also when a limit cuts it into pages: the token of such a page carries the
    revision at which the client began, and only what was deleted after that is news to it.

    Raises:
        SyncTokenRefused: The token is not one of this collection's, or older than its tombstones.
    """
    since, began = _read_token(current, token)
    rows = tx.connection.execute(
        _SINCE if limit is None else _SINCE_LIMITED,
        {"collection_id": current.id, "since": since, "gone_since": max(since, began)}
        | ({} if limit is None else {"most": limit + 1}),
    ).all()
    if limit is None or len(rows) <= limit:
        return Changes(tuple(Change(row.href, row.etag) for row in rows), current.sync_token, truncated=False)
    page = rows[:limit]
    reached = page[-1].revision if page else since
    next_token = f"urn:calbridge:sync:{current.incarnation}:{reached}"
    if began > reached:
        next_token += f":{began}"
    return Changes(tuple(Change(row.href, row.etag) for row in page), next_token, truncated=True)


def _read_token(current: Collection, token: str) -> tuple[int, int]:
    """The revision that the client has, and the revision at which its first sync began (0: long ago)."""
    if not token:
        return 0, current.revision
    match = _TOKEN.fullmatch(token)
    since, began = (int(match[2]), int(match[3] or 0)) if match else (0, 0)
    if match is None or match[1] != current.incarnation or max(since, began) > current.revision:
        raise SyncTokenRefused(
            f"The sync token {token[:80]!r} was not made for the present state of calendar {str(current.address)!r}.",
            remedy="The client has to read the calendar from the beginning; most do so by themselves.",
        )
    if max(since, began) < current.floor:
        raise SyncTokenRefused(
            f"The sync token {token!r} is older than the change log of calendar {str(current.address)!r}.",
            remedy="The client has to read the calendar from the beginning; most do so by themselves.",
        )
    return since, began


def expire_tombstones(tx: Transaction, before: datetime) -> int:
    """Forgets deletions older than `before`, and refuses from now on the sync tokens that would need them.

    Returns:
        How many were forgotten.
    """
    old = tombstone.c.at < microseconds(before)
    query = select(tombstone.c.collection_id, tombstone.c.revision).where(old)
    lock(tx, tx.connection.execute(query).scalars())
    floors: dict[int, int] = {}
    for row in tx.connection.execute(query):
        floors[row.collection_id] = max(floors.get(row.collection_id, 0), row.revision)
    for collection_id, floor in sorted(floors.items()):
        tx.connection.execute(
            update(collection).where(collection.c.id == collection_id, collection.c.floor < floor).values(floor=floor),
        )
    return tx.connection.execute(delete(tombstone).where(old)).rowcount


_PROPERTIES = select(collection_property.c.user, collection_property.c.name, collection_property.c.value).where(
    collection_property.c.collection_id == bindparam("collection_id"),
    collection_property.c.user.in_([bindparam("everybody"), bindparam("user")]),
)


def properties(tx: Transaction, collection_id: int, user: str) -> dict[str, str]:
    """The DAV properties as `user` sees them: everybody's, overlaid with the user's own."""
    rows = tx.connection.execute(_PROPERTIES, {"collection_id": collection_id, "everybody": "", "user": user}).all()
    return {row.name: row.value for row in sorted(rows, key=lambda row: bool(row.user))}


def set_properties(tx: Transaction, collection_id: int, user: str, changed: Mapping[str, str | None]) -> None:
    """Sets properties for `user` (empty: for everybody); a value of None takes the user's own away.

    Raises:
        TooManyProperties: The user would have more on this collection than are kept; raised after some were set, so
            that the transaction, or a savepoint in it, must end with it.
    """
    # In one order, so that two who set the same never wait for each other.
    for name, value in sorted(changed.items()):
        key = {"collection_id": collection_id, "user": user, "name": name}
        if value is None:
            tx.connection.execute(_FORGET_PROPERTY, key)
        else:
            insert_or_change(tx, collection_property, key, {"value": value}, {"value": value})
    # What is there already may always be taken away.
    if any(value is not None for value in changed.values()):
        _check_room(tx, collection_id, user)


def _check_room(tx: Transaction, collection_id: int, user: str) -> None:
    rows = tx.connection.execute(_PROPERTIES, {"collection_id": collection_id, "everybody": user, "user": user}).all()
    octets = sum(len(row.name.encode()) + len(row.value.encode()) for row in rows)
    if len(rows) > MOST_PROPERTIES or octets > MOST_PROPERTY_OCTETS:
        raise TooManyProperties(
            f"A calendar keeps up to {MOST_PROPERTIES} properties of each user, of {MOST_PROPERTY_OCTETS:,} octets "
            "together.",
            remedy="Remove some of them first.",
        )


_FORGET_PROPERTY = delete(collection_property).where(
    collection_property.c.collection_id == bindparam("collection_id"),
    collection_property.c.user == bindparam("user"),
    collection_property.c.name == bindparam("name"),
)
