"""A desk at the sync engine whose remote calendars tell of changes, with the real web application to tell it to."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from bridge.config import Server
from bridge.store import status, watch
from tests.fakes.watched_shelf import Exchange, WatchedShelf
from tests.sync.desk import SyncDesk
from tests.web.notifying import CHANNELS, Door

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import tzinfo

    from bridge.config import Configuration
    from bridge.core.model import CalendarObject
    from bridge.store.status import RuleStatus
    from bridge.store.watch import WatchRecord
    from bridge.sync.assigning import Office
    from bridge.upstream.protocol import Upstream

HTTPS = "https://cal.example.org/calbridge"


@dataclass
class WatchDesk(SyncDesk):
    """Rules whose upstreams can be watched."""

    public_url: str | None = HTTPS
    exchange: Exchange = field(init=False)
    unwatchable: bool = False

    def __post_init__(self) -> None:
        self.exchange = Exchange(self.clock)
        self.door = Door(self.database)

    def configuration(self) -> Configuration:
        server = Server(public_url=self.public_url)
        return super().configuration().model_copy(update={"server": server})

    def office(self) -> Office:
        def connect(key: str, parse: Callable[[bytes], CalendarObject], zone: tzinfo) -> Upstream:
            # Knows whether the configuration has such a connection.
            self.configuration().connection(key)
            remote = self.remotes[key]
            if self.unwatchable:
                return plain.connect(key, parse, zone)
            return WatchedShelf(remote.shelf, parse, remote.capabilities, self.exchange)

        plain = super().office()
        return replace(plain, connect=connect, channels=CHANNELS)

    # What happens.

    def close(self) -> int:
        """A worker looks for watches that nobody wants any more."""
        return self.worker().close_watches()

    def deliver(self, *notifications: dict[str, str]) -> list[int]:
        """Notifications arrive; gives the answers."""
        return [self.door.send(each) for each in notifications]

    # What is to be seen.

    def watches(self, key: str = "r") -> list[WatchRecord]:
        with self.database.reading() as tx:
            return watch.of_rule(tx, self.rule_now(key).id)

    def status(self, key: str = "r") -> RuleStatus:
        with self.database.reading() as tx:
            return next(each for each in status.read(tx) if each.rule.key == key)

    def calls(self, key: str = "shelf") -> list[str]:
        """What the remote calendar was asked since the last look."""
        made = list(self.remotes[key].shelf.calls)
        self.remotes[key].shelf.calls.clear()
        return made

    def asked(self) -> list[str]:
        """What was asked about watches since the last look."""
        made = [name for name, _ in self.exchange.asked]
        self.exchange.asked.clear()
        return made
