"""Calendar objects and their placements: an appointment booked for several resources is one object with several.

An object is shared when the same appointment (equal digest) is put into a second resource of the same account by
someone who may write all the resources that it already stands in. From then on it is one: moved in one calendar, it
moves in all. Objects that merely share a UID but differ stay apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, select

from bridge.core.precondition import NO_PRECONDITION, Precondition
from bridge.errors import NotFound, ObjectRefused, PreconditionFailed, UidConflict
from bridge.store import collection as collections
from bridge.store import texts
from bridge.store.names import LONGEST_NAME, can_be_kept
from bridge.store.placement import href_of_uid
from bridge.store.placing import (
    forget_unless_placed,
    join_or_create,
    place,
    placed,
    replace_object,
    replace_text,
    scope,
    take_away,
)
from bridge.store.schema import placement

if TYPE_CHECKING:
    from collections.abc import Collection as AnyCollection

    from bridge.core.model import CalendarObject
    from bridge.store.collection import Collection
    from bridge.store.database import Transaction
    from bridge.store.journal import Author
    from bridge.store.placing import Placed


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
    _refuse_names(href, new.uid)
    locked = _lock_with_placements(tx, collection_id, href)
    here = locked[collection_id]
    old = placed(tx, collection_id, href)
    precondition.check(None if old is None else old.etag, href=href)
    _refuse_uid_conflict(tx, here, href, new.uid, old)
    if old is not None:
        if old.etag == new.etag:
            return Put(new.etag, created=False, changed=False)
        texts.keep(tx, [(new.etag, new.raw)])
        replace_text(tx, locked, old.object_id, new, author=author)
        return Put(new.etag, created=False, changed=True)
    texts.keep(tx, [(new.etag, new.raw)])
    object_id, shared = join_or_create(tx, here, new, joinable)
    if shared:
        locked |= collections.lock(tx, shared)
        replace_text(tx, locked, object_id, new, author=author)
    place(tx, locked, (collection_id, href), object_id, new, author=author)
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
    old = _standing(tx, collection_id, href, precondition)
    take_away(tx, locked, old, author=author)
    forget_unless_placed(tx, old.object_id)


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

    Within an account it stays the same object: where it is placed elsewhere too, it stays there, and is still shared.
    From or to a user's own calendar, and between accounts, it goes as `remove` and `put` would take it.

    Args:
        tx: A writing transaction.
        source: Collection and href that it stands at.
        target: Collection and href that it goes to. Where the same object is placed in that collection already, under
            whatever href, it stands there once afterwards, under this one.
        moved: The object at `source`, parsed.
        author: Who does it.
        overwrite: Whether an object of the same UID at `target` may be replaced; it goes from there, and stays where
            else it is placed.
        joinable: As in `put`.

    Returns:
        Whether something stood at `target` before.

    Raises:
        NotFound: Nothing stands at `source`, or a collection was deleted meanwhile.
        PreconditionFailed: Something stands at `target`, and `overwrite` is False; or `moved` is not at `source`.
        UidConflict: Another appointment stands at `target`, or in its collection under the same UID.
        ObjectRefused: The href is no text that a database can keep, or far too long.
    """
    locked = collections.lock(tx, [source[0], target[0]])
    replaced = placed(tx, *target)
    if replaced is not None and not overwrite:
        raise PreconditionFailed(f"Something already stands at {target[1]!r}, and this client asked not to overwrite.")
    is_moved = Precondition(if_match=frozenset({moved.etag}))
    if len({scope(each.address) for each in locked.values()}) > 1:
        remove(tx, *source, author=author, precondition=is_moved)
        put(tx, *target, moved, author=author, joinable=joinable)
        return replaced is not None
    _refuse_names(target[1], moved.uid)
    old = _standing(tx, *source, is_moved)
    if target[0] not in locked:
        raise NotFound("The calendar was deleted meanwhile.")
    if source == target:
        return True
    also = _also_placed(tx, locked[target[0]], old, target[1], replaced)
    take_away(tx, locked, old, author=author)
    if also is not None:
        take_away(tx, locked, also, author=author)
    if replaced is None:
        place(tx, locked, target, old.object_id, moved, author=author)
    elif replaced.object_id != old.object_id:
        replace_object(tx, locked, replaced, old.object_id, moved, author=author)
    return replaced is not None


def _refuse_names(href: str, uid: str) -> None:
    for name, what in ((href, "name"), (uid, "UID")):
        if not can_be_kept(name):
            raise ObjectRefused(
                f"The {what} {name[:80]!r} cannot be kept: it is empty, no text, or longer than {LONGEST_NAME} octets.",
                remedy="Give the appointment a shorter one, of letters and digits.",
            )


def _standing(tx: Transaction, collection_id: int, href: str, precondition: Precondition) -> Placed:
    """What stands under `href`, in the state that the client has in mind."""
    old = placed(tx, collection_id, href)
    if old is None:
        if precondition.if_match is not None:
            precondition.check(None, href=href)
        raise NotFound(f"There is no appointment under {href!r}.")
    precondition.check(old.etag, href=href)
    return old


def _also_placed(
    tx: Transaction, there: Collection, moved: Placed, href: str, replaced: Placed | None
) -> Placed | None:
    """Where in the collection `there` the object that is being moved to `href` stands already, under another name."""
    if replaced is None:
        other = href_of_uid(tx, there.id, moved.uid)
        also = None if other is None else placed(tx, there.id, other)
        if also is None or (also.collection_id, also.href) == (moved.collection_id, moved.href):
            return None
        if also.object_id == moved.object_id:
            return also
    _refuse_uid_conflict(tx, there, href, moved.uid, replaced)
    return None


_here = placement.alias("here")
_SHARERS = (
    select(placement.c.collection_id)
    .select_from(_here.join(placement, placement.c.object_id == _here.c.object_id))
    .where(_here.c.collection_id == bindparam("collection_id"), _here.c.href == bindparam("href"))
)


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


def _refuse_uid_conflict(tx: Transaction, here: Collection, href: str, uid: str, old: Placed | None) -> None:
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
