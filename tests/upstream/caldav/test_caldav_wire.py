from __future__ import annotations

import hashlib
import re
import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from bridge.errors import (
    AddressRefused,
    CertificateRefused,
    LoginRefused,
    Throttled,
    UpstreamError,
    UpstreamUnavailable,
)
from bridge.upstream.answers import Limits
from bridge.upstream.caldav.wire import Wire
from tests.system.certificates import write_certificate
from tests.upstream.caldav.connecting import connected, event, listed, request_id
from tests.upstream.caldav.small_server import Manners, Reply, Request, basic, small_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def test_every_request_carries_the_login_from_the_first_one_on() -> None:
    with small_server() as server, connected(server.site, user="zoë", password="pä:ss") as upstream:
        listed(upstream, upstream.calendars()[0].id)

        assert {request.headers["authorization"] for request in server.requests} == {basic("zoë", "pä:ss")}
        assert "pä:ss" not in repr(upstream)


def test_nobody_logs_in_without_a_user() -> None:
    with small_server() as server, connected(server.site, user="", password="") as upstream:
        with pytest.raises(LoginRefused):
            upstream.calendars()
        assert not any("authorization" in request.headers for request in server.requests)


def test_digest_is_spoken_where_the_server_takes_nothing_else() -> None:
    challenge = Reply(401, headers={"WWW-Authenticate": 'Digest realm="small", nonce="n1", qop="auth", algorithm=MD5'})

    def before(request: Request) -> Reply | None:
        sent = request.headers.get("authorization", "")
        fields = dict(re.findall(r'(\w+)="?([^",]+)"?', sent))
        if not sent.startswith("Digest "):
            return challenge
        one, two = (_md5(text) for text in ("alice:small:secret", f"{request.method}:{fields['uri']}"))
        right = _md5(f"{one}:n1:{fields['nc']}:{fields['cnonce']}:auth:{two}")
        return None if fields["response"] == right else challenge

    with small_server() as server, connected(server.site) as upstream:
        server.before = before
        stored = upstream.create(server.calendar, event("a"), request_id("a"))
        assert listed(upstream, server.calendar)[0] == {stored.remote_id: stored.etag}
    with small_server() as server, connected(server.site, password="wrong") as upstream:
        server.before = before
        with pytest.raises(LoginRefused):
            listed(upstream, server.calendar)


def _md5(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()  # noqa: S324 -- what Digest is made of


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_within_the_site_is_followed_with_the_same_request(status: int) -> None:
    with small_server() as server, connected(server.site) as upstream:

        def before(request: Request) -> Reply | None:
            if request.path.startswith("/old"):
                return Reply(status, headers={"Location": request.path.removeprefix("/old")})
            return None

        server.before = before
        old = server.calendar.replace("/cal/", "/old/cal/")
        stored = upstream.create(old, event("a"), request_id("a"))

        assert set(server.objects) == {f"{request_id('a')}.ics"}
        assert stored.remote_id.startswith("/old/cal/alice/work/")
        assert set(listed(upstream, old)[0]) == {stored.remote_id}


def test_redirects_that_never_end_are_followed_five_times() -> None:
    with small_server() as server, connected(server.site) as upstream:
        server.before = lambda _: Reply(302, headers={"Location": "/again/"})
        with pytest.raises(UpstreamUnavailable, match="every request on"):
            listed(upstream, server.calendar)
        assert len(server.requests) == 6


def test_the_password_never_goes_to_another_site() -> None:
    with small_server() as other, small_server() as server, connected(server.site) as upstream:
        strange = other.calendar.replace("127.0.0.1", "localhost")
        server.before = lambda _: Reply(302, headers={"Location": strange})
        for asked in (server.calendar, strange):
            with pytest.raises(AddressRefused, match="another site") as raised:
                listed(upstream, asked)
            assert "name it as the address" in raised.value.remedy
        assert not other.requests


def test_the_password_never_goes_from_https_to_http(tmp_path: Path) -> None:
    certificate = write_certificate(tmp_path)
    with small_server() as plain, small_server(certificate=certificate) as server:
        secure = server.site.replace("http:", "https:")
        with connected(secure, verify=str(certificate[0])) as upstream:
            calendar = server.calendar.replace("http:", "https:")
            assert listed(upstream, calendar)[0] == {}
            server.before = lambda _: Reply(302, headers={"Location": plain.calendar})
            for asked in (calendar, plain.calendar):
                with pytest.raises(AddressRefused, match="from https to http"):
                    listed(upstream, asked)
        assert not plain.requests


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
def test_a_certificate_that_nobody_signed_is_refused(tmp_path: Path) -> None:
    certificate = write_certificate(tmp_path)
    with small_server(certificate=certificate) as server:
        secure = server.site.replace("http:", "https:")
        with connected(secure) as upstream, pytest.raises(CertificateRefused) as raised:
            upstream.calendars()
        assert "127.0.0.1" in raised.value.message
        assert "`ca_file`" in raised.value.remedy
        assert not server.requests
        with connected(secure, verify=False) as upstream:
            assert upstream.calendars()


def test_a_host_that_speaks_no_https_is_named() -> None:
    with (
        small_server() as server,
        connected(server.site.replace("http:", "https:")) as upstream,
        pytest.raises(CertificateRefused, match="No secure connection"),
    ):
        upstream.calendars()


@pytest.mark.parametrize("url", ["https://no-such-host.invalid/", "http://127.0.0.1:1/"])
def test_a_host_that_cannot_be_reached_is_an_error_and_no_absence(url: str) -> None:
    with connected(url) as upstream:
        for asked in (upstream.calendars, lambda: listed(upstream, f"{url}cal/")):
            with pytest.raises(UpstreamError) as raised:
                asked()
            assert raised.value.remedy


@contextmanager
def dumb_server(*, sends: bytes) -> Iterator[str]:
    """Takes one connection, sends something, and then keeps silent until the end."""
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            taken, _ = listener.accept()
            with taken:
                taken.recv(65536)
                taken.sendall(sends)
                over.wait(30)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
        over.set()
        thread.join()


@pytest.mark.parametrize("sends", [b"", b"HTTP/1.1 207 Multi-Status\r\nContent-Length: 100\r\n\r\n<multistatus"])
def test_a_server_that_falls_silent_is_left_after_a_while(sends: bytes) -> None:
    with (
        dumb_server(sends=sends) as url,
        connected(url, limits=Limits(connect=5, read=0.2)) as upstream,
        pytest.raises(UpstreamUnavailable),
    ):
        upstream.calendars()


def test_an_answer_that_trickles_for_ever_is_left() -> None:
    seconds = iter(range(0, 10_000, 200))
    with small_server() as server, connected(server.site, clock=lambda: float(next(seconds))) as upstream:
        server.before = lambda _: Reply(207, b"x" * 500_000)
        with pytest.raises(UpstreamUnavailable, match="not complete after 300 s"):
            listed(upstream, server.calendar)


def test_an_answer_that_is_too_large_is_left() -> None:
    with small_server() as server, connected(server.site, limits=Limits(octets=1000)) as upstream:
        server.before = lambda _: Reply(207, b"x" * 1001)
        with pytest.raises(UpstreamUnavailable, match="larger than 1000 octets"):
            listed(upstream, server.calendar)


def test_a_server_that_wants_to_be_left_alone_says_for_how_long() -> None:
    with small_server() as server, connected(server.site) as upstream:
        server.before = lambda _: Reply(503, headers={"Retry-After": "77"})
        with pytest.raises(Throttled) as raised:
            listed(upstream, server.calendar)
        assert raised.value.after is not None
        assert raised.value.after.total_seconds() == 77


def test_a_calendar_is_named_by_its_address() -> None:
    with small_server() as server, connected(server.site) as upstream:
        for name in ("primary", "", "/cal/alice/work/"):
            with pytest.raises(AddressRefused, match="named by its address"):
                listed(upstream, name)
        assert not server.requests


def test_closing_before_anything_was_asked_harms_nothing() -> None:
    with connected("https://dav.example.org/") as upstream:
        assert "dav.example.org" not in repr(upstream)
        assert upstream.capabilities == upstream.capabilities


def test_sogo_is_known_by_its_addresses_to_overwrite() -> None:
    with small_server(Manners()) as server:
        with connected(f"{server.site}/SOGo/dav/") as upstream:
            assert not upstream.capabilities.exclusive_create
        with connected(server.site) as upstream:
            assert upstream.capabilities.exclusive_create


def test_a_redirect_to_what_is_no_web_address_is_an_error() -> None:
    with small_server() as server, connected(server.site) as upstream:
        for target in ("mailto:anna@example.org", "http://[x", "http://a:99999/"):
            server.before = lambda _, target=target: Reply(302, headers={"Location": target})  # type: ignore[misc]
            with pytest.raises(UpstreamUnavailable):
                listed(upstream, server.calendar)


@contextmanager
def closing_server(*, answers: int) -> Iterator[str]:
    """Answers the first request on each of so many connections, and closes when the second comes."""
    answer = b"HTTP/1.1 207 Multi-Status\r\nContent-Length: 2\r\n\r\nok"
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            for number in range(answers + 1):
                taken, _ = listener.accept()
                with taken:
                    taken.recv(65536)
                    if number < answers:
                        taken.sendall(answer)
                        taken.recv(65536)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
        thread.join()


def test_a_connection_that_the_server_closed_meanwhile_is_opened_again() -> None:
    with closing_server(answers=3) as url:
        wire = Wire(host="127.0.0.1", secure=False, user="alice", password="secret", verify=True, limits=Limits(read=5))
        for method in ("PROPFIND", "PUT", "DELETE"):
            assert wire.ask(method, url).body == b"ok"
        # One who closes each time is not asked for ever.
        with pytest.raises(UpstreamUnavailable):
            wire.ask("GET", url)
        wire.close()


def test_a_server_that_never_answered_is_asked_once() -> None:
    with closing_server(answers=0) as url, connected(url) as upstream, pytest.raises(UpstreamUnavailable):
        upstream.calendars()
