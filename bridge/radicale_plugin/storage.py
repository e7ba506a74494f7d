"""The storage plugin: each user's home shows the calendars of the resources that they are granted."""

from __future__ import annotations

import threading
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from radicale import storage

from bridge.errors import CalbridgeError, NotFound
from bridge.radicale_plugin.backing import Backing, HomeCalendar, Place, can_be_personal
from bridge.radicale_plugin.collection import CalendarCollection, FolderCollection, PlacedItem
from bridge.radicale_plugin.refusal import value_error
from bridge.store import calendar_object, collection, placement
from bridge.store.collection import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from radicale import item as radicale_item
    from radicale.config import Configuration as RadicaleConfiguration

    from bridge.store.database import Transaction


class Storage(storage.BaseStorage):
    """Radicale's storage, answered by the store.

    Homes are virtual: `/anna/salon.room-1/` is the collection of the resource `salon/room-1`, seen by the user anna.
    Radicale builds this class twice for one application, so building it has no effect.

    Args:
        configuration: Radicale's configuration.
        backing: Store and configuration of ours.
    """

    _supports_unicode = True
    _supports_trailing_whitespace = True
    _supports_problematic_chars = True

    def __init__(self, configuration: RadicaleConfiguration, *, backing: Backing) -> None:
        super().__init__(configuration)
        self._backing = backing
        self._bound = threading.local()

    @property
    def _tx(self) -> Transaction:
        tx: Transaction | None = getattr(self._bound, "tx", None)
        if tx is None:
            ending: ExitStack | None = getattr(self._bound, "ending", None)
            if ending is None:
                raise RuntimeError("Radicale asked the storage outside of its lock")
            tx = self._bound.tx = ending.enter_context(self._backing.database.reading())
        return tx

    @contextmanager
    def acquire_lock(self, mode: str, user: str = "", *_: Any, **__: Any) -> Iterator[None]:
        """Bounds the transaction of a request: reading sees one state, writing is all or nothing.

        Reading begins with the first look: before each request Radicale takes this lock only to see whether the user
        has a home, which the configuration tells.
        """
        with ExitStack() as ending:
            self._bound.user, self._bound.ending = user, ending
            self._bound.tx = ending.enter_context(self._backing.database.writing()) if mode == "w" else None
            try:
                yield
            finally:
                self._bound.tx = self._bound.ending = None

    def discover(
        self,
        path: str,
        depth: str = "0",
        child_context_manager: object = None,  # noqa: ARG002 -- plugin API
        user_groups: object = None,  # noqa: ARG002 -- plugin API
    ) -> Iterator[FolderCollection | CalendarCollection | PlacedItem]:
        """What stands at `path`, and with a depth other than 0 what stands directly below it, one by one."""
        below = depth != "0"
        place = Place.of(path)
        if place is None:
            if path == "/":
                yield FolderCollection("")
                if below and self._bound.user in self._backing.configuration().users:
                    yield FolderCollection(self._bound.user)
            return
        if not place.calendar:
            yield from self._home(place.user, below=below)
            return
        found = self._calendar(place.user, self._backing.calendar(place.user, place.calendar))
        if found is None:
            return
        if place.href:
            entry = placement.entry(self._tx, found.record.id, place.href)
            if entry is not None:
                yield PlacedItem(found, entry, None)
            return
        yield found
        if below:
            yield from found.entries()

    def _home(self, user: str, *, below: bool) -> Iterator[FolderCollection | CalendarCollection]:
        if user not in self._backing.configuration().users:
            return
        yield FolderCollection(user)
        if not below:
            return
        calendars = self._backing.home(user)
        if self._backing.makes_calendars(user):
            own = collection.owned(self._tx, Kind.PERSONAL, user)
            calendars += [self._backing.personal(user, record.address.key) for record in own]
        for calendar in calendars:
            found = self._calendar(user, calendar)
            if found is not None:
                yield found

    def _calendar(self, user: str, calendar: HomeCalendar | None) -> CalendarCollection | None:
        if calendar is None:
            return None
        record = self._backing.find(self._tx, calendar)
        if record is None:
            return None
        if self._tx.writing:
            # What a precondition is checked against may not change before the write.
            record = collection.lock(self._tx, [record.id]).get(record.id)
        return None if record is None else CalendarCollection(self._backing, user, calendar, record, self._tx)

    def move(self, item: radicale_item.Item, to_collection: storage.BaseCollection, to_href: str) -> None:
        """Moves an object between two calendars of the same user."""
        source = item.collection
        if not isinstance(source, CalendarCollection) or not isinstance(to_collection, CalendarCollection):
            raise ValueError("Only appointments can be moved, from calendar to calendar.")  # noqa: TRY004 -- plugin API
        if not source.calendar.is_writable or not to_collection.calendar.is_writable:
            raise ValueError("An appointment can only be moved between calendars that the user may write.")
        try:
            with self._tx.savepoint():
                user = to_collection.owner
                stored = placement.get(self._tx, source.record.id, item.href or "")
                if stored is None:
                    raise NotFound(f"There is no appointment under {item.href!r}.")
                calendar_object.move(
                    self._tx,
                    (source.record.id, stored.href),
                    (to_collection.record.id, to_href),
                    moved=self._backing.parse(stored.raw, to_collection.calendar),
                    author=self._backing.author(user),
                    overwrite=True,
                    joinable=self._backing.joinable(self._tx, user),
                )
        except CalbridgeError as error:
            raise value_error(error) from error

    def create_collection(
        self,
        href: str,
        items: Iterable[radicale_item.Item] | None = None,
        props: Mapping[str, str] | None = None,
    ) -> tuple[FolderCollection | CalendarCollection, dict[str, radicale_item.Item], list[str]]:
        """Makes a calendar of the user's own; homes and resources are made by the configuration."""
        place = Place.of(href)
        if place is None or not place.calendar or place.href or items is not None:
            raise ValueError(f"No calendar can be made at {href!r}.")
        if (props or {}).get("tag") != "VCALENDAR":
            raise ValueError("Only calendars can be made here; send MKCALENDAR.")
        calendar = self._backing.calendar(place.user, place.calendar)
        if calendar is None or calendar.resource is not None or not can_be_personal(place.calendar):
            raise ValueError(f"User {place.user!r} may not make a calendar called {place.calendar!r}.")
        try:
            with self._tx.savepoint():
                record = collection.create(self._tx, calendar.address)
                made = CalendarCollection(self._backing, place.user, calendar, record, self._tx)
                made.set_meta({**made.get_meta(), **(props or {})})
        except CalbridgeError as error:
            raise value_error(error) from error
        return made, {}, []

    def verify(self) -> bool:
        """Whether every stored object can be read as what it is listed as."""
        with self._backing.database.reading() as tx:
            for user in self._backing.configuration().users:
                for calendar in self._backing.home(user):
                    record = self._backing.find(tx, calendar)
                    for stored in () if record is None else placement.get_all(tx, record.id):
                        if self._backing.parse(stored.raw, calendar).uid != stored.uid:
                            return False
        return True
