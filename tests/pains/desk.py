"""A desk at the sync engine whose remote calendars also fail in the ways in which real ones do."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import event

from bridge.store import collection, journal
from bridge.store import link as links
from bridge.store import rule as rules
from bridge.store.collection import Address, Kind
from bridge.store.journal import Author
from bridge.sync import decisions
from bridge.sync.assigning import Office
from bridge.sync.holding import holding
from bridge.sync.removal import Removal, Wanted
from tests.fakes.shelf import ShelfUpstream
from tests.store.appointments import parse
from tests.store.desk import Clock
from tests.sync.desk import SyncDesk
from tests.sync.stage import new_database
from tests.upstream.ics_url.feed_server import upstream as feed_upstream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import tzinfo
    from pathlib import Path

    from bridge.core.model import CalendarObject
    from bridge.store.database import Database
    from bridge.store.held import Held
    from bridge.sync.removal import Fate, Removed
    from bridge.upstream.protocol import Upstream
    from tests.sync.desk import Remote


class FailingUpstream(ShelfUpstream):
    """A connection whose calls fail as they are told to, before they do anything."""

    failures: list[tuple[str, Exception]]

    def _begin(self, name: str) -> str | None:
        if self.failures and self.failures[0][0] in {name, "any"}:
            raise self.failures.pop(0)[1]
        return super()._begin(name)


@dataclass
class PainDesk(SyncDesk):
    """Rules between resources and remote calendars, some of which are feeds or fail.

    Attributes:
        failures: What the next calls of a kind ("create", "changes", ... or "any") raise, in this order.
        feeds: The addresses of the connections that are feeds.
    """

    failures: list[tuple[str, Exception]] = field(default_factory=list)
    feeds: dict[str, str] = field(default_factory=dict)

    def office(self) -> Office:
        def connect(key: str, read: Callable[[bytes], CalendarObject], zone: tzinfo) -> Upstream:
            if key in self.feeds:
                return feed_upstream(self.feeds[key], parse=read, zone=zone, now=self.clock)
            remote = self.remotes[key]
            found = FailingUpstream(remote.shelf, read, remote.capabilities)
            found.failures = self.failures
            return found

        return Office(self.database, self.configuration, connect, self.clock)

    def rule(self, key: str = "r", resource: str = "anna", remote: str = "shelf", **options: object) -> None:
        super().rule(key, resource, remote, **options)
        if remote in self.feeds:
            self.by_key[key]["calendar"] = "primary"
            self.reload()

    def approve(self, hold: Held) -> None:
        """A person lets a rule delete what it held back."""
        with self.database.writing() as tx:
            decisions.approve(tx, hold.id, by="boss")

    def fail(self, call: str, error: Exception) -> None:
        """The next call of a kind, or of any, raises this."""
        self.failures.append((call, error))

    def reset(self, key: str = "r") -> None:
        """A person has everything read anew."""
        with self.database.writing() as tx:
            rules.reset(tx, self.rule_now(key).id)

    def remove_rule(self, *, there: Fate, here: Fate, by_marks: bool = False) -> Removed:
        """A person removes the only rule, which may have left the configuration already."""
        with self.database.reading() as tx:
            (rule,) = rules.every(tx)
        with holding(self.database, rule.id, "boss") as held:
            assert held is not None
            remote = self.remotes["shelf"]
            removal = Removal(
                self.database,
                held,
                owner="boss",
                upstream=ShelfUpstream(remote.shelf, parse, remote.capabilities),
                calendar="shelf",
                parse=parse,
                author=Author("cli", "calbridge rule remove"),
            )
            return removal.run(Wanted(there, here, by_marks=by_marks, stays_configured=False))

    def lose_links(self) -> None:
        """The database comes back from a copy that knows nothing of what the rule did."""
        with self.database.writing() as tx:
            for each in links.every(tx, self.rule_now().id):
                links.remove(tx, each.rule_id, each.uid)

    def resource_revision(self, key: str = "anna") -> int:
        """How often the calendar of a resource has changed."""
        with self.database.reading() as tx:
            return collection.get(tx, Address(Kind.RESOURCE, "salon", key)).revision

    def body(self, etag: str) -> bytes:
        """Bytes that are kept."""
        with self.database.reading() as tx:
            return journal.raw(tx, etag)

    @contextmanager
    def seen_by_others(self, look: Callable[[], None]) -> Iterator[None]:
        """Looks at the store before each of its transactions ends: so others see every state between two."""
        with seen_by_others(self.database, look):
            yield


@contextmanager
def seen_by_others(database: Database, look: Callable[[], None]) -> Iterator[None]:
    """Looks at a store before each of its transactions ends: so others see every state between two."""
    looking: list[bool] = []

    def before_commit(_connection: object) -> None:
        if not looking:
            looking.append(True)
            look()
            looking.clear()

    event.listen(database.engine, "commit", before_commit)
    try:
        yield
    finally:
        event.remove(database.engine, "commit", before_commit)
    look()


@contextmanager
def new_desk(folder: Path) -> Iterator[PainDesk]:
    """A desk at a new store, until the block ends."""
    clock = Clock()
    database = new_database(folder, clock)
    try:
        yield PainDesk(database, clock)
    finally:
        database.close()


@contextmanager
def unlisted(remote: Remote, uid: str) -> Iterator[None]:
    """An object that stands there, and that the server does not show to anybody for a while."""
    remote_id = remote.id_of(uid)
    kept = remote.shelf.objects.pop(remote_id)
    # Only a whole listing leaves anything out.
    remote.shelf.number += 1
    remote.shelf.forget_changes()
    try:
        yield
    finally:
        remote.shelf.objects[remote_id] = kept
