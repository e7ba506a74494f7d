"""A remote calendar as the other modules of the adapter see it: where it is, and what its members are called."""

from __future__ import annotations

from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING

from bridge.errors import AddressRefused, CalendarGone, ListingDoubtful, ObjectRefused
from bridge.upstream.caldav.address import collection_url, host_of, path_of
from bridge.upstream.caldav.bodies import CALDAV, CALENDAR_SERVER, DAV, propfind
from bridge.upstream.caldav.multistatus import Multistatus, Response, read
from bridge.upstream.caldav.refusals import Deed, refusal
from bridge.upstream.protocol import Unreadable

if TYPE_CHECKING:
    from collections.abc import Callable

    from bridge.core.model import CalendarObject
    from bridge.upstream.answers import Answer
    from bridge.upstream.caldav.wire import Wire

_STATE = propfind(
    f"{DAV}resourcetype", f"{DAV}supported-report-set", f"{DAV}sync-token", f"{CALENDAR_SERVER}getctag",
    f"{DAV}current-user-privilege-set",
)  # fmt: skip
_WRITING = frozenset({f"{DAV}all", f"{DAV}write", f"{DAV}write-content", f"{DAV}bind"})


@dataclass(frozen=True, slots=True)
class State:
    """What a calendar says of itself.

    Attributes:
        sync_token: Its sync token now, or empty.
        ctag: Its ctag now, or empty: differs whenever anything within has changed.
        reports_changes: Whether it offers sync-collection.
        writable: Whether this user may write; true also where the server does not say.
        date: The Date header of the answer, or empty.
    """

    sync_token: str
    ctag: str
    reports_changes: bool
    writable: bool
    date: str


@dataclass(frozen=True, slots=True)
class Place:
    """One remote calendar and the way there.

    Attributes:
        wire: The connection.
        url: Of the calendar, in normal form.
        parse: Reads the bytes of one object.
    """

    wire: Wire = field(repr=False)
    url: str
    parse: Callable[[bytes], CalendarObject] = field(repr=False)

    @property
    def path(self) -> str:
        """The path of the calendar, with a slash at the end."""
        return path_of(self.url)

    def remote_id(self, href: str) -> str:
        """The one name of a member, by whichever alias of the calendar the server names it; empty for no member.

        A member is always a direct one (RFC 4791 section 5.2), so the last segment of its path tells which.
        """
        path = path_of(href)
        name = path.rpartition("/")[2]
        return f"{self.path}{name}" if name not in {"", ".", ".."} and f"{path}/" != self.path else ""

    def member_url(self, remote_id: str) -> str:
        """The address of a member.

        Raises:
            CalendarGone: It is no member of this calendar.
        """
        if not remote_id or self.remote_id(remote_id) != remote_id:
            raise CalendarGone(f"{remote_id[:200]!r} is no address in the calendar {self.url}.")
        return f"{self.url}{remote_id.rpartition('/')[2]}"

    def is_self(self, response: Response) -> bool:
        """Whether a server speaks of the calendar itself, under whichever alias."""
        types = response.names(f"{DAV}resourcetype")
        return path_of(response.href).rstrip("/") == self.path.rstrip("/") or f"{CALDAV}calendar" in types

    def multistatus(self, answer: Answer) -> Multistatus:
        """The answer to a PROPFIND or REPORT.

        Raises:
            UpstreamError: It is no success; `ListingDoubtful` where it is one but not whole.
        """
        if not answer.ok:
            raise refusal(answer, Deed.READ, self.wire.user)
        if answer.status != HTTPStatus.MULTI_STATUS:
            raise ListingDoubtful(
                f"{host_of(self.url)} answers for {self.path} with something that is no DAV answer ({answer.status}).",
                remedy="Look whether the address leads to a login page; nothing was concluded from it.",
            )
        return read(answer.body, place=f"{host_of(self.url)} for {self.path}")

    def state(self) -> State:
        """What the calendar says of itself now.

        Raises:
            CalendarGone: There is none.
        """
        answer = self.wire.propfind(self.url, _STATE, depth=0)
        own = next((each for each in self.multistatus(answer).responses if self.is_self(each)), None)
        if own is None:
            raise ListingDoubtful(f"{host_of(self.url)} was asked for {self.path}, and does not speak of it.")
        types = own.names(f"{DAV}resourcetype")
        if own.status in {HTTPStatus.NOT_FOUND, HTTPStatus.GONE} or (types and f"{CALDAV}calendar" not in types):
            raise CalendarGone(
                f"What stands at {self.path} of {host_of(self.url)} is no calendar.",
                remedy="List the calendars of the connection, and name one of them in the rule.",
            )
        privileges = own.names(f"{DAV}current-user-privilege-set")
        return State(
            sync_token=own.text(f"{DAV}sync-token") or "",
            ctag=own.text(f"{CALENDAR_SERVER}getctag") or "",
            reports_changes=f"{DAV}sync-collection" in own.names(f"{DAV}supported-report-set"),
            writable=not privileges or bool(privileges & _WRITING),
            date=answer.headers.get("date", ""),
        )

    def read_object(self, raw: bytes) -> CalendarObject | Unreadable:
        """The object that the bytes are, or why they are none."""
        try:
            return self.parse(raw)
        except ObjectRefused as error:
            return Unreadable(str(error))


def place(wire: Wire, calendar: str, parse: Callable[[bytes], CalendarObject]) -> Place:
    """The calendar of an id.

    Raises:
        AddressRefused: The id is no http or https address.
    """
    try:
        return Place(wire=wire, url=collection_url(calendar), parse=parse)
    except ValueError as error:
        raise AddressRefused(
            f"A calendar of a CalDAV connection is named by its address, not {calendar[:200]!r}.",
            remedy="List the calendars of the connection, and take the address from there.",
        ) from error
