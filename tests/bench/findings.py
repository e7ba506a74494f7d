"""What a run has found, against what it was meant to find."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.bench.load import Throughput
    from tests.bench.measure import Times

MOST_GROWTH = 1.5
MOST_MEMORY_MIB = 150


@dataclass(frozen=True, slots=True)
class Comparison:
    """One operation, done by Calbridge and by the peer.

    Attributes:
        label: What was done.
        ours: Seconds that Calbridge took.
        peer: Seconds that the peer took.
        goal: How many times faster Calbridge has to be; None where there is no goal.
    """

    label: str
    ours: float
    peer: float
    goal: int | None

    @property
    def ratio(self) -> float:
        """How many times faster Calbridge is."""
        return self.peer / self.ours

    @property
    def is_reached(self) -> bool:
        """Whether the goal is reached."""
        return self.goal is None or self.ratio >= self.goal


@dataclass(frozen=True, slots=True)
class Cost:
    """What it takes to do something with a server.

    Attributes:
        seconds: From its beginning to its end.
        own: Processor seconds of the one who does it.
        server: Processor seconds of the server.
    """

    seconds: float
    own: float
    server: float


def middle(costs: Sequence[Cost]) -> Cost:
    """The median of each."""
    return Cost(
        median(cost.seconds for cost in costs),
        median(cost.own for cost in costs),
        median(cost.server for cost in costs),
    )


@dataclass(frozen=True, slots=True)
class FirstSync:
    """A first sync, done by Calbridge and by the peer with the same server.

    Attributes:
        label: Of how much with which server.
        ours: What it costs with Calbridge.
        peer: What it costs with the peer.
        goal: How many times faster Calbridge has to be.
    """

    label: str
    ours: Cost
    peer: Cost
    goal: int

    @property
    def ratio(self) -> float:
        """How many times faster Calbridge is."""
        return self.peer.seconds / self.ours.seconds

    @property
    def most(self) -> float:
        """How many times faster whoever needs no time of its own would be, where the server does one thing at a time.

        Of processor times, as a server that is idle, or that others on the machine keep waiting, says nothing about it.
        """
        return (self.peer.own + self.peer.server) / self.ours.server

    @property
    def is_reached(self) -> bool:
        """Whether the goal is reached."""
        return self.ratio >= self.goal


@dataclass(frozen=True, slots=True)
class Growth:
    """One operation of Calbridge, with ever more appointments.

    Attributes:
        label: What was done.
        seconds: What it took, by number of appointments.
        bounded: Whether it may grow by no more than half.
    """

    label: str
    seconds: dict[int, float]
    bounded: bool

    @property
    def factor(self) -> float:
        """How many times longer it takes with the most appointments than with the fewest."""
        return self.seconds[max(self.seconds)] / self.seconds[min(self.seconds)]

    @property
    def is_reached(self) -> bool:
        """Whether it grows by no more than half, where that is the goal."""
        return not self.bounded or self.factor <= MOST_GROWTH


@dataclass(frozen=True, slots=True)
class Memory:
    """What an idle server with a store of some size takes.

    Attributes:
        label: Which server.
        mib: MiB of all its processes.
        bounded: Whether there is a goal for it.
    """

    label: str
    mib: float
    bounded: bool

    @property
    def is_reached(self) -> bool:
        """Whether it takes less than the goal."""
        return not self.bounded or self.mib < MOST_MEMORY_MIB


@dataclass(frozen=True, slots=True)
class Bound:
    """Something that Calbridge alone is measured by.

    Attributes:
        label: What was measured.
        found: What was found.
        most: What it may be.
        unit: Of both; empty for a number.
    """

    label: str
    found: float
    most: float
    unit: str

    @property
    def is_reached(self) -> bool:
        """Whether it is no more than it may be."""
        return self.found <= self.most


@dataclass(frozen=True, slots=True)
class Findings:
    """Everything that one run has found.

    Attributes:
        count: Appointments in the calendars that are compared.
        peer: Name and version of the peer.
        comparisons: Against the peer.
        growths: Of Calbridge alone.
        throughputs: Against nginx.
        memories: Of both.
        machine: Where and when, a sentence or two.
        method: How it was measured, in sentences.
    """

    count: int
    peer: str
    comparisons: tuple[Comparison, ...]
    growths: tuple[Growth, ...]
    throughputs: tuple[Throughput, ...]
    memories: tuple[Memory, ...]
    machine: tuple[str, ...]
    method: tuple[str, ...]


def comparison(label: str, goal: int | None, times: list[Times], count: int) -> Comparison:
    """What `times` say about the servers that hold `count` appointments."""
    ours = next(each for each in times if each.ours and each.count == count)
    peer = next(each for each in times if not each.ours and each.count == count)
    return Comparison(label, ours.median, peer.median, goal)


def growth(label: str, times: list[Times], *, bounded: bool) -> Growth:
    """What `times` say about Calbridge with more and more appointments."""
    return Growth(label, {each.count: each.median for each in times if each.ours}, bounded)
