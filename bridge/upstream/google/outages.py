"""Every failure on the way to Google, of the network, of TLS or of a name, becomes one of our errors here."""

from __future__ import annotations

import socket
import ssl
from typing import TYPE_CHECKING

import requests
import urllib3

from bridge.errors import CertificateRefused, HostUnknown, UpstreamError, UpstreamUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator


def outage(error: Exception, host: str, name: str) -> UpstreamError:
    """The error that a failure stands for.

    Args:
        error: As the libraries raise it.
        host: Whom the sentence speaks of.
        name: The name or address that was to be reached.
    """
    chain = tuple(_causes(error))
    certificate = next((each for each in chain if isinstance(each, ssl.SSLCertVerificationError)), None)
    if certificate is not None:
        reason = (certificate.verify_message or certificate.reason or "").rstrip(".")
        return CertificateRefused(
            f"The certificate of {host} cannot be trusted: {reason}.",
            remedy="Look whether a proxy stands on the way, and name the file of its authority as `ca_file`.",
        )
    if _holds(chain, ssl.SSLError) and not _holds(
        chain, ssl.SSLEOFError, ssl.SSLZeroReturnError, ConnectionError, TimeoutError
    ):
        return CertificateRefused(
            f"No secure connection to {host} can be agreed upon.",
            remedy="Look whether the address and the port are those of an https server.",
        )
    if _holds(chain, urllib3.exceptions.NameResolutionError, socket.gaierror):
        return _name_failure(chain, host, name)
    if _holds(chain, ConnectionRefusedError):
        return UpstreamUnavailable(
            f"{host} takes no connections there.", remedy="Look whether address and port are right."
        )
    if _holds(chain, requests.exceptions.Timeout, urllib3.exceptions.TimeoutError, TimeoutError) and not _holds(
        chain, ConnectionError
    ):
        return UpstreamUnavailable(f"{host} does not answer in time.", remedy="It is asked again later.")
    return UpstreamUnavailable(f"The connection to {host} broke off.", remedy="It is asked again later.")


def _name_failure(chain: tuple[BaseException, ...], host: str, name: str) -> UpstreamError:
    told = next((each for each in chain if isinstance(each, socket.gaierror)), None)
    if told is None or told.errno != socket.EAI_AGAIN or name.endswith(".invalid"):
        return HostUnknown(f"There is no host {name}.", remedy="Look whether its name is spelt right.")
    return UpstreamUnavailable(f"The name servers could not say where {host} is.", remedy="They are asked again later.")


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """An error and all that is behind it; the libraries hide it in their arguments, too."""
    seen: set[int] = set()
    waiting: list[object] = [error]
    while waiting:
        each = waiting.pop()
        if not isinstance(each, BaseException) or id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        waiting += [each.__cause__, each.__context__, getattr(each, "reason", None), *each.args]


def _holds(chain: tuple[BaseException, ...], *kinds: type[BaseException]) -> bool:
    return any(isinstance(each, kinds) for each in chain)
