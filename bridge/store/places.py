"""A few at once, a few more in line: nobody who is slow keeps every thread waiting."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class NoPlace(Exception):
    """No place became free in time."""


class Places:
    """Places that threads hold for a moment, and a line of bounded length before them.

    Whoever finds the line full still waits while those in front get on, and is turned away as soon as one is stuck: a
    crowd is served, and a jam leaves threads free for everything else.

    Args:
        at_once: How many may hold a place.
        each: How many of them may belong to the same person; 0 is all.
        in_line: How many may wait for as long as `patience`.
        patience: Seconds.
        stuck: Seconds after which a place that is still held moves on no more.
    """

    def __init__(self, at_once: int, *, each: int = 0, in_line: int, patience: float, stuck: float) -> None:
        self._at_once = max(1, at_once)
        self._each = max(1, each or at_once)
        self._in_line = in_line
        self._patience = patience
        self._stuck = stuck
        self._changed = threading.Condition()
        self._line: dict[object, str] = {}
        self._held: dict[object, tuple[str, float]] = {}

    @contextmanager
    def one(self, whose: str = "") -> Iterator[float]:
        """Holds a place until the block ends; gives the seconds of patience that are left.

        Raises:
            NoPlace: None became free in time.
        """
        ticket = object()
        left = self._take(ticket, whose)
        try:
            yield left
        finally:
            with self._changed:
                del self._held[ticket]
                self._changed.notify_all()

    def _take(self, ticket: object, whose: str) -> float:
        began = time.monotonic()
        with self._changed:
            is_over = len(self._line) >= self._in_line
            self._line[ticket] = whose
            try:
                while not self._is_next(ticket, whose):
                    now = time.monotonic()
                    left = began + self._patience - now
                    if is_over and self._held:
                        oldest = min(since for _, since in self._held.values())
                        left = min(left, oldest + self._stuck - now)
                    if left <= 0:
                        raise NoPlace
                    self._changed.wait(left)
            finally:
                del self._line[ticket]
                # Whoever stands behind in the line may be next now.
                self._changed.notify_all()
            now = time.monotonic()
            self._held[ticket] = (whose, now)
            return max(0.0, began + self._patience - now)

    def _is_next(self, ticket: object, whose: str) -> bool:
        if not self._is_free(whose):
            return False
        # First come, first served, but nobody waits for a person who has all places that one may have.
        return next(other for other, their in self._line.items() if self._is_free(their)) is ticket

    def _is_free(self, whose: str) -> bool:
        own = sum(holder == whose for holder, _ in self._held.values())
        return len(self._held) < self._at_once and own < self._each
