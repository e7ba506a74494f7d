"""Connections of the configuration become adapters; nowhere else is a concrete adapter named."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from bridge.bootstrap.logins import access_of
from bridge.bootstrap.site import now
from bridge.config import ConnectionType, fingerprint
from bridge.core.polling import Bucket
from bridge.errors import CertificateRefused
from bridge.store import allowance, sealed
from bridge.upstream.caldav.adapter import CaldavUpstream
from bridge.upstream.ics_url.adapter import IcsUrlUpstream
from bridge.upstream.pace import Pace

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime, tzinfo

    from bridge.bootstrap.site import Site
    from bridge.config import Connection
    from bridge.core.model import CalendarObject
    from bridge.upstream.oauth.keeper import Access
    from bridge.upstream.oauth.tokens import Tokens
    from bridge.upstream.protocol import Upstream


def sealed_name(key: str) -> str:
    """Under which name the password of a connection is sealed in the database."""
    return f"connection:{key}:password"


class Connections:
    """Opens the connections of an installation; everything that asks over one of them keeps to its pace."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._paces: dict[tuple[str, int, int], Pace] = {}
        self._accesses: dict[tuple[object, ...], Access] = {}

    def open(
        self,
        site: Site,
        key: str,
        parse: Callable[[bytes], CalendarObject],
        zone: tzinfo,
        *,
        password: str | None = None,
        tokens: Tokens | None = None,
    ) -> Upstream:
        """Opens the connection `key`; nothing is asked yet.

        Args:
            site: The installation.
            key: Of the connection.
            parse: Reads the objects that it brings.
            zone: What their floating times mean.
            password: With which it is to be tried; None: the one that is configured or sealed.
            tokens: With which it is to be tried; None: those that are sealed.

        Raises:
            NotFound: There is no such connection.
            SealBroken: Its password was sealed with a key that is gone.
            ConfigurationError: A file that it names cannot be read.
        """
        connection = site.configuration.connection(key)
        if connection.type is ConnectionType.GOOGLE:
            return self._google(site, key, parse, zone, tokens)
        password = password_of(site, key) if password is None else password
        if connection.type is ConnectionType.ICS:
            # It asks once for each poll: there is no pace to keep.
            return IcsUrlUpstream(
                url=connection.url,
                user=connection.user,
                password=password,
                parse=parse,
                zone=zone,
                now=now,
                allow_private=connection.allow_private,
                allow_files=True,
                ca_file=connection.ca_file,
            )
        return CaldavUpstream(
            url=connection.url,
            user=connection.user,
            password=password,
            parse=parse,
            verify=_authorities(connection),
            turn=self._pace(key, connection).turn,
        )

    def _google(
        self, site: Site, key: str, parse: Callable[[bytes], CalendarObject], zone: tzinfo, tokens: Tokens | None
    ) -> Upstream:
        # Not at the top: a site without Google need not carry its library.
        from bridge.upstream.google.adapter import GoogleUpstream  # noqa: PLC0415
        from bridge.upstream.google.service import API  # noqa: PLC0415

        connection = site.configuration.connection(key)
        return GoogleUpstream(
            access=self._access(site, key, connection) if tokens is None else access_of(site, key, tried=tokens),
            parse=parse,
            zone=zone,
            who=str(connection.subject or "this user"),
            endpoint=connection.endpoints.api or API,
            turn=self._quota_kept(site, key, connection).turn,
        )

    def _access(self, site: Site, key: str, connection: Connection) -> Access:
        """What all passes over a connection share, so that tokens are renewed once for all of them."""
        files = (connection.client_file, connection.service_account_file)
        # A client or a key that was exchanged counts at once.
        named = (
            key,
            connection.subject,
            connection.endpoints,
            *fingerprint(each for each in files if each is not None),
        )
        with self._lock:
            if named not in self._accesses:
                self._accesses[named] = access_of(site, key)
            return self._accesses[named]

    def end(self) -> None:
        """Lets no further request go over any of them."""
        with self._lock:
            for pace in self._paces.values():
                pace.end()

    def _pace(self, key: str, connection: Connection) -> Pace:
        with self._lock:
            named = (key, connection.rate, connection.parallel)
            if named not in self._paces:
                self._paces[named] = Pace(rate=connection.rate, parallel=connection.parallel, clock=now)
            return self._paces[named]

    def _quota_kept(self, site: Site, key: str, connection: Connection) -> Pace:
        """The pace of a connection whose provider refuses what is more than `rate` in a minute, whoever sends it."""
        bucket = Bucket.within(connection.rate)

        def shared(count: int) -> datetime:
            with site.database.writing() as tx:
                return allowance.take(tx, key, bucket, count)

        with self._lock:
            named = (key, connection.rate, connection.parallel)
            if named not in self._paces:
                self._paces[named] = Pace(
                    rate=connection.rate, parallel=connection.parallel, clock=now, bucket=bucket, shared=shared
                )
            return self._paces[named]


def _authorities(connection: Connection) -> bool | bytes:
    """Whom a connection trusts: the content of `ca_file`, so that a new one counts at once; True without one."""
    if connection.ca_file is None:
        return True
    try:
        return connection.ca_file.read_bytes()
    except OSError as error:
        raise CertificateRefused(
            f"The file of the authority to trust, {connection.ca_file}, cannot be read ({error.strerror}).",
            remedy="Put it where `ca_file` says, readable for the server.",
        ) from error


def password_of(site: Site, key: str) -> str:
    """The password of a connection, from the configuration or as it was sealed; empty where there is none.

    Raises:
        SealBroken: It was sealed with a key that is gone.
    """
    connection = site.configuration.connection(key)
    if connection.password is not None:
        return connection.password.get_secret_value()
    with site.database.reading() as tx:
        kept = sealed.recall(tx, site.keys, sealed_name(key))
    return "" if kept is None else kept.decode()
