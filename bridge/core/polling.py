"""When a rule runs next: after a success, after failures, in the night, and within a budget of requests.

Chance comes in as `jitter`, a number from 0 to 1, so that many rules that start together do not ask together.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta, tzinfo
from hashlib import sha256
from typing import Final

from bridge.core.model import BEGINNING
from bridge.core.temporal import instant
from bridge.errors import CalbridgeError, Throttled, Turn

_EARLY: Final = 0.1
_SOONER: Final = 0.25
_NIGHT_BEGINS: Final = time(1)
_NIGHT: Final = timedelta(hours=4)
_SECOND: Final = timedelta(seconds=1)
_ZERO: Final = timedelta(0)
_MINUTE_SECONDS: Final = 60
_FULL: Final = 0.94
# 2 to the 20th of the shortest wait is beyond every limit.
_MOST_DOUBLINGS: Final = 20


@dataclass(frozen=True, slots=True)
class Backoff:
    """How long to wait after failures.

    Attributes:
        first: After the first failure; each further one doubles it.
        longest: Never longer than this.
        polls: Nor longer than so many poll intervals.
    """

    first: timedelta
    longest: timedelta
    polls: int

    def wait(self, failures: int, *, every: timedelta, jitter: float) -> timedelta:
        """The wait after so many failures in a row, up to a quarter shorter by chance.

        Args:
            failures: At least 1.
            every: The rule's poll interval.
            jitter: From 0 (shortest) to 1.
        """
        doubled = self.first * (1 << min(failures - 1, _MOST_DOUBLINGS))
        return min(doubled, self.longest, self.polls * every) * (1 - _SOONER * (1 - jitter))


BACKOFF: Final = Backoff(first=timedelta(seconds=15), longest=timedelta(hours=1), polls=4)
"""For what passes by itself."""

PATIENCE: Final = Backoff(first=timedelta(minutes=1), longest=timedelta(hours=1), polls=12)
"""For what a person has to mend: slower, since providers lock out who repeats a wrong password, yet without an end."""


def next_poll(done_at: datetime, *, every: timedelta, jitter: float) -> datetime:
    """When a rule is due after a pass that went well: up to a tenth of the interval early, never late.

    Args:
        done_at: When the pass ended.
        every: The poll interval.
        jitter: From 0 (earliest) to 1.
    """
    return done_at + every * (1 - _EARLY * (1 - jitter))


def wait_after(error: CalbridgeError, failures: int, *, every: timedelta, jitter: float) -> timedelta:
    """How long a rule waits after a failure; what a provider asks for (Retry-After) is never cut short.

    Args:
        error: What went wrong last.
        failures: How many passes in a row have failed, this one included.
        every: The poll interval.
        jitter: From 0 (shortest) to 1.
    """
    backoff = BACKOFF if error.turn is Turn.RETRY else PATIENCE
    wait = backoff.wait(failures, every=every, jitter=jitter)
    asked = error.after if isinstance(error, Throttled) else None
    return wait if asked is None else max(wait, asked)


def next_reconcile(after: datetime, *, key: str, zone: tzinfo) -> datetime:
    """The first instant after `after` at which everything of a rule is compared: between one and five in the night.

    Args:
        after: The instant of the last one.
        key: Names the rule; spreads the rules over the night, each always at the same time of day.
        zone: The account's zone.
    """
    share = int.from_bytes(sha256(key.encode()).digest()[:4]) / 2**32
    offset = timedelta(seconds=int(share * _NIGHT.total_seconds()))
    today = after.astimezone(zone).date()
    nights = (
        instant(datetime.combine(today + timedelta(days=days), _NIGHT_BEGINS) + offset, zone) for days in range(3)
    )
    return next(night for night in nights if night > after)


def reconcile_due(last: datetime | None, now: datetime, *, key: str, zone: tzinfo) -> bool:
    """Whether everything of a rule is to be compared now.

    Args:
        last: When that was last done in full, or None: never.
        now: The instant.
        key: Names the rule.
        zone: The account's zone.
    """
    return last is None or next_reconcile(last, key=key, zone=zone) <= now


@dataclass(frozen=True, slots=True)
class Bucket:
    """A token bucket: so many requests a second in the long run, so many at once after a pause.

    Attributes:
        rate: Requests a second.
        burst: Requests at once.
        spent_until: The instant at which the bucket is full again.

    Raises:
        ValueError: `rate` is not above 0, or `burst` is below 1.
    """

    rate: float
    burst: int
    spent_until: datetime = BEGINNING

    def __post_init__(self) -> None:
        if self.rate <= 0 or self.burst < 1:
            raise ValueError("a bucket lets at least one request pass")

    @classmethod
    def within(cls, quota: int) -> Bucket:
        """A bucket that lets no more than `quota` requests go in any minute, whenever that begins.

        What goes at once after a pause and what a minute brings in are below the quota together: by what arrives late,
        and by what the minute before has left unused for a moment (`bridge.upstream.pace.KEPT`).

        Args:
            quota: At least 1; one below 4 is kept in the long run only.
        """
        burst = max(1, quota // 6)
        return cls(max(1, int(quota * _FULL) - burst) / _MINUTE_SECONDS, burst)

    def take(self, now: datetime, count: int = 1) -> tuple[Bucket, timedelta]:
        """Takes a token for each of some requests.

        Returns:
            The bucket without them, and how long they have to wait; never longer than it takes to fill the bucket
            once, or a minute where that is less, and the tokens, also where the clock was set back.
        """
        token = _SECOND / self.rate
        filling = token * self.burst
        latest = now + filling + max(filling, timedelta(seconds=_MINUTE_SECONDS))
        spent_until = min(max(self.spent_until, now), latest) + token * count
        return replace(self, spent_until=spent_until), max(spent_until - filling - now, _ZERO)
