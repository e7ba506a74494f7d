"""One request goes out and one whole answer comes back, or an error says why not; nothing else talks to the network."""

from __future__ import annotations

import time
from contextlib import nullcontext
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import requests
import urllib3

from bridge.errors import UpstreamUnavailable
from bridge.upstream.answers import Answer, Limits, anonymous, whole
from bridge.upstream.google.outages import outage
from bridge.upstream.google.refusals import Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import AbstractContextManager

    from bridge.upstream.google.service import Ask
    from bridge.upstream.oauth.keeper import Access

_CHUNK = 64 * 1024
# Google compresses only for programs whose name says that they can read it.
_AGENT = "Calbridge (gzip)"

LIMITS: Final = Limits(octets=128 * 1024 * 1024)
"""Of a full page each event may have 50 KiB."""


class Wire:
    """The connection of one user to Google Calendar; used by one thread at a time.

    Args:
        host: Whom errors speak of.
        access: Gives the access token for each request.
        verify: Whether certificates are checked, or the file of the authorities to trust.
        limits: On time and size.
        clock: Seconds that never go back.
        turn: Waits until a request may go, and holds its place until the answer is there.
        session: Makes what keeps the connections.
    """

    def __init__(
        self,
        *,
        host: str,
        access: Access,
        verify: bool | str = True,
        limits: Limits = LIMITS,
        clock: Callable[[], float] = time.monotonic,
        turn: Callable[[], AbstractContextManager[None]] = nullcontext,
        session: Callable[[], requests.Session] = requests.Session,
    ) -> None:
        self._host = host
        self._access = access
        self._verify = verify
        self._limits = limits
        self._clock = clock
        self._turn = turn
        self._session = session()

    def __repr__(self) -> str:
        return f"Wire(host={self._host!r})"

    def ask(self, what: Ask, *, if_match: str = "") -> Mapping[str, Any] | Refused:
        """Sends one request and reads the answer to its end; a token that is refused is renewed once.

        Args:
            what: The request.
            if_match: The etag, with its quotes, without which nothing may be changed; empty: whatever stands there.

        Returns:
            The resource that was answered, empty where the method answers none; or why it was not done.

        Raises:
            LoginRefused: There is no token to be had.
            UpstreamUnavailable: No whole answer came, or none that is Google's.
        """
        condition = {"If-Match": if_match} if if_match else {}
        token = self._access.access_token()
        answer = self._ask_once(what, token, condition)
        if answer.status == HTTPStatus.UNAUTHORIZED and not _refused(answer).is_about_notices:
            answer = self._ask_once(what, self._access.refused(token), condition)
        return self._read_answer(what, answer)

    def close(self) -> None:
        """Closes the connections that are open."""
        self._session.close()

    def _read_answer(self, what: Ask, answer: Answer) -> Mapping[str, Any] | Refused:
        if answer.status == HTTPStatus.NO_CONTENT and what.method != "GET":
            return {}
        if answer.status == HTTPStatus.OK:
            resource = answer.content
            if resource is not None and (what.method == "GET" or str(resource.get("kind", ""))):
                return resource
        elif answer.status >= HTTPStatus.BAD_REQUEST:
            return _refused(answer)
        raise UpstreamUnavailable(
            f"{self._host} answers with something that does not come from Google Calendar ({answer.status}).",
            remedy="Look whether a proxy or a login page stands on the way; nothing was concluded from it.",
        )

    def _ask_once(self, what: Ask, token: str, condition: Mapping[str, str]) -> Answer:
        headers = {**what.headers, **condition, "User-Agent": _AGENT, "Authorization": f"Bearer {token}"}
        with self._turn():
            try:
                with self._session.request(
                    what.method,
                    what.url,
                    data=what.body or None,
                    headers=headers,
                    auth=anonymous,
                    timeout=(self._limits.connect, self._limits.read),
                    verify=self._verify,
                    allow_redirects=False,
                    stream=True,
                ) as response:
                    known = {name.lower(): value for name, value in response.headers.items()}
                    body = whole(_pieces(response), self._limits, self._clock, host=self._host)
                    return Answer(status=response.status_code, url=what.url, headers=known, body=body)
            except (OSError, urllib3.exceptions.HTTPError, ValueError) as error:
                raise outage(error, self._host, urlsplit(what.url).hostname or "") from error


def _refused(answer: Answer) -> Refused:
    return Refused.read(answer.status, answer.headers, answer.content or {})


def _pieces(response: requests.Response) -> Iterator[bytes]:
    yield from response.iter_content(_CHUNK)
