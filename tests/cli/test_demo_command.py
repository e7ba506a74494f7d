"""Tests `demo` as a newcomer meets it: over real sockets, twice, and ended by Ctrl-C."""

from __future__ import annotations

import base64
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import icalendar
import pytest

from bridge.cli.demo import make_password
from bridge.cli.demo_upstream import PORT_VARIABLE
from tests.repository import TOP, unmeasured

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_LINES = 9


@contextmanager
def demo(folder: Path, port: int, upstream_port: int) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    """Runs the demo in a terminal's own process group, until its lines have been printed."""
    with subprocess.Popen(
        [sys.executable, "-m", "bridge", "demo", "--port", str(port), "--folder", folder],
        cwd=TOP,
        env=environment(upstream_port),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as running:
        try:
            assert running.stdout
            yield running, [running.stdout.readline().rstrip("\n") for _ in range(_LINES)]
        finally:
            if running.poll() is None:
                os.killpg(running.pid, signal.SIGKILL)


def environment(upstream_port: int) -> dict[str, str]:
    """One in which no other demo on this machine takes the port."""
    return unmeasured() | {PORT_VARIABLE: str(upstream_port)}


def unused_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as unused:
        port: int = unused.getsockname()[1]
    return port


def end(running: subprocess.Popen[str]) -> int:
    """Types Ctrl-C, which reaches every process of the terminal."""
    os.killpg(running.pid, signal.SIGINT)
    _, logged = running.communicate(timeout=60)
    assert "Traceback" not in logged
    assert '"error"' not in logged
    return running.returncode


def test_a_newcomer_finds_calendars_and_feeds_and_finds_them_again(tmp_path: Path) -> None:
    port, upstream_port = unused_port(), unused_port()
    with demo(tmp_path, port, upstream_port) as (running, lines):
        assert [line.partition(": ")[0] for line in lines] == [
            *("caldav", "user", "password", "feed", "feed", "feed"),
            *("upstream", "upstream user", "upstream password"),
        ]
        caldav, user, password, *feeds = [line.partition(": ")[2] for line in lines[:6]]
        assert caldav == f"http://127.0.0.1:{port}/dav/"

        with urllib.request.urlopen(feeds[0], timeout=30) as answer:
            first = icalendar.Calendar.from_ical(answer.read())
        titles = {str(event["SUMMARY"]) for event in first.walk("VEVENT")}
        assert {"Team meeting", "Team meeting (in the afternoon)", "Day off", "Training: new products"} <= titles
        assert feeds[0].endswith("/anna.ics")

        listing = propfind(caldav + user + "/", user, password)
        assert re.findall(r"<displayname>([^<]+)</displayname>", listing) == ["Anna de Vries", "Room 1", "Laser"]
        assert end(running) == 0

    with demo(tmp_path, port, upstream_port) as (running, again):
        assert again == lines
        assert end(running) == 0


def propfind(url: str, user: str, password: str) -> str:
    word = base64.b64encode(f"{user}:{password}".encode()).decode()
    request = urllib.request.Request(
        url,
        method="PROPFIND",
        headers={"Authorization": f"Basic {word}", "Depth": "1"},
        data=b"<propfind xmlns='DAV:'><prop><displayname/></prop></propfind>",
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return str(answer.read().decode())


def test_a_port_that_is_taken_ends_the_demo_with_a_sentence(tmp_path: Path) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        answer = subprocess.run(
            [sys.executable, "-m", "bridge", "demo", "--port", str(port), "--folder", tmp_path],
            cwd=TOP,
            capture_output=True,
            text=True,
            check=False,
        )

    assert (answer.returncode, answer.stdout) == (1, "")
    assert answer.stderr == f"Another program listens on 127.0.0.1:{port} already.\nStop it, or choose another port.\n"


def test_the_password_of_the_demo_can_be_read_out() -> None:
    assert re.fullmatch(r"([a-z]{4}-){3}[a-z]{4}", make_password())
    assert make_password() != make_password()


@pytest.mark.parametrize("second", [0, 1])
def test_ctrl_c_ends_the_demo_at_once_whenever_it_comes(tmp_path: Path, second: int) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "bridge", "demo", "--port", str(unused_port()), "--folder", tmp_path],
        cwd=TOP,
        env=environment(unused_port()),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as running:
        try:
            if second:
                assert running.stdout
                running.stdout.readline()
            else:
                # The password is written long before the server starts.
                while not (tmp_path / "data/demo-password").exists():
                    assert running.poll() is None
            code = end(running)
        finally:
            if running.poll() is None:
                os.killpg(running.pid, signal.SIGKILL)

    assert code in {0, 130}
