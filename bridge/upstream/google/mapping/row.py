"""A row of the mapping: one property, how it goes to Google, and how it is read there."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bridge.upstream.google.mapping.whole import Event, Means, Note

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from icalendar.cal import Component

    from bridge.core.content import Line


@dataclass(frozen=True, slots=True)
class Source:
    """A component of ours that goes to Google.

    Attributes:
        component: The component.
        zone: What floating times mean; an IANA name.
        recurs: Whether it is the master of a series.
    """

    component: Component
    zone: str
    recurs: bool = False


@dataclass(frozen=True, slots=True)
class Seen:
    """An event of Google's that comes to us.

    Attributes:
        event: The event; of an instance all fields that it has, inherited ones included, as Google gives them.
        zone: The zone of the calendar; an IANA name.
    """

    event: Event
    zone: str


@dataclass(frozen=True, slots=True)
class Said:
    """What a row says of an event.

    Attributes:
        fields: Fields of the Event resource.
        private: Private extended properties.
        notes: What is emulated or left out.
    """

    fields: Mapping[str, Any] = field(default_factory=dict)
    private: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[Note, ...] = ()


NOTHING = Said()


@dataclass(frozen=True, slots=True)
class Row:
    """One property in both directions.

    Attributes:
        name: The property of iCalendar, or `VALARM`.
        to: What it says to Google.
        here: The content lines that Google's event says.
    """

    name: str
    to: Callable[[Source], Said]
    here: Callable[[Seen], list[Line]]


def emulated(name: str, sentence: str) -> Note:
    """A note on what is emulated."""
    return Note(name, Means.EMULATED, sentence)


def left_out(name: str, sentence: str) -> Note:
    """A note on what is left out."""
    return Note(name, Means.LEFT_OUT, sentence)


def props(component: Component, name: str) -> list[Any]:
    """All values of a property, as icalendar reads them."""
    found = dict.get(component, name)
    return found if isinstance(found, list) else [] if found is None else [found]


def text_of(component: Component, name: str) -> str:
    """The first value of a TEXT property; empty where there is none."""
    found = props(component, name)
    return str(found[0]) if found else ""


def word_of(component: Component, name: str) -> str:
    """The same, in capitals and without blanks around it."""
    return text_of(component, name).strip().upper()
