"""Many objects are created there over several connections at once; each is announced here before, and noted after."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bridge.core.decision import Move
from bridge.errors import (
    ListingDoubtful,
    RemoteChanged,
    RemoteRefused,
    Throttled,
    UidTaken,
    UpstreamError,
    UpstreamUnavailable,
)
from bridge.store import link as links
from bridge.store import outbox
from bridge.sync import push
from bridge.sync.crew import in_parts
from bridge.sync.sighting import Hint
from bridge.upstream.powers import CreatesMany
from bridge.upstream.protocol import Found, Unreadable

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from bridge.store.link import Link
    from bridge.sync.assignment import Assignment
    from bridge.sync.crew import Meanwhile
    from bridge.sync.judging import Verdict
    from bridge.sync.push import Announced
    from bridge.upstream.protocol import Stored, Upstream

_TOGETHER = 25
# Few, as what somebody changes meanwhile waits until those that are under way are done, each at the provider's pace.
_ONE_BY_ONE = 3
_STANDS_THERE = "An appointment of this UID stands in the remote calendar already."


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a few creations.

    Attributes:
        done: The verdicts that are carried out.
        failed: Those that are not, each with its error.
        left: Those that were not tried any more.
    """

    done: Sequence[Verdict]
    failed: Sequence[tuple[Verdict, UpstreamError]] = ()
    left: Sequence[Verdict] = ()


def create_there(
    a: Assignment, verdicts: Sequence[Verdict], *, goes_on: Callable[[], bool], meanwhile: Meanwhile
) -> Generator[Outcome]:
    """Creates objects there, a few at a time; what is told of some, others may follow while it is heard.

    Args:
        a: The rule.
        verdicts: About objects to create.
        goes_on: Asked before each few whether more are to be created.
        meanwhile: What comes between.

    Raises:
        StoreError: The database cannot be written.
        LeaseLost: Another worker has taken the rule over.
    """

    def create(upstream: Upstream, part: Sequence[Verdict]) -> Outcome:
        return _create(a, upstream, part) if goes_on() else Outcome((), left=part)

    size = _TOGETHER if isinstance(a.upstream, CreatesMany) else _ONE_BY_ONE
    parts = [verdicts[start : start + size] for start in range(0, len(verdicts), size)]
    yield from in_parts(a, parts, create, meanwhile=meanwhile)


def _create(a: Assignment, upstream: Upstream, verdicts: Sequence[Verdict]) -> Outcome:
    announced = push.announce(a, verdicts)
    outcomes = _created(a, upstream, announced)
    announced, outcomes = _with_edits(a, upstream, verdicts, announced, outcomes)
    made: list[tuple[Verdict, Announced, Stored]] = []
    failed: list[tuple[Verdict, UpstreamError]] = []
    for verdict, each, outcome in zip(verdicts, announced, outcomes, strict=True):
        if not isinstance(outcome, UpstreamError):
            made.append((verdict, each, outcome))
        elif isinstance(outcome, RemoteRefused | UidTaken | RemoteChanged):
            failed.append((verdict, _refused(a, verdict, each, outcome)))
        else:
            failed.append((verdict, outcome))
    if made:
        push.created(a, made)
    return Outcome([verdict for verdict, _, _ in made], failed)


def _created(a: Assignment, upstream: Upstream, wanted: Sequence[Announced]) -> list[Stored | UpstreamError]:
    """Creates objects; those whose UIDs are taken under others, where another calendar of the same user has them.

    What stands in this very calendar, and was not seen so far, is the same appointment: it is looked at instead. It may
    stand there under an alias of before, and have got another id.
    """
    outcomes = list(map(_readable, push.create_many(a, upstream, wanted, renamed=False)))
    taken = [number for number, outcome in enumerate(outcomes) if isinstance(outcome, UidTaken)]
    if not taken:
        return outcomes
    try:
        standing = _standing(a, upstream)
    except UpstreamError as error:
        return [error if isinstance(outcome, UidTaken) else outcome for outcome in outcomes]
    found = {number: _names(a, wanted[number].link) & standing.keys() for number in taken}
    with a.writing() as tx:
        named = [standing[uid] for number in taken for uid in sorted(found[number])]
        outbox.note_there(tx, a.rule.id, [(remote_id, Hint.CHANGED) for remote_id in named])
    elsewhere = [number for number in taken if not found[number]]
    again = push.create_many(a, upstream, [wanted[number] for number in elsewhere], renamed=True)
    renamed = dict(zip(elsewhere, map(_readable, again), strict=True))
    return [
        renamed.get(number, RemoteChanged(_STANDS_THERE)) if isinstance(outcome, UidTaken) else outcome
        for number, outcome in enumerate(outcomes)
    ]


def _with_edits(
    a: Assignment,
    upstream: Upstream,
    verdicts: Sequence[Verdict],
    announced: Sequence[Announced],
    outcomes: Sequence[Stored | UpstreamError],
) -> tuple[list[Announced], list[Stored | UpstreamError]]:
    """What was sent at last, and its outcomes: where the upstream fails at what was announced, an edit is tried too.

    Somebody may have taken out what it stumbles over. The announcement stays as it was, as nobody knows whether that
    has got there after all: what stands there then is compared with it, and with what stands here.
    """
    sent, ends = list(announced), list(outcomes)
    failed: UpstreamError | None = None
    for number, (verdict, each, outcome) in enumerate(zip(verdicts, announced, outcomes, strict=True)):
        # What was left after another had failed has the same error, and was not tried.
        if outcome is failed or not isinstance(outcome, UpstreamUnavailable):
            continue
        failed = outcome
        is_edited = each.here.etag != verdict.pair.ours.etag
        if is_edited and not isinstance(outcome, Throttled | ListingDoubtful):
            sent[number] = replace(each, here=push.own(a, verdict))
            (ends[number],) = _created(a, upstream, [sent[number]])
    return sent, ends


def _names(a: Assignment, link: Link) -> set[str]:
    """The UIDs under which an object may stand there."""
    return {link.uid, *a.origin.aliases(link.uid, link.generation)}


def _standing(a: Assignment, upstream: Upstream) -> dict[str, str]:
    """The remote id of each object in the remote calendar that no link names, by UID."""
    with a.database.reading() as tx:
        known = links.etags(tx, a.rule.id, left_alone=False)
    listed = {item.remote_id for page in upstream.changes(a.calendar, None) for item in page.items}
    unknown = sorted(listed - known.keys())
    answers = upstream.fetch(a.calendar, unknown) if unknown else ()
    return {
        answer.object.uid: answer.remote_id
        for answer in answers
        if isinstance(answer, Found) and not isinstance(answer.object, Unreadable)
    }


def _refused(a: Assignment, verdict: Verdict, announced: Announced, error: UpstreamError) -> UpstreamError:
    """What a refusal comes to: where another version was refused, the one that stands here now was not tried yet."""
    if isinstance(error, RemoteChanged) and verdict.step.move is Move.RECREATE_THERE:
        push.reinstate(a, verdict)
        return error
    push.withdraw(a, announced)
    return error if announced.here.etag == verdict.pair.ours.etag else RemoteChanged(error.message)


def _readable(outcome: Stored | UpstreamError) -> Stored | UpstreamError:
    """The outcome; what an upstream took and gives back as something that nobody can read concerns that object only."""
    try:
        if not isinstance(outcome, UpstreamError):
            push.readable(outcome)
    except RemoteRefused as error:
        return error
    return outcome
