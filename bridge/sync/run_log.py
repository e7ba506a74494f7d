"""The log of a pass is written as it goes on, some objects at a time; a pass that does nothing has none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.core.sides import Side
from bridge.store import run as runs
from bridge.store.run import RunItem
from bridge.sync.deletions import note_done
from bridge.sync.judging import DELETIONS, WRITES_HERE
from bridge.sync.parking import unpark

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from bridge.core.decision import Move
    from bridge.errors import UpstreamError
    from bridge.sync.assignment import Assignment
    from bridge.sync.judging import Verdict

_BATCH = 250


class RunLog:
    """What one pass did.

    Args:
        a: The rule.
        kind: What the pass looks at.
    """

    def __init__(self, a: Assignment, kind: str) -> None:
        self._a = a
        self._kind = kind
        self._number: int | None = None
        self._waiting: list[Verdict] = []

    @property
    def number(self) -> int:
        """Number of this pass in the log, which begins with that."""
        if self._number is None:
            with self._a.writing() as tx:
                self._number = runs.begin(tx, self._a.rule.id, self._kind)
        return self._number

    def note(self, verdicts: Sequence[Verdict]) -> None:
        """Notes what was carried out; it is written with what follows."""
        self._waiting += verdicts
        if len(self._waiting) >= _BATCH:
            self.write()

    def write(self) -> None:
        """Writes what was noted, and takes it off the lists of what waits for a person."""
        if not self._waiting:
            return
        number = self.number
        with self._a.writing() as tx:
            runs.note_many(tx, [_item(number, tx.now, verdict) for verdict in self._waiting])
            unpark(tx, self._a, self._waiting)
            note_done(tx, self._a, self._waiting)
        self._waiting = []

    def end(self, outcome: str, counts: Mapping[Move, int], problem: UpstreamError | None) -> None:
        """Closes the log, where there is one.

        Args:
            outcome: How the pass ended: `done`, or the name of what broke it off.
            counts: How many objects each move concerned.
            problem: What kept a part of it from being done, or None.
        """
        self.write()
        if self._number is None:
            return
        with self._a.database.writing() as tx:
            runs.end(
                tx,
                self._number,
                outcome=outcome,
                moves={str(move): count for move, count in counts.items()},
                requests=self._a.tally.requests,
                problem=str(problem) if problem else "",
            )


def _item(number: int, now: datetime, verdict: Verdict) -> RunItem:
    step = verdict.step
    return RunItem(
        run_id=number,
        at=now,
        move=step.move,
        side=Side.HERE if step.move in WRITES_HERE else Side.THERE,
        uid=step.uid,
        summary=step.summary,
        note=step.reason,
        deletes=step.move in DELETIONS and not verdict.approved,
    )
