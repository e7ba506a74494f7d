"""The requests of one connection keep to a pace: so many in a minute, and so many at once."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from bridge.core.model import BEGINNING
from bridge.core.polling import Bucket
from bridge.errors import BrokenOff
from bridge.upstream.tally import count

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

KEPT: Final = timedelta(seconds=1)
"""For so long what was taken out of a shared budget may be used; after it, it is left unused."""

_MINUTE = timedelta(minutes=1)
_MOST_AT_ONCE = 5


class Pace:
    """Shared by everything that asks over one connection.

    After a pause half a minute's worth of requests may go at once, or as many as the bucket holds that is given.

    Args:
        rate: Requests in a minute in the long run.
        parallel: Requests at once.
        clock: Gives the present instant, UTC.
        bucket: What requests are taken out of, in place of one of `rate`.
        shared: Takes so many requests out of a budget that other processes have their requests from too, and gives the
            instant from which they may go; None: no other process asks over this connection.
        pause: Waits until an instant; None: as time goes by, and no longer than until the pace ends.
    """

    def __init__(
        self,
        *,
        rate: int,
        parallel: int,
        clock: Callable[[], datetime],
        bucket: Bucket | None = None,
        shared: Callable[[int], datetime] | None = None,
        pause: Callable[[datetime], object] | None = None,
    ) -> None:
        self._bucket = bucket or Bucket(rate / _MINUTE.total_seconds(), max(1, rate // 2))
        self._clock = clock
        self._shared = shared
        self._end = threading.Event()
        self._pause = pause or self._wait
        self._lock = threading.Lock()
        self._places = threading.BoundedSemaphore(parallel)
        # Each look at a shared budget costs a write, so a second's worth is taken at once where that is more than one.
        self._at_once = max(1, min(_MOST_AT_ONCE, self._bucket.burst, int(self._bucket.rate)))
        self._stock = 0
        self._from = BEGINNING

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Waits until a request may go, and counts it as under way until the block ends.

        Raises:
            BrokenOff: No further request may go.
            StoreError: The budget that is shared with other processes could not be read or written.
        """
        with self._places:
            with self._lock:
                ready = self._take()
            if ready > self._clock():
                self._pause(ready)
            if self._end.is_set():
                raise BrokenOff("The program is to end, so nothing more is asked of the upstream.")
            count()
            yield

    def end(self) -> None:
        """Lets no further request go; those that wait end at once."""
        self._end.set()

    def _wait(self, until: datetime) -> None:
        self._end.wait((until - self._clock()).total_seconds())

    def _take(self) -> datetime:
        """Takes a request out of the budget, and gives the instant from which it may go."""
        now = self._clock()
        if self._shared is None:
            self._bucket, wait = self._bucket.take(now)
            return now + wait
        if not self._stock or not self._from - _MINUTE <= now <= self._from + KEPT:
            self._from, self._stock = self._shared(self._at_once), self._at_once
        self._stock -= 1
        return self._from
