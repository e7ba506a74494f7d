"""How many requests a second a server answers: `wrk` where it is installed, else a loop of our own over raw sockets."""

from __future__ import annotations

import re
import selectors
import shutil
import socket
import subprocess
import time
from dataclasses import dataclass

_CONNECTIONS = 16
_CHUNK = 1 << 18


@dataclass(frozen=True, slots=True)
class Throughput:
    """What one server made of one kind of request.

    Attributes:
        label: What was asked.
        ours: Answers a second of Calbridge.
        other: Answers a second of nginx; None without nginx.
        goal: The fewest that ours have to be; None where there is no goal.
    """

    label: str
    ours: float
    other: float | None
    goal: float | None


def generator() -> str:
    """What makes the load, as a sentence says it."""
    if shutil.which("wrk"):
        return f"wrk, 1 thread, {_CONNECTIONS} connections"
    return f"a loop in Python, {_CONNECTIONS} connections"


def requests_per_second(port: int, path: str, headers: dict[str, str], *, status: int, seconds: float) -> float:
    """Answers a second to the same request over several connections that are kept alive.

    Args:
        port: On loopback.
        path: What is asked for.
        headers: Of each request.
        status: What every answer has to be.
        seconds: How long.
    """
    if shutil.which("wrk"):
        return _by_wrk(port, path, headers, status, seconds)
    return _by_loop(port, path, headers, status, seconds)


def _by_wrk(port: int, path: str, headers: dict[str, str], status: int, seconds: float) -> float:
    command = ["wrk", "--threads", "1", "--connections", str(_CONNECTIONS), "--duration", f"{max(1, round(seconds))}s"]
    for name, value in headers.items():
        command += ["--header", f"{name}: {value}"]
    shown = subprocess.run([*command, f"http://127.0.0.1:{port}{path}"], capture_output=True, text=True, check=True)
    if "Non-2xx or 3xx" in shown.stdout:
        raise AssertionError(f"not every answer was {status}: {shown.stdout}")
    found = re.search(r"Requests/sec:\s*([\d.]+)", shown.stdout)
    assert found is not None, shown.stdout
    return float(found[1])


def _by_loop(port: int, path: str, headers: dict[str, str], status: int, seconds: float) -> float:
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    message = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n{lines}\r\n".encode()
    size = _answer_size(port, message, status)
    chooser = selectors.DefaultSelector()
    left: dict[socket.socket, int] = {}
    for _ in range(_CONNECTIONS):
        opened = socket.create_connection(("127.0.0.1", port))
        chooser.register(opened, selectors.EVENT_READ)
        opened.sendall(message)
        left[opened] = size
    buffer = bytearray(_CHUNK)
    done = 0
    began = time.perf_counter()
    while time.perf_counter() - began < seconds:
        for key, _ in chooser.select():
            connection = key.fileobj
            assert isinstance(connection, socket.socket)
            left[connection] -= connection.recv_into(buffer)
            if left[connection] <= 0:
                done += 1
                left[connection] = size
                connection.sendall(message)
    for opened in left:
        opened.close()
    return done / (time.perf_counter() - began)


def _answer_size(port: int, message: bytes, status: int) -> int:
    """Octets of one answer, head and body; the answers to equal requests are equally long."""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(message)
        received = b""
        while b"\r\n\r\n" not in received:
            received += connection.recv(_CHUNK)
    head, _, _ = received.partition(b"\r\n\r\n")
    assert int(head[9:12]) == status, head
    length = re.search(rb"content-length: *(\d+)", head, re.IGNORECASE)
    return len(head) + 4 + (int(length[1]) if length and status == 200 else 0)
