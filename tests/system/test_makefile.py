"""Tests the commands that stand at the top of the README, as a person types them in a fresh clone."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from contextlib import closing, contextmanager
from typing import IO, TYPE_CHECKING

import pytest

from tests.repository import TOP, copy_to

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ENDED_BY_CTRL_C = 130


def a_persons_environment() -> dict[str, str]:
    """Returns the environment without what this test session put into it."""
    left_out = ("COV", "MAKE", "MFLAGS", "PYTEST", "PYTHON", "VIRTUAL_ENV")
    return {name: value for name, value in os.environ.items() if not name.startswith(left_out)}


def make(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["make", *words], cwd=folder, env=a_persons_environment(), capture_output=True, text=True, check=False
    )


def script(folder: Path, text: str) -> Path:
    """Writes a program that stands in for a Python that cannot do what is needed."""
    path = folder / "a-python"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def test_make_alone_lists_every_command() -> None:
    targets = re.findall(r"^\.PHONY: (\S+)$", (TOP / "Makefile").read_text(), re.MULTILINE)
    shown = make(TOP).stdout

    assert {"run", "test", "check", "bench"} <= set(targets)
    assert [target for target in targets if f"make {target} " not in shown] == []


def test_a_machine_without_python_is_told_what_to_install(tmp_path: Path) -> None:
    answer = make(TOP, "run", "PYTHON=no-such-python", f"VENV={tmp_path}/venv")

    assert answer.returncode != 0
    assert "there is no 'no-such-python' here. On Debian: apt-get install python3 python3-venv" in answer.stderr


def test_a_python_that_is_too_old_is_named(tmp_path: Path) -> None:
    old = script(tmp_path, """case "$2" in *print*) echo 3.9;; *) exit 1;; esac""")
    answer = make(TOP, "run", f"PYTHON={old}", f"VENV={tmp_path}/venv")

    assert answer.returncode != 0
    assert f"Calbridge needs Python 3.11 or newer; '{old}' is 3.9." in answer.stderr


def test_a_debian_without_python3_venv_is_told_the_package(tmp_path: Path) -> None:
    bare = script(tmp_path, """case "$2" in *ensurepip*) exit 1;; *print*) echo 3.11;; esac""")
    answer = make(TOP, "run", f"PYTHON={bare}", f"VENV={tmp_path}/venv")

    assert answer.returncode != 0
    assert "On Debian: apt-get install python3-venv (or python3.11-venv)" in answer.stderr


@pytest.mark.index
def test_one_command_serves_the_demo_from_a_fresh_clone_until_ctrl_c(tmp_path: Path) -> None:
    copy_to(tmp_path)
    port = unused_port()

    with make_run(tmp_path, port) as (running, printed):
        addresses = demo_lines(printed)
        assert addresses["caldav"].startswith(f"http://127.0.0.1:{port}/")
        with urllib.request.urlopen(addresses["feed"], timeout=30) as feed:
            assert feed.read().startswith(b"BEGIN:VCALENDAR\r\n")
        assert healthcheck(port) == 0
        os.killpg(running.pid, signal.SIGINT)
        _, complaints = running.communicate(timeout=60)

    assert "Installing" in complaints
    assert "Traceback" not in complaints
    # A make that is interrupted ends its server first, then dies of the same signal; a shell calls that 130.
    assert running.returncode in {0, ENDED_BY_CTRL_C, -signal.SIGINT}

    with make_run(tmp_path, port) as (running, printed):
        again = demo_lines(printed)
        os.killpg(running.pid, signal.SIGINT)
        _, complaints = running.communicate(timeout=60)

    assert again == addresses
    assert "Installing" not in complaints


def unused_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as unused:
        port: int = unused.getsockname()[1]
    return port


@contextmanager
def make_run(folder: Path, port: int) -> Iterator[tuple[subprocess.Popen[str], IO[str]]]:
    """Types `make run` in a terminal's own process group, as Ctrl-C reaches all of it."""
    running = subprocess.Popen(
        ["make", "run", f"PORT={port}"],
        cwd=folder,
        env=a_persons_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert running.stdout
    try:
        yield running, running.stdout
    finally:
        if running.poll() is None:
            os.killpg(running.pid, signal.SIGKILL)
            running.communicate()


def demo_lines(printed: IO[str]) -> dict[str, str]:
    """Returns the first value of each of the demo's lines, read until there is one of each."""
    found: dict[str, str] = {}
    for line in printed:
        word, _, value = line.strip().partition(": ")
        if word in {"caldav", "user", "password", "feed"}:
            found.setdefault(word, value)
        if len(found) == len(("caldav", "user", "password", "feed")):
            return found
    pytest.fail(f"`make run` ended after it had printed {found}")


def healthcheck(port: int) -> int:
    """Returns the exit status of the container image's healthcheck for the server on this port."""
    return subprocess.run(
        [sys.executable, TOP / "docker/healthcheck"],
        env={"CALBRIDGE_HEALTH_URL": f"http://127.0.0.1:{port}/healthz"},
        check=False,
    ).returncode
