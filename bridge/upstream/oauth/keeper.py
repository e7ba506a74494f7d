"""Where tokens are kept, and what everybody may rely on who is given one."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from bridge.upstream.oauth.tokens import Tokens

LONGEST_RENEWAL: Final = timedelta(minutes=3)
"""How long somebody may need who has the claim: a claim must not lapse before."""


class Keeper(Protocol):
    """Keeps the tokens of one connection, for all threads and processes."""

    def read(self) -> Tokens | None:
        """What was kept last; None where nothing is.

        Raises:
            StoreError: It cannot be said.
        """

    def keep(self, tokens: Tokens) -> None:
        """Keeps `tokens` in place of what was there; when it returns they survive a power cut.

        Raises:
            StoreError: They are not kept.
        """

    def forget(self) -> None:
        """Deletes what is kept.

        Raises:
            StoreError: It is still there.
        """

    def claimed(self) -> AbstractContextManager[None]:
        """Within the block nobody else changes the tokens, over all threads and processes; waits until it may begin.

        Raises:
            StoreUnavailable: Somebody else has it for longer than `LONGEST_RENEWAL`.
        """


class Access(Protocol):
    """Whatever gives access tokens; may be shared by threads."""

    def access_token(self) -> str:
        """A token that is good for some minutes at least.

        Raises:
            LoginRefused: The provider gives none any more.
            UpstreamUnavailable: It cannot be asked now.
            StoreError: The tokens can neither be read nor kept.
        """

    def refused(self, token: str) -> str:
        """Another token in place of one that a provider has just refused, though it should have been good."""
