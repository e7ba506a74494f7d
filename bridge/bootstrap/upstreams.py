"""Connections of the configuration become adapters; nowhere else is a concrete adapter named."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.bootstrap.site import now
from bridge.config import ConnectionType
from bridge.store import sealed
from bridge.upstream.caldav.adapter import CaldavUpstream
from bridge.upstream.ics_url.adapter import IcsUrlUpstream

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


def connect(site: Site, key: str, parse: Callable[[bytes], CalendarObject], zone: tzinfo) -> Upstream:
    """Opens the connection `key`; nothing is asked yet.

    Args:
        site: The installation.
        key: Of the connection.
        parse: Reads the objects that it brings.
        zone: What their floating times mean.

    Raises:
        NotFound: There is no such connection.
        SealBroken: Its password was sealed with a key that is gone.
    """
    connection = site.configuration.connection(key)
    password = password_of(site, key)
    if connection.type is ConnectionType.ICS:
        return _ics(connection, password, parse, zone)
    return CaldavUpstream(
        url=connection.url,
        user=connection.user,
        password=password,
        parse=parse,
        verify=True if connection.ca_file is None else str(connection.ca_file),
    )


def _ics(connection: Connection, password: str, parse: Callable[[bytes], CalendarObject], zone: tzinfo) -> Upstream:
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
