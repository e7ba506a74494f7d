"""Several connections of one rule at once, each with a thread, for work that can be cut into parts."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from queue import SimpleQueue
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from bridge.sync.assignment import Assignment
    from bridge.upstream.protocol import Upstream

_Part = TypeVar("_Part")
_Result = TypeVar("_Result")

MOST_AT_ONCE = 4
"""Requests at once: what Microsoft allows for a mailbox, and enough to hide the way to the server and back."""


def in_parts(a: Assignment, parts: Sequence[_Part], work: Callable[[Upstream, _Part], _Result]) -> Generator[_Result]:
    """What `work` makes of each part, in their order; of a single part in this thread.

    Whoever closes the generator before its end has no further part begun. The connections close at its end, except the
    one that the assignment has anyway.

    Args:
        a: The rule.
        parts: Each is worked on by one thread, over a connection that no other uses meanwhile.
        work: What is done; what it raises ends the whole.
    """
    if len(parts) <= 1:
        yield from (work(a.upstream, part) for part in parts)
        return
    at_once = min(MOST_AT_ONCE, len(parts))
    free: SimpleQueue[Upstream] = SimpleQueue()

    def with_any(part: _Part) -> _Result:
        upstream = free.get()
        try:
            return work(upstream, part)
        finally:
            free.put(upstream)

    with ExitStack() as stack:
        for upstream in (a.upstream, *(stack.enter_context(closing(a.another())) for _ in range(at_once - 1))):
            free.put(upstream)
        crew = ThreadPoolExecutor(at_once, thread_name_prefix="crew")
        # Before the connections close, whoever still uses one comes to an end.
        stack.callback(crew.shutdown, cancel_futures=True)
        yield from crew.map(with_any, parts)
