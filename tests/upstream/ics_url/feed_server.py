"""A loopback server that gives out a feed as it is told to, well or badly, and an upstream that reads it."""

from __future__ import annotations

import socket
import ssl
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from bridge.core.ics import parse
from bridge.core.model import CalendarObject
from bridge.errors import CursorExpired
from bridge.upstream.ics_url import addresses
from bridge.upstream.ics_url.adapter import IcsUrlUpstream
from bridge.upstream.ics_url.fetching import Fetcher, Limits
from bridge.upstream.ics_url.location import location

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from bridge.upstream.protocol import Changed, Page

ZONE = ZoneInfo("Europe/Amsterdam")
HEAD = ("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Example//EN")
OK = 200


def lines(*content: str) -> bytes:
    """Content lines with CRLF."""
    return "".join(f"{line}\r\n" for line in content).encode()


def event(uid: str, *more: str, day: int = 14, title: str = "Hair cut", stamp: str = "20260101T000000Z") -> str:
    """One event as lines; `uid` may be empty for none."""
    named = (f"UID:{uid}",) if uid else ()
    start = f"DTSTART;TZID=Europe/Berlin:202607{day:02}T170000"
    times = () if any(line.startswith("DTSTART") for line in more) else (start, "DURATION:PT1H")
    return "\r\n".join(("BEGIN:VEVENT", *named, f"DTSTAMP:{stamp}", *times, f"SUMMARY:{title}", *more, "END:VEVENT"))


def feed(*content: str) -> bytes:
    """A feed with some lines in it."""
    return lines(*HEAD, *content, "END:VCALENDAR")


@dataclass(slots=True)
class Answer:
    """What the server answers.

    Attributes:
        body: What it sends, as it is.
        status: With which status.
        headers: With which headers besides; a Content-Length goes before the right one.
        etag: The validator that it knows, quoted; a request that names it gets 304.
        drip: How many octets it sends before it stops without closing; None for all.
        lengthless: Whether it says nothing of the length, and just closes.
    """

    body: bytes = b""
    status: int = OK
    headers: Mapping[str, str] = field(default_factory=dict)
    etag: str = ""
    drip: int | None = None
    lengthless: bool = False


@dataclass(frozen=True, slots=True)
class Request:
    """What the server was asked."""

    path: str
    headers: Mapping[str, str]


class FeedServer:
    """Gives one answer after another, the last for ever.

    Attributes:
        requests: All requests so far.
        names: The host names that TLS asked for.
    """

    def __init__(
        self, answers: Sequence[Answer] | Callable[[str], Answer], certificate: tuple[Path, Path] | None
    ) -> None:
        self.requests: list[Request] = []
        self.names: list[str | None] = []
        self._answers = answers
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server.requests.append(Request(self.path, dict(self.headers.items())))
                server.answer(self)

            def log_message(self, *args: Any) -> None:
                """Says nothing."""

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.scheme = "http" if certificate is None else "https"
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            context.sni_callback = lambda _socket, name, _context: self.names.append(name)
            self._http.socket = context.wrap_socket(self._http.socket, server_side=True, do_handshake_on_connect=False)
        # A client that turns away from a certificate is no fault of the server.
        self._http.handle_error = lambda *_: None  # type: ignore[method-assign]
        self._thread = Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01})

    @property
    def port(self) -> int:
        return int(self._http.server_address[1])

    def url(self, path: str = "/secret-path/rota.ics?token=secret-token", *, host: str = "127.0.0.1") -> str:
        return f"{self.scheme}://{host}:{self.port}{path}"

    def set(self, *answers: Answer) -> None:
        """Answers otherwise from now on."""
        self._answers = answers

    def give(self, body: bytes) -> None:
        """Gives out another feed from now on."""
        self.set(Answer(body))

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def answer(self, to: BaseHTTPRequestHandler) -> None:
        answers = self._answers
        if callable(answers):
            answer = answers(to.path)
        else:
            answer = answers[0]
            self._answers = answers[1:] or answers
        unchanged = answer.etag and to.headers.get("If-None-Match") == answer.etag
        to.send_response(304 if unchanged else answer.status)
        named = {name.lower() for name in answer.headers}
        if not answer.lengthless and "content-length" not in named and not unchanged:
            to.send_header("Content-Length", str(len(answer.body)))
        if answer.etag:
            to.send_header("ETag", answer.etag)
        for name, value in answer.headers.items():
            to.send_header(name, value)
        to.end_headers()
        if unchanged:
            return
        to.wfile.write(answer.body[: answer.drip])
        to.wfile.flush()
        if answer.drip is not None:
            # Until the other side gives up.
            to.connection.settimeout(30)
            to.connection.recv(1)


@contextmanager
def serving(
    *answers: Answer | bytes,
    by_path: Callable[[str], Answer] | None = None,
    certificate: tuple[Path, Path] | None = None,
) -> Iterator[FeedServer]:
    """A server that gives some answers, or one for each path."""
    plain = tuple(Answer(answer) if isinstance(answer, bytes) else answer for answer in answers)
    server = FeedServer(by_path or plain, certificate)
    server.start()
    try:
        yield server
    finally:
        server.stop()


class Clock:
    """A clock that goes on when it is told to."""

    def __init__(self) -> None:
        self.time = datetime(2026, 7, 1, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.time

    def go_on(self, **by: float) -> None:
        self.time += timedelta(**by)


def read(raw: bytes) -> CalendarObject:
    """One object, for an account in Amsterdam."""
    return parse(raw, zone=ZONE, max_instances=10_000)


def upstream(url: str, **more: Any) -> IcsUrlUpstream:
    """An upstream that may ask loopback."""
    settings: dict[str, Any] = {
        "allow_private": True,
        "allow_files": False,
        "now": Clock(),
        "zone": ZONE,
        "parse": read,
    }
    return IcsUrlUpstream(url=url, **settings | more)


def listed(of: IcsUrlUpstream, cursor: str | None = None) -> tuple[dict[str, Changed], str]:
    """What a poll tells, as the engine asks: everything where the cursor is not valid any more.

    Returns:
        The objects by their remote ids, and the new cursor.
    """
    try:
        pages = list(of.changes("", cursor))
    except CursorExpired:
        pages = list(of.changes("", None))
    return items(pages), pages[-1].cursor or ""


def items(pages: Sequence[Page]) -> dict[str, Changed]:
    """The objects of a full listing."""
    return {item.remote_id: item for page in pages for item in page.items}  # type: ignore[misc]  # no tombstones in it


def summary(item: Changed) -> str:
    """The title of an object that was listed."""
    assert isinstance(item.object, CalendarObject)
    return item.object.summary


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def fetcher(url: str, **more: Any) -> Fetcher:
    """A fetcher that may ask loopback."""
    settings: dict[str, Any] = {
        "limits": Limits(connect=timedelta(seconds=5), silence=timedelta(seconds=5), total=timedelta(seconds=20)),
        "allow_private": True,
        "allow_files": False,
        "resolve": addresses.resolve,
        "ca_file": None,
    }
    login = {name: more.pop(name) for name in ("user", "password") if name in more}
    return Fetcher(location(url, **login), **settings | more)


def fetch(url: str, **more: Any) -> bytes:
    """What stands at a URL."""
    fetched = fetcher(url, **more).fetch(past_caches=False)
    assert fetched is not None
    return fetched.body
