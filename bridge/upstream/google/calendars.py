"""The calendars of a user's list, as Google shows them at the left of its page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bridge.core.model import ComponentType
from bridge.errors import ListingDoubtful
from bridge.upstream.google.refusals import Deed, Refused, error
from bridge.upstream.protocol import RemoteCalendar

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bridge.upstream.google.service import Service
    from bridge.upstream.google.wire import Wire

COMPONENTS = frozenset({ComponentType.VEVENT})
"""What a Google calendar holds; its tasks are another product, which knows no times of day."""

_PAGE = 250
_MOST_PAGES = 100
_WRITING = frozenset({"owner", "writer", "writerWithoutPrivateAccess"})


def calendars(wire: Wire, service: Service, *, who: str) -> Sequence[RemoteCalendar]:
    """All calendars of the list, in Google's order.

    Raises:
        LoginRefused: Google does not let this user in, or not to the list.
        ListingDoubtful: The list comes to no end, or is none.
    """
    found: list[RemoteCalendar] = []
    token = None
    for _ in range(_MOST_PAGES):
        answer = wire.ask(service.calendar_list.list(maxResults=_PAGE, pageToken=token))
        if isinstance(answer, Refused):
            raise error(answer, Deed.CALENDARS, who=who)
        entries = answer.get("items", [])
        if answer.get("kind") != "calendar#calendarList" or not isinstance(entries, list):
            break
        found += (_calendar(entry) for entry in entries if not entry.get("deleted"))
        token = answer.get("nextPageToken")
        if not token:
            return found
    raise ListingDoubtful("Google lists the calendars of a user in a form that is none of its own.")


def _calendar(entry: Mapping[str, Any]) -> RemoteCalendar:
    return RemoteCalendar(
        id=str(entry["id"]),
        name=str(entry.get("summaryOverride") or entry.get("summary") or entry["id"]),
        writable=entry.get("accessRole") in _WRITING,
        components=COMPONENTS,
        color=str(entry.get("backgroundColor", "")),
        primary=bool(entry.get("primary")),
    )
