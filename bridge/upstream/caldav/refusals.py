"""Every failure of a server or of the way to it becomes one of our errors, here and nowhere else."""

from __future__ import annotations

import socket
import ssl
from enum import Enum
from typing import TYPE_CHECKING

import niquests.exceptions
from niquests.packages.urllib3 import exceptions as transport  # type: ignore[import-not-found]

from bridge.errors import (
    CalendarGone,
    CalendarReadOnly,
    CertificateRefused,
    CursorExpired,
    HostUnknown,
    LoginRefused,
    QuotaExceeded,
    RemoteRefused,
    Throttled,
    UidTaken,
    UpstreamError,
    UpstreamUnavailable,
)
from bridge.upstream.caldav.address import host_of
from bridge.upstream.caldav.bodies import CALDAV, DAV
from bridge.upstream.caldav.multistatus import preconditions
from bridge.upstream.caldav.providers import login_remedy
from bridge.upstream.causes import causes, holds
from bridge.upstream.retry_after import retry_after

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bridge.upstream.answers import Answer


class Deed(Enum):
    """What was asked for; the same status means something else for each."""

    READ = "read"
    WRITE = "write"


_REFUSED_PROPERTY = {
    f"{CALDAV}valid-calendar-data": "",
    f"{CALDAV}valid-calendar-object-resource": "",
    f"{CALDAV}supported-calendar-data": "",
    f"{CALDAV}supported-calendar-component": "",
    f"{CALDAV}max-resource-size": "",
    f"{CALDAV}min-date-time": "DTSTART",
    f"{CALDAV}max-date-time": "DTSTART",
    f"{CALDAV}max-instances": "RRULE",
    f"{CALDAV}max-attendees-per-instance": "ATTENDEE",
    f"{CALDAV}valid-managed-id": "ATTACH",
    f"{CALDAV}max-attachment-size": "ATTACH",
    f"{CALDAV}max-attachments-per-resource": "ATTACH",
    f"{CALDAV}organizer-allowed": "ORGANIZER",
    f"{CALDAV}attendee-allowed": "ATTENDEE",
    f"{CALDAV}same-organizer-in-all-components": "ORGANIZER",
    f"{CALDAV}allowed-organizer-scheduling-object-change": "ORGANIZER",
    f"{CALDAV}allowed-attendee-scheduling-object-change": "ATTENDEE",
}
"""Preconditions by which a server refuses an object for good, and the property that they are about."""

_KIND_OF_PRECONDITION: Mapping[str, type[UpstreamError]] = {
    f"{CALDAV}no-uid-conflict": UidTaken,
    f"{CALDAV}unique-scheduling-object-resource": UidTaken,
    f"{DAV}quota-not-exceeded": QuotaExceeded,
    f"{DAV}sufficient-disk-space": QuotaExceeded,
    f"{DAV}valid-sync-token": CursorExpired,
    f"{DAV}number-of-matches-within-limits": CursorExpired,
    **dict.fromkeys(_REFUSED_PROPERTY, RemoteRefused),
}
_KIND_OF_STATUS: Mapping[Deed, Mapping[int, type[UpstreamError]]] = {
    Deed.READ: {
        401: LoginRefused, 403: LoginRefused, 404: CalendarGone, 405: CalendarGone, 410: CalendarGone,
        429: Throttled, 501: CalendarGone,
    },
    Deed.WRITE: {
        400: RemoteRefused, 401: LoginRefused, 403: RemoteRefused, 404: CalendarGone, 405: CalendarReadOnly,
        409: RemoteRefused, 410: CalendarGone, 412: RemoteRefused, 413: RemoteRefused, 415: RemoteRefused,
        422: RemoteRefused, 429: Throttled, 501: CalendarReadOnly, 507: QuotaExceeded,
    },
}  # fmt: skip
_SENTENCES: Mapping[type[UpstreamError], str] = {
    CalendarGone: "{host} has no calendar at {path}",
    CalendarReadOnly: "{host} lets {user} read {path}, but not write there",
    CursorExpired: "{host} does not know any more what was read of {path}",
    LoginRefused: "{host} does not let {user} in",
    QuotaExceeded: "{host} has no room left for {user}",
    RemoteRefused: "{host} refuses an appointment for {path}",
    Throttled: "{host} asks to be left alone for a while",
    UidTaken: "{host} holds an appointment of the same UID elsewhere",
    UpstreamUnavailable: "{host} does not do what was asked for {path} now",
}
_REMEDIES: Mapping[type[UpstreamError], str] = {
    CalendarGone: "List the calendars of the connection, and name one of them in the rule.",
    CalendarReadOnly: "Ask its owner for the right to write, or set `direction: pull` in the rule.",
    QuotaExceeded: "Delete old entries there, or get more room.",
    RemoteRefused: "Look at the appointment, change what it stumbles over, and try it again.",
}


def refusal(answer: Answer, deed: Deed, user: str) -> UpstreamError:
    """The error that an answer stands for.

    Args:
        answer: One that is no success.
        deed: What was asked for.
        user: Who asked.
    """
    named = preconditions(answer.body)
    precondition = next((name for name in named if name in _KIND_OF_PRECONDITION), "")
    if precondition:
        kind = _KIND_OF_PRECONDITION[precondition]
    elif f"{DAV}need-privileges" in named:
        kind = CalendarReadOnly if deed is Deed.WRITE else LoginRefused
    elif answer.status == 503 and "retry-after" in answer.headers:  # noqa: PLR2004 -- service unavailable
        kind = Throttled
    else:
        kind = _KIND_OF_STATUS[deed].get(answer.status, UpstreamUnavailable)
    return _error(kind, answer, user, precondition)


def names_cause(answer: Answer) -> bool:
    """Whether an answer names a precondition that says all, so that nothing further has to be asked."""
    return any(name in _KIND_OF_PRECONDITION or name == f"{DAV}need-privileges" for name in preconditions(answer.body))


def refusal_as(kind: type[UpstreamError], answer: Answer, user: str) -> UpstreamError:
    """An error of the kind that a second look has shown to be right."""
    return _error(kind, answer, user, "")


def outage(error: Exception, host: str) -> UpstreamError:
    """The error that a failure of the network, of TLS or of a name stands for."""
    chain = tuple(causes(error))
    certificate = next((each for each in chain if isinstance(each, ssl.SSLCertVerificationError)), None)
    if certificate is not None:
        return CertificateRefused(
            f"The certificate of {host} cannot be trusted: {certificate.verify_message or certificate.reason}.",
            remedy="Have it renewed, or name the file of the authority that signed it as `ca_file` of the connection.",
        )
    if holds(chain, ssl.SSLError, niquests.exceptions.SSLError, transport.SSLError) and not holds(
        chain, ssl.SSLEOFError, ssl.SSLZeroReturnError, ConnectionError, TimeoutError
    ):
        return CertificateRefused(
            f"No secure connection to {host} can be agreed upon.",
            remedy="Look whether the address and the port are those of an https server.",
        )
    if holds(chain, transport.NameResolutionError, socket.gaierror):
        return _name_failure(host)
    if holds(chain, niquests.exceptions.Timeout, transport.TimeoutError, TimeoutError) and not holds(
        chain, ConnectionError
    ):
        return UpstreamUnavailable(f"{host} does not answer in time.", remedy="It is asked again later.")
    if holds(chain, ConnectionRefusedError):
        return UpstreamUnavailable(
            f"{host} takes no connections there.", remedy="Look whether address and port are right."
        )
    return UpstreamUnavailable(f"The connection to {host} broke off.", remedy="It is asked again later.")


def broke_off(error: Exception) -> bool:
    """Whether a connection ended before any answer came, other than by a timeout or a refusal to connect."""
    return holds(tuple(causes(error)), ConnectionResetError, ConnectionAbortedError, BrokenPipeError)


def _error(kind: type[UpstreamError], answer: Answer, user: str, precondition: str) -> UpstreamError:
    host = host_of(answer.url)
    path = answer.url.partition(host)[2].partition("/")[2]
    reason = precondition.rpartition("}")[2] or str(answer.status)
    sentence = f"{_SENTENCES[kind].format(host=host, path=f'/{path}', user=user or 'nobody')} ({reason})."
    remedy = login_remedy(host, answer.status) if kind is LoginRefused else _REMEDIES.get(kind, "")
    if kind is Throttled:
        return Throttled(sentence, after=retry_after(answer.headers), remedy=remedy)
    if kind is RemoteRefused:
        return RemoteRefused(sentence, property_name=_REFUSED_PROPERTY.get(precondition, ""), remedy=remedy)
    return kind(sentence, remedy=remedy)


def _name_failure(host: str) -> UpstreamError:
    # The HTTP library does not say whether the name servers know no such name, or could not be asked.
    try:
        socket.getaddrinfo(host, None)
    except socket.gaierror as error:
        unknown = error.errno != socket.EAI_AGAIN
    except UnicodeError:
        unknown = True
    else:
        unknown = False
    if unknown:
        return HostUnknown(f"There is no host {host}.", remedy="Look whether its name is spelt right.")
    return UpstreamUnavailable(f"The name servers could not say where {host} is.", remedy="They are asked again later.")
