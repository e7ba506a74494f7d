"""What a provider has granted: a token that opens doors for an hour, and one that renews it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from bridge.errors import LoginRefused

_MARGIN: Final = timedelta(minutes=5)
"""How long before its end a token counts as over: a request may wait its turn, and clocks differ."""

_SKEW: Final = timedelta(minutes=5)
"""How far a clock may be set back before nothing that it said of a token is believed any more."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """One grant, as it is now.

    Attributes:
        access: Goes with each request.
        refresh: Gets the next access token; empty where the provider needs none (service accounts).
        expires_at: When `access` ends, UTC, by this machine's clock.
        scopes: What was granted.
        granted_at: When the person agreed, UTC.
        renewed_at: When `access` was asked for, UTC: the last time that the grant is known to have been good.
        renewing_at: When a renewal was begun whose end was never heard of, UTC; None where there is none.
        rotates: Whether a renewal has ever brought another refresh token.
    """

    access: str = field(repr=False)
    refresh: str = field(repr=False)
    expires_at: datetime
    scopes: frozenset[str]
    granted_at: datetime
    renewed_at: datetime
    renewing_at: datetime | None = None
    rotates: bool = False

    def fresh(self, now: datetime) -> bool:
        """Whether `access` can be used for a while; never where the clock was set back behind its beginning."""
        margin = min(_MARGIN, (self.expires_at - self.renewed_at) / 4)
        return self.renewed_at - _SKEW <= now < self.expires_at - margin

    def text(self) -> str:
        """All of it as JSON, for a sealed row."""
        return json.dumps(
            {
                "access": self.access,
                "refresh": self.refresh,
                "expires_at": self.expires_at.isoformat(),
                "scopes": sorted(self.scopes),
                "granted_at": self.granted_at.isoformat(),
                "renewed_at": self.renewed_at.isoformat(),
                "renewing_at": None if self.renewing_at is None else self.renewing_at.isoformat(),
                "rotates": self.rotates,
            }
        )

    @classmethod
    def read(cls, text: str) -> Tokens:
        """The inverse of `text`.

        Raises:
            LoginRefused: It is something else.
        """
        try:
            kept: Any = json.loads(text)
            renewing = kept["renewing_at"]
            return cls(
                access=str(kept["access"]),
                refresh=str(kept["refresh"]),
                expires_at=_instant(kept["expires_at"]),
                scopes=frozenset(map(str, kept["scopes"])),
                granted_at=_instant(kept["granted_at"]),
                renewed_at=_instant(kept["renewed_at"]),
                renewing_at=None if renewing is None else _instant(renewing),
                rotates=kept["rotates"] is True,
            )
        except (ValueError, KeyError, TypeError):
            # What is in the way may hold a token, so the cause is not shown.
            raise LoginRefused(
                "What is kept of this login cannot be read any more.", remedy="Connect it again."
            ) from None


def _instant(text: str) -> datetime:
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError(text)
    return instant
