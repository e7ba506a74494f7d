"""The proxy does each misdeed as it is named, once, where it was told to, and records what was asked."""

from __future__ import annotations

import http.client
import threading
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from tests.fakes.faults import (
    Misdeed,
    around,
    cut,
    drop_after,
    drop_before,
    empty,
    faults,
    html_page,
    method,
    slow,
    stale,
    status,
    twice,
    without,
    writes,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.fakes.faults import Proxy


class Counter(BaseHTTPRequestHandler):
    """Counts what it is asked, and answers with the count."""

    protocol_version = "HTTP/1.1"
    seen: list[tuple[str, bytes]]

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.seen.append((self.command, body))
        told = f"{len(self.seen):08}".encode()
        self.send_response(200)
        self.send_header("ETag", f'"{len(self.seen)}"')
        self.send_header("Content-Length", str(len(told)))
        self.end_headers()
        self.wfile.write(told)

    do_GET = do_PUT = answer  # noqa: N815 -- the names that the base class looks for

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture
def server() -> Iterator[ThreadingHTTPServer]:
    seen: list[tuple[str, bytes]] = []
    with ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (Counter,), {"seen": seen})) as running:
        running.daemon_threads = True
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield running
        running.shutdown()


@pytest.fixture
def seen(server: ThreadingHTTPServer) -> list[tuple[str, bytes]]:
    """What the real server was asked."""
    handler: Any = server.RequestHandlerClass
    seen: list[tuple[str, bytes]] = handler.seen
    return seen


@pytest.fixture
def proxy(server: ThreadingHTTPServer) -> Iterator[Proxy]:
    with faults(server.server_port) as proxy:
        yield proxy


def ask(proxy: Proxy, verb: str = "GET", body: bytes | None = None) -> tuple[int, bytes]:
    with closing(http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=30)) as connection:
        connection.request(verb, "/x", body)
        answer = connection.getresponse()
        return answer.status, answer.read()


def test_what_no_script_concerns_passes_as_it_came(proxy: Proxy, seen: list[tuple[str, bytes]]) -> None:
    assert ask(proxy, "PUT", b"body") == (200, b"00000001")
    assert seen == [("PUT", b"body")]
    assert [(each.method, each.path, each.body, each.number) for each in proxy.requests] == [("PUT", "/x", b"body", 1)]


def test_a_chunked_body_passes_whole(proxy: Proxy, seen: list[tuple[str, bytes]]) -> None:
    with closing(http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=30)) as connection:
        connection.request(
            "PUT", "/x", iter([b"one", b"two"]), encode_chunked=True, headers={"Transfer-Encoding": "chunked"}
        )
        assert connection.getresponse().status == 200

    assert seen == [("PUT", b"onetwo")]


@pytest.mark.parametrize(("misdeed", "reached"), [(drop_before(), 0), (drop_after(), 1)], ids=["before", "after"])
def test_a_dropped_request_is_done_or_not_but_never_answered(
    proxy: Proxy, seen: list[tuple[str, bytes]], misdeed: Misdeed, reached: int
) -> None:
    proxy.script(misdeed)

    with pytest.raises(http.client.RemoteDisconnected):
        ask(proxy)

    assert len(seen) == reached
    assert ask(proxy) == (200, f"{reached + 1:08}".encode())


def test_a_request_that_is_delivered_twice_reaches_the_server_twice(
    proxy: Proxy, seen: list[tuple[str, bytes]]
) -> None:
    proxy.script(twice())

    assert ask(proxy, "PUT", b"body") == (200, b"00000002")
    assert seen == [("PUT", b"body")] * 2
    assert proxy.counts == {"PUT": 1}


def test_a_body_is_cut_though_its_length_was_told(proxy: Proxy) -> None:
    proxy.script(cut())

    with pytest.raises(http.client.IncompleteRead) as raised:
        ask(proxy)

    assert raised.value.partial == b"0000"


def test_the_proxy_answers_by_itself_where_it_is_told_to(proxy: Proxy, seen: list[tuple[str, bytes]]) -> None:
    for misdeed in (html_page(), empty(), status(503, b"later", Retry_After="7")):
        proxy.script(misdeed)

    assert ask(proxy)[1].startswith(b"<!DOCTYPE html>")
    assert ask(proxy) == (200, b"")
    assert ask(proxy) == (503, b"later")
    assert seen == []


def test_a_slow_answer_comes_when_it_is_let_go(proxy: Proxy) -> None:
    until = threading.Event()
    answers: list[tuple[int, bytes]] = []
    proxy.script(slow(until), when=method("PUT"))
    thread = threading.Thread(target=lambda: answers.append(ask(proxy, "PUT")))
    thread.start()

    assert ask(proxy) == (200, b"00000001")
    assert answers == []
    until.set()
    thread.join(30)
    assert answers == [(200, b"00000002")]


def test_a_stale_answer_is_the_one_of_before(proxy: Proxy) -> None:
    assert ask(proxy) == (200, b"00000001")
    proxy.script(stale(), times=None)

    assert ask(proxy) == (200, b"00000001")
    assert ask(proxy, "PUT") == (200, b"00000002")
    proxy.behave()
    assert ask(proxy) == (200, b"00000003")


def test_a_header_is_left_out(proxy: Proxy) -> None:
    proxy.script(without("ETag"))

    for told in (None, '"2"'):
        with closing(http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=30)) as connection:
            connection.request("GET", "/x")
            assert connection.getresponse().headers["ETag"] == told


def test_something_happens_between_a_request_and_the_server(proxy: Proxy, seen: list[tuple[str, bytes]]) -> None:
    around_it: list[int] = []
    proxy.script(around(lambda _: around_it.append(len(seen)), lambda _, answer: around_it.append(answer.status)))

    ask(proxy)

    assert around_it == [0, 200]


def test_a_script_concerns_the_request_that_it_names(proxy: Proxy) -> None:
    proxy.script(status(500), at=3)
    proxy.script(status(507), when=writes, times=2)

    statuses = [ask(proxy, verb)[0] for verb in ("GET", "PUT", "GET", "PUT", "PUT")]

    assert statuses == [200, 507, 500, 507, 200]
    proxy.forget()
    assert proxy.requests == ()
    proxy.script(status(500), at=1)
    assert ask(proxy)[0] == 500


def test_one_connection_carries_several_requests(proxy: Proxy) -> None:
    with closing(http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=30)) as connection:
        for number in (1, 2):
            connection.request("GET", "/x")
            assert connection.getresponse().read() == f"{number:08}".encode()
