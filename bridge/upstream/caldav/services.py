"""A mail domain tells in its DNS where its calendars are (RFC 6764)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import dns.exception
import dns.resolver

_SECONDS = 5.0
_HTTPS = 443


@dataclass(frozen=True, slots=True)
class Service:
    """One CalDAV server of a domain, spoken to by TLS.

    Attributes:
        host: Its name.
        port: Its port.
        path: Where its calendars begin, or empty where the domain does not say.
    """

    host: str
    port: int = _HTTPS
    path: str = ""

    @property
    def url(self) -> str:
        """Where to begin; without a path at the well-known place (RFC 6764 section 6)."""
        port = "" if self.port == _HTTPS else f":{self.port}"
        return f"https://{self.host}{port}{self.path or '/.well-known/caldav'}"


Resolver = Callable[[str], Sequence[Service]]
"""Gives the services of a domain, best first; none where there are none, or no name server answers."""


def look_up(domain: str, *, servers: dns.resolver.Resolver | None = None) -> Sequence[Service]:
    """The services that the DNS knows for `domain`: SRV records for TLS, and the path of a TXT record.

    Args:
        domain: What stands behind the @ of a mail address.
        servers: The name servers to ask; None: those of this machine.
    """
    name = f"_caldavs._tcp.{domain}"
    records = sorted(_records(name, "SRV", servers), key=lambda record: (record.priority, -record.weight))
    hosts = [(str(record.target).rstrip("."), int(record.port)) for record in records]
    if not any(host for host, _ in hosts):
        return ()
    path = _path(name, servers)
    # A target of '.' says that the domain has no such service.
    return tuple(Service(host=host.lower(), port=port, path=path) for host, port in hosts if host)


def _path(name: str, servers: dns.resolver.Resolver | None) -> str:
    texts = (part.decode("utf-8", "replace") for record in _records(name, "TXT", servers) for part in record.strings)
    told = (text.partition("=")[2] for text in texts if text.lower().startswith("path="))
    return next((path for path in told if path.startswith("/")), "")


def _records(name: str, kind: str, servers: dns.resolver.Resolver | None) -> list[Any]:
    try:
        return list((servers or dns.resolver.get_default_resolver()).resolve(name, kind, lifetime=_SECONDS))
    except (dns.exception.DNSException, OSError, UnicodeError):
        return []
