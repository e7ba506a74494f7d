"""An assignment is one rule as one pass finds it: its settings, both sides, and the lease under which it may write."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bridge.core.canonical import digest
from bridge.core.content import read
from bridge.core.difference import difference
from bridge.errors import NotFound
from bridge.store import collection as collections
from bridge.store import lease
from bridge.store.journal import Author
from bridge.store.link import Made

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime, timedelta, tzinfo

    from bridge.core.decision import Options
    from bridge.core.guard import Guard
    from bridge.core.model import CalendarObject, ComponentType
    from bridge.core.origin import Origin
    from bridge.core.window import Window
    from bridge.store.collection import Collection
    from bridge.store.database import Database, Transaction
    from bridge.store.link import Link
    from bridge.store.rule import Rule
    from bridge.sync.views import Views
    from bridge.upstream.protocol import Upstream
    from bridge.upstream.tally import Tally


@dataclass(frozen=True, slots=True)
class Terms:
    """What the configuration says about a rule, as the core understands it.

    Attributes:
        options: Which moves are allowed.
        views: What passes in each direction.
        window: Within which objects are kept the same.
        guard: How many deletions need a person.
        zone: Of the resource: what floating times mean.
        holds: The component types that the resource's calendar holds.
        max_object: Octets that one object may have here.
        poll: How often the upstream is asked for changes.
    """

    options: Options
    views: Views
    window: Window
    guard: Guard
    zone: tzinfo
    holds: frozenset[ComponentType]
    max_object: int
    poll: timedelta


@dataclass(frozen=True, slots=True)
class Assignment:
    """One rule as one pass finds it.

    Attributes:
        rule: As it stood when it was claimed.
        terms: What the configuration says about it.
        origin: Its mark.
        upstream: The connection.
        another: Opens another connection like it, for more requests at once; whoever calls it closes it.
        calendar: Id of the remote calendar.
        database: The store.
        parse: Reads the bytes of one object in the resource's zone.
        owner: Who holds the lease.
        clock: Gives the present instant, UTC.
        tally: Counts the requests that go to the upstream.
        anew: Whether the remote calendar is not the one that was compared before: what is missing in it was not
            deleted by anybody.
    """

    rule: Rule
    terms: Terms
    origin: Origin
    upstream: Upstream
    another: Callable[[], Upstream]
    calendar: str
    database: Database
    parse: Callable[[bytes], CalendarObject]
    owner: str
    clock: Callable[[], datetime]
    tally: Tally
    anew: bool = False

    @contextmanager
    def writing(self) -> Iterator[Transaction]:
        """A writing transaction that ends in nothing where another worker has taken the rule over.

        Raises:
            LeaseLost: Another worker has.
        """
        with self.database.writing() as tx:
            lease.hold_lease(tx, self.rule.id, self.owner)
            yield tx

    def here(self, tx: Transaction) -> Collection:
        """The collection of the resource.

        Raises:
            NotFound: It was deleted.
        """
        found = collections.with_id(tx, self.rule.collection_id)
        if found is None:
            raise NotFound(f"The calendar of rule {self.rule.key!r} does not exist any more.")
        return found

    def author(self, run_id: int) -> Author:
        """Whom the journal names for what this pass writes here."""
        return Author(f"rule:{self.rule.key}", f"run:{run_id}", self.rule.id)

    def views(self, link: Link | None) -> Views:
        """What passes in each direction for one object."""
        return self.terms.views.of(made_here=link is None or link.made is not Made.THERE)

    def shown(self, obj: CalendarObject, views: Views) -> CalendarObject:
        """Our object as the upstream may see it."""
        return views.shown(obj, parse=self.parse)

    def taken(self, there: CalendarObject, ours: CalendarObject | None, views: Views) -> CalendarObject:
        """What a remote object says to our side, in the terms of our object where there is one."""
        return views.taken(there, ours, parse=self.parse)


def same(one: CalendarObject, other: CalendarObject) -> bool:
    """Whether two objects mean the same.

    An instance can be cancelled in two forms; so where the digests differ, it may still be that nothing does.
    """
    if one.etag == other.etag or digest(one) == digest(other):
        return True
    return one.component == other.component and not difference(read(one), read(other))
