"""One address has one spelling here, however a server or a person writes it, and belongs to one site.

Servers answer the same href as a path or an absolute URL, percent-encoded or with raw blanks and umlauts. Compared is
the normal form: each path segment with every octet encoded that RFC 3986 section 3.3 does not allow bare, in upper-case
hex. The hrefs of objects are kept as paths, since a server may name them on any of its hosts.
"""

from __future__ import annotations

import re
from functools import lru_cache
from ipaddress import ip_address
from urllib.parse import quote, unquote_to_bytes, urljoin, urlsplit, urlunsplit

_BARE = "-._~!$&'()*+,;=:@"
_COUNTRY = 2
"""Letters of a country's domain."""

_AUTHORITY = re.compile(r"^(?:[A-Za-z][A-Za-z0-9+.-]*:)?//[^/?#]*")
_QUERY = re.compile(r"[?#].*", re.DOTALL)
_NORMAL_PATH = re.compile(r"(?:/[A-Za-z0-9._~-]+)+/?")
_REMEMBERED = 1024
_PORTS = {"http": 80, "https": 443}
_UNSAFE = "".join(map(chr, (*range(0x21), 0x7F, 0x22, 0x3C, 0x3E, 0x5C, 0x5E, 0x60, 0x7B, 0x7C, 0x7D)))
_SHARED_SUFFIXES = frozenset({
    "ac", "co", "com", "edu", "gob", "gouv", "gov", "gv", "ltd", "ne", "net", "nom", "or", "org", "plc", "sch",
})  # fmt: skip
_HOSTED_SUFFIXES = frozenset({
    "ddns.net", "ddnss.de", "dedyn.io", "duckdns.org", "dyndns.org", "dynv6.net", "dynu.net", "feste-ip.net",
    "firewall-gateway.com", "freeddns.org", "github.io", "home.dyndns.org", "homeip.net", "hopto.org", "i234.me",
    "myds.me", "myfritz.net", "myqnapcloud.com", "no-ip.org", "pages.dev", "selfhost.eu", "spdns.de", "strato.de",
    "synology.me", "ts.net", "your-server.de", "your-storageshare.de", "zapto.org",
})  # fmt: skip
"""Domains under which every name belongs to somebody else: dynamic DNS and shared hosting."""


@lru_cache(maxsize=_REMEMBERED)
def path_of(href: str) -> str:
    """The path of an href or URL in normal form, whatever stands there; query and fragment do not belong to it."""
    if _NORMAL_PATH.fullmatch(href):
        return href
    path = _QUERY.sub("", _AUTHORITY.sub("", href.strip()))
    return "/".join(quote(unquote_to_bytes(segment), safe=_BARE) for segment in path.split("/"))


def collection_url(url: str) -> str:
    """The URL of a collection in normal form: scheme and host in lower case, no default port, a slash at the end.

    Raises:
        ValueError: It is no absolute http or https URL with a host.
    """
    return f"{resource_url(url).rstrip('/')}/"


def resource_url(url: str) -> str:
    """An absolute URL in normal form, without user, query and fragment.

    Raises:
        ValueError: It is no absolute http or https URL with a host.
    """
    parts = urlsplit(_clean(url))
    if parts.scheme not in _PORTS or not parts.hostname:
        raise ValueError(f"{url[:200]!r} is no http or https address")
    return urlunsplit((parts.scheme, authority(url), path_of(url) or "/", "", ""))


def authority(url: str) -> str:
    """Host, and port where it is not the scheme's own, in lower case."""
    parts = urlsplit(url)
    host = (parts.hostname or "").rstrip(".")
    shown = f"[{host}]" if ":" in host else host
    return shown if parts.port in {None, _PORTS.get(parts.scheme)} else f"{shown}:{parts.port}"


def absolute(base: str, href: str) -> str:
    """The URL that `href` names in an answer from `base` (RFC 4918 section 8.3), in normal form.

    Where `base` is spoken to by https, an http address of the same host means the same by https: servers behind a
    proxy that ends TLS often do not know how they are reached.

    Raises:
        ValueError: It names no http or https address.
    """
    url = resource_url(urljoin(base, _clean(href)))
    plain = f"http://{urlsplit(url).hostname}/"
    if base.startswith("https://") and url.startswith(plain) and host_of(url) == host_of(base):
        return resource_url(f"https://{authority(base)}/{url.removeprefix(plain)}")
    return url


def host_of(url: str) -> str:
    """The host of a URL, in lower case, without port."""
    return (urlsplit(url).hostname or "").rstrip(".")


def same_site(named: str, other: str) -> bool:
    """Whether credentials for the host `named` may be shown to the host `other`.

    They may where both are the same host, or belong to one registrable domain. What is registrable is judged without
    the public suffix list, and in doubt narrowly: `co.uk` and the names of dynamic DNS services are nobody's own.
    """
    return named == other or (site(named) != "" and site(named) == site(other))


def site(host: str) -> str:
    """The registrable domain of a host; empty for an address or a single label, which are sites by themselves."""
    labels = host.lower().rstrip(".").split(".")
    if len(labels) == 1 or _is_address(host):
        return ""
    suffix = 1 + (len(labels[-1]) == _COUNTRY and labels[-2] in _SHARED_SUFFIXES)
    for hosted in _HOSTED_SUFFIXES:
        if host == hosted or host.endswith(f".{hosted}"):
            suffix = max(suffix, hosted.count(".") + 1)
    return ".".join(labels[-suffix - 1 :]) if len(labels) > suffix else ""


def is_loopback(host: str) -> bool:
    """Whether a host is this machine itself."""
    return host == "localhost" or (_is_address(host) and ip_address(host).is_loopback)


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _clean(href: str) -> str:
    # `urlsplit` would remove line breaks, and strip blanks, in the middle of a name.
    return "".join(f"%{ord(char):02X}" if char in _UNSAFE else char for char in href.strip())
