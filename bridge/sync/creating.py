"""Many objects are created there over several connections at once; each is announced here before, and noted after."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bridge.errors import RemoteRefused, UpstreamError
from bridge.sync import push
from bridge.sync.crew import in_parts

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from bridge.store.link import Link
    from bridge.sync.assignment import Assignment
    from bridge.sync.judging import Verdict
    from bridge.upstream.protocol import Stored, Upstream

_TOGETHER = 25


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

    def create(upstream: Upstream, part: Sequence[Verdict]) -> Outcome:
        return _create(a, upstream, part) if goes_on() else Outcome((), left=part)

    parts = [verdicts[start : start + _TOGETHER] for start in range(0, len(verdicts), _TOGETHER)]
    yield from in_parts(a, parts, create)


def _create(a: Assignment, upstream: Upstream, verdicts: Sequence[Verdict]) -> Outcome:
    links = push.announce(a, verdicts)
    made: list[tuple[Verdict, Link, Stored]] = []
    failed: list[tuple[Verdict, UpstreamError]] = []
    outcomes = push.create_many(a, upstream, list(zip(verdicts, links, strict=True)))
    for verdict, link, outcome in zip(verdicts, links, map(_readable, outcomes), strict=True):
        if isinstance(outcome, UpstreamError):
            failed.append((verdict, outcome))
        else:
            made.append((verdict, link, outcome))
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
