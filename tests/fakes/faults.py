"""A reverse proxy on loopback that stands before a real server and does one scripted misdeed where it is told to.

::

    with faults(server.port) as proxy:
        proxy.script(drop_after(), when=method("PUT"))
        ...  # a client that speaks to proxy.port: its next PUT is done, and never answered
        assert proxy.counts["PUT"] == 2

Whatever no script concerns is passed on as it came. Every request is recorded, also one that is never passed on.
Nothing here sleeps: what is slow waits for an event.
"""

from __future__ import annotations

import http.client
import ssl
import threading
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

_METHODS = (
    "GET", "HEAD", "OPTIONS", "PUT", "POST", "PATCH", "DELETE", "PROPFIND", "PROPPATCH", "REPORT", "SEARCH",
    "MKCALENDAR", "MKCOL", "MOVE", "COPY", "LOCK", "UNLOCK",
)  # fmt: skip
_OF_ONE_CONNECTION = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length"})
_PATIENCE = 60.0


@dataclass(frozen=True, slots=True)
class Request:
    """What a client asks.

    Attributes:
        path: As it was sent, with its query.
        headers: As they were sent; `header` finds one.
        number: 1 for the first since the proxy began or was told to forget.
    """

    method: str
    path: str
    headers: tuple[tuple[str, str], ...] = field(repr=False)
    body: bytes = field(repr=False)
    number: int

    def header(self, name: str) -> str:
        """The value of a header, empty where it was not sent."""
        return _value(self.headers, name)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the client gets.

    Attributes:
        sent: How many bytes of the body are sent before the connection ends; None: all of them.
    """

    status: int
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    body: bytes = field(default=b"", repr=False)
    sent: int | None = None

    def header(self, name: str) -> str:
        """The value of a header, empty where there is none."""
        return _value(self.headers, name)


class Ask(Protocol):
    """Puts a request to the real server."""

    def __call__(self, request: Request, /) -> Answer:
        """Asks once, over a connection of its own."""


class Misdeed(Protocol):
    """What is done in place of passing a request on."""

    def __call__(self, request: Request, ask: Ask, proxy: Proxy, /) -> Answer | None:
        """Gives the answer; None ends the connection without one."""


def drop_before() -> Misdeed:
    """Ends the connection, and the server never hears of the request."""
    return lambda _request, _ask, _proxy: None


def drop_after() -> Misdeed:
    """Lets the server do what is asked, and ends the connection without an answer."""

    def done(request: Request, ask: Ask, _proxy: Proxy) -> None:
        ask(request)

    return done


def twice() -> Misdeed:
    """Delivers the request two times, and answers what the server said to the second."""

    def done(request: Request, ask: Ask, _proxy: Proxy) -> Answer:
        ask(request)
        return ask(request)

    return done


def cut(after: int | None = None) -> Misdeed:
    """Ends the connection after so many bytes of the body, or in its middle, though its length was told in full."""

    def done(request: Request, ask: Ask, _proxy: Proxy) -> Answer:
        answer = ask(request)
        return replace(answer, sent=len(answer.body) // 2 if after is None else after)

    return done


def status(code: int, body: bytes = b"", **headers: str) -> Misdeed:
    """Answers by itself; `Retry_After` among `headers` is sent as Retry-After."""
    named = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return lambda _request, _ask, _proxy: Answer(code, named, body)


def html_page(code: int = 200) -> Misdeed:
    """Answers with a page for people to log in, as a hotel's network does."""
    page = (
        b"<!DOCTYPE html><html><head><title>Welcome</title></head><body><form>Please log in.<br></form></body></html>"
    )
    return status(code, page, Content_Type="text/html; charset=utf-8")


def empty(code: int = 200) -> Misdeed:
    """Answers with nothing at all, in good cheer."""
    return status(code, Content_Type="application/xml")


def slow(until: threading.Event) -> Misdeed:
    """Passes the request on when `until` is set; where the proxy ends before, the connection does too."""

    def done(request: Request, ask: Ask, proxy: Proxy) -> Answer | None:
        return ask(request) if proxy.waited(until) else None

    return done


def stale() -> Misdeed:
    """Answers what the server answered to the same request the last time, as one does that lists late.

    A request that was never passed on before is passed on.
    """
    return lambda request, ask, proxy: proxy.earlier(request) or ask(request)


def without(*names: str) -> Misdeed:
    """Leaves headers out of the answer, for example the ETag of what was stored."""
    left_out = {name.lower() for name in names}

    def bare(answer: Answer) -> Answer:
        return replace(answer, headers=tuple(pair for pair in answer.headers if pair[0].lower() not in left_out))

    return changed(bare)


def changed(change: Callable[[Answer], Answer]) -> Misdeed:
    """Passes the request on, and answers with what `change` makes of the answer."""
    return lambda request, ask, _proxy: change(ask(request))


def around(
    before: Callable[[Request], object] | None = None, after: Callable[[Request, Answer], object] | None = None
) -> Misdeed:
    """Passes the request on, and does something before it or after it: the race that a test wants to see."""

    def done(request: Request, ask: Ask, _proxy: Proxy) -> Answer:
        if before is not None:
            before(request)
        answer = ask(request)
        if after is not None:
            after(request, answer)
        return answer

    return done


def method(*names: str) -> Callable[[Request], bool]:
    """Matches requests with one of these methods."""
    return lambda request: request.method in names


def writes(request: Request) -> bool:
    """Matches requests that change something, as plain HTTP and WebDAV name them."""
    return request.method in {"PUT", "POST", "PATCH", "DELETE", "MOVE"}


@dataclass(slots=True)
class _Script:
    misdeed: Misdeed
    at: int | None
    when: Callable[[Request], bool]
    left: int | None

    def concerns(self, request: Request) -> bool:
        return self.left != 0 and self.at in {None, request.number} and self.when(request)


class Proxy:
    """The proxy, while it runs.

    Args:
        port: Of the real server, on loopback.
    """

    def __init__(self, port: int) -> None:
        self.port = 0
        """Where clients find it, on loopback."""
        self._server_port = port
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._scripts: list[_Script] = []
        self._requests: list[Request] = []
        self._answers: dict[tuple[str, str, str, bytes], Answer] = {}

    def script(
        self,
        misdeed: Misdeed,
        *,
        at: int | None = None,
        when: Callable[[Request], bool] = lambda _: True,
        times: int | None = 1,
    ) -> None:
        """Does `misdeed` to requests to come.

        Args:
            misdeed: What is done.
            at: Only to the request with this number.
            when: Only to requests that match.
            times: To so many of them; None: to all.
        """
        with self._lock:
            self._scripts.append(_Script(misdeed, at, when, times))

    def behave(self) -> None:
        """Forgets every script: from now on everything is passed on."""
        with self._lock:
            self._scripts.clear()

    def forget(self) -> None:
        """Forgets the requests so far; the next one has number 1."""
        with self._lock:
            self._requests.clear()

    @property
    def requests(self) -> tuple[Request, ...]:
        """What was asked so far, in the order in which it came."""
        with self._lock:
            return tuple(self._requests)

    @property
    def counts(self) -> Mapping[str, int]:
        """How often each method was asked so far."""
        return Counter(request.method for request in self.requests)

    def earlier(self, request: Request) -> Answer | None:
        """What the server answered to an equal request the last time that one was passed on."""
        with self._lock:
            return self._answers.get(_question(request))

    def waited(self, until: threading.Event) -> bool:
        """Waits until the event is set or the proxy ends, and tells whether it is set."""
        while not self._ended.is_set() and not until.wait(0.02):
            pass
        return until.is_set()

    def end(self) -> None:
        """Lets everything go that waits."""
        self._ended.set()

    def take(self, verb: str, path: str, headers: tuple[tuple[str, str], ...], body: bytes) -> Answer | None:
        """Records a request and gives the answer to it; None: the connection ends without one."""
        with self._lock:
            request = Request(verb, path, headers, body, len(self._requests) + 1)
            self._requests.append(request)
            script = next((script for script in self._scripts if script.concerns(request)), None)
            if script is not None and script.left is not None:
                script.left -= 1
        return self._ask(request) if script is None else script.misdeed(request, self._ask, self)

    def _ask(self, request: Request) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self._server_port, timeout=_PATIENCE)
        try:
            connection.putrequest(request.method, request.path, skip_host=True, skip_accept_encoding=True)
            for name, value in request.headers:
                if name.lower() not in _OF_ONE_CONNECTION:
                    connection.putheader(name, value)
            connection.putheader("Connection", "close")
            if request.body or request.header("content-length"):
                connection.putheader("Content-Length", str(len(request.body)))
            connection.endheaders(request.body or None)
            got = connection.getresponse()
            headers = tuple(pair for pair in got.getheaders() if pair[0].lower() not in _OF_ONE_CONNECTION)
            answer = Answer(got.status, headers, got.read())
        finally:
            connection.close()
        with self._lock:
            self._answers[_question(request)] = answer
        return answer


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Otherwise headers and body leave in two packets, and the second waits for the receipt of the first.
    wbufsize = -1
    disable_nagle_algorithm = True
    timeout = _PATIENCE
    proxy: Proxy

    def __getattr__(self, name: str) -> Callable[[], None]:
        if name.removeprefix("do_") in _METHODS:
            return self._relay
        raise AttributeError(name)

    def _relay(self) -> None:
        answer = self.proxy.take(self.command, self.path, tuple(self.headers.items()), self._body())
        if answer is None:
            self.close_connection = True
            return
        self.send_response_only(answer.status)
        for name, value in answer.headers:
            self.send_header(name, value)
        bodiless = answer.status in {204, 304}
        if not bodiless:
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if self.command != "HEAD" and not bodiless:
            self.wfile.write(answer.body[: answer.sent])
            is_cut = answer.sent is not None and answer.sent < len(answer.body)
            self.close_connection = self.close_connection or is_cut

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            return b"".join(iter(self._chunk, b""))
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def _chunk(self) -> bytes:
        size = int(self.rfile.readline().partition(b";")[0], 16)
        chunk = self.rfile.read(size)
        self.rfile.readline()
        return chunk

    def log_message(self, *_: object) -> None:
        """Says nothing: the proxy records what is asked."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, *_: object) -> None:
        """Says nothing: a client that hangs up is what is tested."""


@contextmanager
def faults(port: int, *, certificate: tuple[Path, Path] | None = None) -> Iterator[Proxy]:
    """A proxy before the server on `port`, until the block ends.

    Args:
        port: Of the real server, on loopback.
        certificate: A certificate and its key, both as files: the proxy then speaks https.
    """
    proxy = Proxy(port)
    server = _Server(("127.0.0.1", 0), type("Handler", (_Handler,), {"proxy": proxy}))
    proxy.port = server.server_port
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        proxy.end()
        server.shutdown()
        thread.join(_PATIENCE)
        server.server_close()


def _question(request: Request) -> tuple[str, str, str, bytes]:
    return request.method, request.path, request.header("depth"), request.body


def _value(headers: tuple[tuple[str, str], ...], name: str) -> str:
    return next((value for each, value in headers if each.lower() == name.lower()), "")
