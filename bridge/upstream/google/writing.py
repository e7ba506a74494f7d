"""Appointments are created, changed and removed at Google; what Google answers is what stands there then.

What one request can do is done with one. A series that needs several carries the mark `UNFINISHED` from the first to
the last, so that one that was broken off is known for what it is and written again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.errors import RemoteChanged, RemoteRefused
from bridge.upstream.google.becoming import become, finish
from bridge.upstream.google.instances import Target
from bridge.upstream.google.mapping import marks
from bridge.upstream.google.ownership import as_ours
from bridge.upstream.google.reading import read_one, with_exceptions
from bridge.upstream.google.standing import Standing

if TYPE_CHECKING:
    from bridge.core.model import CalendarObject
    from bridge.upstream.google.place import Place
    from bridge.upstream.protocol import Stored

_MOST_IDS = 50
"""Ids that are tried for one creation; each removal of it uses one up."""


def create(place: Place, new: CalendarObject, request_id: str) -> Stored:
    """The answer of `Upstream.create`.

    The id is made from the request id, so the same request finds what it stored the first time. Google gives the id
    of a deleted event to no other, so after a removal the next id is taken.
    """
    target = Target.of(new, place.zone)
    several = any(body is not None for body in target.whole.overrides.values())
    for number in range(_MOST_IDS):
        event_id = f"{request_id}v{number}" if number else request_id
        made = place.insert({"id": event_id, **as_ours(target.whole.master, event_id, unfinished=several)})
        if made is not None:
            return place.stored(_completed(place, Standing(made), target) if several else Standing(made))
        there = place.get(event_id)
        standing = with_exceptions(place, there) if there is not None and marks.is_own(there) else None
        if standing is not None:
            return place.stored(become(place, standing, target) if standing.unfinished else standing)
    raise RemoteRefused(
        f"Google keeps the ids of deleted appointments, and all {_MOST_IDS} that are tried for one are used up.",
        remedy="Make the appointment anew, so that it gets another UID.",
    )


def replace(place: Place, remote_id: str, new: CalendarObject, *, if_match: str) -> Stored:
    """The answer of `Upstream.replace`: only the fields that differ are written, the rest stays as Google has it."""
    standing = _version(place, remote_id, if_match)
    target = Target.of(new, place.zone)
    return place.stored(become(place, standing, target))


def remove(place: Place, remote_id: str, *, if_match: str) -> None:
    """The answer of `Upstream.remove`."""
    standing = read_one(place, remote_id)
    if standing is None:
        return
    _check(standing, if_match)
    events = standing.exceptions if standing.master is None else (standing.master,)
    for event in events:
        try:
            place.delete(str(event["id"]), if_match=str(event["etag"]))
        except RemoteChanged:
            # A deletion is a version, too: one that was delivered twice, or that somebody else was quicker with.
            if place.get(str(event["id"])) is not None:
                raise


def _completed(place: Place, made: Standing, target: Target) -> Standing:
    """A series that was just created, with its overrides; nothing of one of which Google refuses a part stays."""
    try:
        return finish(place, made, target, known_to_us_alone=True)
    except RemoteRefused:
        place.delete(made.remote_id)
        raise


def _version(place: Place, remote_id: str, if_match: str) -> Standing:
    standing = read_one(place, remote_id)
    if standing is None:
        # Google says the same of an event that is gone and of one whose whole calendar is.
        place.check()
        raise _changed()
    _check(standing, if_match)
    return standing


def _check(standing: Standing, if_match: str) -> None:
    if standing.etag != if_match:
        raise _changed()
    if standing.special:
        raise RemoteRefused(
            f"Google makes this entry of itself ({standing.special}); only Google's own pages change it.",
            remedy="Change or delete it in Google Calendar.",
        )


def _changed() -> RemoteChanged:
    return RemoteChanged("The appointment at Google is not the version any more that was read.")
