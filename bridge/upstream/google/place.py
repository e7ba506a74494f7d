"""A calendar at Google as the other modules of the adapter see it: its events are listed, read and written one by one.

Every request has the same fixed parameters: a sync token counts only for the parameters of the listing that gave it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from bridge.errors import ListingDoubtful, ObjectRefused
from bridge.upstream.google.mapping import NotReadable, from_google
from bridge.upstream.google.refusals import Deed, Refused, error
from bridge.upstream.google.standing import gathered, is_cancelled
from bridge.upstream.protocol import Changed, Found, Stored, Unreadable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from bridge.core.model import CalendarObject
    from bridge.upstream.google.mapping import Body, Event
    from bridge.upstream.google.service import Ask, Service
    from bridge.upstream.google.standing import Standing
    from bridge.upstream.google.wire import Wire

PAGE = 2500
"""Events on a page at most, as the reference of `events.list` allows."""

_MISSING = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.GONE})


@dataclass(frozen=True, slots=True)
class Place:
    """One calendar and the way there.

    Attributes:
        wire: The connection.
        service: The methods of the API.
        calendar: Id of the calendar.
        zone: IANA name: what floating times mean.
        parse: Reads the bytes of one object.
        who: Whom errors speak of.
    """

    wire: Wire = field(repr=False)
    service: Service = field(repr=False)
    calendar: str
    zone: str
    parse: Callable[[bytes], CalendarObject] = field(repr=False)
    who: str

    def pages(self, **asked: Any) -> Iterator[Mapping[str, Any]]:
        """The pages of a listing; the last has `nextSyncToken`, where what was asked for allows it.

        Raises:
            CursorExpired: A sync token is not valid any more.
            CalendarGone: There is no such calendar.
            ListingDoubtful: It comes to no end, or is none.
        """
        seen: set[str] = set()
        token = ""
        while True:
            further = {"pageToken": token} if token else {}
            what = self.service.events.list(
                calendarId=self.calendar, singleEvents=False, maxResults=PAGE, **asked, **further
            )
            page = self._told(what, Deed.READ, delta="syncToken" in asked)
            events = page.get("items", [])
            if page.get("kind") != "calendar#events" or not _are_events(events):
                raise ListingDoubtful(
                    "Google lists a calendar in a form that is none of its own.",
                    remedy="Nothing was concluded from it; it is asked again later.",
                )
            yield page
            token = str(page.get("nextPageToken", ""))
            if not token:
                return
            if token in seen:
                raise ListingDoubtful("Google lists a calendar in pages that never end.")
            seen.add(token)

    def everything(self) -> dict[str, Standing]:
        """All that stands here now, by remote id."""
        events = [event for page in self.pages() for event in page.get("items", [])]
        return {standing.remote_id: standing for standing in gathered(events)}

    def check(self) -> None:
        """Passes where the calendar is there.

        Raises:
            CalendarGone: There is no such calendar.
        """
        self._told(self.service.events.list(calendarId=self.calendar, maxResults=1), Deed.READ)

    def get(self, event_id: str) -> Event | None:
        """One event; None where there is none, or where it is deleted."""
        answer = self.wire.ask(self.service.events.get(calendarId=self.calendar, eventId=event_id))
        if isinstance(answer, Refused):
            if answer.status in _MISSING:
                return None
            raise error(answer, Deed.READ, who=self.who)
        return None if is_cancelled(_checked(answer)) else answer

    def insert(self, body: Body) -> Event | None:
        """Creates an event; None where its id is taken, also by one that was deleted."""
        what = self.service.events.insert(calendarId=self.calendar, body=body, sendUpdates="none")
        answer = self.wire.ask(what)
        if isinstance(answer, Refused):
            if answer.status == HTTPStatus.CONFLICT:
                return None
            raise error(answer, Deed.WRITE, who=self.who)
        return _checked(answer)

    def patch(self, event_id: str, body: Body, *, if_match: str = "") -> Event | None:
        """Changes the fields of an event that `body` names; None where there is no such event.

        Args:
            event_id: Of the event, or of an instance.
            body: The fields; None for those to be taken away.
            if_match: Its etag as Google wrote it; empty: whatever version stands there.

        Raises:
            RemoteChanged: Another version stands there.
        """
        what = self.service.events.patch(calendarId=self.calendar, eventId=event_id, body=body, sendUpdates="none")
        answer = self.wire.ask(what, if_match=if_match)
        if isinstance(answer, Refused):
            if answer.status in _MISSING:
                return None
            raise error(answer, Deed.WRITE, who=self.who)
        return _checked(answer)

    def delete(self, event_id: str, *, if_match: str = "") -> None:
        """Deletes an event; passes where there is none.

        Raises:
            RemoteChanged: Another version stands there.
        """
        what = self.service.events.delete(calendarId=self.calendar, eventId=event_id, sendUpdates="none")
        answer = self.wire.ask(what, if_match=if_match)
        if isinstance(answer, Refused) and answer.status not in _MISSING:
            raise error(answer, Deed.WRITE, who=self.who)

    def read(self, standing: Standing) -> CalendarObject | Unreadable:
        """The object that stands there, or why it is none."""
        try:
            return self.parse(from_google(standing.master, standing.exceptions, zone=self.zone))
        except NotReadable as problem:
            return Unreadable(problem.reason)
        except ObjectRefused as problem:
            return Unreadable(str(problem))

    def found(self, standing: Standing) -> Found:
        """What stands there, as an answer of `Upstream.fetch`."""
        return Found(standing.remote_id, standing.etag, self.read(standing), unfinished=standing.unfinished)

    def changed(self, standing: Standing) -> Changed:
        """What stands there, as a part of `Upstream.changes`."""
        return Changed(standing.remote_id, standing.etag, self.read(standing), unfinished=standing.unfinished)

    def stored(self, standing: Standing) -> Stored:
        """What stands there, as the answer to a write."""
        return Stored(standing.remote_id, standing.etag, self.read(standing))

    def _told(self, what: Ask, deed: Deed, *, delta: bool = False) -> Mapping[str, Any]:
        answer = self.wire.ask(what)
        if isinstance(answer, Refused):
            raise error(answer, deed, who=self.who, delta=delta)
        return answer


def _checked(event: Event) -> Event:
    if not _are_events([event]):
        raise ListingDoubtful(
            "Google answers about one appointment with something that is none.",
            remedy="Nothing was concluded from it; it is asked again later.",
        )
    return event


def _are_events(events: Any) -> bool:
    return isinstance(events, list) and all(isinstance(each, dict) and _is_event(each) for each in events)


def _is_event(event: Event) -> bool:
    """Whether there is all that the other modules rely upon; a deleted event guarantees no more than its id."""
    needed: dict[str, type] = {"id": str} if is_cancelled(event) else {"id": str, "etag": str}
    if "recurringEventId" in event:
        needed |= {"recurringEventId": str, "originalStartTime": dict}
    return all(event.get(name) and isinstance(event[name], kind) for name, kind in needed.items())
