"""Watches tell of changes before the next poll: opened and renewed by passes, closed where nobody wants them any more.

A watch is never more than a hint. Whatever goes wrong with it is noted for people to see, and polling goes on as ever.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, timedelta
from typing import TYPE_CHECKING, Final

import structlog

from bridge.core.polling import Backoff
from bridge.errors import CalbridgeError, NotFound, ObjectRefused, Throttled, UpstreamError, UpstreamUnavailable
from bridge.store import rule as rules
from bridge.store import watch as watches
from bridge.store import watch_problem as problems
from bridge.upstream.powers import Watch, Watchable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from bridge.core.channels import Channels
    from bridge.core.model import CalendarObject
    from bridge.store.watch import WatchRecord
    from bridge.store.watch_problem import WatchProblem
    from bridge.sync.assigning import Office
    from bridge.sync.assignment import Assignment

_log = structlog.get_logger()

NO_PUBLIC_ADDRESS: Final = "NoPublicAddress"
"""Code of the problem that no provider could reach this server."""

TOO_SHORT: Final = "WatchTooShort"
"""Code of the problem that a watch ends as soon as it is opened, as where this machine's clock is wrong."""

_SHORTEST = timedelta(minutes=1)
# For so long a watch may send notifications whose opening was never answered; providers keep none longer by default.
_UNHEARD = timedelta(days=8)
# Polling goes on meanwhile, so there is no hurry, however often the rule asks.
_OPENING = Backoff(first=timedelta(minutes=1), longest=timedelta(hours=1), polls=100_000)
_CLOSING = Backoff(first=timedelta(minutes=1), longest=timedelta(hours=1), polls=1)
_CLOSED_AT_ONCE = 20


@dataclass(frozen=True, slots=True)
class _Place:
    """Where notifications come from, and where they go."""

    connection: str
    calendar: str
    address: str


class Watches:
    """Opens, renews and closes the watches of all rules.

    Args:
        office: What assignments are made from.
        jitter: Gives numbers from 0 to 1, so that not everybody tries again at the same moment.
        quiet: Whether it logs nothing.
    """

    def __init__(self, office: Office, *, jitter: Callable[[], float], quiet: bool = False) -> None:
        self._office = office
        self._jitter = jitter
        self._quiet = quiet

    def keep(self, a: Assignment) -> datetime | None:
        """Sees to it that a rule that a worker runs has the watch that it should have.

        Args:
            a: The rule; what this costs is one look into the database, unless something is to be done.

        Returns:
            When the watch is to be renewed, UTC; None where there is none.

        Raises:
            LeaseLost: Another worker has taken the rule over.
            StoreError: The database could not be read or written.
        """
        channels = self._office.channels
        if channels is None:
            return None
        with a.database.reading() as tx:
            kept = watches.of_rule(tx, a.rule.id)
            problem = problems.find(tx, a.rule.id)
        if not a.terms.options.direction.pulls or not isinstance(a.upstream, Watchable):
            self._settle(a, kept, problem, best=None)
            return None
        place = self._place(a)
        now = a.clock()
        best = _best(kept, place, now)
        if not place.address.startswith("https://"):
            self._settle(a, kept, None, best=None)
            self._note_address(a, problem)
            return None
        if best is not None and now < best.renews_at:
            self._settle(a, kept, problem, best=best)
            return best.renews_at
        if problem is not None and problem.code != NO_PUBLIC_ADDRESS and now < problem.not_before:
            return None
        return self._open(a, a.upstream, channels, place, problem, is_first=best is None)

    def _place(self, a: Assignment) -> _Place:
        configuration = self._office.configuration()
        key = configuration.rule(a.rule.key).connection
        public = str(configuration.server.public_url or "").rstrip("/")
        return _Place(key, a.calendar, f"{public}/hooks/{configuration.connection(key).type}")

    def _settle(
        self, a: Assignment, kept: Sequence[WatchRecord], problem: WatchProblem | None, *, best: WatchRecord | None
    ) -> None:
        """Has every watch but `best` be closed, and forgets what was in the way; mostly there is nothing to do."""
        channel = None if best is None else best.channel
        if problem is None and not any(each.wanted for each in kept if each.channel != channel):
            return
        with a.writing() as tx:
            watches.drop(tx, a.rule.id, keep=channel)
            problems.clear(tx, a.rule.id)

    def _note_address(self, a: Assignment, problem: WatchProblem | None) -> None:
        if problem is not None and problem.code == NO_PUBLIC_ADDRESS:
            return
        with a.writing() as tx:
            problems.note(
                tx,
                a.rule.id,
                code=NO_PUBLIC_ADDRESS,
                sentence="server.public_url is no https address, so nobody can tell this server of changes.",
                remedy="Set it to the https address under which the internet reaches this server; until then the rule "
                "asks as often as its `poll` says.",
                not_before=tx.now,
            )

    def _open(
        self,
        a: Assignment,
        upstream: Watchable,
        channels: Channels,
        place: _Place,
        problem: WatchProblem | None,
        *,
        is_first: bool,
    ) -> datetime | None:
        """Opens a watch; the one before it, if there is one, goes on until this one is kept."""
        channel = channels.fresh()
        with a.writing() as tx:
            watches.announce(
                tx,
                channel,
                rule_id=a.rule.id,
                connection=place.connection,
                calendar=place.calendar,
                address=place.address,
                expires_at=tx.now + _UNHEARD,
            )
        try:
            watch = upstream.watch(
                place.calendar, channel=channel, token=channels.token(channel), address=place.address
            )
        except UpstreamError as error:
            if not isinstance(error, UpstreamUnavailable):
                # It was refused, so nothing is open. Otherwise nobody knows: its first notification would tell.
                with a.writing() as tx:
                    watches.forget(tx, channel)
            self._fail(a, error, problem, code=type(error).__name__)
            return None
        return self._note_open(a, watch, problem, is_first=is_first)

    def _note_open(
        self, a: Assignment, watch: Watch, problem: WatchProblem | None, *, is_first: bool
    ) -> datetime | None:
        with a.writing() as tx:
            watches.note_open(tx, watch.channel, resource=watch.resource, expires_at=watch.expires_at)
            lasts = watch.expires_at - tx.now >= _SHORTEST
            watches.drop(tx, a.rule.id, keep=watch.channel if lasts else None)
            if lasts:
                problems.clear(tx, a.rule.id)
                if is_first:
                    # What changed between the listing of this pass and the opening, nobody told of.
                    rules.make_due(tx, a.rule.id, tx.now)
                opened = next(each for each in watches.of_rule(tx, a.rule.id) if each.channel == watch.channel)
        if not lasts:
            refusal = UpstreamUnavailable(
                f"The other side lets a watch end at {watch.expires_at:%Y-%m-%d %H:%M} UTC already.",
                remedy="Look whether this machine's clock is right.",
            )
            self._fail(a, refusal, problem, code=TOO_SHORT)
            return None
        if not self._quiet:
            _log.info("watch_opened", rule=a.rule.key, until=watch.expires_at.isoformat())
        return opened.renews_at

    def _fail(self, a: Assignment, error: UpstreamError, problem: WatchProblem | None, *, code: str) -> None:
        """Notes why no watch could be opened, and when to try again."""
        is_new = problem is None or problem.code != code
        failures = 1 if problem is None or is_new else problem.failures + 1
        wait = _OPENING.wait(failures, every=a.terms.poll, jitter=self._jitter())
        if isinstance(error, Throttled) and error.after is not None:
            wait = max(wait, error.after)
        with a.writing() as tx:
            problems.note(
                tx, a.rule.id, code=code, sentence=error.message, remedy=error.remedy, not_before=tx.now + wait
            )
        if is_new and not self._quiet:
            _log.warning("watch_refused", rule=a.rule.key, problem=code, reason=error.message, remedy=error.remedy)

    def close_unwanted(self) -> int:
        """Closes what is open at upstreams and wanted no more; what cannot be closed now is tried again later.

        Any number of workers may do so at once.

        Returns:
            How many were closed.

        Raises:
            StoreError: The database could not be read or written.
        """
        database = self._office.database
        with database.reading() as tx:
            found = watches.to_close(tx, limit=_CLOSED_AT_ONCE)
        return sum(self._close(each) for each in found)

    def _close(self, record: WatchRecord) -> bool:
        database = self._office.database
        wait = _CLOSING.wait(record.attempts + 1, every=_CLOSING.longest, jitter=self._jitter())
        with database.writing() as tx:
            if not watches.try_closing(tx, record.channel, until=tx.now + wait):
                return False
        try:
            self._ask_to_close(record)
        except NotFound:
            # Its connection has left the configuration: it ends by itself, and what it sends until then is nobody's.
            pass
        except CalbridgeError:
            return False
        with database.writing() as tx:
            watches.forget(tx, record.channel)
        if not self._quiet:
            _log.info("watch_closed", connection=record.connection)
        return True

    def _ask_to_close(self, record: WatchRecord) -> None:
        if record.resource is None:
            return
        with closing(self._office.connect(record.connection, _reads_nothing, UTC)) as upstream:
            if isinstance(upstream, Watchable):
                upstream.unwatch(Watch(record.channel, record.resource, record.expires_at))


def _best(kept: Sequence[WatchRecord], place: _Place, now: datetime) -> WatchRecord | None:
    """Of the watches that are open for this place the one that lasts longest."""
    fitting = [
        each for each in kept if each.is_open(now) and _Place(each.connection, each.calendar, each.address) == place
    ]
    return fitting[-1] if fitting else None


def _reads_nothing(_raw: bytes) -> CalendarObject:
    raise ObjectRefused("Nothing is read where a watch is closed.")
