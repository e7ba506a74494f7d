"""A service account acts in the name of a user, because the administrator of its domain allows that (RFC 7523).

https://developers.google.com/identity/protocols/oauth2/service-account#delegatingauthority
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from google.auth import crypt, jwt

from bridge.errors import ConfigurationError
from bridge.upstream.oauth.flight import SingleFlight
from bridge.upstream.oauth.granting import granted
from bridge.upstream.oauth.provider import Deed
from bridge.upstream.oauth.refusals import Situation

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from bridge.upstream.oauth.granting import Post
    from bridge.upstream.oauth.provider import Provider
    from bridge.upstream.oauth.tokens import Tokens

_GRANT: Final = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_LIFE: Final = timedelta(hours=1)
"""The longest life that Google takes for an assertion."""


@dataclass(frozen=True, slots=True)
class ServiceKey:
    """The key of a service account, as Google's console gives it out.

    Attributes:
        email: Names the service account.
        client_id: Its number, which an administrator enters for domain-wide delegation.
        key_id: Which of its keys this is.
        private_key: In PEM.
        audience: Who is to take what it signs.
    """

    email: str
    client_id: str
    key_id: str
    private_key: str = field(repr=False)
    audience: str

    @classmethod
    def read(cls, text: str) -> ServiceKey:
        """The key in a JSON file.

        Raises:
            ConfigurationError: It is something else.
        """
        try:
            content: Any = json.loads(text)
        except (ValueError, RecursionError):
            content = None
        found = content if isinstance(content, dict) and content.get("type") == "service_account" else {}
        needed = ("client_email", "client_id", "private_key_id", "private_key", "token_uri")
        if not all(isinstance(found.get(name), str) and found[name] for name in needed):
            raise _no_key()
        try:
            _signer(found["private_key"])
        except (ValueError, TypeError):
            # The cause may quote the key.
            raise _no_key() from None
        email, client_id, key_id, private_key, audience = (found[name] for name in needed)
        return cls(email=email, client_id=client_id, key_id=key_id, private_key=private_key, audience=audience)


class ServiceAccount:
    """Access in the name of one user of a domain; shared by threads.

    Nothing is kept: another token can be had at any time.

    Args:
        provider: Who grants it.
        key: Of the service account.
        subject: Mail address of the user, in whose name everything is done.
        connection: Key of the connection in the configuration.
        post: Sends a form.
        clock: Gives the present instant, UTC.
    """

    def __init__(
        self,
        provider: Provider,
        key: ServiceKey,
        *,
        subject: str,
        connection: str,
        post: Post,
        clock: Callable[[], datetime],
    ) -> None:
        self._provider = provider
        self._key = key
        self._subject = subject
        self._connection = connection
        self._post = post
        self._clock = clock
        self._flight = SingleFlight()
        self._tokens: Tokens | None = None

    def __repr__(self) -> str:
        return f"ServiceAccount({self._key.email!r}, subject={self._subject!r})"

    def access_token(self) -> str:
        """A token that is good for some minutes at least.

        Raises:
            LoginRefused: The service account may not act for the user, or its key is not good any more.
            UpstreamUnavailable: The provider cannot be asked now.
        """
        tokens = self._tokens
        if tokens is not None and tokens.fresh(self._clock()):
            return tokens.access
        return self._flight.run(partial(self._renewed, "" if tokens is None else tokens.access))

    def refused(self, token: str) -> str:
        """Another token in place of `token`, which the provider has just refused though it should have been good.

        Raises:
            LoginRefused: The service account may not act for the user, or its key is not good any more.
            UpstreamUnavailable: The provider cannot be asked now.
        """
        return self._flight.run(partial(self._renewed, token))

    def _renewed(self, stale: str) -> str:
        now = self._clock()
        if self._tokens is None or self._tokens.access == stale or not self._tokens.fresh(now):
            at = Situation(
                provider=self._provider,
                connection=self._connection,
                deed=Deed.ASSERTION,
                now=now,
                client=self._key.client_id,
                subject=self._subject,
            )
            form = {"grant_type": _GRANT, "assertion": self._assertion(now)}
            self._tokens = granted(self._post, form, at, asked_at=now)
        return self._tokens.access

    def _assertion(self, now: datetime) -> str:
        claims = {
            "iss": self._key.email,
            "sub": self._subject,
            "scope": " ".join(sorted(self._provider.scopes)),
            "aud": self._key.audience,
            "iat": int(now.timestamp()),
            "exp": int((now + _LIFE).timestamp()),
        }
        signer = _signer(self._key.private_key, self._key.key_id)
        signed: bytes = jwt.encode(signer, claims)  # type: ignore[no-untyped-call]  # the library is typed in part
        return signed.decode("ascii")


def _signer(private_key: str, key_id: str = "") -> crypt.RSASigner:
    # The library is typed in part.
    return crypt.RSASigner.from_string(private_key, key_id)  # type: ignore[no-any-return, no-untyped-call]


def _no_key() -> ConfigurationError:
    return ConfigurationError(
        "This is no key of a service account as Google's console gives it out.",
        remedy="Make a key of the kind JSON for the service account, and name its file as `service_account_file` of "
        "the connection.",
    )
