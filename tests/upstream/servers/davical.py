"""DAViCal (Debian: davical): PHP on PostgreSQL, served by PHP's own server from a copy of its pages."""

from __future__ import annotations

import os
import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tests.postgresql import running_postgresql
from tests.system.process import unused_port
from tests.upstream.servers.caldav_server import CalDAVServer
from tests.upstream.servers.running import listening, reachable_folder
from tests.upstream.servers.sockets import socket_folder

if TYPE_CHECKING:
    from collections.abc import Iterator

_INSTALLED = Path("/usr/share/davical")
_CONFIGURED_IN = "'/etc/davical/"
_SETTINGS = """<?php
$c->domain_name = '127.0.0.1';
$c->admin_email = 'admin@example.com';
$c->enable_auto_schedule = false;
$c->pg_connect[] = 'host={sockets} dbname=davical user=davical_app';
"""
_ALICE = """
INSERT INTO dav_principal (type_id, username, user_active, password, fullname, displayname, email)
VALUES (1, '{user}', true, '**{password}', 'Alice', 'Alice', 'alice@example.com')
"""


@contextmanager
def davical() -> Iterator[CalDAVServer]:
    """DAViCal with a PostgreSQL of its own, reached by its socket."""
    with reachable_folder() as folder:
        server = CalDAVServer(unused_port(), "/caldav.php/", "/caldav.php/alice/")
        pages = folder / "htdocs"
        shutil.copytree(_INSTALLED / "htdocs", pages)
        # It looks for its settings at a fixed place, where they would count for every DAViCal of this machine.
        first = pages / "always.php"
        code = first.read_text()
        assert _CONFIGURED_IN in code
        first.write_text(code.replace(_CONFIGURED_IN, f"'{folder}/"))
        with running_postgresql() as database:
            sockets = socket_folder(database)
            (folder / "config.php").write_text(_SETTINGS.format(sockets=sockets))
            environ = {**os.environ, "PGHOST": str(sockets), "PGUSER": "postgres"}
            made = subprocess.run(
                [_INSTALLED / "dba" / "create-database.sh", "davical", "unused"],
                cwd=_INSTALLED / "dba",
                env=environ,
                capture_output=True,
                check=False,
            )
            assert made.returncode == 0, made.stdout + made.stderr
            statement = _ALICE.format(user=server.user, password=server.password)
            subprocess.run(["psql", "--quiet", "--command", statement, "davical"], env=environ, check=True)
            command = ["php", "-d", f"include_path={_INSTALLED}/inc:/usr/share/awl/inc"]
            command += ["-d", "error_reporting=0", "-d", "display_errors=0", "-d", "opcache.enable_cli=1"]
            command += ["-S", f"127.0.0.1:{server.port}", "-t", str(pages)]
            workers = {"PHP_CLI_SERVER_WORKERS": "4"}
            with listening(command, server.port, log=folder / "php.log", environ=workers):
                yield server
