"""Starts programs that listen on loopback, waits until they do, and ends them with everything that they started."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.repository import unmeasured

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

_PATIENCE = 60.0
"""Seconds that a server may take to start on a machine under load."""

_GRACE = 1.0
"""Seconds that it has to end by itself; whatever it keeps is thrown away."""


@contextmanager
def reachable_folder() -> Iterator[Path]:
    """A new folder that every system account can reach, removed when the block ends; pytest's own are for one only."""
    folder = Path(tempfile.mkdtemp(prefix="calbridge-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def listening(
    command: Sequence[str | Path],
    port: int,
    *,
    log: Path,
    environ: Mapping[str, str] | None = None,
    account: Account | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    """A program that listens on `port` until the block ends; it and its children are ended then.

    Args:
        command: The program and what it is told.
        port: On which it will listen.
        log: Where its output goes; shown when it does not start.
        environ: Added to the environment.
        account: Under which system account it runs; None: under ours.
    """
    identity: dict[str, Any] = account.identity if account else {}
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=log.parent,
            env={**unmeasured(), **(environ or {})},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            **identity,
        )
    try:
        _wait_until(lambda: process.poll() is not None or takes_connections(port))
        assert process.poll() is None, f"{command[0]} did not start:\n{log.read_text(errors='replace')}"
        assert takes_connections(port), f"{command[0]} does not listen:\n{log.read_text(errors='replace')}"
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(_GRACE)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(_PATIENCE)


class Account:
    """A system account that a program runs under, where this process may choose one (it is root's right).

    Args:
        uid: Its number.
        groups: What else the program has to be a member of.
    """

    def __init__(self, uid: int, groups: Sequence[str] = ()) -> None:
        self.uid = uid
        self.groups = groups

    @property
    def identity(self) -> dict[str, Any]:
        """What `subprocess` has to be told; nothing where it is our own account anyway."""
        if self.uid == os.getuid():
            return {}
        return {"user": self.uid, "extra_groups": list(self.groups)}

    def give(self, *paths: Path) -> None:
        """Makes it the owner of `paths`."""
        for path in paths:
            os.chown(path, self.uid, -1)


def takes_connections(port: int) -> bool:
    """Whether somebody listens on `port`."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def _wait_until(happened: Callable[[], bool]) -> None:
    began, pause = time.monotonic(), threading.Event()
    while not happened() and time.monotonic() - began < _PATIENCE:
        pause.wait(0.02)
