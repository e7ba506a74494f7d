"""One form goes to an endpoint and one small answer comes back; nothing else here talks to the network."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import requests
import urllib3

from bridge.errors import UpstreamUnavailable
from bridge.upstream.oauth.refusals import host_of, outage

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_CHUNK: Final = 16 * 1024
_SUCCESS: Final = range(200, 300)


@dataclass(frozen=True, slots=True)
class Limits:
    """How long and how much is waited for.

    Attributes:
        connect: Seconds until a connection stands.
        read: Seconds of silence within an answer.
        whole: Seconds for one answer from its first to its last octet.
        octets: The largest answer.
    """

    connect: float = 10.0
    read: float = 30.0
    whole: float = 60.0
    octets: int = 256 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """What an endpoint said.

    Attributes:
        status: The HTTP status.
        url: Who was asked.
        headers: By lower-case name.
        content: The JSON object; None where the body is no JSON object.
    """

    status: int
    url: str
    headers: Mapping[str, str] = field(repr=False)
    content: Mapping[str, Any] | None = field(repr=False)

    @property
    def ok(self) -> bool:
        """Whether the status is one of success."""
        return self.status in _SUCCESS


class Wire:
    """Posts forms; may be shared by threads.

    Args:
        verify: Whether certificates are checked, or the file of the authorities to trust.
        limits: On time and size.
        clock: Seconds that never go back.
    """

    def __init__(
        self, *, verify: bool | str = True, limits: Limits | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._verify = verify
        self._limits = limits or Limits()
        self._clock = clock

    def post(self, url: str, form: Mapping[str, str]) -> Answer:
        """Sends `form` once; a redirect is not followed, for what is sent is secret.

        Raises:
            UpstreamUnavailable: No whole answer came.
            CertificateRefused: The certificate cannot be trusted.
        """
        try:
            # A session of its own: this is one request in an hour, and a kept connection would have ended long since.
            with requests.Session() as session:
                response = session.post(
                    url,
                    data=form,
                    headers={"Accept": "application/json", "User-Agent": "Calbridge"},
                    auth=_anonymous,
                    timeout=(self._limits.connect, self._limits.read),
                    verify=self._verify,
                    allow_redirects=False,
                    stream=True,
                )
                with response:
                    body = self._body(response, url)
        except (OSError, urllib3.exceptions.HTTPError, ValueError) as error:
            raise outage(error, url) from error
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Answer(status=response.status_code, url=url, headers=headers, content=_object(body))

    def _body(self, response: requests.Response, url: str) -> bytes:
        until = self._clock() + self._limits.whole
        body = b""
        # `read1` gives what has come so far, so that an answer of single octets is noticed.
        while piece := response.raw.read1(_CHUNK, decode_content=True):
            body += piece
            if len(body) > self._limits.octets:
                raise UpstreamUnavailable(
                    f"{host_of(url)} answers with more than {self._limits.octets} octets where a few hundred would do.",
                    remedy="Look whether something else answers in its place, such as a proxy or a login page.",
                )
            if self._clock() > until:
                raise UpstreamUnavailable(
                    f"An answer of {host_of(url)} was not complete after {self._limits.whole:.0f} s.",
                    remedy="It is asked again later.",
                )
        return body


def _anonymous(request: requests.PreparedRequest) -> requests.PreparedRequest:
    # A callable instead of None keeps a .netrc file from being read.
    return request


def _object(body: bytes) -> Mapping[str, Any] | None:
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None
