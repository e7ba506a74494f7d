"""What has changed in a calendar: by sync token, or everything there is.

A cursor is a sync token with the version of the fixed parameters before it: Google demands the same parameters each
time, so a cursor from before a change of them is not used.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from bridge.errors import CursorExpired, ListingDoubtful
from bridge.upstream.google.reading import MANY, of_series, read_one
from bridge.upstream.google.standing import Standing, gathered, is_cancelled, lone_id
from bridge.upstream.protocol import Changed, Gone, Page

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from bridge.upstream.google.mapping import Event
    from bridge.upstream.google.place import Place

_VERSION = "events1:"
_PART = 200


def changes(place: Place, cursor: str | None) -> Iterator[Page]:
    """The pages of `Upstream.changes`."""
    if cursor is None:
        return _everything(place)
    token = cursor.removeprefix(_VERSION)
    if token == cursor or not token:
        raise CursorExpired("What was read of the calendar the last time was noted in another form.")
    return _delta(place, token)


def _everything(place: Place) -> Iterator[Page]:
    """Single events page by page; the events of series are gathered until the end, since they come in any order."""
    waiting: list[Event] = []
    known: set[str] = set()
    token = ""
    for page in place.pages():
        events = page.get("items", [])
        singles = [event for event in events if not _is_of_series(event)]
        waiting += (event for event in events if _is_of_series(event))
        known.update(event["id"] for event in singles)
        token = str(page.get("nextSyncToken", ""))
        yield from _in_parts(place.changed(standing) for standing in gathered(singles))
    series = [event for event in waiting if event.get("recurringEventId") not in known]
    yield from _in_parts(place.changed(standing) for standing in gathered(series))
    yield Page((), cursor=_cursor(token))


def _delta(place: Place, token: str) -> Iterator[Page]:
    """What has changed since a token; all of it is read first, so that an old token says so in time."""
    events: dict[str, Event] = {}
    further = ""
    for page in place.pages(syncToken=token):
        for event in page.get("items", []):
            # The last time counts, and its place with it.
            events.pop(event["id"], None)
            events[event["id"]] = event
        further = str(page.get("nextSyncToken", ""))
    cursor = _cursor(further)
    single = [event for event in events.values() if not _is_of_series(event)]
    yield from _in_parts(
        Gone(event["id"]) if is_cancelled(event) else place.changed(Standing(event)) for event in single
    )
    touched: dict[str, list[Event]] = {}
    for event in events.values():
        if _is_of_series(event):
            touched.setdefault(str(event.get("recurringEventId", event["id"])), []).append(event)
    for name in [name for name in touched if is_cancelled(events.get(name, {})) and _all_cancelled(touched[name])]:
        # The series was told already: gone, with all its instances.
        del touched[name]
    yield from _in_parts(_series(place, touched))
    yield Page((), cursor=cursor)


def _in_parts(items: Iterator[Changed | Gone]) -> Iterator[Page]:
    """Pages of a size that shows progress: to read one takes longer than to receive it."""
    while part := tuple(islice(items, _PART)):
        yield Page(part)


def _series(place: Place, touched: Mapping[str, Sequence[Event]]) -> Iterator[Changed | Gone]:
    """What the series of which an event has changed are now."""
    listed = place.everything() if len(touched) > MANY else {}
    for name, events in touched.items():
        standing = listed.get(name) or listed.get(lone_id(name)) or _read_series(place, name, events)
        if standing is not None:
            yield place.changed(standing)
        elif any("recurringEventId" in event for event in events):
            yield Gone(lone_id(name))
        else:
            yield Gone(name)


def _read_series(place: Place, name: str, events: Sequence[Event]) -> Standing | None:
    # Of a cancelled instance Google need not tell the UID.
    uid = next((str(event["iCalUID"]) for event in events if event.get("iCalUID")), "")
    if uid:
        return of_series(place, name, uid)
    return read_one(place, name) or read_one(place, lone_id(name))


def _is_of_series(event: Event) -> bool:
    return "recurringEventId" in event or bool(event.get("recurrence") and not is_cancelled(event))


def _all_cancelled(events: Sequence[Event]) -> bool:
    return all(is_cancelled(event) for event in events)


def _cursor(token: str) -> str:
    if not token:
        raise ListingDoubtful(
            "Google's list of a calendar ends without the mark from which it goes on the next time.",
            remedy="Nothing was concluded from it; it is asked again later.",
        )
    return f"{_VERSION}{token}"
