"""A desk at the store: each call is one transaction of one author."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bridge.core.precondition import ANY, Precondition
from bridge.store import calendar_object, collection, journal, placement, undo
from bridge.store.collection import Address, Kind
from bridge.store.journal import Author
from tests.store.appointments import parse

if TYPE_CHECKING:
    from collections.abc import Collection as AnyCollection
    from datetime import timedelta

    from bridge.core.model import CalendarObject
    from bridge.store.calendar_object import Put
    from bridge.store.collection import Changes, Collection
    from bridge.store.database import Database
    from bridge.store.journal import JournalEntry
    from bridge.store.placement import Stored

ANNA = Author("user:anna", "Thunderbird/128")


@dataclass
class Clock:
    """Stands still until it is told to go on."""

    now: datetime = field(default_factory=lambda: datetime(2026, 11, 21, 8, 0, tzinfo=UTC))

    def __call__(self) -> datetime:
        return self.now

    def go_on(self, by: timedelta) -> None:
        self.now += by


@dataclass(frozen=True)
class Desk:
    """One author who works with a store."""

    database: Database
    clock: Clock
    author: Author = ANNA

    def calendar(self, key: str = "anna", *, owner: str = "salon", kind: Kind = Kind.RESOURCE) -> int:
        """The number of a collection, made where it is not there yet."""
        with self.database.writing() as tx:
            return collection.ensure(tx, Address(kind, owner, key)).id

    def state(self, key: str = "anna", *, owner: str = "salon", kind: Kind = Kind.RESOURCE) -> Collection:
        with self.database.reading() as tx:
            return collection.get(tx, Address(kind, owner, key))

    def put(
        self,
        where: int,
        href: str,
        new: CalendarObject,
        *,
        if_match: str | None = None,
        create_only: bool = False,
        joinable: AnyCollection[int] = frozenset(),
    ) -> Put:
        with self.database.writing() as tx:
            return calendar_object.put(
                tx,
                where,
                href,
                new,
                author=self.author,
                precondition=Precondition(
                    if_match=None if if_match is None else frozenset({if_match}),
                    if_none_match=ANY if create_only else None,
                ),
                joinable=joinable,
            )

    def remove(self, where: int, href: str, *, if_match: str | None = None) -> None:
        with self.database.writing() as tx:
            precondition = Precondition(if_match=None if if_match is None else frozenset({if_match}))
            calendar_object.remove(tx, where, href, author=self.author, precondition=precondition)

    def move(
        self,
        source: tuple[int, str],
        target: tuple[int, str],
        *,
        overwrite: bool = True,
        joinable: AnyCollection[int] = frozenset(),
    ) -> bool:
        with self.database.writing() as tx:
            stored = placement.get(tx, *source)
            assert stored is not None
            return calendar_object.move(
                tx,
                source,
                target,
                moved=parse(stored.raw),
                author=self.author,
                overwrite=overwrite,
                joinable=joinable,
            )

    def get(self, where: int, href: str) -> Stored | None:
        with self.database.reading() as tx:
            return placement.get(tx, where, href)

    def raw(self, where: int, href: str) -> bytes | None:
        stored = self.get(where, href)
        return None if stored is None else stored.raw

    def summaries(self, where: int) -> dict[str, str]:
        """The title of each appointment in a calendar, by href."""
        with self.database.reading() as tx:
            return {stored.href: parse(stored.raw).summary for stored in placement.get_all(tx, where)}

    def changes(self, key: str = "anna", token: str = "", *, limit: int | None = None) -> Changes:
        with self.database.reading() as tx:
            here = collection.get(tx, Address(Kind.RESOURCE, "salon", key))
            return collection.changes_since(tx, here, token, limit=limit)

    def history(self, key: str | None = None, *, uid: str | None = None) -> list[JournalEntry]:
        """The entries of one resource's calendar or of all, the newest first."""
        address = None if key is None else Address(Kind.RESOURCE, "salon", key)
        with self.database.reading() as tx:
            return journal.history(tx, address=address, uid=uid)

    def undo(self, entry: JournalEntry) -> JournalEntry:
        with self.database.writing() as tx:
            return undo.undo(tx, entry.id, author=Author("undo"), parse=parse)
