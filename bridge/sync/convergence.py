"""Writing the same thing again and again is noticed: somebody over there undoes it each time."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from bridge.core.canonical import digest

if TYPE_CHECKING:
    from bridge.core.model import CalendarObject
    from bridge.store.link import Link
    from bridge.sync.assignment import Assignment

MOST_REPEATS = 5
"""How often the same state of one object is written before it is parked."""

_REMEMBERED = 4
_DIGITS = 16
_QUIET = timedelta(hours=1)


def counted(a: Assignment, link: Link, written: CalendarObject) -> Link:
    """The link after `written` was written to either side: its streak grows where that was written before.

    A person who changes an appointment to and fro does so with pauses; after an hour the count begins anew.
    """
    now = a.clock()
    state = digest(written)[:_DIGITS]
    before = link.wrote.split()
    rested = link.written_at is None or now - link.written_at > _QUIET
    streak = 0 if rested or state not in before else link.streak + 1
    return replace(
        link,
        streak=streak,
        wrote=" ".join([state, *(each for each in before if each != state)][:_REMEMBERED]),
        written_at=now,
    )


def does_not_converge(a: Assignment, link: Link) -> bool:
    """Whether an object has been written too often in the same states within a short time."""
    recent = link.written_at is not None and a.clock() - link.written_at <= _QUIET
    return recent and link.streak >= MOST_REPEATS
