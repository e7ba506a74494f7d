"""One WSGI application: CalDAV under `/dav/`, feeds under `/feed/`, pages for people and for monitoring elsewhere.

It also decides whom to believe: what a proxy says about the client counts only where the configuration trusts the
proxy, and is taken away otherwise, so that no face can be misled by a header.
"""

from __future__ import annotations

import gzip
import re
import time
from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from typing import TYPE_CHECKING, Any

from bridge.web.metrics import REQUESTS, SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from ipaddress import IPv4Address, IPv4Network, IPv6Network

    from prometheus_client import Counter, Histogram

    from bridge.config import Configuration

    StartResponse = Callable[..., Any]
    Environ = dict[str, Any]
    App = Callable[[Environ, StartResponse], Iterable[bytes]]

_FROM_PROXIES = (
    "HTTP_FORWARDED",
    "HTTP_X_FORWARDED_FOR",
    "HTTP_X_FORWARDED_HOST",
    "HTTP_X_FORWARDED_PORT",
    "HTTP_X_FORWARDED_PREFIX",
    "HTTP_X_FORWARDED_PROTO",
    "HTTP_X_FORWARDED_SERVER",
    "HTTP_X_FORWARDED_SSL",
    "HTTP_X_REAL_IP",
    "HTTP_X_REMOTE_ADDR",
    "HTTP_X_SCRIPT_NAME",
)
_SCHEME = re.compile(r"https?")
_HOST = re.compile(r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")
_PREFIX = re.compile(r"(?:/(?!\.{1,2}(?:/|$))[A-Za-z0-9._~-]+)*/?")
_CLIENT = re.compile(r"\[(?P<v6>[0-9A-Fa-f:.]+)\](?::[0-9]+)?|(?P<v4>[0-9.]+)(?::[0-9]+)?|(?P<bare>[0-9A-Fa-f:.]+)")
# Each name that is counted costs memory for ever, and a stranger can make up as many methods as they like.
_METHODS = frozenset(
    (
        *("GET", "HEAD", "OPTIONS", "PUT", "DELETE", "POST", "PATCH", "COPY", "MOVE", "LOCK", "UNLOCK", "ACL"),
        *("PROPFIND", "PROPPATCH", "REPORT", "MKCALENDAR", "MKCOL"),
    )
)
_DAV_METHODS = frozenset({"PROPFIND", "OPTIONS", "REPORT"})
_WELL_KNOWN = frozenset({"/.well-known/caldav", "/.well-known/caldav/"})
_WORTH_PACKING = 1024
_PACKS = re.compile(r"\bgzip\b(?!\s*;\s*q=0(?:\.0*)?\s*(?:,|$))", re.IGNORECASE)
_NO_CONTENT_OF_OTHERS = ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
_SAFE = (("X-Content-Type-Options", "nosniff"), ("Referrer-Policy", "no-referrer"))


class Front:
    """Takes every request, and gives it to the face that it is for.

    Args:
        dav: The CalDAV face.
        feed: The feed face.
        web: The pages; they say themselves what a browser may load.
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
        path, method = environ["PATH_INFO"], environ["REQUEST_METHOD"]
        safe: tuple[tuple[str, str], ...] = (*_SAFE, _NO_CONTENT_OF_OTHERS)
        if path.startswith("/feed/"):
            face, app = "feed", self._feed
        elif path.startswith("/dav/") or path == "/dav":
            face, app = "dav", self._mounted_dav
        elif path in _WELL_KNOWN or (path == "/" and method in _DAV_METHODS):
            face, app = "dav", _to_dav
        else:
            face, app, safe = "web", self._web, _SAFE
        status = "500"

        def start(line: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            nonlocal status
            status = line[:3]
            here = {name for name, _ in headers}
            return start_response(line, [*headers, *(each for each in safe if each[0] not in here)], *rest)

        try:
            return app(environ, start)
        finally:
            requests, seconds = _counters(face, method, status)
            requests.inc()
            seconds.observe(time.perf_counter() - began)

    def _settle(self, environ: Environ) -> None:
        """Makes the environment say what is so: who asks, for which address, below which prefix."""
        server = self._configuration().server
        prefix = server.path_prefix
        if server.trusted_proxies and _is_trusted(_address(environ.get("REMOTE_ADDR", "")), server.trusted_proxies):
            environ["calbridge.proxy_trusted"] = True
            environ["REMOTE_ADDR"] = _client(environ, server.trusted_proxies)
            environ["wsgi.url_scheme"] = _said(environ, "PROTO", _SCHEME) or environ["wsgi.url_scheme"]
            environ["HTTP_HOST"] = _said(environ, "HOST", _HOST) or environ.get("HTTP_HOST", "")
            said = environ.get("HTTP_X_FORWARDED_PREFIX", environ.get("HTTP_X_SCRIPT_NAME"))
            if said is not None and _PREFIX.fullmatch(said := _last(said)):
                prefix = said.rstrip("/")
        else:
            environ.pop("HTTP_X_REMOTE_USER", None)
        for name in _FROM_PROXIES:
            environ.pop(name, None)
        path = _as_wsgi(environ["PATH_INFO"])
        if prefix and (path == prefix or path.startswith(f"{prefix}/")):
            path = path[len(prefix) :]
        environ["SCRIPT_NAME"] = prefix
        environ["PATH_INFO"] = path or "/"

    def _mounted_dav(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        environ["SCRIPT_NAME"] = f"{environ['SCRIPT_NAME']}/dav"
        # PEP 3333 hands the octets of a path over as Latin-1; Radicale wants the text that they stand for.
        path = environ["PATH_INFO"].encode("latin-1").decode("utf-8", "surrogateescape")
        environ["PATH_INFO"] = path[len("/dav") :] or "/"
        # Radicale packs with more effort than a listing is worth.
        if not _PACKS.search(environ.pop("HTTP_ACCEPT_ENCODING", "")):
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


@lru_cache(maxsize=1024)
def _counters(face: str, method: str, status: str) -> tuple[Counter, Histogram]:
    """The counters of one kind of request; finding them in the registry costs more than counting."""
    return REQUESTS.labels(face, method if method in _METHODS else "other", status), SECONDS.labels(face)


def _to_dav(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    # A temporary redirect confuses some clients (TbSync).
    location = f"{environ['SCRIPT_NAME']}/dav/"
    start_response("301 Moved Permanently", [("Location", location), ("Content-Length", "0")])
    return []


def _as_wsgi(path: str) -> str:
    """The path as PEP 3333 wants it, also where the web server has decoded it as text."""
    try:
        path.encode("latin-1")
    except UnicodeEncodeError:
        return path.encode("utf-8", "surrogateescape").decode("latin-1")
    return path


def _said(environ: Environ, what: str, form: re.Pattern[str]) -> str:
    """What the proxy before us said, or nothing where no proxy would say that."""
    said = _last(environ.get(f"HTTP_X_FORWARDED_{what}", ""))
    return said if form.fullmatch(said) else ""


def _last(said: str) -> str:
    """The last of several values: a proxy that adds its own leaves what a client made up before it."""
    return said.rpartition(",")[2].strip()


def _address(text: str) -> IPv4Address | IPv6Address | None:
    """Reads an address, with or without a port; one of IPv4 inside IPv6 is that of IPv4."""
    found = _CLIENT.fullmatch(text.strip())
    try:
        address = ip_address(found[found.lastgroup or 0] if found else "")
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address


def _is_trusted(address: IPv4Address | IPv6Address | None, networks: Iterable[IPv4Network | IPv6Network]) -> bool:
    return address is not None and any(address in network for network in networks)


def _client(environ: Environ, networks: Iterable[IPv4Network | IPv6Network]) -> str:
    """The last address that is no trusted proxy's; what stands before it anybody could have written."""
    client = _address(environ["REMOTE_ADDR"])
    for said in reversed(environ.get("HTTP_X_FORWARDED_FOR", "").split(",")):
        if not said.strip():
            continue
        address = _address(said)
        if address is None:
            break
        client = address
        if not _is_trusted(address, networks):
            break
    return str(client)
