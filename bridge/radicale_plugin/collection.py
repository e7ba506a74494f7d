"""The collections of a user's home, as Radicale sees them: answered by SQL, without reading what is not asked for."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, overload

from radicale import item as radicale_item
from radicale import storage

from bridge.core.vtimezone import vtimezone
from bridge.errors import CalbridgeError, SyncTokenRefused
from bridge.radicale_plugin import query, whole
from bridge.radicale_plugin.refusal import value_error
from bridge.radicale_plugin.xml_text import characters
from bridge.store import calendar_object, collection, placement

if TYPE_CHECKING:
    import xml.etree.ElementTree as ET
    from collections.abc import Iterable, Iterator, Mapping

    from bridge.radicale_plugin.backing import Backing, HomeCalendar
    from bridge.store.collection import Collection
    from bridge.store.database import Transaction
    from bridge.store.placement import Entry, Stored

_CALENDAR_BEGINS = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Calbridge//EN\r\n"


def http_date(instant: datetime) -> str:
    """An instant as HTTP writes it (RFC 9110 section 5.6.7)."""
    return instant.strftime("%a, %d %b %Y %H:%M:%S GMT")


class PlacedItem(radicale_item.Item):
    """An object in a calendar, whose text is read only when it is asked for."""

    def __init__(self, within: CalendarCollection, entry: Entry, raw: bytes | None) -> None:
        super().__init__(
            collection=within,
            href=entry.href,
            text="" if raw is None else characters(raw),
            etag=f'"{entry.etag}"',
            uid=entry.uid,
            name="VCALENDAR",
            component_name=entry.component.value,
            last_modified=http_date(entry.changed_at),
        )
        self._within = within
        self._is_read = raw is not None

    def serialize(self) -> str:
        """The text of the object, exactly as it came."""
        if not self._is_read:
            assert self.href is not None  # noqa: S101 -- set by the constructor
            self._text = self._within.text_of(self.href)
            self._is_read = True
        text: str = self._text or ""
        return text


class FolderCollection(storage.BaseCollection):
    """The root, or a user's home: holds calendars, and no objects of its own."""

    def __init__(self, path: str) -> None:
        self._path = path

    @property
    def path(self) -> str:
        """Path without leading or trailing slash."""
        return self._path

    @property
    def tag(self) -> str:
        """Empty: neither a calendar nor an address book."""
        return ""

    @property
    def etag(self) -> str:
        """A constant; nothing in a folder changes by itself."""
        return '"folder"'

    @property
    def last_modified(self) -> str:
        """A constant; nothing in a folder changes by itself."""
        return http_date(datetime(2000, 1, 1, tzinfo=UTC))

    def get_all(self) -> Iterable[radicale_item.Item]:
        """Nothing."""
        return ()

    def get_multi(self, hrefs: Iterable[str]) -> Iterable[tuple[str, radicale_item.Item | None]]:
        """Nothing is there."""
        return ((href, None) for href in hrefs)

    @overload
    def get_meta(self, key: None = None) -> Mapping[str, str]: ...
    @overload
    def get_meta(self, key: str) -> str | None: ...
    def get_meta(self, key: str | None = None) -> Mapping[str, str] | str | None:
        """No properties."""
        return {} if key is None else None


class CalendarCollection(storage.BaseCollection):
    """One calendar in a user's home.

    Args:
        backing: Store and configuration.
        user: Whose home it is shown in.
        calendar: Which calendar of the home.
        record: Its collection in the store, as it stood when the transaction read it.
        tx: The transaction of the request.
    """

    def __init__(
        self, backing: Backing, user: str, calendar: HomeCalendar, record: Collection, tx: Transaction
    ) -> None:
        self._backing = backing
        self._user = user
        self.calendar = calendar
        self.record = record
        self._tx = tx
        self._meta: dict[str, str] | None = None

    @contextmanager
    def _reading(self) -> Iterator[Transaction]:
        """The transaction of the request, or one of its own: Radicale asks for properties after its lock has ended."""
        if self._tx.is_open:
            yield self._tx
        else:
            with self._backing.database.reading() as tx:
                yield tx

    @property
    def path(self) -> str:
        """Path without leading or trailing slash."""
        return f"{self._user}/{self.calendar.name}"

    @property
    def tag(self) -> str:
        """It is a calendar."""
        return "VCALENDAR"

    @property
    def etag(self) -> str:
        """Changes exactly when an object in the calendar does; Radicale shows it as CTag too."""
        return f'"{self.record.tag}"'

    @property
    def last_modified(self) -> str:
        """HTTP date of the last change."""
        return http_date(self.record.changed_at)

    def sync(self, old_token: str = "") -> tuple[str, Iterable[str]]:
        """The present sync token, and lazily what changed since `old_token`.

        A PROPFIND of the token asks for the list too and throws it away; a list that nobody walks costs nothing.
        """
        if old_token:
            try:
                changes = collection.changes_since(self._tx, self.record, old_token)
            except SyncTokenRefused as error:
                raise value_error(error) from error
            return changes.token, [change.href for change in changes.changes]
        return self.record.sync_token, self._hrefs()

    def _hrefs(self) -> Iterator[str]:
        for href, _ in placement.etags(self._tx, self.record.id):
            yield href

    def get_multi(self, hrefs: Iterable[str]) -> Iterable[tuple[str, radicale_item.Item | None]]:
        """The objects under `hrefs`, and None for those that are not there."""
        wanted = list(dict.fromkeys(hrefs))
        found = {stored.href: stored for stored in placement.get_many(self._tx, self.record.id, wanted)}
        for href in wanted:
            stored = found.get(href)
            yield href, None if stored is None else self.item(stored)

    def get_all(self) -> Iterator[PlacedItem]:
        """Every object, with its text."""
        with self._reading() as tx:
            for stored in placement.get_all(tx, self.record.id):
                yield self.item(stored)

    def entries(self) -> Iterator[PlacedItem]:
        """Every object, without its text."""
        for entry in placement.listing(self._tx, self.record.id):
            yield PlacedItem(self, entry, None)

    def get_filtered(self, filters: Iterable[ET.Element]) -> Iterator[tuple[PlacedItem, bool]]:
        """The objects that match, each marked as fully matched: Radicale need not parse them."""
        try:
            criteria = [query.read_filter(element) for element in filters]
            for stored in query.matching(self._tx, self.record.id, criteria, self._backing, self.calendar):
                yield self.item(stored), True
        except CalbridgeError as error:
            raise value_error(error) from error

    def has_uid(self, uid: str) -> bool:
        """Whether an object with this UID stands in the calendar."""
        return placement.href_of_uid(self._tx, self.record.id, uid) is not None

    def _check_may_write(self) -> None:
        """Passes where the user may write here; a stock Radicale may have rights of its own that allow more.

        Raises:
            ValueError: They may not.
        """
        if not self.calendar.is_writable:
            raise ValueError(f"The calendar {self.calendar.name!r} can only be read by {self._user!r}.")

    def upload(self, href: str, item: radicale_item.Item) -> tuple[PlacedItem, radicale_item.Item | None]:
        """Stores the text that Radicale made of a PUT; under our own application PUT does not come this way."""
        self._check_may_write()
        try:
            with self._tx.savepoint():
                new = self._backing.parse(item.serialize().encode(), self.calendar)
                old = placement.get(self._tx, self.record.id, href)
                calendar_object.put(
                    self._tx,
                    self.record.id,
                    href,
                    new,
                    author=self._backing.author(self._user),
                    joinable=self._backing.joinable(self._tx, self._user),
                )
                stored = placement.get(self._tx, self.record.id, href)
        except CalbridgeError as error:
            raise value_error(error) from error
        assert stored is not None  # noqa: S101 -- put a moment ago, in this transaction
        return self.item(stored), None if old is None else self.item(old)

    def delete(self, href: str | None = None) -> None:
        """Deletes one object; or the whole calendar, which rights allow only for the user's own."""
        self._check_may_write()
        if href is None and self.calendar.resource is not None:
            raise ValueError("The calendar of a resource is made and deleted by the configuration.")
        author = self._backing.author(self._user)
        try:
            with self._tx.savepoint():
                if href is not None:
                    calendar_object.remove(self._tx, self.record.id, href, author=author)
                    return
                for name, _ in placement.etags(self._tx, self.record.id):
                    calendar_object.remove(self._tx, self.record.id, name, author=author)
                collection.remove(self._tx, self.record.id)
        except CalbridgeError as error:
            raise value_error(error) from error

    @overload
    def get_meta(self, key: None = None) -> Mapping[str, str]: ...
    @overload
    def get_meta(self, key: str) -> str | None: ...
    def get_meta(self, key: str | None = None) -> Mapping[str, str] | str | None:
        """The properties as the user sees them: of the resource, overlaid with the user's own."""
        if self._meta is None:
            with self._reading() as tx:
                own = collection.properties(tx, self.record.id, self._user)
            self._meta = {"tag": "VCALENDAR", **self._given(), **own}
        return dict(self._meta) if key is None else self._meta.get(key)

    def _given(self) -> dict[str, str]:
        calendar = self.calendar
        now = self._tx.now
        zone = vtimezone(calendar.zone.key, tzid=calendar.zone.key, first=now, last=now).decode()
        properties = {
            "D:displayname": calendar.name,
            "C:calendar-timezone": f"{_CALENDAR_BEGINS}{zone}END:VCALENDAR\r\n",
        }
        if calendar.resource is None:
            return properties
        properties["D:displayname"] = calendar.resource.name
        properties["C:supported-calendar-component-set"] = ",".join(calendar.resource.components)
        properties["ICAL:calendar-order"] = str(calendar.resource.order)
        if calendar.resource.color is not None:
            properties["ICAL:calendar-color"] = calendar.resource.color
        return properties

    def set_meta(self, props: Mapping[str, str]) -> None:
        """Makes the properties what they are in `props`, for this user alone."""
        before = self.get_meta()
        given = self._given()
        changed: dict[str, str | None] = {}
        for name in {*before, *props} - {"tag"}:
            if props.get(name) != before.get(name):
                changed[name] = None if props.get(name) == given.get(name) else props.get(name)
        collection.set_properties(self._tx, self.record.id, self._user, changed)
        self._meta = None

    def serialize(self, vcf_to_ics: bool = False, ShareActions: dict[str, Any] | None = None) -> str:  # noqa: ARG002, FBT001, FBT002, N803 -- plugin API
        """The whole calendar as one stream."""
        name = self.get_meta("D:displayname") or self.calendar.name
        with self._reading() as tx:
            texts = (stored.raw for stored in placement.get_all(tx, self.record.id))
            return whole.joined(texts, name=name, zone=self.calendar.zone).decode()

    def item(self, stored: Stored) -> PlacedItem:
        """A stored object as Radicale sees it."""
        return PlacedItem(self, stored, stored.raw)

    def text_of(self, href: str) -> str:
        """The text of one object."""
        with self._reading() as tx:
            stored = placement.get(tx, self.record.id, href)
        return "" if stored is None else characters(stored.raw)
