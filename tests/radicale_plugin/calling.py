"""Calls the CalDAV face in this process, as a web server does, over a store of its own."""

from __future__ import annotations

import base64
import io
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from bridge import config
from bridge.radicale_plugin.backing import Backing
from bridge.store import collection
from bridge.store.collection import Address, Kind
from bridge.store.database import Database

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

DOCUMENT = """
database: sqlite:///store.sqlite3
accounts:
  salon:
    name: Salon Anna
    time_zone: Europe/Amsterdam
    resources:
      anna: {kind: employee, name: Anna de Vries, color: "#3367d6"}
      laser: {kind: instrument, name: Laser}
users:
  demo: {password: "${DEMO_PASSWORD}", grants: {salon/anna: write, salon/laser: read}}
limits: {login_failures: 5}
"""


@contextmanager
def backed(folder: Path, document: str = DOCUMENT) -> Iterator[Backing]:
    """A store with the calendars that `document` configures, in the empty `folder`."""
    path = folder / "bridge.yaml"
    path.write_text(document)
    configuration = config.load(path, environ={"DEMO_PASSWORD": "secret"})
    database = Database(f"sqlite:///{folder}/store.sqlite3", clock=lambda: datetime(2026, 11, 21, tzinfo=UTC))
    database.migrate()
    with database.writing() as tx:
        for account, key, _ in configuration.resources():
            collection.ensure(tx, Address(Kind.RESOURCE, account, key))
    yield Backing(database, lambda: configuration)
    database.close()


@dataclass(frozen=True, slots=True)
class Called:
    """What an application answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def call(
    application: Callable[..., Iterable[bytes]],
    method: str,
    path: str,
    body: bytes | str = b"",
    headers: Mapping[str, str] | None = None,
    *,
    password: str = "secret",
) -> Called:
    """Sends one request of the user demo to an application that is mounted under `/dav`."""
    raw = body.encode() if isinstance(body, str) else body
    credentials = base64.b64encode(f"demo:{password}".encode()).decode()
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "/dav",
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "HTTP_HOST": "localhost",
        "REMOTE_ADDR": "192.0.2.1",
        "CONTENT_LENGTH": str(len(raw)),
        "wsgi.input": io.BytesIO(raw),
        "wsgi.errors": io.StringIO(),
        "wsgi.url_scheme": "http",
        "HTTP_AUTHORIZATION": f"Basic {credentials}",
        **{f"HTTP_{name.upper().replace('-', '_')}": value for name, value in (headers or {}).items()},
    }
    environ["CONTENT_TYPE"] = environ.pop("HTTP_CONTENT_TYPE", "")
    started: list[Any] = []
    answer = b"".join(application(environ, lambda *args: started.extend(args)))
    return Called(int(started[0].split()[0]), {name.lower(): value for name, value in started[1]}, answer)
