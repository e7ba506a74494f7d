"""A server on this machine takes the one redirect that ends a consent in a browser beside it (RFC 8252 section 7.3)."""

from __future__ import annotations

import hmac
import html
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import TYPE_CHECKING, Any, Final, Self
from urllib.parse import urlsplit

from bridge.errors import AddressTaken, LoginRefused
from bridge.upstream.oauth.consent import parameters_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import timedelta
    from types import TracebackType

_HOST: Final = "127.0.0.1"
_SILENCE_SECONDS: Final = 10.0
_LOOK_FOR_THE_END_SECONDS: Final = 0.05
_MOST_AT_ONCE: Final = 8
_LONGEST_PATH: Final = 16 * 1024
_HEADERS: Final = {
    "Content-Type": "text/html; charset=utf-8",
    # The address of the page holds the code.
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Connection": "close",
}
_PAGE: Final = (
    '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>Calbridge</title></head>'
    "<body><h1>{title}</h1><p>{text}</p></body></html>\n"
)
_TAKEN: Final = ("Calbridge has the answer", "You can close this page. The rest happens where you began.")
_REFUSED: Final = ("Nothing was connected", "The access was not granted. The reason is shown where you began.")
_FOREIGN: Final = ("This is not the answer that is waited for", "Open the address that Calbridge shows you.")


class Loopback:
    """Listens on a port of its own from `with` to its end; takes one redirect and refuses everything else.

    ::

        with Loopback() as loopback:
            begun = consent.begin(loopback.redirect)
            ...  # the person opens begun.url
            tokens = consent.finish(loopback.answer(begun.state, within=timedelta(minutes=5)), begun)

    Raises:
        AddressTaken: No port can be had.
    """

    def __init__(self) -> None:
        try:
            self._server = _Server()
        except OSError as error:
            raise AddressTaken(
                f"No port of {_HOST} can be had to take the browser's answer ({error.strerror}).",
                remedy="Use `--no-browser`, and paste the address that the browser ends up at.",
            ) from error
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(_LOOK_FOR_THE_END_SECONDS,), name="oauth-loopback", daemon=True
        )

    @property
    def redirect(self) -> str:
        """Where the provider is to send the browser."""
        return self._server.address

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, state: str, *, within: timedelta) -> Mapping[str, str]:
        """What the browser brings back; an answer with another state is refused, and the wait goes on.

        A browser that is back before this is called waits for it.

        Args:
            state: That the consent page was opened with.
            within: How long to wait.

        Raises:
            LoginRefused: Nobody came in time.
        """
        self._server.expect(state)
        if not self._server.came.wait(within.total_seconds()):
            raise LoginRefused(
                "No answer came from the consent page in time.",
                remedy="Run it again and finish the page. Where the page shows an error of its own, that says why; "
                "where the browser runs on another machine, use `--no-browser`.",
            )
        return self._server.taken


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self) -> None:
        super().__init__((_HOST, 0), _Redirected)
        self.address = f"http://{_HOST}:{self.server_port}/"
        self._state = ""
        self._expecting = threading.Event()
        self.taken: Mapping[str, str] = {}
        self.came = threading.Event()
        self._places = threading.BoundedSemaphore(_MOST_AT_ONCE)
        self._taking = threading.Lock()

    def server_bind(self) -> None:
        """Binds without asking name servers for this machine's name, as the library would."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = _HOST, self.server_address[1]

    def expect(self, state: str) -> None:
        """Tells which answer is waited for."""
        self._state = state
        self._expecting.set()

    def take(self, parameters: Mapping[str, str]) -> bool:
        """Takes the first answer that belongs to the consent; a repetition of it is fine, and nothing else is."""
        expecting = self._expecting.wait(_SILENCE_SECONDS)
        if not expecting or not hmac.compare_digest(parameters.get("state", "").encode(), self._state.encode()):
            return False
        with self._taking:
            if not self.came.is_set():
                self.taken = parameters
                self.came.set()
            return self.taken == parameters

    def process_request(self, request: Any, client_address: Any) -> None:
        # A browser opens connections ahead of need; more than some are none of a browser.
        if not self._places.acquire(blocking=False):
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._places.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Says nothing: a browser may close a connection at any time."""


class _Redirected(BaseHTTPRequestHandler):
    server: _Server
    timeout = _SILENCE_SECONDS
    server_version = "Calbridge"
    sys_version = ""

    def do_GET(self) -> None:
        address = urlsplit(self.path) if len(self.path) <= _LONGEST_PATH else urlsplit("/too-long")
        # A page of somebody else that has its own name lead here would send that name.
        if address.path != "/" or f"http://{self.headers.get('Host', '')}/" != self.server.address:
            self._say(HTTPStatus.NOT_FOUND, _FOREIGN)
            return
        try:
            parameters = parameters_of(self.path)
        except LoginRefused:
            self._say(HTTPStatus.BAD_REQUEST, _FOREIGN)
            return
        if not self.server.take(parameters):
            self._say(HTTPStatus.BAD_REQUEST, _FOREIGN)
        else:
            self._say(HTTPStatus.OK, _REFUSED if "error" in parameters else _TAKEN)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:  # noqa: ARG002 -- the library's signature
        """Refuses in the same words whatever is no redirect of a browser."""
        self._say(HTTPStatus(code), _FOREIGN)

    def _say(self, status: HTTPStatus, page: tuple[str, str]) -> None:
        title, text = map(html.escape, page)
        body = _PAGE.format(title=title, text=text).encode()
        self.send_response(status)
        for name, value in _HEADERS.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 -- the name that the library gives
        """Says nothing: what is asked here holds a code."""
