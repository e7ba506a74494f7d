"""Tests `worker`: rules are kept without a server, by any number of processes on one PostgreSQL."""

from __future__ import annotations

import signal
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

import pytest

from bridge import bootstrap
from tests.cli.conftest import Installation, event
from tests.cli.remote import Remote, events, remote
from tests.postgresql import running_postgresql
from tests.repository import TOP, unmeasured
from tests.system.process import PATIENCE, eventually

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.upstream.servers.caldav_server import CalDAVServer


@contextmanager
def working(config: Path, name: str = "worker") -> Iterator[subprocess.Popen[bytes]]:
    """`calbridge worker` in a process of its own, from when it says that it works."""
    log_path = config.parent / f"{name}.log"
    with log_path.open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "bridge", "worker", "--config", config],
            cwd=TOP,
            env=unmeasured(),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        eventually(lambda: b'"working"' in log_path.read_bytes(), "the worker works")
        yield process
    finally:
        process.kill()
        process.wait(PATIENCE)


def stop(process: subprocess.Popen[bytes]) -> int:
    process.send_signal(signal.SIGTERM)
    return process.wait(PATIENCE)


def test_a_worker_keeps_the_rules_and_takes_up_what_changes_in_the_file(clinic: Remote) -> None:
    clinic.put_here(event("before"))
    with working(clinic.installation.config) as process:
        eventually(lambda: "before" in clinic.there(), "what was there before is sent")
        clinic.put_here(event("after", "Colour"))
        eventually(lambda: "after" in clinic.there(), "what is new is sent")

        clinic.configure(clinic.rule_line(options="poll: 1s"))
        clinic.put_there(event("theirs", "Theirs"))
        eventually(lambda: "theirs" in clinic.here(), "what is new there comes here")
        assert stop(process) == 0
    assert clinic.rule().lease_owner is None


@pytest.fixture
def on_postgresql(installation: Installation, radicale_server: CalDAVServer) -> Iterator[Remote]:
    """The installation on PostgreSQL, with several rules."""
    with running_postgresql() as server:
        config = installation.config
        url = server.url(server.make_database())
        config.write_text(config.read_text().replace("sqlite:///data/calbridge.sqlite3", f'"{url}"'))
        made = remote(installation, radicale_server)
        made.configure(made.rule_line(options="poll: 1s"))
        bootstrap.initialise(config).database.close()
        made.connect()
        yield made


def test_workers_on_one_postgresql_share_the_work_and_double_nothing(on_postgresql: Remote) -> None:
    with ExitStack() as stack:
        first, second = (
            stack.enter_context(working(on_postgresql.installation.config, f"worker-{number}")) for number in (1, 2)
        )
        for start in range(0, 12, 4):
            on_postgresql.put_here(*events(4, first=start))
        on_postgresql.put_there(event("theirs", "Theirs"))
        eventually(lambda: len(on_postgresql.there()) == 13, "everything is sent")
        eventually(lambda: len(on_postgresql.here()) == 13, "everything has come")
        assert stop(first) == 0

        on_postgresql.put_here(event("late", "Late"))
        eventually(lambda: "late" in on_postgresql.there(), "the other goes on")
        assert stop(second) == 0
    assert on_postgresql.here() == on_postgresql.there()
