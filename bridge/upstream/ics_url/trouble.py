"""Whatever goes wrong while a feed is fetched becomes one of our errors, with what to do about it."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Final

from requests.exceptions import ConnectTimeout, InvalidURL
from urllib3.exceptions import ConnectTimeoutError, IncompleteRead, NewConnectionError
from urllib3.exceptions import TimeoutError as SilenceError

from bridge.errors import (
    AddressRefused,
    CalendarGone,
    CertificateRefused,
    ListingDoubtful,
    LoginRefused,
    Throttled,
    UpstreamError,
    UpstreamUnavailable,
)
from bridge.upstream.causes import causes

if TYPE_CHECKING:
    from datetime import timedelta

_REVOKED: Final = "The secret address was revoked, or the password is wrong: copy the address anew from its owner."
_GONE: Final = "Ask its owner for the new address, or remove the rule."
_REFUSED: Final[dict[int, tuple[type[UpstreamError], str, str]]] = {
    401: (LoginRefused, "lets nobody in without another login (401)", _REVOKED),
    403: (LoginRefused, "refuses to give out the calendar (403)", _REVOKED),
    404: (CalendarGone, "has no such calendar (404)", _GONE),
    410: (CalendarGone, "says that the calendar is gone for good (410)", _GONE),
    451: (LoginRefused, "may not give out the calendar for legal reasons (451)", "Ask its owner."),
}
_LATER: Final = frozenset({425, 429, 503})
_NO_CALENDAR: Final = range(200, 400)


_UNCONNECTED: Final = (NewConnectionError, ConnectTimeoutError, ConnectTimeout, ConnectionRefusedError)
# The first that fits counts: the libraries wrap one in another.
_TROUBLES: Final[tuple[tuple[tuple[type[BaseException], ...], type[UpstreamError], str, str], ...]] = (
    ((InvalidURL, UnicodeError), AddressRefused, "has no such address", "Check the address for typing errors."),
    ((IncompleteRead,), ListingDoubtful, "sent only a part of the calendar", ""),
    ((ssl.SSLError,), UpstreamUnavailable, "does not speak https as it should", ""),
    (_UNCONNECTED, UpstreamUnavailable, "takes no connections", "Check the address, and whether the server runs."),
    ((SilenceError, TimeoutError), UpstreamUnavailable, "does not answer in time", ""),
)


def refusal(status: int, *, host: str, after: timedelta | None) -> UpstreamError:
    """What an answer means that is no calendar.

    Args:
        status: Its status (RFC 9110 section 15).
        host: Who answered.
        after: How long it wants to be left alone; None where it does not say.
    """
    if status in _LATER or (after is not None and status not in _NO_CALENDAR):
        return Throttled(f"'{host}' asks to be asked later ({status}).", after=after)
    if status in _REFUSED:
        kind, what, remedy = _REFUSED[status]
        return kind(f"'{host}' {what}.", remedy=remedy)
    if status in _NO_CALENDAR:
        return ListingDoubtful(f"'{host}' answers with status {status} in place of a whole calendar.")
    return UpstreamUnavailable(f"'{host}' cannot give out the calendar for now ({status}).")


def translated(error: Exception, *, host: str, timed_out: bool) -> UpstreamError:
    """What an error of the network or of the libraries means.

    Args:
        error: One of `requests.RequestException`, `urllib3.exceptions.HTTPError` or `OSError`.
        host: Who was asked.
        timed_out: Whether the time for all of it was over.
    """
    chain = tuple(causes(error))
    if timed_out:
        return UpstreamUnavailable(f"'{host}' did not send the whole calendar in time.")
    untrusted = next((cause for cause in chain if isinstance(cause, ssl.SSLCertVerificationError)), None)
    if untrusted is not None:
        return CertificateRefused(
            f"The certificate of '{host}' cannot be trusted: {untrusted.verify_message.rstrip('.')}.",
            remedy="Its owner has to renew it; if an authority of your own signed it, name its file as `ca_file`.",
        )
    for kinds, meaning, what, remedy in _TROUBLES:
        if any(isinstance(cause, kinds) for cause in chain):
            return meaning(f"'{host}' {what}.", remedy=remedy)
    return UpstreamUnavailable(f"The connection to '{host}' broke.")


def is_unconnected(error: Exception) -> bool:
    """Whether no connection came about, so that nothing has been asked yet."""
    return any(isinstance(cause, _UNCONNECTED) for cause in causes(error))


def speaks_no_tls(error: Exception) -> bool:
    """Whether nobody speaks https at a place: nothing listens there, or it is something else that does.

    A certificate that cannot be trusted is another matter: who may read along must not choose to be asked openly.
    """
    chain = tuple(causes(error))
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in chain):
        return False
    return any(isinstance(cause, ssl.SSLError | ConnectionRefusedError) for cause in chain)
