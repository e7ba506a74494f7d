"""A rule has two sides: ours, which is here, and the upstream's, which is there."""

from __future__ import annotations

from enum import StrEnum


class Side(StrEnum):
    """One of the two calendars that a rule keeps the same."""

    HERE = "here"
    THERE = "there"

    @property
    def other(self) -> Side:
        """The side across."""
        return Side.THERE if self is Side.HERE else Side.HERE
