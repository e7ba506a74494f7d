"""The adapter meets the fake Google, and so does somebody else, who edits the same calendar at Google's own page."""

from __future__ import annotations

import io
import json
import uuid
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import icalendar
import requests
from requests.adapters import BaseAdapter

from bridge.upstream.answers import Limits
from bridge.upstream.google.adapter import GoogleUpstream
from tests.contracts.upstream_samples import AMSTERDAM, parse
from tests.fakes.google.exchange import Asked
from tests.fakes.google.refusal import Refused
from tests.fakes.google.transport import Lost

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import AbstractContextManager

    from tests.fakes.faults import Request
    from tests.fakes.google.by_hand import ByHand
    from tests.fakes.google.exchange import Answered
    from tests.fakes.google.fake import FakeGoogle
    from tests.fakes.google.misdeeds import Misdeed

USER = "anna@example.org"
ZONE = "Europe/Amsterdam"


@dataclass(slots=True)
class Pass:
    """Lets a user in with one token after the other.

    Attributes:
        tokens: The present one is the first.
        refusals: The tokens that Google did not take.
    """

    tokens: list[str]
    refusals: list[str] = field(default_factory=list)

    def access_token(self) -> str:
        """The present token."""
        return self.tokens[0]

    def refused(self, token: str) -> str:
        """Goes over to the next token, where there is one."""
        self.refusals.append(token)
        if len(self.tokens) > 1 and self.tokens[0] == token:
            del self.tokens[0]
        return self.tokens[0]


class Direct(BaseAdapter):
    """Asks the fake within this process."""

    def __init__(self, google: FakeGoogle) -> None:
        super().__init__()
        self._google = google

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        """Asks once."""
        body = request.body or b""
        headers = {name.lower(): str(value) for name, value in request.headers.items()}
        raw = body.encode() if isinstance(body, str) else body
        try:
            told = self._google.answer(Asked(str(request.method), request.path_url, headers, raw))
        except Lost as error:
            raise requests.ConnectionError("The fake lost the answer.") from error
        response = requests.Response()
        response.status_code = told.status
        response.headers.update(told.headers)
        response.raw = io.BytesIO(told.body)
        return response

    def close(self) -> None:
        """Nothing is open."""


def direct(google: FakeGoogle) -> Callable[[], requests.Session]:
    """Makes sessions that need no socket."""

    def made() -> requests.Session:
        session = requests.Session()
        session.mount("http://", Direct(google))
        return session

    return made


def connect(
    google: FakeGoogle,
    *,
    user: str = USER,
    site: str = "",
    password: str = "",
    patience: float = 30.0,
    access: Pass | None = None,
    turn: Callable[[], AbstractContextManager[None]] | None = None,
) -> GoogleUpstream:
    """An adapter for a user; over the socket of the fake where it has one."""
    further: dict[str, Any] = {} if google.port else {"session": direct(google)}
    further |= {} if turn is None else {"turn": turn}
    return GoogleUpstream(
        access=access or Pass([password or google.token(user)]),
        parse=parse,
        zone=AMSTERDAM,
        who=user,
        endpoint=f"{site or google.host}/calendar/v3/",
        limits=Limits(connect=patience, read=patience, whole=patience),
        **further,
    )


class Somebody:
    """Another person at Google's own page, or a program that imports; tells appointments by their UID.

    What is written in iCalendar is put over by the little code below, which knows only what the samples hold.
    """

    def __init__(self, google: FakeGoogle, page: ByHand) -> None:
        self._google = google
        self._page = page
        self._named: dict[str, str] = {}

    def offer(self, raw: bytes, *, name: str = "") -> bool:  # noqa: ARG002 -- Google has no file names
        """Puts an object, and tells whether it was taken."""
        events: list[Any] = icalendar.Calendar.from_ical(raw).walk("VEVENT")
        if not events:
            return False
        uid = str(events[0]["UID"])
        master = next(event for event in events if "RECURRENCE-ID" not in event)
        known = self._find(uid)
        try:
            if known is None:
                made = self._page.import_({"iCalUID": uid, **_body(master)})
            else:
                made = self._page.edit(known["id"], dict.fromkeys(_OPTIONAL) | _body(master))
        except Refused:
            return False
        for event in events:
            if "RECURRENCE-ID" in event:
                self._put_instance(made["id"], event)
        return True

    def put(self, raw: bytes, *, name: str = "") -> None:
        """Puts an object in place of whatever has its UID."""
        assert self.offer(raw, name=name)

    def put_at(self, request: Request, raw: bytes) -> None:
        """Puts an object under the id that a creation is about to give one."""
        event: Any = icalendar.Calendar.from_ical(raw).walk("VEVENT")[0]
        event_id = json.loads(request.body)["id"]
        self._named[event_id] = str(event["UID"])
        self._page.put({"id": event_id, **_body(event)})

    def remove(self, uid: str) -> None:
        """Removes the object with this UID."""
        found = self._find(uid)
        assert found is not None
        self._page.delete(found["id"])

    def bodies(self) -> list[bytes]:
        """What stands in the calendar."""
        return [self._text(master) for master in self._masters()]

    def count(self, uid: str) -> int:
        """How often this UID stands in the calendar."""
        return sum(self._uid(master) == uid for master in self._masters())

    def read(self, uid: str) -> bytes:
        """The object with this UID."""
        return next(self._text(master) for master in self._masters() if self._uid(master) == uid)

    def erase_calendar(self) -> None:
        """Removes the calendar with everything in it."""
        del self._google.world.calendars[self._page.id]

    def _masters(self) -> list[dict[str, Any]]:
        return [event for event in self._page.events if "recurringEventId" not in event]

    def _find(self, uid: str) -> dict[str, Any] | None:
        return next((master for master in self._masters() if self._uid(master) == uid), None)

    def _uid(self, event: Mapping[str, Any]) -> str:
        marks = event.get("extendedProperties", {}).get("private", {})
        ours = marks.get("calbridgeUid", "") if marks.get("calbridgeId") == event["id"] else ""
        return str(self._named.get(event["id"]) or ours or event["iCalUID"])

    def _text(self, master: Mapping[str, Any]) -> bytes:
        lines = [f"UID:{self._uid(master)}", *_lines(master)]
        for event in self._page.events:
            if event.get("recurringEventId") == master["id"]:
                lines += ["RECURRENCE-ID", *_lines(event)]
        return "\n".join(lines).encode()

    def _put_instance(self, master: str, event: Any) -> None:
        original = event["RECURRENCE-ID"].dt
        instance = f"{master}_{_stamp(original)}"
        if event.get("STATUS") == "CANCELLED":
            if self._page.get(instance)["status"] != "cancelled":
                self._page.delete(instance)
            return
        self._page.edit(instance, _body(event))


_OPTIONAL = ("description", "location", "recurrence", "reminders")
_LINES = ("RRULE", "RDATE", "EXDATE")


def _body(event: Any) -> dict[str, Any]:
    start = event["DTSTART"].dt
    end = event["DTEND"].dt if "DTEND" in event else start
    body: dict[str, Any] = {"summary": str(event.get("SUMMARY", "")), "start": _when(start), "end": _when(end)}
    for name in ("DESCRIPTION", "LOCATION"):
        if name in event:
            body[name.lower()] = str(event[name])
    recurrence = list(_recurrence(event))
    if recurrence:
        body["recurrence"] = recurrence
    alarms = [-int(alarm["TRIGGER"].dt.total_seconds()) // 60 for alarm in event.walk("VALARM")]
    if alarms:
        overrides = [{"method": "popup", "minutes": minutes} for minutes in alarms]
        body["reminders"] = {"useDefault": False, "overrides": overrides}
    return body


def _recurrence(event: Any) -> Iterator[str]:
    for name in _LINES:
        found = event.get(name)
        for value in found if isinstance(found, list) else [] if found is None else [found]:
            if name == "RRULE":
                yield f"RRULE:{value.to_ical().decode()}"
            else:
                yield f"{name}:{','.join(_stamp(each.dt) for each in value.dts)}"


def _when(moment: date) -> dict[str, str]:
    if not isinstance(moment, datetime):
        return {"date": moment.isoformat()}
    if moment.tzinfo is None:
        return {"dateTime": moment.isoformat(), "timeZone": ZONE}
    return {"dateTime": moment.replace(tzinfo=None).isoformat(), "timeZone": _zone_name(moment)}


def _zone_name(moment: datetime) -> str:
    name = str(moment.tzinfo)
    return name if name == "UTC" or "/" in name else ZONE


def _stamp(moment: date) -> str:
    if not isinstance(moment, datetime):
        return f"{moment:%Y%m%d}"
    return f"{moment.replace(tzinfo=ZoneInfo(_zone_name(moment))).astimezone(UTC):%Y%m%dT%H%M%SZ}"


def _lines(event: Mapping[str, Any]) -> Iterator[str]:
    for name in ("summary", "description", "location"):
        yield f"{name}:{event.get(name, '')}"
    for name in ("start", "end"):
        moment = event.get(name, {})
        if "dateTime" in moment:
            at = datetime.fromisoformat(moment["dateTime"]).astimezone(ZoneInfo(moment["timeZone"]))
            yield f"{name}:{at:%Y%m%dT%H%M%S}"
        else:
            yield f"{name}:{moment.get('date', '')}"


def new_calendar(google: FakeGoogle, *, zone: str = ZONE) -> ByHand:
    """A fresh calendar of the user, with a name of its own."""
    if USER not in google.world.people:
        google.add_user(USER, zone=zone)
    name = uuid.uuid4().hex
    return google.add_calendar(USER, f"{name}@group.calendar.google.com", f"Salon Zoë {name}", zone=zone)


def rewritten(old: bytes, new: bytes) -> Misdeed:
    """Answers with one text in place of another."""

    def done(asked: Asked, go: Callable[[Asked], Answered]) -> Answered:
        answered = go(asked)
        return replace(answered, body=answered.body.replace(old, new))

    return done
