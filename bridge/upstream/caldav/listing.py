"""What has changed in a calendar: by sync-collection where it can be trusted, else by ctag and etags.

A cursor says how it was made. `sync:TOKEN` asks for a delta (RFC 6578). `ctag:VALUE` and `etags:DIGEST` only tell
whether anything has changed; then everything is listed anew. `young:VALUE` is a ctag that counts seconds and was taken
within the second that it names: a later change of that second would not show, so it is never taken for unchanged.

A server that takes a made-up token for a real one, and answers with everything, would do the same with a token that it
has forgotten, and its deletions since would be lost. So each calendar is asked once with a made-up token; one that does
not object is read by ctag and etags, although it offers sync-collection (DAViCal, SOGo).

Some servers let whoever asks that wait (Radicale: a second). So a calendar that is listed for the first time is asked
when its first delta is wanted: `untried:OTHER TOKEN` is a token that is not used before, beside the cursor of another
make that counts without the proof. A refusal is one then only where it names the token as its reason
(`DAV:valid-sync-token`, RFC 6578 section 3.2), as Radicale, Xandikos, Cyrus and what is built on sabre/dav do: one for
want of rights or of patience is not. A calendar that refuses without that is asked along with its next listing, where a
refusal without any reason counts as well: if the same question is answered with a token that the server has just given,
it was the made-up one that was refused.
"""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from hashlib import sha256
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from bridge.errors import CursorExpired, ListingDoubtful
from bridge.upstream.caldav import etags
from bridge.upstream.caldav.address import host_of
from bridge.upstream.caldav.bodies import CALDAV, DAV, MEMBER, propfind, sync_collection
from bridge.upstream.caldav.multistatus import preconditions
from bridge.upstream.caldav.refusals import Deed, refusal
from bridge.upstream.protocol import Changed, Gone, Page

if TYPE_CHECKING:
    from collections.abc import Iterator, MutableMapping

    from bridge.upstream.answers import Answer
    from bridge.upstream.caldav.multistatus import Multistatus, Response
    from bridge.upstream.caldav.place import Place, State

MADE_UP_TOKEN = "http://calbridge.invalid/no-such-token"  # noqa: S105 -- no secret
_VALID_TOKEN = f"{DAV}valid-sync-token"
_GONE = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.GONE})
_CLIENT_ERRORS = range(400, 500)
_NOT_ABOUT_THE_TOKEN = frozenset({
    HTTPStatus.UNAUTHORIZED, HTTPStatus.NOT_FOUND, HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.LOCKED,
    HTTPStatus.TOO_MANY_REQUESTS,
})  # fmt: skip
_MAY_MEAN_THE_TOKEN = frozenset({
    HTTPStatus.BAD_REQUEST, HTTPStatus.FORBIDDEN, HTTPStatus.CONFLICT, HTTPStatus.GONE, HTTPStatus.PRECONDITION_FAILED,
})  # fmt: skip
_SUFFIX = ".ics"
_YOUNG_SECONDS = 2
MOST_ANSWERS = 1_000
"""Parts of a delta after which a server is thought to go on for ever."""


def changes(
    place: Place, cursor: str | None, *, deltas: MutableMapping[str, bool], known_before: bool = False
) -> Iterator[Page]:
    """The pages of `Upstream.changes`.

    Args:
        place: The calendar.
        cursor: As an earlier page carried it, or None for everything.
        deltas: Of calendars that were asked already, whether they tell deltas that can be trusted. Added to.
        known_before: Whether the calendar was listed before.
    """
    kind, _, value = (cursor or "").partition(":")
    if cursor is None:
        yield from _everything(place, deltas, known_before=known_before)
    elif kind == "sync":
        yield from _delta(place, value)
    elif kind == "untried" and " " in value:
        other, _, token = value.partition(" ")
        yield from _delta(place, token) if _is_proven(place, deltas) else changes(place, unquote(other), deltas=deltas)
    elif kind == "ctag":
        if place.state().ctag != value:
            raise _expired(place)
        yield Page(items=(), cursor=cursor)
    elif kind == "etags":
        if _fingerprint(_listed(place)) != value:
            raise _expired(place)
        yield Page(items=(), cursor=cursor)
    else:
        raise _expired(place)


def _everything(place: Place, deltas: MutableMapping[str, bool], *, known_before: bool) -> Iterator[Page]:
    # The state is read before the listing: what changes in between comes again with the next delta.
    state = place.state()
    if not state.reports_changes:
        deltas[place.url] = False
    can_wait = not known_before and place.url not in deltas
    token = ""
    if state.reports_changes and (can_wait or _is_honest(place, state, deltas)):
        token = state.sync_token or _first_token(place)
    items = _listed(place)
    if token and not can_wait:
        yield Page(items=items, cursor=f"sync:{token}")
        return
    other = f"{'young' if _is_young(state) else 'ctag'}:{state.ctag}" if state.ctag else f"etags:{_fingerprint(items)}"
    yield Page(items=items, cursor=f"untried:{quote(other)} {token}" if token else other)


def _listed(place: Place) -> tuple[Changed, ...]:
    """All members, from an answer that speaks of the calendar itself too."""
    answer = place.multistatus(place.wire.propfind(place.url, propfind(*MEMBER), depth=1))
    own = [each for each in answer.responses if place.is_self(each)]
    if not own or any(each.status is not None and each.status >= HTTPStatus.BAD_REQUEST for each in own):
        raise ListingDoubtful(
            f"{host_of(place.url)} lists {place.path} without the calendar itself, so the list may be cut.",
            remedy="Nothing was concluded from it; it is asked again later.",
        )
    items = (_item(place, each) for each in answer.responses)
    # A first listing may hold tombstones; what is gone is simply not there.
    return tuple(each for each in items if isinstance(each, Changed))


def _delta(place: Place, token: str) -> Iterator[Page]:
    """The changes since `token`; all answers are read before the first page, so that an old token says so in time."""
    pages: list[tuple[Changed | Gone, ...]] = []
    while len(pages) < MOST_ANSWERS:
        answer = _report(place, token)
        items = tuple(item for each in answer.responses if (item := _item(place, each)) is not None)
        pages.append(items)
        if not answer.sync_token:
            raise ListingDoubtful(f"{host_of(place.url)} told changes of {place.path} without a new sync token.")
        if not _is_truncated(answer):
            *others, last = pages
            yield from (Page(items=each) for each in others)
            yield Page(items=last, cursor=f"sync:{answer.sync_token}")
            return
        if answer.sync_token == token:
            break
        token = answer.sync_token
    raise ListingDoubtful(f"{host_of(place.url)} tells the changes of {place.path} in parts that never end.")


def _report(place: Place, token: str) -> Multistatus:
    answer = place.wire.report(place.url, sync_collection(token), depth=0)
    if _refuses_token(answer):
        raise _expired(place)
    return place.multistatus(answer)


def _refuses_token(answer: Answer) -> bool:
    """Whether an answer means that the token is not valid (any more): servers say 400, 403, 409, 410, 412 or 507."""
    if answer.status == HTTPStatus.INSUFFICIENT_STORAGE:
        return True
    if answer.status not in _CLIENT_ERRORS or answer.status in _NOT_ABOUT_THE_TOKEN:
        return False
    return f"{DAV}need-privileges" not in preconditions(answer.body)


def _is_proven(place: Place, deltas: MutableMapping[str, bool]) -> bool:
    """Whether a made-up token is refused for being none; what is refused for no named reason is asked again."""
    if place.url not in deltas:
        answer = _answer_to_made_up_token(place)
        if answer.status == HTTPStatus.MULTI_STATUS:
            deltas[place.url] = False
        elif _names_token(answer):
            deltas[place.url] = True
    return deltas.get(place.url, False)


def _is_honest(place: Place, state: State, deltas: MutableMapping[str, bool]) -> bool:
    """Whether a made-up token is refused; an answer that is neither yes nor no counts for this time only."""
    if place.url not in deltas:
        answer = _answer_to_made_up_token(place)
        if answer.status == HTTPStatus.MULTI_STATUS:
            deltas[place.url] = False
        elif _names_token(answer) or (_gives_no_reason(answer) and _takes_good_token(place, state)):
            deltas[place.url] = True
    return deltas.get(place.url, False)


def _names_token(answer: Answer) -> bool:
    return answer.status in _CLIENT_ERRORS and _VALID_TOKEN in preconditions(answer.body)


def _gives_no_reason(answer: Answer) -> bool:
    """Whether a refusal may be one of the token: not of the method, the rights or the size of the answer (507)."""
    named = any(name.startswith((DAV, CALDAV)) for name in preconditions(answer.body))
    return answer.status in _MAY_MEAN_THE_TOKEN and not named


def _takes_good_token(place: Place, state: State) -> bool:
    token = state.sync_token or _first_token(place)
    answer = place.wire.report(place.url, sync_collection(token), depth=0) if token else None
    return answer is not None and answer.status == HTTPStatus.MULTI_STATUS


def _answer_to_made_up_token(place: Place) -> Answer:
    answer = place.wire.report(place.url, sync_collection(MADE_UP_TOKEN), depth=0)
    if answer.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}:
        raise refusal(answer, Deed.READ, place.wire.user)
    return answer


def _first_token(place: Place) -> str:
    """The token of a server that has it in reports only; empty where it gives none there either."""
    try:
        *_, last = _delta(place, "")
    except CursorExpired:
        return ""
    return (last.cursor or "").removeprefix("sync:")


def _is_truncated(answer: Multistatus) -> bool:
    """Whether there is more to be asked for with the new token (RFC 6578 section 3.6)."""
    return any(each.status == HTTPStatus.INSUFFICIENT_STORAGE for each in answer.responses)


def _item(place: Place, response: Response) -> Changed | Gone | None:
    """What is said of one member; None where it is about no calendar object."""
    remote_id = place.remote_id(response.href)
    if not remote_id or place.is_self(response) or response.status == HTTPStatus.INSUFFICIENT_STORAGE:
        return None
    if response.status in _GONE:
        return Gone(remote_id)
    if f"{DAV}collection" in response.names(f"{DAV}resourcetype"):
        return None
    kind = (response.text(f"{DAV}getcontenttype") or "").lower()
    if not remote_id.lower().endswith(_SUFFIX) and not kind.startswith("text/calendar"):
        return None
    # A member of which the version could not be told exists all the same: to fetch it tells more.
    return Changed(remote_id=remote_id, etag=etags.kept(response.text(f"{DAV}getetag")))


def _is_young(state: State) -> bool:
    """Whether the ctag is a number of seconds, and the second that it names is not over (SOGo)."""
    try:
        now = parsedate_to_datetime(state.date)
    except ValueError:
        return False
    return state.ctag.isdecimal() and abs(now.timestamp() - int(state.ctag)) < _YOUNG_SECONDS


def _fingerprint(items: tuple[Changed, ...]) -> str:
    text = "\n".join(sorted(f"{item.remote_id} {item.etag}" for item in items))
    return sha256(text.encode()).hexdigest()


def _expired(place: Place) -> CursorExpired:
    return CursorExpired(
        f"{host_of(place.url)} cannot say any more what has changed in {place.path} since the last time."
    )
