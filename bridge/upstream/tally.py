"""How many requests go to upstreams, counted for whoever wants to know, in whatever threads they are sent."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class Tally:
    """A count of requests.

    Attributes:
        requests: How many were sent so far.
    """

    def __init__(self) -> None:
        self.requests = 0
        self._lock = threading.Lock()

    def add(self) -> None:
        """Counts a request."""
        with self._lock:
            self.requests += 1


_tally: ContextVar[Tally | None] = ContextVar("tally", default=None)


@contextmanager
def counting() -> Iterator[Tally]:
    """A block whose requests are counted, also those of threads that run in a copy of its context."""
    tally = Tally()
    token = _tally.set(tally)
    try:
        yield tally
    finally:
        _tally.reset(token)


def count() -> None:
    """Counts a request that is about to be sent, where anybody counts."""
    tally = _tally.get()
    if tally is not None:
        tally.add()
