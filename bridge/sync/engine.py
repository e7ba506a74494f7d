"""One pass over a rule: read what changed there, pair it with what changed here, decide, and do what was decided.

Whatever happens in between, a pass can be repeated: what a cursor has passed stands in the outbox, what is written
there is announced before, and what is written here is one transaction with its link.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from bridge.core.decision import Move
from bridge.core.plan import Plan
from bridge.core.polling import reconcile_due
from bridge.errors import CalbridgeError
from bridge.store import link as links
from bridge.store import outbox, placement
from bridge.store import rule as rules
from bridge.sync.attending import Attention
from bridge.sync.copies import set_aside
from bridge.sync.deletions import guarded
from bridge.sync.doing import Doing
from bridge.sync.judging import DELETIONS, Judge, Occasion
from bridge.sync.pairing import pair_up
from bridge.sync.parking import park_aside
from bridge.sync.sighting import Sighting, look
from bridge.upstream.powers import Remembering

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from bridge.errors import UpstreamError
    from bridge.store.outbox import Intent
    from bridge.sync.assignment import Assignment
    from bridge.sync.judging import Verdict

_WRITES_THERE = (Move.PUSH, Move.CREATE_THERE, Move.RECREATE_THERE, Move.DELETE_THERE, Move.MERGE)
_MOST_INTENTS = 2_000
_MOST_ROUNDS = 10
_NOTHING_SEEN = Sighting({}, {}, "", whole=False, total=0)
CALENDAR_GONE = "CalendarGone"
"""Code of the problem after which a calendar that is there again is a new one."""


class Kind(StrEnum):
    """What a pass looks at.

    Attributes:
        FIRST: Everything, for the first time.
        WHOLE: Everything, to find what changes alone do not tell.
        CHANGES: What has changed since the last pass.
    """

    FIRST = "first"
    WHOLE = "whole"
    CHANGES = "changes"


@dataclass(frozen=True, slots=True)
class Report:
    """What a pass did.

    Attributes:
        kind: What it looked at.
        counts: How many objects each move concerned.
        problem: What kept a part of it from being done, while the rest went on; or None.
        unfinished: Whether there is more to do at once.
        asked: Whether the upstream was asked for changes; not where only changes from here were waiting.
    """

    kind: Kind
    counts: Mapping[Move, int]
    problem: UpstreamError | None
    unfinished: bool
    asked: bool

    @property
    def wrote_there(self) -> bool:
        """Whether anything was written at the upstream."""
        return any(move in self.counts for move in _WRITES_THERE)


class Pass:
    """One pass over a rule.

    Args:
        a: The rule, with both sides.
        progress: Called with how many objects are done, and of how many; what it raises ends the pass between two.
    """

    def __init__(self, a: Assignment, *, progress: Callable[[int, int], None] = lambda _done, _of: None) -> None:
        self._a = a
        self._progress = progress
        # Where only changes from here are waiting, they go there without a look around.
        problem = a.rule.problem
        self._anew = a.anew or (problem is not None and problem.code == CALENDAR_GONE)
        self._asks = a.rule.due_at <= a.clock() or self._anew
        self._kind = self._kind_of_pass()
        self._attention = Attention(a)

    def _kind_of_pass(self) -> Kind:
        rule, zone = self._a.rule, self._a.terms.zone
        if rule.adopted_at is None:
            return Kind.FIRST
        due = self._asks and reconcile_due(rule.last_full_at, self._a.clock(), key=rule.key, zone=zone)
        if rule.cursor is None or rule.last_full_at is None or due or self._anew:
            return Kind.WHOLE
        return Kind.CHANGES

    def plan(self) -> Plan:
        """What the pass would do; nothing is written, neither here nor there.

        Raises:
            UpstreamError: The upstream cannot be read.
        """
        verdicts = self._verdicts(self._look(), dry=True)
        return Plan(tuple(verdict.step for verdict in verdicts))

    def run(self) -> Report:
        """Does the pass.

        Raises:
            UpstreamError: It could not be finished; what was done is done, and the rest is tried again.
            LeaseLost: Another worker has taken the rule over.
            StoreError: The database could not be read or written.
        """
        a = self._a
        asked = self._asks or self._kind is not Kind.CHANGES
        sighting = self._look() if asked else _NOTHING_SEEN
        kind = self._kind
        if asked and kind is Kind.CHANGES:
            # From here on nothing that the cursor has passed can be forgotten.
            self._note(sighting)
        doing = Doing(a, kind, self._progress, attention=self._attention, judge=self._meanwhile)
        unfinished, outcome = False, "broken off"
        try:
            for number in range(_MOST_ROUNDS):
                verdicts = self._verdicts(sighting, dry=False)
                doing.do(verdicts)
                if self._kind is not Kind.CHANGES and number == 0:
                    self._finish_whole(sighting, doing)
                sighting, self._kind = _NOTHING_SEEN, Kind.CHANGES
                unfinished = self._has_more()
                if not unfinished or doing.problem is not None:
                    break
            outcome = "done"
        except CalbridgeError as error:
            outcome = type(error).__name__
            raise
        finally:
            doing.end(outcome)
        return Report(kind, doing.counts, doing.problem, unfinished, asked)

    def _look(self) -> Sighting:
        a = self._a

        def known() -> Mapping[str, str]:
            with a.database.reading() as tx:
                return links.etags(tx, a.rule.id, left_alone=self._kind is Kind.CHANGES)

        cursor = a.rule.cursor if self._kind is Kind.CHANGES else None
        if cursor is None and a.rule.cursor is not None and isinstance(a.upstream, Remembering):
            a.upstream.recall(a.calendar, a.rule.cursor)
        return look(a.upstream, a.calendar, cursor, known, lambda: set_aside(a))

    def _note(self, sighting: Sighting) -> None:
        if sighting.cursor == self._a.rule.cursor and not sighting.hints:
            return
        with self._a.writing() as tx:
            outbox.note_there(tx, self._a.rule.id, sighting.hints.items())
            rules.note_cursor(tx, self._a.rule.id, sighting.cursor)

    def _verdicts(self, sighting: Sighting, *, dry: bool) -> list[Verdict]:
        """What is to be done with everything that is to be looked at now."""
        a = self._a
        with a.database.reading() as tx:
            intents = outbox.take(tx, a.rule.id, now=tx.now, limit=_MOST_INTENTS)
            last = outbox.last(tx)
        uids: list[str] = []
        if self._kind is not Kind.CHANGES:
            uids = self._differing_here()
        elif sighting is not _NOTHING_SEEN:
            uids = self._under_way()
        if not (intents or sighting.hints or uids):
            return []
        whole = sighting.whole or self._kind is not Kind.CHANGES
        occasion = Occasion(first=self._kind is Kind.FIRST, whole=whole, anew=self._anew)
        verdicts = guarded(a, self._judged(sighting, intents, uids, occasion, dry=dry), dry=dry)
        self._attention.begin(last, frozenset(verdict.pair.uid for verdict in verdicts))
        return verdicts

    def _meanwhile(self, intents: Sequence[Intent]) -> list[Verdict]:
        """What is to be done with what was changed here since the round began.

        Deletions have their turn with the others of the next round, as the guard has to count them together.
        """
        occasion = Occasion(first=False, whole=False, anew=self._anew)
        judged = self._judged(_NOTHING_SEEN, intents, (), occasion, dry=False)
        return guarded(self._a, [each for each in judged if each.step.move not in DELETIONS], dry=False)

    def _judged(
        self, sighting: Sighting, intents: Sequence[Intent], uids: Iterable[str], occasion: Occasion, *, dry: bool
    ) -> list[Verdict]:
        pairing = pair_up(self._a, sighting, intents, uids)
        if not dry:
            park_aside(self._a, pairing.aside)
        return Judge(self._a, occasion).judge(pairing.pairs)

    def _differing_here(self) -> list[str]:
        """The objects here that are not as their links know them."""
        a = self._a
        with a.database.reading() as tx:
            placed = placement.etags_by_uid(tx, a.rule.collection_id)
            known = {link.uid: link for link in links.every(tx, a.rule.id)}
        differing = [
            uid
            for uid, etag in placed.items()
            if uid not in known
            or known[uid].base_here != etag
            or known[uid].remote_id is None
            or known[uid].view != a.views(known[uid]).text()
        ]
        return [*differing, *(uid for uid in known if uid not in placed)]

    def _under_way(self) -> list[str]:
        """The objects that were being created there when a pass was broken off, whatever led to that.

        Those that were put off have a turn of their own.
        """
        with self._a.database.reading() as tx:
            later = outbox.put_off(tx, self._a.rule.id)
            return [link.uid for link in links.announced(tx, self._a.rule.id) if link.uid not in later]

    def _finish_whole(self, sighting: Sighting, doing: Doing) -> None:
        """Notes that everything was looked at, and what of it is still to be done."""
        with self._a.writing() as tx:
            doing.leave_intents(tx)
            rules.note_cursor(tx, self._a.rule.id, sighting.cursor)
            rules.note_full(tx, self._a.rule.id)
            rules.note_calendar(tx, self._a.rule.id, self._a.calendar)
            if self._kind is Kind.FIRST:
                rules.note_adopted(tx, self._a.rule.id)

    def _has_more(self) -> bool:
        a = self._a
        with a.database.reading() as tx:
            return bool(outbox.take(tx, a.rule.id, now=tx.now, limit=1))
