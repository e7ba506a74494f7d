"""What the CalDAV face stands on: the store, the configuration of the moment, and where a path leads in them."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bridge.config import Grant
from bridge.core import ics
from bridge.radicale_plugin.parsed_objects import ParsedObjects
from bridge.store import collection
from bridge.store.collection import Address, Collection, Kind
from bridge.store.journal import Author

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from zoneinfo import ZoneInfo

    from bridge.config import Configuration, Resource
    from bridge.core.model import CalendarObject
    from bridge.store.database import Database, Transaction
    from bridge.store.placement import Stored

_HIDDEN = "~"


def can_be_personal(name: str) -> bool:
    """Whether a user may give a calendar that name: those with a dot are for resources, also for ones to come."""
    return "." not in name


@dataclass(frozen=True, slots=True)
class HomeCalendar:
    """A calendar in a user's home.

    Attributes:
        name: Its part of the path: `ACCOUNT.RESOURCE`, or the name that the user gave it. Where a resource has come to
            have that name, a `~` follows.
        address: Where its collection stands.
        grant: What the user may do with the objects in it.
        resource: The resource that it shows, or None for a calendar of the user's own.
        zone: What floating times and dates in it mean.
    """

    name: str
    address: Address
    grant: Grant
    resource: Resource | None
    zone: ZoneInfo

    @property
    def is_writable(self) -> bool:
        """Whether the user may change the objects in it."""
        return self.grant is Grant.WRITE


@dataclass(frozen=True, slots=True)
class Place:
    """Where a path leads: a user's home, a calendar in it (there yet or not), an object in that.

    Attributes:
        user: Whose home.
        calendar: Name of the calendar, or empty for the home itself.
        href: Name of the object, or empty for the calendar itself.
    """

    user: str
    calendar: str = ""
    href: str = ""

    @classmethod
    def of(cls, path: str) -> Place | None:
        """Reads a sanitised path such as `/anna/salon.room-1/x.ics`; None where it leads nowhere."""
        parts = path.strip("/").split("/")
        if not parts[0] or len(parts) > 3:  # noqa: PLR2004 -- home, calendar, object
            return None
        return cls(*parts)


@dataclass(frozen=True)
class Backing:
    """What the CalDAV face stands on.

    Attributes:
        database: The store.
        configuration: Gives the configuration of the moment; a reload changes what it gives.
    """

    database: Database
    configuration: Callable[[], Configuration]
    _bound: threading.local = field(default_factory=threading.local, repr=False)
    _parsed: ParsedObjects = field(default_factory=ParsedObjects, repr=False)
    _homes: dict[str, tuple[Configuration | None, dict[str, dict[str, HomeCalendar]]]] = field(
        default_factory=dict, repr=False
    )

    def home(self, user: str) -> list[HomeCalendar]:
        """The resource calendars that `user` is granted, in the order of the YAML file."""
        return list(self._granted(user).values())

    def _granted(self, user: str) -> dict[str, HomeCalendar]:
        """The same by name, worked out once for each configuration."""
        configuration = self.configuration()
        if user not in configuration.users:
            return {}
        of, homes = self._homes.get("homes", (None, {}))
        if of is not configuration:
            # Threads may both do this after a reload; they come to the same.
            of, homes = self._homes["homes"] = (configuration, {})
        if user not in homes:
            homes[user] = {
                f"{account}.{key}": _resource_calendar(
                    account, key, configuration.accounts[account].resources[key], grant
                )
                for (account, key), grant in configuration.grants_of(user).items()
            }
        return homes[user]

    def calendar(self, user: str, name: str) -> HomeCalendar | None:
        """The calendar called `name` in the home of `user`, or None where it cannot be.

        A calendar of the user's own is given whether it has been made yet or not.
        """
        configuration = self.configuration()
        if user not in configuration.users or not name:
            return None
        granted = self._granted(user).get(name)
        if granted is not None:
            return granted
        # A resource that the user may not see keeps its name: a grant must not hide a calendar of theirs later.
        if self._is_resource(name) or not configuration.users[user].personal_calendars:
            return None
        return self.personal(user, name[:-1] if self._is_resource(name.rstrip(_HIDDEN)) else name)

    def _is_resource(self, name: str) -> bool:
        accounts = self.configuration().accounts
        account, _, key = name.partition(".")
        return account in accounts and key in accounts[account].resources

    def personal(self, user: str, key: str) -> HomeCalendar:
        """The calendar of the user's own that they made under the name `key`."""
        # No resource has a name that ends so, and no two calendars come to the same.
        name = key + _HIDDEN if self._is_resource(key.rstrip(_HIDDEN)) else key
        return HomeCalendar(name, Address(Kind.PERSONAL, user, key), Grant.WRITE, None, self.configuration().usual_zone)

    def makes_calendars(self, user: str) -> bool:
        """Whether `user` may make calendars of their own."""
        users = self.configuration().users
        return user in users and users[user].personal_calendars

    def parse(self, raw: bytes, calendar: HomeCalendar) -> CalendarObject:
        """Reads the bytes of one object as it is meant in `calendar`.

        Raises:
            ObjectRefused: As `bridge.core.ics.parse` says.
        """
        return ics.parse(raw, zone=calendar.zone, max_instances=self.configuration().limits.max_instances)

    def stored_object(self, stored: Stored, calendar: HomeCalendar) -> CalendarObject:
        """The object that `stored` holds; not parsed again where it was asked for a short while ago.

        Raises:
            ObjectRefused: As `bridge.core.ics.parse` says.
        """
        key = (stored.etag, calendar.zone.key, self.configuration().limits.max_instances)
        return self._parsed.get(key, len(stored.raw), lambda: self.parse(stored.raw, calendar))

    def components(self, tx: Transaction, calendar: HomeCalendar, record: Collection) -> tuple[str, ...]:
        """The component types that `calendar` holds; empty where it holds all."""
        if calendar.resource is not None:
            return tuple(calendar.resource.components)
        # What the client said when it made the calendar (RFC 4791 section 5.2.3).
        own = collection.properties(tx, record.id, calendar.address.owner)
        held = own.get("C:supported-calendar-component-set", "")
        return tuple(held.split(",")) if held else ()

    def joinable(self, tx: Transaction, user: str) -> frozenset[int]:
        """The collections of resources that `user` may write: an appointment put in two of them is shared."""
        writable = {calendar.address for calendar in self.home(user) if calendar.is_writable}
        return frozenset(
            here.id
            for account in {address.owner for address in writable}
            for here in collection.owned(tx, Kind.RESOURCE, account)
            if here.address in writable
        )

    def find(self, tx: Transaction, calendar: HomeCalendar) -> Collection | None:
        """The collection behind `calendar`, or None where a calendar of the user's own was not made yet."""
        return collection.find(tx, calendar.address)

    @contextmanager
    def request(self, *, client: str) -> Iterator[None]:
        """Remembers for the journal, until the block ends, which client program this thread serves."""
        self._bound.client = client
        try:
            yield
        finally:
            self._bound.client = ""

    def author(self, user: str) -> Author:
        """Who makes a change in the present request."""
        return Author(f"user:{user}", getattr(self._bound, "client", ""))


def _resource_calendar(account: str, key: str, resource: Resource, grant: Grant) -> HomeCalendar:
    return HomeCalendar(f"{account}.{key}", Address(Kind.RESOURCE, account, key), grant, resource, resource.time_zone)
