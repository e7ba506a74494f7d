"""A channel names a watch, and its token proves that a notification is of it: nothing in the database makes one."""

from __future__ import annotations

import hmac
import re
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_CHANNEL = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Channels:
    """Names channels, and makes and checks their tokens.

    Attributes:
        key: Derived from the installation's key file for this purpose alone.
        fresh: Gives 32 lower-case hex digits, never the same twice.
    """

    key: bytes = field(repr=False)
    fresh: Callable[[], str] = field(repr=False)

    def token(self, channel: str) -> str:
        """The token of a channel: 256 bits in URL-safe base64."""
        digest = hmac.digest(self.key, channel.encode(), sha256)
        return urlsafe_b64encode(digest).rstrip(b"=").decode()

    def proves(self, channel: str, token: str) -> bool:
        """Whether `token` is that of `channel`; it takes as long for each token."""
        if not _CHANNEL.fullmatch(channel):
            return False
        return hmac.compare_digest(self.token(channel).encode(), token.encode(errors="replace"))
