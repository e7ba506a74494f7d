"""A write of ours that was broken off between two requests is told apart from what somebody else changed meanwhile.

What stands there is then partly what stood there, partly what was to stand there. What is neither, somebody made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.core import content, origin
from bridge.core.applying import apply
from bridge.core.difference import difference
from bridge.store import journal
from bridge.sync.push import becoming
from bridge.upstream.protocol import Unreadable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bridge.core.content import Content
    from bridge.core.meaning import Slot
    from bridge.core.model import CalendarObject
    from bridge.store.database import Transaction
    from bridge.sync.assignment import Assignment
    from bridge.sync.comparing import Bases
    from bridge.sync.pairing import Pair

_MOST_VERSIONS = 20


def without_our_half(a: Assignment, tx: Transaction, pair: Pair, known: Bases) -> CalendarObject:
    """The remote object as it would be had we never begun to write it: as it was, with what others changed since.

    Only what somebody added or changed is taken for theirs. What is missing may be what a half-done write has taken
    away, or not brought yet.

    Args:
        a: The rule.
        tx: A transaction.
        pair: A linked pair of which the remote object is unfinished.
        known: What both sides were when they last agreed.
    """
    was, half = known.of_there, pair.theirs.object
    if isinstance(half, Unreadable) or half.component is not was.component:
        return was
    before = content.read(was)
    if origin.marks(half) == a.origin and origin.marks(was) is None:
        # The answer to its creation, which would have brought the mark, was never heard.
        before = origin.mark(before, a.origin)
    after = content.with_uid(content.read(half), was.uid)
    found = difference(before, after)
    written = [difference(before, each, repeated=found.repeated).changes for each in _written(a, tx, pair, known)]

    def is_theirs(slot: Slot) -> bool:
        new = found.changes[slot].new
        return new is not None and all(slot not in ours or ours[slot].new != new for ours in written)

    return a.parse(content.write(apply(found.only(is_theirs), before)))


def _written(a: Assignment, tx: Transaction, pair: Pair, known: Bases) -> Iterator[Content]:
    """What may have been on its way: what each version since both agreed makes of the remote object."""
    base, was, link = known.of_there, known.of_here, pair.linked
    views = a.views(link)
    for etag in _versions(a, tx, pair, known):
        version = a.parse(journal.raw(tx, etag))
        if version.component is base.component:
            yield content.read(becoming(a, base, version, was=was, views=views, view=link.view))


def _versions(a: Assignment, tx: Transaction, pair: Pair, known: Bases) -> list[str]:
    """The etags of what stood here since both sides agreed, the newest first."""
    entries = journal.history(tx, address=a.here(tx).address, uid=pair.uid, limit=_MOST_VERSIONS)
    etags = [each.after for each in entries]
    if known.of_here.etag in etags:
        # Where somebody took a change back, what they had agreed on comes more than once.
        del etags[len(etags) - etags[::-1].index(known.of_here.etag) :]
    now = () if pair.here is None else (pair.here.etag,)
    return list(dict.fromkeys(etag for etag in (*now, *etags) if etag is not None))
