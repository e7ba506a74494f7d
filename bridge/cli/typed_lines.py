"""Lines that a person may type while something else is waited for."""

from __future__ import annotations

import io
import os
import select
import sys


class TypedLines:
    """Reads standard input without waiting, and takes no more of it than whole lines that were asked for."""

    def __init__(self) -> None:
        self._text = b""
        self._ended = False
        try:
            self._descriptor: int | None = sys.stdin.fileno()
        except (io.UnsupportedOperation, OSError, ValueError):
            self._descriptor = None

    def next(self, *, within: float) -> str | None:
        """The next line without its end; None where none has come within so many seconds, or none will come."""
        if self._descriptor is None:
            # What is no file has all of its lines at hand.
            line = sys.stdin.readline()
            return line.rstrip("\r\n") if line else None
        while not self._ended and select.select([self._descriptor], [], [], within)[0]:
            # One by one: what follows the line is for whoever asks next.
            octet = os.read(self._descriptor, 1)
            if octet in {b"", b"\n"}:
                line, self._text, self._ended = self._text.decode(errors="replace"), b"", not octet
                return line.rstrip("\r") if octet or line else None
            self._text += octet
        return None

    @property
    def may_come(self) -> bool:
        """Whether there may be another line."""
        return self._descriptor is not None and not self._ended
