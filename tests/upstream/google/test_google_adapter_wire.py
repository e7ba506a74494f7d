"""How the adapter asks: with a token that may end, within limits, at a pace, and without telling secrets."""

from __future__ import annotations

import gzip
import json
import logging
import threading
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest
import requests

from bridge.core.polling import Bucket
from bridge.errors import LoginRefused, UpstreamUnavailable
from bridge.upstream.answers import Limits
from bridge.upstream.google.adapter import GoogleUpstream
from bridge.upstream.google.wire import LIMITS
from tests.contracts.upstream import Mirror, digest_of, request_id
from tests.contracts.upstream_samples import AMSTERDAM, new, parse, plain
from tests.fakes.google.fake import fake_google
from tests.upstream.google.connecting import USER, Pass, connect, new_calendar
from tests.upstream.google.series_edits import VERSIONS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.fakes.google.by_hand import ByHand
    from tests.fakes.google.fake import FakeGoogle

_QUOTA = 600
_PACE = 400
_EMPTY_LIST = {"kind": "calendar#calendarList", "etag": "x", "items": []}


def test_a_token_that_ends_anywhere_on_the_way_is_renewed_once_and_the_work_goes_on(
    google: FakeGoogle, page: ByHand
) -> None:
    version = new("a", VERSIONS["with two instances moved"])
    wanted = digest_of(connect(google).create(page.id, version, request_id()))
    for number in range(5):
        access = Pass([google.token(USER), google.token(USER)])
        upstream = connect(google, access=access)
        asked = count()
        first = access.tokens[0]
        google.script(_refusing(first), when=lambda _: next(asked) >= number, times=None)  # noqa: B023 -- called at once

        stored = upstream.create(page.id, version, request_id())

        google.behave()
        assert digest_of(stored) == wanted
        assert access.refusals == [first]


def test_a_login_that_stays_refused_is_asked_twice_and_no_more(google: FakeGoogle, page: ByHand) -> None:
    access = Pass(["stale", "stale too"])
    upstream = connect(google, access=access)
    google.forget()

    with pytest.raises(LoginRefused) as raised:
        list(upstream.changes(page.id, None))

    assert len(google.requests) == 2
    assert access.refusals == ["stale"]
    assert raised.value.remedy


def test_no_token_shows_anywhere(google: FakeGoogle, page: ByHand, caplog: pytest.LogCaptureFixture) -> None:
    token = google.token(USER)
    access = Pass([token])
    upstream = connect(google, access=access)
    caplog.set_level(logging.DEBUG)

    upstream.create(page.id, plain("a"), request_id())
    google.script(_refusing(token), times=None)
    with pytest.raises(LoginRefused) as raised:
        upstream.calendars()

    for text in (repr(upstream), caplog.text, str(raised.value), repr(raised.value)):
        assert token not in text
    assert "Haircut" not in caplog.text


def test_a_password_file_of_the_machine_is_not_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    with _server(json.dumps(_EMPTY_LIST).encode()) as server, closing(_alone(server.port)) as upstream:
        upstream.calendars()

        assert server.seen == ["Bearer good"]


def test_an_answer_that_is_compressed_is_read(google: FakeGoogle) -> None:
    assert google.misuses == []
    body = gzip.compress(json.dumps(_EMPTY_LIST).encode())
    with _server(body, ("Content-Encoding", "gzip")) as server, closing(_alone(server.port)) as upstream:
        assert list(upstream.calendars()) == []


def test_an_answer_that_is_too_large_once_unpacked_is_not_read() -> None:
    body = gzip.compress(b" " * 4_000_000)
    with (
        _server(body, ("Content-Encoding", "gzip")) as server,
        closing(_alone(server.port, Limits(octets=1_000_000))) as upstream,
        pytest.raises(UpstreamUnavailable, match="larger than"),
    ):
        upstream.calendars()


def test_an_answer_that_takes_too_long_as_a_whole_is_given_up() -> None:
    ticks = count(step=200)
    with (
        _server(json.dumps(_EMPTY_LIST).encode()) as server,
        closing(_alone(server.port, Limits(whole=100.0), clock=lambda: float(next(ticks)))) as upstream,
        pytest.raises(UpstreamUnavailable, match="not complete"),
    ):
        upstream.calendars()


@pytest.mark.parametrize("body", [b"[]", b"null", b'"x"', b'{"kind":"other"}', b"{" * 100_000, b"\xff\xfe", b""])
def test_an_answer_that_is_not_google_s_is_nothing_to_conclude_from(body: bytes) -> None:
    with _server(body) as server, closing(_alone(server.port)) as upstream:
        with pytest.raises(UpstreamUnavailable):
            upstream.calendars()
        with pytest.raises(UpstreamUnavailable):
            list(upstream.changes("primary", None))
        with pytest.raises(UpstreamUnavailable):
            list(upstream.fetch("primary", ["a"]))


def test_a_redirect_is_not_followed_with_the_token() -> None:
    with _server(b"") as other, _server(b"", ("Location", other.url), status=302) as server:
        with closing(_alone(server.port)) as upstream, pytest.raises(UpstreamUnavailable):
            upstream.calendars()

        assert other.seen == []


def test_in_no_minute_more_is_asked_than_the_quota_allows() -> None:
    now = datetime(2026, 11, 21, 10, tzinfo=UTC)
    clock = _Clock(now)
    with fake_google(clock=lambda: clock.now, serve=False) as google:
        page = new_calendar(google)
        google.quota.per_user = _QUOTA
        upstream = connect(google, turn=clock.turn)
        clock.now += timedelta(hours=1)

        for number in range(1_000):
            upstream.create(page.id, plain(f"no-{number}"), request_id())

        assert {each.status for each in google.requests} == {200}
        took = clock.now - now - timedelta(hours=1)
        assert took < timedelta(seconds=1_000 * 60 / _PACE)
        assert len(Mirror(upstream, page.id).etags) == 1_000


def test_every_request_waits_for_its_turn(google: FakeGoogle, page: ByHand) -> None:
    taken: list[int] = []

    @contextmanager
    def turn() -> Iterator[None]:
        taken.append(len(google.requests))
        yield

    upstream = connect(google, turn=turn)
    google.forget()
    stored = upstream.create(page.id, new("a", VERSIONS["with two instances moved"]), request_id())
    upstream.remove(page.id, stored.remote_id, if_match=stored.etag)
    upstream.calendars()

    assert taken == list(range(len(google.requests)))


class _Clock:
    """Time that goes on only where a request has to wait; the same bucket that `Pace` keeps."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self._bucket = Bucket(_PACE / 60, _PACE // 2)

    @contextmanager
    def turn(self) -> Iterator[None]:
        self._bucket, wait = self._bucket.take(self.now)
        self.now += wait
        yield


def _refusing(token: str) -> Any:
    def done(asked: Any, go: Any) -> Any:
        if asked.headers.get("authorization") == f"Bearer {token}":
            asked = type(asked)(asked.method, asked.path, {"authorization": "Bearer over"}, asked.body)
        return go(asked)

    return done


class _Server:
    def __init__(self, port: int, seen: list[str]) -> None:
        self.port = port
        self.seen = seen
        self.url = f"http://127.0.0.1:{port}/"


@contextmanager
def _server(body: bytes, *headers: tuple[str, str], status: int = 200) -> Iterator[_Server]:
    """Answers everything alike."""
    seen: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append(self.headers.get("Authorization", ""))
            self.send_response(status)
            for name, value in (("Content-Length", str(len(body))), *headers):
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield _Server(server.server_port, seen)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _alone(port: int, limits: Limits = LIMITS, **further: Any) -> GoogleUpstream:
    return GoogleUpstream(
        access=Pass(["good"]),
        parse=parse,
        zone=AMSTERDAM,
        endpoint=f"http://127.0.0.1:{port}/calendar/v3/",
        limits=limits,
        session=requests.Session,
        **further,
    )
