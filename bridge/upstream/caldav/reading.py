"""The texts of objects: many at once where the server tells them, one by one where it keeps silent."""

from __future__ import annotations

from http import HTTPStatus
from itertools import islice
from typing import TYPE_CHECKING

from bridge.errors import ListingDoubtful, UpstreamUnavailable
from bridge.upstream.caldav import etags
from bridge.upstream.caldav.bodies import CALDAV, DAV, multiget, propfind, query_all
from bridge.upstream.caldav.refusals import Deed, refusal
from bridge.upstream.protocol import Found, Gone, Unknown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bridge.upstream.caldav.multistatus import Response
    from bridge.upstream.caldav.place import Place

BATCH = 50
"""Objects that are asked for at once."""

_GONE = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.GONE})
_STOP = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})
_NO_MULTIGET = frozenset({400, 403, 404, 405, 409, 410, 415, 422, 501})
_UNCOMPRESSED = {"Accept-Encoding": "identity"}
"""A proxy that compresses on the way makes the etag a weak one."""


def fetch(place: Place, remote_ids: Sequence[str]) -> Iterator[Found | Gone | Unknown]:
    """The answers of `Upstream.fetch`.

    An id from where the calendar was before it moved names nothing in it.
    """
    members = {each: bool(each) and place.remote_id(each) == each for each in remote_ids}
    strange = [remote_id for remote_id, is_member in members.items() if not is_member]
    if strange:
        place.state()
        yield from map(Gone, strange)
    waiting = iter([remote_id for remote_id, is_member in members.items() if is_member])
    while batch := list(islice(waiting, BATCH)):
        told = told_together(place, batch) if len(batch) > 1 else {}
        # What a server leaves out of an answer about many, or misses there, may be there all the same.
        answers = [
            each if isinstance(each := told.get(remote_id), Found) else read_one(place, remote_id)
            for remote_id in batch
        ]
        if any(isinstance(each, Gone) for each in answers):
            # Where the whole calendar is gone, this raises, and nobody takes its objects for deleted one by one.
            place.state()
        yield from answers


def everything(place: Place) -> Iterator[Found]:
    """The answers of `TellsAll.everything`: nothing where the server does not tell all in one answer.

    Some servers look for each object of a multiget anew, while a query reads the calendar once: Xandikos takes five
    times as long for the one as for the other.
    """
    try:
        answer = place.wire.report(place.url, query_all(), depth=1)
        responses = place.multistatus(answer).responses if answer.ok else ()
    except (ListingDoubtful, UpstreamUnavailable):
        # Too much for one answer: it was cut, or is too large, or the server fell silent over it.
        return
    for each in responses:
        told = _told(place, each)
        if isinstance(told, Found):
            yield told


def read_one(place: Place, remote_id: str) -> Found | Gone | Unknown:
    """One object by GET: `Gone` only where the server says 404 or 410."""
    url = place.member_url(remote_id)
    answer = place.wire.ask("GET", url, headers=_UNCOMPRESSED)
    if answer.status in _GONE:
        return Gone(remote_id)
    if answer.status in _STOP:
        raise refusal(answer, Deed.READ, place.wire.user)
    if answer.status != HTTPStatus.OK:
        return Unknown(remote_id, f"The server answered {answer.status} when asked for it.")
    if not is_whole(answer.body):
        return Unknown(remote_id, "The server answered with something that is no whole calendar.")
    etag = etags.kept(answer.headers.get("etag"))
    if etag:
        return Found(remote_id=remote_id, etag=etag, object=place.read_object(answer.body))
    return _without_header(place, remote_id)


def is_whole(raw: bytes) -> bool:
    """Whether the bytes begin and end as a calendar does: a login page or a cut answer does not."""
    text = raw.removeprefix(b"\xef\xbb\xbf").strip().upper()
    return text.startswith(b"BEGIN:VCALENDAR") and text.endswith(b"END:VCALENDAR")


def _without_header(place: Place, remote_id: str) -> Found | Gone | Unknown:
    """The object of a server that tells etags as properties only."""
    url = place.member_url(remote_id)
    told = place.multistatus(place.wire.propfind(url, propfind(f"{DAV}getetag"), depth=0))
    etag = next((etags.kept(each.text(f"{DAV}getetag")) for each in told.responses), "")
    if not etag:
        return Unknown(remote_id, "The server does not say which version it is.")
    # Read again after the etag: a text that is newer than its etag is fetched once more, an older one would be lost.
    answer = place.wire.ask("GET", url, headers=_UNCOMPRESSED)
    if answer.status != HTTPStatus.OK or not is_whole(answer.body):
        return Unknown(remote_id, f"The server answered {answer.status} when asked for it again.")
    return Found(remote_id=remote_id, etag=etag, object=place.read_object(answer.body))


def told_together(place: Place, batch: Sequence[str]) -> dict[str, Found | Gone]:
    """What the server tells in one answer of those of `batch` that it speaks of."""
    for remote_id in batch:
        place.member_url(remote_id)
    answer = place.wire.report(place.url, multiget(batch), depth=1)
    if answer.status in _NO_MULTIGET:
        return {}
    try:
        responses = place.multistatus(answer).responses
    except ListingDoubtful:
        # One text with a character that XML cannot hold spoils the answer for all; each by itself is bytes.
        return {}
    told = (_told(place, each) for each in responses)
    return {each.remote_id: each for each in told if each is not None}


def _told(place: Place, response: Response) -> Found | Gone | None:
    remote_id = place.remote_id(response.href)
    if remote_id and response.status in _GONE:
        return Gone(remote_id)
    etag = etags.kept(response.text(f"{DAV}getetag"))
    raw = as_lines(response.text(f"{CALDAV}calendar-data") or "")
    if not etag or not remote_id or not is_whole(raw):
        return None
    return Found(remote_id=remote_id, etag=etag, object=place.read_object(raw))


def as_lines(text: str) -> bytes:
    """The bytes of a text that came in XML, which knows line feeds only (XML 1.0 section 2.11), with its line ends."""
    return f"{text.strip()}\n".replace("\r\n", "\n").replace("\n", "\r\n").encode()
