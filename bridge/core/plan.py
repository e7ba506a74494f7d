"""A plan is what one pass over a rule would do, object by object, before anything is done."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bridge.core.decision import Move

if TYPE_CHECKING:
    from collections.abc import Mapping

_WORDS: Mapping[Move, str] = {
    Move.ADOPT: "link {} that are on both sides",
    Move.CREATE_HERE: "create {} here",
    Move.CREATE_THERE: "create {} there",
    Move.PULL: "change {} here",
    Move.PUSH: "change {} there",
    Move.MERGE: "merge {} that changed on both sides",
    Move.DELETE_HERE: "delete {} here",
    Move.DELETE_THERE: "delete {} there",
    Move.RESTORE_HERE: "bring {} back here",
    Move.RECREATE_THERE: "bring {} back there",
    Move.FORGET: "forget {} that are gone on both sides",
}
"""What is said of the moves that do something, in the order in which it is said."""

_UNDONE: Mapping[Move, str] = {
    Move.HELD: "{} deletions wait for approval",
    Move.BLOCKED: "{} are left as they are by the rule's options",
    Move.FROZEN: "{} lie outside the window",
    Move.IGNORED: "{} are ignored",
}


@dataclass(frozen=True, slots=True)
class Step:
    """What a pass does with one object, or why it does nothing.

    Attributes:
        move: The verdict.
        uid: UID of the object here, or of the remote object where it is not here.
        remote_id: Of the remote object; None where there is none yet.
        summary: Title of the object, one line, possibly empty.
        reason: Why nothing is done, where something would have been; else empty.
    """

    move: Move
    uid: str
    remote_id: str | None
    summary: str = field(repr=False)
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """All steps of one pass.

    Attributes:
        steps: In the order in which they would be done.
    """

    steps: tuple[Step, ...]

    @property
    def counts(self) -> Mapping[Move, int]:
        """How many steps there are of each move that occurs, `NOTHING` left out."""
        return Counter(step.move for step in self.steps if step.move is not Move.NOTHING)

    def sentence(self) -> str:
        """The plan in one sentence: 'link 41 that are on both sides, create 17 here, create 230 there'."""
        counts = self.counts
        parts = [
            words.format(counts[move]) for table in (_WORDS, _UNDONE) for move, words in table.items() if move in counts
        ]
        return ", ".join(parts) if parts else "nothing to do"
