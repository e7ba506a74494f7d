"""The demo's other calendar server: a stock Radicale in a process of its own, with a storage of its own.

It stands for what people have elsewhere. It ends with the demo, also when the demo is killed.
"""

from __future__ import annotations

import errno
import http.client
import os
import runpy
import signal
import socket
import subprocess
import sys
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from bridge.errors import AddressTaken

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PORT_VARIABLE = "CALBRIDGE_DEMO_UPSTREAM_PORT"
"""Names in the environment the port that the demo's configuration has for it."""

USUAL_PORT = 5233
"""What the demo's configuration has where the environment says nothing, as for every other command."""

_HOST = "127.0.0.1"
_LAST_PORT = 65535
_TRIES = 20
_ASK_EVERY_SECONDS = 0.05
_PATIENCE_SECONDS = 10
_CONFIGURATION = """\
[server]
hosts = {host}:{port}
[auth]
type = htpasswd
htpasswd_filename = {folder}/users
htpasswd_encryption = plain
[storage]
filesystem_folder = {folder}/calendars
predefined_collections = {{"calendar": {{"tag": "VCALENDAR", "D:displayname": "Calendar"}}}}
[web]
type = none
[logging]
level = error
"""


def free_port(after: int, *, but: int = 0) -> int:
    """The port after `after` on loopback, or the next one that nobody listens on, and that is not `but`."""
    for port in range(after + 1, min(after + 1 + _TRIES, _LAST_PORT + 1)):
        if port != but and _is_free(port):
            return port
    with socket.create_server((_HOST, 0)) as unused:
        return int(unused.getsockname()[1])


def _is_free(port: int) -> bool:
    try:
        socket.create_server((_HOST, port)).close()
    except OSError as error:
        if error.errno not in {errno.EADDRINUSE, errno.EACCES}:
            raise
        return False
    return True


def url(port: int) -> str:
    """The address for calendar programs."""
    return f"http://{_HOST}:{port}/"


@contextmanager
def running_upstream(folder: Path, *, port: int, user: str, password: str) -> Iterator[None]:
    """Runs the server until the block ends; it answers when the block begins.

    Args:
        folder: For its settings and its calendars, which stay.
        port: On loopback.
        user: Who may log in; at the first time this makes a calendar.
        password: With which.

    Raises:
        AddressTaken: It cannot listen there.
        OSError: The folder cannot be written.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    _write(folder / "users", f"{user}:{password}\n")
    settings = folder / "settings"
    _write(settings, _CONFIGURATION.format(host=_HOST, port=port, folder=folder.absolute()))
    # A session of its own: Ctrl-C ends the demo first, so that nothing finds this server gone.
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(  # noqa: S603 -- this very module, with a file of our own
            [sys.executable, "-m", __name__, str(settings)],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        _wait_until_it_answers(process, port, user)
        yield
    finally:
        process.terminate()
        process.wait()
        if process.stdin:
            process.stdin.close()


def _write(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)


def _wait_until_it_answers(process: subprocess.Popen[bytes], port: int, user: str) -> None:
    pause = threading.Event()
    while not _answers(port, user):
        if process.poll() is not None:
            raise AddressTaken(
                f"The demo's other calendar server, on {_HOST}:{port}, has ended before it answered.",
                remedy="Start the demo again; data/demo-upstream/log says why it ended.",
            )
        pause.wait(_ASK_EVERY_SECONDS)


def _answers(port: int, user: str) -> bool:
    connection = http.client.HTTPConnection(_HOST, port, timeout=_PATIENCE_SECONDS)
    try:
        connection.request("GET", f"/{user}/")
        connection.getresponse()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    return True


def main(settings: str) -> None:
    """Serves with these settings until standard input ends, which it does when whoever started this is gone."""
    threading.Thread(target=_end_with_input, name="end", daemon=True).start()
    sys.argv = ["radicale", "--config", settings]
    # By its name: only the plugin may import it.
    with suppress(KeyboardInterrupt):
        runpy.run_module("radicale", run_name="__main__")


def _end_with_input() -> None:
    # Not by `sys.stdin`, whose lock would be held when the interpreter ends.
    while os.read(0, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main(sys.argv[1])
