"""A provider of OAuth is data: where it is asked, for what, and what its refusals mean."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from ipaddress import ip_address
from types import MappingProxyType
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from bridge.errors import ConfigurationError, LoginRefused

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import timedelta

    from bridge.errors import UpstreamError


class Deed(Enum):
    """What was asked of a provider; the same refusal means something else for each."""

    CONSENT = "consent"
    """A person was sent to the consent page (RFC 6749 section 4.1.1)."""
    CODE = "code"
    """Tokens were asked for with the code of a consent (RFC 6749 section 4.1.3)."""
    RENEWAL = "renewal"
    """A new access token was asked for with the refresh token (RFC 6749 section 6)."""
    ASSERTION = "assertion"
    """An access token was asked for with the key of a service account (RFC 7523 section 2.1)."""
    REVOCATION = "revocation"
    """A grant was to be ended (RFC 7009)."""


@dataclass(frozen=True, slots=True)
class Cause:
    """What a refusal means, in the provider's own terms.

    Sentence and remedy may name `{provider}`, `{connect}` (the command that connects anew), `{client}`, `{subject}`
    and `{scopes}`, and where a grant has ended also the days `{granted}`, `{used}` and `{begun}`.

    Attributes:
        error: The error code (RFC 6749 sections 4.1.2.1 and 5.2).
        sentence: What happened.
        remedy: What to do.
        says: Stands in the description or the subtype, in lower case; empty fits any.
        deeds: After which deeds; empty means any.
        kind: The error that it becomes.
    """

    error: str
    sentence: str
    remedy: str
    says: str = ""
    deeds: frozenset[Deed] = frozenset()
    kind: type[UpstreamError] = LoginRefused


@dataclass(frozen=True, slots=True)
class Ending:
    """A rule by which a provider ends grants.

    Attributes:
        after: How long it takes.
        sentence: What happened, in the words of `Cause`.
        remedy: What to do, so that it does not happen again.
    """

    after: timedelta
    sentence: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Provider:
    """Who grants access, and on what terms.

    Attributes:
        name: As people call it.
        auth_url: Of the consent page.
        token_url: Of the token endpoint.
        revoke_url: Where a grant is ended (RFC 7009); empty where it cannot be ended from here.
        scopes: Each scope that is needed, with the words of its box on the consent page.
        extra: Further parameters for the consent page.
        rotates: Whether each renewal may end the refresh token that it was asked with (RFC 6749 section 6).
        trial: Ends grants of an app that is only on trial, counted from the grant; None where there is no such rule.
        unused: Ends grants that nobody uses, counted from the last use; None where there is no such rule.
        causes: What its refusals mean, the first that fits counts; what no cause fits has the meaning of the RFC.

    Raises:
        ConfigurationError: An address is neither https nor on this machine.
    """

    name: str
    auth_url: str
    token_url: str
    revoke_url: str
    scopes: Mapping[str, str]
    extra: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    rotates: bool = False
    trial: Ending | None = None
    unused: Ending | None = None
    causes: tuple[Cause, ...] = ()

    def __post_init__(self) -> None:
        for url in filter(None, (self.auth_url, self.token_url, self.revoke_url)):
            if not _safe(url):
                raise ConfigurationError(
                    f"{url!r} is no address to log in at: secrets go there, so it has to begin with https://.",
                    remedy="Correct `endpoints` of the connection; only this machine itself may be asked by http.",
                )


def _safe(url: str) -> bool:
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return False
    if parts.scheme != "http":
        return parts.scheme == "https" and bool(host)
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
