"""Calendar objects that were parsed a short while ago: a client that shows week after week meets the same series."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from bridge.core.model import CalendarObject

_MOST_OCTETS = 2**18
"""Of text; what is parsed takes some thirty times as much memory."""


class ParsedObjects:
    """Keeps the objects that were asked for last, up to a total size of their texts."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._objects: OrderedDict[Hashable, tuple[CalendarObject, int]] = OrderedDict()
        self._octets = 0

    def get(self, key: Hashable, size: int, parse: Callable[[], CalendarObject]) -> CalendarObject:
        """The object under `key`, or what `parse` gives.

        Args:
            key: Names the text and everything else that its meaning depends on.
            size: Octets of the text.
            parse: Reads the text.
        """
        with self._lock:
            known = self._objects.get(key)
            if known is not None:
                self._objects.move_to_end(key)
                return known[0]
        made = parse()
        with self._lock:
            if key not in self._objects:
                self._octets += size
            self._objects[key] = (made, size)
            while self._octets > _MOST_OCTETS:
                self._octets -= self._objects.popitem(last=False)[1][1]
        return made
