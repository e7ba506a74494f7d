"""Every failure on the way to Google, of the network, of TLS or of a name, becomes one of our errors here."""

from __future__ import annotations

import socket
import ssl

import requests
import urllib3

from bridge.errors import CertificateRefused, HostUnknown, UpstreamError, UpstreamUnavailable
from bridge.upstream.causes import causes, holds


def outage(error: Exception, host: str, name: str) -> UpstreamError:
    """The error that a failure stands for.

    Args:
        error: As the libraries raise it.
        host: Whom the sentence speaks of.
        name: The name or address that was to be reached.
    """
    chain = tuple(causes(error))
    certificate = next((each for each in chain if isinstance(each, ssl.SSLCertVerificationError)), None)
    if certificate is not None:
        reason = (certificate.verify_message or certificate.reason or "").rstrip(".")
        return CertificateRefused(
            f"The certificate of {host} cannot be trusted: {reason}.",
            remedy="Look who answers in its place; where that is a proxy of your own, name its authority's file in "
            "REQUESTS_CA_BUNDLE.",
        )
    if holds(chain, ssl.SSLError) and not holds(
        chain, ssl.SSLEOFError, ssl.SSLZeroReturnError, ConnectionError, TimeoutError
    ):
        return CertificateRefused(
            f"No secure connection to {host} can be agreed upon.",
            remedy="Look whether the address and the port are those of an https server.",
        )
    if holds(chain, urllib3.exceptions.NameResolutionError, socket.gaierror):
        return _name_failure(chain, host, name)
    if holds(chain, ConnectionRefusedError):
        return UpstreamUnavailable(
            f"{host} takes no connections there.", remedy="Look whether address and port are right."
        )
    if holds(chain, requests.exceptions.Timeout, urllib3.exceptions.TimeoutError, TimeoutError) and not holds(
        chain, ConnectionError
    ):
        return UpstreamUnavailable(f"{host} does not answer in time.", remedy="It is asked again later.")
    return UpstreamUnavailable(f"The connection to {host} broke off.", remedy="It is asked again later.")


def _name_failure(chain: tuple[BaseException, ...], host: str, name: str) -> UpstreamError:
    told = next((each for each in chain if isinstance(each, socket.gaierror)), None)
    if told is None or told.errno != socket.EAI_AGAIN or name.endswith(".invalid"):
        return HostUnknown(f"There is no host {name}.", remedy="Look whether its name is spelt right.")
    return UpstreamUnavailable(f"The name servers could not say where {host} is.", remedy="They are asked again later.")
