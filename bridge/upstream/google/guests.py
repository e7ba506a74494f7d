"""Of a list of guests that Google shows in part only, no more is written than the own answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.errors import RemoteRefused

if TYPE_CHECKING:
    from bridge.upstream.google.mapping import Body, Event


def sparing_hidden_guests(body: Body, event: Event) -> Body:
    """The body of a change, which leaves the guests that an event does not show as they are.

    A list of guests is replaced as a whole, so the shown part of one would take the place of all; `attendeesOmitted`
    says that it is the participant's own answer alone
    (https://developers.google.com/workspace/calendar/api/v3/reference/events#attendeesOmitted).

    Args:
        body: The fields that change.
        event: As it stands.

    Raises:
        RemoteRefused: Guests are to come or go, and nobody here knows the whole list.
    """
    if "attendees" not in body or not event.get("attendeesOmitted"):
        return body
    if _addresses(body) != _addresses(event):
        raise RemoteRefused(
            "Google shows only some of this appointment's guests to this account, so its guests cannot be changed.",
            property_name="ATTENDEE",
            remedy="Invite or remove guests in Google Calendar, as the organizer; here leave the list as it is.",
        )
    return {**body, "attendeesOmitted": True}


def _addresses(fields: Body | Event) -> set[str]:
    return {str(guest.get("email", "")).lower() for guest in fields.get("attendees") or ()}
