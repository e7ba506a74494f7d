"""A remote calendar in memory that tells of changes: it keeps the watches that were opened, and what they would send.

It does as Google says that it does: a watch is never prolonged, its name is never taken twice, the first notification
greets, and numbers only rise. Whether, when and how often something is delivered is up to the test.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from bridge.errors import RemoteRefused, UpstreamUnavailable
from bridge.upstream.powers import Watch
from tests.fakes.shelf import ShelfUpstream

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from bridge.core.model import CalendarObject
    from bridge.errors import UpstreamError
    from bridge.upstream.protocol import Capabilities
    from tests.fakes.shelf import Shelf

WEEK = timedelta(days=7)


@dataclass
class OpenWatch:
    """A watch as the provider keeps it."""

    watch: Watch
    calendar: str
    token: str
    address: str
    number: int = 0


@dataclass
class Exchange:
    """The provider's side of all watches.

    Attributes:
        clock: Gives the present instant.
        life: How long a watch lasts.
        open: The watches, by channel.
        ever: Every channel that was ever asked for.
        asked: What was asked, in order: ('watch' or 'unwatch', channel).
        refusal: What is raised in place of opening or closing one.
        loses_answers: Whether it opens a watch, and the answer is lost.
        most_open: How many were open at once.
        when_closed: Called when one was closed.
    """

    clock: Callable[[], datetime]
    life: timedelta = WEEK
    open: dict[str, OpenWatch] = field(default_factory=dict)
    ever: list[str] = field(default_factory=list)
    asked: list[tuple[str, str]] = field(default_factory=list)
    refusal: BaseException | None = None
    loses_answers: bool = False
    most_open: int = 0
    when_closed: Callable[[], None] = lambda: None

    def live(self) -> list[OpenWatch]:
        """The watches that have not ended."""
        return [each for each in self.open.values() if each.watch.expires_at > self.clock()]

    def notifications(self, state: str = "exists") -> list[dict[str, str]]:
        """The headers of what every open watch sends now, numbered on."""
        return [self.notification(each, state) for each in self.live()]

    @staticmethod
    def notification(of: OpenWatch, state: str) -> dict[str, str]:
        """The headers of the next notification of a watch."""
        of.number += 1
        return {
            "X-Goog-Channel-ID": of.watch.channel,
            "X-Goog-Channel-Token": of.token,
            "X-Goog-Channel-Expiration": f"{of.watch.expires_at:%a, %d %b %Y %H:%M:%S} GMT",
            "X-Goog-Resource-ID": of.watch.resource,
            "X-Goog-Resource-State": state,
            "X-Goog-Message-Number": str(of.number),
        }


class WatchedShelf(ShelfUpstream):
    """A connection to a shelf that can be watched."""

    def __init__(
        self, shelf: Shelf, parse: Callable[[bytes], CalendarObject], capabilities: Capabilities, exchange: Exchange
    ) -> None:
        super().__init__(shelf, parse, capabilities)
        self._exchange = exchange

    def watch(self, calendar: str, *, channel: str, token: str, address: str) -> Watch:
        exchange = self._exchange
        self._tell("before", "watch")
        exchange.asked.append(("watch", channel))
        self._may_refuse()
        if channel in exchange.ever:
            raise RemoteRefused(f"The channel {channel!r} is not unique.")
        opened = Watch(channel, f"resource-of-{calendar}", exchange.clock() + exchange.life)
        exchange.ever.append(channel)
        exchange.open[channel] = OpenWatch(opened, calendar, token, address)
        exchange.most_open = max(exchange.most_open, len(exchange.live()))
        if exchange.loses_answers:
            raise UpstreamUnavailable("The answer was lost.")
        self._tell("after", "watch")
        return opened

    def unwatch(self, watch: Watch) -> None:
        self._tell("before", "unwatch")
        self._exchange.asked.append(("unwatch", watch.channel))
        self._may_refuse()
        here = self._exchange.open.get(watch.channel)
        if here is not None and here.watch.resource == watch.resource:
            del self._exchange.open[watch.channel]
            self._exchange.when_closed()
        self._tell("after", "unwatch")

    def _may_refuse(self) -> None:
        if self._exchange.refusal is not None:
            raise self._exchange.refusal


def refused(sentence: str = "The address has no valid certificate.") -> UpstreamError:
    """What a provider says that does not send notifications to an address."""
    return RemoteRefused(sentence, remedy="Renew the certificate.")
