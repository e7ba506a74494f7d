"""One calendar on one server, and what clients do with it; the requests are the same octets for every server."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING

from tests.bench.appointments import Appointment, edited, monday, one_more

if TYPE_CHECKING:
    from datetime import date

    from tests.bench.client import Answer, Connection

_HEAD = '<?xml version="1.0" encoding="utf-8"?>'
_SPACES = 'xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav" xmlns:CS="http://calendarserver.org/ns/"'
_CTAG = f"{_HEAD}<D:propfind {_SPACES}><D:prop><CS:getctag/></D:prop></D:propfind>".encode()
_ETAGS = f"{_HEAD}<D:propfind {_SPACES}><D:prop><D:getetag/></D:prop></D:propfind>".encode()
_TOKEN = re.compile(rb"sync-token>([^<]+)<")
_RESPONSE = re.compile(rb"<(?:\w+:)?response[ >]")
_XML = {"Content-Type": "application/xml; charset=utf-8"}
_ICS = {"Content-Type": "text/calendar; charset=utf-8"}


@dataclass(slots=True)
class Calendar:
    """A calendar with appointments in it.

    Attributes:
        connection: To its server.
        path: Of the calendar, with a slash at its end.
        stored: The appointments in it that no measurement deletes.
        today: What the present week is.
    """

    connection: Connection
    path: str
    stored: list[Appointment]
    today: date
    _edits: int = field(default=0)
    _added: list[Appointment] = field(default_factory=list)
    _made: int = field(default=0)

    def ctag(self) -> Answer:
        """Asks whether anything has changed, as clients without sync-collection do."""
        return self.connection.request("PROPFIND", self.path, _CTAG, headers={**_XML, "Depth": "0"})

    def listing(self) -> Answer:
        """Lists the etags of all appointments."""
        return self.connection.request("PROPFIND", self.path, _ETAGS, headers={**_XML, "Depth": "1"})

    def sync(self, token: str) -> Answer:
        """Asks what has changed since `token`; an empty one asks for everything."""
        body = (
            f"{_HEAD}<D:sync-collection {_SPACES}><D:sync-token>{token}</D:sync-token><D:sync-level>1</D:sync-level>"
            "<D:prop><D:getetag/></D:prop></D:sync-collection>"
        )
        return self._report(body)

    def token(self) -> str:
        """The present sync token."""
        body = f"{_HEAD}<D:propfind {_SPACES}><D:prop><D:sync-token/></D:prop></D:propfind>".encode()
        answer = self.connection.request("PROPFIND", self.path, body, headers={**_XML, "Depth": "0"})
        return token_in(answer)

    def week(self) -> Answer:
        """Asks for all appointments of last week with their texts, as a client that shows a week does."""
        start = datetime.combine(monday(self.today) - timedelta(weeks=1), time(), UTC)
        end = start + timedelta(weeks=1)
        return self._report(
            f"{_HEAD}<C:calendar-query {_SPACES}><D:prop><D:getetag/><C:calendar-data/></D:prop><C:filter>"
            '<C:comp-filter name="VCALENDAR"><C:comp-filter name="VEVENT">'
            f'<C:time-range start="{start:%Y%m%dT%H%M%SZ}" end="{end:%Y%m%dT%H%M%SZ}"/>'
            "</C:comp-filter></C:comp-filter></C:filter></C:calendar-query>"
        )

    def multiget(self, count: int) -> Answer:
        """Fetches `count` appointments, spread over the calendar."""
        chosen = self.stored[:: max(1, len(self.stored) // count)][:count]
        hrefs = "".join(f"<D:href>{self.path}{each.href}</D:href>" for each in chosen)
        return self._report(
            f"{_HEAD}<C:calendar-multiget {_SPACES}><D:prop><D:getetag/><C:calendar-data/></D:prop>{hrefs}"
            "</C:calendar-multiget>"
        )

    def put_new(self) -> Answer:
        """Adds an appointment."""
        self._made += 1
        new = one_more(self._made, self.today)
        self._added.append(new)
        return self._put(new, {"If-None-Match": "*"})

    def put_changed(self) -> Answer:
        """Changes one of the stored appointments, another one each time."""
        self._edits += 1
        place = self._edits * 37 % len(self.stored)
        return self._put(edited(self.stored[place], self._edits), {})

    def delete(self) -> Answer:
        """Deletes an appointment that `put_new` has added."""
        if not self._added:
            self.put_new()
        return self.connection.request("DELETE", f"{self.path}{self._added.pop().href}", expect=(200, 204))

    def _put(self, appointment: Appointment, headers: dict[str, str]) -> Answer:
        path = f"{self.path}{appointment.href}"
        return self.connection.request("PUT", path, appointment.raw, expect=(201, 204), headers={**_ICS, **headers})

    def _report(self, body: str) -> Answer:
        return self.connection.request("REPORT", self.path, body.encode(), headers={**_XML, "Depth": "1"})


def token_in(answer: Answer) -> str:
    """The sync token in an answer."""
    found = _TOKEN.search(answer.body)
    assert found is not None, answer.body[:300]
    return found[1].decode()


def responses_in(answer: Answer) -> int:
    """How many objects a multistatus tells about."""
    return len(_RESPONSE.findall(answer.body))
