"""A calendar object as Google keeps it: one event for the master, and one for each instance that is not as it says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

Event = Mapping[str, Any]
"""An Event resource of Calendar API v3 as JSON."""

Body = Mapping[str, Any]
"""What a request says of an event: an Event resource without what only Google sets."""


class Means(StrEnum):
    """How something gets along that Google has no place for."""

    EMULATED = "emulated"
    LEFT_OUT = "left out"


@dataclass(frozen=True, slots=True)
class Note:
    """What Google cannot hold as it is.

    Attributes:
        property_name: The property of the appointment.
        means: Whether it is emulated there, or left out; what is left out stays on our side.
        sentence: Why, and how, for people.
    """

    property_name: str
    means: Means
    sentence: str


@dataclass(frozen=True, slots=True)
class Whole:
    """One calendar object as Google keeps it.

    Attributes:
        master: The body of the master or of a single event, without id and etag.
        overrides: The whole body of each instance that is not as the master says (`generated` gives the body of one
            that is), by its original start as it stands in the ids of instances (`20270302T080000Z`, or `20270302`
            for whole days). None: this instance is cancelled; it stands in the `recurrence` of the master as EXDATE,
            too, so that a creation needs no request for it.
        notes: What is emulated or left out.
    """

    master: Body
    overrides: Mapping[str, Body | None] = field(default_factory=dict)
    notes: tuple[Note, ...] = ()


class NotReadable(Exception):
    """What Google tells of an event makes no appointment.

    Args:
        reason: A sentence that says why.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
