"""One request over a connection to the very address that was checked, which ends when its time is over.

The host is not looked up a second time, so a name server that answers otherwise the second time gains nothing. The
name still counts for everything else: the Host header, the name sent in TLS, and the certificate.
"""

from __future__ import annotations

import socket
from contextlib import suppress
from threading import Lock, Timer
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

from requests.adapters import HTTPAdapter

if TYPE_CHECKING:
    from types import TracebackType

    from requests import PreparedRequest
    from urllib3.connection import HTTPConnection


class Watch:
    """Cuts the connections that were made under it once its time is over, whatever they are doing then.

    The time limits of a socket are for one read each: a server that sends an octet now and then would never end.

    Args:
        seconds: How long all of it may take.
    """

    def __init__(self, seconds: float) -> None:
        self.over = False
        self._lock = Lock()
        self._twins: list[socket.socket] = []
        self._timer = Timer(seconds, self._cut)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        with self._lock:
            while self._twins:
                self._twins.pop().close()

    def see(self, connected: socket.socket) -> None:
        """Watches a connection.

        TLS takes the socket itself over; a twin of it stays a handle on the same connection.
        """
        with self._lock:
            self._twins.append(connected.dup())
        if self.over:
            self._cut()

    def _cut(self) -> None:
        self.over = True
        with self._lock:
            for twin in self._twins:
                with suppress(OSError):
                    twin.shutdown(socket.SHUT_RDWR)


class PinnedAdapter(HTTPAdapter):
    """Connects to one address, whatever host is asked for.

    Args:
        address: The address.
        watch: Watches its connections.
    """

    def __init__(self, address: str, *, watch: Watch) -> None:
        super().__init__(pool_connections=1, pool_maxsize=1)
        self._address = address
        self._watch = watch

    def build_connection_pool_key_attributes(self, request: PreparedRequest, verify: Any, cert: Any = None) -> Any:
        """Names the address in place of the host, and the host for TLS."""
        where, how = super().build_connection_pool_key_attributes(request, verify, cert)
        host = urlsplit(str(request.url)).hostname
        tls = {"server_hostname": host} if where["scheme"] == "https" else {}
        return {**where, "host": self._address}, {**how, **tls}

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
        """The connections to the address, each of them watched."""
        pool: Any = super().get_connection_with_tls_context(*args, **kwargs)
        pool.ConnectionCls = _watched(pool.ConnectionCls, self._watch)
        return pool


def _watched(kind: Any, watch: Watch) -> type[HTTPConnection]:
    class Watched(kind):  # type: ignore[misc]  # the base is the class that the pool would have used
        def _new_conn(self) -> socket.socket:
            connected: socket.socket = super()._new_conn()
            watch.see(connected)
            return connected

    return Watched
