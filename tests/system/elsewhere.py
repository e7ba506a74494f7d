"""Another calendar server for system tests: a real Radicale on loopback that can go down and come back as it was."""

from __future__ import annotations

import re
import sys
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.system.process import unused_port
from tests.upstream.servers.caldav_server import CalDAVServer, Somebody, uid_of
from tests.upstream.servers.running import listening

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_SETTINGS = """
[server]
hosts = 127.0.0.1:{port}
max_connections = 100
[auth]
type = htpasswd
htpasswd_filename = {folder}/users
htpasswd_encryption = plain
delay = 0
[rights]
type = from_file
file = {folder}/rights
[storage]
filesystem_folder = {collections}
[logging]
level = warning
"""
_RIGHTS = """
[root]
user: .+
collection:
permissions: R
[principal]
user: .+
collection: {{user}}
permissions: RW
[calendars]
user: .+
collection: {{user}}/[^/]+
permissions: {permissions}
"""
_MAKE = """<?xml version="1.0" encoding="utf-8"?>
<C:mkcalendar xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><set><prop>
<displayname>{name}</displayname></prop></set></C:mkcalendar>"""
_SUMMARY = re.compile(rb"(?m)^SUMMARY:(.*?)\r?$")


@dataclass
class Elsewhere:
    """A Radicale with one user, alice, who has calendars.

    Attributes:
        folder: For its settings and its calendars.
        read_only: Another one, whose calendars it shows without letting anybody write to them; None: its own.
        port: On loopback; the same after each start.
    """

    folder: Path
    read_only: Elsewhere | None = None
    port: int = field(default_factory=unused_port)
    _stack: ExitStack = field(default_factory=ExitStack)

    def __post_init__(self) -> None:
        self.folder.mkdir(exist_ok=True)
        collections = (self.read_only or self).folder / "collections"
        settings = _SETTINGS.format(port=self.port, folder=self.folder, collections=collections)
        (self.folder / "settings").write_text(settings)
        (self.folder / "users").write_text("alice:secret\n")
        (self.folder / "rights").write_text(_RIGHTS.format(permissions="r" if self.read_only else "rw"))

    @property
    def server(self) -> CalDAVServer:
        """How alice reaches it."""
        return CalDAVServer(self.port, "/", "/alice/")

    def start(self) -> None:
        command = [sys.executable, "-m", "radicale", "--config", str(self.folder / "settings")]
        self._stack.enter_context(listening(command, self.port, log=self.folder / "log"))

    def stop(self) -> None:
        self._stack.close()

    def filled_calendar(self, name: str, components: bytes) -> RemoteCalendar:
        """Makes a calendar with all these components in it, in one request."""
        path = f"{self.server.home}{name}/"
        head = b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Test//EN\r\nX-WR-CALNAME:" + name.encode() + b"\r\n"
        reply = self.server.ask("PUT", path, head + components + b"END:VCALENDAR\r\n", Content_Type="text/calendar")
        assert reply.status == 201, reply.body
        return RemoteCalendar(self, name, path)

    def calendar(self, name: str = "Work") -> RemoteCalendar:
        """Makes a calendar."""
        return RemoteCalendar(self, name, self.server.make_calendar(name))


@dataclass(frozen=True)
class RemoteCalendar:
    """A calendar at the other server, and somebody who uses it."""

    elsewhere: Elsewhere
    name: str
    path: str

    @property
    def somebody(self) -> Somebody:
        return Somebody(self.elsewhere.server, self.path)

    def put(self, raw: bytes) -> None:
        """Somebody stores an object, in place of whatever has its UID."""
        self.somebody.put(raw)

    def add(self, raw: bytes) -> None:
        """Somebody stores a new object, without a look at those that are there."""
        self.somebody.put(raw, name=f"{uid_of(raw).decode()}.ics")

    def remove(self, uid: str) -> None:
        self.somebody.remove(uid)

    def erase(self) -> None:
        self.somebody.erase_calendar()

    def make_anew(self) -> None:
        """Makes the calendar again where it was, under the name that it had."""
        body = _MAKE.format(name=self.name).encode()
        assert self.elsewhere.server.ask("MKCALENDAR", self.path, body, Content_Type="application/xml").status == 201

    def titles(self) -> dict[str, str]:
        """The title of each object by its UID; each UID stands there once."""
        found: dict[str, str] = {}
        for body in self.somebody.bodies():
            uid = uid_of(body).decode()
            assert uid not in found, f"{uid} stands there twice"
            title = _SUMMARY.search(body)
            found[uid] = title[1].decode() if title else ""
        return found

    def text(self, uid: str) -> str:
        return self.somebody.read(uid).decode()

    def hrefs(self) -> set[str]:
        """The names of the objects, without reading them."""
        return set(self.somebody._listed())  # noqa: SLF001 -- counting thousands by reading each would take minutes


@contextmanager
def elsewhere(folder: Path, *, read_only: Elsewhere | None = None) -> Iterator[Elsewhere]:
    """Another server that runs until the block ends."""
    server = Elsewhere(folder, read_only)
    try:
        server.start()
        yield server
    finally:
        server.stop()


def ruled(calendar: RemoteCalendar, *, port: int | None = None, poll: str = "1s", **options: Any) -> dict[str, Any]:
    """Settings of a connection to the other server and of a rule from salon/anna to one of its calendars.

    Args:
        calendar: The calendar.
        port: Where the server is reached; None: directly.
        poll: As in the settings.
        options: Of the rule.
    """
    url = f"http://127.0.0.1:{port or calendar.elsewhere.port}/"
    unlimited = {"past": "all", "future": "all"}
    return {
        "connections": {
            "elsewhere": {"type": "caldav", "url": url, "user": "alice", "password": "${ALICES_PASSWORD}"},
        },
        "rules": {
            "anna": {
                "resource": "salon/anna",
                "connection": "elsewhere",
                "calendar": calendar.name,
                "poll": poll,
                "window": unlimited,
                **options,
            }
        },
    }


PASSWORDS = {"ALICES_PASSWORD": "secret"}
"""What the settings of `ruled` need in the environment."""
