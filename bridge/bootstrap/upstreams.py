"""Connections of the configuration become adapters; nowhere else is a concrete adapter named."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from bridge.bootstrap.site import now
from bridge.config import ConnectionType
from bridge.errors import CertificateRefused
from bridge.store import sealed
from bridge.upstream.caldav.adapter import CaldavUpstream
from bridge.upstream.ics_url.adapter import IcsUrlUpstream
from bridge.upstream.pace import Pace

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import tzinfo

    from bridge.bootstrap.site import Site
    from bridge.config import Connection
    from bridge.core.model import CalendarObject
    from bridge.upstream.protocol import Upstream


def sealed_name(key: str) -> str:
    """Under which name the password of a connection is sealed in the database."""
    return f"connection:{key}:password"


class Connections:
    """Opens the connections of an installation; everything that asks over one of them keeps to its pace."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._paces: dict[tuple[str, int, int], Pace] = {}

    def open(
        self,
        site: Site,
        key: str,
        parse: Callable[[bytes], CalendarObject],
        zone: tzinfo,
        *,
        password: str | None = None,
    ) -> Upstream:
        """Opens the connection `key`; nothing is asked yet.

        Args:
            site: The installation.
            key: Of the connection.
            parse: Reads the objects that it brings.
            zone: What their floating times mean.
            password: With which it is to be tried; None: the one that is configured or sealed.

        Raises:
            NotFound: There is no such connection.
            SealBroken: Its password was sealed with a key that is gone.
        """
        connection = site.configuration.connection(key)
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
