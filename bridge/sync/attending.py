"""What people change here while a long pass is under way does not wait for its end."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from bridge.core.sides import Side
from bridge.store import outbox

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bridge.store.outbox import Intent
    from bridge.sync.assignment import Assignment
    from bridge.sync.judging import Verdict

_AT_ONCE = 20
_FEW = 50


class Attention:
    """Finds what was changed here since a round of a pass began, and is no part of it.

    Args:
        a: The rule.
    """

    def __init__(self, a: Assignment) -> None:
        self._a = a
        self._last = 0
        self._engaged: frozenset[str] = frozenset()
        self._found: list[Intent] = []
        self._busy = False

    def begin(self, last: int, engaged: frozenset[str]) -> None:
        """A round begins.

        Args:
            last: The number of the latest intent before it.
            engaged: The UIDs of all that it is about: these have their turn in it.
        """
        self._last, self._engaged, self._found = last, engaged, []

    def waits(self) -> bool:
        """Whether anything new was changed; not while that is being seen to."""
        if not self._busy and not self._found:
            a = self._a
            with a.database.reading() as tx:
                found = outbox.newest(tx, a.rule.id, now=tx.now, after=self._last, limit=_AT_ONCE)
            # What is more than that has its turn in the next round.
            self._last = max((each.id for each in found), default=self._last)
            self._found = [each for each in found if each.key not in self._engaged]
        return bool(self._found)

    @contextmanager
    def given(self) -> Iterator[list[Intent]]:
        """What was found; while the block sees to it nothing else is looked for."""
        found, self._found, self._busy = self._found, [], True
        try:
            yield found
        finally:
            self._busy = False


def newest_first(verdicts: Sequence[Verdict], together: Sequence[tuple[Verdict, Verdict]]) -> list[Sequence[Verdict]]:
    """The verdicts in the order in which the objects were changed here, the latest first; of many, a few by themselves.

    Args:
        verdicts: What is to be done.
        together: Those that stand in the same part, as they are one change.
    """
    by_age = sorted(verdicts, key=_number, reverse=True)
    if len(by_age) <= _FEW:
        return [by_age]
    first = [each for each in by_age[:_AT_ONCE] if _number(each)]
    for pair in together:
        if any(each in first for each in pair):
            first += [each for each in pair if each not in first]
    uids = {each.pair.uid for each in first}
    return [part for part in (first, [each for each in by_age if each.pair.uid not in uids]) if part]


def _number(verdict: Verdict) -> int:
    return max((each.id for each in verdict.pair.intents if each.side is Side.HERE), default=0)
