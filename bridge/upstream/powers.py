"""What some upstreams can do besides: a small Protocol for each optional power, asked for with `isinstance`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from bridge.core.model import CalendarObject
    from bridge.errors import UpstreamError
    from bridge.upstream import protocol
    from bridge.upstream.protocol import RemoteCalendar, Stored


@runtime_checkable
class Remembering(Protocol):
    """Reads a calendar better where it knows the cursor of the last time, though everything is to be listed."""

    def recall(self, calendar: str, cursor: str) -> None:
        """Tells the cursor of the last listing, before `changes(calendar, None)`; one that cannot be read is nothing.

        Args:
            calendar: Id of the calendar.
            cursor: What the last page carried the last time.
        """


class Found(Protocol):
    """What somebody who looked for calendars can tell."""

    @property
    def calendars(self) -> Sequence[RemoteCalendar]:
        """The calendars, in the provider's order."""

    @property
    def notes(self) -> Sequence[str]:
        """Sentences about the way there that a person should see."""


@runtime_checkable
class Discovering(Protocol):
    """Looks for its calendars at several places, and tells what was odd on the way."""

    def discover(self) -> Found:
        """The calendars that the connection reaches, with what was odd on the way.

        Raises:
            LoginRefused: The provider does not let this user in.
        """


@runtime_checkable
class TellsAll(Protocol):
    """Tells all objects of a calendar for less of the provider's time than each of them by its id."""

    def everything(self, calendar: str) -> Iterator[protocol.Found]:
        """Objects of a calendar as they are now; it may leave some out, and `fetch` tells what became of those.

        Args:
            calendar: Id of the calendar.
        """


@runtime_checkable
class CreatesMany(Protocol):
    """Needs fewer requests for many creations together than for each by itself."""

    def create_many(
        self, calendar: str, wanted: Sequence[tuple[CalendarObject, str]]
    ) -> Sequence[Stored | UpstreamError]:
        """Does what `create` does with each object and its request id.

        An error that concerns more than one object ends it: those that come after get the same one.

        Args:
            calendar: Id of the calendar.
            wanted: The objects, each with its request id.

        Returns:
            What `create` would return or raise for each, in the same order.
        """


@dataclass(frozen=True, slots=True)
class Watch:
    """A standing request for notifications, as the provider keeps it.

    Attributes:
        channel: Names it; chosen by whoever opened it.
        resource: The provider's own name of what is watched; it stands in every notification.
        expires_at: When it ends by itself, UTC.
    """

    channel: str
    resource: str
    expires_at: datetime


@runtime_checkable
class Watchable(Protocol):
    """Tells of changes by itself: it sends a notification to a web address, which says that something changed."""

    def watch(self, calendar: str, *, channel: str, token: str, address: str) -> Watch:
        """Has the provider tell of every change in `calendar` from now on.

        A call whose answer was lost may have opened the watch.

        Args:
            calendar: Id of the calendar.
            channel: Names the watch: 32 lower-case hex digits, never used before.
            token: Comes with every notification, so that nobody else can make one up.
            address: Where the notifications go, https.

        Raises:
            RemoteRefused: The provider does not send notifications there, or not of this calendar; says why.
            UpstreamUnavailable: It is not known whether the watch is open.
        """

    def unwatch(self, watch: Watch) -> None:
        """Closes a watch; passes where the provider does not know it any more.

        Args:
            watch: As `watch` gave it; only what names it counts.
        """
