"""Every refusal of a provider, and every failure of the way to it, becomes one of our errors, here and nowhere else.

A provider's own causes come first, then those of the RFC. Of a grant that has ended, `endings` tells why.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from requests.exceptions import SSLError, Timeout
from urllib3.exceptions import NameResolutionError
from urllib3.exceptions import TimeoutError as SilenceError

from bridge.errors import CertificateRefused, LoginRefused, Throttled, UpstreamError, UpstreamUnavailable
from bridge.upstream.causes import causes, holds
from bridge.upstream.oauth.endings import dates, end_of_grant
from bridge.upstream.oauth.provider import Cause, Deed
from bridge.upstream.retry_after import retry_after

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bridge.upstream.answers import Answer
    from bridge.upstream.oauth.provider import Provider
    from bridge.upstream.oauth.tokens import Tokens

_LONGEST_TEXT: Final = 200
_LONGEST_WORD: Final = 30
_LEAP: Final = timedelta(minutes=5)
"""A clock that is further off than this spoils what is signed with it."""

_AT_PAGE: Final = frozenset({Deed.CONSENT})
_CAUSES: Final = (
    Cause(
        "access_denied",
        "The access was not granted: the person cancelled, or may not allow it.",
        "Run `{connect}` again and allow it.",
        deeds=_AT_PAGE,
    ),
    Cause(
        "invalid_grant",
        "The answer of the consent page belongs to another consent than the one that was begun last.",
        "Run `{connect}` again, and finish the page that it opens.",
        says="verifier",
        deeds=frozenset({Deed.CODE}),
    ),
    Cause(
        "redirect_uri_mismatch",
        "{provider} does not send the browser back to this address for the client {client}.",
        "Register the address for the client there, or make a client for desktop apps.",
    ),
    Cause(
        "invalid_grant",
        "{provider} does not take the answer of its consent page any more: it is good for some minutes, and once.",
        "Run `{connect}` again.",
        deeds=frozenset({Deed.CODE}),
    ),
    Cause(
        "invalid_client",
        "{provider} does not know the client {client}, or its secret is not the right one.",
        "Give the connection the client's id and secret anew, and run `{connect}`.",
    ),
    Cause(
        "unauthorized_client",
        "{provider} does not let the client {client} log in in this way.",
        "Change the client's kind there, or make another one.",
    ),
    Cause(
        "invalid_scope",
        "{provider} does not know one of the rights that were asked for, or does not give it to the client {client}.",
        "Give the client these rights there: {scopes}.",
    ),
    Cause("temporarily_unavailable", "{provider} is overloaded.", "It is asked again later.", kind=UpstreamUnavailable),
    Cause("server_error", "{provider} failed.", "It is asked again later.", kind=UpstreamUnavailable),
    Cause("internal_failure", "{provider} failed.", "It is asked again later.", kind=UpstreamUnavailable),
    Cause("slow_down", "{provider} asks to be asked later.", "", kind=Throttled),
    Cause("rate_limit_exceeded", "{provider} asks to be asked later.", "", kind=Throttled),
)


@dataclass(frozen=True, slots=True)
class Denial:
    """What a provider says in place of what was asked for (RFC 6749 sections 4.1.2.1 and 5.2).

    Attributes:
        error: Its code.
        description: Its text, for developers.
        subtype: Its second code, which some have.
    """

    error: str
    description: str = ""
    subtype: str = ""

    @classmethod
    def read(cls, content: Mapping[str, object]) -> Denial | None:
        """The denial in an answer; None where there is none."""
        error = content.get("error")
        if not isinstance(error, str) or not error:
            return None
        return cls(
            error=error, description=_text(content, "error_description"), subtype=_text(content, "error_subtype")
        )


@dataclass(frozen=True, slots=True)
class Situation:
    """The circumstances in which a provider refused.

    Attributes:
        provider: Who it was.
        connection: Key of the connection in the configuration.
        deed: What was asked.
        now: The time, UTC.
        client: Public id of the client, or of the service account.
        subject: In whose name a service account asked; empty otherwise.
        tokens: What was kept; None where nothing was.
    """

    provider: Provider
    connection: str
    deed: Deed
    now: datetime
    client: str = ""
    subject: str = ""
    tokens: Tokens | None = field(default=None)


def refusal(answer: Denial, at: Situation, *, after: timedelta | None = None) -> UpstreamError:
    """The error that a denial stands for.

    Args:
        answer: What the provider said.
        at: The circumstances.
        after: How long the provider wants to be left alone, where it said so.
    """
    said = f"{answer.description} {answer.subtype}".lower()
    for cause in (*at.provider.causes, *_CAUSES):
        if cause.error == answer.error and cause.says in said and (not cause.deeds or at.deed in cause.deeds):
            return _error(cause, at, after)
    if answer.error == "invalid_grant" and at.tokens is not None:
        return _error(end_of_grant(at.provider, at.tokens, at.now), at, after)
    text = _quoted(f"{answer.error} {answer.description}")
    return LoginRefused(
        f"{at.provider.name} refuses the login of connection {at.connection!r}: {text}.",
        remedy=f"Run `calbridge connect {at.connection}`; if it is refused again, look at the client's settings at "
        f"{at.provider.name}.",
    )


def unasked(answer: Answer, at: Situation) -> UpstreamError:
    """The error that an answer stands for which holds neither what was asked for nor a denial that can be read."""
    after, content = retry_after(answer.headers), answer.content
    denial = None if content is None else Denial.read(content)
    if answer.status == 429 or (answer.status == 503 and after is not None):  # noqa: PLR2004 -- RFC 9110, RFC 6585
        return Throttled(f"{at.provider.name} asks to be asked later ({answer.status}).", after=after)
    if answer.status >= 500:  # noqa: PLR2004 -- RFC 9110 section 15.6
        return UpstreamUnavailable(
            f"{at.provider.name} gives out no tokens for now ({answer.status}).", remedy="It is asked again later."
        )
    if denial is not None:
        return _clock_error(denial, answer, at) or refusal(denial, at, after=after)
    return UpstreamUnavailable(
        f"{host_of(answer.url)} answers with something else than tokens ({answer.status}).",
        remedy="Look whether something else answers in its place, such as a proxy or a login page, and whether the "
        "connection's `endpoints` are right.",
    )


def missing(scopes: Iterable[str], at: Situation) -> LoginRefused:
    """The error of a grant that lacks some of the scopes.

    Args:
        scopes: Those that are missing.
        at: The circumstances.
    """
    boxes = [f'"{at.provider.scopes.get(each, "")}" ({each.rpartition("/")[2]})' for each in sorted(scopes)]
    which = "this box" if len(boxes) == 1 else "these boxes"
    return LoginRefused(
        f"The access that {at.provider.name} granted for connection {at.connection!r} lacks {' and '.join(boxes)}.",
        remedy=f"Run `calbridge connect {at.connection}`, and tick {which} on the page.",
    )


def outage(error: Exception, url: str) -> UpstreamError:
    """The error that a failure of the network, of TLS or of a name stands for.

    The host is a known one, so that a name that cannot be found says something of the network only.
    """
    host = host_of(url)
    chain = tuple(causes(error))
    untrusted = next((each for each in chain if isinstance(each, ssl.SSLCertVerificationError)), None)
    if untrusted is not None:
        return CertificateRefused(
            f"The certificate of {host} cannot be trusted: {str(untrusted.verify_message).rstrip('.')}.",
            remedy="Look who answers in its place; where that is a proxy of your own, name its authority's file in "
            "REQUESTS_CA_BUNDLE.",
        )
    if holds(chain, NameResolutionError):
        return UpstreamUnavailable(
            f"The name servers could not say where {host} is.", remedy="Look whether this machine has a network."
        )
    if holds(chain, ConnectionRefusedError):
        return UpstreamUnavailable(f"{host} takes no connections.", remedy="It is asked again later.")
    if holds(chain, Timeout, SilenceError, TimeoutError):
        return UpstreamUnavailable(f"{host} does not answer in time.", remedy="It is asked again later.")
    if holds(chain, ssl.SSLError, SSLError):
        return UpstreamUnavailable(f"No secure connection to {host} came about.", remedy="It is asked again later.")
    return UpstreamUnavailable(f"The connection to {host} broke off.", remedy="It is asked again later.")


def host_of(url: str) -> str:
    """The host of an address that has been checked."""
    return urlsplit(url).hostname or url


def _clock_error(denial: Denial, answer: Answer, at: Situation) -> LoginRefused | None:
    """What is wrong where something was signed with a time that the provider's own clock contradicts."""
    theirs = _http_date(answer.headers.get("date", ""))
    if at.deed is not Deed.ASSERTION or denial.error != "invalid_grant" or theirs is None:
        return None
    if abs(theirs - at.now) <= _LEAP:
        return None
    minutes = round(abs(theirs - at.now) / timedelta(minutes=1))
    return LoginRefused(
        f"The clock of this machine is {minutes} minutes {'slow' if theirs > at.now else 'fast'}, so that "
        f"{at.provider.name} does not take what is signed with it.",
        remedy="Have the clock set by a time server (NTP).",
    )


def _error(cause: Cause, at: Situation, after: timedelta | None) -> UpstreamError:
    words = {
        "provider": at.provider.name,
        "connect": f"calbridge connect {at.connection}",
        "client": at.client,
        "subject": at.subject,
        "scopes": ",".join(sorted(at.provider.scopes)),
        **({} if at.tokens is None else dates(at.tokens)),
    }
    sentence, remedy = cause.sentence.format_map(words), cause.remedy.format_map(words)
    if issubclass(cause.kind, Throttled):
        return cause.kind(sentence, after=after, remedy=remedy)
    return cause.kind(sentence, remedy=remedy)


def _quoted(text: str) -> str:
    """A provider's text as it may be shown and logged: one line, and nothing so long that it could be a token."""
    words = "".join(each if each.isprintable() else " " for each in text).split()
    return " ".join(word if len(word) <= _LONGEST_WORD else "…" for word in words)[:_LONGEST_TEXT].rstrip(".")


def _text(content: Mapping[str, object], name: str) -> str:
    text = content.get(name)
    return text if isinstance(text, str) else ""


def _http_date(text: str) -> datetime | None:
    try:
        instant = parsedate_to_datetime(text)
    except ValueError:
        return None
    return instant.replace(tzinfo=instant.tzinfo or UTC)
