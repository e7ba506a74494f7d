"""Each pair gets its verdict: what is to be done with it, or why nothing is; nothing is done here."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from bridge.core import adoption, origin
from bridge.core.decision import Blocked, Change, Move, allowed, decide
from bridge.core.plan import Step
from bridge.core.sides import Side
from bridge.core.view import admits, is_special
from bridge.core.window import Place
from bridge.errors import ObjectRefused
from bridge.sync.assignment import same
from bridge.sync.comparing import Bases, bases, changed_here, changed_there, relinked
from bridge.sync.pull import is_left_alone
from bridge.sync.push import as_sent
from bridge.sync.siblings import is_copy, may_be_moving
from bridge.sync.sighting import GRACE, Hint
from bridge.sync.unfinished import was_rewritten, without_our_half, without_unheard
from bridge.sync.views import Views

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from bridge.core.model import CalendarObject
    from bridge.store.database import Transaction
    from bridge.store.link import Link
    from bridge.sync.assignment import Assignment
    from bridge.sync.pairing import Pair

DELETIONS = frozenset({Move.DELETE_HERE, Move.DELETE_THERE})
"""The moves that the guard counts."""
WRITES_HERE = frozenset({Move.CREATE_HERE, Move.PULL, Move.RESTORE_HERE, Move.DELETE_HERE})
"""The moves that write nothing there."""
_WHOLE = {Move.NOTHING: Move.PUSH, Move.PULL: Move.MERGE}
_TAKES_OVER = frozenset({Move.PULL, Move.MERGE, Move.RESTORE_HERE})
_COPY = "Another rule of this server wrote it."
_PASSED_OVER = "It was there before the rule, which left it alone then (`existing`); an edit of it brings it over."
_NOT_YET_SENT = "It is not known yet whether the upstream got it; the next full comparison tells."


@dataclass(frozen=True, slots=True)
class Occasion:
    """In what kind of pass a verdict is given.

    Attributes:
        first: Nothing was ever compared: what exists on both sides is adopted, and `existing` counts.
        whole: Everything on both sides is looked at.
        anew: The remote calendar was gone, and is there again: what is missing in it was not deleted by anybody.
    """

    first: bool
    whole: bool
    anew: bool


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is to be done with a pair.

    Attributes:
        pair: The pair.
        step: What is done, or why nothing is.
        views: What passes in each direction.
        bases: What both sides were.
        waits: Whether its intents stay, as it is not decided for good.
        approved: Whether a person has approved the deletion.
        passed_over: Whether it was there before the rule, and is to be left alone until somebody edits it.
        winner: Who wins a clash, whatever the rule's options say; None: they say.
        refused: Why it is set aside, or None.
    """

    pair: Pair
    step: Step
    views: Views = field(repr=False)
    bases: Bases = field(repr=False)
    waits: bool = False
    approved: bool = False
    passed_over: bool = False
    winner: Side | None = None
    refused: ObjectRefused | None = None


class Judge:
    """Gives verdicts on the pairs of one pass.

    Args:
        a: The rule.
        occasion: What kind of pass it is.
    """

    def __init__(self, a: Assignment, occasion: Occasion) -> None:
        self._a = a
        self._occasion = occasion
        self._now = a.clock()

    def judge(self, pairs: Sequence[Pair]) -> list[Verdict]:
        """One verdict for each pair, and one for two that turn out to be the same appointment."""
        joined = self._joined(pairs)
        with self._a.database.reading() as tx:
            return [self._verdict(tx, pair) for pair in joined]

    def _joined(self, pairs: Sequence[Pair]) -> Iterable[Pair]:
        """The pairs, with those made one that are one appointment under two UIDs, or under a new remote id."""
        ours = {pair.uid: pair for pair in pairs if self._looks_for_a_partner(pair)}
        theirs = {
            pair.uid: pair for pair in pairs if pair.link is None and pair.here is None and pair.remote is not None
        }
        if not ours or not theirs:
            return pairs
        here = {uid: self._a.parse(pair.ours.raw) for uid, pair in ours.items()}
        there = {uid: pair.their_object for uid, pair in theirs.items()}
        found = {each.there: each.here for each in adoption.matches(here, there, zone=self._a.terms.zone)}
        return _merged(pairs, ours, theirs, found)

    def _looks_for_a_partner(self, pair: Pair) -> bool:
        """Whether what stands here may stand there under a name that no link knows.

        In a first pass that is all that is here alone. Later it is what is gone there: some upstreams give everything
        new ids now and then, and some feeds at every fetch.
        """
        if pair.here is None or pair.there is not None:
            return False
        return pair.seen if pair.link is not None else self._occasion.first

    def _verdict(self, tx: Transaction, pair: Pair) -> Verdict:
        link = pair.link
        if link is None:
            return self._alone(tx, pair)
        if is_left_alone(link):
            if pair.remote is None and pair.here is None:
                return self._done(pair, Move.FORGET if pair.seen else Move.NOTHING, self._a.views(None))
            return self._alone(tx, replace(pair, link=None))
        known = bases(self._a, tx, link)
        if link.is_announced:
            return self._announced(tx, pair, link, known)
        if known.here is None or known.there is None:
            return self._half_known(tx, relinked(pair), link, known)
        return self._linked(tx, relinked(pair), link, known)

    # Pairs that no link names, or that were left alone so far.

    def _alone(self, tx: Transaction, pair: Pair, *, existed: bool | None = None) -> Verdict:
        """What to do with what stands on one side only, or on both without a link."""
        remote = pair.remote
        here = None if pair.here is None else self._a.parse(pair.here.raw)
        views = self._a.views(pair.link)
        if remote is not None and here is None and is_copy(tx, self._a, remote):
            return self._done(pair, Move.IGNORED, views, reason=_COPY, waits=may_be_moving(pair, self._now))
        existed = self._occasion.first if existed is None else existed
        if remote is not None and here is not None:
            return self._checked(pair, Move.ADOPT, views, existed=existed)
        if remote is not None:
            reason = self._no_new_one_here(remote)
            move = Move.CREATE_HERE
        elif here is not None:
            reason = "" if admits(here, views.out) else "The rule's options leave out what it is."
            move = Move.CREATE_THERE
        else:
            # It came and went before anybody looked.
            return self._done(pair, Move.NOTHING, views)
        if reason:
            return self._done(pair, Move.IGNORED, views, reason=reason)
        verdict = self._checked(pair, move, views, existed=existed)
        refused = None if remote is None or verdict.step.move is not Move.CREATE_HERE else self._refused(remote)
        if refused is not None:
            left_out = self._done(pair, Move.IGNORED, views, reason=refused.message)
            return replace(left_out, refused=refused)
        return verdict

    def _no_new_one_here(self, remote: CalendarObject) -> str:
        """Why a remote object is not taken over, or nothing."""
        if remote.component not in self._a.terms.holds:
            return f"This calendar holds no {remote.component}."
        if not admits(remote, self._a.terms.views.into):
            return "The rule's options leave out what it is."
        return ""

    def _refused(self, remote: CalendarObject) -> ObjectRefused | None:
        """Why a remote object that is wanted here cannot be kept; whoever wants it has to hear of it."""
        size, limit = len(remote.raw), self._a.terms.max_object
        if size <= limit:
            return None
        return ObjectRefused(
            f"It has {size} octets, where limits.max_object allows {limit}.",
            remedy="Take an attachment out of it there, or raise limits.max_object and run `calbridge parked retry`.",
        )

    def _half_known(self, tx: Transaction, pair: Pair, link: Link, known: Bases) -> Verdict:
        """What was passed over when the rule began, or untied since."""
        views = self._a.views(link)
        if pair.there is not None and pair.here is not None:
            return self._checked(pair, Move.ADOPT, views, existed=False)
        if known.there is not None:
            return self._passed_over_there(tx, pair, known, views)
        return (
            self._alone(tx, pair, existed=False)
            if pair.there is not None
            else self._passed_over_here(tx, pair, known, views)
        )

    def _passed_over_here(self, tx: Transaction, pair: Pair, known: Bases, views: Views) -> Verdict:
        if pair.here is None:
            return self._done(pair, Move.FORGET, views)
        if known.here is not None and pair.here.etag == known.here.etag:
            return self._done(pair, Move.BLOCKED, views, reason=_PASSED_OVER)
        return self._alone(tx, pair, existed=False)

    def _announced(self, tx: Transaction, pair: Pair, link: Link, known: Bases) -> Verdict:
        """What was about to be created when nobody heard how it went on."""
        views, remote = self._a.views(link), pair.remote
        if remote is not None and origin.marks(remote) == self._a.origin:
            sent = as_sent(self._a, known.of_here, remote, Views.read(link.view), whole=not pair.unfinished)
            pair, known = relinked(pair), Bases(known.here, sent)
            if pair.here is None and not was_rewritten(self._a, tx, pair, known):
                return self._checked(pair, Move.DELETE_THERE, views)
            return self._linked(tx, pair, link, known)
        if remote is not None and pair.here is not None:
            return self._checked(pair, Move.ADOPT, views, existed=False)
        is_known_absent = (
            remote is None
            and self._occasion.whole
            and link.written_at is not None
            and self._now - link.written_at >= GRACE
        )
        if remote is not None or pair.here is not None:
            # What never got there is sent as it stands here now.
            tried = replace(link, base_here=None) if is_known_absent else link
            return self._alone(tx, replace(pair, link=tried), existed=False)
        if is_known_absent:
            return self._done(pair, Move.FORGET, views)
        return self._done(pair, Move.NOTHING, views, reason=_NOT_YET_SENT, waits=True)

    def _passed_over_there(self, tx: Transaction, pair: Pair, known: Bases, views: Views) -> Verdict:
        if pair.here is not None:
            return self._alone(tx, pair, existed=False)
        remote = pair.remote
        if pair.seen and remote is None:
            return self._done(pair, Move.FORGET, views)
        if remote is None or same(remote, known.of_there):
            return self._done(pair, Move.BLOCKED, views, reason=_PASSED_OVER)
        return self._alone(tx, pair, existed=False)

    # Pairs that are linked.

    def _linked(self, tx: Transaction, pair: Pair, link: Link, known: Bases) -> Verdict:
        a = self._a
        now = a.views(link)
        was = now.earlier(link.view)
        if pair.unfinished:
            pair = _with_rest_of_write(pair, without_our_half(a, tx, pair, known))
        move = self._decided(pair, known, was=was, now=now)
        if move in _TAKES_OVER and not pair.unfinished and self._may_have_written(pair, known):
            as_theirs = without_unheard(a, tx, pair, known)
            if as_theirs is not None:
                pair = _with_rest_of_write(pair, as_theirs)
                move = self._decided(pair, known, was=was, now=now)
        if pair.unfinished:
            # What is half written is written again as a whole, whether or not anything else changed.
            move = _WHOLE.get(move, move)
        return self._checked(pair, move, now, known=known)

    def _decided(self, pair: Pair, known: Bases, *, was: Views, now: Views) -> Move:
        """What follows from what became of both sides."""
        here = changed_here(self._a, pair, known.here, was, now)
        there = changed_there(self._a, pair, known, was, now)
        if there is Change.GONE and self._occasion.anew and pair.hint is Hint.ABSENT:
            # Nobody deleted it there: it was never in this new calendar.
            here = Change.CHANGED if pair.here is not None else Change.GONE
        move = decide(here, there)
        if move is Move.MERGE and self._agree(pair, known, was, now):
            return Move.NOTHING
        if move is Move.MERGE and is_special(known.of_there):
            # Nobody but the upstream may change it there.
            return Move.PULL
        return move

    def _may_have_written(self, pair: Pair, known: Bases) -> bool:
        """Whether a version that stood here since both agreed may have been sent."""
        is_edited = (
            pair.here is None
            or pair.here.etag != known.of_here.etag
            # Somebody may have taken back what was sent.
            or any(intent.side is Side.HERE for intent in pair.intents)
        )
        return is_edited and not isinstance(allowed(Move.PUSH, self._a.terms.options, first_pass=False), Blocked)

    def _agree(self, pair: Pair, known: Bases, was: Views, views: Views) -> bool:
        """Whether both sides were changed alike."""
        remote = pair.remote
        if pair.here is None or remote is None or remote.uid != pair.uid:
            return False
        a, here = self._a, self._a.parse(pair.here.raw)
        shown = a.shown(here, views)
        if not same(a.taken(shown, here, views), a.taken(remote, here, views)):
            return False
        # What is only sent, as the list of guests is, shows in what would be.
        return same(shown, a.shown(a.taken(remote, known.here, views.since(was)), views))

    # What both have in common.

    def _checked(
        self, pair: Pair, move: Move, views: Views, *, existed: bool = False, known: Bases | None = None
    ) -> Verdict:
        """The verdict, unless the options or the window say otherwise."""
        known = known or Bases(None, None)
        if move is Move.NOTHING:
            return self._done(pair, move, views, known=known)
        options = self._a.terms.options
        left = allowed(move, options, first_pass=existed)
        if isinstance(left, Blocked) and not isinstance(allowed(move, options, first_pass=False), Blocked):
            return replace(self._done(pair, Move.BLOCKED, views, reason=left.reason), passed_over=True)
        if move is not Move.FORGET and not self._is_in_window(pair, move, known):
            return self._done(pair, Move.FROZEN, views, known=known, reason="It lies outside the rule's window.")
        may = allowed(move, options, first_pass=False)
        if isinstance(may, Blocked):
            return self._done(pair, Move.BLOCKED, views, known=known, reason=may.reason)
        return self._done(pair, may, views, known=known)

    def _is_in_window(self, pair: Pair, move: Move, known: Bases) -> bool:
        window = self._a.terms.window
        if move in DELETIONS:
            old = known.here or known.there or pair.remote
            return old is None or window.may_delete(old, self._now)
        states = [known.here, known.there, pair.remote]
        if pair.here is not None:
            states.append(self._a.parse(pair.here.raw))
        return any(window.place(state, self._now) is not Place.OUTSIDE for state in states if state is not None)

    def _done(
        self,
        pair: Pair,
        move: Move,
        views: Views,
        *,
        known: Bases | None = None,
        reason: str = "",
        waits: bool = False,
    ) -> Verdict:
        remote = pair.remote
        known = known or Bases(None, None)
        shown = self._a.parse(pair.here.raw) if pair.here is not None else remote or known.here or known.there
        summary = "" if shown is None else shown.summary
        return Verdict(pair, Step(move, pair.uid, pair.remote_id, summary, reason), views, known, waits)


def _with_rest_of_write(pair: Pair, as_theirs: CalendarObject) -> Pair:
    """The pair with what is there without our own write, which is to be done once more, as a whole."""
    return replace(pair, there=replace(pair.theirs, object=as_theirs, unfinished=True))


def _merged(
    pairs: Sequence[Pair], ours: Mapping[str, Pair], theirs: Mapping[str, Pair], found: Mapping[str, str]
) -> Iterator[Pair]:
    """The pairs, with those of `theirs` that were found in `ours` put into these."""
    partners = {own: theirs[other] for other, own in found.items()}
    for pair in pairs:
        if ours.get(pair.uid) is pair and pair.uid in partners:
            other = partners[pair.uid]
            yield replace(
                pair,
                there=other.there,
                remote_id=other.remote_id,
                seen=True,
                hint=Hint.CHANGED,
                intents=(*pair.intents, *other.intents),
            )
        elif theirs.get(pair.uid) is not pair or pair.uid not in found:
            yield pair
