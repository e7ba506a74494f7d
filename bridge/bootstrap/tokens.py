"""The tokens of a connection are kept sealed in the store, and one process at a time renews them."""

from __future__ import annotations

import time
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from bridge.bootstrap.site import owner_name
from bridge.errors import StoreUnavailable
from bridge.store import claim, sealed
from bridge.upstream.oauth.keeper import LONGEST_RENEWAL
from bridge.upstream.oauth.tokens import Tokens

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bridge.store.database import Database
    from bridge.store.sealed import KeyFile

_CLAIM: Final = LONGEST_RENEWAL + timedelta(minutes=1)
_LOOK_AGAIN_SECONDS: Final = 0.1


def tokens_name(key: str) -> str:
    """Under which name the tokens of a connection are sealed in the database."""
    return f"connection:{key}:tokens"


class SealedTokens:
    """Keeps the tokens of one connection for all threads and processes of an installation.

    Args:
        database: The store.
        keys: Seal what is kept.
        key: Of the connection.
        wait: Waits for so many seconds.
        clock: Seconds that never go back.
    """

    def __init__(
        self,
        database: Database,
        keys: KeyFile,
        key: str,
        *,
        wait: Callable[[float], object] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._keys = keys
        self._name = tokens_name(key)
        self._wait = wait
        self._clock = clock

    def read(self) -> Tokens | None:
        """What was kept last; None where nothing is.

        Raises:
            SealBroken: It was sealed with a key that is gone.
            LoginRefused: It is no grant.
        """
        with self._database.reading() as tx:
            kept = sealed.recall(tx, self._keys, self._name)
        return None if kept is None else Tokens.read(kept.decode())

    def keep(self, tokens: Tokens) -> None:
        """Keeps `tokens` in place of what was there; when it returns they survive a power cut."""
        with self._database.writing() as tx:
            sealed.keep(tx, self._keys, self._name, tokens.text().encode())

    def forget(self) -> None:
        """Deletes what is kept."""
        with self._database.writing() as tx:
            sealed.forget(tx, self._name)

    @contextmanager
    def claimed(self) -> Iterator[None]:
        """Within the block nobody else changes the tokens; waits until it may begin.

        Raises:
            StoreUnavailable: Somebody else has the claim for longer than a renewal takes.
        """
        owner = owner_name()
        until = self._clock() + _CLAIM.total_seconds()
        while not self._taken(owner):
            if self._clock() > until:
                raise StoreUnavailable("Another process renews the tokens of this connection, and comes to no end.")
            self._wait(_LOOK_AGAIN_SECONDS)
        try:
            yield
        finally:
            with self._database.writing() as tx:
                claim.release(tx, self._name, owner)

    def _taken(self, owner: str) -> bool:
        with self._database.writing() as tx:
            return claim.take(tx, self._name, owner, tx.now + _CLAIM)


class TriedTokens:
    """Tokens that are tried before anybody keeps them: of a consent that was given just now.

    Args:
        tokens: The tokens.
    """

    def __init__(self, tokens: Tokens) -> None:
        self._tokens: Tokens | None = tokens

    def read(self) -> Tokens | None:
        """What is tried."""
        return self._tokens

    def keep(self, tokens: Tokens) -> None:
        """Goes on with others."""
        self._tokens = tokens

    def forget(self) -> None:
        """Ends the trial."""
        self._tokens = None

    @contextmanager
    def claimed(self) -> Iterator[None]:
        """Nobody else knows them."""
        yield
