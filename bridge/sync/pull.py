"""What is written here because of what stands there: each object in one transaction with its link and its intents."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from typing import TYPE_CHECKING

from bridge.core import content, origin
from bridge.core.applying import apply
from bridge.core.difference import difference
from bridge.core.precondition import ANY, Precondition
from bridge.errors import Conflict, ObjectRefused
from bridge.store import calendar_object as objects
from bridge.store import link as links
from bridge.store import outbox
from bridge.store.link import Link, Made
from bridge.store.put_many import put_many
from bridge.sync.convergence import counted
from bridge.sync.sighting import Hint

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bridge.core.model import CalendarObject
    from bridge.store.database import Transaction
    from bridge.store.journal import Author
    from bridge.sync.assignment import Assignment
    from bridge.sync.judging import Verdict

_DIGITS = 32


def href_for(uid: str) -> str:
    """The name under which an object that comes from an upstream is kept: any UID makes a sound one."""
    return f"{sha256(uid.encode()).hexdigest()[:_DIGITS]}.ics"


def brought(a: Assignment, verdict: Verdict) -> CalendarObject:
    """What is to stand here: what stands here now, with what changed there.

    Where nothing stands here any more, it is what stood here last.
    """
    pair, known, views = verdict.pair, verdict.bases, verdict.views
    remote = verdict.pair.their_object
    target = known.here if pair.here is None else a.parse(pair.here.raw)
    if target is None or known.there is None:
        return a.parse(_unmarked(a.taken(remote, None, views)))
    was = views.earlier(pair.linked.view)
    before = content.read(a.taken(known.there, known.here, was))
    after = content.read(a.taken(remote, known.here, views.since(was)))
    return a.parse(content.write(apply(difference(before, after), content.read(target))))


def _unmarked(obj: CalendarObject) -> bytes:
    return obj.raw if origin.marks(obj) is None else content.write(origin.unmarked(content.read(obj)))


def pull(a: Assignment, verdict: Verdict, *, author: Author) -> None:
    """Changes here what changed there, or brings back what was deleted here and edited there.

    Raises:
        Conflict: It was changed here meanwhile; the intent of that change leads to another verdict.
        ObjectRefused: It cannot be kept.
    """
    new = brought(a, verdict)
    with a.writing() as tx:
        _put(tx, a, verdict, new, author=author)
        keep(tx, a, verdict, new)


def pull_split(a: Assignment, shortened: Verdict, second: Verdict, *, author: Author) -> None:
    """Takes over a series that was cut in two there, so that nobody here ever sees half of it.

    Raises:
        Conflict: One of them was changed here meanwhile.
        ObjectRefused: One of them cannot be kept.
    """
    new = [(verdict, brought(a, verdict)) for verdict in (second, shortened)]
    with a.writing() as tx:
        for verdict, obj in new:
            _put(tx, a, verdict, obj, author=author)
            keep(tx, a, verdict, obj)


def _put(tx: Transaction, a: Assignment, verdict: Verdict, new: CalendarObject, *, author: Author) -> None:
    here = verdict.pair.here
    precondition = Precondition(if_none_match=ANY) if here is None else Precondition(if_match=frozenset({here.etag}))
    href = href_for(new.uid) if here is None else here.href
    objects.put(tx, a.rule.collection_id, href, new, author=author, precondition=precondition)


def keep(tx: Transaction, a: Assignment, verdict: Verdict, here: CalendarObject) -> None:
    """Notes that both sides agree now: `here`, and what was seen there."""
    keep_many(tx, a, [(verdict, here)])


def keep_many(tx: Transaction, a: Assignment, agreed: Sequence[tuple[Verdict, CalendarObject]]) -> None:
    """Notes that both sides agree now, each about another object: on what is here, and on what was seen there."""
    # What is here was kept when it was stored, and mostly it is what is there, to the last byte.
    theirs = [(verdict.pair.their_object, here) for verdict, here in agreed]
    links.keep_bodies(tx, [there.raw for there, here in theirs if there.etag != here.etag])
    links.put_many(tx, [_agreed(a, verdict, here) for verdict, here in agreed])
    for verdict, _ in agreed:
        settle(tx, verdict)
    unfinished = [verdict.pair.theirs.remote_id for verdict, _ in agreed if verdict.pair.unfinished]
    # It is written there as a whole by the next round.
    outbox.note_there(tx, a.rule.id, [(remote_id, Hint.CHANGED) for remote_id in unfinished])


def _agreed(a: Assignment, verdict: Verdict, here: CalendarObject) -> Link:
    """The link when both sides agree."""
    there = verdict.pair.theirs
    known = verdict.pair.link or Link(rule_id=a.rule.id, uid=here.uid, made=Made.THERE)
    agreed = replace(
        known,
        remote_id=there.remote_id,
        remote_etag=there.etag,
        base_here=here.etag,
        base_there=verdict.pair.their_object.etag,
        view=verdict.views.text(),
    )
    return counted(a, agreed, here) if known.base_here != agreed.base_here else agreed


def settle(tx: Transaction, verdict: Verdict) -> None:
    """Ends the intents that led to a verdict, unless something new was noted under them meanwhile."""
    for intent in verdict.pair.intents:
        outbox.settle(tx, intent)


def create_many(a: Assignment, verdicts: Sequence[Verdict], *, author: Author) -> list[Conflict | ObjectRefused | None]:
    """Takes over remote objects that are new here, all in one transaction.

    Returns:
        For each, None where it is here now, else why it was not taken.
    """
    results: list[Conflict | ObjectRefused | None] = []
    wanted: list[tuple[Verdict, CalendarObject]] = []
    refused: dict[int, ObjectRefused] = {}
    for number, verdict in enumerate(verdicts):
        try:
            wanted.append((verdict, brought(a, verdict)))
        except ObjectRefused as error:
            refused[number] = error
    with a.writing() as tx:
        named = [(href_for(new.uid), new) for _, new in wanted]
        outcomes = iter(put_many(tx, a.rule.collection_id, named, author=author))
        pairs = iter(wanted)
        taken: list[tuple[Verdict, CalendarObject]] = []
        for number in range(len(verdicts)):
            if number in refused:
                results.append(refused[number])
                continue
            outcome, (verdict, new) = next(outcomes), next(pairs)
            if isinstance(outcome, Conflict | ObjectRefused):
                results.append(outcome)
                continue
            taken.append((verdict, new))
            results.append(None)
        keep_many(tx, a, taken)
    return results


def remove(a: Assignment, verdict: Verdict, *, author: Author) -> None:
    """Deletes here what was deleted there; the journal keeps it.

    Raises:
        Conflict: It was changed here meanwhile: an edit beats a deletion.
    """
    here = verdict.pair.ours
    with a.writing() as tx:
        precondition = Precondition(if_match=frozenset({here.etag}))
        objects.remove(tx, a.rule.collection_id, here.href, author=author, precondition=precondition)
        links.remove(tx, a.rule.id, verdict.pair.uid)
        settle(tx, verdict)


def forget(tx: Transaction, a: Assignment, verdict: Verdict) -> None:
    """Forgets what is gone on both sides."""
    links.remove(tx, a.rule.id, verdict.pair.uid)
    settle(tx, verdict)


def pass_over(tx: Transaction, a: Assignment, verdict: Verdict) -> None:
    """Notes what `existing` leaves as it is, so that it stays so until somebody edits it."""
    pair = verdict.pair
    there = pair.there
    link = Link(
        rule_id=a.rule.id,
        uid=pair.uid,
        remote_id=None if there is None else there.remote_id,
        remote_etag=None if there is None else there.etag,
        base_here=None if pair.here is None else pair.here.etag,
        base_there=None if there is None else links.keep_body(tx, verdict.pair.their_object.raw),
        view=verdict.views.text(),
        made=Made.HERE if there is None else Made.THERE,
    )
    links.put(tx, link)
    settle(tx, verdict)


def leave_alone(tx: Transaction, a: Assignment, verdict: Verdict) -> None:
    """Notes which version of a remote object is not taken over, so that it is not fetched again with each listing.

    A whole comparison looks at it again: its time may have come into the window.
    """
    pair = verdict.pair
    if pair.there is not None and (pair.link is None or is_left_alone(pair.link)) and pair.here is None:
        links.put(
            tx,
            Link(
                rule_id=a.rule.id,
                uid=pair.uid,
                remote_id=pair.there.remote_id,
                remote_etag=pair.there.etag,
                made=Made.THERE,
            ),
        )
    settle(tx, verdict)


def is_left_alone(link: Link) -> bool:
    """Whether a link only notes that a remote object was seen, and left alone."""
    return link.remote_id is not None and link.base_here is None and link.base_there is None


def stay(tx: Transaction, verdict: Verdict) -> None:
    """Settles a pair for which nothing is to be done, and notes what both sides are where they agree."""
    pair, known = verdict.pair, verdict.bases
    linked = known.here is not None and known.there is not None
    if pair.link is not None and linked and pair.here is not None and (pair.there is not None or not pair.seen):
        link = replace(pair.link, base_here=pair.here.etag, view=verdict.views.text())
        if pair.there is not None:
            link = replace(
                link,
                remote_id=pair.there.remote_id,
                remote_etag=pair.there.etag,
                base_there=links.keep_body(tx, verdict.pair.their_object.raw),
            )
        if link != pair.link:
            links.put(tx, link)
    settle(tx, verdict)
