"""The login of one connection: an access token whenever one is needed, renewed once for everybody who waits for it.

A renewal is noted before it is asked for, and what it brings is kept before anybody uses it. So a token that a provider
has replaced is never lost in silence: either its successor is kept, or the next refusal can be explained.
"""

from __future__ import annotations

import time
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

from bridge.errors import LoginRefused, StoreError
from bridge.upstream.oauth.flight import SingleFlight
from bridge.upstream.oauth.granting import granted
from bridge.upstream.oauth.provider import Deed
from bridge.upstream.oauth.refusals import Situation, missing, unasked

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from bridge.upstream.oauth.client import Client
    from bridge.upstream.oauth.granting import Post
    from bridge.upstream.oauth.keeper import Keeper
    from bridge.upstream.oauth.provider import Provider
    from bridge.upstream.oauth.tokens import Tokens

_PAUSES: Final = (0.1, 0.5, 2.0, 5.0, 10.0)
"""Seconds between the tries to keep what a renewal brought."""


class Login:
    """Access that a person has granted; shared by threads, and safe beside other processes.

    Args:
        provider: Who granted it.
        client: How the provider knows us.
        keeper: Keeps the tokens.
        connection: Key of the connection in the configuration.
        post: Sends a form.
        clock: Gives the present instant, UTC.
        pause: Waits so many seconds.
    """

    def __init__(
        self,
        provider: Provider,
        client: Client,
        keeper: Keeper,
        *,
        connection: str,
        post: Post,
        clock: Callable[[], datetime],
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._provider = provider
        self._client = client
        self._keeper = keeper
        self._connection = connection
        self._post = post
        self._clock = clock
        self._pause = pause
        self._flight = SingleFlight()
        self._unkept: tuple[str, Tokens] | None = None

    def __repr__(self) -> str:
        return f"Login({self._provider.name}, connection={self._connection!r})"

    def access_token(self) -> str:
        """A token that is good for some minutes at least.

        Raises:
            LoginRefused: Nobody has connected yet, the grant has ended, or it lacks a scope.
            UpstreamUnavailable: The provider cannot be asked now.
            StoreError: The tokens can neither be read nor kept.
        """
        tokens = self._kept()
        if tokens.fresh(self._clock()):
            return tokens.access
        return self._flight.run(partial(self._renewed, tokens.access))

    def refused(self, token: str) -> str:
        """Another token in place of `token`, which the provider has just refused though it should have been good.

        Asks for one renewal, unless another thread or process has renewed it since. Where the new one is refused, too,
        it is not for want of a renewal.

        Raises:
            LoginRefused: The grant has ended.
            UpstreamUnavailable: The provider cannot be asked now.
            StoreError: The tokens can neither be read nor kept.
        """
        return self._flight.run(partial(self._renewed, token))

    def keep(self, tokens: Tokens) -> None:
        """Keeps what a person has just granted, in place of any earlier grant.

        Raises:
            StoreError: It is not kept.
        """
        with self._keeper.claimed():
            self._unkept = None
            self._keep(tokens)

    def revoke(self) -> None:
        """Ends the grant at the provider, then forgets it here; passes where it had ended before.

        Raises:
            UpstreamUnavailable: The provider cannot be asked now; everything stays as it is.
            LoginRefused: It refuses to end the grant.
            StoreError: It is ended, and still kept here; the same again forgets it.
        """
        with self._keeper.claimed():
            tokens = self._keeper.read()
            if tokens is not None and self._provider.revoke_url:
                self._end(tokens)
            self._unkept = None
            self._keeper.forget()

    def _end(self, tokens: Tokens) -> None:
        # Ending the refresh token ends all that came of it (RFC 7009 section 2.1).
        answer = self._post(self._provider.revoke_url, {"token": tokens.refresh or tokens.access})
        # A token that is not known any more is what was wanted (RFC 7009 section 2.2; Google says so with 400).
        ended = (answer.content or {}).get("error") in {"invalid_token", "invalid_grant"}
        if not answer.ok and not ended:
            raise unasked(answer, self._situation(Deed.REVOCATION, tokens))

    def _kept(self) -> Tokens:
        """What is kept, where it can be used or renewed."""
        tokens = self._keeper.read()
        if tokens is None:
            raise LoginRefused(
                f"Nobody has connected {self._connection!r} with {self._provider.name} yet.",
                remedy=f"Run `calbridge connect {self._connection}`.",
            )
        lacking = frozenset(self._provider.scopes) - tokens.scopes
        if lacking:
            raise missing(lacking, self._situation(Deed.RENEWAL, tokens))
        return tokens

    def _renewed(self, stale: str) -> str:
        """A token other than `stale`: of whoever has renewed it meanwhile, or by a renewal."""
        with self._keeper.claimed():
            tokens = self._kept()
            if self._unkept is not None:
                instead_of, renewed = self._unkept
                if tokens.refresh == instead_of:
                    self._keep(renewed)
                    tokens = renewed
                self._unkept = None
            if tokens.access != stale and tokens.fresh(self._clock()):
                return tokens.access
            return self._renew(tokens).access

    def _renew(self, tokens: Tokens) -> Tokens:
        now = self._clock()
        if tokens.renewing_at is None:
            self._keeper.keep(replace(tokens, renewing_at=now))
        form = {
            "grant_type": "refresh_token",
            "refresh_token": tokens.refresh,
            "client_id": self._client.id,
            "client_secret": self._client.secret,
        }
        new = granted(self._post, form, self._situation(Deed.RENEWAL, tokens), asked_at=now)
        renewed = replace(
            new,
            refresh=new.refresh or tokens.refresh,
            # Without `scope` in the answer it is what it was (RFC 6749 section 5.1).
            scopes=new.scopes or tokens.scopes,
            granted_at=tokens.granted_at,
            rotates=tokens.rotates or bool(new.refresh and new.refresh != tokens.refresh),
        )
        self._unkept = (tokens.refresh, renewed)
        self._keep(renewed)
        self._unkept = None
        lacking = frozenset(self._provider.scopes) - renewed.scopes
        if lacking:
            raise missing(lacking, self._situation(Deed.RENEWAL, renewed))
        return renewed

    def _keep(self, tokens: Tokens) -> None:
        """Keeps `tokens`, and tries so often that a database that restarts does not cost a login."""
        for seconds in _PAUSES:
            try:
                self._keeper.keep(tokens)
            except StoreError:
                self._pause(seconds)
            else:
                return
        self._keeper.keep(tokens)

    def _situation(self, deed: Deed, tokens: Tokens) -> Situation:
        return Situation(
            provider=self._provider,
            connection=self._connection,
            deed=deed,
            now=self._clock(),
            client=self._client.id,
            tokens=tokens,
        )
