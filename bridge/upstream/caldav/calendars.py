"""The collections of a calendar home that a person may pick from; the rest of what lies there is left out."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote

from bridge.core.model import ComponentType
from bridge.upstream.caldav.address import absolute, collection_url, path_of
from bridge.upstream.caldav.bodies import APPLE, CALDAV, DAV, propfind
from bridge.upstream.protocol import RemoteCalendar

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bridge.upstream.caldav.multistatus import Multistatus, Response

LISTED = (
    f"{DAV}resourcetype", f"{DAV}displayname", f"{APPLE}calendar-color", f"{CALDAV}supported-calendar-component-set",
    f"{DAV}current-user-privilege-set", f"{CALDAV}schedule-default-calendar-URL",
)  # fmt: skip
"""What is asked of each collection of a home."""

LIST = propfind(*LISTED)
_NO_CALENDARS = frozenset({"deleted-calendar", "subscribed", "trash-bin"})
"""Local names in the type of a calendar by which servers mark what is none of its owner's.

Not among them is the outbox: with SOGo, a user's main calendar is that, too.
"""

_WRITE = frozenset({f"{DAV}all", f"{DAV}write", f"{DAV}write-content", f"{DAV}bind"})
_COLOR = re.compile(r"#([0-9a-fA-F]{6})(?:[0-9a-fA-F]{2})?")


def calendars_in(listing: Multistatus, base: str) -> Iterator[RemoteCalendar]:
    """The calendars that an answer speaks of, in its order.

    Args:
        listing: The answer about a home and its members, or about one calendar.
        base: The address that gave it.
    """
    primary = {
        _collection(base, href)
        for response in listing.responses
        for href in response.hrefs(f"{CALDAV}schedule-default-calendar-URL")
    }
    for response in listing.responses:
        calendar = _calendar(response, base, primary)
        if calendar is not None:
            yield calendar


def is_calendar(response: Response) -> bool:
    """Whether a resource is a calendar of its owner's, and no inbox, trash bin or subscription."""
    types = response.names(f"{DAV}resourcetype")
    return f"{CALDAV}calendar" in types and not {name.rpartition("}")[2] for name in types} & _NO_CALENDARS


def _calendar(response: Response, base: str, primary: set[str]) -> RemoteCalendar | None:
    components = _components(response)
    url = _collection(base, response.href)
    if not is_calendar(response) or not components or not url:
        return None
    privileges = response.names(f"{DAV}current-user-privilege-set")
    color = _COLOR.fullmatch(response.text(f"{APPLE}calendar-color") or "")
    return RemoteCalendar(
        id=url,
        name=response.text(f"{DAV}displayname") or unquote(path_of(url).rstrip("/").rpartition("/")[2]),
        writable=not privileges or bool(privileges & _WRITE),
        components=components,
        color=f"#{color[1].lower()}" if color else "",
        primary=url in primary,
    )


def _components(response: Response) -> frozenset[ComponentType]:
    element = response.properties.get(f"{CALDAV}supported-calendar-component-set")
    names = set() if element is None else {each.get("name", "").upper() for each in element}
    # A server that does not say takes them all (RFC 4791 section 5.2.3).
    return frozenset(each for each in ComponentType if not names or each.value in names)


def _collection(base: str, href: str) -> str:
    try:
        return collection_url(absolute(base, href))
    except ValueError:
        return ""
