"""A running CalDAV server, and somebody else who uses it with nothing but plain HTTP."""

from __future__ import annotations

import base64
import http.client
import re
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from defusedxml import ElementTree

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.fakes.faults import Request

_MAKE = """<?xml version="1.0" encoding="utf-8"?>
<C:mkcalendar xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><D:set><D:prop>
<D:displayname>{name}</D:displayname></D:prop></D:set></C:mkcalendar>"""
_LIST = b'<?xml version="1.0"?><propfind xmlns="DAV:"><prop><getetag/></prop></propfind>'
_UID = re.compile(rb"(?m)^UID:(.*?)\r?$")


@dataclass(frozen=True, slots=True)
class Reply:
    """What the server said.

    Attributes:
        headers: By lower-case name.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class CalDAVServer:
    """A server that runs, and how to reach it.

    Attributes:
        port: On loopback.
        path: Where discovery begins.
        home: Under which calendars are made; ends with a slash.
        user: Who logs in.
        password: With which.
    """

    port: int
    path: str
    home: str
    user: str = "alice"
    password: str = "secret"

    @property
    def url(self) -> str:
        """Where discovery begins."""
        return f"http://127.0.0.1:{self.port}{self.path}"

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Reply:
        """Asks once; `If_Match` among `headers` is sent as If-Match."""
        login = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        sent = {"Authorization": f"Basic {login}"} | {name.replace("_", "-"): text for name, text in headers.items()}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, body, sent)
            answer = connection.getresponse()
            return Reply(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    def make_calendar(self, name: str) -> str:
        """Makes an empty calendar that is called `name`, and gives its path."""
        path = f"{self.home}{uuid.uuid4().hex}/"
        reply = self.ask("MKCALENDAR", path, _MAKE.format(name=name).encode(), Content_Type="application/xml")
        assert reply.status == 201, (reply.status, reply.body)
        return path


class Somebody:
    """Another person's calendar program, which knows objects by their UID and cares for no precondition.

    Args:
        server: Which they use.
        calendar: Path of the calendar.
    """

    def __init__(self, server: CalDAVServer, calendar: str) -> None:
        self._server = server
        self._calendar = calendar
        self._paths: dict[bytes, str] = {}

    def offer(self, raw: bytes, *, name: str = "") -> bool:
        """Puts an object, under `name` where one is given, and tells whether the server takes it."""
        uid = uid_of(raw)
        known = "" if name else self._paths.get(uid) or next(self._paths_of(uid), "")
        path = known or self._calendar + quote(name or f"{uuid.uuid4().hex}.ics", safe="")
        reply = self._server.ask("PUT", path, raw, Content_Type="text/calendar; charset=utf-8")
        taken = reply.status in {200, 201, 204}
        if taken:
            self._paths[uid] = path
        return taken

    def put(self, raw: bytes, *, name: str = "") -> None:
        """Puts an object in place of whatever has its UID."""
        assert self.offer(raw, name=name)

    def put_at(self, request: Request, raw: bytes) -> None:
        """Puts an object at the address to which a request is about to go."""
        self._server.ask("PUT", request.path, raw, Content_Type="text/calendar; charset=utf-8")

    def remove(self, uid: str) -> None:
        """Removes the object with this UID, whoever put it."""
        path = self._paths.pop(uid.encode(), "") or next(self._paths_of(uid.encode()))
        reply = self._server.ask("DELETE", path)
        assert reply.status in {200, 204}, (reply.status, reply.body)

    def bodies(self) -> list[bytes]:
        """What stands in the calendar."""
        return [self._server.ask("GET", path).body for path in self._listed()]

    def count(self, uid: str) -> int:
        """How often this UID stands in the calendar."""
        return sum(uid_of(body) == uid.encode() for body in self.bodies())

    def read(self, uid: str) -> bytes:
        """The object with this UID."""
        return next(body for body in self.bodies() if uid_of(body) == uid.encode())

    def erase_calendar(self) -> None:
        """Removes the calendar with everything in it."""
        self._server.ask("DELETE", self._calendar)
        reply = self._server.ask("PROPFIND", self._calendar, _LIST, Depth="0")
        assert reply.status == 404 or b"404 Not Found" in reply.body, (reply.status, reply.body)

    def _paths_of(self, uid: bytes) -> Iterator[str]:
        return (path for path in self._listed() if uid_of(self._server.ask("GET", path).body) == uid)

    def _listed(self) -> list[str]:
        reply = self._server.ask("PROPFIND", self._calendar, _LIST, Depth="1", Content_Type="application/xml")
        assert reply.status == 207, (reply.status, reply.body)
        hrefs = [
            element.text or "" for element in ElementTree.fromstring(reply.body).iterfind("{DAV:}response/{DAV:}href")
        ]
        # Some servers encode their hrefs, some do not.
        paths = [quote(urlsplit(href).path, safe="/%@:!$&'()*+,;=~") for href in hrefs]
        return [path for path in paths if not path.endswith("/")]


def uid_of(raw: bytes) -> bytes:
    """The UID in the bytes of an object, as it stands there; empty where there is none."""
    found = _UID.search(raw)
    return found[1] if found else b""
