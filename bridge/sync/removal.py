"""A rule is removed: what it wrote stays, or goes again, on each side; what somebody changed since stays in any case.

Upstream goes what was made here and created there, here goes what was made there and taken over. What another rule
keeps the same as something of its own stays too: it would carry the deletion on to people who did not ask for it.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from bridge.core import origin as origins
from bridge.core.precondition import Precondition
from bridge.core.sides import Side
from bridge.errors import CalendarGone, Conflict, RemoteChanged
from bridge.store import calendar_object as objects
from bridge.store import journal, lease, placement
from bridge.store import link as links
from bridge.store import rule as rules
from bridge.store.link import Made
from bridge.sync.assigning import pick
from bridge.sync.assignment import same
from bridge.sync.views import Views
from bridge.upstream.protocol import Changed, Found, Gone, Unreadable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from bridge.core.model import CalendarObject
    from bridge.store.database import Database, Transaction
    from bridge.store.journal import Author
    from bridge.store.link import Link
    from bridge.store.rule import Rule
    from bridge.upstream.protocol import Upstream

_BATCH = 100
_EDITED_THERE = "Somebody changed it there since."
_EDITED_HERE = "Somebody changed it here since."
_OF_ANOTHER_RULE = "Another rule keeps it too."


class Fate(StrEnum):
    """What becomes of what a rule wrote on one side."""

    KEEP = "keep"
    REMOVE = "remove"


@dataclass(frozen=True, slots=True)
class Kept:
    """Something that a rule wrote, and that stays though it was to go.

    Attributes:
        side: Where it stands.
        uid: Of the object here, or of the remote object where it is not here.
        summary: Its title.
        reason: A sentence that says why.
    """

    side: Side
    uid: str
    summary: str = field(repr=False)
    reason: str


@dataclass(frozen=True, slots=True)
class Removed:
    """What became of what a rule wrote.

    Attributes:
        there: How many objects were removed at the upstream.
        here: How many were removed here.
        kept: What stays though it was to go.
    """

    there: int
    here: int
    kept: tuple[Kept, ...]


@dataclass(frozen=True, slots=True)
class Wanted:
    """How a rule is to be removed.

    Attributes:
        there: What becomes of what it created at the upstream.
        here: What becomes of what it created here.
        by_marks: Whether the whole remote calendar is searched for what carries the rule's mark, as when the links
            were lost with the database.
        stays_configured: Whether the rule still stands in the configuration: then it begins anew, paused.
    """

    there: Fate
    here: Fate
    by_marks: bool
    stays_configured: bool


class Removal:
    """The removal of one rule, under its lease; whatever breaks it off, it can be repeated.

    Args:
        database: The store.
        rule: As it was taken.
        owner: Who holds its lease.
        upstream: Its connection; asked only where something is to go there.
        calendar: What the rule calls the remote calendar, where its id was never found.
        parse: Reads the bytes of one object.
        author: For the journal.
        progress: Called with how many objects are done, and of how many.
    """

    def __init__(
        self,
        database: Database,
        rule: Rule,
        *,
        owner: str,
        upstream: Upstream | None,
        calendar: str,
        parse: Callable[[bytes], CalendarObject],
        author: Author,
        progress: Callable[[int, int], None] = lambda _done, _of: None,
    ) -> None:
        self._database = database
        self._rule = rule
        self._owner = owner
        self._upstream = upstream
        self._named = calendar
        self._parse = parse
        self._author = author
        self._progress = progress
        self._kept: list[Kept] = []

    def run(self, wanted: Wanted) -> Removed:
        """Removes what is to go, then the rule itself.

        Raises:
            UpstreamError: The upstream cannot be asked, or does not let anything be removed; the rule is still there.
            LeaseLost: Another worker has taken the rule over.
            StoreError: The database cannot be written.
        """
        there = here = 0
        if wanted.there is Fate.REMOVE and self._upstream is not None:
            try:
                there = self._clean_there(self._upstream, by_marks=wanted.by_marks)
            except CalendarGone:
                # With the calendar went everything that was in it.
                there = 0
        if wanted.here is Fate.REMOVE:
            here = self._clean_here()
        self._forget(wanted)
        return Removed(there, here, tuple(self._kept))

    def _forget(self, wanted: Wanted) -> None:
        rule = self._rule
        with self._writing() as tx:
            rules.remove(tx, rule.id)
            if wanted.stays_configured:
                fresh = rules.declare(
                    tx,
                    key=rule.key,
                    target=rule.target,
                    origin=rule.origin,
                    collection_id=rule.collection_id,
                    pushes=rule.pushes,
                    fingerprint=rule.fingerprint,
                )
                rules.pause(tx, fresh.id)

    @contextmanager
    def _writing(self) -> Iterator[Transaction]:
        with self._database.writing() as tx:
            lease.hold_lease(tx, self._rule.id, self._owner)
            yield tx

    # At the upstream.

    def _clean_there(self, upstream: Upstream, *, by_marks: bool) -> int:
        with self._database.reading() as tx:
            known = {link.uid: link for link in links.every(tx, self._rule.id)}
        if not by_marks and not any(link.made is Made.HERE for link in known.values()):
            return 0
        calendar = self._rule.calendar or pick(upstream.calendars(), self._named).id
        with self._database.reading() as tx:
            others = self._remote_ids_of_others(tx, calendar)
        ours = [link for link in known.values() if link.made is Made.HERE and link.remote_id and link.remote_etag]
        removed = 0
        for number, link in enumerate(ours, start=1):
            removed += self._remove_linked(upstream, calendar, link, others)
            self._progress(number, len(ours))
        # Of what was being created when a pass broke off, only its mark tells.
        is_unsure = any(link.made is Made.HERE and link.remote_id is None for link in known.values())
        if by_marks or is_unsure:
            linked = {link.remote_id for link in known.values() if link.remote_id is not None}
            removed += self._remove_marked(upstream, calendar, linked | others)
        return removed

    def _remote_ids_of_others(self, tx: Transaction, calendar: str) -> set[str]:
        """What other rules keep in the same remote calendar."""
        others = [each for each in rules.every(tx) if each.active and each.id != self._rule.id]
        return {id_ for each in others if each.calendar == calendar for id_ in links.etags(tx, each.id)}

    def _remove_linked(self, upstream: Upstream, calendar: str, link: Link, others: set[str]) -> bool:
        remote_id, etag = link.remote_id or "", link.remote_etag or ""
        if remote_id in others:
            self._keep(Side.THERE, link, _OF_ANOTHER_RULE)
            return False
        try:
            upstream.remove(calendar, remote_id, if_match=etag)
        except RemoteChanged:
            if not self._removed_after_all(upstream, calendar, link, remote_id):
                self._keep(Side.THERE, link, _EDITED_THERE)
                return False
        with self._writing() as tx:
            links.remove(tx, self._rule.id, link.uid)
        return True

    def _removed_after_all(self, upstream: Upstream, calendar: str, link: Link, remote_id: str) -> bool:
        """Removes what has another etag but means the same: some servers give new ones for no reason."""
        (answer,) = upstream.fetch(calendar, [remote_id])
        if isinstance(answer, Gone):
            return True
        if not isinstance(answer, Found) or isinstance(answer.object, Unreadable) or link.base_there is None:
            return False
        with self._database.reading() as tx:
            base = self._parse(journal.raw(tx, link.base_there))
            ours = None if link.base_here is None else self._parse(journal.raw(tx, link.base_here))
        views = Views.read(link.view)
        if not same(*(views.taken(each, ours, parse=self._parse) for each in (answer.object, base))):
            return False
        try:
            upstream.remove(calendar, remote_id, if_match=answer.etag)
        except RemoteChanged:
            return False
        return True

    def _remove_marked(self, upstream: Upstream, calendar: str, spared: set[str]) -> int:
        listed: dict[str, Changed] = {}
        for page in upstream.changes(calendar, None):
            for item in page.items:
                if isinstance(item, Changed) and item.remote_id not in spared:
                    listed[item.remote_id] = item
        removed = 0
        waiting = list(listed)
        for start in range(0, len(waiting), _BATCH):
            for found in self._read(upstream, calendar, listed, waiting[start : start + _BATCH]):
                if not isinstance(found.object, Unreadable) and str(origins.marks(found.object)) == self._rule.origin:
                    removed += self._remove_found(upstream, calendar, found, found.object)
            self._progress(min(start + _BATCH, len(waiting)), len(waiting))
        return removed

    @staticmethod
    def _read(upstream: Upstream, calendar: str, listed: Mapping[str, Changed], ids: Sequence[str]) -> Iterator[Found]:
        ask = []
        for remote_id in ids:
            item = listed[remote_id]
            if item.object is None:
                ask.append(remote_id)
            else:
                yield Found(remote_id, item.etag, item.object)
        for answer in upstream.fetch(calendar, ask) if ask else ():
            if isinstance(answer, Found):
                yield answer

    def _remove_found(self, upstream: Upstream, calendar: str, found: Found, obj: CalendarObject) -> bool:
        try:
            upstream.remove(calendar, found.remote_id, if_match=found.etag)
        except RemoteChanged:
            self._kept.append(Kept(Side.THERE, obj.uid, obj.summary, _EDITED_THERE))
            return False
        return True

    # Here.

    def _clean_here(self) -> int:
        rule = self._rule
        with self._database.reading() as tx:
            taken_over = [
                link for link in links.every(tx, rule.id) if link.made is Made.THERE and link.base_here is not None
            ]
        removed = 0
        for start in range(0, len(taken_over), _BATCH):
            batch = taken_over[start : start + _BATCH]
            with self._writing() as tx:
                others = [
                    each
                    for each in rules.every(tx)
                    if each.active and each.id != rule.id and each.collection_id == rule.collection_id
                ]
                removed += sum(self._remove_here(tx, link, others) for link in batch)
            self._progress(min(start + _BATCH, len(taken_over)), len(taken_over))
        return removed

    def _remove_here(self, tx: Transaction, link: Link, others: Sequence[Rule]) -> bool:
        rule = self._rule
        stands = next(iter(placement.by_uids(tx, rule.collection_id, [link.uid])), None)
        if stands is None:
            return False
        reason = ""
        if self._belongs_to_another(tx, link, others):
            reason = _OF_ANOTHER_RULE
        elif stands.etag != link.base_here:
            base = self._parse(journal.raw(tx, link.base_here or ""))
            if not same(self._parse(stands.raw), base):
                reason = _EDITED_HERE
        if reason:
            self._kept.append(Kept(Side.HERE, link.uid, self._parse(stands.raw).summary, reason))
            return False
        precondition = Precondition(if_match=frozenset({stands.etag}))
        try:
            with tx.savepoint():
                objects.remove(tx, rule.collection_id, stands.href, author=self._author, precondition=precondition)
        except Conflict:
            self._kept.append(Kept(Side.HERE, link.uid, self._parse(stands.raw).summary, _EDITED_HERE))
            return False
        links.remove(tx, rule.id, link.uid)
        return True

    @staticmethod
    def _belongs_to_another(tx: Transaction, link: Link, others: Sequence[Rule]) -> bool:
        """Whether another rule has the object from its own upstream, so that its deletion would go on to there.

        What another rule only sent on goes with it: that was a copy.
        """
        found = (links.get(tx, other.id, link.uid) for other in others)
        return any(each.remote_id is not None and each.made is not Made.HERE for each in found if each is not None)

    def _keep(self, side: Side, link: Link, reason: str) -> None:
        summary = ""
        etag = link.base_here or link.base_there
        if etag is not None:
            with self._database.reading() as tx:
                summary = self._parse(journal.raw(tx, etag)).summary
        self._kept.append(Kept(side, link.uid, summary, reason))
