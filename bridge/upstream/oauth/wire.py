"""One form goes to an endpoint and one small answer comes back; nothing else here talks to the network."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Final

import requests
import urllib3

from bridge.upstream.answers import Answer, Limits, anonymous, whole
from bridge.upstream.oauth.refusals import host_of, outage

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_CHUNK: Final = 16 * 1024
_LIMITS: Final = Limits(read=30.0, whole=60.0, octets=256 * 1024)


class Wire:
    """Posts forms; may be shared by threads.

    Args:
        verify: Whether certificates are checked, or the file of the authorities to trust.
        limits: On time and size.
        clock: Seconds that never go back.
    """

    def __init__(
        self, *, verify: bool | str = True, limits: Limits = _LIMITS, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._verify = verify
        self._limits = limits
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
                    auth=anonymous,
                    timeout=(self._limits.connect, self._limits.read),
                    verify=self._verify,
                    allow_redirects=False,
                    stream=True,
                )
                with response:
                    # `read1` gives what has come so far, so that an answer of single octets is noticed.
                    pieces = iter(partial(response.raw.read1, _CHUNK, decode_content=True), b"")
                    body = whole(pieces, self._limits, self._clock, host=host_of(url))
        except (OSError, urllib3.exceptions.HTTPError, ValueError) as error:
            raise outage(error, url) from error
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Answer(status=response.status_code, url=url, headers=headers, body=body)
