"""Many objects are created there over several connections at once; each is announced here before, and noted after."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from functools import partial
from queue import SimpleQueue
from typing import TYPE_CHECKING

from bridge.errors import RemoteChanged, RemoteRefused, UidTaken, UpstreamError
from bridge.sync import push

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence

    from bridge.sync.assignment import Assignment
    from bridge.sync.judging import Verdict
    from bridge.sync.push import Announced
    from bridge.upstream.protocol import Stored, Upstream

MOST_AT_ONCE = 4
"""Requests at once: what Microsoft allows for a mailbox, and enough to hide the way to the server and back."""

_TOGETHER = 50
_WORTH_MORE_CONNECTIONS = 8


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a few creations.

    Attributes:
        done: The verdicts that are carried out.
        failed: Those that are not, each with its error.
        left: Those that were not tried any more.
    """

    done: Sequence[Verdict]
    failed: Sequence[tuple[Verdict, UpstreamError]] = ()
    left: Sequence[Verdict] = ()


def create_there(a: Assignment, verdicts: Sequence[Verdict], *, goes_on: Callable[[], bool]) -> Generator[Outcome]:
    """Creates objects there, a few at a time; what is told of some, others may follow while it is heard.

    Args:
        a: The rule.
        verdicts: About objects to create.
        goes_on: Asked before each few whether more are to be created.

    Raises:
        StoreError: The database cannot be written.
        LeaseLost: Another worker has taken the rule over.
    """
    parts = [verdicts[start : start + _TOGETHER] for start in range(0, len(verdicts), _TOGETHER)]
    if len(verdicts) < _WORTH_MORE_CONNECTIONS:
        for part in parts:
            yield _create(a, a.upstream, part) if goes_on() else Outcome((), left=part)
        return
    with _crew(a, len(parts)) as (crew, free):
        yield from crew.map(partial(_create_with_any, a, free, goes_on), parts)


@contextmanager
def _crew(a: Assignment, parts: int) -> Iterator[tuple[ThreadPoolExecutor, SimpleQueue[Upstream]]]:
    """Threads, and a connection for each; nothing new is begun once the block has ended."""
    at_once = min(MOST_AT_ONCE, parts)
    with ExitStack() as stack:
        free: SimpleQueue[Upstream] = SimpleQueue()
        for upstream in (a.upstream, *(stack.enter_context(closing(a.another())) for _ in range(at_once - 1))):
            free.put(upstream)
        crew = ThreadPoolExecutor(at_once, thread_name_prefix="create")
        # Before the connections close, whoever still uses one comes to an end.
        stack.callback(crew.shutdown, cancel_futures=True)
        yield crew, free


def _create_with_any(
    a: Assignment, free: SimpleQueue[Upstream], goes_on: Callable[[], bool], verdicts: Sequence[Verdict]
) -> Outcome:
    if not goes_on():
        return Outcome((), left=verdicts)
    upstream = free.get()
    try:
        return _create(a, upstream, verdicts)
    finally:
        free.put(upstream)


def _create(a: Assignment, upstream: Upstream, verdicts: Sequence[Verdict]) -> Outcome:
    announced = push.announce(a, verdicts)
    made: list[tuple[Verdict, Announced, Stored]] = []
    failed: list[tuple[Verdict, UpstreamError]] = []
    outcomes = map(_readable, push.create_many(a, upstream, announced))
    for verdict, each, outcome in zip(verdicts, announced, outcomes, strict=True):
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
    return Outcome([verdict for verdict, _, _ in made], failed)


def _readable(outcome: Stored | UpstreamError) -> Stored | UpstreamError:
    """The outcome; what an upstream took and gives back as something that nobody can read concerns that object only."""
    try:
        if not isinstance(outcome, UpstreamError):
            push.readable(outcome)
    except RemoteRefused as error:
        return error
    return outcome
