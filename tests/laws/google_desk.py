"""A desk at the sync engine whose remote calendars stand at the fake Google, behind the adapter."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from bridge.config import Server
from bridge.sync.declaring import declare
from tests.fakes.google.channels import Mishap
from tests.fakes.google.fake import FakeGoogle
from tests.laws.google_line import GoogleRemote
from tests.store.appointments import AMSTERDAM
from tests.sync.desk import SECRET, SyncDesk
from tests.web.notifying import CHANNELS, Door

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime, tzinfo

    from bridge.config import Configuration
    from bridge.core.model import CalendarObject
    from bridge.sync.assigning import Office
    from bridge.upstream.protocol import Upstream

HTTPS = "https://cal.example.org"


@dataclass
class GoogleDesk(SyncDesk):
    """Rules to calendars at Google, which tells of changes where it is heard.

    Attributes:
        google: Google.
        secret: The key of the installation.
    """

    google: FakeGoogle = field(kw_only=True)
    secret: bytes = SECRET

    def __post_init__(self) -> None:
        self.door = Door(self.database)

    def reload(self) -> None:
        declare(self.database, self.configuration(), secret=self.secret)

    def google_remote(self, key: str, user: str) -> GoogleRemote:
        """A calendar of a user, made where it is not there yet."""
        if user not in self.google.world.people:
            self.google.add_user(user, zone=str(AMSTERDAM))
        self.google.add_calendar(user, calendar_id(key), "Shelf", zone=str(AMSTERDAM))
        return self.google_visit(key, user)

    def google_visit(self, key: str, user: str) -> GoogleRemote:
        """A calendar that stands there already."""
        made = GoogleRemote.of(self.google, key, user, calendar_id(key))
        self.remotes[key] = made
        return made

    def google_event(self, uid: str, key: str = "shelf") -> dict[str, Any]:
        """What stands at Google for an object of ours."""
        remote = self.remotes[key]
        assert isinstance(remote, GoogleRemote)
        return remote.page.get(remote.id_of(uid))

    @staticmethod
    def settings(resource: str, remote: str, **options: Any) -> dict[str, Any]:
        return SyncDesk.settings(resource, remote, **options) | {"calendar": calendar_id(remote)}

    def configuration(self) -> Configuration:
        return super().configuration().model_copy(update={"server": Server(public_url=HTTPS)})

    def office(self) -> Office:
        def connect(key: str, parse_: Callable[[bytes], CalendarObject], zone: tzinfo) -> Upstream:
            remote = self.remotes[key]
            assert isinstance(remote, GoogleRemote)
            return remote.connect(parse_, zone)

        return replace(super().office(), connect=connect, channels=CHANNELS)


def calendar_id(key: str) -> str:
    """The id of the calendar that a remote of this key is."""
    return f"{key}@group.calendar.google.com"


def new_google(clock: Callable[[], datetime]) -> FakeGoogle:
    """A Google that waits with its notifications until somebody delivers them."""
    google = FakeGoogle(clock)
    google.channels.mishaps = _Held()
    return google


class _Held(deque[Mishap]):
    """Holds every message back."""

    def __bool__(self) -> bool:
        return True

    def popleft(self) -> Mishap:
        return Mishap.HELD
