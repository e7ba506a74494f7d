"""Who may act for whom: OAuth clients, what people granted to them, codes and tokens, and when each of them dies."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from tests.fakes.google.exchange import Caller

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tests.fakes.google.state import World

ACCESS_LIFE = timedelta(seconds=3600)
_CODE_LIFE = timedelta(minutes=10)
_TESTING_LIFE = timedelta(days=7)
_UNUSED_LIFE = timedelta(days=183)
_MOST_PER_USER = 100
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_DEAD = "Token has been expired or revoked."
# What the libraries sign for, wherever they send it.
_AUDIENCE = "https://oauth2.googleapis.com/token"
_JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"


@dataclass(slots=True)
class OauthError(Exception):
    """What the token endpoint refuses, as RFC 6749 section 5.2 has it."""

    error: str
    description: str = ""
    status: int = 400

    def answer(self) -> dict[str, str]:
        """The body of the answer."""
        return {"error": self.error} | ({"error_description": self.description} if self.description else {})


@dataclass(slots=True)
class Client:
    """An OAuth client of a project at Google.

    Attributes:
        kind: "installed" (a desktop app) or "web".
        testing: The consent screen is in testing mode: refresh tokens die after 7 days.
        testers: In testing mode, who may consent; empty: everybody.
        internal: The only Workspace domain whose people may consent; empty: anybody.
        rotates: Each refresh gives a new refresh token, and the old one dies.
    """

    id: str
    secret: str
    kind: str = "installed"
    redirects: tuple[str, ...] = ("http://localhost",)
    testing: bool = False
    testers: tuple[str, ...] = ()
    internal: str = ""
    rotates: bool = False
    deleted: bool = False

    def takes(self, redirect: str) -> bool:
        """Whether a redirect goes to where the client said; to any port of loopback for an installed one."""
        parts = urlsplit(redirect)
        if self.kind == "installed":
            return parts.scheme == "http" and parts.hostname in _LOOPBACK
        return redirect in self.redirects

    def file(self, auth: str, token: str) -> dict[str, Any]:
        """What a person downloads at Google as the client's JSON file."""
        return {
            self.kind: {
                "client_id": self.id,
                "project_id": "fake-project",
                "auth_uri": auth,
                "token_uri": token,
                "auth_provider_x509_cert_url": "https://www.googleapis.com/oauth2/v1/certs",
                "client_secret": self.secret,
                "redirect_uris": list(self.redirects),
            }
        }


@dataclass(slots=True)
class Grant:
    """What somebody granted: one refresh token."""

    user: str
    client: Client
    scopes: tuple[str, ...]
    granted_at: datetime
    used_at: datetime
    revoked: bool = False


@dataclass(slots=True)
class _Code:
    grant: Grant
    redirect: str
    challenge: str
    method: str
    expires_at: datetime
    offline: bool


@dataclass(slots=True)
class Robot:
    """A service account.

    Attributes:
        delegated: The scopes that the administrator of each Workspace domain allowed it, by domain.
    """

    email: str
    client_id: str
    key: rsa.RSAPrivateKey = field(repr=False)
    delegated: dict[str, frozenset[str]] = field(default_factory=dict)
    disabled: bool = False

    def file(self, token: str) -> dict[str, str]:
        """What a person downloads at Google as the key of the account."""
        pem = self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return {
            "type": "service_account",
            "project_id": "fake-project",
            "private_key_id": "1",
            "private_key": pem.decode(),
            "client_email": self.email,
            "client_id": self.client_id,
            "token_uri": token,
        }


class Grants:
    """All of it.

    Args:
        world: Whose people they are.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self.clients: dict[str, Client] = {}
        self.robots: dict[str, Robot] = {}
        self.refresh: dict[str, Grant] = {}
        self.access: dict[str, tuple[Caller, datetime | None, Grant | None]] = {}
        self.codes: dict[str, _Code] = {}
        self.blocked_domains: set[str] = set()
        self.refreshes = 0

    def add_client(self, **said: Any) -> Client:
        """A client with an id and a secret of its own; `said` are fields of `Client`."""
        name = f"{self.world.new_id(12)}.apps.googleusercontent.com"
        client = Client(**{"id": name, "secret": f"GOCSPX-{self.world.new_id(28)}", **said})
        self.clients[client.id] = client
        return client

    def add_robot(self, name: str, *, domain: str = "", scopes: Iterable[str] = ()) -> Robot:
        """A service account, with domain-wide delegation where a domain is named."""
        email = f"{name}@fake-project.iam.gserviceaccount.com"
        robot = Robot(email, self.world.new_id(21), rsa.generate_private_key(65537, 2048))
        if domain:
            robot.delegated[domain] = frozenset(scopes)
        self.robots[email] = robot
        if email not in self.world.people:
            self.world.add_person(email)
        return robot

    def caller(self, token: str) -> Caller | None:
        """Whom an access token stands for; None where it is not valid."""
        caller, expires_at, grant = self.access.get(token, (None, None, None))
        if caller is None or (grant is not None and grant.revoked):
            return None
        return None if expires_at is not None and expires_at <= self.world.clock() else caller

    def give(self, caller: Caller) -> str:
        """An access token that never expires."""
        token = f"ya29.{self.world.new_id(40)}"
        self.access[token] = (caller, None, None)
        return token

    def consented(self, client: Client, user: str, scopes: tuple[str, ...], asked: Mapping[str, str]) -> str:
        """The code that goes back to the client after somebody said yes."""
        now = self.world.clock()
        before = any(each.user == user and each.client is client and not each.revoked for each in self.refresh.values())
        offline = client.kind == "installed" or (
            asked.get("access_type") == "offline" and (not before or "consent" in asked.get("prompt", ""))
        )
        code = f"4/0{self.world.new_id(40)}"
        method = asked.get("code_challenge_method", "plain") if asked.get("code_challenge") else ""
        self.codes[code] = _Code(
            Grant(user, client, scopes, now, now),
            asked.get("redirect_uri", ""),
            asked.get("code_challenge", ""),
            method,
            now + _CODE_LIFE,
            offline,
        )
        return code

    def revoke_user(self, user: str) -> None:
        """The user takes back all that was granted, at Google's own page."""
        for grant in self.refresh.values():
            if grant.user == user:
                grant.revoked = True

    def revoke(self, token: str) -> None:
        """The endpoint for it: ends the whole grant, whichever of its tokens is named.

        Raises:
            OauthError: There is no such token.
        """
        grant = self.refresh.get(token) or self.access.get(token, (None, None, None))[2]
        if grant is None or grant.revoked:
            raise OauthError("invalid_token", "Token expired or revoked")
        grant.revoked = True

    def token(self, form: Mapping[str, str], endpoint: str) -> dict[str, Any]:
        """What the token endpoint answers.

        Raises:
            OauthError: Nothing is given.
        """
        kind = form.get("grant_type", "")
        if kind == _JWT_BEARER:
            return self._for_robot(form.get("assertion", ""), endpoint)
        client = self._client(form)
        if kind == "authorization_code":
            return self._for_code(client, form)
        if kind == "refresh_token":
            return self._for_refresh(client, form.get("refresh_token", ""))
        raise OauthError("unsupported_grant_type", f"Invalid grant_type: {kind}")

    def _client(self, form: Mapping[str, str]) -> Client:
        client = self.clients.get(form.get("client_id", ""))
        if client is None:
            raise OauthError("invalid_client", "The OAuth client was not found.", 401)
        if client.deleted:
            raise OauthError("deleted_client", "The OAuth client was deleted.", 401)
        if not hmac.compare_digest(client.secret, form.get("client_secret", "")):
            raise OauthError("invalid_client", "Unauthorized", 401)
        return client

    def _for_code(self, client: Client, form: Mapping[str, str]) -> dict[str, Any]:
        code = self.codes.pop(form.get("code", ""), None)
        if code is None or code.grant.client is not client or code.expires_at <= self.world.clock():
            raise OauthError("invalid_grant", "Malformed auth code." if code is None else "Bad Request")
        if form.get("redirect_uri", "") != code.redirect:
            raise OauthError("redirect_uri_mismatch", "Bad Request")
        _check_verifier(code, form.get("code_verifier", ""))
        answer = self._access_of(code.grant)
        if code.offline:
            answer["refresh_token"] = self._refresh_of(code.grant)
            if client.testing:
                answer["refresh_token_expires_in"] = int(_TESTING_LIFE.total_seconds()) - 1
        return answer

    def _for_refresh(self, client: Client, token: str) -> dict[str, Any]:
        self.refreshes += 1
        grant = self.refresh.get(token)
        now = self.world.clock()
        if grant is None or grant.client is not client:
            raise OauthError("invalid_grant", "Bad Request")
        if grant.revoked or now - grant.used_at >= _UNUSED_LIFE:
            raise OauthError("invalid_grant", _DEAD)
        if client.testing and now - grant.granted_at >= _TESTING_LIFE:
            raise OauthError("invalid_grant", _DEAD)
        grant.used_at = now
        answer = self._access_of(grant)
        if client.rotates:
            del self.refresh[token]
            answer["refresh_token"] = self._refresh_of(grant)
        return answer

    def _refresh_of(self, grant: Grant) -> str:
        token = f"1//0{self.world.new_id(40)}"
        mine = [name for name, each in self.refresh.items() if each.user == grant.user and each.client is grant.client]
        for name in mine[: max(0, len(mine) + 1 - _MOST_PER_USER)]:
            self.refresh[name].revoked = True
        self.refresh[token] = grant
        return token

    def _access_of(self, grant: Grant) -> dict[str, Any]:
        caller = Caller(grant.user, frozenset(grant.scopes))
        return self._access(caller, grant) | {"scope": " ".join(grant.scopes)}

    def _access(self, caller: Caller, grant: Grant | None) -> dict[str, Any]:
        token = f"ya29.{self.world.new_id(40)}"
        self.access[token] = (caller, self.world.clock() + ACCESS_LIFE, grant)
        return {"access_token": token, "expires_in": int(ACCESS_LIFE.total_seconds()) - 1, "token_type": "Bearer"}

    def _for_robot(self, assertion: str, endpoint: str) -> dict[str, Any]:
        robot, claims = self._read(assertion)
        if claims.get("aud") not in {endpoint, _AUDIENCE}:
            raise OauthError("invalid_grant", "Invalid JWT: Failed audience check.")
        # The client signs with the clock of its machine, whatever the clock here says.
        now = datetime.now(UTC).timestamp()
        if not claims.get("iat", 0) - 300 <= now <= claims.get("exp", 0) <= now + 3900:
            raise OauthError(
                "invalid_grant",
                "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your "
                "iat and exp values in the JWT claim.",
            )
        scopes = frozenset(str(claims.get("scope", "")).split())
        subject = str(claims.get("sub") or "")
        if not subject or subject == robot.email:
            return self._access(Caller(robot.email, scopes, robot=True), None)
        if subject not in self.world.people:
            raise OauthError("invalid_grant", "Invalid email or User ID")
        if not scopes or not scopes <= robot.delegated.get(subject.rpartition("@")[2], frozenset()):
            raise OauthError(
                "unauthorized_client",
                "Client is unauthorized to retrieve access tokens using this method, or client not authorized for any "
                "of the scopes requested.",
                401,
            )
        return self._access(Caller(subject, scopes), None)

    def _read(self, assertion: str) -> tuple[Robot, dict[str, Any]]:
        try:
            head, payload, signature = assertion.split(".")
            claims: dict[str, Any] = json.loads(_decoded(payload))
            robot = self.robots[claims["iss"]]
            signed = f"{head}.{payload}".encode()
            robot.key.public_key().verify(_decoded(signature), signed, padding.PKCS1v15(), hashes.SHA256())
        except KeyError as error:
            raise OauthError("invalid_grant", "Invalid grant: account not found") from error
        except (ValueError, InvalidSignature) as error:
            raise OauthError("invalid_grant", "Invalid JWT Signature.") from error
        if robot.disabled:
            raise OauthError("invalid_grant", "Invalid grant: account not found")
        return robot, claims


def _check_verifier(code: _Code, verifier: str) -> None:
    """RFC 7636 section 4.6."""
    if not code.challenge:
        return
    if not verifier:
        raise OauthError("invalid_grant", "Missing code verifier.")
    digest = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    if not hmac.compare_digest(digest if code.method == "S256" else verifier, code.challenge):
        raise OauthError("invalid_grant", "Invalid code verifier.")


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
