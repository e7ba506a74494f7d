"""The only loop: due rules are claimed by lease, run in threads, and given their next time."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from bridge.core.polling import next_poll, wait_after
from bridge.errors import (
    BrokenOff,
    CalbridgeError,
    CalendarGone,
    CalendarReadOnly,
    LeaseLost,
    NotFound,
    QuotaExceeded,
    StoreError,
)
from bridge.store import lease, outbox
from bridge.store import rule as rules
from bridge.store import watch as watches
from bridge.store.rule import Problem
from bridge.sync.engine import Pass, Report
from bridge.sync.watches import Watches

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future
    from datetime import datetime

    from bridge.store.database import Transaction
    from bridge.store.rule import Rule
    from bridge.sync.assigning import Office

_log = structlog.get_logger()

LEASE = timedelta(minutes=2)
"""For so long a rule is its worker's; a worker that lives extends it, the rule of a dead one is taken over after it."""

_PARTIAL = frozenset({CalendarReadOnly.__name__, QuotaExceeded.__name__})
_NO_TIME = timedelta()
_EXTENSIONS = 4
_LOOK_EVERY_SECONDS = 0.2
_GRACE_SECONDS = 15.0
_CLOSE_EVERY = timedelta(seconds=5)
_FILE_IS_READ = timedelta(seconds=1)
_READINGS = 10


@dataclass(frozen=True, slots=True)
class Observation:
    """How one pass went, for the metrics.

    Attributes:
        rule: Key of the rule.
        report: What it did; None where it failed.
        error: Name of the error that ended it, or empty.
        seconds: How long it took.
    """

    rule: str
    report: Report | None
    error: str
    seconds: float


class Worker:
    """Runs the rules that are due, several at once, until it is stopped.

    Args:
        office: What assignments are made from.
        owner: Names this worker among all others.
        threads: How many rules it runs at once.
        jitter: Gives numbers from 0 to 1, so that rules do not all run at the same moment.
        observe: Told of every pass.
        lease: For so long a rule is this worker's; it extends what it still runs in good time.
        quiet: Whether it logs nothing, and lets an unexpected fault of a pass through.
    """

    def __init__(
        self,
        office: Office,
        *,
        owner: str,
        threads: int,
        jitter: Callable[[], float],
        observe: Callable[[Observation], None],
        lease: timedelta = LEASE,
        quiet: bool = False,
    ) -> None:
        self._office = office
        self._owner = owner
        self._threads = threads
        self._jitter = jitter
        self._observe = observe
        self._lease = lease
        self._quiet = quiet
        self._end = threading.Event()
        self._running: dict[int, Rule] = {}
        self._unnoted: dict[int, tuple[Rule, Callable[[], None]]] = {}
        self._lock = threading.Lock()
        self._loop = threading.Thread(target=self._rounds, name="sync", daemon=True)
        self._extended_at = office.clock()
        self._watches = Watches(office, jitter=jitter, quiet=quiet)
        self._closing: Future[int] | None = None
        self._closed_at = office.clock()

    def start(self) -> None:
        """Begins to run rules, in threads of its own."""
        self._loop.start()

    def stop(self) -> None:
        """Begins no further pass, and ends those that run after what they are doing; waits for that, yet not for ever.

        The next start goes on from there, as after a crash, but at once.
        """
        self._end.set()
        self._office.end()
        if self._loop.is_alive():
            self._loop.join(_GRACE_SECONDS)

    def _rounds(self) -> None:
        failed = ""
        with ThreadPoolExecutor(self._threads, thread_name_prefix="pass") as crew:
            while not self._end.wait(_LOOK_EVERY_SECONDS):
                try:
                    self._note_ends()
                    self._extend()
                    for rule in self._claimed():
                        self._begin(crew, rule)
                    self._close_watches(crew)
                    failed = ""
                except StoreError as error:
                    # The database comes back or somebody mends it; saying it once is enough.
                    if str(error) != failed:
                        failed = str(error)
                        _log.error("sync_waits", reason=failed)
                except Exception as error:  # noqa: BLE001 -- it is logged; a worker that died would do nothing any more
                    # Whatever befalls one round, the rules go on with the next.
                    if repr(error) != failed:
                        failed = repr(error)
                        _log.error("sync_broke", exc_info=error)

    def _begin(self, crew: ThreadPoolExecutor, rule: Rule) -> None:
        try:
            crew.submit(self._run, rule)
        except RuntimeError as error:
            # The machine has no thread to give. The crew has taken the pass on nevertheless, for whoever is free first.
            _log.error("sync_waits", reason=str(error))

    def _claimed(self) -> list[Rule]:
        with self._lock:
            free = self._threads - len(self._running)
        if not free:
            return []
        database = self._office.database
        with database.reading() as tx:
            due = lease.next_due(tx)
            if due is None or due > tx.now:
                return []
        with database.writing() as tx:
            claimed = lease.claim(tx, owner=self._owner, until=tx.now + self._lease, limit=free)
        with self._lock:
            self._running |= {rule.id: rule for rule in claimed}
        return claimed

    def _note_ends(self) -> None:
        """Notes how passes ended while the database could not be written, before anything else is begun."""
        with self._lock:
            unnoted = [each for rule_id, each in self._unnoted.items() if rule_id not in self._running]
        for rule, note in unnoted:
            with self._lock:
                del self._unnoted[rule.id]
            try:
                self._note(rule, note)
            except LeaseLost:
                _log.info("rule_taken_over", rule=rule.key)

    def _extend(self) -> None:
        now = self._office.clock()
        if _NO_TIME <= now - self._extended_at < self._lease / _EXTENSIONS:
            return
        self._extended_at = now
        with self._lock:
            running = list(self._running)
        for rule_id in running:
            try:
                with self._office.database.writing() as tx:
                    lease.extend(tx, rule_id, self._owner, tx.now + self._lease)
            except LeaseLost:
                # Its pass finds out at its next write.
                continue

    def _close_watches(self, crew: ThreadPoolExecutor) -> None:
        """Has somebody look from time to time what is still open at upstreams and wanted no more."""
        now = self._office.clock()
        if _NO_TIME <= now - self._closed_at < _CLOSE_EVERY or (self._closing is not None and not self._closing.done()):
            return
        self._closed_at = now
        error = None if self._closing is None else self._closing.exception()
        if isinstance(error, StoreError):
            # Said where the rules are claimed.
            error = None
        if error is not None:
            _log.error("watches_not_closed", exc_info=error)
        self._closing = crew.submit(self.close_watches)

    def close_watches(self) -> int:
        """Closes the watches that nobody wants any more, as far as their upstreams let; gives how many.

        Raises:
            StoreError: The database could not be read or written.
        """
        return self._watches.close_unwanted()

    def _run(self, rule: Rule) -> None:
        try:
            self.run(rule)
        except LeaseLost:
            _log.info("rule_taken_over", rule=rule.key)
        except BrokenOff:
            _log.info("pass_broken_off", rule=rule.key)
        except StoreError as error:
            _log.warning("pass_not_noted", rule=rule.key, reason=str(error))
        finally:
            with self._lock:
                self._running.pop(rule.id, None)

    def run(self, rule: Rule, *, progress: Callable[[int, int], None] = lambda _done, _of: None) -> Observation:
        """Does one pass over a claimed rule, and gives the rule its next time.

        Args:
            rule: As it was claimed.
            progress: Called with how many objects are done, and of how many.

        Returns:
            How it went.

        Raises:
            BrokenOff: The worker was stopped; the rule is due again at once, for whoever comes next.
            LeaseLost: Another worker has taken it over.
            StoreError: How it went could not be noted; a worker that was started does so when it can be.
        """
        office = self._office
        if rule.key not in office.configuration().rules:
            return self._leave(rule)
        began = office.clock()
        report, error, renews_at = None, None, None

        def goes_on(done: int, of: int) -> None:
            progress(done, of)
            if self._end.is_set():
                raise BrokenOff("The program is to end, so the pass was broken off.")

        try:
            with office.assignment(rule, self._owner) as assignment:
                report = Pass(assignment, progress=goes_on).run()
                renews_at = self._watches.keep(assignment)
        except BrokenOff:
            self._let_go(rule)
            raise
        except LeaseLost:
            raise
        except CalbridgeError as failure:
            error = failure
        except Exception as failure:
            # Whatever one rule suffers, the others go on.
            if self._quiet:
                raise
            _log.error("pass_broke", rule=rule.key, exc_info=failure)
            error = CalbridgeError(
                f"The pass over rule {rule.key!r} ended with an unexpected fault ({type(failure).__name__}).",
                remedy="The log has the details; please report it.",
            )
        ended = office.clock()
        seen = Observation(rule.key, report, type(error).__name__ if error else "", (ended - began).total_seconds())

        def note() -> None:
            self._finish(rule, report, error, renews_at, ended)
            self._observe(seen)

        self._note(rule, note)
        return seen

    def _note(self, rule: Rule, note: Callable[[], None]) -> None:
        try:
            note()
        except StoreError as error:
            if not isinstance(error, LeaseLost):
                with self._lock:
                    self._unnoted[rule.id] = (rule, note)
            raise

    def _leave(self, rule: Rule) -> Observation:
        """Lets a rule wait that another program has declared, until the configuration here has it too."""
        now = self._office.clock()
        failures = rule.failures + 1
        error = NotFound(
            f"This server's configuration has no rule {rule.key!r}, though another program has declared it.",
            remedy="See to it that both read the same file; the log says why a changed one could not be taken up.",
        )
        # Whoever writes a rule into the file is quicker than a server that looks at the file every second.
        problem = rule.problem if failures < _READINGS else _problem(error, now)
        with self._office.database.writing() as tx:
            lease.finish(
                tx,
                rule.id,
                self._owner,
                due_at=rule.due_at,
                not_before=now + _FILE_IS_READ,
                failures=failures,
                problem=problem,
                succeeded=False,
            )
        if not self._quiet:
            self._say(rule, problem, None)
        return Observation(rule.key, None, type(error).__name__, 0.0)

    def _let_go(self, rule: Rule) -> None:
        """Gives a rule back as it was, due at once."""
        with self._office.database.writing() as tx:
            lease.finish(
                tx,
                rule.id,
                self._owner,
                due_at=tx.now,
                not_before=rule.not_before,
                failures=rule.failures,
                problem=rule.problem,
                succeeded=False,
            )

    def _finish(
        self, rule: Rule, report: Report | None, error: CalbridgeError | None, renews_at: datetime | None, now: datetime
    ) -> None:
        every = self._poll(rule)
        failures = rule.failures + 1 if error else 0
        wait = wait_after(error, failures, every=every, jitter=self._jitter()) if error else None
        asked = report is not None and report.asked
        due_at = next_poll(now, every=every, jitter=self._jitter()) if asked else rule.due_at
        if renews_at is not None:
            # Watches may last less long than the time between two polls.
            due_at = min(due_at, renews_at)
        partial = report.problem if report else None
        problem = _problem(error or partial, now)
        with self._office.database.writing() as tx:
            if problem is None and self._still_waits(tx, rule, report):
                problem = rule.problem
            noted = lease.finish(
                tx,
                rule.id,
                self._owner,
                due_at=now if report is not None and report.unfinished else due_at,
                not_before=None if wait is None else now + wait,
                failures=failures,
                problem=problem,
                succeeded=error is None,
            )
            if noted and isinstance(error, CalendarGone):
                rules.forget_calendar(tx, rule.id)
                watches.drop(tx, rule.id)
        if not self._quiet:
            self._say(rule, problem, report)

    @staticmethod
    def _still_waits(tx: Transaction, rule: Rule, report: Report | None) -> bool:
        """Whether what could not be written there earlier has not been tried again yet."""
        if rule.problem is None or rule.problem.code not in _PARTIAL or report is None:
            return False
        return not report.wrote_there and bool(outbox.waiting(tx, rule.id).here)

    def _poll(self, rule: Rule) -> timedelta:
        settings = self._office.configuration().rules.get(rule.key)
        return settings.poll if settings is not None else timedelta(minutes=5)

    def _say(self, rule: Rule, problem: Problem | None, report: Report | None) -> None:
        """One line for each transition, and one for each pass that did something."""
        before = rule.problem.code if rule.problem else ""
        if problem is not None and problem.code != before:
            _log.warning(
                "rule_in_trouble", rule=rule.key, problem=problem.code, reason=problem.sentence, remedy=problem.remedy
            )
        elif problem is None and before:
            _log.info("rule_recovered", rule=rule.key, after=before)
        if report is not None and report.counts:
            moves = {str(move): count for move, count in sorted(report.counts.items())}
            _log.info("pass_done", rule=rule.key, kind=str(report.kind), moves=moves)


def _problem(error: CalbridgeError | None, now: datetime) -> Problem | None:
    if error is None:
        return None
    return Problem(type(error).__name__, error.message, error.remedy, now)
