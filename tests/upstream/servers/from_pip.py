"""Radicale and Xandikos, which pip brings: CalDAV servers that run everywhere, each with a folder of its own."""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.system.process import unused_port
from tests.upstream.servers.caldav_server import CalDAVServer
from tests.upstream.servers.running import listening, reachable_folder

if TYPE_CHECKING:
    from collections.abc import Iterator

FIXED = "Opening hours"
"""The name of a calendar that Radicale lets nobody change."""

_ANY_NAME = {"PYTHONUTF8": "1"}
"""In a locale without UTF-8, neither could name a file `für Müller.ics`."""

_RADICALE = """
[server]
hosts = 127.0.0.1:{port}
[auth]
type = htpasswd
htpasswd_filename = {folder}/users
htpasswd_encryption = plain
# Otherwise each refusal takes about a second.
delay = 0
[rights]
type = from_file
file = {folder}/rights
[storage]
filesystem_folder = {folder}/collections
"""
_RIGHTS = """
[root]
user: .+
collection:
permissions: R
[principal]
user: .+
collection: {user}
permissions: RW
[fixed calendar]
user: .+
collection: {user}/fixed
permissions: r
[calendars]
user: .+
collection: {user}/[^/]+
permissions: rw
"""


@contextmanager
def radicale() -> Iterator[CalDAVServer]:
    """Radicale with its own storage, and the calendar `FIXED`, which everybody may read and nobody may change."""
    with reachable_folder() as folder:
        server = CalDAVServer(unused_port(), "/", "/alice/")
        (folder / "users").write_text(f"{server.user}:{server.password}\n")
        (folder / "rights").write_text(_RIGHTS)
        (folder / "config").write_text(_RADICALE.format(port=server.port, folder=folder))
        fixed = folder / "collections" / "collection-root" / "alice" / "fixed"
        fixed.mkdir(parents=True)
        (fixed / ".Radicale.props").write_text(json.dumps({"tag": "VCALENDAR", "D:displayname": FIXED}))
        command = [sys.executable, "-m", "radicale", "--config", str(folder / "config")]
        with listening(command, server.port, log=folder / "radicale.log", environ=_ANY_NAME):
            yield server


@contextmanager
def xandikos() -> Iterator[CalDAVServer]:
    """Xandikos on plain http, where it asks nobody for a password."""
    with reachable_folder() as folder:
        server = CalDAVServer(unused_port(), "/", "/alice/calendars/")
        command = [sys.executable, "-m", "xandikos", "serve", "--defaults", "--current-user-principal", "/alice/"]
        command += ["--directory", str(folder / "collections"), "--state-dir", str(folder / "state")]
        command += ["--no-detect-systemd", "--listen-address", "127.0.0.1", "--port", str(server.port)]
        with listening(command, server.port, log=folder / "xandikos.log", environ=_ANY_NAME):
            yield server
