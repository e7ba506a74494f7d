"""What an insertion, an update, a patch and a deletion do to an event."""

from __future__ import annotations

import re
from copy import deepcopy
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tests.fakes.google import recurring, series
from tests.fakes.google.refusal import Refused
from tests.fakes.google.state import Event
from tests.fakes.google.times import read_when

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.fakes.google.state import Calendar, World
    from tests.fakes.google.times import When

_ID = re.compile(r"[a-v0-9]{5,1024}")
_KINDS = frozenset({"default", "birthday", "focusTime", "outOfOffice", "workingLocation"})
_PLAIN = (
    "summary", "description", "location", "colorId", "transparency", "visibility", "source", "extendedProperties",
    "guestsCanInviteOthers", "guestsCanModify", "guestsCanSeeOtherGuests", "anyoneCanAddSelf", "privateCopy",
    "birthdayProperties", "focusTimeProperties", "outOfOfficeProperties", "workingLocationProperties", "eventLabelId",
)  # fmt: skip
_SHARED = {
    "anyoneCanAddSelf": False,
    "guestsCanInviteOthers": True,
    "guestsCanModify": False,
    "guestsCanSeeOtherGuests": True,
}
_SPECIAL = {
    "birthday": "birthdayProperties",
    "focusTime": "focusTimeProperties",
    "outOfOffice": "outOfOfficeProperties",
    "workingLocation": "workingLocationProperties",
}
_MOST_REMINDERS = 5
_LONGEST_REMINDER = 40_320
_LONGEST_KEY = 44
_LONGEST_VALUE = 1024


class Writer:
    """Writes as one user with the parameters of one request.

    Args:
        conference: conferenceDataVersion is 1.
        attachments: supportsAttachments is true.
    """

    def __init__(self, world: World, user: str, *, conference: bool = False, attachments: bool = False) -> None:
        self._world = world
        self._user = user
        self._conference = conference
        self._attachments = attachments

    def insert(self, calendar: Calendar, body: Mapping[str, Any]) -> Event:
        """A new event.

        Raises:
            Refused: The id or the iCalUID is taken, or the body is not one of an event.
        """
        wanted, uid = body.get("id"), body.get("iCalUID")
        if wanted is not None and uid is not None and uid != f"{wanted}@google.com":
            raise Refused("invalid", "Only one of id and iCalUID can be supplied.", "iCalUID")
        if wanted is not None and _ID.fullmatch(wanted) is None:
            raise Refused("invalid", "Invalid resource id value.", "id")
        if wanted is not None and wanted in calendar.events:
            raise Refused("duplicate")
        if uid is not None and wanted is None and self._taken(calendar, uid):
            raise Refused("duplicate")
        return self._new(calendar, wanted or self._world.new_id(), uid, body)

    def import_(self, calendar: Calendar, body: Mapping[str, Any]) -> Event:
        """A private copy of an event from elsewhere; the same iCalUID a second time is an update."""
        uid = body.get("iCalUID")
        if not uid:
            raise Refused("required", "Required", "iCalUID")
        plain = {name: value for name, value in body.items() if name not in {"id", *_SPECIAL.values()}}
        plain["eventType"] = "default"
        known = next((each for each in calendar.events.values() if each.uid == uid and not each.series), None)
        if known is not None:
            return self.update(calendar, known.id, {"status": "confirmed"} | plain)
        return self._new(calendar, self._world.new_id(), uid, plain, organizer=body.get("organizer"))

    def patch(self, calendar: Calendar, event_id: str, body: Mapping[str, Any]) -> Event:
        """Merges: nested objects by field, arrays as a whole, null takes away."""
        event = series.find(calendar, event_id)
        return self.update(calendar, event_id, merged(self._as_body(event), body), patching=True)

    def update(self, calendar: Calendar, event_id: str, body: Mapping[str, Any], *, patching: bool = False) -> Event:
        """Puts everything that may be written in place of what was there."""
        event = series.find(calendar, event_id)
        self._may_edit(event, calendar, body)
        if body.get("status") == "cancelled" and not event.cancelled:
            self.delete(calendar, event_id)
            return calendar.events[event_id]
        before = deepcopy(event)
        after = deepcopy(event)
        after.lost = False
        after.lines = ()
        after.status = "cancelled" if event.cancelled and patching and "status" not in body else "confirmed"
        after.status = body.get("status") or after.status
        self._fill(after, calendar, body)
        if "sequence" in body and body["sequence"] is not None:
            if body["sequence"] < event.sequence:
                raise Refused(
                    "invalid",
                    "Invalid sequence value. The specified sequence number is below the current sequence number of "
                    "the resource. Re-fetch the resource and use its sequence number on the following request.",
                    "sequence",
                )
            after.sequence = body["sequence"]
        if (after.start, after.end, after.recurrence) != (before.start, before.end, before.recurrence):
            after.sequence = max(after.sequence, before.sequence + 1)
        quietly = _but_reminders(after) == _but_reminders(before)
        touched = series.settle(self._world, calendar, before, after) if before.recurrence else []
        self._world.touch(calendar, after, *touched, quietly=quietly)
        return after

    def delete(self, calendar: Calendar, event_id: str) -> None:
        """Cancels an event; of a master, with all its exceptions.

        Raises:
            Refused: It is deleted already.
        """
        event = series.find(calendar, event_id)
        if event.cancelled:
            raise Refused("deleted")
        event = deepcopy(event)
        event.status = "cancelled"
        event.sequence += 1
        gone = [each for each in calendar.exceptions(event.id) if not each.lost]
        for each in gone:
            each.status, each.lost = "cancelled", True
        self._world.touch(calendar, *gone, event)

    def _taken(self, calendar: Calendar, uid: str) -> bool:
        return any(
            each.uid == uid and not (each.cancelled and self._world.quirks.inserts_over_dead_uid)
            for each in calendar.events.values()
        )

    def _new(
        self,
        calendar: Calendar,
        event_id: str,
        uid: str | None,
        body: Mapping[str, Any],
        *,
        organizer: Mapping[str, Any] | None = None,
    ) -> Event:
        for needed in ("start", "end"):
            if not isinstance(body.get(needed), dict):
                raise Refused("required", f"Missing {needed} time.", needed)
        kind = body.get("eventType") or "default"
        if kind not in _KINDS:
            raise Refused("eventTypeRestriction", "Events of this type cannot be created.")
        now = self._world.clock()
        nowhere = read_when(body["start"], "start", zone=calendar.zone, series=bool(body.get("recurrence")))
        event = Event(
            id=event_id,
            uid=uid or f"{event_id}@google.com",
            start=nowhere,
            end=nowhere,
            created=now,
            updated=now,
            creator=self._user,
            organizer=dict(organizer) if organizer else _organizer(calendar),
            kind=kind,
            sequence=body.get("sequence") or 0,
        )
        event.status = body.get("status") or "confirmed"
        if event.cancelled:
            raise Refused("invalid", "Invalid status.", "status")
        self._fill(event, calendar, body)
        self._world.touch(calendar, event)
        return event

    def _fill(self, event: Event, calendar: Calendar, body: Mapping[str, Any]) -> None:
        """Gives an event all that a whole body says."""
        if (body.get("eventType") or event.kind) != event.kind:
            raise Refused("eventTypeRestriction", "The event type cannot be changed.")
        if not body.get("start") or not body.get("end"):
            missing = "end" if body.get("start") else "start"
            raise Refused("required", f"Missing {missing} time.", missing)
        lines = body.get("recurrence") or ()
        if lines and event.series:
            raise Refused("invalid", "An instance of a series cannot recur.", "recurrence")
        event.start, event.end = _span(body, calendar.zone, series=bool(lines))
        event.recurrence = recurring.checked(lines, event.start)
        fields = {name: deepcopy(body[name]) for name in _PLAIN if body.get(name) is not None}
        fields = {name: value for name, value in fields.items() if value != ""}
        if body.get("attendees"):
            fields["attendees"] = _attendees(body["attendees"])
            if body.get("attendeesOmitted"):
                fields["attendees"] = _answered(event.fields.get("attendees", ()), fields["attendees"], calendar.id)
        for name, allowed in (("conferenceData", self._conference), ("attachments", self._attachments)):
            source = body if allowed else event.fields
            if source.get(name):
                fields[name] = deepcopy(source[name])
        wanted, known = (each.get("conferenceData", {}).get("createRequest", {}) for each in (fields, event.fields))
        if wanted and wanted.get("requestId") != known.get("requestId"):
            fields["conferenceData"] = _conference(self._world, fields["conferenceData"])
        elif wanted:
            fields["conferenceData"] = deepcopy(event.fields["conferenceData"])
        _check_extended(fields.get("extendedProperties", {}))
        event.fields = fields
        event.reminders[self._user] = _reminders(body.get("reminders"))

    def _may_edit(self, event: Event, calendar: Calendar, body: Mapping[str, Any]) -> None:
        if event.organizer.get("email") == calendar.id or not self._world.calendars.get(
            event.organizer.get("email", "")
        ):
            return
        if any(name in body and body[name] != event.fields.get(name) for name in _SHARED):
            raise Refused("forbiddenForNonOrganizer")

    def _as_body(self, event: Event) -> dict[str, Any]:
        body = deepcopy(event.fields)
        body |= {"start": event.start.show(event.start.zone or "UTC"), "end": event.end.show(event.end.zone or "UTC")}
        body |= {"status": event.status, "eventType": event.kind}
        body["reminders"] = deepcopy(event.reminders.get(self._user, {"useDefault": True}))
        if event.recurrence:
            body["recurrence"] = list(event.recurrence)
        return body


def merged(old: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    """What a PATCH makes of a resource."""
    result = dict(old)
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        elif isinstance(value, dict):
            known = result.get(name)
            result[name] = merged(known if isinstance(known, dict) else {}, value)
        else:
            result[name] = deepcopy(value)
    return result


def _span(body: Mapping[str, Any], zone: str, *, series: bool) -> tuple[When, When]:
    start = read_when(body["start"], "start", zone=zone, series=series)
    end = read_when(body["end"], "end", zone=zone, series=series)
    if bool(start.day) != bool(end.day):
        raise Refused("invalid", "Start and end times must either both be date or both be dateTime.", "start")
    if end.at < start.at or (end.day is not None and end.day == start.day):
        raise Refused("timeRangeEmpty", location="end")
    return start, end


def _organizer(calendar: Calendar) -> dict[str, Any]:
    return (
        {"email": calendar.id}
        if calendar.id == calendar.owner
        else {
            "email": calendar.id,
            "displayName": calendar.summary,
        }
    )


def _answered(known: Sequence[dict[str, Any]], given: Sequence[dict[str, Any]], own: str) -> list[dict[str, Any]]:
    """The guests as they are known, the participant's own entry as it is given."""
    answer = {each["email"]: each for each in given if each["email"] == own}
    return [answer.get(each["email"], each) for each in known]


def _attendees(given: list[dict[str, Any]]) -> list[dict[str, Any]]:
    kept: dict[str, dict[str, Any]] = {}
    for each in given:
        email = str(each.get("email") or "").lower()
        if "@" not in email:
            raise Refused("invalid", "Invalid attendee email.", "attendee")
        entry = {name: value for name, value in each.items() if name not in {"self", "organizer"} and value}
        kept[email] = {"responseStatus": "needsAction"} | entry | {"email": email}
    return list(kept.values())


def _reminders(given: Mapping[str, Any] | None) -> dict[str, Any]:
    if not given:
        return {"useDefault": True}
    overrides = given.get("overrides") or []
    if given.get("useDefault") and overrides:
        raise Refused("cannotUseDefaultRemindersAndSpecifyOverride")
    if len(overrides) > _MOST_REMINDERS:
        raise Refused("invalid", "The maximum number of override reminders is 5.", "reminders.overrides")
    for each in overrides:
        if "method" not in each or "minutes" not in each:
            raise Refused("required", "Required", "reminders.overrides")
        if not 0 <= each["minutes"] <= _LONGEST_REMINDER:
            raise Refused("invalid", "Invalid reminder minutes.", "reminders.overrides")
    kept: dict[str, Any] = {"useDefault": bool(given.get("useDefault"))}
    return kept | ({"overrides": deepcopy(overrides)} if overrides else {})


def _check_extended(given: Mapping[str, Any]) -> None:
    for properties in given.values():
        for name, value in (properties or {}).items():
            if len(name) > _LONGEST_KEY or len(value) > _LONGEST_VALUE:
                raise Refused("invalid", "An extended property is too long.", "extendedProperties")


def _conference(world: World, given: dict[str, Any]) -> dict[str, Any]:
    code = "-".join(world.new_id(length).translate(str.maketrans("0123456789", "ghijklmnop")) for length in (3, 4, 3))
    request = {name: value for name, value in given["createRequest"].items() if name != "status"}
    return {
        "createRequest": request | {"status": {"statusCode": "success"}},
        "entryPoints": [
            {"entryPointType": "video", "uri": f"https://meet.google.com/{code}", "label": f"meet.google.com/{code}"}
        ],
        "conferenceSolution": {"key": {"type": "hangoutsMeet"}, "name": "Google Meet"},
        "conferenceId": code,
    }


def _but_reminders(event: Event) -> Event:
    return replace(event, reminders={})
