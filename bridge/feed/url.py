"""The secret URL of a feed: nothing in the database opens it, and rotating it revokes the old one."""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64encode
from hashlib import sha256

_OCTETS = 20


class FeedTokens:
    """Makes and checks the tokens in feed URLs: HMAC of the feed's name and generation.

    Args:
        key: Derived from the installation's key file for this purpose alone.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key

    def token(self, name: str, generation: int) -> str:
        """The token of a feed: 160 bits in URL-safe base64."""
        digest = hmac.digest(self._key, f"{name}\0{generation}".encode(), sha256)
        return urlsafe_b64encode(digest[:_OCTETS]).rstrip(b"=").decode()

    def path(self, name: str, generation: int) -> str:
        """Path of the feed below the server's address."""
        return f"/feed/{self.token(name, generation)}/{name}.ics"
