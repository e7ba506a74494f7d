"""What a feed is made from and what comes out: entries, settings and the rendered bytes."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

from bridge.core.model import ComponentType
from bridge.core.view import Detail

if TYPE_CHECKING:
    from datetime import tzinfo


@dataclass(slots=True)
class FeedEntry:
    """One calendar object as a feed needs it; not frozen, as a feed makes thousands and those take four times as long.

    Attributes:
        raw: The bytes as they are stored.
        uid: The UID that all components share.
        component: The type of the components.
        tzids: The TZIDs that the components name; all are IANA names where `feed_ready` holds.
        feed_ready: Whether the components can be copied as they stand (`bridge.core.model.CalendarObject`).
        changed_at: When the object was last written, UTC; the DTSTAMP of a component that has none.
        first: The first instant that the object touches, UTC.
        last: The last instant that the object touches, UTC.
    """

    raw: bytes = field(repr=False)
    uid: str
    component: ComponentType
    tzids: tuple[str, ...]
    feed_ready: bool
    changed_at: datetime
    first: datetime
    last: datetime


@dataclass(frozen=True, slots=True)
class Window:
    """The stretch of time that a feed shows, in UTC; both ends belong to it."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class FeedSettings:
    """What the owner of a feed chose.

    Attributes:
        name: The name that readers show.
        description: A sentence about the calendar; may be empty.
        detail: How much is shown.
        components: The component types that are in.
        categories: Only objects with one of these categories are in, whatever the case; empty means all.
        alarms: Whether reminders are in; only `Detail.FULL` can show them.
        color: `#rrggbb` or a CSS colour name; may be empty.
        refresh: How often a reader should ask again, at least a minute.
        past: How far the window reaches back from the first instant of today.
        future: How far the window reaches on from the end of today.
    """

    name: str
    description: str = ""
    detail: Detail = Detail.FULL
    components: frozenset[ComponentType] = frozenset({ComponentType.VEVENT})
    categories: frozenset[str] = frozenset()
    alarms: bool = False
    color: str = ""
    refresh: timedelta = timedelta(hours=1)
    past: timedelta = timedelta(days=90)
    future: timedelta = timedelta(days=730)

    def __post_init__(self) -> None:
        if self.refresh < timedelta(minutes=1):
            raise ValueError("a reader is never asked to come back within a minute")
        if self.past < timedelta(0) or self.future < timedelta(0):
            raise ValueError("a window reaches from the past into the future")

    def window(self, today: date, zone: tzinfo) -> Window:
        """Gives the window of a day; it is the same from midnight to midnight in `zone`.

        It holds what was chosen at every moment of the day: it reaches back from the first instant of the day, and on
        from the last.

        Args:
            today: The day, in the account's zone.
            zone: The account's zone.
        """
        midnight = datetime.combine(today, time(), tzinfo=zone).astimezone(UTC)
        return Window(_reach(midnight, -self.past), _reach(_reach(midnight, timedelta(days=1)), self.future))


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A calendar object that a feed cannot show, and why."""

    uid: str
    reason: str


@dataclass(frozen=True, slots=True)
class Rendered:
    """A feed as it is served, and what could not be shown in it."""

    body: bytes = field(repr=False)
    left_out: tuple[LeftOut, ...] = ()


def _reach(instant: datetime, by: timedelta) -> datetime:
    try:
        return instant + by
    except OverflowError:
        return datetime.min.replace(tzinfo=UTC) if by < timedelta(0) else datetime.max.replace(tzinfo=UTC)
