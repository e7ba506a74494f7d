"""A subscription: a whole calendar in one answer, which somebody else writes."""

from __future__ import annotations

import re
import threading
from contextlib import contextmanager
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

from tests.upstream.servers.caldav_server import uid_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.fakes.faults import Request

_COMPONENTS = re.compile(rb"BEGIN:(?:VEVENT|VTODO|VJOURNAL|VTIMEZONE)\r\n.*\r\n(?=END:VCALENDAR)", re.DOTALL)


class Feed:
    """What the server gives out, and the person who writes it.

    Args:
        name: Of the calendar.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._objects: dict[str, bytes] = {}
        self.exists = True
        self.port = 0

    def text(self) -> bytes:
        """The whole calendar."""
        head = ("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Test//Feed//EN", f"X-WR-CALNAME:{self._name}", "")
        parts = [found[0] for raw in self._objects.values() if (found := _COMPONENTS.search(raw))]
        return "\r\n".join(head).encode() + b"".join(parts) + b"END:VCALENDAR\r\n"

    def offer(self, raw: bytes, *, name: str = "") -> bool:
        """Puts an object; a feed knows no file names."""
        self.put(raw, name=name)
        return True

    def put(self, raw: bytes, *, name: str = "") -> None:  # noqa: ARG002 -- a feed knows no file names
        """Puts an object in place of whatever has its UID."""
        self._objects[uid_of(raw).decode()] = raw

    def put_at(self, request: Request, raw: bytes) -> None:  # noqa: ARG002 -- a feed knows no places
        """Puts an object."""
        self.put(raw)

    def remove(self, uid: str) -> None:
        """Removes the object with this UID."""
        del self._objects[uid]

    def bodies(self) -> list[bytes]:
        """What stands in the calendar."""
        return list(self._objects.values())

    def count(self, uid: str) -> int:
        """How often this UID stands in the calendar."""
        return int(uid in self._objects)

    def read(self, uid: str) -> bytes:
        """The object with this UID."""
        return self._objects[uid]

    def erase_calendar(self) -> None:
        """Removes the calendar with everything in it."""
        self.exists = False


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    feed: Feed

    def do_GET(self) -> None:
        text = self.feed.text()
        etag = f'"{sha256(text).hexdigest()}"'
        if not self.feed.exists:
            self._answer(404, etag, b"")
        elif self.headers.get("If-None-Match") == etag:
            self._answer(304, etag, b"")
        else:
            self._answer(200, etag, text)

    def _answer(self, status: int, etag: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("ETag", etag)
        self.send_header("Content-Type", "text/calendar; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@contextmanager
def serving(feed: Feed) -> Iterator[Feed]:
    """Gives out `feed` at `/feed.ics` on its port, until the block ends."""
    with ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"feed": feed})) as server:
        feed.port = server.server_port
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield feed
        server.shutdown()
