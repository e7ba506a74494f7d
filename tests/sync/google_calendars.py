"""A desk at the sync engine whose remote calendars are Google's, asked within this process under Google's quota.

Time goes by where a request has to wait for its turn, and nowhere else: so a first pass of many minutes takes as long
as its work, and what is counted in a minute is the most that could be.
"""

from __future__ import annotations

import threading
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from bridge.core.polling import Bucket
from bridge.store import allowance
from bridge.store.journal import Author
from bridge.store.put_many import put_many
from bridge.upstream.google.adapter import GoogleUpstream
from bridge.upstream.pace import Pace
from tests.fakes.google.fake import fake_google
from tests.store.desk import Clock
from tests.sync.appointments import START, event
from tests.sync.desk import SyncDesk
from tests.sync.stage import new_database
from tests.upstream.google.connecting import Pass, direct

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime, tzinfo
    from pathlib import Path

    from bridge.core.model import CalendarObject
    from bridge.sync.assigning import Office
    from bridge.upstream.protocol import Upstream
    from tests.fakes.google.by_hand import ByHand
    from tests.fakes.google.exchange import Recorded
    from tests.fakes.google.fake import FakeGoogle

USER = "anna@example.org"
ZONE = "Europe/Amsterdam"
QUOTA = 600
"""Requests that Google takes from one user in any minute, where nobody asked for more."""

MINUTE = timedelta(minutes=1)
_MOST_PASSES = 20
_READS = frozenset({"calendar.events.list", "calendar.events.get", "calendar.calendarList.list"})


@dataclass
class RunningClock(Clock):
    """Goes on to the instant that somebody waits for."""

    lock: threading.Lock = field(default_factory=threading.Lock)

    def wait_until(self, instant: datetime) -> None:
        """Whoever waits has waited; nobody sees time go back."""
        with self.lock:
            self.now = max(self.now, instant)


@dataclass
class GoogleCalendar:
    """A calendar at Google, and what a person does there."""

    key: str
    page: ByHand

    def titles(self) -> dict[str, str]:
        """The title of each single event, by the UID that it has for us; each stands there once."""
        events = [each for each in self.page.events if "recurringEventId" not in each]
        uids = Counter(map(_uid, events))
        assert all(times == 1 for times in uids.values()), f"doubled there: {uids.most_common(3)}"
        return {_uid(each): str(each.get("summary", "")) for each in events}

    def id_of(self, uid: str) -> str:
        return next(str(each["id"]) for each in self.page.events if _uid(each) == uid)

    def make(self, title: str, start: datetime = START) -> str:
        """Somebody adds an appointment of an hour; gives its id."""
        times = [{"dateTime": each.isoformat(), "timeZone": "UTC"} for each in (start, start + timedelta(hours=1))]
        return str(self.page.put({"summary": title, "start": times[0], "end": times[1]})["id"])


def _uid(event: dict[str, Any]) -> str:
    marks = event.get("extendedProperties", {}).get("private", {})
    return str(marks.get("calbridgeUid", event.get("iCalUID", event["id"])))


@dataclass
class GoogleDesk(SyncDesk):
    """Rules between resources here and calendars of one user at Google.

    Attributes:
        clock: Goes on where a request waits.
        google: Google.
        pace: Of this process: a process that is killed leaves its own behind.
        asked: Called before each request, with its number since the last `forget`.
    """

    clock: RunningClock
    google: FakeGoogle = field(kw_only=True)
    quota: int = QUOTA
    calendars: dict[str, GoogleCalendar] = field(default_factory=dict)
    pace: Pace = field(init=False)

    def __post_init__(self) -> None:
        if USER not in self.google.world.people:
            self.google.add_user(USER, zone=ZONE)
        self.google.quota.per_user = self.quota
        self.pace = self.new_pace()

    def new_pace(self) -> Pace:
        """What a process that begins to ask has."""
        bucket = Bucket.within(self.quota)

        def shared(count: int) -> datetime:
            with self.database.writing() as tx:
                return allowance.take(tx, "shelf", bucket, count)

        return Pace(
            rate=self.quota,
            parallel=4,
            clock=self.clock,
            bucket=bucket,
            shared=shared,
            pause=self.clock.wait_until,
        )

    @staticmethod
    def settings(resource: str, remote: str, **options: Any) -> dict[str, Any]:
        return {**SyncDesk.settings(resource, remote, **options), "calendar": remote}

    def remote(self, key: str = "shelf", *_: Any, **__: Any) -> Any:
        """The main calendar of the user for the first key, and one of its own for each other."""
        if key not in self.calendars:
            page = self.google.add_calendar(USER, f"{key}@group.calendar.google.com", key, zone=ZONE)
            self.calendars[key] = GoogleCalendar(key, page)
            super().remote(key)
        return self.calendars[key]

    def office(self) -> Office:
        token = self.google.token(USER)

        def connect(_key: str, parse: Callable[[bytes], CalendarObject], zone: tzinfo) -> Upstream:
            return GoogleUpstream(
                access=Pass([token]),
                parse=parse,
                zone=zone,
                who=USER,
                endpoint=f"{self.google.host}/calendar/v3/",
                turn=self.pace.turn,
                session=direct(self.google),
            )

        return replace(super().office(), connect=connect)

    def fill(self, count: int, *, title: str = "Cut", key: str = "anna") -> None:
        """Stores so many appointments here, named n0, n1 and so on."""
        new = [
            (f"n{each}.ics", event(f"n{each}", f"{title} {each}", start=START + timedelta(hours=each)))
            for each in range(count)
        ]
        here = self.resource(key)
        with self.database.writing() as tx:
            outcomes = put_many(tx, here.id, new, author=Author("user:anna", "test"))
        assert not [each for each in outcomes if isinstance(each, Exception)]

    def rest_at_google(self) -> None:
        """Passes, until one of them writes nothing any more and nothing waits.

        Time goes on little: what was taken out of the budget before counts.
        """
        for _ in range(_MOST_PASSES):
            before = len(self.requests)
            report = self.sync()
            asked = {each.id for each in self.requests[before:]}
            if report is not None and asked <= _READS and self.waiting() == (0, 0):
                return
            self.wait(timedelta(seconds=1))
        raise AssertionError(f"no rest after {_MOST_PASSES} passes: {self.seen}")

    def die(self) -> None:
        """The process is killed; the next one has nothing of it but the database."""
        super().die()
        self.pace = self.new_pace()

    @property
    def requests(self) -> Sequence[Recorded]:
        """What Google was asked since the last `forget`."""
        return self.google.requests

    def forget(self) -> None:
        self.google.forget()

    def refusals(self) -> list[str]:
        """Why Google refused what it was asked."""
        return [f"{each.id}: {each.status} {each.reason}" for each in self.requests if each.status >= 400]

    def busiest_minute(self) -> int:
        """How many requests went within a minute at most, whenever that began."""
        return most_within([each.at for each in self.requests if each.at is not None], MINUTE)


def most_within(instants: Sequence[datetime], length: timedelta) -> int:
    """How many of some instants lie in a stretch of this length at most; its end is no part of it."""
    ordered = sorted(instants)
    most = first = 0
    for number, each in enumerate(ordered):
        while each - ordered[first] >= length:
            first += 1
        most = max(most, number - first + 1)
    return most


@contextmanager
def google_desk(folder: Path, *, quota: int = QUOTA) -> Iterator[GoogleDesk]:
    """A desk on an empty store, with a Google of its own."""
    clock = RunningClock()
    database = new_database(folder, clock)
    with fake_google(clock=clock, serve=False) as google:
        yield GoogleDesk(database, clock, google=google, quota=quota)
        assert google.misuses == []
    database.close()
