"""Stops the server as service managers and people do: what runs is finished, and nothing is left behind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from tests.repository import TOP, unmeasured
from tests.system.process import (
    CALENDAR,
    PASSWORD,
    PATIENCE,
    Client,
    Server,
    event,
    eventually,
    running,
    settings,
    unused_port,
)

if TYPE_CHECKING:
    from pathlib import Path

ENDED_BY_CTRL_C = 130


def is_free(port: int) -> bool:
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True


def begin_put(client: Client, href: str, body: bytes) -> None:
    """Sends a request but for the last byte of its body."""
    connection = client.connection
    connection.putrequest("PUT", href)
    for name, value in client.always.items():
        connection.putheader(name, value)
    connection.putheader("Content-Length", str(len(body)))
    connection.endheaders()
    connection.send(body[:-1])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("workers", [1, 2])
def test_a_request_that_runs_is_answered_before_the_end(tmp_path: Path, number: signal.Signals, workers: int) -> None:
    configuration = settings()
    configuration["server"]["workers"] = workers
    with running(tmp_path, configuration) as server:
        body = event("1")
        eventually(lambda: bool(server.events("serving")), "the server says where it answers")
        with closing(server.client()) as client, closing(server.client()) as idle:
            assert idle.ask("GET", "/healthz").status == 200
            begin_put(client, f"{CALENDAR}1.ics", body)
            server.send(number)
            eventually(lambda: bool(server.events("stopping")), "the server stops")
            client.connection.send(body[-1:])
            assert client.connection.getresponse().status == 201
        status = server.wait()

        assert status in ({0, ENDED_BY_CTRL_C} if number is signal.SIGINT else {0})
        assert [each["event"] for each in server.events()] == ["serving", "stopping", "stopped"]
        assert "Traceback" not in server.log
        assert is_free(server.port)
        server.start()
        assert server.ask("GET", f"{CALENDAR}1.ics").body == body


def test_ctrl_c_in_a_terminal_reaches_every_process_and_is_no_failure(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        os.killpg(server.pid, signal.SIGINT)

        assert server.wait() in {0, ENDED_BY_CTRL_C}
        assert "Traceback" not in server.log
        assert is_free(server.port)


def test_a_server_that_has_only_begun_to_start_stops_too(tmp_path: Path) -> None:
    configuration = settings()
    server = Server(tmp_path, configuration)
    try:
        server.launch()
        # Its workers are there, and have not taken a connection yet.
        eventually(lambda: server.workers() != [], "there is a worker")
        server.send(signal.SIGTERM)

        assert server.wait() == 0
        assert is_free(server.port)
    finally:
        server.kill()


def test_a_worker_that_dies_is_replaced(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        (worker,) = server.workers()
        os.kill(worker, signal.SIGKILL)
        eventually(lambda: server.workers() not in ([], [worker]), "there is another worker")
        eventually(server.takes_connections, "the server takes connections")

        assert server.ask("PUT", f"{CALENDAR}1.ics", event("1")).status == 201
        assert server.stop() == 0


def test_the_log_says_where_the_server_answers(tmp_path: Path) -> None:
    configuration = settings()
    port = unused_port()
    configuration["server"] = {"listen": f"localhost:{port}", "path_prefix": "/cal"}
    with running(tmp_path, configuration) as server:
        eventually(lambda: bool(server.events("serving")), "the server says where")
        (said,) = server.events("serving")

        assert said["address"] == f"http://localhost:{port}/cal/"


IN_A_TERMINAL = """
import fcntl, os, sys, termios
from pathlib import Path
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
from bridge.bootstrap import initialise, serve
initialise(Path(sys.argv[1])).database.close()
serve(Path(sys.argv[1]))
"""


def test_a_server_ends_with_the_terminal_that_it_was_started_in(tmp_path: Path) -> None:
    server = Server(tmp_path)
    ours, theirs = os.openpty()
    started = subprocess.Popen(
        [sys.executable, "-c", IN_A_TERMINAL, server.path],
        cwd=TOP,
        env={**unmeasured(), "ANNAS_PASSWORD": PASSWORD},
        stdin=theirs,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    os.close(theirs)
    try:
        eventually(lambda: not is_free(server.port), "the server takes connections")
        os.close(ours)

        assert started.wait(PATIENCE) == 0
        assert is_free(server.port)
    finally:
        if started.poll() is None:
            os.killpg(started.pid, signal.SIGKILL)
            started.wait(PATIENCE)
