"""What two versions have in common stands for the base that nobody knows, as when a rule meets what both sides have.

What only one of them says is then an addition of that side, and nobody has taken it away from the other: it goes over.
What both say differently is a change of the side that wins.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.core.applying import apply
from bridge.core.difference import difference
from bridge.core.sides import Side

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bridge.core.content import Content
    from bridge.core.difference import Change, Difference
    from bridge.core.meaning import Slot


def common(here: Content, there: Content, *, prefer: Side) -> Content:
    """A base for a merge of two versions of one component type.

    Args:
        here: Our version.
        there: The remote version.
        prefer: Whose version stays where both say something else.

    Returns:
        What both say; of what they say differently, what the other side says. Without any part where they have none
        in common.
    """
    found = difference(here, there)
    differing = contradictions(found) if prefer is Side.HERE else {}
    wanted = {slot for slot in _only_here(found) if slot.part in here.parts} | differing.keys()
    return apply(found.only(lambda slot: slot in wanted), here)


def contradictions(found: Difference) -> Mapping[Slot, Change]:
    """What two versions both say, each in its way."""
    return {
        slot: change
        for slot, change in found.changes.items()
        if change.old is not None and change.new is not None and slot.part in found.old.parts
    }


def _only_here(found: Difference) -> list[Slot]:
    return [slot for slot, change in found.changes.items() if change.new is None]
