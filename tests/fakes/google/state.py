"""What Google keeps: people, calendars and events, with a number for every change."""

from __future__ import annotations

import random
import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING, Any

from tests.fakes.google.refusal import Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from tests.fakes.google.times import When

_ALPHABET = "0123456789abcdefghijklmnopqrstuv"


class Role(IntEnum):
    """What somebody may do with a calendar, weakest first."""

    freeBusyReader = 1  # noqa: N815 -- the names of the interface
    reader = 2
    writerWithoutPrivateAccess = 3  # noqa: N815 -- the names of the interface
    writer = 4
    owner = 5


@dataclass(slots=True)
class Quirks:
    """What the documents leave open, so that both ways can be tried.

    Attributes:
        exceptions_follow_master: An edit of a master reaches the fields of its exceptions that had its old value.
        exceptions_stay: An exception whose original start is no instance any more stays, instead of being dropped.
        inserts_over_dead_uid: An insertion may carry the iCalUID of a deleted event.
    """

    exceptions_follow_master: bool = True
    exceptions_stay: bool = False
    inserts_over_dead_uid: bool = True


@dataclass(slots=True)
class Event:
    """An event on one calendar: a single one, a master, or an exception.

    Attributes:
        fields: What anybody may write and Google keeps as it is.
        reminders: By the mail address of the user whose they are.
        series: Id of the master, for an exception.
        original: Original start, for an exception.
        number: Of the calendar's change that touched it last.
        born: Of the change that made it.
        tag: Number in its etag.
        lost: It is gone together with its master, or because it is no instance any more.
        lines: What is shown as its recurrence, where that is not what it follows.
    """

    id: str
    uid: str
    start: When
    end: When
    created: datetime
    updated: datetime
    creator: str
    organizer: dict[str, Any]
    fields: dict[str, Any] = field(default_factory=dict)
    reminders: dict[str, dict[str, Any]] = field(default_factory=dict)
    kind: str = "default"
    status: str = "confirmed"
    recurrence: tuple[str, ...] = ()
    series: str = ""
    original: When | None = None
    sequence: int = 0
    number: int = 0
    born: int = 0
    tag: int = 0
    lost: bool = False
    lines: tuple[str, ...] = ()

    @property
    def cancelled(self) -> bool:
        """Whether it is deleted, or a cancelled instance."""
        return self.status == "cancelled"

    @property
    def etag(self) -> str:
        """Quoted, as Google shows it."""
        return f'"{3_500_000_000_000_000 + 2 * self.tag}"'


@dataclass(slots=True)
class Calendar:
    """A calendar, which several people may see.

    Attributes:
        events: By id, the one that was changed last at the end.
        number: Of the last change.
        floor: Sync tokens below it are no longer valid.
        default_reminders: By user.
    """

    id: str
    owner: str
    summary: str
    zone: str
    updated: datetime
    description: str = ""
    color: str = "14"
    acl: dict[str, Role] = field(default_factory=dict)
    events: OrderedDict[str, Event] = field(default_factory=OrderedDict)
    of_series: dict[str, dict[str, str]] = field(default_factory=dict)
    number: int = 0
    floor: int = 0
    default_reminders: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    @property
    def etag(self) -> str:
        """Of the collection."""
        return f'"p33{self.number:013}"'

    def exceptions(self, master: str) -> list[Event]:
        """The exceptions of a series, cancelled ones among them, by original start."""
        found = [self.events[each] for each in self.of_series.get(master, {}).values()]
        return sorted(found, key=lambda each: each.id)

    def since(self, number: int) -> Iterator[Event]:
        """What was touched after a change, the last first."""
        for event in reversed(self.events.values()):
            if event.number <= number:
                return
            yield event


@dataclass(slots=True)
class Person:
    """Somebody with a Google account.

    Attributes:
        listed: Ids of the calendars on the list of this user, with what the user set there.
        workspace: The domain of the organisation whose account it is; empty for a personal one.
    """

    email: str
    name: str
    listed: dict[str, dict[str, Any]] = field(default_factory=dict)
    workspace: str = ""


@dataclass(slots=True)
class World:
    """Everything, behind one lock.

    Attributes:
        clock: Tells the time, in UTC.
        told: Called with the calendar after each change.
        mails: What would have been mailed: (event id, value of sendUpdates, method).
    """

    clock: Callable[[], datetime]
    people: dict[str, Person] = field(default_factory=dict)
    calendars: dict[str, Calendar] = field(default_factory=dict)
    quirks: Quirks = field(default_factory=Quirks)
    lock: threading.RLock = field(default_factory=threading.RLock)
    chance: random.Random = field(default_factory=lambda: random.Random(7))
    told: list[Callable[[Calendar], None]] = field(default_factory=list)
    mails: list[tuple[str, str, str]] = field(default_factory=list)
    tags: int = 0

    def add_person(self, email: str, *, name: str = "", zone: str = "UTC", workspace: str = "") -> Person:
        """A user with a primary calendar, whose id is the mail address."""
        person = Person(email, name or email.partition("@")[0].title(), workspace=workspace)
        self.people[email] = person
        self.add_calendar(email, email, email, zone=zone)
        return person

    def add_calendar(self, owner: str, calendar_id: str, summary: str, *, zone: str = "UTC") -> Calendar:
        """A calendar that `owner` owns and lists."""
        calendar = Calendar(calendar_id, owner, summary, zone, self.clock())
        calendar.acl[owner] = Role.owner
        calendar.default_reminders[owner] = [{"method": "popup", "minutes": 30}] if calendar_id == owner else []
        self.calendars[calendar_id] = calendar
        self.people[owner].listed[calendar_id] = {}
        return calendar

    def seen_by(self, user: str, calendar_id: str) -> Calendar:
        """The calendar that a user means.

        Raises:
            Refused: There is none, or the user may not know of it.
        """
        calendar = self.calendars.get(user if calendar_id == "primary" else calendar_id)
        if calendar is None or user not in calendar.acl:
            raise Refused("notFound")
        return calendar

    def written_by(self, user: str, calendar_id: str) -> Calendar:
        """The calendar that a user means to change.

        Raises:
            Refused: There is none, or this user may only read it.
        """
        calendar = self.seen_by(user, calendar_id)
        if calendar.acl[user] < Role.writerWithoutPrivateAccess:
            raise Refused("requiredAccessLevel")
        return calendar

    def touch(self, calendar: Calendar, *events: Event, quietly: bool = False) -> None:
        """Numbers a change of events.

        Args:
            calendar: Where they stand.
            events: As they are now; what is new is added.
            quietly: `updated` stays, as after a change of reminders.
        """
        calendar.number += 1
        for event in events:
            self.tags += 1
            event.tag = self.tags
            event.number = calendar.number
            event.born = event.born or calendar.number
            if not quietly:
                event.updated = self.clock()
            if event.series:
                calendar.of_series.setdefault(event.series, {})[event.id] = event.id
            calendar.events[event.id] = event
            calendar.events.move_to_end(event.id)
        calendar.updated = self.clock()
        for tell in self.told:
            tell(calendar)

    def drop(self, calendar: Calendar, event: Event) -> None:
        """Forgets an exception altogether, as if the instance had never been edited."""
        calendar.events.pop(event.id, None)
        calendar.of_series.get(event.series, {}).pop(event.id, None)

    def new_id(self, length: int = 26) -> str:
        """An id as Google makes them."""
        return "".join(self.chance.choice(_ALPHABET) for _ in range(length))
