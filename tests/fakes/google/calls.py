"""What each method of the interface does, once its request has passed the checks that all have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.fakes.google import colors, series
from tests.fakes.google.listing import Lister
from tests.fakes.google.refusal import Refused
from tests.fakes.google.showing import show
from tests.fakes.google.state import Role
from tests.fakes.google.writing import Writer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tests.fakes.google.exchange import Caller, Recorded
    from tests.fakes.google.listing import Pages
    from tests.fakes.google.state import Calendar, Event, World


@dataclass(slots=True)
class Call:
    """A request that has passed all checks that do not depend on the method.

    Attributes:
        status: Of an answer without a body, where it is not 204.
    """

    world: World
    pages: Pages
    caller: Caller
    places: Mapping[str, str]
    query: Mapping[str, Sequence[str]]
    body: dict[str, Any]
    headers: Mapping[str, str]
    recorded: Recorded
    status: int = 0
    etag: str = ""

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

    def lister(self) -> Lister:
        """Lists the calendar of the path for this caller."""
        return Lister(self.pages, self.read(), self.user, self.query)

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
    size = min(int(call.one("maxResults", "100")), 250, call.pages.most)
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
    return call.lister().events()


def _list_instances(call: Call) -> dict[str, Any]:
    return call.lister().instances(call.places["eventId"])


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


METHODS: dict[str, Callable[[Call], dict[str, Any] | None]] = {
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
