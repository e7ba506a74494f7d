"""A view is what a rule lets pass in one direction: which objects, how much of each, and what blocks time."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256
from typing import TYPE_CHECKING

from bridge.core.content import MASTER
from bridge.core.model import ComponentType
from bridge.core.recurrence import held_components
from bridge.core.sides import Side

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bridge.core.content import Part
    from bridge.core.model import CalendarObject


SPECIAL = "X-CALBRIDGE-SPECIAL"
"""The property of an event that an upstream makes of itself (out of office, focus time, a birthday ...): which kind."""


class Detail(StrEnum):
    """How much of an appointment is shown: all, its title and times, or that someone is busy."""

    FULL = "full"
    TITLES = "titles"
    BUSY = "busy"


class Blocking(StrEnum):
    """Whether a kind of appointment takes time on our side."""

    BLOCK = "block"
    IGNORE = "ignore"


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What a rule lets pass in one direction.

    Attributes:
        towards: The side that it shows the objects to.
        detail: How much of each.
        attendees: Whether guests pass as guests.
        free: Whether what is marked as free takes time here; only coming in.
        all_day: Whether whole days take time here; only coming in.
        special: Whether events that an upstream makes of itself pass; only coming in.
        components: The component types that pass.
        categories: Only objects with one of these pass; empty lets all pass.
    """

    towards: Side
    detail: Detail = Detail.FULL
    attendees: bool = False
    free: Blocking = Blocking.IGNORE
    all_day: Blocking = Blocking.BLOCK
    special: Blocking = Blocking.BLOCK
    components: frozenset[ComponentType] = field(default_factory=lambda: frozenset({ComponentType.VEVENT}))
    categories: frozenset[str] = frozenset()

    @property
    def goes_out(self) -> bool:
        """Whether it shows our objects to an upstream."""
        return self.towards is Side.THERE

    def level(self, part: Part, parts: Mapping[str, Part]) -> Detail:
        """How much of a component passes: of a private or confidential one only that someone is busy.

        A CLASS that is not known counts as private (RFC 5545 section 3.8.1.3); an override without one has that of
        its master.

        Args:
            part: The component.
            parts: All components of its object.
        """
        return Detail.BUSY if is_private(part, parts) else self.detail


def is_private(part: Part, parts: Mapping[str, Part]) -> bool:
    """Whether a component, or else the master of its object, has a CLASS other than PUBLIC."""
    master = parts.get(MASTER)
    lines = part.named("CLASS") or (master.named("CLASS") if master is not None else ())
    return any(line.value.strip().upper() != "PUBLIC" for line in lines)


def admits(obj: CalendarObject, view: View) -> bool:
    """Whether an object passes at all, by its component type and its categories (in any case of letters).

    At `busy` only events pass: to-dos and journal entries take no time (RFC 5545 sections 3.6.2 and 3.6.3).
    """
    if obj.component not in view.components or (
        view.detail is Detail.BUSY and obj.component is not ComponentType.VEVENT
    ):
        return False
    if view.special is Blocking.IGNORE and is_special(obj):
        return False
    if not view.categories:
        return True
    wanted = {category.strip().casefold() for category in view.categories}
    return any(
        str(category).strip().casefold() in wanted
        for component in held_components(obj.calendar)
        for category in getattr(component, "categories", ())
    )


def is_special(obj: CalendarObject) -> bool:
    """Whether an upstream made an object of itself: it alone may change it."""
    return any(SPECIAL in component for component in held_components(obj.calendar))


def hidden_uid(uid: str) -> str:
    """The UID under which an object may go out where its own must not be seen, for a UID can hold names and addresses.

    The same object has the same everywhere, and is recognised by it also when the database is lost.
    """
    return f"{sha256(uid.encode()).hexdigest()}@calbridge"
