"""The palettes that `colors.get` answers, and the calendar list beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.fakes.google.state import Role

if TYPE_CHECKING:
    from tests.fakes.google.state import Calendar, Person

_EVENT = (
    "#a4bdfc", "#7ae7bf", "#dbadff", "#ff887c", "#fbd75b", "#ffb878", "#46d6db", "#e1e1e1", "#5484ed", "#51b749",
    "#dc2127",
)  # fmt: skip
_CALENDAR = (
    "#ac725e", "#d06b64", "#f83a22", "#fa573c", "#ff7537", "#ffad46", "#42d692", "#16a765", "#7bd148", "#b3dc6c",
    "#fbe983", "#fad165", "#92e1c0", "#9fe1e7", "#9fc6e7", "#4986e7", "#9a9cff", "#b99aff", "#c2c2c2", "#cabdbf",
    "#cca6ac", "#f691b2", "#cd74e6", "#a47ae2",
)  # fmt: skip


def palettes() -> dict[str, Any]:
    """The Colors resource."""
    return {
        "kind": "calendar#colors",
        "updated": "2012-02-14T00:00:00.000Z",
        "calendar": _palette(_CALENDAR),
        "event": _palette(_EVENT),
    }


def _palette(colors: tuple[str, ...]) -> dict[str, dict[str, str]]:
    return {str(n): {"background": color, "foreground": "#1d1d1d"} for n, color in enumerate(colors, 1)}


def calendar_resource(calendar: Calendar) -> dict[str, Any]:
    """The Calendar resource."""
    shown = {
        "kind": "calendar#calendar",
        "etag": calendar.etag,
        "id": calendar.id,
        "summary": calendar.summary,
        "timeZone": calendar.zone,
        "conferenceProperties": {"allowedConferenceSolutionTypes": ["hangoutsMeet"]},
    }
    return (
        shown
        | ({"description": calendar.description} if calendar.description else {})
        | ({"dataOwner": calendar.owner} if calendar.id != calendar.owner else {})
    )


def list_entry(calendar: Calendar, person: Person) -> dict[str, Any]:
    """The CalendarListEntry of a calendar for one user."""
    primary = calendar.id == person.email
    entry: dict[str, Any] = {
        "kind": "calendar#calendarListEntry",
        "etag": calendar.etag,
        "id": calendar.id,
        "summary": calendar.summary,
        "timeZone": calendar.zone,
        "colorId": calendar.color,
        "backgroundColor": _CALENDAR[int(calendar.color) - 1],
        "foregroundColor": "#000000",
        "selected": True,
        "accessRole": calendar.acl[person.email].name,
        "defaultReminders": calendar.default_reminders.get(person.email, []),
        "conferenceProperties": {"allowedConferenceSolutionTypes": ["hangoutsMeet"]},
    }
    if calendar.description:
        entry["description"] = calendar.description
    if primary:
        entry["primary"] = True
    elif calendar.acl[person.email] >= Role.reader:
        entry["dataOwner"] = calendar.owner
    return entry | person.listed.get(calendar.id, {})
