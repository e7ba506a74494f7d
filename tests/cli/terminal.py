"""Somebody at a terminal: reads what a command asks, and types."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from tests.repository import TOP

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_PATIENCE_SECONDS = 60.0
_COLOUR = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Terminal:
    """One command at a terminal."""

    def __init__(self, process: subprocess.Popen[bytes], descriptor: int) -> None:
        self._process = process
        self._descriptor = descriptor
        self._read = 0
        self.text = ""

    def expect(self, pattern: str) -> None:
        """Waits until this stands on the screen behind what was waited for before; fails where it never does."""
        until = time.monotonic() + _PATIENCE_SECONDS
        while (found := re.compile(pattern).search(self.text, self._read)) is None:
            more = self._more(until)
            assert more, f"{pattern!r} is not on the screen:\n{self.text}"
        self._read = found.end()

    def type(self, line: str) -> None:
        os.write(self._descriptor, f"{line}\n".encode())

    def end(self) -> int:
        """Waits for the end of the command, and gives its exit code."""
        while self._more(time.monotonic() + _PATIENCE_SECONDS):
            pass
        return self._process.wait(_PATIENCE_SECONDS)

    def _more(self, until: float) -> bool:
        octets = b""
        if select.select([self._descriptor], [], [], max(0.0, until - time.monotonic()))[0]:
            # The end of the command is an error on Linux.
            with suppress(OSError):
                octets = os.read(self._descriptor, 65536)
        self.text += _COLOUR.sub("", octets.decode(errors="replace")).replace("\r\n", "\n")
        return bool(octets)


@contextmanager
def terminal(command: Sequence[str], environment: Mapping[str, str]) -> Iterator[Terminal]:
    """Runs a command at a terminal of its own."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        command,
        cwd=TOP,
        env={**environment, "TERM": "xterm", "COLUMNS": "200"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    try:
        yield Terminal(process, ours)
    finally:
        process.kill()
        process.wait()
        os.close(ours)
