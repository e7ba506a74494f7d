"""What stands on both sides is settled: each gets what it lacks, and what loses a clash is kept."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from bridge.core import origin
from bridge.core.decision import Blocked, Move, allowed
from bridge.core.precondition import Precondition
from bridge.core.sides import Side
from bridge.core.view import is_special
from bridge.errors import Conflict, ObjectRefused
from bridge.store import calendar_object as objects
from bridge.store import conflict as conflicts
from bridge.store import link as links
from bridge.store.conflict import State
from bridge.store.link import Link, Made
from bridge.sync.meeting import Meeting
from bridge.sync.pull import settle
from bridge.sync.push import keep, own, replace_there
from bridge.sync.winning import winner_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bridge.core.model import CalendarObject
    from bridge.store.database import Transaction
    from bridge.store.journal import Author
    from bridge.sync.assignment import Assignment
    from bridge.sync.judging import Verdict


@dataclass(frozen=True, slots=True)
class Settlement:
    """What both sides are to become.

    Attributes:
        verdict: About what stands on both sides.
        prefer: Who wins a clash.
        here: What is to stand here.
        there: What is to stand there.
        writes_here: Whether that is another than what stands here.
        writes_there: Whether that has to be written there.
        clashing: The properties in which both contradict each other.
    """

    verdict: Verdict
    prefer: Side
    here: CalendarObject = field(repr=False)
    there: CalendarObject = field(repr=False)
    writes_here: bool
    writes_there: bool
    clashing: frozenset[str]

    @property
    def agrees(self) -> bool:
        """Whether both sides can stay as they are."""
        return not (self.writes_here or self.writes_there or self.clashing)


def settlement(a: Assignment, verdict: Verdict) -> Settlement:
    """Brings together what stands on both sides, as far as the rule may write on each; nothing is written.

    Args:
        a: The rule.
        verdict: About what stands on both sides.

    Raises:
        ObjectRefused: What comes of it cannot be kept.
    """
    options = a.terms.options
    reads, writes = (
        not isinstance(allowed(move, options, first_pass=False), Blocked) for move in (Move.PULL, Move.PUSH)
    )
    writes = writes and not is_special(verdict.pair.their_object)
    prefer = winner_of(a, verdict) if reads and writes else Side.THERE if reads else Side.HERE
    here, there = own(a, verdict), verdict.pair.their_object
    meeting = Meeting(a, verdict)
    merged = meeting.merged(prefer)
    clashing = {clash.property for clash in merged.clashes} or meeting.contradictions()
    if clashing and writes and prefer is Side.THERE and _is_swapped(a, verdict):
        prefer = Side.HERE
        merged = meeting.merged(prefer)
    new_here = a.parse(merged.here) if reads and merged.here != here.raw else here
    new_there = meeting.outgoing(a.parse(merged.there)) if writes else there
    return Settlement(
        verdict,
        prefer,
        new_here,
        new_there,
        writes_here=new_here.etag != here.etag,
        writes_there=writes and (new_there.etag != there.etag or verdict.pair.unfinished),
        clashing=frozenset(clashing),
    )


def _is_swapped(a: Assignment, verdict: Verdict) -> bool:
    """Whether a person has swapped back what stands here, after the clash was noted and before it was settled."""
    with a.database.reading() as tx:
        swapped = conflicts.every(tx, a.rule.id, state=State.SWAPPED)
    pair = verdict.pair
    return any((each.uid, each.lost_side, each.lost) == (pair.uid, Side.HERE, pair.ours.etag) for each in swapped)


def settle_both(a: Assignment, settled: Settlement, *, author: Author) -> None:
    """Has both sides become what they are to be; what loses a clash is kept, so that a person can swap it back.

    Args:
        a: The rule.
        settled: What both are to become.
        author: For the journal.

    Raises:
        RemoteChanged: It was changed there meanwhile.
        Conflict: It was changed here meanwhile.
        UpstreamError: It was not changed there, or nobody knows.
    """
    verdict = settled.verdict
    if settled.clashing:
        _note_clash(a, settled)
    stored = replace_there(a, verdict, settled.there) if settled.writes_there else None
    with a.writing() as tx:
        if settled.writes_here:
            here = verdict.pair.ours
            precondition = Precondition(if_match=frozenset({here.etag}))
            objects.put(tx, a.rule.collection_id, here.href, settled.here, author=author, precondition=precondition)
        if stored is None:
            _keep_bodies(tx, [settled])
            links.put(tx, _agreed(a, settled))
        else:
            link = verdict.pair.link or _new_link(a, verdict)
            keep(tx, a, link, here=settled.here, stored=stored, view=verdict.views.text())
        settle(tx, verdict)


def link_alike(a: Assignment, verdicts: Sequence[Verdict]) -> list[Verdict]:
    """Links, all in one transaction, those objects that stand on both sides and can stay as they are.

    Returns:
        The verdicts on these. With the others more is to be done, or it shows with each by itself why not.
    """
    alike = [settled for verdict in verdicts if verdict.pair.link is None for settled in _alike(a, verdict)]
    try:
        _link(a, alike)
    except Conflict:
        return []
    return [settled.verdict for settled in alike]


def _alike(a: Assignment, verdict: Verdict) -> Iterator[Settlement]:
    try:
        settled = settlement(a, verdict)
    except ObjectRefused:
        return
    if settled.agrees:
        yield settled


def _link(a: Assignment, alike: Sequence[Settlement]) -> None:
    with a.writing() as tx:
        _keep_bodies(tx, alike)
        links.put_many(tx, [_agreed(a, settled) for settled in alike])
        for settled in alike:
            settle(tx, settled.verdict)


def _note_clash(a: Assignment, settled: Settlement) -> None:
    """Keeps the version that loses, before it is overwritten anywhere."""
    pair, prefer = settled.verdict.pair, settled.prefer
    lost, kept = (pair.their_object, pair.ours) if prefer is Side.HERE else (pair.ours, pair.their_object)
    with a.writing() as tx:
        conflicts.note(
            tx,
            rule_id=a.rule.id,
            uid=pair.uid,
            summary=settled.verdict.step.summary,
            lost_side=prefer.other,
            lost=links.keep_body(tx, lost.raw),
            kept=links.keep_body(tx, kept.raw),
            properties=", ".join(sorted(settled.clashing)),
        )


def _keep_bodies(tx: Transaction, agreed: Sequence[Settlement]) -> None:
    links.keep_bodies(tx, [raw for each in agreed for raw in (each.here.raw, each.verdict.pair.their_object.raw)])


def _agreed(a: Assignment, settled: Settlement) -> Link:
    """The link when both sides agree, and nothing was written there."""
    pair = settled.verdict.pair
    return replace(
        pair.link or _new_link(a, settled.verdict),
        remote_id=pair.theirs.remote_id,
        remote_etag=pair.theirs.etag,
        base_here=settled.here.etag,
        base_there=pair.their_object.etag,
        view=settled.verdict.views.text(),
    )


def _new_link(a: Assignment, verdict: Verdict) -> Link:
    pair = verdict.pair
    return Link(
        rule_id=a.rule.id,
        uid=pair.uid,
        remote_id=pair.theirs.remote_id,
        remote_etag=pair.theirs.etag,
        view=verdict.views.text(),
        made=Made.HERE if _is_ours(a, pair.their_object) else Made.ADOPTED,
    )


def _is_ours(a: Assignment, remote: CalendarObject) -> bool:
    """Whether this installation made a remote object: after the loss of the database, or under a rule that is gone."""
    mark = origin.marks(remote)
    return mark is not None and mark.site == a.origin.site
