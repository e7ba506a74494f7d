"""Whoever is slow, or sits on the database, gets no more than a share of the threads: everybody else is answered."""

from __future__ import annotations

import base64
import socket
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING

import pytest

from tests.system.process import CALENDAR, PASSWORD, Server, event, eventually, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

THREADS, CROWD = 16, 20
SOON = 6.0
"""Seconds within which a server under load answers; one that is jammed takes longer, or for ever."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder: Path = tmp_path_factory.mktemp("jams")
    with running(folder) as started:
        # The login is known from here on, and costs no time.
        assert started.ask("PUT", f"{CALENDAR}first.ics", event("first")).status == 201
        yield started


def is_healthy(server: Server) -> bool:
    """Whether the server answers soon that it is there."""
    with closing(server.client(user="")) as client:
        client.connection.timeout = SOON
        try:
            return client.ask("GET", "/healthz").status == 200
        except TimeoutError:
            return False


def slow_upload(server: Server, name: str) -> socket.socket:
    """Sends the beginning of a PUT, and no more."""
    login = base64.b64encode(f"anna:{PASSWORD}".encode()).decode()
    sender = socket.create_connection(("127.0.0.1", server.port), timeout=SOON)
    head = f"PUT {CALENDAR}{name}.ics HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic {login}\r\n"
    sender.sendall(f"{head}Content-Length: 1000\r\n\r\nBEGIN".encode())
    return sender


def test_uploads_that_never_end_leave_threads_for_everybody_else(server: Server) -> None:
    with ExitStack() as senders:
        slow = [senders.enter_context(slow_upload(server, f"slow{number}")) for number in range(CROWD)]
        assert is_healthy(server)
        assert server.ask("GET", f"{CALENDAR}first.ics").status == 200

        refused = [answer for answer in map(_beginning, slow) if answer]
        assert len(refused) >= CROWD - THREADS // 2
        assert all(b" 503 " in answer.partition(b"\r\n")[0] for answer in refused)
        assert all(b"retry-after: " in answer.lower() for answer in refused)
    eventually(
        lambda: server.ask("PUT", f"{CALENDAR}after.ics", event("after")).status in {201, 204},
        "places are free again when the slow ones have gone",
    )


def test_a_locked_database_leaves_threads_for_everybody_else(server: Server) -> None:
    def put(number: int) -> tuple[int, float]:
        began = time.monotonic()
        status = server.ask("PUT", f"{CALENDAR}locked{number}.ics", event(f"locked{number}")).status
        return status, time.monotonic() - began

    with (
        closing(sqlite3.connect(server.database_file, isolation_level=None)) as other,
        ThreadPoolExecutor(CROWD) as crowd,
    ):
        other.execute("BEGIN IMMEDIATE")
        writers = [crowd.submit(put, number) for number in range(CROWD)]
        # Some have been turned away, and the rest waits.
        eventually(lambda: any(writer.done() for writer in writers), "some are turned away", within=SOON)
        assert is_healthy(server)
        assert server.ask("GET", f"{CALENDAR}first.ics").status == 200
        answers = [writer.result() for writer in writers]
        other.execute("ROLLBACK")

    assert {status for status, _ in answers} == {503}
    assert max(seconds for _, seconds in answers) < 20
    assert put(0)[0] == 201


def test_each_line_of_the_log_is_an_event(server: Server) -> None:
    assert all(line.startswith("{") for line in server.log.splitlines())


def _beginning(sender: socket.socket) -> bytes:
    """What the server has answered by now; empty where it still waits for the rest."""
    sender.settimeout(0.1)
    try:
        return sender.recv(4096)
    except TimeoutError:
        return b""
