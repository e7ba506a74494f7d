"""Many changes are taken back at once: those of one run of a rule, or all of a calendar since an instant.

Each is a change of its own that can be undone again, and goes to every rule of the calendar.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bridge.errors import Conflict, NothingToUndo, ObjectRefused
from bridge.store import calendar_object, collection, journal, placement
from bridge.store.undo import undo

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from collections.abc import Collection as AnyCollection
    from datetime import datetime

    from bridge.core.model import CalendarObject
    from bridge.store.collection import Address
    from bridge.store.database import Transaction
    from bridge.store.journal import Author, JournalEntry

_WHAT_CAN_BE = "`calbridge history` lists the changes that can be undone."


@dataclass(frozen=True, slots=True)
class Skipped:
    """A change that was not taken back.

    Attributes:
        entry: The change.
        reason: A sentence that says why.
    """

    entry: JournalEntry
    reason: str


@dataclass(frozen=True, slots=True)
class Undone:
    """What became of many changes.

    Attributes:
        done: Those that were taken back: what stood before them stands again.
        skipped: Those that were not, and why.
    """

    done: tuple[JournalEntry, ...]
    skipped: tuple[Skipped, ...]


def undo_run(
    tx: Transaction,
    run_id: int,
    *,
    author: Author,
    parse: Callable[[bytes], CalendarObject],
    joinable: AnyCollection[int] = frozenset(),
) -> Undone:
    """Takes back what a run of a rule changed here, the newest change first; what was changed since stays as it is.

    What is as it was before the run is among neither those that were taken back nor those that were not.

    Args:
        tx: A writing transaction.
        run_id: Number of the run.
        author: Who undoes it.
        parse: Reads the kept bytes as a calendar object.
        joinable: As in `calendar_object.put`.

    Raises:
        NothingToUndo: The run changed nothing here, that is no longer remembered, or all is as it was before it.
    """
    entries = journal.of_run(tx, run_id)
    if not entries:
        raise NothingToUndo(
            f"The run {run_id} changed nothing here, or too long ago.",
            remedy=_WHAT_CAN_BE,
        )
    # Of several changes of one object the last in this order is the first that the run made.
    before = {(entry.address, entry.href): entry for entry in entries}
    back = {each for each, first in before.items() if _is_undone(tx, first)}
    if len(back) == len(before):
        raise NothingToUndo(f"Nothing that the run {run_id} changed here is left to undo.", remedy=_WHAT_CAN_BE)
    done: list[JournalEntry] = []
    skipped: list[Skipped] = []
    for entry in entries:
        if (entry.address, entry.href) in back:
            continue
        try:
            # A shared appointment has an entry in each of its calendars, and one undo takes all of them back.
            if not _is_undone(tx, entry):
                with tx.savepoint():
                    undo(tx, entry.id, author=author, parse=parse, joinable=joinable)
            done.append(entry)
        except (NothingToUndo, ObjectRefused) as error:
            skipped.append(Skipped(entry, error.message))
    return Undone(tuple(done), tuple(skipped))


def _is_undone(tx: Transaction, entry: JournalEntry) -> bool:
    here = collection.find(tx, entry.address)
    stands = None if here is None else placement.entry(tx, here.id, entry.href)
    return here is not None and (None if stands is None else stands.etag) == entry.before


def rewind(
    tx: Transaction,
    address: Address,
    to: datetime,
    *,
    author: Author,
    parse: Callable[[bytes], CalendarObject],
    joinable: AnyCollection[int] = frozenset(),
) -> Undone:
    """Brings a calendar back to how it was at an instant: every object that changed since, and no other.

    Args:
        tx: A writing transaction.
        address: The calendar.
        to: The instant, aware; what happened at this very instant stays.
        author: Who does it.
        parse: Reads the kept bytes as a calendar object.
        joinable: As in `calendar_object.put`.

    Returns:
        For each href the first change after the instant, done where what stood before it stands again.

    Raises:
        NotFound: There is no such calendar.
        NothingToUndo: The journal does not reach back as far.
    """
    here = collection.get(tx, address)
    collection.lock(tx, [here.id])
    oldest = journal.oldest(tx, address)
    if oldest is not None and oldest.at > to and oldest.revision > 1:
        raise NothingToUndo(
            f"The journal of {str(address)!r} begins only at {oldest.at:%Y-%m-%d %H:%M} UTC.",
            remedy="Choose a later time, or restore a backup; `limits.keep_journal` says how long it is kept.",
        )
    first: dict[str, JournalEntry] = {}
    for entry in journal.since(tx, address, to):
        first.setdefault(entry.href, entry)
    skipped: list[Skipped] = []
    wanted: dict[str, CalendarObject | None] = {}
    for entry in first.values():
        try:
            wanted[entry.href] = None if entry.before is None else parse(journal.raw(tx, entry.before))
        except ObjectRefused as error:
            skipped.append(Skipped(entry, error.message))
    while True:
        try:
            with tx.savepoint():
                _bring_back(tx, here.id, wanted, author=author, joinable=joinable)
            break
        except _CannotStand as error:
            # Without this one, and so without what had to go for it.
            del wanted[error.href]
            skipped.append(Skipped(first[error.href], error.reason))
    return Undone(tuple(first[href] for href in wanted), tuple(skipped))


class _CannotStand(Exception):
    def __init__(self, href: str, reason: str) -> None:
        super().__init__(reason)
        self.href = href
        self.reason = reason


def _bring_back(
    tx: Transaction,
    collection_id: int,
    wanted: Mapping[str, CalendarObject | None],
    *,
    author: Author,
    joinable: AnyCollection[int],
) -> None:
    """Makes each href hold what is wanted there, or nothing."""
    # Whatever goes, goes first: its UID may have stood elsewhere then.
    for href, old in wanted.items():
        stands = placement.entry(tx, collection_id, href)
        if stands is not None and (old is None or stands.uid != old.uid):
            calendar_object.remove(tx, collection_id, href, author=author)
    for href, old in wanted.items():
        if old is not None:
            try:
                calendar_object.put(tx, collection_id, href, old, author=author, joinable=joinable)
            except Conflict as error:
                raise _CannotStand(href, error.message) from error
