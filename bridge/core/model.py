"""A calendar object is all components of one UID, kept as the exact bytes that came."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import icalendar


class ComponentType(StrEnum):
    """The component types that a collection can hold (RFC 5545 section 3.6)."""

    VEVENT = "VEVENT"
    VTODO = "VTODO"
    VJOURNAL = "VJOURNAL"


HELD = frozenset(map(str, ComponentType))
"""The names of these types."""


@dataclass(frozen=True, slots=True)
class Span:
    """The stretch from the first to the last instant that any instance of an object touches.

    Both are UTC, and both bounds are inclusive: a range from `start` to `end` can touch the object only where
    `first <= end` and `last >= start` (RFC 4791 section 9.9 decides, see `bridge.core.recurrence.touches`). `last` may
    lie a few hours late, never early. `ENDLESS` stands for a series without end, `BEGINNING` to `ENDLESS` for an
    object without any time (a VTODO without DTSTART and DUE touches every range).

    Raises:
        ValueError: If a bound is naive, or `last` is before `first`.
    """

    first: datetime
    last: datetime

    def __post_init__(self) -> None:
        if self.first.tzinfo is None or self.last.tzinfo is None:
            raise ValueError("a span is in UTC")
        if self.last < self.first:
            raise ValueError("a span does not end before it begins")


BEGINNING = datetime(1, 1, 1, tzinfo=UTC)
ENDLESS = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class CalendarObject:
    """All components of one UID (RFC 4791 section 4.1): the bytes that came, and what they mean.

    Made by `bridge.core.ics.parse`, which refuses what is not one object.

    Attributes:
        raw: The bytes exactly as the client sent them.
        uid: The UID that all components share.
        component: The type of the components.
        calendar: The parsed stream, after the named repairs; to be read, never changed. It holds only those
            VTIMEZONEs whose rules count: a zone that is known by its name has none.
        summary: The SUMMARY of the master (or of the first override), one line, possibly empty.
        span: First and last instant touched, UTC.
        recurring: Whether there is a recurrence rule, an RDATE or an override.
        floats: Whether when it is may depend on the account's zone: it has a date, a time without a zone, one in a zone
            that nobody knows, or needed a repair.
        tzids: The TZIDs that the components name, as they stand, sorted.
        feed_ready: Whether the components in `raw` can be copied into a feed as they stand: every line of a sound form,
            folded at 75 octets, a master, DTSTAMP in each component, no repair needed, every TZID an IANA name, CLASS
            public (`bridge.core.feed_ready`).
        etag: Strong validator of `raw`, without quotes: the first 32 hex digits of its SHA-256.
        repairs: Names of the repairs that reading took (`bridge.core.repairs`), in their order; mostly none.
    """

    raw: bytes = field(repr=False)
    uid: str
    component: ComponentType
    calendar: icalendar.Calendar = field(repr=False, compare=False)
    summary: str = field(repr=False)
    span: Span
    recurring: bool
    floats: bool
    tzids: tuple[str, ...]
    feed_ready: bool
    etag: str
    repairs: tuple[str, ...] = ()
