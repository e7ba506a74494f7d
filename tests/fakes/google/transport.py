"""Ways to the fake: over a socket, and straight into it without one."""

from __future__ import annotations

import threading
from contextlib import contextmanager, suppress
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from flask import Flask, Response, request
from werkzeug.serving import WSGIRequestHandler, make_server

from tests.fakes.google.exchange import Answered, Asked

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator, Mapping
    from wsgiref.types import WSGIApplication

_VERBS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


class Lost(Exception):
    """The connection ends without an answer."""


def make_app(answer: Callable[[Asked], Answered]) -> Flask:
    """The whole fake as a WSGI application.

    Args:
        answer: Answers a request to the calendar interface; may raise `Lost`.
    """
    app = Flask(__name__, static_folder=None)

    @app.route("/calendar/v3/<path:_rest>", methods=_VERBS)
    def calendar(_rest: str) -> Response:
        path = request.environ.get("REQUEST_URI") or request.full_path.rstrip("?")
        headers = {name.lower(): value for name, value in request.headers.items()}
        try:
            told = answer(Asked(request.method, path, headers, request.get_data()))
        except Lost:
            request.environ["werkzeug.socket"].shutdown(2)
            return Response(status=500)
        return Response(told.body, told.status, dict(told.headers))

    return app


class Reply(dict[str, str]):
    """Status and headers of an answer, as httplib2 gives them."""

    def __init__(self, status: int, headers: Mapping[str, str]) -> None:
        super().__init__({name.lower(): value for name, value in headers.items()})
        self.status = status
        self.reason = HTTPStatus(status).phrase


class Http:
    """What the client library takes for `http`: asks the fake within this process.

    Args:
        token: Tells the access token; None: none is sent but the caller's own.
    """

    def __init__(
        self, answer: Callable[[Asked], Answered], app: Callable[[], Flask], token: Callable[[], str] | None
    ) -> None:
        self._answer = answer
        self._app = app
        self._token = token

    def request(
        self,
        uri: str,
        method: str = "GET",
        body: bytes | str | None = None,
        headers: Mapping[str, str] | None = None,
        **_: Any,
    ) -> tuple[Reply, bytes]:
        """Asks once; a lost answer is a ConnectionResetError, as over a socket."""
        named = {name.lower(): value for name, value in (headers or {}).items()}
        if self._token is not None:
            named["authorization"] = f"Bearer {self._token()}"
        raw = body.encode() if isinstance(body, str) else body or b""
        parts = urlsplit(uri)
        path = f"{parts.path}?{parts.query}" if parts.query else parts.path
        if parts.path.startswith("/calendar/v3/"):
            try:
                told = self._answer(Asked(method, path, named, raw))
            except Lost as error:
                raise ConnectionResetError("The fake lost the answer.") from error
        else:
            base = f"{parts.scheme}://{parts.netloc}"
            page = self._app().test_client().open(path, base_url=base, method=method, headers=named, data=raw)
            told = Answered(page.status_code, dict(page.headers), page.get_data())
        return Reply(told.status, told.headers), told.body

    def close(self) -> None:
        """Has nothing to close."""


class _Handler(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"
    open: set[socket.socket]

    def setup(self) -> None:
        super().setup()
        self.open.add(self.connection)

    def finish(self) -> None:
        self.open.discard(self.connection)
        with suppress(OSError):
            super().finish()

    def log(self, *_: object) -> None:
        """Says nothing."""


@contextmanager
def served(app: WSGIApplication, port: int = 0) -> Iterator[int]:
    """Serves the application on loopback, and tells the port; 0: any that is free."""
    connections: set[socket.socket] = set()
    handler = type("Handler", (_Handler,), {"open": connections})
    server = make_server("127.0.0.1", port, app, threaded=True, request_handler=handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        for connection in list(connections):
            with suppress(OSError):
                connection.shutdown(2)
        server.server_close()
