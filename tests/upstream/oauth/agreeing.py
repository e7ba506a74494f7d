"""What the tests of a login share: a person before the consent page, a place to keep tokens, and a clock."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urljoin

import requests

from bridge.upstream.oauth.client import Client
from bridge.upstream.oauth.consent import Consent, parameters_of
from bridge.upstream.oauth.google import google
from bridge.upstream.oauth.login import Login
from bridge.upstream.oauth.tokens import Tokens
from bridge.upstream.oauth.wire import Wire
from tests.fakes.faults import Proxy, faults
from tests.fakes.google.fake import FakeGoogle, fake_google

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bridge.upstream.oauth.consent import Begun
    from bridge.upstream.oauth.granting import Post
    from bridge.upstream.oauth.provider import Provider
    from tests.fakes.google.grants import Client as Registered

ANNA = "anna@example.org"
REDIRECT = "http://127.0.0.1:4711/"
CONNECTION = "anna-google"


class Clock:
    """A clock that goes on when it is told to, and back."""

    def __init__(self) -> None:
        self.time = datetime(2026, 11, 2, 9, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.time

    def go_on(self, **by: float) -> None:
        self.time += timedelta(**by)


class Memory:
    """Keeps tokens as text, as a sealed row does; several logins that share it are several processes.

    Attributes:
        text: What is kept.
        kept: Everything that was ever kept, in order.
        fails: What the next tries to keep raise, one each; None lets one pass.
    """

    def __init__(self) -> None:
        self.text: str | None = None
        self.kept: list[Tokens] = []
        self.fails: list[Exception | None] = []
        self._claim = threading.Lock()

    def read(self) -> Tokens | None:
        return None if self.text is None else Tokens.read(self.text)

    def keep(self, tokens: Tokens) -> None:
        error = self.fails.pop(0) if self.fails else None
        if error is not None:
            raise error
        self.text = tokens.text()
        self.kept.append(tokens)

    def forget(self) -> None:
        self.text = None

    @contextmanager
    def claimed(self) -> Iterator[None]:
        with self._claim:
            yield


class _Form(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.action = ""
        self.users: list[str] = []
        self.scopes: list[str] = []

    @classmethod
    def read(cls, page: str) -> Self:
        form = cls()
        form.feed(page)
        return form

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.action = found["action"]
        elif found.get("name") == "user":
            self.users.append(found["value"])
        elif found.get("name") == "scope":
            self.scopes.append(found["value"])


def agree(begun: Begun, *, user: str = ANNA, unticked: frozenset[str] = frozenset(), cancels: bool = False) -> str:
    """Opens the consent page as a browser does, ticks its boxes, and gives the address that it leads back to."""
    with requests.Session() as browser:
        page = browser.get(begun.url, timeout=10)
        assert page.status_code == 200, page.text
        form = _Form.read(page.text)
        assert user in form.users
        answered = browser.post(
            urljoin(page.url, form.action),
            data={
                "user": user,
                "scope": [scope for scope in form.scopes if scope not in unticked],
                "answer": "cancel" if cancels else "allow",
            },
            allow_redirects=False,
            timeout=10,
        )
        assert answered.status_code == 302, answered.text
        return answered.headers["Location"]


@dataclass
class Office:
    """A connection of Anna's with the fake, and everything about it that a test looks at or breaks."""

    google: FakeGoogle
    proxy: Proxy
    clock: Clock
    registered: Registered
    provider: Provider
    keeper: Memory = field(default_factory=Memory)
    pauses: list[float] = field(default_factory=list)
    post: Post = field(default_factory=lambda: Wire().post)

    @property
    def client(self) -> Client:
        return Client(id=self.registered.id, secret=self.registered.secret)

    def consent(self) -> Consent:
        return Consent(self.provider, self.client, connection=CONNECTION, post=self.post, clock=self.clock)

    def login(self, *, post: Post | None = None, keeper: Any = None) -> Login:
        """One process's login; each shares what is kept."""
        return Login(
            self.provider,
            self.client,
            keeper or self.keeper,
            connection=CONNECTION,
            post=post or self.post,
            clock=self.clock,
            pause=self.pauses.append,
        )

    def connect(self) -> Login:
        """Anna agrees to everything."""
        consent = self.consent()
        begun = consent.begin(REDIRECT)
        login = self.login()
        login.keep(consent.finish(parameters_of(agree(begun)), begun))
        return login

    def lets_in(self, token: str) -> bool:
        """Whether the provider's interface takes an access token."""
        caller = self.google.grants.caller(token)
        return caller is not None and caller.user == ANNA


@contextmanager
def office(**client: Any) -> Iterator[Office]:
    """A fake with Anna and a client of its own, behind a proxy that a test can have misbehave.

    Args:
        client: Fields of the fake's client.
    """
    clock = Clock()
    with fake_google(clock=clock) as fake, faults(fake.port) as proxy:
        fake.add_user(ANNA)
        host = f"http://127.0.0.1:{proxy.port}"
        provider = google(auth_url=fake.endpoints["auth"], token_url=f"{host}/token", revoke_url=f"{host}/revoke")
        registered = fake.grants.add_client(**client)
        yield Office(google=fake, proxy=proxy, clock=clock, registered=registered, provider=provider)
