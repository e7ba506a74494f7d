"""The garbage collector of Python looks less often for what it has to look for."""

from __future__ import annotations

import gc

_NEW_OBJECTS = 10_000


def collect_seldom() -> None:
    """Has this process, and those that it forks, look for cycles after 10,000 new objects instead of 700.

    A pass reads thousands of appointments that stay for a while, of hundreds of small objects each, and none of them
    is garbage before its last reference goes: to look through all of them again and again takes a sixth of its time.
    What is left between two looks is a few megabytes at the most.
    """
    _, middle, old = gc.get_threshold()
    gc.set_threshold(_NEW_OBJECTS, middle, old)
