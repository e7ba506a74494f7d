"""What became of a pair since both sides last agreed, on each of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bridge.core import content
from bridge.core.decision import Change
from bridge.store import journal
from bridge.sync.assignment import same
from bridge.sync.pairing import present

if TYPE_CHECKING:
    from bridge.core.model import CalendarObject
    from bridge.store.database import Transaction
    from bridge.store.link import Link
    from bridge.sync.assignment import Assignment
    from bridge.sync.pairing import Pair
    from bridge.sync.views import Views


@dataclass(frozen=True, slots=True)
class Bases:
    """What both sides were when they last agreed, read; None where a link does not say."""

    here: CalendarObject | None
    there: CalendarObject | None

    @property
    def of_here(self) -> CalendarObject:
        """What was here, for a verdict on a pair of which that is known."""
        return present(self.here)

    @property
    def of_there(self) -> CalendarObject:
        """What was there, for a verdict on a pair of which that is known."""
        return present(self.there)


def bases(a: Assignment, tx: Transaction, link: Link) -> Bases:
    """Reads what a link keeps."""

    def read(etag: str | None) -> CalendarObject | None:
        return None if etag is None else a.parse(journal.raw(tx, etag))

    return Bases(read(link.base_here), read(link.base_there))


def changed_here(a: Assignment, pair: Pair, base: CalendarObject | None, old: Views, new: Views) -> Change:
    """Whether what stands here is not what it was, as far as the upstream may see it."""
    if pair.here is None:
        return Change.GONE
    if base is None:
        return Change.CHANGED
    if pair.here.etag == base.etag and old == new:
        return Change.UNCHANGED
    now = a.parse(pair.here.raw)
    return Change.UNCHANGED if same(a.shown(now, new), a.shown(base, old)) else Change.CHANGED


def changed_there(a: Assignment, pair: Pair, known: Bases, old: Views, new: Views) -> Change:
    """Whether what stands there is not what it was, as far as we take it over."""
    if not pair.seen:
        return Change.UNCHANGED
    if pair.there is None:
        return Change.GONE
    now = pair.their_object
    if known.there is None:
        return Change.CHANGED
    if now.uid != known.there.uid:
        # Under another UID it is still the same, where it is found to be.
        now = a.parse(content.write(content.with_uid(content.read(now), known.there.uid)))
    seen, seen_before = a.taken(now, known.here, new.since(old)), a.taken(known.there, known.here, old)
    return Change.UNCHANGED if same(seen, seen_before) else Change.CHANGED


def relinked(pair: Pair) -> Pair:
    """The pair with its link on the remote object that was seen; without an etag, as that link was never stored."""
    if pair.link is None or pair.there is None or pair.link.remote_id == pair.remote_id:
        return pair
    return replace(pair, link=replace(pair.link, remote_id=pair.remote_id, remote_etag=None))
