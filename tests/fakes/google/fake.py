"""The fake Google Calendar as a test holds it.

::

    with fake_google(clock=clock) as google:
        google.add_user("anna@example.org", zone="Europe/Amsterdam")
        calendar = google.calendar("anna@example.org")  # what Anna does by hand at Google's own page
        made = calendar.put({"summary": "Haircut", "start": ..., "end": ...})
        service = build("calendar", "v3", http=google.http("anna@example.org"))  # without a socket
        ...  # or, over a socket: google.api is the address, google.token("anna@example.org") a token

Nothing here knows the bridge. What each behaviour follows stands in BEHAVIOUR.md.
"""

from __future__ import annotations

import json
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING

from tests.fakes.google.api import BASE, Api
from tests.fakes.google.by_hand import ByHand
from tests.fakes.google.channels import Channels
from tests.fakes.google.consent import Consent, accounts
from tests.fakes.google.exchange import Answered, Asked, Caller
from tests.fakes.google.grants import Grants
from tests.fakes.google.misdeeds import after, call_of, first, lose_answer, lose_request, refuse
from tests.fakes.google.page import page
from tests.fakes.google.state import World
from tests.fakes.google.transport import Http, make_app, served

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from flask import Flask

    from tests.fakes.google.exchange import Recorded
    from tests.fakes.google.grants import Client, Robot
    from tests.fakes.google.listing import Pages
    from tests.fakes.google.misdeeds import Condition, Misdeed
    from tests.fakes.google.quota import Quota
    from tests.fakes.google.state import Person

__all__ = [
    "ALL_SCOPES",
    "Answered",
    "Asked",
    "ByHand",
    "FakeGoogle",
    "after",
    "call_of",
    "fake_google",
    "first",
    "lose_answer",
    "lose_request",
    "refuse",
]
ALL_SCOPES = frozenset({"https://www.googleapis.com/auth/calendar"})


@dataclass(slots=True)
class _Script:
    misdeed: Misdeed
    when: Condition
    times: int | None


class FakeGoogle:
    """The fake with everything that a test sets, sees and breaks.

    Attributes:
        port: Of the server; 0 where there is none.
        world: What Google keeps.
        grants: OAuth clients, service accounts and tokens.
        consent: Who sits before the consent page, where nobody does.
        channels: Watch channels, their deliveries and mishaps.
    """

    def __init__(self, clock: Callable[[], datetime] | None = None) -> None:
        self.world = World(clock or (lambda: datetime.now(UTC)))
        self.grants = Grants(self.world)
        self.consent = Consent()
        self.channels = Channels(self.world)
        self.world.told.append(self.channels.changed)
        self._api = Api(self.world, self.grants.caller)
        self._api.more = {
            "calendar.events.watch": self.channels.watch,
            "calendar.channels.stop": self.channels.stop,
        }
        self.port = 0
        self._scripts: list[_Script] = []

    @cached_property
    def app(self) -> Flask:
        """All of it as a WSGI application; made when it is first asked for, as most tests need none."""
        app = make_app(self.answer)
        app.register_blueprint(accounts(self.grants, self.consent))
        app.register_blueprint(page(self.world))
        return app

    @property
    def host(self) -> str:
        """The address of the server, without a slash at its end."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def api(self) -> str:
        """The address of the interface, for `client_options.api_endpoint`."""
        return self.host + BASE

    @property
    def endpoints(self) -> dict[str, str]:
        """The addresses of the interface and of the accounts."""
        return {"api": self.api, **{name: f"{self.host}/{name}" for name in ("auth", "token", "revoke")}}

    def client_file(self, client: Client, folder: Path) -> Path:
        """Writes what a person downloads at Google for an OAuth client."""
        path = folder / "google-client.json"
        path.write_text(json.dumps(client.file(self.endpoints["auth"], self.endpoints["token"])))
        return path

    def robot_file(self, robot: Robot, folder: Path) -> Path:
        """Writes what a person downloads at Google for a service account."""
        path = folder / "google-service-account.json"
        path.write_text(json.dumps(robot.file(self.endpoints["token"])))
        return path

    @property
    def requests(self) -> list[Recorded]:
        """Every request to the interface since the beginning."""
        return self._api.requests

    @property
    def misuses(self) -> list[str]:
        """Every unknown parameter and field that was sent."""
        return self._api.misuses

    @property
    def quota(self) -> Quota:
        """How many requests are taken in a minute."""
        return self._api.quota

    @property
    def pages(self) -> Pages:
        """How listings are cut: `google.pages.most = 3`, `google.pages.odd = 1`."""
        return self._api.pages

    def add_user(self, email: str, *, name: str = "", zone: str = "UTC", workspace: str = "") -> Person:
        """A user with a primary calendar in this time zone."""
        with self.world.lock:
            return self.world.add_person(email, name=name, zone=zone, workspace=workspace)

    def add_calendar(self, owner: str, calendar_id: str, summary: str = "", *, zone: str = "UTC") -> ByHand:
        """A secondary calendar."""
        with self.world.lock:
            self.world.add_calendar(owner, calendar_id, summary or calendar_id, zone=zone)
            return ByHand(self.world, owner, calendar_id)

    def calendar(self, user: str, calendar_id: str = "primary") -> ByHand:
        """A calendar as this user edits it by hand."""
        return ByHand(self.world, user, calendar_id)

    def token(self, user: str, *, scopes: frozenset[str] = ALL_SCOPES) -> str:
        """An access token that works for ever, without any consent."""
        with self.world.lock:
            return self.grants.give(Caller(user, scopes))

    def http(self, user: str = "") -> Http:
        """What the client library takes for `http`, within this process; without a user, it sends what it is given."""
        if not user:
            return Http(self.answer, lambda: self.app, None)
        token = self.token(user)
        return Http(self.answer, lambda: self.app, lambda: token)

    def answer(self, asked: Asked) -> Answered:
        """Answers as the interface, or as a script wants it."""
        for script in self._scripts:
            if script.times != 0 and script.when(asked):
                if script.times is not None:
                    script.times -= 1
                return script.misdeed(asked, self._api.answer)
        return self._api.answer(asked)

    def script(self, misdeed: Misdeed, *, when: Condition = lambda _: True, times: int | None = 1) -> None:
        """Has a misdeed happen to the next requests that fit; `times=None`: to all of them."""
        self._scripts.append(_Script(misdeed, when, times))

    def behave(self) -> None:
        """Forgets every script."""
        self._scripts.clear()

    def forget(self) -> None:
        """Forgets the requests so far."""
        self._api.requests.clear()

    def expire_sync_tokens(self) -> None:
        """Every sync token so far is answered with 410."""
        with self.world.lock:
            for calendar in self.world.calendars.values():
                calendar.number += 1
                calendar.floor = calendar.number

    def purge(self) -> None:
        """Forgets deleted events altogether, as Google does after a while."""
        with self.world.lock:
            self.expire_sync_tokens()
            for calendar in self.world.calendars.values():
                for event in [each for each in calendar.events.values() if each.cancelled]:
                    if event.lost or not event.series:
                        self.world.drop(calendar, event)


@contextmanager
def fake_google(
    *, clock: Callable[[], datetime] | None = None, serve: bool = True, port: int = 0
) -> Iterator[FakeGoogle]:
    """A fake of its own, with a server on loopback.

    Args:
        clock: Tells the time, in UTC; without one, the system's.
        serve: False: it is only asked within this process.
        port: 0: any that is free.
    """
    google = FakeGoogle(clock)
    with ExitStack() as stack:
        if serve:
            google.port = stack.enter_context(served(google.app, port))
        stack.callback(google.channels.close)
        yield google
