"""A CalDAV server as an upstream: the Protocol of `bridge.upstream.protocol` on the wire (RFC 4791, RFC 6578)."""

from __future__ import annotations

import time
from contextlib import nullcontext
from functools import partial
from typing import TYPE_CHECKING

from bridge.core.model import ComponentType
from bridge.upstream.answers import LIMITS, Limits
from bridge.upstream.caldav import creating, listing, reading, writing
from bridge.upstream.caldav.conditions_ignored import ignores_conditions
from bridge.upstream.caldav.discovery import Discovery, discover, is_secure, named_host
from bridge.upstream.caldav.place import Place, place
from bridge.upstream.caldav.services import Resolver, look_up
from bridge.upstream.caldav.wire import Wire
from bridge.upstream.protocol import Capabilities

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from bridge.core.model import CalendarObject
    from bridge.errors import UpstreamError
    from bridge.upstream.protocol import Found, Gone, Page, RemoteCalendar, Stored, Unknown


class CaldavUpstream:
    """One user's connection to a CalDAV server.

    Building it does no I/O. It keeps connections open until `close`.

    Args:
        url: What the person named: the address of the server, of a principal, of a calendar home or of a calendar; a
            bare host; or a mail address.
        user: Who logs in; empty for a server without logins.
        password: Of that user.
        parse: Reads the bytes of one object; raises `ObjectRefused`.
        verify: Whether certificates are checked, or the authorities to trust: their file, or its content, as the
            HTTP library remembers what stood in a file.
        limits: On time and size.
        resolver: Finds the services of a mail domain.
        clock: Seconds that never go back.
        turn: Waits until a request may go, and holds its place until the answer is there.
    """

    def __init__(
        self,
        *,
        url: str,
        user: str,
        password: str,
        parse: Callable[[bytes], CalendarObject],
        verify: bool | str | bytes = True,
        limits: Limits = LIMITS,
        resolver: Resolver = look_up,
        clock: Callable[[], float] = time.monotonic,
        turn: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        self._url = url
        self._parse = parse
        self._resolver = resolver
        self._connect = partial(
            Wire, user=user, password=password, verify=verify, limits=limits, clock=clock, turn=turn
        )
        self._open: Wire | None = None
        self._deltas: dict[str, bool] = {}
        self._addressed: set[str] = set()
        self._known_before: set[str] = set()

    def __repr__(self) -> str:
        return f"CaldavUpstream({self._open!r})"

    @property
    def capabilities(self) -> Capabilities:
        """What this CalDAV server can do, as far as its addresses and its answers have shown until now.

        `delta` turns false when a calendar has shown that it has none to trust, at the latest when one is wanted.
        SOGo, known by the addresses of the quirk `conditions-ignored`, also writes floating times into the user's zone.
        """
        heeds = not any(map(ignores_conditions, (self._url, *self._addressed)))
        return Capabilities(
            writable=True,
            components=frozenset(ComponentType),
            delta=all(self._deltas.values()),
            conditional=heeds,
            exclusive_create=heeds,
            keeps_text=heeds,
            holds_series=True,
        )

    def discover(self) -> Discovery:
        """The calendars that the connection reaches, and what a person should know about the way there."""
        return discover(self._wire, self._url, resolver=self._resolver)

    def calendars(self) -> Sequence[RemoteCalendar]:
        """The calendars that the connection reaches; see the Protocol."""
        return self.discover().calendars

    def changes(self, calendar: str, cursor: str | None) -> Iterator[Page]:
        """What has changed since `cursor`; see the Protocol."""
        if cursor is not None:
            self._known_before.add(calendar)
        known_before = calendar in self._known_before
        return listing.changes(self._place(calendar), cursor, deltas=self._deltas, known_before=known_before)

    def recall(self, calendar: str, cursor: str) -> None:  # noqa: ARG002 -- that there was one is enough
        """Has a calendar that was listed before be asked at once whether its deltas can be trusted; see the power."""
        self._known_before.add(calendar)

    def fetch(self, calendar: str, remote_ids: Sequence[str]) -> Iterator[Found | Gone | Unknown]:
        """What became of each of `remote_ids`; see the Protocol."""
        return reading.fetch(self._place(calendar), remote_ids)

    def everything(self, calendar: str) -> Iterator[Found]:
        """All objects that the server tells together; see `bridge.upstream.powers.TellsAll`."""
        return reading.everything(self._place(calendar))

    def create(self, calendar: str, new: CalendarObject, request_id: str) -> Stored:
        """Stores `new` once for each `request_id`; see the Protocol."""
        return writing.create(self._place(calendar), new, request_id)

    def create_many(
        self, calendar: str, wanted: Sequence[tuple[CalendarObject, str]]
    ) -> Sequence[Stored | UpstreamError]:
        """Does what `create` does with each; see `bridge.upstream.powers.CreatesMany`."""
        return creating.create_many(self._place(calendar), wanted)

    def replace(self, calendar: str, remote_id: str, new: CalendarObject, *, if_match: str) -> Stored:
        """Stores `new` in place of the version `if_match`; see the Protocol."""
        return writing.replace(self._place(calendar), remote_id, new, if_match=if_match)

    def remove(self, calendar: str, remote_id: str, *, if_match: str) -> None:
        """Removes the version `if_match`; see the Protocol."""
        writing.remove(self._place(calendar), remote_id, if_match=if_match)

    def close(self) -> None:
        """Ends the connections that are open."""
        if self._open is not None:
            self._open.close()

    @property
    def _wire(self) -> Wire:
        # Made at the first request, so that a connection that names no CalDAV host fails there, like any other.
        if self._open is None:
            self._open = self._connect(host=named_host(self._url), secure=is_secure(self._url))
        return self._open

    def _place(self, calendar: str) -> Place:
        here = place(self._wire, calendar, self._parse)
        self._addressed.add(here.url)
        return here
