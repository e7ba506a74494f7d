"""An HTTP client that costs little beside the server that it measures: one socket, bytes out, bytes in."""

from __future__ import annotations

import socket
import time
from base64 import b64encode
from dataclasses import dataclass

_TIMEOUT_SECONDS = 600
_CHUNK = 1 << 18


class UnexpectedAnswer(Exception):
    """A server answered something else than what the measurement is about."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer, and how long it took.

    Attributes:
        status: The HTTP status.
        head: Status line and headers as they came.
        body: The body.
        seconds: From the first octet sent to the last octet received.
    """

    status: int
    head: bytes
    body: bytes
    seconds: float

    def header(self, name: str) -> str:
        """The value of a header, or an empty text."""
        for line in self.head.split(b"\r\n")[1:]:
            key, _, value = line.partition(b":")
            if key.decode().lower() == name.lower():
                return value.strip().decode("latin-1")
        return ""


class Connection:
    """A connection that is kept alive where the server keeps it, and opened anew where it does not.

    Args:
        port: On loopback.
        user: Name of the user, or empty.
        password: The user's password.
    """

    def __init__(self, port: int, user: str = "", password: str = "") -> None:
        self._port = port
        self._always = f"Host: 127.0.0.1:{port}\r\nUser-Agent: Thunderbird/140.0\r\n"
        if user:
            self._always += f"Authorization: Basic {b64encode(f'{user}:{password}'.encode()).decode()}\r\n"
        self._socket: socket.socket | None = None
        self._buffer = bytearray(_CHUNK)

    def request(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        *,
        expect: tuple[int, ...] = (207,),
        headers: dict[str, str] | None = None,
    ) -> Answer:
        """Sends one request and reads its answer.

        Args:
            method: Of HTTP.
            path: With a slash at its start.
            body: To be sent, possibly empty.
            expect: The statuses that the measurement is about.
            headers: Beside those that each request has.

        Raises:
            UnexpectedAnswer: The status is another one.
        """
        extra = "".join(f"{name}: {value}\r\n" for name, value in (headers or {}).items())
        if body or method in {"PUT", "REPORT", "PROPFIND"}:
            extra += f"Content-Length: {len(body)}\r\n"
        message = f"{method} {path} HTTP/1.1\r\n{self._always}{extra}\r\n".encode() + body
        began = time.perf_counter()
        try:
            answer = self._exchange(message)
        except (ConnectionError, EOFError):
            # Some servers close a connection that was idle for a while; a second failure is a finding.
            self.close()
            began = time.perf_counter()
            answer = self._exchange(message)
        seconds = time.perf_counter() - began
        head, content = answer
        status = int(head[9:12])
        if status not in expect:
            raise UnexpectedAnswer(f"{method} {path} was answered with {status}, not {expect[0]}: {content[:300]!r}")
        return Answer(status, head, content, seconds)

    def close(self) -> None:
        """Closes the connection; the next request opens another one."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _exchange(self, message: bytes) -> tuple[bytes, bytes]:
        if self._socket is None:
            self._socket = socket.create_connection(("127.0.0.1", self._port), timeout=_TIMEOUT_SECONDS)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.sendall(message)
        received = b""
        while (end := received.find(b"\r\n\r\n")) < 0:
            more = self._socket.recv(_CHUNK)
            if not more:
                raise EOFError
            received += more
        head, start = received[:end], received[end + 4 :]
        lower = head.lower()
        if b"transfer-encoding: chunked" in lower:
            raise UnexpectedAnswer("The server sends its answers in chunks, which this client does not read.")
        length = _content_length(lower)
        bodiless = lower[9:12] in {b"204", b"304"}
        content = start if bodiless else self._rest(start, length)
        if lower.startswith(b"http/1.0") or b"\r\nconnection: close" in lower or (length is None and not bodiless):
            self.close()
        return head, content

    def _rest(self, start: bytes, length: int | None) -> bytes:
        assert self._socket is not None
        if length is None:
            parts = [start]
            while more := self._socket.recv(_CHUNK):
                parts.append(more)
            return b"".join(parts)
        if len(start) >= length:
            return start
        if len(self._buffer) < length:
            self._buffer = bytearray(length)
        view = memoryview(self._buffer)
        view[: len(start)] = start
        reached = len(start)
        while reached < length:
            count = self._socket.recv_into(view[reached:length])
            if not count:
                raise EOFError
            reached += count
        return bytes(view[:length])


def _content_length(lower_head: bytes) -> int | None:
    _, found, rest = lower_head.partition(b"\r\ncontent-length:")
    return int(rest.split(b"\r\n", 1)[0]) if found else None
