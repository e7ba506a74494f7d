"""A host may only be asked at an address that this server is allowed to ask.

Without this, whoever may enter a URL could let the server read what only the server can reach: its own loopback, the
network that it stands in, or the metadata service of a cloud.
"""

from __future__ import annotations

import socket
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import TYPE_CHECKING, Final

from bridge.errors import AddressRefused, HostUnknown, UpstreamUnavailable

if TYPE_CHECKING:
    from collections.abc import Sequence

# These hand out the credentials of a cloud machine to whoever asks from it (AWS, Azure, Google; Oracle; Alibaba).
_METADATA: Final = frozenset(map(ip_address, ("169.254.169.254", "192.0.0.192", "100.100.100.200", "fd00:ec2::254")))
# RFC 6052: the last 32 bits are an IPv4 address.
_NAT64: Final = IPv6Network("64:ff9b::/96")
_LAST_32: Final = 0xFFFFFFFF


def resolve(host: str, port: int) -> tuple[str, ...]:
    """The addresses of a host, as this machine's name servers tell, in the order in which to try them.

    Raises:
        HostUnknown: There is no such host.
        UpstreamUnavailable: No name server answers.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        if error.errno == socket.EAI_AGAIN:
            raise UpstreamUnavailable(
                f"No name server tells where '{host}' is.", remedy="Check the network of this server."
            ) from error
        raise HostUnknown(f"There is no host '{host}'.", remedy="Check the address for typing errors.") from error
    except UnicodeError as error:
        raise HostUnknown(f"'{host}' is no name of a host.", remedy="Check the address for typing errors.") from error
    return tuple(dict.fromkeys(str(entry[4][0]) for entry in found))


def allowed(host: str, addresses: Sequence[str], *, allow_private: bool) -> tuple[str, ...]:
    """Those of the addresses of a host that may be asked.

    Public ones may. Private ones (RFC 1918, RFC 4193, RFC 6598, loopback) may where `allow_private`. Metadata services,
    link-local, multicast and reserved ones never. An IPv4 address within an IPv6 one counts as what it is.

    Raises:
        AddressRefused: None of them may.
    """
    refused = {address: _refusal(ip_address(address), allow_private=allow_private) for address in addresses}
    kept = tuple(address for address, reason in refused.items() if not reason)
    if not kept:
        reason = next(iter(refused.values()), "no address at all")
        raise AddressRefused(
            f"'{host}' is not asked: it has {reason}.",
            remedy="If it is yours, set `allow_private: true` for this connection." if _PRIVATE in reason else "",
        )
    return kept


_PRIVATE = "a private address"


def _refusal(address: IPv4Address | IPv6Address, *, allow_private: bool) -> str:
    """Why an address may not be asked; empty where it may."""
    if isinstance(address, IPv6Address):
        inner = _embedded(address)
        if inner is not None:
            return _refusal(inner, allow_private=allow_private)
    if address in _METADATA:
        return "the address of a metadata service"
    if address.is_multicast or address.is_unspecified or address.is_link_local or _is_reserved(address):
        return "an address that no calendar has"
    site_local = isinstance(address, IPv6Address) and address.is_site_local
    return "" if allow_private or (address.is_global and not site_local) else _PRIVATE


def _is_reserved(address: IPv4Address | IPv6Address) -> bool:
    # The loopback of IPv6 lies in a reserved range.
    return address.is_reserved and not address.is_loopback


def _embedded(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address that packets to an IPv6 address end at."""
    if address in _NAT64:
        return IPv4Address(int(address) & _LAST_32)
    return address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1]
