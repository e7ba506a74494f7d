"""One request goes out and one whole answer comes back, or an error says why not; nothing else talks to the network."""

from __future__ import annotations

import json
import time
from contextlib import nullcontext
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests
import urllib3

from bridge.errors import UpstreamUnavailable
from bridge.upstream.google.outages import outage
from bridge.upstream.google.refusals import Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import AbstractContextManager

    from bridge.upstream.google.service import Ask
    from bridge.upstream.oauth.keeper import Access

MOST_BYTES = 128 * 1024 * 1024
"""The largest answer that is read, after decompression: 50 KiB for each event of a full page."""

_CHUNK = 64 * 1024
# Google compresses only for programs whose name says that they can read it.
_AGENT = "Calbridge (gzip)"


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
    read: float = 60.0
    whole: float = 300.0
    octets: int = MOST_BYTES


@dataclass(frozen=True, slots=True)
class Answer:
    """What Google said.

    Attributes:
        status: The HTTP status.
        headers: By lower-case name.
        body: All of it, decompressed.
    """

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


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
        limits: Limits | None = None,
        clock: Callable[[], float] = time.monotonic,
        turn: Callable[[], AbstractContextManager[None]] = nullcontext,
        session: Callable[[], requests.Session] = requests.Session,
    ) -> None:
        self._host = host
        self._access = access
        self._verify = verify
        self._limits = limits or Limits()
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
            resource = _as_json(answer.body)
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
                    # A callable instead of None keeps a .netrc file from being read.
                    auth=_as_it_is,
                    timeout=(self._limits.connect, self._limits.read),
                    verify=self._verify,
                    allow_redirects=False,
                    stream=True,
                ) as response:
                    known = {name.lower(): value for name, value in response.headers.items()}
                    return Answer(status=response.status_code, headers=known, body=self._read(response))
            except (OSError, urllib3.exceptions.HTTPError, ValueError) as error:
                raise outage(error, self._host, urlsplit(what.url).hostname or "") from error

    def _read(self, response: requests.Response) -> bytes:
        until = self._clock() + self._limits.whole
        pieces: list[bytes] = []
        size = 0
        for piece in _pieces(response):
            size += len(piece)
            pieces.append(piece)
            if size > self._limits.octets:
                raise UpstreamUnavailable(f"An answer of {self._host} is larger than {self._limits.octets} octets.")
            if self._clock() > until:
                raise UpstreamUnavailable(
                    f"An answer of {self._host} was not complete after {self._limits.whole:.0f} s."
                )
        return b"".join(pieces)


def _refused(answer: Answer) -> Refused:
    return Refused.read(answer.status, answer.headers, _as_json(answer.body) or {})


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def _pieces(response: requests.Response) -> Iterator[bytes]:
    yield from response.iter_content(_CHUNK)


def _as_json(body: bytes) -> Mapping[str, Any] | None:
    try:
        read = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return read if isinstance(read, dict) else None
