"""Undo puts back what stood before one change, as a change of its own that can be undone again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.core.precondition import ANY, Precondition
from bridge.errors import NotFound, NothingToUndo, PreconditionFailed, UidConflict
from bridge.store import calendar_object, collection, journal, placement

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Collection as AnyCollection

    from bridge.core.model import CalendarObject
    from bridge.store.database import Transaction
    from bridge.store.journal import Author, JournalEntry


def undo(
    tx: Transaction,
    entry_id: int,
    *,
    author: Author,
    parse: Callable[[bytes], CalendarObject],
    joinable: AnyCollection[int] = frozenset(),
) -> JournalEntry:
    """Brings one object in one collection back to what it was before the journal entry `entry_id`.

    Args:
        tx: A writing transaction.
        entry_id: Number of the entry, as `journal.history` lists it.
        author: Who undoes it.
        parse: Reads the kept bytes as a calendar object.
        joinable: As in `calendar_object.put`: what was deleted from one calendar becomes again the same appointment
            as the one in these calendars.

    Returns:
        The entry that was undone.

    Raises:
        NotFound: There is no such entry.
        NothingToUndo: The object was changed again since, or its calendar is gone.
    """
    undone = journal.get(tx, entry_id)
    here = collection.find(tx, undone.address)
    if here is None:
        raise NothingToUndo(f"The calendar {str(undone.address)!r} does not exist any more.")
    stands = placement.entry(tx, here.id, undone.href)
    if (None if stands is None else stands.etag) != undone.after:
        raise NothingToUndo(
            f"{(undone.summary or undone.href)!r} in {str(undone.address)!r} was changed again after entry {entry_id}.",
            remedy="Undo the later changes first, newest first; `calbridge history` lists them.",
        )
    precondition = (
        Precondition(if_none_match=ANY) if undone.after is None else Precondition(if_match=frozenset({undone.after}))
    )
    try:
        if undone.before is None:
            calendar_object.remove(tx, here.id, undone.href, author=author, precondition=precondition)
        else:
            before = parse(journal.raw(tx, undone.before))
            calendar_object.put(
                tx, here.id, undone.href, before, author=author, precondition=precondition, joinable=joinable
            )
    except (NotFound, PreconditionFailed, UidConflict) as error:
        raise NothingToUndo(f"Entry {entry_id} cannot be undone: {error}") from error
    return undone
