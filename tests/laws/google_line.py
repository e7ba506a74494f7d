"""A calendar at the fake Google as the sync machine uses it: asked within the process, watched, and spoilt."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

import requests
from requests.adapters import BaseAdapter

from bridge.upstream.google.adapter import GoogleUpstream
from bridge.upstream.google.service import Service
from bridge.upstream.protocol import Gone, Unreadable
from tests.fakes.google.exchange import Answered, Asked
from tests.fakes.google.listing import Pages
from tests.fakes.google.refusal import Refused
from tests.fakes.google.transport import Lost
from tests.fakes.shelf import FULL, Shelf
from tests.store.appointments import AMSTERDAM, parse
from tests.sync.desk import Remote

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import tzinfo

    from bridge.core.model import CalendarObject
    from bridge.upstream.oauth.keeper import Access
    from bridge.upstream.protocol import Changed
    from tests.fakes.google.by_hand import ByHand
    from tests.fakes.google.fake import FakeGoogle

SITE = "http://google.example.org"
REFUSALS = {
    "500": "backendError",
    "503": "serviceUnavailable",
    "403": "rateLimitExceeded",
    "429": "tooManyRequests",
    "401": "authError",
    "410": "fullSyncRequired",
}
"""What a request is refused with: by the word for the misdeed, the reason as Google has it."""

MISDEEDS = ("down", "lost", "500", "503", "403", "429", "401", None)
"""'down' ends the connection before anything is done, 'lost' after it was."""

_NAMES = {"POST": "create", "PATCH": "replace", "PUT": "replace", "DELETE": "remove"}


@cache
def _service(endpoint: str) -> Service:
    return Service(endpoint)


class _Quick(GoogleUpstream):
    """The adapter with methods that are made once for all: to make them takes longer than to run a pass."""

    @property
    def _service(self) -> Service:
        return _service(self._endpoint)


@dataclass
class _Pass:
    """Access tokens of a user, of which each one that was refused is followed by another."""

    google: FakeGoogle
    user: str
    token: str = ""

    def access_token(self) -> str:
        self.token = self.token or self.google.token(self.user)
        return self.token

    def refused(self, token: str) -> str:
        self.token = "" if token == self.token else self.token
        return self.access_token()


@dataclass(slots=True, kw_only=True)
class Line(Shelf):
    """The way to one calendar, in place of a shelf: tells of each request, and spoils some of them.

    Attributes:
        google: Google.
        user: Who connected.
        page: The calendar as somebody at Google's own page has it.
    """

    google: FakeGoogle = field(repr=False)
    user: str
    page: ByHand = field(repr=False)

    def delete(self, remote_id: str) -> None:
        """Somebody deletes an appointment; of a series that stands elsewhere the instance that is here."""
        series = remote_id.removesuffix("~")
        if series == remote_id:
            self.page.delete(remote_id)
            return
        for each in self.page.events:
            if each.get("recurringEventId") == series and each["status"] != "cancelled":
                self.page.delete(each["id"])

    def forget_changes(self) -> None:
        """Every sync token so far expires."""
        calendar = self.google.world.calendars[self.page.id]
        calendar.number += 1
        calendar.floor = calendar.number

    def ask(self, asked: Asked) -> Answered:
        """What comes back to a request.

        Raises:
            Lost: Nothing does.
        """
        is_event = asked.path.split("?")[0].split("/events", 1)[-1] != "/watch" and "/events" in asked.path
        name = _NAMES.get(asked.method, "list") if is_event else "other"
        self.tell("before", name)
        self.calls.append(name)
        misdeed = self.misdeeds.pop(0) if self.misdeeds else None
        if misdeed == "down":
            raise Lost
        answered = self._refused(misdeed, asked) or self.google.answer(asked)
        if misdeed == "lost":
            raise Lost
        self.tell("after", name)
        return answered

    def _refused(self, misdeed: str | None, asked: Asked) -> Answered | None:
        if misdeed not in REFUSALS or (misdeed == "410" and "syncToken" not in asked.query):
            return None
        refused = Refused(REFUSALS[misdeed])
        return Answered(refused.status, {"Content-Type": "application/json; charset=UTF-8"}, refused.body())

    def tell(self, when: str, name: str) -> None:
        """Tells whoever watches that something is asked, or was answered."""
        if self.watched is not None:
            self.watched(when, name)


class _Direct(BaseAdapter):
    """Asks over a line."""

    def __init__(self, ask: Callable[[Asked], Answered]) -> None:
        super().__init__()
        self._ask = ask

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        body = request.body or b""
        headers = {name.lower(): str(value) for name, value in request.headers.items()}
        raw = body.encode() if isinstance(body, str) else body
        try:
            told = self._ask(Asked(str(request.method), request.path_url, headers, raw))
        except Lost as error:
            raise requests.ConnectionError("The fake lost the answer.") from error
        response = requests.Response()
        response.status_code = told.status
        response.headers.update(told.headers)
        response.raw = io.BytesIO(told.body)
        return response

    def close(self) -> None:
        """Nothing is open."""


@dataclass
class GoogleRemote(Remote):
    """A calendar at Google, what its rule asks of it, and what stands there.

    Attributes:
        access: Gives each connection its access; None: tokens that never end.
    """

    line: Line = field(kw_only=True)
    access: Callable[[], Access] | None = None
    _seen_at: int = -1
    _seen: dict[str, CalendarObject] = field(default_factory=dict)

    @classmethod
    def of(cls, google: FakeGoogle, key: str, user: str, calendar_id: str) -> GoogleRemote:
        """A calendar that this user sees, with a line of its own."""
        line = Line(google=google, user=user, page=google.calendar(user, calendar_id), id=calendar_id)
        return cls(key, line, FULL, line=line)

    @property
    def page(self) -> ByHand:
        """The calendar as somebody at Google's own page has it."""
        return self.line.page

    def connect(self, parse_: Callable[[bytes], CalendarObject], zone: tzinfo) -> GoogleUpstream:
        """A connection of the bridge."""
        access = self._endless() if self.access is None else self.access()
        return self._upstream(self.line.ask, access, parse_, zone)

    def _endless(self) -> Access:
        return _Pass(self.line.google, self.line.user)

    def objects(self) -> dict[str, CalendarObject]:
        """All that stands there, as the adapter reads it from a whole listing; nobody counts these requests."""
        number = self.line.google.world.calendars[self.page.id].number
        if self._seen_at != number:
            pages, usual = self.line.google.pages, Pages()
            most, odd, pages.most, pages.odd = pages.most, pages.odd, usual.most, usual.odd
            upstream = self._upstream(self.line.google.answer, self._endless(), parse, AMSTERDAM)
            listed = list(upstream.changes(self.page.id, None))
            pages.most, pages.odd = most, odd
            self._seen_at, self._seen = number, dict(_read(each) for page in listed for each in page.items)
        return dict(self._seen)

    def _upstream(
        self, ask: Callable[[Asked], Answered], access: Access, parse_: Callable[[bytes], CalendarObject], zone: tzinfo
    ) -> GoogleUpstream:
        def session() -> requests.Session:
            made = requests.Session()
            made.mount("http://", _Direct(ask))
            made.trust_env = False
            return made

        return _Quick(
            access=access,
            parse=parse_,
            zone=zone,
            who=self.line.user,
            endpoint=f"{SITE}/calendar/v3/",
            session=session,
        )


def _read(item: Changed | Gone) -> tuple[str, CalendarObject]:
    if isinstance(item, Gone) or item.object is None or isinstance(item.object, Unreadable):
        raise AssertionError(f"a listing of everything holds {item}")
    return item.remote_id, item.object
