"""The requests of one connection keep to a pace: so many in a minute, and so many at once."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from bridge.core.polling import Bucket
from bridge.errors import BrokenOff
from bridge.upstream.tally import count

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

_MINUTE_SECONDS = 60


class Pace:
    """Shared by everything that asks over one connection.

    After a pause half a minute's worth of requests may go at once.

    Args:
        rate: Requests in a minute in the long run.
        parallel: Requests at once.
        clock: Gives the present instant, UTC.
    """

    def __init__(self, *, rate: int, parallel: int, clock: Callable[[], datetime]) -> None:
        self._bucket = Bucket(rate / _MINUTE_SECONDS, max(1, rate // 2))
        self._clock = clock
        self._lock = threading.Lock()
        self._places = threading.BoundedSemaphore(parallel)
        self._end = threading.Event()

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Waits until a request may go, and counts it as under way until the block ends.

        Raises:
            BrokenOff: No further request may go.
        """
        with self._places:
            with self._lock:
                self._bucket, wait = self._bucket.take(self._clock())
            if wait:
                self._end.wait(wait.total_seconds())
            if self._end.is_set():
                raise BrokenOff("The program is to end, so nothing more is asked of the upstream.")
            count()
            yield

    def end(self) -> None:
        """Lets no further request go; those that wait end at once."""
        self._end.set()
