"""What is written there because of what stands here: what must survive a crash is noted before, the answer after."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bridge.core import content, origin
from bridge.core.applying import apply
from bridge.core.difference import difference
from bridge.core.projection import discloses
from bridge.core.sides import Side
from bridge.errors import RemoteRefused, UidTaken, UpstreamError
from bridge.store import journal, outbox
from bridge.store import link as links
from bridge.store.link import Link, Made
from bridge.sync.convergence import counted
from bridge.sync.pull import settle
from bridge.sync.sighting import Hint
from bridge.sync.views import Views
from bridge.upstream.powers import CreatesMany
from bridge.upstream.protocol import Unreadable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bridge.core.model import CalendarObject
    from bridge.store.database import Transaction
    from bridge.sync.assignment import Assignment
    from bridge.sync.judging import Verdict
    from bridge.upstream.protocol import Stored, Upstream


def own(a: Assignment, verdict: Verdict) -> CalendarObject:
    """Our object of a verdict that is about one."""
    return a.parse(verdict.pair.ours.raw)


def outgoing(a: Assignment, verdict: Verdict) -> CalendarObject:
    """What is to stand there: what stood there last, with what changed here."""
    known, pair = verdict.bases, verdict.pair
    base = known.of_there if pair.there is None else pair.their_object
    return becoming(a, base, own(a, verdict), was=known.of_here, views=verdict.views, view=pair.linked.view)


def becoming(
    a: Assignment, base: CalendarObject, ours: CalendarObject, *, was: CalendarObject, views: Views, view: str
) -> CalendarObject:
    """What becomes of a remote object when what changed here is written there.

    Args:
        a: The rule.
        base: The remote object.
        ours: Our object.
        was: What it was when both sides last agreed.
        views: What passes in each direction now.
        view: What passed then, as the link has it.
    """
    if views.made_here and discloses(base, ours, views.out):
        # The rule shows less than it did, or the appointment became private: nothing of the old text may stay.
        whole = content.with_uid(content.read(a.shown(ours, views)), base.uid)
        marked = whole if origin.marks(base) is None else origin.mark(whole, a.origin)
        return a.parse(content.write(marked))
    before = content.read(a.shown(was, views.earlier(view)))
    now = content.read(a.shown(ours, views))
    return a.parse(content.write(apply(difference(before, now), content.read(base))))


@dataclass(frozen=True, slots=True)
class Announced:
    """A creation as it was announced: what is created stays the same until it is known whether it was.

    Attributes:
        link: What is known of it after a crash.
        here: Our object as it is created there; where it was changed meanwhile, the change follows.
    """

    link: Link
    here: CalendarObject


def announce(a: Assignment, verdicts: Sequence[Verdict]) -> list[Announced]:
    """Notes that objects are about to be created there, before they are: after a crash each is found again."""
    announced = []
    with a.writing() as tx:
        for verdict in verdicts:
            old = verdict.pair.link
            if old is not None and old.is_announced and old.base_here is not None:
                announced.append(Announced(old, a.parse(journal.raw(tx, old.base_here))))
                continue
            here = own(a, verdict)
            again = old is not None and old.remote_id is not None
            link = Link(
                rule_id=a.rule.id,
                uid=verdict.pair.uid,
                base_here=links.keep_body(tx, here.raw),
                view=verdict.views.text(),
                made=Made.HERE if old is None else old.made,
                generation=(0 if old is None else old.generation) + again,
                written_at=tx.now,
                streak=0 if old is None else old.streak,
                wrote="" if old is None else old.wrote,
            )
            announced.append(Announced(link, here))
        links.put_many(tx, [each.link for each in announced])
    return announced


def create_many(
    a: Assignment, upstream: Upstream, wanted: Sequence[Announced], *, renamed: bool
) -> Sequence[Stored | UpstreamError]:
    """Creates there what was announced, each once however often it is tried.

    Args:
        a: The rule.
        upstream: The connection.
        wanted: What is created.
        renamed: Whether under other UIDs, as their own are taken by another calendar of the same remote user.

    Returns:
        For each what stands there, or why it was not created, or that nobody knows.
    """
    named = [
        (_marked(a, each, renamed=renamed), a.origin.request_id(each.link.uid, each.link.generation)) for each in wanted
    ]
    if len(named) > 1 and isinstance(upstream, CreatesMany):
        return upstream.create_many(a.calendar, named)
    return list(_one_by_one(a, upstream, named))


def _marked(a: Assignment, announced: Announced, *, renamed: bool) -> CalendarObject:
    link = announced.link
    marked = origin.mark(content.read(a.shown(announced.here, Views.read(link.view))), a.origin)
    if renamed:
        marked = content.with_uid(marked, a.origin.alias(link.uid, link.generation))
    return a.parse(content.write(marked))


def _one_by_one(
    a: Assignment, upstream: Upstream, named: Sequence[tuple[CalendarObject, str]]
) -> Iterator[Stored | UpstreamError]:
    """What keeps one from being created keeps the others too: nobody waits for each to time out."""
    outage: UpstreamError | None = None
    for new, name in named:
        outcome = outage or _created(upstream, a.calendar, new, name)
        if isinstance(outcome, UpstreamError) and not isinstance(outcome, RemoteRefused | UidTaken):
            outage = outcome
        yield outcome


def _created(upstream: Upstream, calendar: str, new: CalendarObject, name: str) -> Stored | UpstreamError:
    try:
        return upstream.create(calendar, new, name)
    except UpstreamError as error:
        return error


def created(a: Assignment, verdicts: Sequence[tuple[Verdict, Announced, Stored]]) -> None:
    """Notes what stands there after creations."""
    with a.writing() as tx:
        for verdict, announced, stored in verdicts:
            if verdict.pair.link is not None and verdict.pair.link.is_announced:
                # What answers a creation that is repeated may have been edited since: it is looked at.
                outbox.note_there(tx, a.rule.id, [(stored.remote_id, Hint.CHANGED)])
                continue
            keep(tx, a, announced.link, here=announced.here, stored=stored, view=announced.link.view)
            settle(tx, verdict)
            if announced.here.etag != verdict.pair.ours.etag:
                outbox.bring_back(tx, a.rule.id, Side.HERE, [verdict.pair.uid])


def withdraw(a: Assignment, announced: Announced) -> None:
    """Notes that what was announced was refused: the next try is one of what stands here then."""
    with a.writing() as tx:
        links.put(tx, replace(announced.link, base_here=None))


def reinstate(a: Assignment, verdict: Verdict) -> None:
    """Notes that what was to be created again stands there after all: what both sides agreed on still holds."""
    known = verdict.bases
    with a.writing() as tx:
        links.keep_bodies(tx, [known.of_here.raw, known.of_there.raw])
        links.put(tx, verdict.pair.linked)


def give_up(a: Assignment, uid: str) -> None:
    """Notes that a creation that failed again and again is not repeated: the next try is one of what stands here then.

    Where it has got there all the same, it is found by its UID.
    """
    with a.writing() as tx:
        known = links.get(tx, a.rule.id, uid)
        if known is not None and known.is_announced:
            links.put(tx, replace(known, base_here=None))


def as_sent(a: Assignment, here: CalendarObject, found: CalendarObject, views: Views, *, whole: bool) -> CalendarObject:
    """What was sent when `here` was created there, without what the upstream did not keep of it.

    It stands for the answer that was lost: what was left out of it was not taken away by anybody.

    Args:
        a: The rule.
        here: Our object as it was announced.
        found: The remote object as it was found afterwards.
        views: What was shown.
        whole: Whether all of it was sent; otherwise what is not there may only not have been sent yet.
    """
    sent = content.with_uid(content.read(a.shown(here, views)), found.uid)
    if not whole:
        return a.parse(content.write(sent))
    lacking = difference(sent, content.read(found))
    dropped = lacking.only(lambda slot: lacking.changes[slot].new is None and slot.part in sent.parts)
    return a.parse(content.write(apply(dropped, sent)))


def keep(tx: Transaction, a: Assignment, link: Link, *, here: CalendarObject, stored: Stored, view: str) -> None:
    """Notes that both sides agree: `here`, and the upstream's answer, whatever it made of what it was given."""
    answer = readable(stored)
    agreed = replace(
        link,
        remote_id=stored.remote_id,
        remote_etag=stored.etag,
        base_here=links.keep_body(tx, here.raw),
        base_there=links.keep_body(tx, answer.raw),
        view=view,
    )
    links.put(tx, counted(a, agreed, here))


def readable(stored: Stored) -> CalendarObject:
    """What stands there after a write.

    Raises:
        RemoteRefused: Nobody can read it.
    """
    if isinstance(stored.object, Unreadable):
        raise RemoteRefused(
            f"The upstream took the appointment and gave back what cannot be read: {stored.object.reason}"
        )
    return stored.object


def push(a: Assignment, verdict: Verdict) -> None:
    """Changes there what changed here.

    Raises:
        RemoteChanged: It was changed there meanwhile.
        UpstreamError: It was not changed, or nobody knows.
    """
    here = own(a, verdict)
    stored = replace_there(a, verdict, outgoing(a, verdict))
    with a.writing() as tx:
        keep(tx, a, verdict.pair.linked, here=here, stored=stored, view=verdict.views.text())
        settle(tx, verdict)


def replace_there(a: Assignment, verdict: Verdict, new: CalendarObject) -> Stored:
    """Writes an object in place of the version that was seen there.

    Raises:
        RemoteChanged: It was changed there meanwhile.
        UpstreamError: It was not changed, or nobody knows.
    """
    remote_id, etag = _version(verdict)
    return a.upstream.replace(a.calendar, remote_id, new, if_match=etag)


def _version(verdict: Verdict) -> tuple[str, str]:
    """Id and etag of what is to be replaced or removed there: as it was seen, or as the link knows it."""
    there, link = verdict.pair.there, verdict.pair.link
    if there is not None:
        return there.remote_id, there.etag
    if link is None or link.remote_id is None or link.remote_etag is None:
        raise ValueError("the verdict is about a remote object that is not there")
    return link.remote_id, link.remote_etag


def remove(a: Assignment, verdict: Verdict) -> None:
    """Deletes there what was deleted here.

    Raises:
        RemoteChanged: It was changed there meanwhile: an edit beats a deletion.
        UpstreamError: It was not deleted, or nobody knows.
    """
    remote_id, etag = _version(verdict)
    a.upstream.remove(a.calendar, remote_id, if_match=etag)
    with a.writing() as tx:
        links.remove(tx, a.rule.id, verdict.pair.uid)
        settle(tx, verdict)
