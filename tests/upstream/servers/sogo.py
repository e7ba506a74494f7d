"""SOGo (Debian: sogo): a groupware server on PostgreSQL and memcached."""

from __future__ import annotations

import os
import subprocess
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tests.postgresql import running_postgresql
from tests.system.process import unused_port
from tests.upstream.servers.caldav_server import CalDAVServer
from tests.upstream.servers.running import Account, listening, reachable_folder
from tests.upstream.servers.sockets import socket_folder

if TYPE_CHECKING:
    from collections.abc import Iterator

SETTINGS = Path("/etc/sogo/sogo.conf")
"""SOGo does not start where it cannot read this file; what the starter says counts more."""

# Without a host, the library that speaks to PostgreSQL takes the socket that PGHOST names.
_DATABASE = "postgresql://postgres@/postgres"
_USERS = """
CREATE TABLE people (c_uid text PRIMARY KEY, c_name text, c_password text, c_cn text, mail text);
INSERT INTO people VALUES ('{user}', '{user}', '{password}', 'Alice', 'alice@example.com');
"""
_SOURCES = (
    "({{type=sql; id=directory; viewURL='{database}/people'; canAuthenticate=YES; isAddressBook=YES;"
    " displayName=Users; userPasswordAlgorithm=plain;}})"
)


@contextmanager
def sogo() -> Iterator[CalDAVServer]:
    """SOGo with a PostgreSQL and a memcached of its own; what it is told replaces what the system's file says.

    The program refuses to be root, and to start where it cannot read the system's file (which only the group `sogo`
    can): run by root, it works under the account of the database and in that group.
    """
    with reachable_folder() as folder:
        server = CalDAVServer(unused_port(), "/SOGo/dav/alice/", "/SOGo/dav/alice/Calendar/")
        memory = unused_port()
        with running_postgresql() as database:
            sockets = socket_folder(database)
            account = Account(sockets.stat().st_uid, ["sogo"])
            environ = {"PGHOST": str(sockets), "PGUSER": "postgres", "HOME": str(folder)}
            statement = _USERS.format(user=server.user, password=server.password)
            subprocess.run(
                ["psql", "--quiet", "--command", statement, "postgres"], env={**os.environ, **environ}, check=True
            )
            account.give(folder)
            caching = ["memcached", "-u", "memcache", "-l", "127.0.0.1", "-p", str(memory), "-m", "32"]
            with (
                listening(caching, memory, log=folder / "memcached.log"),
                listening(
                    _command(server, memory, folder),
                    server.port,
                    log=folder / "sogo.log",
                    environ=environ,
                    account=account,
                ),
            ):
                yield server


def _command(server: CalDAVServer, memory: int, folder: Path) -> list[str]:
    settings = {
        "SOGoProfileURL": f"{_DATABASE}/sogo_user_profile",
        "OCSFolderInfoURL": f"{_DATABASE}/sogo_folder_info",
        "OCSSessionsFolderURL": f"{_DATABASE}/sogo_sessions_folder",
        "OCSEMailAlarmsFolderURL": f"{_DATABASE}/sogo_alarms_folder",
        "SOGoUserSources": _SOURCES.format(database=_DATABASE).replace("'", '"'),
        "SOGoTimeZone": "UTC",
        "SOGoAppointmentSendEMailNotifications": "NO",
        "SOGoMemcachedHost": f"127.0.0.1:{memory}",
        "WONoDetach": "YES",
        "WOPort": f"127.0.0.1:{server.port}",
        "WOWorkersCount": "1",
        "WOLogFile": "-",
        "WOPidFile": str(folder / "pid"),
    }
    return ["sogod", *(word for name, value in settings.items() for word in (f"-{name}", value))]
