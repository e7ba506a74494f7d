"""The interface itself: finds the method of a request, holds both sides against the document, and asks the state."""

from __future__ import annotations

import json
import re
from collections import deque
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.fakes.google import colors, listing, schema, series
from tests.fakes.google.refusal import Refused
from tests.fakes.google.showing import show
from tests.fakes.google.state import Role
from tests.fakes.google.writing import Writer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from tests.fakes.google.state import Calendar, Event, World

BASE = "/calendar/v3/"
_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Asked:
    """A request.

    Attributes:
        path: With its query, as it was sent.
        headers: By lower-case name.
    """

    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)

    @property
    def query(self) -> dict[str, list[str]]:
        """The parameters of the query."""
        return parse_qs(urlsplit(self.path).query, keep_blank_values=True)


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(slots=True)
class Recorded:
    """A request as a test wants to see it.

    Attributes:
        id: Of the method, such as `calendar.events.patch`; empty where there is none.
        places: What the path named, such as calendarId.
        query: Each parameter with its last value.
        status: Of the answer.
        at: When it came.
    """

    method: str
    path: str
    id: str = ""
    user: str = ""
    places: dict[str, str] = field(default_factory=dict)
    query: dict[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: Any = None
    status: int = 0
    reason: str = ""
    at: datetime | None = None


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


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: what an access token stands for.

    Attributes:
        robot: A service account that acts for nobody but itself.
    """

    user: str
    scopes: frozenset[str]
    robot: bool = False


class Api:
    """Answers requests to the calendar interface.

    Args:
        who: Finds the caller of an access token; None where it is not valid.
    """

    def __init__(self, world: World, who: Callable[[str], Caller | None]) -> None:
        self.world = world
        self.pages = listing.Pages()
        self.quota = Quota()
        self.requests: list[Recorded] = []
        self.misuses: list[str] = []
        self.more: dict[str, Callable[[Call], dict[str, Any] | None]] = {}
        self._who = who

    def answer(self, asked: Asked) -> Answered:
        """What Google says to a request."""
        recorded = Recorded(asked.method, asked.path, headers=dict(asked.headers), at=self.world.clock())
        with self.world.lock:
            self.requests.append(recorded)
            try:
                answered = self._answer(asked, recorded)
            except Refused as refused:
                recorded.reason = refused.reason
                answered = Answered(refused.status, {"Content-Type": "application/json; charset=UTF-8"}, refused.body())
        recorded.status = answered.status
        return answered

    def _answer(self, asked: Asked, recorded: Recorded) -> Answered:
        if asked.headers.get("x-http-method-override"):
            # How the client library sends what is too long for an address.
            path = f"{asked.path}?{asked.body.decode()}"
            asked = replace(asked, method=asked.headers["x-http-method-override"], path=path, body=b"")
        found = _route(asked.method, urlsplit(asked.path).path)
        if found is None:
            raise Refused("notFound")
        recorded.id, recorded.places = found
        recorded.query = {name: values[-1] for name, values in asked.query.items()}
        caller = self._caller(asked, recorded)
        self.quota.take(caller.user, self.world.clock())
        method = schema.methods()[recorded.id]
        if not caller.scopes & set(method["scopes"]):
            raise Refused("insufficientPermissions")
        self._check_query(recorded, asked.query)
        recorded.body = self._read_body(asked, method, recorded)
        act = _METHODS.get(recorded.id) or self.more.get(recorded.id)
        if act is None:
            self.misuses.append(f"{recorded.id} is not part of the fake")
            raise Refused("notImplemented")
        call = Call(self, caller, recorded.places, asked.query, recorded.body or {}, asked.headers, recorded)
        told = act(call)
        if call.status:
            return Answered(call.status, {"ETag": call.etag})
        if told is None:
            return Answered(204)
        faults = schema.faults_of(method["response"]["$ref"], told)
        if faults:
            raise AssertionError(f"{recorded.id} would answer what the document does not allow: {faults}")
        headers = {"Content-Type": "application/json; charset=UTF-8"}
        if told.get("etag"):
            headers["ETag"] = told["etag"]
        return Answered(200, headers, json.dumps(told).encode())

    def _caller(self, asked: Asked, recorded: Recorded) -> Caller:
        scheme, _, token = asked.headers.get("authorization", "").partition(" ")
        caller = self._who(token) if scheme.lower() == "bearer" else None
        if caller is None:
            raise Refused("authError", location="Authorization")
        recorded.user = caller.user
        return caller

    def _check_query(self, recorded: Recorded, query: Mapping[str, Sequence[str]]) -> None:
        faults = schema.query_faults(recorded.id, query)
        for name, fault in faults.items():
            self.misuses.append(f"{recorded.id}: {fault}")
            raise Refused("invalidParameter", fault, name)

    def _read_body(self, asked: Asked, method: Mapping[str, Any], recorded: Recorded) -> dict[str, Any] | None:
        if "request" not in method:
            return None
        try:
            body = json.loads(asked.body or b"{}")
        except ValueError as error:
            raise Refused("badRequest", "Parse Error") from error
        faults = schema.faults_of(method["request"]["$ref"], body, removals=True)
        if faults:
            self.misuses += [f"{recorded.id}: {fault}" for fault in faults]
            raise Refused("badRequest", f"Invalid JSON payload received. {faults[0]}")
        return dict(body)


@dataclass(slots=True)
class Call:
    """A request that has passed all checks that do not depend on the method."""

    api: Api
    caller: Caller
    places: Mapping[str, str]
    query: Mapping[str, Sequence[str]]
    body: dict[str, Any]
    headers: Mapping[str, str]
    recorded: Recorded
    status: int = 0
    etag: str = ""

    @property
    def world(self) -> World:
        """What Google keeps."""
        return self.api.world

    @property
    def user(self) -> str:
        """Who asks."""
        return self.caller.user

    def one(self, name: str, default: str = "") -> str:
        """The last value of a parameter."""
        values = self.query.get(name)
        return values[-1] if values else default

    def read(self) -> Calendar:
        """The calendar of the path, to be read."""
        return self.world.seen_by(self.user, self.places["calendarId"])

    def write(self) -> Calendar:
        """The calendar of the path, to be changed."""
        calendar = self.world.written_by(self.user, self.places["calendarId"])
        if self.caller.robot and self.body.get("attendees"):
            raise Refused("forbiddenForServiceAccounts")
        return calendar

    def writer(self) -> Writer:
        """Writes for this caller."""
        event_id = self.places.get("eventId", "")
        self.world.mails.append((event_id, self.one("sendUpdates"), self.recorded.id))
        return Writer(
            self.world,
            self.user,
            conference=self.one("conferenceDataVersion") == "1",
            attachments=self.one("supportsAttachments") == "true",
        )

    def show(self, event: Event, calendar: Calendar) -> dict[str, Any]:
        """The event as the caller sees it."""
        most = self.one("maxAttendees")
        zone = self.one("timeZone")
        return show(event, calendar, self.user, zone=zone, max_attendees=int(most) if most else None)

    def check_match(self, calendar: Calendar) -> None:
        """Compares If-Match with the event of the path.

        Raises:
            Refused: The event is another version.
        """
        wanted = self.headers.get("if-match", "").strip()
        if not wanted or wanted == "*":
            return
        if series.find(calendar, self.places["eventId"]).etag not in [each.strip() for each in wanted.split(",")]:
            raise Refused("conditionNotMet", location="If-Match")


def _list_calendars(call: Call) -> dict[str, Any]:
    person = call.world.people[call.user]
    weakest = Role[call.one("minAccessRole", "freeBusyReader")]
    entries = [
        colors.list_entry(call.world.calendars[each], person)
        for each in person.listed
        if each in call.world.calendars and call.world.calendars[each].acl.get(call.user, 0) >= weakest
    ]
    shown = [each for each in entries if not each.get("hidden") or call.one("showHidden") == "true"]
    size = min(int(call.one("maxResults", "100")), 250, call.api.pages.most)
    begin = int(call.one("pageToken", "0"))
    page: dict[str, Any] = {"kind": "calendar#calendarList", "etag": '"p32"', "items": shown[begin : begin + size]}
    if begin + size < len(shown):
        page["nextPageToken"] = str(begin + size)
    else:
        page["nextSyncToken"] = "calendars"
    return page


def _get_list_entry(call: Call) -> dict[str, Any]:
    calendar = call.read()
    person = call.world.people[call.user]
    if calendar.id not in person.listed:
        raise Refused("notFound")
    return colors.list_entry(calendar, person)


def _get_calendar(call: Call) -> dict[str, Any]:
    return colors.calendar_resource(call.read())


def _get_colors(_call: Call) -> dict[str, Any]:
    return colors.palettes()


def _list_events(call: Call) -> dict[str, Any]:
    return listing.listing(call.world, call.api.pages, call.read(), call.user, call.query)


def _list_instances(call: Call) -> dict[str, Any]:
    place = call.places["eventId"]
    return listing.instances(call.world, call.api.pages, call.read(), call.user, place, call.query)


def _get_event(call: Call) -> dict[str, Any] | None:
    calendar = call.read()
    event = series.find(calendar, call.places["eventId"])
    if event.etag == call.headers.get("if-none-match"):
        call.status, call.etag = 304, event.etag
        return None
    return call.show(event, calendar)


def _insert_event(call: Call) -> dict[str, Any]:
    calendar = call.write()
    return call.show(call.writer().insert(calendar, call.body), calendar)


def _import_event(call: Call) -> dict[str, Any]:
    calendar = call.write()
    return call.show(call.writer().import_(calendar, call.body), calendar)


def _update_event(call: Call) -> dict[str, Any]:
    calendar = call.write()
    call.check_match(calendar)
    return call.show(call.writer().update(calendar, call.places["eventId"], call.body), calendar)


def _patch_event(call: Call) -> dict[str, Any]:
    calendar = call.write()
    call.check_match(calendar)
    return call.show(call.writer().patch(calendar, call.places["eventId"], call.body), calendar)


def _delete_event(call: Call) -> None:
    calendar = call.write()
    call.check_match(calendar)
    call.writer().delete(calendar, call.places["eventId"])


_METHODS: dict[str, Callable[[Call], dict[str, Any] | None]] = {
    "calendar.calendarList.list": _list_calendars,
    "calendar.calendarList.get": _get_list_entry,
    "calendar.calendars.get": _get_calendar,
    "calendar.colors.get": _get_colors,
    "calendar.events.list": _list_events,
    "calendar.events.instances": _list_instances,
    "calendar.events.get": _get_event,
    "calendar.events.insert": _insert_event,
    "calendar.events.import": _import_event,
    "calendar.events.update": _update_event,
    "calendar.events.patch": _patch_event,
    "calendar.events.delete": _delete_event,
}


def _route(verb: str, path: str) -> tuple[str, dict[str, str]] | None:
    """The method of a request, and what its path names."""
    if not path.startswith(BASE):
        return None
    for pattern, verb_wanted, name in _routes():
        match = pattern.fullmatch(path[len(BASE) :])
        if match is not None and verb == verb_wanted:
            return name, {key: unquote(value) for key, value in match.groupdict().items()}
    return None


@cache
def _routes() -> list[tuple[re.Pattern[str], str, str]]:
    routes = [
        (re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", method["path"])), method["httpMethod"], name)
        for name, method in schema.methods().items()
    ]
    # A path without a place in it is meant before one with: events/import is no event.
    return sorted(routes, key=lambda route: route[0].pattern.count("?P<"))
