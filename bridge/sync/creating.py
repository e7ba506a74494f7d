"""Many objects are created there over several connections at once; each is announced here before, and noted after."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from queue import SimpleQueue
from typing import TYPE_CHECKING

from bridge.errors import RemoteRefused, UidTaken, UpstreamError
from bridge.sync import push

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bridge.store.link import Link
    from bridge.sync.assignment import Assignment
    from bridge.sync.judging import Verdict
    from bridge.upstream.protocol import Stored, Upstream

MOST_AT_ONCE = 4
"""Requests at once: what Microsoft allows for a mailbox, and enough to hide the way to the server and back."""

_WORTH_MORE_CONNECTIONS = 8


def create_there(
    a: Assignment, verdicts: Sequence[Verdict]
) -> tuple[list[Verdict], list[tuple[Verdict, UpstreamError]]]:
    """Creates objects there.

    Returns:
        The verdicts that are carried out, and those that are not, each with its error.
    """
    announced = push.announce(a, verdicts)
    made: list[tuple[Verdict, Link, Stored]] = []
    failed: list[tuple[Verdict, UpstreamError]] = []
    for verdict, link, outcome in _create_all(a, list(zip(verdicts, announced, strict=True))):
        if isinstance(outcome, UpstreamError):
            failed.append((verdict, outcome))
        else:
            made.append((verdict, link, outcome))
    if made:
        push.created(a, made)
    return [verdict for verdict, _, _ in made], failed


def _create_all(
    a: Assignment, wanted: Sequence[tuple[Verdict, Link]]
) -> list[tuple[Verdict, Link, Stored | UpstreamError]]:
    outages: list[UpstreamError] = []

    def one(upstream: Upstream, verdict: Verdict, link: Link) -> Stored | UpstreamError:
        if outages:
            # What keeps one from being created keeps the others too: nobody waits for each to time out.
            return outages[0]
        try:
            return push.create(a, upstream, verdict, link)
        except (RemoteRefused, UidTaken) as error:
            return error
        except UpstreamError as error:
            outages.append(error)
            return error

    if len(wanted) < _WORTH_MORE_CONNECTIONS:
        return [(verdict, link, one(a.upstream, verdict, link)) for verdict, link in wanted]
    with ExitStack() as stack:
        others = [stack.enter_context(closing(a.another())) for _ in range(MOST_AT_ONCE - 1)]
        free: SimpleQueue[Upstream] = SimpleQueue()
        for upstream in (a.upstream, *others):
            free.put(upstream)

        def with_any(pair: tuple[Verdict, Link]) -> tuple[Verdict, Link, Stored | UpstreamError]:
            upstream = free.get()
            try:
                return (*pair, one(upstream, *pair))
            finally:
                free.put(upstream)

        with ThreadPoolExecutor(MOST_AT_ONCE, thread_name_prefix="create") as crew:
            return list(crew.map(with_any, wanted))
