"""Objects are stored under conditions, and read back: what stands there then is the answer, not what was sent."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from bridge.core.canonical import digest
from bridge.errors import (
    CalendarReadOnly,
    RemoteChanged,
    RemoteRefused,
    UidTaken,
    UpstreamError,
    UpstreamUnavailable,
)
from bridge.upstream.caldav import etags
from bridge.upstream.caldav.address import host_of, path_of
from bridge.upstream.caldav.bodies import CALDAV, DAV, query_uid
from bridge.upstream.caldav.conditions_ignored import ignores_conditions
from bridge.upstream.caldav.end_required import with_ends
from bridge.upstream.caldav.multistatus import preconditions
from bridge.upstream.caldav.reading import as_lines, read_one
from bridge.upstream.caldav.refusals import Deed, names_cause, refusal, refusal_as
from bridge.upstream.protocol import Found, Gone, Stored, Unknown, Unreadable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bridge.core.model import CalendarObject
    from bridge.upstream.answers import Answer
    from bridge.upstream.caldav.place import Place

_CALENDAR = {"Content-Type": "text/calendar; charset=utf-8"}
_GONE = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.GONE})
_OPEN = frozenset({HTTPStatus.FORBIDDEN, HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.CONFLICT, *_GONE})
"""Statuses that servers also give for a calendar that is gone (DAViCal: 405) or read-only."""

_UID_MAY_STAND_ELSEWHERE = frozenset({HTTPStatus.FORBIDDEN, HTTPStatus.CONFLICT, HTTPStatus.PRECONDITION_FAILED})


def create(place: Place, new: CalendarObject, request_id: str) -> Stored:
    """The answer of `Upstream.create`.

    The address is made from the request id, so the same request finds what it stored the first time. It is looked for
    before it is stored: some servers ignore If-None-Match, and would overwrite what a person changed meanwhile.
    """
    remote_id = remote_id_of(place, request_id)
    made = store_new(place, remote_id, new, look(place, remote_id))
    return made if isinstance(made, Stored) else as_stored(place, remote_id, new, made, read_one(place, remote_id))


def remote_id_of(place: Place, request_id: str) -> str:
    """The address at which a creation puts its object."""
    return f"{place.path}{request_id}.ics"


def store_new(place: Place, remote_id: str, new: CalendarObject, already: Found | Gone | Unknown) -> Answer | Stored:
    """Stores an object at an address of its own.

    Args:
        place: The calendar.
        remote_id: The address.
        new: The object.
        already: What stands there before.

    Returns:
        The answer of the server that took it, or what stands there already.

    Raises:
        UpstreamError: It was not taken.
    """
    if isinstance(already, Found):
        return _ours(place, already, new)
    answer = _put(place, remote_id, new, {"If-None-Match": "*"})
    if answer.ok:
        return answer
    if answer.status == HTTPStatus.PRECONDITION_FAILED:
        there = look(place, remote_id)
        if isinstance(there, Found):
            return _ours(place, there, new)
    if answer.status in _UID_MAY_STAND_ELSEWHERE:
        elsewhere = _elsewhere(place, new, answer)
        if elsewhere is not None:
            return elsewhere
    raise _write_error(place, answer)


def replace(place: Place, remote_id: str, new: CalendarObject, *, if_match: str) -> Stored:
    """The answer of `Upstream.replace`."""
    if ignores_conditions(place.url):
        _check_version(place, remote_id, if_match)
    answer = _put(place, remote_id, new, {"If-Match": etags.sent(if_match)})
    if answer.status == HTTPStatus.PRECONDITION_FAILED and _stands_under_weak(place, remote_id, if_match):
        answer = _put(place, remote_id, new, {})
    if answer.ok:
        return as_stored(place, remote_id, new, answer, read_one(place, remote_id))
    if answer.status in {*_GONE, HTTPStatus.PRECONDITION_FAILED, HTTPStatus.CONFLICT}:
        _check_version(place, remote_id, if_match)
    if answer.status in _UID_MAY_STAND_ELSEWHERE and f"{CALDAV}no-uid-conflict" in preconditions(answer.body):
        raise refusal(answer, Deed.WRITE, place.wire.user)
    raise _write_error(place, answer)


def remove(place: Place, remote_id: str, *, if_match: str) -> None:
    """The answer of `Upstream.remove`.

    The object is looked at first, whatever the server: one that ignores If-Match would remove what a person changed.
    """
    there = look(place, remote_id)
    if isinstance(there, Gone):
        return
    _check_same(place, there, if_match)
    url = place.member_url(remote_id)
    answer = place.wire.ask("DELETE", url, headers={"If-Match": etags.sent(if_match)})
    if answer.status == HTTPStatus.PRECONDITION_FAILED and _stands_under_weak(place, remote_id, if_match):
        answer = place.wire.ask("DELETE", url)
    if answer.status == HTTPStatus.MULTI_STATUS:
        told = place.multistatus(answer).responses
        if any(each.status is not None and each.status >= HTTPStatus.BAD_REQUEST for each in told):
            raise UpstreamUnavailable(f"{host_of(place.url)} could not remove {remote_id}.")
    elif not answer.ok and answer.status not in _GONE:
        if answer.status in {HTTPStatus.PRECONDITION_FAILED, HTTPStatus.CONFLICT}:
            there = look(place, remote_id)
            if isinstance(there, Gone):
                return
            _check_same(place, there, if_match)
        raise _write_error(place, answer)


def _put(place: Place, remote_id: str, new: CalendarObject, condition: Mapping[str, str]) -> Answer:
    """Stores an object; once more with ends where it is refused without them."""
    url = place.member_url(remote_id)
    headers = {**_CALENDAR, **condition}
    answer = place.wire.ask("PUT", url, new.raw, headers)
    if not answer.ok and isinstance(refusal(answer, Deed.WRITE, place.wire.user), RemoteRefused):
        ended = with_ends(new)
        if ended != new.raw:
            second = place.wire.ask("PUT", url, ended, headers)
            return second if second.ok else answer
    return answer


def look(place: Place, remote_id: str) -> Found | Gone:
    """What stands under a remote id, before something is written there.

    Raises:
        UpstreamUnavailable: The server does not say.
    """
    there = read_one(place, remote_id)
    if isinstance(there, Unknown):
        raise UpstreamUnavailable(f"{host_of(place.url)} does not say whether {remote_id} exists. {there.reason}")
    return there


def _check_version(place: Place, remote_id: str, etag: str) -> None:
    """Passes where the version `etag` stands there.

    Raises:
        RemoteChanged: Another one does, or nothing.
        CalendarGone: The whole calendar is gone.
    """
    there = look(place, remote_id)
    if isinstance(there, Gone):
        place.state()
        raise _changed(place, remote_id)
    _check_same(place, there, etag)


def _check_same(place: Place, there: Found, etag: str) -> None:
    if not etags.same(there.etag, etag):
        raise _changed(place, there.remote_id)


def _stands_under_weak(place: Place, remote_id: str, if_match: str) -> bool:
    """Whether the version of a weak etag, which If-Match never matches on a strict server, stands there."""
    if not etags.weak(if_match):
        return False
    there = look(place, remote_id)
    return isinstance(there, Found) and etags.same(there.etag, if_match)


def as_stored(
    place: Place, remote_id: str, sent: CalendarObject, answer: Answer, there: Found | Gone | Unknown
) -> Stored:
    """What stands there after a PUT.

    An etag in the answer is no proof that the server kept the bytes: Radicale and Xandikos send one although they
    reorder. It only tells which version is ours: where another stands there already, the next listing shows it as
    changed, and it is compared with what was sent.

    Args:
        place: The calendar.
        remote_id: The address.
        sent: What was sent there.
        answer: With which the server took it.
        there: What was read there since.

    Raises:
        UpstreamUnavailable: The server does not show it.
    """
    etag = etags.kept(answer.headers.get("etag"))
    if isinstance(there, Found) and (not etag or etags.same(etag, there.etag)):
        return _as_stored(there)
    if isinstance(there, Gone):
        renamed = _by_uid(place, sent)
        if renamed is not None:
            return _as_stored(renamed)
    if etag:
        return Stored(remote_id=remote_id, etag=etag, object=sent)
    raise UpstreamUnavailable(
        f"{host_of(place.url)} took an appointment, and does not show it yet.", remedy="It is looked for again later."
    )


def _ours(place: Place, there: Found, new: CalendarObject) -> Stored:
    if isinstance(there.object, Unreadable) or there.object.uid == new.uid:
        return _as_stored(there)
    raise RemoteRefused(
        f"{host_of(place.url)} holds another appointment at the address {there.remote_id}.",
        remedy="Delete that one there if nobody needs it.",
    )


def _elsewhere(place: Place, new: CalendarObject, answer: Answer) -> Stored | None:
    """The very same object under another address, or `UidTaken`; None where the refusal has another cause."""
    conflict = preconditions(answer.body).get(f"{CALDAV}no-uid-conflict")
    href = "" if conflict is None else (conflict.findtext(f"{DAV}href") or "").strip()
    there: Found | None = None
    if href and path_of(href).rpartition("/")[0] == place.path.rstrip("/"):
        told = read_one(place, place.remote_id(href))
        there = told if isinstance(told, Found) else None
    else:
        there = _by_uid(place, new)
    if there is not None and not isinstance(there.object, Unreadable) and digest(there.object) == digest(new):
        return _as_stored(there)
    if there is not None or conflict is not None:
        raise refusal_as(UidTaken, answer, place.wire.user)
    return None


def _by_uid(place: Place, new: CalendarObject) -> Found | None:
    """The object of this calendar that has the UID of `new`."""
    answer = place.wire.report(place.url, query_uid(new.uid, new.component.value), depth=1)
    if not answer.ok:
        return None
    for response in place.multistatus(answer).responses:
        remote_id = place.remote_id(response.href)
        text = response.text(f"{CALDAV}calendar-data")
        if not remote_id or not text:
            continue
        told = place.read_object(as_lines(text))
        if not isinstance(told, Unreadable) and told.uid == new.uid:
            return Found(remote_id=remote_id, etag=etags.kept(response.text(f"{DAV}getetag")), object=told)
    return None


def _write_error(place: Place, answer: Answer) -> UpstreamError:
    """The error of a refused write; what the status leaves open is asked of the calendar itself."""
    error = refusal(answer, Deed.WRITE, place.wire.user)
    if answer.status in _OPEN and not names_cause(answer):
        state = place.state()
        if not state.writable:
            return refusal_as(CalendarReadOnly, answer, place.wire.user)
        if answer.status in {*_GONE, HTTPStatus.CONFLICT}:
            return refusal_as(RemoteRefused, answer, place.wire.user)
    return error


def _changed(place: Place, remote_id: str) -> RemoteChanged:
    return RemoteChanged(f"{remote_id} at {host_of(place.url)} is not the version any more that was read.")


def _as_stored(found: Found) -> Stored:
    return Stored(remote_id=found.remote_id, etag=found.etag, object=found.object)
