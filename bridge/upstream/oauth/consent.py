"""A person agrees: the way to the provider's consent page and back, with PKCE and state (RFC 6749, RFC 7636)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from bridge.errors import ConfigurationError, LoginRefused
from bridge.upstream.oauth.granting import granted
from bridge.upstream.oauth.provider import Deed
from bridge.upstream.oauth.refusals import Denial, Situation, missing, refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from bridge.upstream.oauth.client import Client
    from bridge.upstream.oauth.granting import Post
    from bridge.upstream.oauth.provider import Provider
    from bridge.upstream.oauth.tokens import Tokens

_OCTETS: Final = 32
_MOST_FIELDS: Final = 30
_LONGEST_ANSWER: Final = 16 * 1024


@dataclass(frozen=True, slots=True)
class Begun:
    """A consent that a person was sent to; whoever sent them keeps it until they come back, and uses it once.

    Attributes:
        url: Of the consent page.
        redirect: Where the provider sends the browser afterwards.
        state: Comes back with the browser: it shows that the answer belongs to this consent (RFC 6749 section 10.12).
        verifier: Shows the provider that whoever brings the code has asked for it (RFC 7636 section 4.1).
    """

    url: str = field(repr=False)
    redirect: str
    state: str = field(repr=False)
    verifier: str = field(repr=False)


class Consent:
    """Asks a person for access on behalf of one connection.

    Args:
        provider: Who grants it.
        client: How the provider knows us.
        connection: Key of the connection in the configuration.
        post: Sends a form.
        clock: Gives the present instant, UTC.
    """

    def __init__(
        self, provider: Provider, client: Client, *, connection: str, post: Post, clock: Callable[[], datetime]
    ) -> None:
        self._provider = provider
        self._client = client
        self._connection = connection
        self._post = post
        self._clock = clock

    def __repr__(self) -> str:
        return f"Consent({self._provider.name}, connection={self._connection!r})"

    def begin(self, redirect: str, *, account: str = "") -> Begun:
        """The address of the consent page, and what has to be kept until the browser comes back.

        Args:
            redirect: Where it is to come back to.
            account: Mail address of the account that is offered first; empty offers all.

        Raises:
            ConfigurationError: The provider would not let it come back there.
        """
        if self._client.redirects and redirect not in self._client.redirects:
            raise ConfigurationError(
                f"The client of connection {self._connection!r} is one for web pages, and {self._provider.name} does "
                f"not send a browser back to {redirect} for it.",
                remedy="Make an OAuth client of the type 'Desktop app' and name its file, or add this address to the "
                "client's redirect addresses and download its file anew.",
            )
        state, verifier = secrets.token_urlsafe(_OCTETS), secrets.token_urlsafe(_OCTETS)
        asked = {
            **self._provider.extra,
            "response_type": "code",
            "client_id": self._client.id,
            "redirect_uri": redirect,
            "scope": " ".join(self._provider.scopes),
            "state": state,
            "code_challenge": _challenge(verifier),
            "code_challenge_method": "S256",
            **({"login_hint": account} if account else {}),
        }
        parts = urlsplit(self._provider.auth_url)
        query = "&".join(filter(None, (parts.query, urlencode(asked))))
        return Begun(url=urlunsplit(parts._replace(query=query)), redirect=redirect, state=state, verifier=verifier)

    def finish(self, parameters: Mapping[str, str], begun: Begun) -> Tokens:
        """The tokens that a person has granted, to be kept by `Login.keep`.

        Args:
            parameters: What the browser brought back, by name (`parameters_of` reads an address).
            begun: What `begin` gave.

        Raises:
            LoginRefused: The answer belongs to another consent, the person or the provider refused, or not all scopes
                were granted.
            UpstreamUnavailable: The provider cannot be asked now.
        """
        # First of all: of an answer to somebody else's question nothing is believed, not even that it is a refusal.
        if not hmac.compare_digest(parameters.get("state", "").encode(), begun.state.encode()):
            raise LoginRefused(
                "The answer that came back does not belong to the consent page that was opened last.",
                remedy=f"Run `calbridge connect {self._connection}` again, and finish the page that it opens.",
            )
        now = self._clock()
        at = Situation(
            provider=self._provider, connection=self._connection, deed=Deed.CONSENT, now=now, client=self._client.id
        )
        denial = Denial.read(parameters)
        if denial is not None:
            raise refusal(denial, at)
        code = parameters.get("code", "")
        if not code:
            raise LoginRefused(
                f"The answer of {self._provider.name} holds neither a code nor an error.",
                remedy=f"Run `calbridge connect {self._connection}` again, and finish the page that it opens.",
            )
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": begun.redirect,
            "client_id": self._client.id,
            "client_secret": self._client.secret,
            "code_verifier": begun.verifier,
        }
        tokens = granted(self._post, form, replace(at, deed=Deed.CODE), asked_at=now)
        wanted = frozenset(self._provider.scopes)
        # Without `scope` in the answer it is what was asked for (RFC 6749 section 5.1).
        tokens = replace(tokens, scopes=tokens.scopes or wanted)
        if wanted - tokens.scopes:
            raise missing(wanted - tokens.scopes, at)
        if not tokens.refresh:
            raise LoginRefused(
                f"{self._provider.name} gave access for an hour only, without a token that renews it.",
                remedy=f"Remove the app from the connections of the account at {self._provider.name}, and run "
                f"`calbridge connect {self._connection}` again.",
            )
        return tokens


def parameters_of(address: str) -> Mapping[str, str]:
    """What an address carries that a browser was sent back to, or its query alone.

    Raises:
        LoginRefused: It carries nothing of the kind, or something twice (RFC 6749 section 3.1).
    """
    before, mark, after = address.strip().partition("?")
    query = (after if mark else before).partition("#")[0]
    try:
        pairs = parse_qsl(query, max_num_fields=_MOST_FIELDS) if len(query) <= _LONGEST_ANSWER else []
    except ValueError:
        pairs = []
    found = dict(pairs)
    if len(found) != len(pairs) or not found.keys() & {"code", "error"}:
        raise LoginRefused(
            "This is not the address that the browser ends up at after the consent page.",
            remedy="Copy the whole address out of the browser's address bar; it holds 'state=' and 'code='.",
        )
    return found


def _challenge(verifier: str) -> str:
    digest = hashlib.sha256(verifier.encode("ascii")).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")
