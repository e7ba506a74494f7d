"""Google Calendar as an upstream: the Protocol of `bridge.upstream.protocol` over Calendar API v3."""

from __future__ import annotations

import time
from contextlib import nullcontext
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import requests

from bridge.upstream.google import listing, reading, watching, writing
from bridge.upstream.google.calendars import COMPONENTS, calendars
from bridge.upstream.google.place import Place
from bridge.upstream.google.service import API, Service
from bridge.upstream.google.wire import LIMITS, Wire
from bridge.upstream.protocol import Capabilities

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager
    from datetime import tzinfo

    from bridge.core.model import CalendarObject
    from bridge.upstream.answers import Limits
    from bridge.upstream.oauth.keeper import Access
    from bridge.upstream.powers import Watch
    from bridge.upstream.protocol import Found, Gone, Page, RemoteCalendar, Stored, Unknown


class GoogleUpstream:
    """One user's connection to Google Calendar.

    Building it does no I/O. It keeps connections open until `close`.

    Args:
        access: Gives access tokens.
        parse: Reads the bytes of one object; raises `ObjectRefused`.
        zone: What floating times mean; a zone with an IANA name.
        who: Who connected, for sentences; a mail address where it is known.
        endpoint: Where the API stands.
        verify: Whether certificates are checked, or the file of the authorities to trust.
        limits: On time and size.
        clock: Seconds that never go back.
        turn: Waits until a request may go, and holds its place until the answer is there.
        session: Makes what keeps the connections.
    """

    def __init__(
        self,
        *,
        access: Access,
        parse: Callable[[bytes], CalendarObject],
        zone: tzinfo,
        who: str = "this user",
        endpoint: str = API,
        verify: bool | str = True,
        limits: Limits = LIMITS,
        clock: Callable[[], float] = time.monotonic,
        turn: Callable[[], AbstractContextManager[None]] = nullcontext,
        session: Callable[[], requests.Session] = requests.Session,
    ) -> None:
        host = "Google" if endpoint == API else urlsplit(endpoint).netloc
        self._wire = Wire(
            host=host, access=access, verify=verify, limits=limits, clock=clock, turn=turn, session=session
        )
        self._endpoint = endpoint
        self._parse = parse
        self._zone = str(zone)
        self._who = who
        self._made: Service | None = None

    def __repr__(self) -> str:
        return f"GoogleUpstream({self._wire!r})"

    @property
    def capabilities(self) -> Capabilities:
        """What Google Calendar can do.

        What it cannot hold is emulated or left out, so neither texts nor series all come back as they were sent.
        """
        return Capabilities(
            writable=True,
            components=COMPONENTS,
            delta=True,
            conditional=True,
            exclusive_create=True,
            keeps_text=False,
            holds_series=False,
            refuses_old_cursors=True,
        )

    def calendars(self) -> Sequence[RemoteCalendar]:
        """The calendars of the user's list; see the Protocol."""
        return calendars(self._wire, self._service, who=self._who)

    def changes(self, calendar: str, cursor: str | None) -> Iterator[Page]:
        """What has changed since `cursor`; see the Protocol."""
        return listing.changes(self._place(calendar), cursor)

    def fetch(self, calendar: str, remote_ids: Sequence[str]) -> Iterator[Found | Gone | Unknown]:
        """What became of each of `remote_ids`; see the Protocol."""
        return reading.fetch(self._place(calendar), remote_ids)

    def create(self, calendar: str, new: CalendarObject, request_id: str) -> Stored:
        """Stores `new` once for each `request_id`; see the Protocol."""
        return writing.create(self._place(calendar), new, request_id)

    def replace(self, calendar: str, remote_id: str, new: CalendarObject, *, if_match: str) -> Stored:
        """Stores `new` in place of the version `if_match`; see the Protocol."""
        return writing.replace(self._place(calendar), remote_id, new, if_match=if_match)

    def remove(self, calendar: str, remote_id: str, *, if_match: str) -> None:
        """Removes the version `if_match`; see the Protocol."""
        writing.remove(self._place(calendar), remote_id, if_match=if_match)

    def watch(self, calendar: str, *, channel: str, token: str, address: str) -> Watch:
        """Has Google tell of every change in `calendar`; see `bridge.upstream.powers.Watchable`."""
        return watching.watch(self._place(calendar), channel=channel, token=token, address=address)

    def unwatch(self, watch: Watch) -> None:
        """Closes a watch; see `bridge.upstream.powers.Watchable`."""
        watching.unwatch(self._wire, self._service, watch, who=self._who)

    def close(self) -> None:
        """Ends the connections that are open."""
        self._wire.close()

    @property
    def _service(self) -> Service:
        # Made at the first request: a connection that asks for nothing needs none.
        if self._made is None:
            self._made = Service(self._endpoint)
        return self._made

    def _place(self, calendar: str) -> Place:
        return Place(
            wire=self._wire,
            service=self._service,
            calendar=calendar,
            zone=self._zone,
            parse=self._parse,
            who=self._who,
        )
