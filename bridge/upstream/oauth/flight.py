"""Many threads want the same; one does it, and the others get what came of it."""

from __future__ import annotations

import copy
import threading
from typing import TYPE_CHECKING

from bridge.errors import CalbridgeError

if TYPE_CHECKING:
    from collections.abc import Callable


class SingleFlight:
    """Does one thing at a time, and lets those who waited meanwhile share a failure instead of repeating it.

    Whoever waited during a success does it once more: it is for the deed to see that nothing is left to be done.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ended = 0
        self._failure: CalbridgeError | None = None

    def run(self, deed: Callable[[], str]) -> str:
        """What `deed` returns, or the error that another thread got for it since this one began to wait.

        Raises:
            CalbridgeError: What `deed` raises.
        """
        before = self._ended
        with self._lock:
            if self._ended != before and self._failure is not None:
                # Each thread gets its own: a traceback is written into an error.
                raise copy.copy(self._failure)
            self._failure = None
            try:
                return deed()
            except CalbridgeError as error:
                self._failure = error
                raise
            finally:
                self._ended += 1
