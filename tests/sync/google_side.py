"""A desk at the sync engine whose remote calendars are Google's: the real adapter, and the fake within this process."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bridge.store import placement
from bridge.sync.assigning import Office
from bridge.sync.declaring import declare
from bridge.upstream.google.adapter import GoogleUpstream
from tests.fakes.google.fake import fake_google
from tests.store.desk import Clock
from tests.sync.desk import SECRET, SyncDesk
from tests.sync.stage import new_database
from tests.upstream.google.connecting import USER, ZONE, Pass, direct
from tests.upstream.google.google_answers import parsed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import tzinfo
    from pathlib import Path

    from bridge.core.model import CalendarObject
    from bridge.upstream.protocol import Upstream
    from tests.fakes.google.by_hand import ByHand
    from tests.fakes.google.fake import FakeGoogle

_UNBOUNDED = 10**9


@dataclass
class GoogleRemote:
    """A calendar at Google.

    Attributes:
        page: What a person does in it.
    """

    google: FakeGoogle
    page: ByHand
    seen: int = 0

    def writes(self) -> list[str]:
        """The requests that changed something, or tried to, since the last look."""
        requests = self.google.requests[self.seen :]
        self.seen = len(self.google.requests)
        return [each.method for each in requests if each.method != "GET"]

    def titles(self) -> list[str]:
        """The titles of what stands there, of a series once."""
        return sorted(each["summary"] for each in self.page.events if "recurringEventId" not in each)


@dataclass
class GoogleDesk(SyncDesk):
    """Rules between resources and calendars of one Google user.

    Attributes:
        google: Google; several desks may share one.
        site: Whose bridge it is; bridges of different sites know nothing of each other.
    """

    google: FakeGoogle = field(kw_only=True)
    site: bytes = SECRET
    calendars: dict[str, GoogleRemote] = field(default_factory=dict)

    def at_google(self, key: str = "shelf") -> GoogleRemote:
        """A calendar at Google, made where it is not there yet."""
        if key not in self.calendars:
            calendar_id = self.settings("", key)["calendar"]
            known = calendar_id in self.google.world.calendars
            page = (
                self.google.calendar(USER, calendar_id)
                if known
                else self.google.add_calendar(USER, calendar_id, f"Calendar {key}", zone=ZONE)
            )
            self.calendars[key] = GoogleRemote(self.google, page)
            self.remotes[key] = self.calendars[key]  # type: ignore[assignment]  # all that is asked of it is `writes`
        return self.calendars[key]

    def remote(self, key: str = "shelf", *_: Any, **__: Any) -> Any:
        return self.at_google(key)

    def objects(self, key: str = "anna") -> list[CalendarObject]:
        """What stands in the calendar of a resource."""
        with self.database.reading() as tx:
            return [parsed(each.raw) for each in placement.get_all(tx, self.resource(key).id)]

    @staticmethod
    def settings(resource: str, remote: str, **options: Any) -> dict[str, Any]:
        """A rule as the configuration has it."""
        calendar_id = remote if "@" in remote else f"{remote}@group.calendar.google.com"
        return {**SyncDesk.settings(resource, remote, **options), "calendar": calendar_id}

    def reload(self) -> None:
        declare(self.database, self.configuration(), secret=self.site)

    def office(self) -> Office:
        def connect(_key: str, parse: Callable[[bytes], CalendarObject], zone: tzinfo) -> Upstream:
            return GoogleUpstream(
                access=Pass([self.google.token(USER)]),
                parse=parse,
                zone=zone,
                who=USER,
                endpoint=self.google.api,
                session=direct(self.google),
            )

        return Office(self.database, self.configuration, connect, self.clock)


@contextmanager
def google_desks(folder: Path, *sites: str) -> Iterator[list[GoogleDesk]]:
    """Bridges of different sites at one Google, until the block ends; all of them have one clock."""
    clock = Clock()
    with fake_google(clock=clock, serve=False) as google:
        google.quota.per_user = google.quota.in_all = _UNBOUNDED
        google.add_user(USER, zone=ZONE)
        desks = []
        for site in sites:
            (folder / site).mkdir()
            database = new_database(folder / site, clock)
            desks.append(GoogleDesk(database, clock, google=google, site=site.encode()))
        try:
            yield desks
        finally:
            for desk in desks:
                desk.database.close()
        assert google.misuses == []
