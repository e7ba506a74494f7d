"""A rule looks at a stretch of time around now; what lies outside of it is frozen, neither written nor deleted.

The window moves, and servers cut it differently. So only what lay well inside may be deleted because it is gone.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import Enum, auto
from typing import TYPE_CHECKING, Final, Protocol

from bridge.core.model import BEGINNING, ENDLESS

if TYPE_CHECKING:
    from datetime import datetime

    from bridge.core.model import Span

MARGIN: Final = timedelta(days=1)
"""How far from its edges the window is certain: more than any offset from UTC."""

_ZERO: Final = timedelta(0)


class Timed(Protocol):
    """What has a place in time: a `CalendarObject`, or what the store keeps of one."""

    @property
    def span(self) -> Span:
        """First and last instant that it touches."""

    @property
    def recurring(self) -> bool:
        """Whether it is a series."""


class Place(Enum):
    """Where an object lies."""

    INSIDE = auto()
    PARTLY = auto()
    OUTSIDE = auto()


@dataclass(frozen=True, slots=True)
class Window:
    """How far a rule looks.

    Attributes:
        past: From how long ago; None is without limit.
        future: Until how far ahead; None is without limit.

    Raises:
        ValueError: Either is negative.
    """

    past: timedelta | None
    future: timedelta | None

    def __post_init__(self) -> None:
        if any(length is not None and length < _ZERO for length in (self.past, self.future)):
            raise ValueError("a window begins in the past and ends in the future")

    def bounds(self, now: datetime) -> tuple[datetime, datetime]:
        """The first and the last instant inside, UTC; cut to the years 1 to 9999."""
        start = BEGINNING if self.past is None or self.past > now - BEGINNING else now - self.past
        return start, ENDLESS if self.future is None or self.future > ENDLESS - now else now + self.future

    def place(self, obj: Timed, now: datetime) -> Place:
        """Where an object lies.

        A series that touches the window is inside, for it is written as a whole; so is what has no time at all.
        """
        return self._place(obj, *self.bounds(now))

    def may_delete(self, old: Timed, now: datetime) -> bool:
        """Whether an object that is gone on one side may be deleted on the other: all it was lay a day inside."""
        start, end = self.bounds(now)
        # At the end of the calendar there is no edge that moves.
        start = start + MARGIN if start > BEGINNING else start
        end = end - MARGIN if end < ENDLESS else end
        return start <= end and self._place(old, start, end) is Place.INSIDE

    @staticmethod
    def _place(obj: Timed, start: datetime, end: datetime) -> Place:
        first, last = obj.span.first, obj.span.last
        if last < start or first > end:
            return Place.OUTSIDE
        timeless = first == BEGINNING and last == ENDLESS
        return Place.INSIDE if obj.recurring or timeless or (start <= first and last <= end) else Place.PARTLY
