"""How many requests are taken in a minute that slides, from one user and from all."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from tests.fakes.google.refusal import Refused

if TYPE_CHECKING:
    from datetime import datetime

_MINUTE = timedelta(minutes=1)


@dataclass(slots=True)
class Quota:
    """How many requests are taken in a minute that slides.

    Attributes:
        per_user: In any minute, from one user.
        in_all: In any minute, from all users of the project.
        reason: How a refusal is worded; Google has several.
    """

    per_user: int = 600
    in_all: int = 10_000
    reason: str = "userRateLimitExceeded"
    taken: dict[str, deque[datetime]] = field(default_factory=dict)

    def take(self, user: str, now: datetime) -> None:
        """Counts a request.

        Raises:
            Refused: There were too many in the last minute.
        """
        for name, most, reason in ((user, self.per_user, self.reason), ("", self.in_all, "rateLimitExceeded")):
            row = self.taken.setdefault(name, deque())
            while row and row[0] <= now - _MINUTE:
                row.popleft()
            if len(row) >= most:
                raise Refused(reason)
        self.taken[user].append(now)
        self.taken[""].append(now)
