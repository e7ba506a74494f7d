"""The sync engine at work between a resource and a calendar at the fake Google."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from bridge.sync.assigning import Office
from tests.fakes.google.misdeeds import lose_answer, lose_request
from tests.sync.desk import QUIET, PassFailed, SyncDesk
from tests.upstream.google.connecting import USER, ZONE, connect

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import tzinfo

    from bridge.core.model import CalendarObject
    from bridge.store.database import Database
    from bridge.upstream.protocol import Upstream
    from tests.fakes.google.by_hand import ByHand
    from tests.fakes.google.fake import FakeGoogle
    from tests.store.desk import Clock

LOSSES = {"before it was heard": lose_request, "after it was done": lose_answer}
_MOST_ROUNDS = 12


@dataclass
class GoogleDesk:
    """One rule between a resource and a calendar at Google.

    Attributes:
        page: The calendar as its owner sees it at Google's own page.
    """

    google: FakeGoogle
    sync: SyncDesk
    page: ByHand = field(init=False)

    def __post_init__(self) -> None:
        self.google.quota.per_user = self.google.quota.in_all = 10**9
        self.google.add_user(USER, zone=ZONE)
        self.page = self.google.add_calendar(USER, "shelf@group.calendar.google.com", "Shelf", zone=ZONE)
        self.sync.rule()

    def break_off(self, number: int, loss: str, doing: Callable[[], object]) -> None:
        """Does something, loses the request of this number and all after it, and dies of it."""
        self.google.forget()
        self.google.script(LOSSES[loss](), when=lambda _: len(self.google.requests) == number)
        self.google.script(lose_request(), when=lambda _: len(self.google.requests) > number, times=None)
        with suppress(PassFailed):
            doing()
        self.google.behave()
        self.sync.die()
        # A rule that failed several times is left alone for longer.
        self.sync.wait(timedelta(hours=2))

    def rest(self) -> None:
        """Passes until one of them changes nothing any more, on either side."""
        for _ in range(_MOST_ROUNDS):
            self.sync.wait(timedelta(minutes=11))
            self.google.forget()
            reports = self.sync.run_due(fails=True)
            wrote = {each.method for each in self.google.requests} - {"GET"}
            quiet = all(set(each.counts) <= QUIET and not each.unfinished and each.problem is None for each in reports)
            if reports and quiet and not wrote and not any(seen.error for seen in self.sync.seen):
                return
        raise AssertionError(f"no rest after {_MOST_ROUNDS} rounds: {self.sync.seen}")

    def seen_here(self) -> dict[str, str]:
        """The title of each appointment of the resource, by UID."""
        return self.sync.resource().titles()

    def seen_there(self) -> list[tuple[str, str]]:
        """Title and start of everything that a person sees in the grid at Google."""
        return sorted((each["summary"], str(each["start"])) for each in self.page.instances)

    def text(self, uid: str) -> str:
        """An appointment of the resource."""
        return self.sync.resource().text(uid)


class _Desk(SyncDesk):
    google: FakeGoogle

    def office(self) -> Office:
        def connected(_key: str, _parse: Callable[[bytes], CalendarObject], _zone: tzinfo) -> Upstream:
            return connect(self.google)

        return Office(self.database, self.configuration, connected, self.clock)


def google_desk(google: FakeGoogle, database: Database, clock: Clock) -> GoogleDesk:
    """A desk on an empty store and an empty calendar."""
    desk = _Desk(database, clock)
    desk.google = google
    return GoogleDesk(google, desk)
