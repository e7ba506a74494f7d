"""A whole .ics file goes into a calendar: object by object, in batches that stay when the rest is cut off.

An object whose bytes are there already is left alone, without being read again; so the same command can be repeated
after anything, and goes on where it ended.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import TYPE_CHECKING

from bridge.cli.places import components_of, joinable
from bridge.core import ics
from bridge.errors import CalbridgeError, UidConflict, WrongComponents
from bridge.store import collection, placement
from bridge.store.calendar_object import Put
from bridge.store.put_many import put_many

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bridge.bootstrap import Site
    from bridge.core.model import CalendarObject
    from bridge.errors import Conflict, ObjectRefused
    from bridge.store.collection import Address
    from bridge.store.database import Transaction
    from bridge.store.journal import Author

BATCH = 200
"""Objects in one transaction: few enough that other writers wait for moments, enough that the disk is asked rarely."""

_SAFE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._@-]{0,149}")
_HEX_DIGITS = 32
_UID = re.compile(rb"^UID[^:\r\n]*:((?:[^\r\n]|\r?\n[ \t])*)", re.MULTILINE | re.IGNORECASE)
_SUMMARY = re.compile(rb"^SUMMARY[^:\r\n]*:((?:[^\r\n]|\r?\n[ \t])*)", re.MULTILINE | re.IGNORECASE)
_FOLD = re.compile(rb"\r?\n[ \t]")


class Outcome(StrEnum):
    """What became of one object."""

    CREATED = "created"
    REPLACED = "replaced"
    UNCHANGED = "unchanged"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Item:
    """What became of one object of the file.

    Attributes:
        outcome: What was done.
        uid: Its UID; may be empty where it was refused.
        title: Its SUMMARY.
        href: Where it stands now; empty where it was refused.
        reason: Why it was refused; empty otherwise.
        size: Of its text, in octets.
    """

    outcome: Outcome
    uid: str
    title: str
    href: str
    reason: str
    size: int


@dataclass(frozen=True, slots=True)
class _Read:
    """An object that was read, and waits to be stored."""

    new: CalendarObject
    size: int


class Intake:
    """Takes objects into one calendar.

    Args:
        site: The installation.
        address: The calendar.
        author: Who imports, for the journal.
        dry: Whether nothing is stored.

    Raises:
        NotFound: The calendar is not there.
    """

    def __init__(self, site: Site, address: Address, author: Author, *, dry: bool) -> None:
        self._site = site
        self._address = address
        self._author = author
        self._dry = dry
        self._zone = site.zone(address)
        self._limits = site.configuration.limits
        self._components = components_of(site, address)
        with site.database.reading() as tx:
            self._collection_id = collection.get(tx, address).id
            self._joinable = joinable(site, tx, address)
            entries = placement.listing(tx, self._collection_id)
        self._by_uid = {each.uid: (each.href, each.etag) for each in entries}
        self._by_etag = {each.etag: each for each in entries}

    def take(self, stream: bytes) -> Iterator[Item]:
        """Takes every object of one file in.

        Args:
            stream: The file.

        Yields:
            What became of each object, after the transaction that stored it.

        Raises:
            StoreError: The database failed; the batches before are kept.
        """
        seen: set[str] = set()
        batch: list[_Read | Item] = []
        for raw in ics.split(stream):
            batch.append(self._read(raw, seen))
            if len(batch) == BATCH:
                yield from self._store(batch)
                batch = []
        yield from self._store(batch)

    def _read(self, raw: bytes, seen: set[str]) -> _Read | Item:
        raw = ics.with_uid(raw)
        known = self._by_etag.get(sha256(raw).hexdigest()[:_HEX_DIGITS])
        if known is not None:
            seen.add(known.uid)
            return Item(Outcome.UNCHANGED, known.uid, _line(_SUMMARY, raw), known.href, "", len(raw))
        try:
            if len(raw) > self._limits.max_object:
                raise WrongComponents(
                    f"It has {len(raw)} octets, where limits.max_object allows {int(self._limits.max_object)}."
                )
            new = ics.parse(raw, zone=self._zone, max_instances=self._limits.max_instances)
            if self._components is not None and new.component not in self._components:
                raise WrongComponents(f"This calendar does not hold components of type {new.component}.")
            if new.uid in seen:
                raise UidConflict("The file has another appointment with this UID before it.", href="")
        except CalbridgeError as error:
            return Item(Outcome.REFUSED, _line(_UID, raw), _line(_SUMMARY, raw), "", str(error), len(raw))
        seen.add(new.uid)
        return _Read(new, len(raw))

    def _store(self, batch: Iterable[_Read | Item]) -> list[Item]:
        batch = list(batch)
        if self._dry or not any(isinstance(each, _Read) for each in batch):
            return [self._planned(each) if isinstance(each, _Read) else each for each in batch]
        with self._site.database.writing() as tx:
            stored = iter(self._put(tx, [each for each in batch if isinstance(each, _Read)]))
            items = [next(stored) if isinstance(each, _Read) else each for each in batch]
        for each, item in zip(batch, items, strict=True):
            if isinstance(each, _Read) and item.href:
                self._by_uid[item.uid] = (item.href, each.new.etag)
        return items

    def _planned(self, read: _Read) -> Item:
        href, _ = self._by_uid.get(read.new.uid, ("", ""))
        outcome = Outcome.REPLACED if href else Outcome.CREATED
        return Item(outcome, read.new.uid, read.new.summary, href or href_for(read.new.uid), "", read.size)

    def _put(self, tx: Transaction, reads: list[_Read]) -> list[Item]:
        hrefs = [self._by_uid.get(read.new.uid, ("", ""))[0] or href_for(read.new.uid) for read in reads]
        results = self._put_under(tx, list(zip(hrefs, reads, strict=True)))
        return [
            self._put_elsewhere(tx, read, href, result)
            if isinstance(result, UidConflict)
            else _item(read, href, result)
            for read, href, result in zip(reads, hrefs, results, strict=True)
        ]

    def _put_under(self, tx: Transaction, reads: list[tuple[str, _Read]]) -> list[Put | Conflict | ObjectRefused]:
        wanted = [(href, read.new) for href, read in reads]
        return put_many(tx, self._collection_id, wanted, author=self._author, joinable=self._joinable)

    def _put_elsewhere(self, tx: Transaction, read: _Read, href: str, conflict: UidConflict) -> Item:
        """Stores what met another UID under its name, or a client's own name for its UID."""
        tried = {href}
        result: Put | Conflict | ObjectRefused = conflict
        while isinstance(result, UidConflict):
            href = result.href if result.href not in tried else href_for(read.new.uid, plain=False)
            if href in tried:
                reason = "Another appointment stands under every name that it could have."
                return Item(Outcome.REFUSED, read.new.uid, read.new.summary, "", reason, read.size)
            tried.add(href)
            (result,) = self._put_under(tx, [(href, read)])
        return _item(read, href, result)


def _item(read: _Read, href: str, result: Put | Conflict | ObjectRefused) -> Item:
    new = read.new
    if not isinstance(result, Put):
        return Item(Outcome.REFUSED, new.uid, new.summary, "", str(result), read.size)
    outcome = Outcome.CREATED if result.created else Outcome.REPLACED if result.changed else Outcome.UNCHANGED
    return Item(outcome, new.uid, new.summary, href, "", read.size)


def href_for(uid: str, *, plain: bool = True) -> str:
    """The name of an object whose client gave it none: its UID where that can be a file's name, else a hash of it."""
    if plain and _SAFE.fullmatch(uid):
        return f"{uid}.ics"
    return f"{sha256(uid.encode()).hexdigest()[:_HEX_DIGITS]}.ics"


def _line(pattern: re.Pattern[bytes], raw: bytes) -> str:
    """The value of a line of text that could not be parsed, as far as it can be shown."""
    # The zones come first, and have no such lines.
    match = pattern.search(raw)
    return _FOLD.sub(b"", match[1]).decode(errors="replace").strip()[:200] if match else ""
