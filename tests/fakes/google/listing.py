"""What `events.list` and `events.instances` answer: filters, pages, and tokens for what changes later."""

from __future__ import annotations

import base64
import json
import random
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from tests.fakes.google import recurring, series
from tests.fakes.google.refusal import Refused
from tests.fakes.google.showing import show, tombstone
from tests.fakes.google.state import Role
from tests.fakes.google.times import read_instant, stamp_with_millis

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from tests.fakes.google.state import Calendar, Event

# Not together with a sync token (parameter syncToken of events.list).
_NOT_WITH_TOKEN = (
    "iCalUID", "orderBy", "privateExtendedProperty", "q", "sharedExtendedProperty", "timeMin", "timeMax", "updatedMin",
)  # fmt: skip
# With these a listing is no ground for a later one.
_NO_TOKEN_AFTER = ("iCalUID", "orderBy", "privateExtendedProperty", "q", "sharedExtendedProperty", "updatedMin")
_WINDOW = ("timeMin", "timeMax")
_OF_ONE_REQUEST = ("pageToken", "syncToken", "fields", "alt", "prettyPrint", "key", "quotaUser", "userIp")
_DEFAULT_PAGE = 250
_LARGEST_PAGE = 2500
_REACH = timedelta(days=730)


@dataclass(slots=True)
class Pages:
    """How answers are cut into pages; what a test may change.

    Attributes:
        most: At most so many on a page, whatever was asked.
        odd: A seed: pages are shorter than asked or empty, though more follow, and the order is another one.
        kept: What is still to come, by page token.
    """

    most: int = _LARGEST_PAGE
    odd: int | None = None
    kept: dict[str, _Rest] = field(default_factory=dict)

    def chance(self) -> random.Random | None:
        """Where oddity is wanted, what decides it for one listing."""
        if self.odd is None:
            return None
        self.odd += 1
        return random.Random(self.odd)

    def keep(self, rest: _Rest) -> str:
        """The page token of what is left."""
        token = f"page{len(self.kept) + 1}"
        self.kept[token] = rest
        return token


@dataclass(slots=True)
class _Rest:
    items: list[Event]
    asked: dict[str, list[str]]
    number: int
    window: dict[str, list[str]]
    chance: random.Random | None


class Lister:
    """Lists a calendar for one user, with the parameters of one request.

    Args:
        pages: How answers are cut, and what is still to come of those that were begun.
        calendar: What is listed.
        user: Who asks.
        given: The query, checked against the document.
    """

    def __init__(self, pages: Pages, calendar: Calendar, user: str, given: Mapping[str, Sequence[str]]) -> None:
        self._pages = pages
        self._calendar = calendar
        self._user = user
        self._given = given
        self._one = {name: values[-1] for name, values in given.items()}
        self._asked = {name: list(values) for name, values in sorted(given.items()) if name not in _OF_ONE_REQUEST}

    def events(self) -> dict[str, Any]:
        """A page of `events.list`.

        Raises:
            Refused: The parameters contradict each other, or a token is not valid.
        """
        rest = self._begun()
        if rest is None:
            since, window = self._since()
            items = list(_chosen(self._calendar, {**window, **self._given}, since))
            chance = self._pages.chance()
            if chance is not None and "orderBy" not in self._one:
                chance.shuffle(items)
            rest = _Rest(items, self._asked, self._calendar.number, window, chance)
        page = self._page(rest)
        if "nextPageToken" not in page and not any(name in self._one for name in _NO_TOKEN_AFTER):
            page["nextSyncToken"] = self._token(rest)
        return page

    def instances(self, event_id: str) -> dict[str, Any]:
        """A page of `events.instances`.

        Raises:
            Refused: There is no such series.
        """
        rest = self._begun()
        if rest is None:
            master = series.find(self._calendar, event_id)
            if not master.recurrence:
                raise Refused("badRequest", "The event is no recurring event.")
            window = _Window.of(self._one)
            deleted = self._one.get("showDeleted") == "true"
            items = [
                each
                for each in series.instances(self._calendar, master, window.until)
                if window.holds(each) and (deleted or not each.cancelled)
            ]
            if "originalStart" in self._one:
                items = [each for each in items if _names(each, self._one["originalStart"])]
            rest = _Rest(items, self._asked, self._calendar.number, {}, self._pages.chance())
        return self._page(rest)

    def _begun(self) -> _Rest | None:
        """What is left of the listing that a page token names."""
        if "pageToken" not in self._one:
            return None
        rest = self._pages.kept.get(self._one["pageToken"])
        if rest is None or rest.asked != self._asked:
            raise Refused("badRequest", "Invalid page token value.", "pageToken")
        return rest

    def _since(self) -> tuple[int | None, dict[str, list[str]]]:
        """The change that the sync token names, and the window of the first listing."""
        if "syncToken" not in self._one:
            return None, {name: self._asked[name] for name in _WINDOW if name in self._asked}
        for name in _NOT_WITH_TOKEN:
            if name in self._one:
                raise Refused("badRequest", f"Sync token cannot be used with {name}.", name)
        if self._one.get("showDeleted") == "false":
            raise Refused("badRequest", "showDeleted cannot be false with a sync token.", "showDeleted")
        try:
            said = json.loads(base64.urlsafe_b64decode(self._one["syncToken"]))
        except ValueError as error:
            raise Refused("invalid", "Invalid sync token value.", "syncToken") from error
        if (said["calendar"], said["user"]) != (self._calendar.id, self._user):
            raise Refused("invalid", "Invalid sync token value.", "syncToken")
        if said["number"] < self._calendar.floor:
            raise Refused("fullSyncRequired", location="syncToken")
        if {name: values for name, values in said["asked"].items() if name not in _WINDOW} != self._asked:
            raise Refused("badRequest", "The parameters are not those of the listing that gave the token.", "syncToken")
        return int(said["number"]), said["window"]

    def _token(self, rest: _Rest) -> str:
        said = {"calendar": self._calendar.id, "user": self._user, "number": rest.number}
        text = json.dumps({**said, "asked": rest.asked, "window": rest.window})
        return base64.urlsafe_b64encode(text.encode()).decode()

    def _page(self, rest: _Rest) -> dict[str, Any]:
        """One page of what is left."""
        calendar, user, one = self._calendar, self._user, self._one
        size = min(int(one.get("maxResults", _DEFAULT_PAGE)), _LARGEST_PAGE, self._pages.most)
        if rest.chance is not None:
            size = rest.chance.randint(0, size)
        page: dict[str, Any] = {
            "kind": "calendar#events",
            "etag": calendar.etag,
            "summary": calendar.summary,
            "updated": stamp_with_millis(calendar.updated),
            "timeZone": one.get("timeZone", calendar.zone),
            "accessRole": calendar.acl[user].name,
            "defaultReminders": calendar.default_reminders.get(user, []),
        }
        if calendar.description:
            page["description"] = calendar.description
        if rest.items[size:]:
            page["nextPageToken"] = self._pages.keep(replace(rest, items=rest.items[size:]))
        most = int(one["maxAttendees"]) if "maxAttendees" in one else None
        zone = one.get("timeZone", calendar.zone)
        detailed = one.get("showDeleted") == "true" and calendar.acl[user] >= Role.writerWithoutPrivateAccess
        page["items"] = [
            tombstone(each, zone)
            if each.cancelled and (each.series or not detailed)
            else show(each, calendar, user, zone=zone, max_attendees=most)
            for each in (calendar.events.get(each.id, each) for each in rest.items[:size])
        ]
        return page


def _names(event: Event, wanted: str) -> bool:
    if event.original is None:
        return False
    if event.original.day is not None:
        return event.original.day.isoformat() == wanted
    return "T" in wanted and event.original.at == read_instant(wanted, "originalStart")


@dataclass(frozen=True, slots=True)
class _Window:
    since: datetime | None
    until: datetime | None

    @classmethod
    def of(cls, one: Mapping[str, str]) -> _Window:
        since = read_instant(one["timeMin"], "timeMin") if "timeMin" in one else None
        until = read_instant(one["timeMax"], "timeMax") if "timeMax" in one else None
        if since is not None and until is not None and until <= since:
            raise Refused("timeRangeEmpty", location="timeMax")
        return cls(since, until)

    def holds(self, event: Event) -> bool:
        if self.until is not None and event.start.at >= self.until:
            return False
        return self.since is None or event.end.at > self.since


def _chosen(calendar: Calendar, given: Mapping[str, Sequence[str]], since: int | None) -> Iterator[Event]:
    """What a listing holds, before it is cut into pages."""
    one = {name: values[-1] for name, values in given.items()}
    window = _Window.of(one)
    after = read_instant(one["updatedMin"], "updatedMin") if "updatedMin" in one else None
    single = one.get("singleEvents") == "true"
    deleted = one.get("showDeleted") == "true" or since is not None or after is not None
    if one.get("orderBy") == "startTime" and not single:
        raise Refused("badRequest", "The requested ordering is not available for the particular query.", "orderBy")
    every: Iterable[Event] = reversed(list(calendar.since(since))) if since is not None else calendar.events.values()
    found = list(_expanded(calendar, every, window, since=since)) if single else list(every)
    found = [
        each
        for each in found
        if _shown(each, deleted=deleted, single=single)
        and _matches(each, given, one)
        and (after is None or each.updated >= after)
        and (each.cancelled or _touches(each, window))
    ]
    if one.get("orderBy") == "startTime":
        found.sort(key=lambda each: each.start.at)
    elif one.get("orderBy") == "updated":
        found.sort(key=lambda each: each.updated)
    elif since is None:
        found.sort(key=lambda each: each.born)
    yield from found


def _shown(event: Event, *, deleted: bool, single: bool) -> bool:
    if not event.cancelled:
        return True
    if event.series and not event.lost and not single:
        return True
    return deleted and not (single and event.recurrence)


def _expanded(calendar: Calendar, every: Iterable[Event], window: _Window, *, since: int | None) -> Iterator[Event]:
    """Instances in place of masters."""
    shown = set()
    for event in list(every):
        if event.recurrence and not event.cancelled:
            for each in series.instances(calendar, event, window.until):
                if each.id not in shown:
                    shown.add(each.id)
                    yield each
        elif event.id not in shown and (since is not None or not event.series or _orphan(calendar, event)):
            shown.add(event.id)
            yield event


def _orphan(calendar: Calendar, event: Event) -> bool:
    master = calendar.events.get(event.series)
    return master is None or master.cancelled


def _touches(event: Event, window: _Window) -> bool:
    """Whether an event, or an instance of a series, lies in the window."""
    if window.since is None and window.until is None:
        return True
    if not event.recurrence:
        return window.holds(event)
    if window.since is not None and window.until is None:
        until = max(window.since, event.start.at) + _REACH
    else:
        until = window.until or event.start.at + _REACH
    length = event.end.at - event.start.at
    return any(
        window.since is None or each.at + length > window.since
        for each in recurring.starts(event.recurrence, event.start, until)
    )


def _matches(event: Event, given: Mapping[str, Sequence[str]], one: Mapping[str, str]) -> bool:
    if "iCalUID" in one and event.uid != one["iCalUID"]:
        return False
    if "eventTypes" in given and event.kind not in given["eventTypes"]:
        return False
    for name, kind in (("privateExtendedProperty", "private"), ("sharedExtendedProperty", "shared")):
        for wanted in given.get(name, ()):
            key, equals, value = wanted.partition("=")
            if not equals:
                raise Refused("badRequest", location=name)
            if event.fields.get("extendedProperties", {}).get(kind, {}).get(key) != value:
                return False
    if "q" in one:
        said = " ".join(str(event.fields.get(name, "")) for name in ("summary", "description", "location"))
        return one["q"].lower() in said.lower()
    return True
