"""Notifications as Google sends them, to a server whose database can be looked into."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING

from sqlalchemy import event
from werkzeug.test import Client

from bridge.config import Configuration, Server
from bridge.core.channels import Channels
from bridge.web.hooks import hooks
from bridge.web.pages import pages
from bridge.wsgi import Front

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from bridge.store.database import Database

_numbers = count(1)
CHANNELS = Channels(b"the key of the site", lambda: f"{next(_numbers):032x}")


def _nothing(_environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """Stands where the other faces are."""
    start_response("204 No Content", [])
    return []


@dataclass
class Door:
    """The server, and who knocks at it.

    Attributes:
        database: What it stands on.
        channels: Its channels.
        path: Where it takes notifications.
    """

    database: Database
    channels: Channels = CHANNELS
    path: str = "/hooks/google"
    client: Client = field(init=False)

    def __post_init__(self) -> None:
        def configuration() -> Configuration:
            return Configuration.model_construct(accounts={}, server=Server())

        web = pages(self.database, configuration=configuration)
        web.register_blueprint(hooks(self.database, channels=self.channels))
        self.client = Client(Front(dav=_nothing, feed=_nothing, web=web, configuration=configuration))

    def headers(self, channel: str, resource: str, **said: str) -> dict[str, str]:
        """What a notification of `channel` says; `said` stands in place of some of it."""
        usual = {
            "Channel_ID": channel,
            "Channel_Token": self.channels.token(channel),
            "Channel_Expiration": "Sat, 28 Nov 2026 08:00:00 GMT",
            "Resource_ID": resource,
            "Resource_URI": "https://www.googleapis.com/calendar/v3/calendars/primary/events?alt=json",
            "Resource_State": "exists",
            "Message_Number": "2",
        }
        return {f"X-Goog-{name.replace('_', '-')}": value for name, value in {**usual, **said}.items()}

    def notify(self, channel: str, resource: str = "r", **said: str) -> int:
        """Sends a notification; gives the status of the answer."""
        return self.send(self.headers(channel, resource, **said))

    def send(self, headers: dict[str, str], body: bytes = b"") -> int:
        return self.client.post(self.path, headers=headers, data=body).status_code

    @contextmanager
    def statements(self) -> Iterator[list[str]]:
        """What the database was asked meanwhile."""
        seen: list[str] = []

        def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
            seen.append(statement.split(maxsplit=1)[0])

        event.listen(self.database.engine, "before_cursor_execute", note)
        try:
            yield seen
        finally:
            event.remove(self.database.engine, "before_cursor_execute", note)
