"""Calendar objects and their placements: an appointment booked for several resources is one object with several.

An object is shared when the same appointment (equal digest) is put into a second resource of the same account by
someone who may write all the resources that it already stands in. From then on it is one: moved in one calendar, it
moves in all. Objects that merely share a UID but differ stay apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, delete, false, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from bridge.core.canonical import digest
from bridge.core.precondition import NO_PRECONDITION, Precondition
from bridge.errors import NotFound, ObjectRefused, PreconditionFailed, UidConflict
from bridge.store import collection as collections
from bridge.store import journal
from bridge.store.collection import Collection, Kind
from bridge.store.database import microseconds
from bridge.store.names import LONGEST_NAME, can_be_kept
from bridge.store.placement import IN_COLLECTION, SHORT, href_of_uid, seconds
from bridge.store.schema import body, calendar_object, placement, tombstone

if TYPE_CHECKING:
    from collections.abc import Collection as AnyCollection

    from sqlalchemy import Row

    from bridge.core.model import CalendarObject
    from bridge.store.database import Transaction
    from bridge.store.journal import Author


@dataclass(frozen=True, slots=True)
class Put:
    """What a put did.

    Attributes:
        etag: Of the object that now stands there.
        created: Whether nothing stood there before.
        changed: Whether anything had to be written: a put of the bytes that are there already changes nothing.
    """

    etag: str
    created: bool
    changed: bool


def put(
    tx: Transaction,
    collection_id: int,
    href: str,
    new: CalendarObject,
    *,
    author: Author,
    precondition: Precondition = NO_PRECONDITION,
    joinable: AnyCollection[int] = frozenset(),
) -> Put:
    """Stores `new` under `href`, in every collection where the object that stands there is placed.

    Args:
        tx: A writing transaction.
        collection_id: The collection that the client addresses.
        href: Name within it.
        new: What is to stand there.
        author: Who does it, for the journal.
        precondition: What the client demands of the stored object.
        joinable: The collections whose objects `new` may join, because the author may write there.

    Raises:
        PreconditionFailed: The client has another state in mind than the one that is stored.
        UidConflict: The UID stands in this collection under another href, or another UID stands under this one.
        NotFound: The collection was deleted meanwhile.
        ObjectRefused: The UID or the href is no text that a database can keep, or far too long.
    """
    for name, what in ((href, "name"), (new.uid, "UID")):
        if not can_be_kept(name):
            raise ObjectRefused(
                f"The {what} {name[:80]!r} cannot be kept: it is empty, no text, or longer than {LONGEST_NAME} octets.",
                remedy="Give the appointment a shorter one, of letters and digits.",
            )
    locked = _lock_with_placements(tx, collection_id, href)
    here = locked[collection_id]
    old = _placed(tx, collection_id, href)
    precondition.check(None if old is None else old.etag, href=href)
    _refuse_uid_conflict(tx, here, href, new.uid, old)
    if old is not None:
        if old.etag == new.etag:
            return Put(new.etag, created=False, changed=False)
        _store_body(tx, new)
        _replace(tx, old.object_id, new, locked, author)
        return Put(new.etag, created=False, changed=True)
    _store_body(tx, new)
    object_id, shared = _join_or_create(tx, here, new, joinable)
    if shared:
        locked |= collections.lock(tx, shared)
        _replace(tx, object_id, new, locked, author)
    _place(tx, here, href, object_id=object_id, new=new, author=author)
    return Put(new.etag, created=True, changed=True)


def remove(
    tx: Transaction,
    collection_id: int,
    href: str,
    *,
    author: Author,
    precondition: Precondition = NO_PRECONDITION,
) -> None:
    """Takes the object under `href` out of one collection; where it is placed elsewhere too, it stays there.

    Raises:
        NotFound: Nothing stands there.
        PreconditionFailed: The client has another state in mind than the one that is stored.
    """
    locked = collections.lock(tx, [collection_id])
    old = _placed(tx, collection_id, href)
    if old is None:
        if precondition.if_match is not None:
            precondition.check(None, href=href)
        raise NotFound(f"There is no appointment under {href!r}.")
    precondition.check(old.etag, href=href)
    _unplace(tx, locked[collection_id], href, old, author)


def move(
    tx: Transaction,
    source: tuple[int, str],
    target: tuple[int, str],
    *,
    moved: CalendarObject,
    author: Author,
    overwrite: bool,
    joinable: AnyCollection[int] = frozenset(),
) -> bool:
    """Moves an object from one collection and href to another (RFC 4918 section 9.9), as one fact.

    Args:
        tx: A writing transaction.
        source: Collection and href that it stands at.
        target: Collection and href that it goes to.
        moved: The object at `source`, parsed.
        author: Who does it.
        overwrite: Whether an object of the same UID at `target` may be replaced.
        joinable: As in `put`.

    Returns:
        Whether something stood at `target` before.

    Raises:
        NotFound: Nothing stands at `source`.
        PreconditionFailed: Something stands at `target`, and `overwrite` is False; or `moved` is not at `source`.
        UidConflict: The UID stands in the target collection under another href.
    """
    collections.lock(tx, [source[0], target[0]])
    replaced = _placed(tx, *target) is not None
    if replaced and not overwrite:
        raise PreconditionFailed(f"Something already stands at {target[1]!r}, and this client asked not to overwrite.")
    remove(tx, *source, author=author, precondition=Precondition(if_match=frozenset({moved.etag})))
    put(tx, *target, moved, author=author, joinable=joinable)
    return replaced


_PLACED = (
    select(placement.c.object_id, placement.c.etag, placement.c.uid, calendar_object.c.summary)
    .select_from(placement.join(calendar_object, calendar_object.c.id == placement.c.object_id))
    .where(IN_COLLECTION, placement.c.href == bindparam("href"))
)
_PLACEMENTS = select(placement.c.collection_id, placement.c.href, placement.c.etag).where(
    placement.c.object_id == bindparam("object_id")
)
_here = placement.alias("here")
_SHARERS = (
    select(placement.c.collection_id)
    .select_from(_here.join(placement, placement.c.object_id == _here.c.object_id))
    .where(_here.c.collection_id == bindparam("collection_id"), _here.c.href == bindparam("href"))
)


def _placed(tx: Transaction, collection_id: int, href: str) -> Row[*tuple[Any, ...]] | None:
    if not can_be_kept(href):
        return None
    return tx.connection.execute(_PLACED, {"collection_id": collection_id, "href": href}).one_or_none()


def _lock_with_placements(tx: Transaction, collection_id: int, href: str) -> dict[int, Collection]:
    """Locks the collection, and all others in which the object under `href` is placed, in one ordered step."""
    key = {"collection_id": collection_id, "href": href}
    ids = {collection_id, *tx.connection.execute(_SHARERS, key).scalars()}
    locked = collections.lock(tx, ids)
    if collection_id not in locked:
        raise NotFound("The calendar was deleted meanwhile.")
    joined_meanwhile = set(tx.connection.execute(_SHARERS, key).scalars()) - ids
    if joined_meanwhile:
        locked |= collections.lock(tx, joined_meanwhile)
    return locked


def _refuse_uid_conflict(
    tx: Transaction, here: Collection, href: str, uid: str, old: Row[*tuple[Any, ...]] | None
) -> None:
    if old is not None:
        if old.uid != uid:
            raise UidConflict(
                f"Under {href!r} stands the appointment with UID {old.uid!r}; this one has UID {uid!r}.",
                href=href,
                remedy="Store it under a name of its own.",
            )
        return
    other = href_of_uid(tx, here.id, uid)
    if other is not None:
        raise UidConflict(
            f"The UID {uid!r} already stands in calendar {str(here.address)!r} under {other!r}.",
            href=other,
            remedy="Change that appointment instead.",
        )


_insert_body = postgresql.insert(body)
_INSERT_BODY = {
    "sqlite": sqlite.insert(body).on_conflict_do_nothing(),
    # Changes nothing, but locks the text that is there, so that `journal.expire` does not delete it meanwhile.
    "postgresql": _insert_body.on_conflict_do_update(
        index_elements=["etag"], set_={"etag": _insert_body.excluded.etag}, where=false()
    ),
}


def _store_body(tx: Transaction, new: CalendarObject) -> None:
    tx.connection.execute(_INSERT_BODY[tx.connection.dialect.name], {"etag": new.etag, "raw": new.raw})


def _scope(address: collections.Address) -> str:
    return address.owner if address.kind is Kind.RESOURCE else f"personal:{address}"


def _object_values(new: CalendarObject) -> dict[str, object]:
    return {
        "uid": new.uid,
        "component": new.component,
        "etag": new.etag,
        "digest": digest(new),
        "summary": new.summary,
        "recurring": new.recurring,
        "feed_ready": new.feed_ready,
        "tzids": "\n".join(new.tzids),
    }


def _placement_values(tx: Transaction, new: CalendarObject, revision: int) -> dict[str, object]:
    return {
        "uid": new.uid,
        "etag": new.etag,
        "component": new.component,
        "size": len(new.raw),
        "first": seconds(new.span.first),
        "last": seconds(new.span.last),
        "prolonged": new.span.last - new.span.first > SHORT,
        "revision": revision,
        "changed_at": microseconds(tx.now),
    }


_SAME_MEANING = select(calendar_object.c.id).where(
    calendar_object.c.scope == bindparam("scope"),
    calendar_object.c.uid == bindparam("uid"),
    calendar_object.c.digest == bindparam("digest"),
)


def _join_or_create(
    tx: Transaction, here: Collection, new: CalendarObject, joinable: AnyCollection[int]
) -> tuple[int, set[int]]:
    """The object that `new` belongs to, and the other collections in which it is already placed."""
    scope = _scope(here.address)
    values = _object_values(new)
    if here.address.kind is Kind.RESOURCE and joinable:
        key = {"scope": scope, "uid": new.uid, "digest": values["digest"]}
        for candidate in tx.connection.execute(_SAME_MEANING, key).scalars().all():
            placed_in = set(tx.connection.execute(_PLACEMENTS, {"object_id": candidate}).scalars())
            if placed_in <= set(joinable):
                return candidate, placed_in
    result = tx.connection.execute(_INSERT_OBJECT, {"scope": scope, **values})
    return result.scalar_one(), set()


_INSERT_OBJECT = insert(calendar_object).returning(calendar_object.c.id)
_INSERT_PLACEMENT = insert(placement)
_DELETE_TOMBSTONE = delete(tombstone).where(
    tombstone.c.collection_id == bindparam("collection_id"), tombstone.c.href == bindparam("href")
)


def _place(
    tx: Transaction, here: Collection, href: str, *, object_id: int, new: CalendarObject, author: Author
) -> None:
    revision = collections.advance(tx, here)
    key = {"collection_id": here.id, "href": href}
    tx.connection.execute(_DELETE_TOMBSTONE, key)
    tx.connection.execute(_INSERT_PLACEMENT, {**key, "object_id": object_id, **_placement_values(tx, new, revision)})
    journal.write(
        tx, here, revision, author=author, href=href, uid=new.uid, summary=new.summary, before=None, after=new.etag
    )


def _replace(
    tx: Transaction, object_id: int, new: CalendarObject, locked: dict[int, Collection], author: Author
) -> None:
    """Gives the object its new text, in every collection where it is placed."""
    placements = tx.connection.execute(_PLACEMENTS, {"object_id": object_id}).all()
    tx.connection.execute(update(calendar_object).where(calendar_object.c.id == object_id), _object_values(new))
    for place in placements:
        if place.etag == new.etag:
            continue
        there = locked[place.collection_id]
        revision = collections.advance(tx, there)
        tx.connection.execute(
            update(placement).where(placement.c.collection_id == place.collection_id, placement.c.href == place.href),
            _placement_values(tx, new, revision),
        )
        journal.write(
            tx,
            there,
            revision,
            author=author,
            href=place.href,
            uid=new.uid,
            summary=new.summary,
            before=place.etag,
            after=new.etag,
        )


def _unplace(tx: Transaction, here: Collection, href: str, old: Row[*tuple[Any, ...]], author: Author) -> None:
    revision = collections.advance(tx, here)
    key = (placement.c.collection_id == here.id) & (placement.c.href == href)
    tx.connection.execute(delete(placement).where(key))
    tx.connection.execute(
        insert(tombstone), {"collection_id": here.id, "href": href, "revision": revision, "at": microseconds(tx.now)}
    )
    if tx.connection.execute(_PLACEMENTS, {"object_id": old.object_id}).first() is None:
        tx.connection.execute(delete(calendar_object).where(calendar_object.c.id == old.object_id))
    journal.write(
        tx, here, revision, author=author, href=href, uid=old.uid, summary=old.summary, before=old.etag, after=None
    )
