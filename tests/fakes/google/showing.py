"""An event as the interface shows it to one user: read-only fields, offsets, and what a weaker role may not see."""

from __future__ import annotations

import base64
from copy import deepcopy
from typing import TYPE_CHECKING, Any

from tests.fakes.google.state import Role
from tests.fakes.google.times import stamp_with_millis

if TYPE_CHECKING:
    from tests.fakes.google.state import Calendar, Event

# A value that equals the default of the document is not shown.
_DEFAULTS: dict[str, Any] = {
    "transparency": "opaque",
    "visibility": "default",
    "guestsCanInviteOthers": True,
    "guestsCanModify": False,
    "guestsCanSeeOtherGuests": True,
    "anyoneCanAddSelf": False,
    "privateCopy": False,
    "attendeesOmitted": False,
    "endTimeUnspecified": False,
}
_CLOSED = frozenset({"private", "confidential"})


def show(
    event: Event, calendar: Calendar, viewer: str, *, zone: str = "", max_attendees: int | None = None
) -> dict[str, Any]:
    """The Event resource.

    Args:
        event: As it is kept.
        calendar: Where it stands.
        viewer: Mail address of the user who asks.
        zone: Of the offsets; empty: the calendar's.
        max_attendees: With more, only the user's own entry is shown.
    """
    zone = zone or calendar.zone
    role = calendar.acl[viewer]
    shown = _identity(event)
    shown["htmlLink"] = f"https://www.google.com/calendar/event?eid={_eid(event.id, calendar.id)}"
    shown["created"] = stamp_with_millis(event.created)
    shown["updated"] = stamp_with_millis(event.updated)
    times = _times(event, zone)
    if role == Role.freeBusyReader or (
        event.fields.get("visibility") in _CLOSED and role in {Role.reader, Role.writerWithoutPrivateAccess}
    ):
        return shown | times | {"visibility": "private", "iCalUID": event.uid, "eventType": event.kind}
    shown |= {
        name: deepcopy(value)
        for name, value in event.fields.items()
        if value not in (None, "", [], {}) and _DEFAULTS.get(name) != value
    }
    if event.creator != viewer:
        shown.pop("source", None)
    shown["creator"] = _somebody({"email": event.creator}, calendar)
    shown["organizer"] = _somebody(event.organizer, calendar)
    shown |= times
    shown["iCalUID"] = event.uid
    shown["sequence"] = event.sequence
    shown["reminders"] = deepcopy(event.reminders.get(viewer, {"useDefault": True}))
    shown["eventType"] = event.kind
    _show_attendees(shown, event, calendar, max_attendees)
    _show_conference(shown)
    return shown


def tombstone(event: Event, zone: str) -> dict[str, Any]:
    """A cancelled event with the guaranteed fields alone (Event.status in the document)."""
    shown = _identity(event)
    if event.original is not None:
        shown["recurringEventId"] = event.series
        shown["originalStartTime"] = event.original.show(zone)
    return shown


def _identity(event: Event) -> dict[str, Any]:
    return {"kind": "calendar#event", "etag": event.etag, "id": event.id, "status": event.status}


def _times(event: Event, zone: str) -> dict[str, Any]:
    times: dict[str, Any] = {"start": event.start.show(zone), "end": event.end.show(zone)}
    if event.recurrence:
        times["recurrence"] = list(event.lines or event.recurrence)
    if event.original is not None:
        times["recurringEventId"] = event.series
        times["originalStartTime"] = event.original.show(zone)
    return times


def _somebody(who: dict[str, Any], calendar: Calendar) -> dict[str, Any]:
    shown = {name: value for name, value in who.items() if name in {"email", "displayName"}}
    if who.get("email") == calendar.id:
        shown["self"] = True
    return shown


def _show_attendees(shown: dict[str, Any], event: Event, calendar: Calendar, most: int | None) -> None:
    attendees = shown.get("attendees")
    if not attendees:
        return
    for each in attendees:
        if each["email"] == calendar.id:
            each["self"] = True
        if each["email"] == event.organizer.get("email"):
            each["organizer"] = True
    is_guest = event.organizer.get("email") != calendar.id
    is_veiled = is_guest and not event.fields.get("guestsCanSeeOtherGuests", True)
    if is_veiled or (most is not None and len(attendees) > most):
        shown["attendees"] = [each for each in attendees if each.get("self")]
        shown["attendeesOmitted"] = True


def _show_conference(shown: dict[str, Any]) -> None:
    for point in shown.get("conferenceData", {}).get("entryPoints", ()):
        if point.get("entryPointType") == "video" and "meet.google.com" in point.get("uri", ""):
            shown["hangoutLink"] = point["uri"]


def _eid(event_id: str, calendar_id: str) -> str:
    return base64.urlsafe_b64encode(f"{event_id} {calendar_id}".encode()).decode().rstrip("=")
