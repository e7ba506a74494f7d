"""Verdicts are carried out, one object after another; what one object suffers stops none of the others."""

from __future__ import annotations

from collections import Counter
from contextlib import closing
from datetime import timedelta
from typing import TYPE_CHECKING

from bridge.core.decision import Move
from bridge.core.sides import Side
from bridge.errors import (
    CalendarReadOnly,
    Conflict,
    ObjectRefused,
    QuotaExceeded,
    RemoteChanged,
    RemoteRefused,
    UidTaken,
    UpstreamError,
    UpstreamUnavailable,
)
from bridge.store import outbox, parked
from bridge.sync import pull, push
from bridge.sync.attending import newest_first
from bridge.sync.convergence import does_not_converge
from bridge.sync.creating import create_there
from bridge.sync.grace import in_grace_until
from bridge.sync.judging import DELETIONS, WRITES_HERE
from bridge.sync.parking import park, park_restless, unpark
from bridge.sync.run_log import RunLog
from bridge.sync.settling import link_alike, settle_both, settlement
from bridge.sync.sighting import Hint
from bridge.sync.splits import splits, won_by_splits
from bridge.sync.stumbling import Stumbling

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from bridge.store.database import Transaction
    from bridge.store.journal import Author
    from bridge.store.outbox import Intent
    from bridge.sync.assignment import Assignment
    from bridge.sync.attending import Attention
    from bridge.sync.judging import Verdict

_UNTIL_DECIDED = timedelta(hours=1)
_UNTIL_WRITABLE = timedelta(minutes=5)
_AT_ONCE = timedelta()
_POLLS_UNTIL_WRITABLE = 12
_BATCH = 250
_QUIET = frozenset({Move.NOTHING, Move.FROZEN, Move.IGNORED, Move.BLOCKED, Move.FORGET})
_CREATIONS_THERE = (Move.CREATE_THERE, Move.RECREATE_THERE)
# What comes from there first, so that a calendar that takes nothing still gives; deletions last, so that what moves
# from one object to another (a series that was split) is never on neither.
_ORDER = (Move.PULL, Move.RESTORE_HERE, Move.MERGE)


class Doing:
    """Carries out the verdicts of one pass, and keeps its log.

    Args:
        a: The rule.
        kind: What the pass looks at, for the log.
        progress: Called with how many objects are done, and of how many; what it raises ends the pass between two.
        attention: Finds what is changed here meanwhile.
        judge: Gives the verdicts on that.

    Attributes:
        kind: As given.
        counts: How many objects each move concerned.
        problem: What keeps writes from the upstream while the rest goes on, or None.
    """

    def __init__(
        self,
        a: Assignment,
        kind: str,
        progress: Callable[[int, int], None],
        *,
        attention: Attention,
        judge: Callable[[Sequence[Intent]], Sequence[Verdict]],
    ) -> None:
        self.kind = kind
        self.counts: Counter[Move] = Counter()
        self.problem: UpstreamError | None = None
        self._a = a
        self._progress = progress
        self._attention = attention
        self._judge = judge
        # A rule that looks often tries often.
        self._until_writable = min(_UNTIL_WRITABLE, _POLLS_UNTIL_WRITABLE * a.terms.poll)
        self._run_log = RunLog(a, kind)
        self._left: list[tuple[Verdict, timedelta]] = []
        self._stumbling = Stumbling()
        self._done = self._total = 0

    def do(self, verdicts: Sequence[Verdict]) -> None:
        """Carries out verdicts.

        Raises:
            UpstreamError: The upstream cannot be asked any more now.
            StoreError: The database cannot be written.
        """
        self._done, self._total = 0, len(verdicts)
        self._carry_out_all(verdicts)
        if self._stumbling.stumbled:
            self._put_off()
        # The guard of the next round counts what this one deleted.
        self._run_log.write()

    def _carry_out_all(self, verdicts: Sequence[Verdict]) -> None:
        by_move: dict[Move, list[Verdict]] = {}
        for verdict in verdicts:
            by_move.setdefault(verdict.step.move, []).append(verdict)
        self._leave(by_move.pop(Move.HELD, []), _UNTIL_DECIDED)
        self._settle_quiet([verdict for move in _QUIET for verdict in by_move.pop(move, [])])
        by_move |= won_by_splits(self._a, by_move)
        self._pull_splits(by_move)
        self._create_here(by_move.pop(Move.CREATE_HERE, []))
        for move in _ORDER:
            for verdict in by_move.pop(move, []):
                self._one(verdict)
        self._adopt(by_move.pop(Move.ADOPT, []))
        self._write_there([verdict for rest in by_move.values() for verdict in rest])

    def _write_there(self, verdicts: Sequence[Verdict]) -> None:
        """Carries out what is left: creations, changes, and the deletions of either side."""

        def of(some: Sequence[Verdict], *moves: Move) -> list[Verdict]:
            return [verdict for move in moves for verdict in some if verdict.step.move is move]

        followed = splits(self._a, of(verdicts, Move.PUSH), of(verdicts, Move.CREATE_THERE), on=Side.HERE)
        for some in newest_first(verdicts, followed):
            made = self._create_there(of(some, *_CREATIONS_THERE))
            # Not shortened there before the other part stands there: its appointments would be nowhere.
            lacking = [each for each, second in followed if each in some and second.pair.uid not in made]
            self._leave(lacking, self._until_writable)
            for verdict in of(some, Move.PUSH, *DELETIONS):
                if verdict not in lacking:
                    self._one(verdict)

    def waits(self) -> bool:
        """Whether somebody changed something here meanwhile."""
        return self._attention.waits()

    def attend(self) -> None:
        """Carries out what somebody changed here meanwhile, before the rest goes on."""
        with self._attention.given() as intents:
            verdicts = self._judge(intents)
            self._total += len(verdicts)
            self._carry_out_all(verdicts)

    def end(self, outcome: str) -> None:
        """Closes the log of the pass, where there is one.

        Args:
            outcome: How it ended: `done`, or the name of what broke it off.
        """
        self._run_log.end(outcome, self.counts, self.problem)

    def leave_intents(self, tx: Transaction) -> None:
        """Notes what a whole pass saw and did not do, as nothing else would bring it back."""
        for verdict, wait in self._left:
            pair, later = verdict.pair, tx.now + wait
            if pair.here is not None or pair.link is not None:
                outbox.bring_back(tx, self._a.rule.id, Side.HERE, [pair.uid], not_before=later)
            if pair.remote_id is not None:
                there = [(pair.remote_id, pair.hint or Hint.CHANGED)]
                outbox.note_there(tx, self._a.rule.id, there, not_before=later)

    @property
    def author(self) -> Author:
        """Whom the journal names."""
        return self._a.author(self._run_log.number)

    def _leave(self, verdicts: Sequence[Verdict], wait: timedelta) -> None:
        """Puts off what cannot be done now."""
        if not verdicts:
            return
        self._left += [(verdict, wait) for verdict in verdicts]
        with self._a.writing() as tx:
            for verdict in verdicts:
                for intent in verdict.pair.intents:
                    outbox.postpone(tx, intent, tx.now + wait)
        # What is only put off was not done.
        self.counts.update(Move.HELD for verdict in verdicts if verdict.step.move is Move.HELD)

    def _settle_quiet(self, verdicts: Sequence[Verdict]) -> None:
        for start in range(0, len(verdicts), _BATCH):
            batch = verdicts[start : start + _BATCH]
            with self._a.writing() as tx:
                for verdict in batch:
                    self._settle_one(tx, verdict)
            for verdict in batch:
                if verdict.refused is not None:
                    park(self._a, verdict, verdict.refused)
                if verdict.step.move is not Move.NOTHING:
                    self.counts[verdict.step.move] += 1
            self._advance(len(batch))

    def _settle_one(self, tx: Transaction, verdict: Verdict) -> None:
        a, move = self._a, verdict.step.move
        if verdict.waits:
            for intent in verdict.pair.intents:
                outbox.postpone(tx, intent, tx.now + self._until_writable)
        elif move is Move.FORGET:
            pull.forget(tx, a, verdict)
            unpark(tx, a, [verdict])
        elif verdict.passed_over:
            pull.pass_over(tx, a, verdict)
        elif move is Move.NOTHING:
            pull.stay(tx, verdict)
            if verdict.pair.seen:
                unpark(tx, a, [verdict])
        else:
            pull.leave_alone(tx, a, verdict)

    def _create_here(self, verdicts: Sequence[Verdict]) -> None:
        for start in range(0, len(verdicts), _BATCH):
            if self.waits():
                self.attend()
            batch = verdicts[start : start + _BATCH]
            outcomes = pull.create_many(self._a, batch, author=self.author)
            done = []
            for verdict, error in zip(batch, outcomes, strict=True):
                if error is None:
                    done.append(verdict)
                else:
                    self._failed(verdict, error)
            self._log(done)
            self._advance(len(batch))

    def _adopt(self, verdicts: Sequence[Verdict]) -> None:
        for start in range(0, len(verdicts), _BATCH):
            batch = verdicts[start : start + _BATCH]
            linked = link_alike(self._a, batch)
            self._log(linked)
            self._advance(len(linked))
            uids = {verdict.pair.uid for verdict in linked}
            for verdict in batch:
                if verdict.pair.uid not in uids:
                    self._one(verdict)

    def _pull_splits(self, by_move: dict[Move, list[Verdict]]) -> None:
        """Takes over series that were cut in two there, both parts at once."""
        changed, created = by_move.get(Move.PULL, []), by_move.get(Move.CREATE_HERE, [])
        for shortened, second in splits(self._a, changed, created, on=Side.THERE):
            try:
                pull.pull_split(self._a, shortened, second, author=self.author)
            except (Conflict, ObjectRefused):
                # One by one it shows which of them it is.
                continue
            changed.remove(shortened)
            created.remove(second)
            self._log([shortened, second])
            self._advance(2)

    def _create_there(self, verdicts: Sequence[Verdict]) -> set[str]:
        """Creates objects there; gives the UIDs of those that stand there now."""
        made: set[str] = set()
        with closing(create_there(self._a, verdicts, goes_on=self._goes_on, meanwhile=self)) as outcomes:
            for outcome in outcomes:
                self._log(outcome.done)
                made |= {verdict.pair.uid for verdict in outcome.done}
                for verdict, error in outcome.failed:
                    self._failed(verdict, error)
                self._leave(outcome.left, self._until_writable)
                self._advance(len(outcome.done) + len(outcome.failed) + len(outcome.left))
        return made

    def _goes_on(self) -> bool:
        """Whether anything more is to be created there; asked by several threads."""
        self._progress(self._done, self._total)
        return self.problem is None

    def _one(self, verdict: Verdict) -> None:
        if self.waits():
            self.attend()
        writes_there = verdict.step.move not in WRITES_HERE
        if writes_there and self.problem is not None and not isinstance(self.problem, QuotaExceeded):
            self._leave([verdict], self._until_writable)
            return
        until = in_grace_until(self._a, verdict)
        if until is not None:
            self._postpone(verdict, until)
            self._advance(1)
            return
        link, ends = verdict.pair.link, verdict.step.move in DELETIONS
        if link is not None and not ends and does_not_converge(self._a, link):
            park_restless(self._a, verdict)
            return
        try:
            self._carry_out(verdict)
        except (UpstreamError, Conflict, ObjectRefused) as error:
            self._failed(verdict, error)
        else:
            self._log([verdict])
        self._advance(1)

    def _carry_out(self, verdict: Verdict) -> None:
        a = self._a
        match verdict.step.move:
            case Move.PULL | Move.RESTORE_HERE:
                pull.pull(a, verdict, author=self.author)
            case Move.PUSH:
                push.push(a, verdict)
            case Move.MERGE | Move.ADOPT:
                settle_both(a, settlement(a, verdict), author=self.author)
            case Move.DELETE_HERE:
                pull.remove(a, verdict, author=self.author)
            case Move.DELETE_THERE:
                push.remove(a, verdict)
            case _:
                raise AssertionError(verdict.step.move)

    def _postpone(self, verdict: Verdict, until: datetime) -> None:
        """Has an object that is missing there be looked at once more, when its absence proves something."""
        remote_id = verdict.pair.linked.remote_id
        with self._a.writing() as tx:
            for intent in verdict.pair.intents:
                outbox.postpone(tx, intent, until)
            if remote_id is not None and not any(intent.side is Side.THERE for intent in verdict.pair.intents):
                outbox.note_there(tx, self._a.rule.id, [(remote_id, Hint.ABSENT)], not_before=until)

    def _failed(self, verdict: Verdict, error: Exception) -> None:
        """Sees to it that what failed is looked at again, or is parked."""
        match error:
            case RemoteChanged() | Conflict():
                with self._a.writing() as tx:
                    self._again(tx, verdict)
            case RemoteRefused() | ObjectRefused() | UidTaken():
                park(self._a, verdict, error)
            case CalendarReadOnly() | QuotaExceeded():
                self.problem = error
                self._leave([verdict], self._until_writable)
            case UpstreamUnavailable():
                if not self._stumbling.note(verdict, error):
                    # Its intents stay as they are: the next round tries it.
                    self._left.append((verdict, _AT_ONCE))
            case _:
                raise error

    def _put_off(self) -> None:
        """Has what the upstream failed at wait, or sets it aside where a person has to see it."""
        with self._a.database.reading() as tx:
            aside = {each.uid for each in parked.every(tx, self._a.rule.id)}
        for each in self._stumbling.settled(aside):
            if each.is_hopeless:
                push.give_up(self._a, each.verdict.pair.uid)
                park(self._a, each.verdict, each.error)
            else:
                self._leave([each.verdict], min(each.wait, self._until_writable))

    def _again(self, tx: Transaction, verdict: Verdict) -> None:
        pair = verdict.pair
        remote_id = pair.remote_id or (pair.link.remote_id if pair.link is not None else None)
        if remote_id is not None:
            outbox.note_there(tx, self._a.rule.id, [(remote_id, Hint.CHANGED)])
        outbox.bring_back(tx, self._a.rule.id, Side.HERE, [pair.uid])

    def _log(self, verdicts: Sequence[Verdict]) -> None:
        self._run_log.note(verdicts)
        self._stumbling.went_on(verdicts)
        for verdict in verdicts:
            self.counts[verdict.step.move] += 1

    def _advance(self, done: int) -> None:
        self._done += done
        self._progress(self._done, self._total)
