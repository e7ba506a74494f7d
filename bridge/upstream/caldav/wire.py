"""One request goes out and one whole answer comes back, or an error says why not; nothing else talks to the network.

Session and login are those of the `caldav` package. Its own reading of answers is not used: it parses, repairs and
rewrites what has to be seen as it is.
"""

from __future__ import annotations

import time
from contextlib import nullcontext
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING

import niquests
from caldav.davclient import DAVClient
from caldav.lib.auth import extract_auth_types
from niquests.packages.urllib3 import exceptions as transport  # type: ignore[import-not-found]

from bridge.errors import AddressRefused, UpstreamUnavailable
from bridge.upstream.answers import Answer, anonymous, whole
from bridge.upstream.caldav.address import absolute, authority, host_of, resource_url, same_site
from bridge.upstream.caldav.refusals import broke_off, outage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import AbstractContextManager

    from bridge.upstream.answers import Limits

MOST_REDIRECTS = 5
_REDIRECTS = frozenset({301, 302, 307, 308})
_CHUNK = 64 * 1024
_XML = "application/xml; charset=utf-8"


class Wire:
    """The connection of one user to one site; used by one thread at a time.

    Args:
        host: That the person named: credentials never leave its registrable domain.
        secure: Whether nothing may be asked by http.
        user: Who logs in; empty sends no credentials.
        password: Of that user.
        verify: Whether certificates are checked, or the authorities to trust: their file, or its content, as the
            HTTP library remembers what stood in a file.
        limits: On time and size.
        clock: Seconds that never go back.
        turn: Waits until a request may go, and holds its place until the answer is there.
    """

    def __init__(
        self,
        *,
        host: str,
        secure: bool,
        user: str,
        password: str,
        verify: bool | str | bytes,
        limits: Limits,
        clock: Callable[[], float] = time.monotonic,
        turn: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        self._turn = turn
        self._host = host
        self._secure = secure
        self._limits = limits
        self._verify = verify
        self._clock = clock
        self._answered: set[str] = set()
        self.user = user
        # Without `auth_type` the first request would go out without credentials, and some servers answer that with an
        # empty success.
        self._client = DAVClient(
            url=f"https://{host}/", username=user, password=password, auth_type="basic", enable_rfc6764=False
        )
        self._client.session.close()
        self._client.session = niquests.Session(
            disable_http2=True, disable_http3=True, revocation_configuration=None, retries=0
        )
        if not user:
            self._client.auth = anonymous

    def __repr__(self) -> str:
        return f"Wire(host={self._host!r}, user={self.user!r})"

    def propfind(self, url: str, body: bytes, *, depth: int) -> Answer:
        """Asks for properties (RFC 4918 section 9.1)."""
        return self.ask("PROPFIND", url, body, {"Content-Type": _XML, "Depth": str(depth)})

    def report(self, url: str, body: bytes, *, depth: int) -> Answer:
        """Asks for a report (RFC 3253 section 3.6)."""
        return self.ask("REPORT", url, body, {"Content-Type": _XML, "Depth": str(depth)})

    def ask(self, method: str, url: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Answer:
        """Sends one request, follows redirects within the site, and reads the answer to its end.

        Raises:
            AddressRefused: The address, or where it leads, belongs to another site, or leads from https to http.
            UpstreamUnavailable: No whole answer came.
            HostUnknown: There is no such host.
            CertificateRefused: Its certificate cannot be trusted.
        """
        here = resource_url(url)
        for _ in range(MOST_REDIRECTS + 1):
            self._check(here)
            answer = self._ask_with_login(method, here, body, headers or {})
            target = answer.headers.get("location", "")
            if answer.status not in _REDIRECTS or not target:
                return answer
            here = _target(here, target)
        raise UpstreamUnavailable(
            f"{host_of(url)} sends every request on to another address, more than {MOST_REDIRECTS} times.",
            remedy="Name the address that it leads to in the end.",
        )

    def close(self) -> None:
        """Closes the connections that are open."""
        self._client.close()

    def _ask_with_login(self, method: str, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        answer = self._ask_once(method, url, body, headers)
        if answer.status == HTTPStatus.UNAUTHORIZED and self._client.auth_type == "basic":
            offered = extract_auth_types(answer.headers.get("www-authenticate", ""))
            if "digest" in offered and "basic" not in offered and self.user:
                self._client.auth_type = "digest"
                self._client.build_auth_object()
                return self._ask_once(method, url, body, headers)
        return answer

    def _ask_once(self, method: str, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        with self._turn():
            return self._exchange(method, url, body, headers)

    def _exchange(self, method: str, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        try:
            response = self._sent(method, url, body, headers)
            try:
                known = {name.lower(): str(value) for name, value in response.headers.items()}
                body = whole(_pieces(response), self._limits, self._clock, host=host_of(url))
                return Answer(status=int(response.status_code or 0), url=url, headers=known, body=body)
            finally:
                response.close()
        # ValueError: the library reads even a Location that it shall not follow.
        except (OSError, transport.HTTPError, ValueError) as error:
            raise outage(error, host_of(url)) from error

    def _sent(self, method: str, url: str, body: bytes, headers: Mapping[str, str]) -> niquests.Response:
        """The beginning of an answer.

        A server may close a connection that was kept open just when it is used again, some do so after each answer
        without saying it (SOGo). So what broke off without an answer is sent once more where the host has answered
        before; all methods that are used here may be repeated (RFC 9110 section 9.2.2).
        """
        send = partial(
            self._client.session.request,
            method,
            url,
            data=body or None,
            headers={"User-Agent": "Calbridge", "Accept": "*/*", **headers},
            auth=self._client.auth,
            timeout=(self._limits.connect, self._limits.read),
            verify=self._verify,
            allow_redirects=False,
            stream=True,
        )
        host = authority(url)
        try:
            response: niquests.Response = send()
        except (OSError, transport.HTTPError) as error:
            if host not in self._answered or not broke_off(error):
                raise
            response = send()
        self._answered.add(host)
        return response

    def _check(self, url: str) -> None:
        """Passes where the credentials may be shown.

        Raises:
            AddressRefused: Another site, or in the clear where https was named.
        """
        if not same_site(self._host, host_of(url)):
            raise AddressRefused(
                f"{host_of(url)} is another site than {self._host}: the password for one is not shown to the other.",
                remedy=f"If {host_of(url)} is right, name it as the address of the connection.",
            )
        if self._secure and not url.startswith("https:"):
            raise AddressRefused(
                f"{host_of(url)} leads from https to http, where anybody on the way could read the password.",
                remedy="Tell its operator; nothing was sent there.",
            )


def _target(here: str, target: str) -> str:
    try:
        return absolute(here, target)
    except ValueError as error:
        raise UpstreamUnavailable(
            f"{host_of(here)} leads on to {target[:200]!r}, which is no web address.", remedy="Tell its operator."
        ) from error


def _pieces(response: niquests.Response) -> Iterator[bytes]:
    yield from response.iter_content(_CHUNK)
