"""Several connections of one rule at once, each with a thread, for work that can be cut into parts."""

from __future__ import annotations

from collections import deque
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, closing
from contextvars import copy_context
from queue import SimpleQueue
from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from bridge.sync.assignment import Assignment
    from bridge.upstream.protocol import Upstream

_Part = TypeVar("_Part")
_Result = TypeVar("_Result")

MOST_AT_ONCE = 4
"""Requests at once: what Microsoft allows for a mailbox, and enough to hide the way to the server and back."""


class Meanwhile(Protocol):
    """What comes between the parts of long work."""

    def waits(self) -> bool:
        """Whether anything does."""

    def attend(self) -> None:
        """Sees to it; no connection is used by anything else meanwhile."""


def in_parts(
    a: Assignment,
    parts: Sequence[_Part],
    work: Callable[[Upstream, _Part], _Result],
    *,
    meanwhile: Meanwhile | None = None,
) -> Generator[_Result]:
    """What `work` makes of each part, as they come; of a single part in this thread.

    Whoever closes the generator before its end has no further part begun. The connections close at its end, except the
    one that the assignment has anyway.

    Args:
        a: The rule.
        parts: Each is worked on by one thread, over a connection that no other uses meanwhile.
        work: What is done; what it raises ends the whole.
        meanwhile: Asked before each part whether something comes before it; then those under way end first.
    """
    at_once = min(MOST_AT_ONCE, len(parts))
    if at_once <= 1:
        yield from (work(a.upstream, part) for part in parts)
        return
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
        left, under_way = deque(parts), set[Future[_Result]]()
        while left or under_way:
            waits = bool(left) and meanwhile is not None and meanwhile.waits()
            if waits and meanwhile is not None and not under_way:
                meanwhile.attend()
                continue
            while left and not waits and len(under_way) < at_once:
                under_way.add(crew.submit(copy_context().run, with_any, left.popleft()))
            done, under_way = wait(under_way, return_when=FIRST_COMPLETED)
            yield from (each.result() for each in done)
