"""An answer is read to its end within limits of time and size, or it is none."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, TypeVar

from bridge.errors import UpstreamUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

_Request = TypeVar("_Request")


@dataclass(frozen=True, slots=True)
class Limits:
    """How long and how much is waited for.

    Attributes:
        connect: Seconds until a connection stands.
        read: Seconds of silence within an answer.
        whole: Seconds for one answer from its first to its last octet.
        octets: The largest answer, after decompression.
    """

    connect: float = 10.0
    read: float = 60.0
    whole: float = 300.0
    octets: int = 64 * 1024 * 1024


LIMITS: Final = Limits()
"""What is waited for where nothing else is said."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server said.

    Attributes:
        status: The HTTP status.
        url: Which address said it, after redirects.
        headers: By lower-case name.
        body: All of it, decompressed.
    """

    status: int
    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    @property
    def ok(self) -> bool:
        """Whether the status is one of success."""
        return HTTPStatus.OK <= self.status < HTTPStatus.MULTIPLE_CHOICES

    @property
    def content(self) -> Mapping[str, Any] | None:
        """The JSON object in the body; None where it is no JSON object."""
        try:
            read = json.loads(self.body)
        except (ValueError, RecursionError):
            return None
        return read if isinstance(read, dict) else None


def whole(pieces: Iterable[bytes], limits: Limits, clock: Callable[[], float], *, host: str) -> bytes:
    """All of an answer.

    Args:
        pieces: Of the answer, decompressed, as they come.
        limits: On time and size.
        clock: Seconds that never go back.
        host: Who answers.

    Raises:
        UpstreamUnavailable: It takes too long, or is too large.
    """
    until = clock() + limits.whole
    body = bytearray()
    for piece in pieces:
        body += piece
        if len(body) > limits.octets:
            raise UpstreamUnavailable(
                f"An answer of {host} is larger than {limits.octets} octets.",
                remedy="Look whether something else answers in its place, such as a proxy or a login page.",
            )
        if clock() > until:
            raise UpstreamUnavailable(
                f"An answer of {host} was not complete after {limits.whole:.0f} s.", remedy="It is asked again later."
            )
    return bytes(body)


def anonymous(request: _Request) -> _Request:
    """Sends a request without a login of its own: a callable instead of None keeps a .netrc file from being read."""
    return request
