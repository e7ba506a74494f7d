from __future__ import annotations

import gzip
import socket
from contextlib import suppress
from datetime import timedelta
from threading import Thread

import pytest

from bridge.errors import ListingDoubtful, UpstreamUnavailable
from bridge.upstream.ics_url.fetching import Limits
from tests.upstream.ics_url.feed_server import Answer, event, feed, fetch, serving

BODY = feed(event("one"), event("two"))


def test_a_feed_that_is_packed_is_unpacked_also_in_several_members() -> None:
    packed = gzip.compress(BODY[:50]) + gzip.compress(BODY[50:])
    with serving(Answer(packed, headers={"Content-Encoding": "gzip"})) as server:
        assert fetch(server.url()) == BODY


def test_a_bomb_goes_off_nowhere() -> None:
    bomb = gzip.compress(b"\0" * 50_000_000, compresslevel=1)
    answer = Answer(bomb, headers={"Content-Encoding": "gzip"})
    with serving(answer) as server, pytest.raises(ListingDoubtful, match="longer than 1 MB"):
        fetch(server.url(), limits=Limits(octets=1_000_000))


def test_a_feed_may_be_as_long_as_the_limit_and_no_longer() -> None:
    with serving(BODY) as server:
        assert fetch(server.url(), limits=Limits(octets=len(BODY))) == BODY
        with pytest.raises(ListingDoubtful, match="longer than"):
            fetch(server.url(), limits=Limits(octets=len(BODY) - 1))


@pytest.mark.parametrize("coding", ["br", "gzip, gzip", "compress"])
def test_another_packing_than_was_asked_for_is_refused(coding: str) -> None:
    answer = Answer(BODY, headers={"Content-Encoding": coding})
    with serving(answer) as server, pytest.raises(ListingDoubtful, match="packs"):
        fetch(server.url())


@pytest.mark.parametrize(
    "packed",
    [gzip.compress(BODY, mtime=0)[:-5], BODY, gzip.compress(BODY, mtime=0)[:40] + b"\0" * 40],
    ids=["cut", "not packed", "harmed"],
)
def test_what_cannot_be_unpacked_to_its_end_is_refused(packed: bytes) -> None:
    with serving(Answer(packed, headers={"Content-Encoding": "gzip"})) as server, pytest.raises(ListingDoubtful):
        fetch(server.url())


def test_fewer_octets_than_announced_are_refused() -> None:
    short = Answer(BODY, headers={"Content-Length": str(len(BODY) + 1), "Connection": "close"})
    with serving(short) as server, pytest.raises(ListingDoubtful):
        fetch(server.url())


def test_a_server_that_falls_silent_is_given_up() -> None:
    silent = Limits(silence=timedelta(milliseconds=100))
    with serving(Answer(BODY, drip=20)) as server, pytest.raises(UpstreamUnavailable, match="in time"):
        fetch(server.url(), limits=silent)


@pytest.mark.parametrize(
    "sent",
    [
        b"H",
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n",
        b"HTTP/1.0 200 OK\r\n\r\nBEGIN:",
    ],
)
def test_a_server_that_sends_an_octet_now_and_then_is_given_up_all_the_same(sent: bytes) -> None:
    limits = Limits(total=timedelta(milliseconds=300))
    with dripping(sent) as port, pytest.raises(UpstreamUnavailable, match="in time"):
        fetch(f"http://127.0.0.1:{port}/", limits=limits)


def test_a_server_that_drips_while_tls_is_agreed_on_is_given_up() -> None:
    limits = Limits(total=timedelta(milliseconds=300))
    with dripping(b"\x16\x03\x03\x3f\xff\x02") as port, pytest.raises(UpstreamUnavailable, match="in time"):
        fetch(f"https://127.0.0.1:{port}/", limits=limits)


def test_a_server_that_hangs_up_is_broken_for_now() -> None:
    with dripping(b"", ends=True) as port, pytest.raises(UpstreamUnavailable, match="broke"):
        fetch(f"http://127.0.0.1:{port}/")


def test_a_server_that_speaks_no_http_is_broken_for_now() -> None:
    with dripping(b"220 mail.example.org ESMTP\r\n", ends=True) as port, pytest.raises(UpstreamUnavailable):
        fetch(f"http://127.0.0.1:{port}/")


class dripping:  # noqa: N801 -- used like a function
    """A server that sends some octets, and then one every 20 ms until the other side hangs up; or hangs up itself."""

    def __init__(self, first: bytes, *, ends: bool = False) -> None:
        self._first = first
        self._ends = ends
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._thread = Thread(target=self._serve)

    def __enter__(self) -> int:
        self._thread.start()
        return int(self._listener.getsockname()[1])

    def __exit__(self, *_: object) -> None:
        self._thread.join()
        self._listener.close()

    def _serve(self) -> None:
        connected, _ = self._listener.accept()
        with connected:
            connected.settimeout(0.02)
            with suppress(OSError):
                connected.sendall(self._first)
                while not self._ends and not self._is_left(connected):
                    connected.sendall(b"x")

    def _is_left(self, connected: socket.socket) -> bool:
        """Whether the other side has hung up."""
        try:
            while connected.recv(4096):
                pass
        except TimeoutError:
            return False
        return True
