"""What stands under remote ids now: each read by itself, or many out of one listing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.upstream.google.standing import Standing, gathered, series_of_lone
from bridge.upstream.protocol import Gone

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bridge.upstream.google.mapping import Event
    from bridge.upstream.google.place import Place
    from bridge.upstream.protocol import Found, Unknown

MANY = 20
"""Ids from which on it is cheaper to list the calendar, 2,500 events a request, than to ask for each."""


def fetch(place: Place, remote_ids: Sequence[str]) -> Iterator[Found | Gone | Unknown]:
    """The answers of `Upstream.fetch`.

    What a listing does not hold is asked for by itself: only then does Google say that it does not exist.
    """
    listed = place.everything() if len(remote_ids) > MANY else {}
    is_checked = bool(listed)
    for remote_id in remote_ids:
        standing = listed.get(remote_id) or read_one(place, remote_id)
        if standing is None and not is_checked:
            # Google says the same of an event that is gone and of one whose whole calendar is.
            place.check()
            is_checked = True
        yield Gone(remote_id) if standing is None else place.found(standing)


def read_one(place: Place, remote_id: str) -> Standing | None:
    """What stands under a remote id; None where nothing does."""
    series = series_of_lone(remote_id)
    if series:
        # Nothing but a listing tells which instances there are: not even their UID is known.
        return None if place.get(series) is not None else place.everything().get(remote_id)
    event = place.get(remote_id)
    if event is None or "recurringEventId" in event:
        return None
    return with_exceptions(place, event)


def with_exceptions(place: Place, event: Event) -> Standing | None:
    """An event with the exceptions of its series; None where it is gone meanwhile."""
    if not event.get("recurrence"):
        return Standing(event)
    series, uid = str(event["id"]), str(event.get("iCalUID", ""))
    # Who sees only when others are busy need not be told a UID.
    return of_series(place, series, uid) if uid else place.everything().get(series)


def of_series(place: Place, series: str, uid: str) -> Standing | None:
    """The series of an id, or the instances of it that stand here without it.

    All its events share an iCalUID; other events may have the same. Cancelled instances come along as they do in a
    listing of everything; those that fell away with a change of the rule do not.

    Args:
        place: The calendar.
        series: Id of the master.
        uid: The iCalUID of the series.
    """
    events = [
        event
        for page in place.pages(iCalUID=uid)
        for event in page.get("items", [])
        if series in (event["id"], event.get("recurringEventId"))
    ]
    return next(gathered(events), None)
