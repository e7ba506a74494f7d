"""Many objects are created together: looked for in one request, stored one by one, and read back in one request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.errors import RemoteRefused, UidTaken, UpstreamError
from bridge.upstream.caldav.reading import fetch, told_together
from bridge.upstream.caldav.writing import as_stored, look, remote_id_of, store_new
from bridge.upstream.protocol import Found, Gone, Stored, Unknown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from bridge.core.model import CalendarObject
    from bridge.upstream.answers import Answer
    from bridge.upstream.caldav.place import Place

    Wanted = tuple[str, CalendarObject]

_OF_ONE_OBJECT = (RemoteRefused, UidTaken)


def create_many(place: Place, wanted: Sequence[tuple[CalendarObject, str]]) -> list[Stored | UpstreamError]:
    """The answer of `CreatesMany.create_many`."""
    named = [(remote_id_of(place, request_id), new) for new, request_id in wanted]
    try:
        already = told_together(place, [remote_id for remote_id, _ in named])
    except UpstreamError as error:
        return [error] * len(named)
    taken = list(_stored_one_by_one(place, named, already))
    return list(_as_read_back(place, named, taken))


def _stored_one_by_one(
    place: Place, named: Sequence[Wanted], already: Mapping[str, Found | Gone]
) -> Iterator[Answer | Stored | UpstreamError]:
    """What became of each; an error that is not about one object alone stands for all that come after it."""
    stopped: UpstreamError | None = None
    for remote_id, new in named:
        if stopped is not None:
            yield stopped
            continue
        try:
            yield store_new(place, remote_id, new, already.get(remote_id) or look(place, remote_id))
        except _OF_ONE_OBJECT as error:
            yield error
        except UpstreamError as error:
            stopped = error
            yield error


def _as_read_back(
    place: Place, named: Sequence[Wanted], taken: Sequence[Answer | Stored | UpstreamError]
) -> Iterator[Stored | UpstreamError]:
    there = _read_back(place, [
        remote_id
        for (remote_id, _), each in zip(named, taken, strict=True)
        if not isinstance(each, Stored | UpstreamError)
    ])  # fmt: skip
    for (remote_id, new), each in zip(named, taken, strict=True):
        if isinstance(each, Stored | UpstreamError):
            yield each
            continue
        if isinstance(there, UpstreamError):
            yield there
            continue
        try:
            yield as_stored(place, remote_id, new, each, there[remote_id])
        except UpstreamError as error:
            yield error


def _read_back(place: Place, remote_ids: Sequence[str]) -> dict[str, Found | Gone | Unknown] | UpstreamError:
    try:
        return {each.remote_id: each for each in fetch(place, remote_ids)}
    except UpstreamError as error:
        # They are there, but nobody knows as what: the same request ids find them the next time.
        return error
