"""A write of ours of which nobody heard how it ended is told apart from what somebody else changed meanwhile.

Where it was broken off between two requests, what stands there is partly what stood there, partly what was to stand
there. Where only its answer was lost, all of it stands there. What is neither, somebody made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.core import content, origin
from bridge.core.applying import apply
from bridge.core.difference import difference
from bridge.core.sides import Side
from bridge.store import journal
from bridge.sync.push import becoming
from bridge.upstream.protocol import Unreadable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from bridge.core.content import Content
    from bridge.core.difference import Change, Difference
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
    found, written = _compared(a, tx, pair, known)

    def is_theirs(slot: Slot) -> bool:
        return found.changes[slot].new is not None and not _is_ours(slot, found, written)

    return a.parse(content.write(apply(found.only(is_theirs), found.old)))


def without_unheard(a: Assignment, tx: Transaction, pair: Pair, known: Bases) -> CalendarObject | None:
    """The remote object as it would be without a write of ours whose answer was lost: else we meet it as an edit.

    Whatever changed there just as a version here has it is taken for ours; so it is where both sides were brought
    together, and what was written has something of both.

    Args:
        a: The rule.
        tx: A transaction.
        pair: A linked pair that has changed there, and to which something happened here too.
        known: What both sides were when they last agreed.

    Returns:
        That object, or None where no write of ours stands there.
    """
    if pair.their_object.component is not known.of_there.component:
        return None
    found, written = _compared(a, tx, pair, known)
    theirs = found.only(lambda slot: not _is_ours(slot, found, written))
    rest = apply(theirs, found.old)
    return a.parse(content.write(rest)) if theirs.changes != found.changes and rest.parts else None


def was_rewritten(a: Assignment, tx: Transaction, pair: Pair, known: Bases) -> bool:
    """Whether anything that we had sent there says something else now, and nothing that we sent later.

    What only came, the upstream may have added of itself; what only went, it may not have kept.

    Args:
        a: The rule.
        tx: A transaction.
        pair: A pair whose creation nobody heard of, and which was found there.
        known: What both sides were when it was announced.
    """
    if pair.their_object.component is not known.of_there.component:
        return True
    found, written = _compared(a, tx, pair, known)
    return any(
        change.old is not None and change.new is not None
        for change in found.only(lambda slot: not _is_ours(slot, found, written)).changes.values()
    )


def _is_ours(slot: Slot, found: Difference, written: Sequence[Mapping[Slot, Change]]) -> bool:
    """Whether a slot says now what a version here would have made it say."""
    return any(slot in ours and ours[slot].new == found.changes[slot].new for ours in written)


def _compared(
    a: Assignment, tx: Transaction, pair: Pair, known: Bases
) -> tuple[Difference, list[Mapping[Slot, Change]]]:
    """What differs there from when both agreed; and what each version here would have made differ, the newest first."""
    was, now = known.of_there, pair.their_object
    before = content.read(was)
    if origin.marks(now) == a.origin and origin.marks(was) is None:
        # The answer to its creation, which would have brought the mark, was never heard.
        before = origin.mark(before, a.origin)
    found = difference(before, content.with_uid(content.read(now), was.uid))
    written = [difference(before, each, repeated=found.repeated).changes for each in _written(a, tx, pair, known)]
    return found, written


def _written(a: Assignment, tx: Transaction, pair: Pair, known: Bases) -> Iterator[Content]:
    """What may have been on its way: what each version since both agreed makes of the remote object."""
    base, was, link = known.of_there, known.of_here, pair.linked
    views = a.views(link)
    for etag in _versions(a, tx, pair, known):
        version = a.parse(journal.raw(tx, etag))
        if version.component is base.component:
            yield content.read(becoming(a, base, version, was=was, views=views, view=link.view))


def _versions(a: Assignment, tx: Transaction, pair: Pair, known: Bases) -> list[str]:
    """The etags of what stood here when both sides agreed and since, the newest first."""
    entries = journal.history(tx, address=a.here(tx).address, uid=pair.uid, limit=_MOST_VERSIONS)
    edited = min((each.noted_at for each in pair.intents if each.side is Side.HERE), default=None)
    etags, agreed = [None if pair.here is None else pair.here.etag], False
    for each in entries:
        # Who changes an appointment to and fro comes by what was agreed on again, before it was agreed on and after.
        agreed = agreed or each.after == known.of_here.etag
        if agreed and (edited is None or each.at < edited):
            break
        etags.append(each.after)
    # Other options of the rule may have had even that written anew.
    etags.append(known.of_here.etag)
    return list(dict.fromkeys(etag for etag in etags if etag is not None))
