"""A small CalDAV server on loopback, with a real memory of one calendar, that can be told to misbehave as servers do.

What it does by itself follows RFC 4791 and RFC 6578. Each of `Manners` is something that servers were seen to do.
"""

from __future__ import annotations

import base64
import hashlib
import re
import ssl
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

CALENDAR = "/cal/alice/work/"
HOME = "/cal/alice/"
PRINCIPAL = "/principals/alice/"
_XML = {"Content-Type": "application/xml; charset=utf-8"}
_NAMESPACES = (
    'xmlns="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav" xmlns:s="http://calendarserver.org/ns/" '
    'xmlns:a="http://apple.com/ns/ical/"'
)


@dataclass(frozen=True, slots=True)
class Request:
    """What a client asked."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Reply:
    """What it gets.

    Attributes:
        short: Octets that are announced and never sent.
    """

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    short: int = 0


@dataclass(slots=True)
class Manners:
    """How the server behaves; the defaults are those of a good one.

    Attributes:
        sync: Whether sync-collection is offered.
        ctag: Whether there is a ctag.
        any_token: A token that it does not know brings everything (DAViCal, SOGo).
        token_property: Whether the sync token is a property, too.
        token_refusal: The status for a token that it does not know.
        cut_after: The most changes in one answer, after which it says 507 (Cyrus).
        tombstones: A first listing holds what was deleted, as 404 (Radicale).
        put_etag: Whether a PUT answers an etag.
        weak: Etags are weak ones, and match no If-Match.
        header_etag: Whether a GET has an etag.
        overwrites: Conditions are ignored (SOGo).
        multiget: Whether multiget is known.
        silent_multiget: Missing hrefs are left out in silence (DAViCal).
        rewrite: What becomes of bytes that are stored.
        rename: Under which name a new object is stored.
        end_required: Events without DTEND are refused (iCloud).
        href: How a path is written in answers.
        privileges: What the user may do in the calendar.
        status_for_bad: The status for what is no calendar.
    """

    sync: bool = True
    ctag: bool = True
    any_token: bool = False
    token_property: bool = True
    token_refusal: int = 403
    cut_after: int = 0
    tombstones: bool = False
    put_etag: bool = True
    weak: bool = False
    header_etag: bool = True
    overwrites: bool = False
    multiget: bool = True
    silent_multiget: bool = False
    rewrite: Callable[[bytes], bytes] = bytes
    rename: Callable[[str], str] = str
    end_required: bool = False
    href: Callable[[str], str] = quote
    privileges: str = "<privilege><read/></privilege><privilege><write/></privilege>"
    status_for_bad: int = 403


class SmallServer:
    """The memory, and the answers; `before` may answer a request in its stead."""

    def __init__(self, manners: Manners) -> None:
        self.manners = manners
        self.objects: dict[str, bytes] = {}
        self.log: list[tuple[str, bool]] = []
        self.requests: list[Request] = []
        self.before: Callable[[Request], Reply | None] = lambda _: None
        self.after: Callable[[Request], None] = lambda _: None
        self.port = 0
        self.gone = False
        self.ctag = ""

    @property
    def site(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def calendar(self) -> str:
        return f"{self.site}{CALENDAR}"

    def put(self, name: str, raw: bytes) -> None:
        """Another client's PUT."""
        self.objects[name] = raw
        self.log.append((name, True))

    def drop(self, name: str) -> None:
        """Another client's DELETE."""
        del self.objects[name]
        self.log.append((name, False))

    def count(self, method: str) -> int:
        return sum(request.method == method for request in self.requests)

    def answer(self, request: Request) -> Reply:
        self.requests.append(request)
        reply = self.before(request) or self.usual(request)
        self.after(request)
        return reply

    def usual(self, request: Request) -> Reply:
        """The answer of the server itself."""
        if "authorization" not in request.headers:
            return Reply(401, headers={"WWW-Authenticate": 'Basic realm="small"'})
        path = unquote(request.path)
        if request.path == "/.well-known/caldav":
            return Reply(301, headers={"Location": "/"})
        name = path.removeprefix(CALENDAR) if path.startswith(CALENDAR) else ""
        if self.gone and path.startswith(CALENDAR):
            return Reply(404)
        asked = {
            "PROPFIND": self._propfind, "REPORT": self._report, "GET": self._get, "PUT": self._put,
            "DELETE": self._delete,
        }.get(request.method)  # fmt: skip
        return asked(request, path, name) if asked else Reply(405)

    def _propfind(self, request: Request, path: str, name: str) -> Reply:
        deep = request.headers.get("depth") == "1"
        if name:
            return self._told([self._member(name)]) if name in self.objects else Reply(404)
        if path == CALENDAR:
            return self._told([self._own(), *map(self._member, self.objects if deep else ())])
        if path == HOME:
            return self._told([self._plain(HOME), *([self._own()] if deep else ())])
        if path in {"/", PRINCIPAL}:
            return self._told([self._plain(path)])
        return Reply(404)

    def _plain(self, path: str) -> str:
        home = f"<c:calendar-home-set><href>{self._href(HOME)}</href></c:calendar-home-set>"
        return self._found(
            path,
            "<resourcetype><collection/></resourcetype>"
            f"<current-user-principal><href>{PRINCIPAL}</href></current-user-principal>"
            + (home if path == PRINCIPAL else ""),
        )

    def _own(self) -> str:
        manners = self.manners
        report = "<supported-report><report><sync-collection/></report></supported-report>" if manners.sync else ""
        token = f"<sync-token>{self._token()}</sync-token>" if manners.sync and manners.token_property else ""
        ctag = f"<s:getctag>{self.ctag or len(self.log)}</s:getctag>" if manners.ctag else ""
        return self._found(
            CALENDAR,
            "<resourcetype><collection/><c:calendar/></resourcetype><displayname>Work</displayname>"
            f"<a:calendar-color>#FF8800FF</a:calendar-color>{token}{ctag}"
            f"<supported-report-set>{report}</supported-report-set>"
            f"<current-user-privilege-set>{manners.privileges}</current-user-privilege-set>",
        )

    def _member(self, name: str, *, text: bool = False) -> str:
        data = f"<c:calendar-data>{escape(self.objects[name].decode())}</c:calendar-data>" if text else ""
        kind = "text/calendar" if not name.endswith(".txt") else "text/plain"
        return self._found(
            CALENDAR + name,
            f"<getetag>{escape(self._etag(name))}</getetag><getcontenttype>{kind}</getcontenttype><resourcetype/>{data}",
        )

    def _report(self, request: Request, _: str, __: str) -> Reply:
        body = request.body.decode()
        if "sync-collection" in body and self.manners.sync:
            return self._changes(re.search("sync-token>([^<]*)<", body)[1])  # type: ignore[index]
        if "calendar-multiget" in body and self.manners.multiget:
            names = [unquote(href).removeprefix(CALENDAR) for href in re.findall("href>([^<]*)<", body)]
            there = [self._member(name, text=True) for name in names if name in self.objects]
            missing = [self._missing(CALENDAR + name) for name in names if name not in self.objects]
            return self._told(there + ([] if self.manners.silent_multiget else missing))
        if "calendar-query" in body:
            uid = re.search("text-match[^>]*>([^<]*)<", body)
            line = f"UID:{uid[1]}\r\n".encode() if uid else b""
            found = [name for name, raw in self.objects.items() if line in raw]
            return self._told([self._member(name, text=True) for name in found])
        return Reply(403, b'<error xmlns="DAV:"><supported-report/></error>', _XML)

    def _changes(self, token: str) -> Reply:
        known = re.fullmatch("token-([0-9]+)", token)
        if token and not known and not self.manners.any_token:
            return Reply(self.manners.token_refusal, b'<error xmlns="DAV:"><valid-sync-token/></error>', _XML)
        start = int(known[1]) if known else 0
        end = min(len(self.log), start + self.manners.cut_after) if self.manners.cut_after else len(self.log)
        told = {name: name in self.objects for name, _ in self.log[start:end]}
        responses = [
            self._member(name) if there else self._missing(CALENDAR + name)
            for name, there in told.items()
            if there or token or self.manners.tombstones
        ]
        if end < len(self.log):
            responses.append(
                f"<response><href>{self._href(CALENDAR)}</href><status>HTTP/1.1 507 Insufficient</status></response>"
            )
        return self._told(responses, f"<sync-token>token-{end}</sync-token>")

    def _get(self, _: Request, path: str, name: str) -> Reply:
        if name not in self.objects:
            return Reply(404) if name or path != "/" else Reply(200, b"<html>Welcome</html>")
        headers = {"Content-Type": "text/calendar"}
        return Reply(
            200, self.objects[name], {**headers, "ETag": self._etag(name)} if self.manners.header_etag else headers
        )

    def _put(self, request: Request, _: str, name: str) -> Reply:
        if not name:
            return Reply(409)
        there = name in self.objects
        if not self._holds(request, name):
            return Reply(412)
        if "write" not in self.manners.privileges:
            return Reply(403, b'<error xmlns="DAV:"><need-privileges/></error>', _XML)
        bad = not request.body.startswith(b"BEGIN:VCALENDAR")
        if bad or (self.manners.end_required and b"DTEND" not in request.body):
            body = b'<error xmlns="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav"><c:valid-calendar-data/></error>'
            return Reply(self.manners.status_for_bad, body if self.manners.status_for_bad == 403 else b"", _XML)
        stored = name if there else self.manners.rename(name)
        self.put(stored, self.manners.rewrite(request.body))
        headers = {"ETag": self._etag(stored)} if self.manners.put_etag else {}
        return Reply(204 if there else 201, headers=headers)

    def _delete(self, request: Request, _: str, name: str) -> Reply:
        if name not in self.objects:
            return Reply(404)
        if not self._holds(request, name):
            return Reply(412)
        self.drop(name)
        return Reply(204)

    def _holds(self, request: Request, name: str) -> bool:
        """Whether the conditions of a request hold."""
        there = name in self.objects
        if self.manners.overwrites:
            return True
        if "if-none-match" in request.headers and there:
            return False
        wanted = request.headers.get("if-match")
        return wanted is None or (there and not self.manners.weak and wanted == self._etag(name))

    def _etag(self, name: str) -> str:
        digest = hashlib.sha256(self.objects[name]).hexdigest()[:16]
        return f'W/"{digest}"' if self.manners.weak else f'"{digest}"'

    def _token(self) -> str:
        return f"token-{len(self.log)}"

    def _href(self, path: str) -> str:
        return escape(self.manners.href(path))

    def _found(self, path: str, properties: str) -> str:
        return (
            f"<response><href>{self._href(path)}</href><propstat><prop>{properties}</prop>"
            "<status>HTTP/1.1 200 OK</status></propstat></response>"
        )

    def _missing(self, path: str) -> str:
        return f"<response><href>{self._href(path)}</href><status>HTTP/1.1 404 Not Found</status></response>"

    def _told(self, responses: list[str], token: str = "") -> Reply:
        body = f'<?xml version="1.0"?><multistatus {_NAMESPACES}>{"".join(responses)}{token}</multistatus>'
        return Reply(207, body.encode(), _XML)


def basic(user: str, password: str) -> str:
    """The header by which a user logs in."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@contextmanager
def small_server(
    manners: Manners | None = None, *, certificate: tuple[Path, Path] | None = None
) -> Iterator[SmallServer]:
    """Serves until the block ends; by https where there are a certificate and its key."""
    server = SmallServer(manners or Manners())
    listener = ThreadingHTTPServer(("127.0.0.1", 0), _handler(server))
    listener.daemon_threads = True
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        listener.socket = context.wrap_socket(listener.socket, server_side=True)
    server.port = listener.server_address[1]
    thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        listener.shutdown()
        thread.join()
        listener.server_close()


def _handler(server: SmallServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 30
        disable_nagle_algorithm = True

        def __getattr__(self, name: str) -> Any:
            if name.startswith("do_"):
                return self.reply
            raise AttributeError(name)

        def reply(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            reply = server.answer(Request(self.command, self.path, headers, body))
            self.send_response_only(reply.status)
            for name, value in {"Date": self.date_time_string(), **reply.headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(reply.body) + reply.short))
            if reply.short:
                self.close_connection = True
            self.end_headers()
            self.wfile.write(reply.body)

        def log_message(self, *_: object) -> None:
            pass

    return Handler
