"""Tests the one application in front of the faces: who gets a request, and whom it believes."""

from __future__ import annotations

import gzip
from ipaddress import ip_network
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from prometheus_client import REGISTRY

from bridge.config import Account, Configuration, Server
from bridge.wsgi import Front

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

PROXY = "192.0.2.1"
STRANGER = "198.51.100.7"


class Face:
    """A plain WSGI application that keeps what it was asked, in place of a face."""

    def __init__(self, name: str, body: bytes = b"") -> None:
        self.name = name
        self.body = body or name.encode()
        self.asked: list[dict[str, Any]] = []

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        self.asked.append(dict(environ))
        start_response("200 OK", [("Content-Length", str(len(self.body)))])
        return [self.body]


class Asked:
    """A front with three faces, and what came of one request.

    Args:
        method: Of the request.
        path: As it stands in the request, percent-decoded.
        address: Who connects.
        server: The settings of the server.
        body: What each face answers.
        headers: Of the request, as WSGI names them without `HTTP_`; `more` are the same.
    """

    def __init__(
        self,
        method: str,
        path: str,
        *,
        address: str = PROXY,
        server: Server | None = None,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        **more: str,
    ) -> None:
        configuration = Configuration.model_construct(
            server=server or Server(), accounts={"salon": Account(name="Salon", time_zone=ZoneInfo("Europe/Amsterdam"))}
        )
        faces = {name: Face(name, body) for name in ("dav", "feed", "web")}
        front = Front(**faces, configuration=lambda: configuration)
        environ = {
            "REQUEST_METHOD": method,
            "PATH_INFO": path.encode().decode("latin-1"),
            "SCRIPT_NAME": "",
            "QUERY_STRING": "",
            "REMOTE_ADDR": address,
            "HTTP_HOST": "cal.example.org",
            "wsgi.url_scheme": "http",
            **{f"HTTP_{name}": value for name, value in {**(headers or {}), **more}.items()},
        }
        self.status = ""
        self.headers: dict[str, str] = {}
        self.body = b"".join(front(environ, self._start))
        asked = [(face.name, face.asked[0]) for face in faces.values() if face.asked]
        self.face, self.environ = asked[0] if asked else ("", {})

    def _start(self, status: str, headers: list[tuple[str, str]], *_: Any) -> None:
        self.status, self.headers = status, {name.lower(): value for name, value in headers}

    @property
    def believed(self) -> tuple[str, str, str, str]:
        """Scheme, host, prefix and client, as the face sees them."""
        environ = self.environ
        mount = "/dav" if self.face == "dav" else ""
        return (
            environ["wsgi.url_scheme"],
            environ["HTTP_HOST"],
            environ["SCRIPT_NAME"].removesuffix(mount),
            environ["REMOTE_ADDR"],
        )


def behind_a_proxy(**changed: Any) -> Server:
    return Server(trusted_proxies=(ip_network(f"{PROXY}/32"),), **changed)


@pytest.mark.parametrize(
    ("method", "path", "face", "seen"),
    [
        ("PROPFIND", "/dav/anna/", "dav", "/anna/"),
        ("PROPFIND", "/dav", "dav", "/"),
        ("GET", "/feed/x/a.ics", "feed", "/feed/x/a.ics"),
        ("GET", "/", "web", "/"),
        ("HEAD", "/", "web", "/"),
        ("GET", "/healthz", "web", "/healthz"),
        ("GET", "/davx/", "web", "/davx/"),
        ("GET", "/feed", "web", "/feed"),
    ],
)
def test_each_path_has_its_face(method: str, path: str, face: str, seen: str) -> None:
    asked = Asked(method, path)

    assert (asked.face, asked.environ["PATH_INFO"]) == (face, seen)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/.well-known/caldav"),
        ("PROPFIND", "/.well-known/caldav"),
        ("PROPFIND", "/.well-known/caldav/"),
        ("PROPFIND", "/"),
        ("OPTIONS", "/"),
        ("REPORT", "/"),
    ],
)
def test_discovery_leads_to_the_caldav_face(method: str, path: str) -> None:
    asked = Asked(method, path)

    assert (asked.status[:3], asked.headers["location"]) == ("301", "/dav/")


def test_names_in_paths_reach_the_caldav_face_as_people_write_them() -> None:
    assert Asked("GET", "/dav/josé/€.ics").environ["PATH_INFO"] == "/josé/€.ics"


def test_names_in_paths_reach_the_pages_as_wsgi_wants_them() -> None:
    assert Asked("GET", "/€").environ["PATH_INFO"].encode("latin-1").decode() == "/€"


def test_a_path_that_is_no_utf_8_is_passed_on_as_it_is() -> None:
    asked = Asked("GET", "/dav/anna/" + "\udcff".encode("utf-8", "surrogatepass").decode("latin-1"))

    assert asked.face == "dav"


FORWARDED = {
    "X_FORWARDED_FOR": "203.0.113.9",
    "X_FORWARDED_PROTO": "https",
    "X_FORWARDED_HOST": "planning.example.org",
    "X_FORWARDED_PREFIX": "/cal",
}
SAID_BY_THE_PROXY = ("https", "planning.example.org", "/cal", "203.0.113.9")


@pytest.mark.parametrize(("method", "path"), [("GET", "/"), ("GET", "/feed/x/a.ics"), ("PROPFIND", "/dav/anna/")])
def test_every_face_hears_what_a_trusted_proxy_says(method: str, path: str) -> None:
    assert Asked(method, path, server=behind_a_proxy(), headers=FORWARDED).believed == SAID_BY_THE_PROXY


@pytest.mark.parametrize("server", [None, behind_a_proxy()])
@pytest.mark.parametrize(("method", "path"), [("GET", "/"), ("GET", "/feed/x/a.ics"), ("PROPFIND", "/dav/anna/")])
def test_nobody_hears_what_a_stranger_says(method: str, path: str, server: Server | None) -> None:
    asked = Asked(
        method, path, address=STRANGER, server=server, headers=FORWARDED, X_SCRIPT_NAME="/x", X_REMOTE_USER="boss",
        X_REMOTE_ADDR="203.0.113.9", X_FORWARDED_SERVER="x", X_FORWARDED_PORT="1", X_REAL_IP="203.0.113.9",
        FORWARDED="for=203.0.113.9", X_FORWARDED_SSL="on",
    )  # fmt: skip

    assert asked.believed == ("http", "cal.example.org", "", STRANGER)
    spoken = {name for name in asked.environ if name.startswith("HTTP_")}
    assert spoken == {"HTTP_HOST"}


def test_a_stranger_who_writes_the_proxys_address_into_a_header_stays_a_stranger() -> None:
    asked = Asked("GET", "/", address=STRANGER, server=behind_a_proxy(), X_FORWARDED_FOR=PROXY)

    assert asked.environ["REMOTE_ADDR"] == STRANGER


@pytest.mark.parametrize(
    ("said", "client"),
    [
        ("203.0.113.9", "203.0.113.9"),
        # Whoever stands before the last stranger may have been made up by that stranger.
        ("10.0.0.1, 203.0.113.9", "203.0.113.9"),
        (f"203.0.113.9, {PROXY}", "203.0.113.9"),
        ("2001:db8::5", "2001:db8::5"),
        ("[2001:db8::5]:4711", "2001:db8::5"),
        ("203.0.113.9:4711", "203.0.113.9"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        (PROXY, PROXY),
        ("unknown", PROXY),
        ("10.0.0.1, <script>", PROXY),
        (" , ", PROXY),
        ("", PROXY),
    ],
)
def test_the_client_is_the_last_address_that_no_trusted_proxy_has(said: str, client: str) -> None:
    assert Asked("GET", "/", server=behind_a_proxy(), X_FORWARDED_FOR=said).environ["REMOTE_ADDR"] == client


def test_a_proxy_that_connects_by_a_mapped_address_is_trusted() -> None:
    """A server on [::] sees an IPv4 proxy as ::ffff:192.0.2.1."""
    asked = Asked("GET", "/", address=f"::ffff:{PROXY}", server=behind_a_proxy(), headers=FORWARDED)

    assert asked.believed == SAID_BY_THE_PROXY


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("X_FORWARDED_PREFIX", "//evil.example"),
        ("X_FORWARDED_PREFIX", "cal"),
        ("X_FORWARDED_PREFIX", '/"><script>'),
        ("X_FORWARDED_PREFIX", "/.."),
        ("X_FORWARDED_PROTO", "javascript"),
        ("X_FORWARDED_HOST", "evil.example/<script>"),
        ("X_FORWARDED_HOST", "a b"),
    ],
)
def test_what_no_proxy_would_say_is_not_believed(header: str, value: str) -> None:
    assert Asked("GET", "/", server=behind_a_proxy(), headers={header: value}).believed == (
        "http",
        "cal.example.org",
        "",
        PROXY,
    )


@pytest.mark.parametrize("prefix", ["/cal", "/cal/", "/a/b"])
def test_a_prefix_may_end_with_a_slash_and_have_several_parts(prefix: str) -> None:
    asked = Asked("GET", "/", server=behind_a_proxy(), X_FORWARDED_PREFIX=prefix)

    assert asked.environ["SCRIPT_NAME"] == prefix.rstrip("/")


def test_what_a_client_made_up_before_the_proxy_added_its_own_does_not_count() -> None:
    asked = Asked(
        "GET",
        "/",
        server=behind_a_proxy(),
        X_FORWARDED_PROTO="http,https",
        X_FORWARDED_HOST="evil.example, elsewhere.example,planning.example.org",
        X_FORWARDED_PREFIX="/evil, /cal",
        X_FORWARDED_FOR=f"{PROXY},198.51.100.66,203.0.113.9",
    )

    assert asked.believed == SAID_BY_THE_PROXY


def test_a_last_value_that_no_proxy_would_say_is_not_replaced_by_one_before_it() -> None:
    asked = Asked("GET", "/", server=behind_a_proxy(), X_FORWARDED_HOST="evil.example, a b", X_FORWARDED_PROTO="https,")

    assert asked.believed[:2] == ("http", "cal.example.org")


def test_a_user_whom_a_trusted_proxy_logged_in_reaches_the_caldav_face() -> None:
    asked = Asked("PROPFIND", "/dav/anna/", server=behind_a_proxy(), X_REMOTE_USER="anna")

    assert (asked.environ["HTTP_X_REMOTE_USER"], asked.environ["calbridge.proxy_trusted"]) == ("anna", True)


@pytest.mark.parametrize("path", ["/cal/dav/anna/", "/dav/anna/"])
def test_a_prefix_in_the_configuration_needs_no_header(path: str) -> None:
    """A proxy may pass the path on as it came, or without the prefix."""
    asked = Asked("PROPFIND", path, address=STRANGER, server=Server(path_prefix="/cal"))

    assert (asked.environ["SCRIPT_NAME"], asked.environ["PATH_INFO"]) == ("/cal/dav", "/anna/")


@pytest.mark.parametrize("path", ["/cal", "/cal/"])
def test_the_prefix_alone_is_the_start_page(path: str) -> None:
    asked = Asked("GET", path, server=Server(path_prefix="/cal"))

    assert (asked.face, asked.environ["SCRIPT_NAME"], asked.environ["PATH_INFO"]) == ("web", "/cal", "/")


def test_a_path_that_only_begins_like_the_prefix_keeps_its_beginning() -> None:
    assert Asked("GET", "/calendar", server=Server(path_prefix="/cal")).environ["PATH_INFO"] == "/calendar"


@pytest.mark.parametrize("path", ["/.well-known/caldav", "/cal/.well-known/caldav"])
def test_discovery_behind_a_prefix_leads_below_the_prefix(path: str) -> None:
    assert Asked("GET", path, server=Server(path_prefix="/cal")).headers["location"] == "/cal/dav/"


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/"), ("GET", "/feed/x/a.ics"), ("PROPFIND", "/dav/anna/"), ("PROPFIND", "/")]
)
def test_every_answer_carries_the_headers_that_keep_browsers_safe(method: str, path: str) -> None:
    headers = Asked(method, path).headers

    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize(("method", "path"), [("GET", "/feed/x/a.ics"), ("PROPFIND", "/dav/anna/")])
def test_a_browser_loads_nothing_on_behalf_of_a_calendar(method: str, path: str) -> None:
    policy = Asked(method, path).headers["content-security-policy"]

    assert policy == "default-src 'none'; frame-ancestors 'none'"


@pytest.mark.parametrize(
    ("accepted", "packed"),
    [("gzip, deflate", True), ("GZIP", True), ("*", False), ("gzip;q=0", False), ("identity", False), ("", False)],
)
def test_a_large_listing_is_packed_for_those_who_unpack_it(accepted: str, *, packed: bool) -> None:
    listing = b"<response/>" * 1000
    asked = Asked("PROPFIND", "/dav/anna/", body=listing, ACCEPT_ENCODING=accepted)

    assert (asked.headers.get("content-encoding") == "gzip") is packed
    assert (gzip.decompress(asked.body) if packed else asked.body) == listing
    assert asked.headers["content-length"] == str(len(asked.body))


def test_a_small_answer_is_not_packed() -> None:
    assert "content-encoding" not in Asked("PROPFIND", "/dav/anna/", ACCEPT_ENCODING="gzip").headers


def counted(face: str, method: str) -> float:
    return (
        REGISTRY.get_sample_value("calbridge_requests_total", {"face": face, "method": method, "status": "200"}) or 0.0
    )


def test_each_request_is_counted_by_its_face_and_method() -> None:
    before = counted("dav", "PROPFIND")
    Asked("PROPFIND", "/dav/anna/")

    assert counted("dav", "PROPFIND") == before + 1


def test_methods_that_a_stranger_makes_up_are_counted_as_one() -> None:
    """Each name that is counted costs memory for ever."""
    before = counted("web", "other")
    for number in range(5):
        Asked(f"MADEUP{number}", "/")

    assert counted("web", "other") == before + 5
