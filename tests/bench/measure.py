"""Times are taken in turns: each server gets a few requests, then the next, so that all share the noise."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING

from tests.bench.calendar import responses_in

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.bench.operations import Operation, Target

_FEWEST, _MOST = 5, 200
_A_TURN_SECONDS = 0.01


class AnswersDiffer(Exception):
    """The servers do not answer the same, so that their times cannot be compared."""


@dataclass(slots=True)
class Times:
    """What one operation took on one server.

    Attributes:
        ours: Whether the server is Calbridge.
        count: How many appointments it holds.
        seconds: Each time taken.
        octets: Size of one answer.
    """

    ours: bool
    count: int
    seconds: list[float] = field(default_factory=list)
    octets: int = 0

    @property
    def median(self) -> float:
        """The median in seconds."""
        return median(self.seconds)


def measure(operation: Operation, targets: Sequence[Target], *, budget: float) -> list[Times]:
    """Does one operation on each server again and again, in turns.

    Args:
        operation: What to do.
        targets: The servers.
        budget: Seconds that may be spent on each, unless that were too few times.

    Raises:
        AnswersDiffer: Servers with equally many appointments tell of different numbers of them.
    """
    told: dict[int, int] = {}
    results = []
    for target in targets:
        # The first time warms up, and is no measurement.
        answer = operation.act(target)
        number = responses_in(answer)
        if operation.counted and told.setdefault(target.count, number) != number:
            raise AnswersDiffer(f"{operation.label}: {number} responses from one, {told[target.count]} from the other.")
        results.append(Times(target.ours, target.count, octets=len(answer.body)))
    waiting = list(zip(targets, results, strict=True))
    while waiting:
        for pair in list(waiting):
            target, times = pair
            turn = 0.0
            while turn < _A_TURN_SECONDS and len(times.seconds) < _MOST:
                seconds = operation.act(target).seconds
                times.seconds.append(seconds)
                turn += seconds
            spent = sum(times.seconds)
            if len(times.seconds) >= _MOST or (spent > budget and len(times.seconds) >= _FEWEST):
                waiting.remove(pair)
    return results
