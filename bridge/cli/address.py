"""The address on which the server takes connections: whether it is free, and when the server answers there."""

from __future__ import annotations

import errno
import http.client
import socket
import ssl
import threading
from http import HTTPStatus
from typing import TYPE_CHECKING

from bridge.errors import AddressTaken

if TYPE_CHECKING:
    from bridge.config import Listen, Server

_ASK_EVERY_SECONDS = 0.05
_PATIENCE_SECONDS = 10
_OWN = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 -- asked, not opened


def refuse_taken(listen: Listen) -> None:
    """Passes where nobody listens on `listen` yet; two servers could share it without a word.

    Raises:
        AddressTaken: Connections cannot be taken there.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            listen.host, listen.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except PermissionError as error:
        raise AddressTaken(
            f"This user may not listen on {listen}.", remedy="Ports below 1024 are for root; choose a higher one."
        ) from error
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise AddressTaken(
                f"Another program listens on {listen} already.", remedy="Stop it, or choose another port."
            ) from error
        raise AddressTaken(
            f"Connections cannot be taken on {listen}: {error.strerror}.",
            remedy="Choose an address that this machine has.",
        ) from error


def wait_until_it_answers(server: Server) -> None:
    """Asks the server for its health until it answers."""
    pause = threading.Event()
    while not _answers(server):
        pause.wait(_ASK_EVERY_SECONDS)


def _answers(server: Server) -> bool:
    host, port = _OWN.get(server.listen.host, server.listen.host), server.listen.port
    if server.tls:
        # Our own server on our own machine, under whatever name its certificate has.
        context = ssl._create_unverified_context()  # noqa: S323, SLF001 -- see above
        connection: http.client.HTTPConnection = http.client.HTTPSConnection(
            host, port, timeout=_PATIENCE_SECONDS, context=context
        )
    else:
        connection = http.client.HTTPConnection(host, port, timeout=_PATIENCE_SECONDS)
    try:
        connection.request("GET", f"{server.path_prefix}/healthz")
        return connection.getresponse().status == HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
