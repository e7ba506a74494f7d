"""Why a grant has ended, as far as its age, its last use and a broken renewal can tell.

A provider says of it no more than `invalid_grant`, whatever the reason (RFC 6749 section 5.2).
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from bridge.upstream.oauth.provider import Cause

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from bridge.upstream.oauth.provider import Provider
    from bridge.upstream.oauth.tokens import Tokens

_SLACK: Final = timedelta(hours=1)
"""How far from its hour a provider may end a grant."""

_RECONNECT: Final = "Run `{connect}`; its rules go on where they stopped."
_LOST: Final = (
    "A renewal of the login that began on {begun} was broken off before the new token that it may have brought was "
    "kept here, and {provider} does not take the earlier one any more."
)
_REVOKED: Final = (
    "{provider} has ended the access that was granted on {granted}: its owner or an administrator has revoked it, or "
    "the password of the account was changed."
)
_PERHAPS_LOST: Final = (
    "{provider} has ended the access that was granted on {granted}: its owner or an administrator has revoked it, the "
    "password of the account was changed, or the renewal that was broken off on {begun} has cost the token."
)


def end_of_grant(provider: Provider, tokens: Tokens, now: datetime) -> Cause:
    """The likeliest cause by which a refresh token is not taken any more.

    Args:
        provider: Who does not take it.
        tokens: As they were kept before the renewal that was refused.
        now: The time, UTC.
    """
    broken = tokens.renewing_at is not None
    if broken and (provider.rotates or tokens.rotates):
        return Cause("invalid_grant", _LOST, _RECONNECT)
    if provider.unused is not None and now - tokens.renewed_at >= provider.unused.after:
        return Cause("invalid_grant", provider.unused.sentence, provider.unused.remedy)
    if provider.trial is not None and _ended_by(tokens.granted_at + provider.trial.after, tokens, now):
        return Cause("invalid_grant", provider.trial.sentence, provider.trial.remedy)
    return Cause("invalid_grant", _PERHAPS_LOST if broken else _REVOKED, _RECONNECT)


def dates(tokens: Tokens) -> Mapping[str, str]:
    """The days that the sentence of a cause may name."""
    return {
        "granted": f"{tokens.granted_at:%Y-%m-%d}",
        "used": f"{tokens.renewed_at:%Y-%m-%d}",
        "begun": f"{tokens.renewing_at or tokens.renewed_at:%Y-%m-%d at %H:%M UTC}",
    }


def _ended_by(end: datetime, tokens: Tokens, now: datetime) -> bool:
    """Whether a grant was last seen alive before `end`, and dead after it."""
    return tokens.renewed_at <= end + _SLACK and now >= end - _SLACK
