"""Many objects are created there over several connections at once; each is announced here before, and noted after."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from queue import SimpleQueue
from typing import TYPE_CHECKING

from bridge.errors import RemoteChanged, RemoteRefused, UidTaken, UpstreamError
from bridge.sync import push

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bridge.sync.assignment import Assignment
    from bridge.sync.judging import Verdict
    from bridge.sync.push import Announced
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
    made: list[tuple[Verdict, Announced, Stored]] = []
    failed: list[tuple[Verdict, UpstreamError]] = []
    for verdict, each, outcome in zip(verdicts, announced, _create_all(a, announced), strict=True):
        if not isinstance(outcome, UpstreamError):
            made.append((verdict, each, outcome))
            continue
        if isinstance(outcome, RemoteRefused | UidTaken):
            push.withdraw(a, each)
            if each.here.etag != verdict.pair.ours.etag:
                # Refused was what stood here before; what stands here now was not tried yet.
                outcome = RemoteChanged(outcome.message)  # noqa: PLW2901 -- the same outcome, with another consequence
        failed.append((verdict, outcome))
    if made:
        push.created(a, made)
    return [verdict for verdict, _, _ in made], failed


def _create_all(a: Assignment, wanted: Sequence[Announced]) -> list[Stored | UpstreamError]:
    outages: list[UpstreamError] = []

    def one(upstream: Upstream, announced: Announced) -> Stored | UpstreamError:
        if outages:
            # What keeps one from being created keeps the others too: nobody waits for each to time out.
            return outages[0]
        try:
            return push.create(a, upstream, announced)
        except (RemoteRefused, UidTaken) as error:
            return error
        except UpstreamError as error:
            outages.append(error)
            return error

    if len(wanted) < _WORTH_MORE_CONNECTIONS:
        return [one(a.upstream, announced) for announced in wanted]
    with ExitStack() as stack:
        others = [stack.enter_context(closing(a.another())) for _ in range(MOST_AT_ONCE - 1)]
        free: SimpleQueue[Upstream] = SimpleQueue()
        for upstream in (a.upstream, *others):
            free.put(upstream)

        def with_any(announced: Announced) -> Stored | UpstreamError:
            upstream = free.get()
            try:
                return one(upstream, announced)
            finally:
                free.put(upstream)

        with ThreadPoolExecutor(MOST_AT_ONCE, thread_name_prefix="create") as crew:
            return list(crew.map(with_any, wanted))
