"""A guard holds deletions for approval where they are too many, of a side or in a short time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bridge.core.sides import Side

if TYPE_CHECKING:
    from collections.abc import Mapping

FLOOR: Final = 5
"""So many deletions pass whatever their share, so that a small calendar may empty."""

_HUNDRED: Final = 100


@dataclass(frozen=True, slots=True)
class Guard:
    """How many deletions pass on either side without a person's approval.

    Attributes:
        objects: The most deletions; 0 holds every one.
        percent: The most of a hundred objects of the side; counts from more than `FLOOR` deletions on.

    Raises:
        ValueError: `objects` is negative, or `percent` is not from 0 to 100.
    """

    objects: int = 25
    percent: int = 20

    def __post_init__(self) -> None:
        if self.objects < 0 or not 0 <= self.percent <= _HUNDRED:
            raise ValueError("a guard counts objects from 0 and percent from 0 to 100")


def exceeded(deletions: int, of: int, guard: Guard, *, recent: int = 0) -> bool:
    """Whether the deletions of a pass are held on a side.

    Those of the last hour count with them, so that a calendar does not empty pass by pass; what was deleted then
    counts as part of the side.

    Args:
        deletions: How many the pass would do on this side; none of them is never too many.
        of: How many objects the side has before that.
        guard: The limits.
        recent: How many the rule deleted there within the last hour, other than those that a person approved.
    """
    total = deletions + recent
    if not deletions:
        return False
    return total > guard.objects or (total > FLOOR and total * _HUNDRED > guard.percent * (of + recent))


_PLACE: Final[Mapping[Side, str]] = {Side.HERE: "here", Side.THERE: "at the upstream"}


def why_held(deletions: int, of: int, guard: Guard, *, side: Side, rule: str, recent: int = 0) -> str:
    """What is held and what a person can do about it, as a sentence.

    Args:
        deletions: As for `exceeded`.
        of: As for `exceeded`.
        guard: The limits.
        side: Where would be deleted.
        rule: The rule's key.
        recent: As for `exceeded`.
    """
    before = f", after {recent} in the last hour" if recent else ""
    return (
        f"The rule {rule!r} would delete {deletions} of {of} appointments {_PLACE[side]}{before}; its guard lets "
        f"{guard.objects} or {guard.percent} % pass. Nothing of it is deleted before somebody decides: "
        "`calbridge held list` shows what waits."
    )
