"""Many objects are created there over several connections at once; each is announced here before, and noted after."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from queue import SimpleQueue
from typing import TYPE_CHECKING

from bridge.errors import RemoteChanged, RemoteRefused, UidTaken, UpstreamError
from bridge.store import link as links
from bridge.store import outbox
from bridge.sync import push
from bridge.sync.sighting import Hint
from bridge.upstream.protocol import Found, Unreadable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bridge.sync.assignment import Assignment
    from bridge.sync.judging import Verdict
    from bridge.sync.push import Announced
    from bridge.upstream.protocol import Stored, Upstream

MOST_AT_ONCE = 4
"""Requests at once: what Microsoft allows for a mailbox, and enough to hide the way to the server and back."""

_WORTH_MORE_CONNECTIONS = 8
_STANDS_THERE = "An appointment of this UID stands in the remote calendar already."


def create_there(
    a: Assignment, verdicts: Sequence[Verdict]
) -> tuple[list[Verdict], list[tuple[Verdict, UpstreamError]]]:
    """Creates objects there.

    Returns:
        The verdicts that are carried out, and those that are not, each with its error.
    """
    wanted = list(zip(verdicts, push.announce(a, verdicts), strict=True))
    outcomes = _create_all(a, [announced for _, announced in wanted], renamed=False)
    taken = [number for number, outcome in enumerate(outcomes) if isinstance(outcome, UidTaken)]
    if taken:
        again = _create_elsewhere(a, [wanted[number][1] for number in taken])
        for number, outcome in zip(taken, again, strict=True):
            outcomes[number] = outcome
    made: list[tuple[Verdict, Announced, Stored]] = []
    failed: list[tuple[Verdict, UpstreamError]] = []
    for (verdict, announced), outcome in zip(wanted, outcomes, strict=True):
        if not isinstance(outcome, UpstreamError):
            made.append((verdict, announced, outcome))
        elif isinstance(outcome, RemoteRefused | UidTaken | RemoteChanged):
            failed.append((verdict, _refused(a, verdict, announced, outcome)))
        else:
            failed.append((verdict, outcome))
    if made:
        push.created(a, made)
    return [verdict for verdict, _, _ in made], failed


def _refused(a: Assignment, verdict: Verdict, announced: Announced, error: UpstreamError) -> UpstreamError:
    """What a refusal comes to: where another version was refused, the one that stands here now was not tried yet."""
    push.withdraw(a, announced)
    return error if announced.here.etag == verdict.pair.ours.etag else RemoteChanged(error.message)


def _create_elsewhere(a: Assignment, wanted: Sequence[Announced]) -> list[Stored | UpstreamError]:
    """Creates objects whose UIDs are taken: under others, where another calendar of the same remote user has them.

    What stands in this very calendar, and was not seen so far, is the same appointment: it is looked at instead.
    """
    standing = _standing(a)
    with a.writing() as tx:
        found = [(standing[each.link.uid], Hint.CHANGED) for each in wanted if each.link.uid in standing]
        outbox.note_there(tx, a.rule.id, found)
    elsewhere = [each for each in wanted if each.link.uid not in standing]
    outcomes = iter(_create_all(a, elsewhere, renamed=True))
    return [RemoteChanged(_STANDS_THERE) if each.link.uid in standing else next(outcomes) for each in wanted]


def _standing(a: Assignment) -> dict[str, str]:
    """The remote id of each object in the remote calendar that no link names, by UID."""
    with a.database.reading() as tx:
        known = links.etags(tx, a.rule.id, left_alone=False)
    listed = {item.remote_id for page in a.upstream.changes(a.calendar, None) for item in page.items}
    unknown = sorted(listed - known.keys())
    answers = a.upstream.fetch(a.calendar, unknown) if unknown else ()
    return {
        answer.object.uid: answer.remote_id
        for answer in answers
        if isinstance(answer, Found) and not isinstance(answer.object, Unreadable)
    }


def _create_all(a: Assignment, wanted: Sequence[Announced], *, renamed: bool) -> list[Stored | UpstreamError]:
    outages: list[UpstreamError] = []

    def one(upstream: Upstream, announced: Announced) -> Stored | UpstreamError:
        if outages:
            # What keeps one from being created keeps the others too: nobody waits for each to time out.
            return outages[0]
        try:
            return push.create(a, upstream, announced, renamed=renamed)
        except (RemoteRefused, UidTaken) as error:
            return error
        except UpstreamError as error:
            outages.append(error)
            return error

    if len(wanted) < _WORTH_MORE_CONNECTIONS:
        return [one(a.upstream, announced) for announced in wanted]
    with ExitStack() as stack:
        others = [stack.enter_context(closing(a.another())) for _ in range(MOST_AT_ONCE - 1)]
        free: SimpleQueue[Upstream] = SimpleQueue()
        for upstream in (a.upstream, *others):
            free.put(upstream)

        def with_any(announced: Announced) -> Stored | UpstreamError:
            upstream = free.get()
            try:
                return one(upstream, announced)
            finally:
                free.put(upstream)

        with ThreadPoolExecutor(MOST_AT_ONCE, thread_name_prefix="create") as crew:
            return list(crew.map(with_any, wanted))
