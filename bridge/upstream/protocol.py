"""What the engine asks of an upstream, and what it may hear: one small Protocol for every provider.

An adapter speaks whole series: master and overrides of one UID are one object, however the provider keeps them. It
knows nothing of rules, links or policies. Every failure is one of `bridge.errors.UpstreamError`; an error is never an
absence. `tests/contracts/upstream.py` is the suite that every adapter has to pass.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bridge.core.model import CalendarObject, ComponentType


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What an upstream can do, as far as the engine has to know; proven by the contract suite where declared.

    Attributes:
        writable: Objects can be created, replaced and removed.
        components: The component types that a calendar can hold.
        delta: A cursor gives what has changed since, tombstones included. Without it, a cursor only tells whether
            anything has changed: `changes` then raises `CursorExpired`.
        conditional: `replace` and `remove` compare the etag and change nothing where it differs, as one step. Without
            it the adapter compares before it writes, and a change in between can be lost.
        exclusive_create: `create` never overwrites what another program put at the same place meanwhile.
        keeps_text: What was written comes back with equal meaning (equal digest of the canonical form).
        holds_series: Recurrence rules, RDATE, EXDATE and overrides are kept as they are.
        refuses_old_cursors: A cursor that is not valid any more always raises `CursorExpired`. Without it, an answer
            that names every object may be what some servers give for any cursor, without tombstones.
    """

    writable: bool
    components: frozenset[ComponentType]
    delta: bool
    conditional: bool
    exclusive_create: bool
    keeps_text: bool
    holds_series: bool
    refuses_old_cursors: bool = False


@dataclass(frozen=True, slots=True)
class RemoteCalendar:
    """A calendar that a connection reaches, as a list to pick from shows it.

    Attributes:
        id: What a rule names it by; stable, and never shown where a name would do.
        name: As its owner calls it.
        writable: Whether this user may write to it.
        components: What it holds.
        color: `#rrggbb`, or empty.
        primary: Whether it is the user's main calendar.
    """

    id: str
    name: str
    writable: bool
    components: frozenset[ComponentType]
    color: str = ""
    primary: bool = False


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Something stands there, but it cannot be read as one calendar object.

    Attributes:
        reason: A sentence that says why.
    """

    reason: str


@dataclass(frozen=True, slots=True)
class Changed:
    """A remote object that is new or not what it was, or simply is there where everything is listed.

    Attributes:
        remote_id: Names it within its calendar; stable as long as it lives.
        etag: Its version, without quotes; differs whenever the object does.
        object: What it is now, where the provider told with the listing; None: `fetch` tells.
        unfinished: As `Found` has it; only where `object` is there.
    """

    remote_id: str
    etag: str
    object: CalendarObject | Unreadable | None = field(default=None, repr=False)
    unfinished: bool = field(default=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Gone:
    """A remote object that does not exist any more: the provider said so of this very object."""

    remote_id: str


@dataclass(frozen=True, slots=True)
class Found:
    """A remote object as it is now.

    Attributes:
        remote_id: Names it within its calendar.
        etag: Its version, without quotes.
        object: What it is now.
        unfinished: Whether our own write of it was broken off between two requests. What stands there is neither what
            it was nor what it is to be: `replace` writes it again as a whole, `create` of the same request id goes on.
    """

    remote_id: str
    etag: str
    object: CalendarObject | Unreadable = field(repr=False)
    unfinished: bool = field(default=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Unknown:
    """A remote object of which the provider did not say whether it exists; nothing is concluded from that.

    Attributes:
        reason: A sentence that says why.
    """

    remote_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class Page:
    """A part of what `changes` tells.

    Attributes:
        items: In the order in which the provider gave them; the same object may come again, the last time counts.
        cursor: For the next time; only the last page has one. Without it nothing that was listed may be taken as
            complete.
    """

    items: tuple[Changed | Gone, ...]
    cursor: str | None = None


@dataclass(frozen=True, slots=True)
class Stored:
    """What stands at the provider after a write.

    Attributes:
        remote_id: Names it within its calendar.
        etag: Its version, without quotes.
        object: As the provider gives it back; not always what was sent.
    """

    remote_id: str
    etag: str
    object: CalendarObject | Unreadable = field(repr=False)


class Upstream(Protocol):
    """One connection to a provider, used by one thread at a time.

    Every method may raise any `UpstreamError`; those that concern the engine most are named.
    """

    @property
    def capabilities(self) -> Capabilities:
        """What this upstream can do."""

    def calendars(self) -> Sequence[RemoteCalendar]:
        """The calendars that the connection reaches, in the provider's order.

        Raises:
            LoginRefused: The provider does not let this user in.
        """

    def changes(self, calendar: str, cursor: str | None) -> Iterator[Page]:
        """What has changed since `cursor`, or everything there is where it is None.

        With None, an object that is on no page of a listing that came to its end did not exist at that time, as far
        as the provider tells. A listing that is cut off raises instead of ending.

        Args:
            calendar: Id of the calendar.
            cursor: What the last page carried the last time, or None.

        Raises:
            CursorExpired: Before the first page: everything has to be listed, with None.
            CalendarGone: There is no such calendar.
            ListingDoubtful: The answer cannot be trusted to be whole.
        """

    def fetch(self, calendar: str, remote_ids: Sequence[str]) -> Iterator[Found | Gone | Unknown]:
        """What became of each of `remote_ids`: one answer for each, in any order.

        `Gone` is said only where the provider says of this very object that it does not exist.
        """

    def create(self, calendar: str, new: CalendarObject, request_id: str) -> Stored:
        """Stores `new`, once for each `request_id`, also when the same request is repeated after a lost answer.

        Args:
            calendar: Id of the calendar.
            new: The object.
            request_id: 32 lower-case hex digits; equal for every try of the same creation.

        Raises:
            UidTaken: The UID stands elsewhere, and this provider does not take it twice.
            RemoteRefused: It does not take this object at all.
            CalendarReadOnly: It takes none.
        """

    def replace(self, calendar: str, remote_id: str, new: CalendarObject, *, if_match: str) -> Stored:
        """Stores `new` in place of the version `if_match`.

        Raises:
            RemoteChanged: Another version stands there, or nothing.
            RemoteRefused: The provider does not take this object.
            CalendarReadOnly: It takes none.
        """

    def remove(self, calendar: str, remote_id: str, *, if_match: str) -> None:
        """Removes the version `if_match`; passes where nothing stands there any more.

        Raises:
            RemoteChanged: Another version stands there.
            CalendarReadOnly: Nothing may be removed.
        """

    def close(self) -> None:
        """Ends the connections that are open; nothing else may be asked afterwards."""
