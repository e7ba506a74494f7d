"""What is to be done with one object is read from a table, and then filtered by the options of its rule.

The table knows only what became of the object on either side since both last agreed. An edit beats a deletion.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum, StrEnum, auto
from typing import TYPE_CHECKING, Final

from bridge.core.sides import Side

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


class Change(Enum):
    """What became of an object on one side since both last agreed."""

    UNCHANGED = auto()
    CHANGED = auto()
    GONE = auto()


class Move(StrEnum):
    """The verdict on one object.

    The first group is for linked pairs, the second for objects that have no partner yet, the third for what is not
    done: outside of the window, not admitted by the rule's components and categories, waiting for a person, or against
    the rule's options.
    """

    NOTHING = "nothing"
    PULL = "pull"
    PUSH = "push"
    MERGE = "merge"
    DELETE_HERE = "delete here"
    DELETE_THERE = "delete there"
    RECREATE_THERE = "recreate there"
    RESTORE_HERE = "restore here"
    FORGET = "forget"

    CREATE_THERE = "create there"
    CREATE_HERE = "create here"
    ADOPT = "adopt"

    FROZEN = "frozen"
    IGNORED = "ignored"
    HELD = "held"
    BLOCKED = "blocked"


_TABLE: Final[Mapping[tuple[Change, Change], Move]] = {
    (Change.UNCHANGED, Change.UNCHANGED): Move.NOTHING,
    (Change.UNCHANGED, Change.CHANGED): Move.PULL,
    (Change.UNCHANGED, Change.GONE): Move.DELETE_HERE,
    (Change.CHANGED, Change.UNCHANGED): Move.PUSH,
    (Change.CHANGED, Change.CHANGED): Move.MERGE,
    (Change.CHANGED, Change.GONE): Move.RECREATE_THERE,
    (Change.GONE, Change.UNCHANGED): Move.DELETE_THERE,
    (Change.GONE, Change.CHANGED): Move.RESTORE_HERE,
    (Change.GONE, Change.GONE): Move.FORGET,
}


def decide(here: Change, there: Change) -> Move:
    """The move for a linked pair.

    Args:
        here: What became of our object.
        there: What became of the remote one; GONE only with proof.
    """
    return _TABLE[here, there]


class Direction(StrEnum):
    """Which way a rule carries changes."""

    BOTH = "both"
    PUSH = "push"
    PULL = "pull"

    @property
    def pushes(self) -> bool:
        """Whether changes go from the resource to the remote calendar."""
        return self is not Direction.PULL

    @property
    def pulls(self) -> bool:
        """Whether changes come from the remote calendar to the resource."""
        return self is not Direction.PUSH


class Existing(StrEnum):
    """What a new rule does with the appointments that stand on only one side before its first pass."""

    BOTH = "both"
    SEND = "send"
    FETCH = "fetch"
    NONE = "none"


class OnConflict(StrEnum):
    """Which side wins where both changed the same; what loses is kept to swap it back."""

    NEWEST = "newest"
    OURS = "ours"
    THEIRS = "theirs"


class Act(StrEnum):
    """A kind of write, as the options of a rule name it."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"


@dataclass(frozen=True, slots=True, kw_only=True)
class Acts:
    """Which writes a rule may do in one direction."""

    create: bool = True
    update: bool = True
    delete: bool = True

    def allow(self, act: Act) -> bool:
        """Whether this kind of write may be done."""
        return {Act.CREATE: self.create, Act.UPDATE: self.update, Act.DELETE: self.delete}[act]


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Those options of a rule that filter its moves.

    Attributes:
        direction: Which way changes go at all.
        push: What may be written at the upstream.
        pull: What may be written here.
        existing: What happens to appointments that were there before the rule.
        attendees: Whether guests go out and come in as guests (`bridge.core.projection`).
        on_conflict: Which side wins a true clash.
    """

    direction: Direction = Direction.BOTH
    push: Acts = field(default_factory=Acts)
    pull: Acts = field(default_factory=Acts)
    existing: Existing = Existing.BOTH
    attendees: bool = False
    on_conflict: OnConflict = OnConflict.NEWEST


@dataclass(frozen=True, slots=True)
class Blocked:
    """A move that the options of the rule do not allow; nothing is done, and the link stays as it is.

    Attributes:
        move: What would have been done.
        side: Where it would have been written.
        reason: A sentence that names the setting.
    """

    move: Move
    side: Side
    reason: str


_WRITES: Final[Mapping[Move, tuple[Side, Act]]] = {
    Move.PULL: (Side.HERE, Act.UPDATE),
    Move.PUSH: (Side.THERE, Act.UPDATE),
    Move.DELETE_HERE: (Side.HERE, Act.DELETE),
    Move.DELETE_THERE: (Side.THERE, Act.DELETE),
    Move.RECREATE_THERE: (Side.THERE, Act.CREATE),
    Move.RESTORE_HERE: (Side.HERE, Act.CREATE),
    Move.CREATE_THERE: (Side.THERE, Act.CREATE),
    Move.CREATE_HERE: (Side.HERE, Act.CREATE),
}
_NEW: Final = frozenset({Move.CREATE_HERE, Move.CREATE_THERE})
_SETTING: Final[Mapping[Side, str]] = {Side.HERE: "pull", Side.THERE: "push"}
_DIRECTION: Final[Mapping[Side, Direction]] = {Side.HERE: Direction.PULL, Side.THERE: Direction.PUSH}
_BRINGS: Final[Mapping[Side, Existing]] = {Side.HERE: Existing.FETCH, Side.THERE: Existing.SEND}
_PLACE: Final[Mapping[Side, str]] = {Side.HERE: "here", Side.THERE: "at the upstream"}
_DONE: Final[Mapping[Act, str]] = {Act.CREATE: "created", Act.UPDATE: "changed", Act.DELETE: "deleted"}
_ONE_WAY: Final[Mapping[Direction, str]] = {
    Direction.PUSH: "The rule only sends (direction: push)",
    Direction.PULL: "The rule only fetches (direction: pull)",
}


def allowed(move: Move, options: Options, *, first_pass: bool) -> Move | Blocked:
    """A move as far as the options of its rule let it be done.

    MERGE where only one side may be written becomes PULL or PUSH: changes travel as differences, so that what the
    other side has of its own stays there. ADOPT writes nothing and is always allowed: not to link what is the same
    would double it as soon as either is edited.

    Args:
        move: The verdict of `decide`, or one for an object without partner.
        options: Those of the rule.
        first_pass: Whether the object stood there before the rule's first pass; only then `existing` counts.
    """
    if move is Move.MERGE:
        pull, push = (allowed(part, options, first_pass=first_pass) for part in (Move.PULL, Move.PUSH))
        if isinstance(pull, Blocked):
            return replace(pull, move=move) if isinstance(push, Blocked) else push
        return pull if isinstance(push, Blocked) else move
    if move not in _WRITES:
        return move
    side, act = _WRITES[move]
    reason = _refusal(side, act, options)
    if not reason and first_pass and move in _NEW and options.existing not in (Existing.BOTH, _BRINGS[side]):
        reason = (
            f"It was there before the rule, which leaves such appointments alone (existing: {options.existing}), "
            f"so it is not created {_PLACE[side]}."
        )
    return Blocked(move, side, reason) if reason else move


def _refusal(side: Side, act: Act, options: Options) -> str:
    """Why nothing of that kind may be written on a side; empty where it may."""
    if options.direction not in (Direction.BOTH, _DIRECTION[side]):
        return f"{_ONE_WAY[options.direction]}, so nothing is {_DONE[act]} {_PLACE[side]}."
    if not (options.pull if side is Side.HERE else options.push).allow(act):
        return f"The rule says {_SETTING[side]}.{act}: false, so nothing is {_DONE[act]} {_PLACE[side]}."
    return ""


def winner(policy: OnConflict, here_changed_at: datetime | None, there_changed_at: datetime | None) -> Side:
    """The side whose version stays where both changed the same; the other one is kept as a conflict.

    Args:
        policy: `on_conflict` of the rule.
        here_changed_at: The instant of our change, or None where it is not known; then it counts as the oldest.
        there_changed_at: The same of the remote change.
    """
    if policy is not OnConflict.NEWEST:
        return Side.HERE if policy is OnConflict.OURS else Side.THERE
    if there_changed_at is None:
        return Side.HERE
    return Side.THERE if here_changed_at is None or there_changed_at > here_changed_at else Side.HERE
