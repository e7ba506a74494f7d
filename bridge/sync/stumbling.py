"""An upstream that fails at one object while it takes others is not away: that object waits, and the rest goes on."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from bridge.errors import ListingDoubtful, Throttled, UpstreamUnavailable
from bridge.sync.judging import WRITES_HERE

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from bridge.sync.judging import Verdict

_FIRST = timedelta(seconds=15)
_MOST_DOUBLINGS = 10
_MOST_TRIES = 12
_IN_A_ROW = 2


@dataclass(frozen=True, slots=True)
class Stumble:
    """An object that an upstream failed at.

    Attributes:
        verdict: What was to be done with it.
        error: What the upstream said.
        was_parked: Whether a person sees it already.
    """

    verdict: Verdict
    error: UpstreamUnavailable
    was_parked: bool = False

    @property
    def tries(self) -> int:
        """How often it was put off before."""
        return max((intent.attempts for intent in self.verdict.pair.intents), default=0)

    @property
    def wait(self) -> timedelta:
        """Until it is tried again."""
        return _FIRST * (1 << min(self.tries, _MOST_DOUBLINGS))

    @property
    def is_hopeless(self) -> bool:
        """Whether it has failed so often, while others went on, that a person has to see it."""
        return self.was_parked or self.tries >= _MOST_TRIES


@dataclass(slots=True)
class Stumbling:
    """Tells an upstream that is away from one that fails at a single object.

    Attributes:
        stumbled: What it has failed at since the last look.
        in_a_row: How often it failed since it last took something.
        takes: Whether it took anything in this pass.
        untried: Whether others, of which nobody knows yet, were left because of it.
        last: What it said last.
    """

    stumbled: list[Stumble] = field(default_factory=list)
    in_a_row: int = 0
    takes: bool = False
    untried: bool = False
    last: UpstreamUnavailable | None = None

    def note(self, verdict: Verdict, error: UpstreamUnavailable) -> bool:
        """Notes a failure; gives whether this one was tried at all, and not left after another had failed.

        Raises:
            UpstreamUnavailable: It is the upstream that is away: it says so, or it fails again and again.
        """
        if error is self.last:
            self.untried = True
            return False
        self.last = error
        self.in_a_row += 1
        if isinstance(error, Throttled | ListingDoubtful) or self.in_a_row >= _IN_A_ROW:
            raise error
        self.stumbled.append(Stumble(verdict, error))
        return True

    def went_on(self, done: Sequence[Verdict]) -> None:
        """Notes what was carried out."""
        if any(verdict.step.move not in WRITES_HERE for verdict in done):
            self.in_a_row, self.takes = 0, True

    def settled(self, parked: Collection[str]) -> list[Stumble]:
        """What is to be put off, as the upstream is there; each once.

        Args:
            parked: The UIDs of what a person sees already.

        Raises:
            UpstreamUnavailable: Nobody knows that it is: nothing else went there, now or the last time, and there is
                nothing else to try.
        """
        found = [replace(each, was_parked=each.verdict.pair.uid in parked) for each in self.stumbled]
        proven = self.takes or self.untried
        self.stumbled, self.untried = [], False
        for each in found:
            if not (proven or each.tries or each.was_parked):
                raise each.error
        return found
