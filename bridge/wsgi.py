"""One WSGI application: CalDAV under `/dav/`, feeds under `/feed/`, pages for people and for monitoring elsewhere.

It also decides whom to believe: what a proxy says about the client counts only where the configuration trusts the
proxy, and is taken away otherwise, so that no face can be misled by a header.
"""

from __future__ import annotations

import gzip
import time
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

from bridge.web.metrics import REQUESTS, SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from bridge.config import Configuration

    StartResponse = Callable[..., Any]
    Environ = dict[str, Any]
    App = Callable[[Environ, StartResponse], Iterable[bytes]]

_FROM_PROXIES = (
    "HTTP_X_FORWARDED_FOR",
    "HTTP_X_FORWARDED_PROTO",
    "HTTP_X_FORWARDED_HOST",
    "HTTP_X_FORWARDED_PORT",
    "HTTP_X_FORWARDED_PREFIX",
    "HTTP_X_FORWARDED_SERVER",
    "HTTP_X_SCRIPT_NAME",
    "HTTP_X_REMOTE_ADDR",
    "HTTP_FORWARDED",
)
_METHODS = frozenset(
    {"COPY", "DELETE", "GET", "HEAD", "LOCK", "MKCALENDAR", "MKCOL", "MOVE", "OPTIONS", "POST"}
    | {"PROPFIND", "PROPPATCH", "PUT", "REPORT", "UNLOCK"}
)
_DAV_METHODS = frozenset({"PROPFIND", "OPTIONS", "REPORT"})
_WELL_KNOWN = frozenset({"/.well-known/caldav", "/.well-known/caldav/"})
_WORTH_PACKING = 1024


class Front:
    """Takes every request, and gives it to the face that it is for.

    Args:
        dav: The CalDAV face.
        feed: The feed face.
        web: The pages.
        configuration: Gives the configuration of the moment.
    """

    def __init__(self, *, dav: App, feed: App, web: App, configuration: Callable[[], Configuration]) -> None:
        self._dav = dav
        self._feed = feed
        self._web = web
        self._configuration = configuration

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answers one request (PEP 3333)."""
        began = time.perf_counter()
        self._settle(environ)
        path = environ["PATH_INFO"]
        if path.startswith("/feed/"):
            face, app = "feed", self._feed
        elif path.startswith("/dav/") or path == "/dav":
            face, app = "dav", self._mounted_dav
        elif path in _WELL_KNOWN or (path == "/" and environ["REQUEST_METHOD"] in _DAV_METHODS):
            face, app = "dav", _to_dav
        else:
            face, app = "web", self._web
        statuses: list[str] = []

        def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            statuses.append(status[:3])
            return start_response(status, headers, *rest)

        answer = app(environ, start)
        # A method of a stranger's own making must not become a series of its own.
        method = environ["REQUEST_METHOD"] if environ["REQUEST_METHOD"] in _METHODS else "other"
        REQUESTS.labels(face, method, statuses[-1] if statuses else "").inc()
        SECONDS.labels(face).observe(time.perf_counter() - began)
        return answer

    def _settle(self, environ: Environ) -> None:
        """Makes the environment say what is so: who asks, for which address, below which prefix."""
        server = self._configuration().server
        path = environ["PATH_INFO"]
        prefix = server.path_prefix
        if server.trusted_proxies and _is_trusted(environ.get("REMOTE_ADDR", ""), server.trusted_proxies):
            environ["calbridge.proxy_trusted"] = True
            forwarded_for = environ.get("HTTP_X_FORWARDED_FOR", "")
            if forwarded_for:
                environ["REMOTE_ADDR"] = _client(forwarded_for, server.trusted_proxies)
            environ["wsgi.url_scheme"] = environ.get("HTTP_X_FORWARDED_PROTO") or environ["wsgi.url_scheme"]
            environ["HTTP_HOST"] = environ.get("HTTP_X_FORWARDED_HOST") or environ.get("HTTP_HOST", "")
            said = environ.get("HTTP_X_FORWARDED_PREFIX") or environ.get("HTTP_X_SCRIPT_NAME") or prefix
            prefix = said.rstrip("/")
        else:
            environ.pop("HTTP_X_REMOTE_USER", None)
        for name in _FROM_PROXIES:
            environ.pop(name, None)
        if prefix and (path == prefix or path.startswith(f"{prefix}/")):
            path = path[len(prefix) :]
        environ["SCRIPT_NAME"] = prefix
        environ["PATH_INFO"] = path or "/"

    def _mounted_dav(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        environ["SCRIPT_NAME"] = f"{environ['SCRIPT_NAME']}/dav"
        path = environ["PATH_INFO"][len("/dav") :] or "/"
        # PEP 3333 hands the octets of the path over as Latin-1; names in paths are UTF-8.
        try:
            environ["PATH_INFO"] = path.encode("latin-1").decode()
        except (UnicodeDecodeError, UnicodeEncodeError):
            environ["PATH_INFO"] = path
        # Radicale packs with more effort than a listing is worth.
        if not _accepts_gzip(environ.pop("HTTP_ACCEPT_ENCODING", "")):
            return self._dav(environ, start_response)
        started: list[Any] = []
        parts = self._dav(environ, lambda *args: started.extend(args))
        status, headers = started[0], started[1]
        body = b"".join(parts)
        if len(body) >= _WORTH_PACKING:
            body = gzip.compress(body, compresslevel=1, mtime=0)
            headers = [(name, value) for name, value in headers if name.lower() != "content-length"]
            headers += [("Content-Encoding", "gzip"), ("Content-Length", str(len(body))), ("Vary", "Accept-Encoding")]
        start_response(status, headers)
        return [body]


def _accepts_gzip(accepted: str) -> bool:
    """Whether an Accept-Encoding header (RFC 9110 section 12.5.3) asks for gzip, and not with a weight of 0."""
    for each in accepted.lower().split(","):
        coding, _, weight = each.partition(";")
        if coding.strip() in {"gzip", "x-gzip"}:
            return not weight or weight.strip().removeprefix("q=").strip("0.") != ""
    return False


def _to_dav(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    # A temporary redirect confuses some clients (TbSync).
    location = f"{environ['SCRIPT_NAME']}/dav/"
    start_response("301 Moved Permanently", [("Location", location), ("Content-Length", "0")])
    return []


def _is_trusted(address: str, networks: Iterable[Any]) -> bool:
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    return any(parsed in network for network in networks)


def _client(forwarded_for: str, networks: Iterable[Any]) -> str:
    """The last address that a trusted proxy did not add itself; what stands before it anybody could have written."""
    addresses = [each.strip() for each in forwarded_for.split(",") if each.strip()]
    for address in reversed(addresses):
        if not _is_trusted(address, networks):
            return address
    return addresses[0] if addresses else ""
