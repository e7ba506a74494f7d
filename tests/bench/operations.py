"""What is measured: each operation with its goal, done on a calendar of ours and on the same one of the peer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.bench.calendar import responses_in, token_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.bench.calendar import Calendar
    from tests.bench.client import Answer
    from tests.bench.servers import Server

FETCHED_AT_ONCE = 50


@dataclass(slots=True)
class Target:
    """A server with one calendar in it.

    Attributes:
        ours: Whether it is Calbridge; else it is the peer.
        count: How many appointments are in the calendar.
        server: The server.
        calendar: The calendar.
        whole: Path of all appointments as one ICS file: the feed, or at the peer the calendar itself.
        phone: Path of the feed that a phone subscribes to; empty at the peer.
        token: A sync token that is up to date.
        etag: The ETag of `whole`, up to date.
    """

    ours: bool
    count: int
    server: Server
    calendar: Calendar
    whole: str
    phone: str = ""
    token: str = ""
    etag: str = ""

    def ics(self, *, only_if_changed: bool = False) -> Answer:
        """Fetches all appointments as one file."""
        headers = {"If-None-Match": self.etag} if only_if_changed else {}
        return self.calendar.connection.request("GET", self.whole, expect=(200, 304), headers=headers)


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing that clients do.

    Attributes:
        label: As it stands in the table.
        goal: How many times faster than the peer it has to be; None where there is no goal.
        flat: Whether its time may grow by no more than half from the fewest to the most appointments.
        counted: Whether the answers of all servers have to tell of equally many appointments.
        act: Does it once, with what has to come before it; the answer holds the time that counts.
    """

    label: str
    goal: int | None
    flat: bool
    counted: bool
    act: Callable[[Target], Answer]


def _idle_sync(target: Target) -> Answer:
    if not target.token:
        target.token = target.calendar.token()
    return target.calendar.sync(target.token)


def _sync_after_an_edit(target: Target) -> Answer:
    if not target.token:
        target.token = target.calendar.token()
    target.calendar.put_changed()
    answer = target.calendar.sync(target.token)
    assert responses_in(answer) == 1, answer.body[:500]
    target.token = token_in(answer)
    return answer


def _anew(target: Target) -> Answer:
    target.calendar.put_changed()
    answer = target.ics()
    target.etag = answer.header("ETag")
    return answer


def _not_modified(target: Target) -> Answer:
    if not target.etag:
        target.etag = target.ics().header("ETag")
    return target.ics(only_if_changed=True)


READING = (
    Operation("ctag (PROPFIND, Depth 0)", 400, flat=True, counted=True, act=lambda target: target.calendar.ctag()),
    Operation("sync, nothing changed", 400, flat=True, counted=True, act=_idle_sync),
    Operation(
        "one week with texts (calendar-query)", 40, flat=True, counted=True, act=lambda target: target.calendar.week()
    ),
    Operation(
        f"{FETCHED_AT_ONCE} appointments (multiget)",
        None,
        flat=False,
        counted=True,
        act=lambda target: target.calendar.multiget(FETCHED_AT_ONCE),
    ),
    Operation(
        "all etags (PROPFIND, Depth 1)", 10, flat=False, counted=True, act=lambda target: target.calendar.listing()
    ),
    Operation("first sync", 10, flat=False, counted=True, act=lambda target: target.calendar.sync("")),
    Operation("whole calendar as ICS, again (200)", 200, flat=False, counted=True, act=lambda target: target.ics()),
    Operation("whole calendar, unchanged (304)", 1000, flat=True, counted=True, act=_not_modified),
)
WRITING = (
    Operation("sync after one edit", 300, flat=True, counted=False, act=_sync_after_an_edit),
    Operation("PUT, new", 25, flat=True, counted=False, act=lambda target: target.calendar.put_new()),
    Operation("PUT, changed", 25, flat=True, counted=False, act=lambda target: target.calendar.put_changed()),
    Operation("DELETE", None, flat=False, counted=False, act=lambda target: target.calendar.delete()),
    Operation("whole calendar, after an edit", 10, flat=False, counted=False, act=_anew),
)
