"""Connections that a person or an administrator lets in by OAuth: their consent, their tokens, and their end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.bootstrap.site import now
from bridge.bootstrap.tokens import SealedTokens, TriedTokens
from bridge.errors import ConfigurationError
from bridge.upstream.oauth.client import Client
from bridge.upstream.oauth.consent import Consent
from bridge.upstream.oauth.google import AUTH_URL, REVOKE_URL, TOKEN_URL, google
from bridge.upstream.oauth.login import Login
from bridge.upstream.oauth.service_account import ServiceAccount, ServiceKey
from bridge.upstream.oauth.wire import Wire

if TYPE_CHECKING:
    from pathlib import Path

    from bridge.bootstrap.site import Site
    from bridge.config import Connection
    from bridge.upstream.oauth.keeper import Access
    from bridge.upstream.oauth.provider import Provider
    from bridge.upstream.oauth.tokens import Tokens


def consent_of(site: Site, key: str) -> Consent:
    """Asks a person for access on behalf of the connection `key`.

    Raises:
        NotFound: There is no such connection.
        ConfigurationError: Its client cannot be read.
    """
    connection = site.configuration.connection(key)
    return Consent(_provider(connection), _client(connection, key), connection=key, post=Wire().post, clock=now)


def login_of(site: Site, key: str, *, tried: Tokens | None = None) -> Login:
    """The login of a connection that a person has let in.

    Args:
        site: The installation.
        key: Of the connection.
        tried: Tokens that nobody keeps yet; None: those that are sealed.

    Raises:
        NotFound: There is no such connection.
        ConfigurationError: Its client cannot be read.
    """
    connection = site.configuration.connection(key)
    keeper = SealedTokens(site.database, site.keys, key) if tried is None else TriedTokens(tried)
    return Login(_provider(connection), _client(connection, key), keeper, connection=key, post=Wire().post, clock=now)


def access_of(site: Site, key: str, *, tried: Tokens | None = None) -> Access:
    """What gives the access tokens of a connection: a person's login, or a service account in somebody's name.

    Args:
        site: The installation.
        key: Of the connection.
        tried: Tokens that nobody keeps yet; None: those that are sealed.

    Raises:
        NotFound: There is no such connection.
        ConfigurationError: Its client or key cannot be read.
    """
    connection = site.configuration.connection(key)
    if connection.service_account_file is None:
        return login_of(site, key, tried=tried)
    return ServiceAccount(
        _provider(connection),
        ServiceKey.read(_text(connection.service_account_file, key)),
        subject=str(connection.subject),
        connection=key,
        post=Wire().post,
        clock=now,
    )


def _provider(connection: Connection) -> Provider:
    endpoints = connection.endpoints
    return google(
        auth_url=endpoints.auth or AUTH_URL,
        token_url=endpoints.token or TOKEN_URL,
        revoke_url=endpoints.revoke or REVOKE_URL,
    )


def _client(connection: Connection, key: str) -> Client:
    if connection.client_file is None:
        raise ConfigurationError(
            f"Nobody is asked for consent to the connection {key!r}: it has no `client_file`.",
            remedy="A service account is let in by the administrator of its Workspace.",
        )
    return Client.read(_text(connection.client_file, key))


def _text(file: Path, key: str) -> str:
    try:
        return file.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"{file}, which the connection {key!r} names, cannot be read.",
            remedy="Put it there, readable for this user; `calbridge check-config` says what is wrong with it.",
        ) from error
