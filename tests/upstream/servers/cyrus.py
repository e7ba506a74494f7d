"""Cyrus (Debian: cyrus-caldav): a mail server whose calendars live in mailboxes."""

from __future__ import annotations

import imaplib
import pwd
import subprocess
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tests.system.process import unused_port
from tests.upstream.servers.caldav_server import CalDAVServer
from tests.upstream.servers.running import Account, listening, reachable_folder

if TYPE_CHECKING:
    from collections.abc import Iterator

_PROGRAMS = Path("/usr/lib/cyrus/bin")
_IMAPD = """
configdirectory: {folder}/config
proc_path: {folder}/run/proc
mboxname_lockpath: {folder}/run/lock
idlesocket: {folder}/run/idle
notifysocket: {folder}/run/notify
lmtpsocket: {folder}/run/lmtp
defaultpartition: default
partition-default: {folder}/spool
unixhierarchysep: yes
altnamespace: no
virtdomains: off
admins: {admin}
allowplaintext: yes
sasl_mech_list: PLAIN
sasl_pwcheck_method: auxprop
sasl_auxprop_plugin: sasldb
sasl_sasldb_path: {folder}/users
servername: 127.0.0.1
httpmodules: caldav
caldav_realm: cyrus
calendar_user_address_set: example.com
caldav_allowscheduling: off
"""
_CYRUS = """
START {{ recover cmd="{programs}/ctl_cyrusdb -C {folder}/imapd.conf -r" }}
SERVICES {{
  imap cmd="imapd -C {folder}/imapd.conf" listen="127.0.0.1:{imap}" prefork=0
  http cmd="httpd -C {folder}/imapd.conf" listen="127.0.0.1:{http}" prefork=0
}}
EVENTS {{ checkpoint cmd="{programs}/ctl_cyrusdb -C {folder}/imapd.conf -c" period=60 }}
"""
_ACCOUNT = "cyrus"
_ADMIN = "cyrus"


@contextmanager
def cyrus() -> Iterator[CalDAVServer]:
    """Cyrus with mailboxes of its own; only root can start it, because it works under an account of its own."""
    with reachable_folder() as folder:
        server = CalDAVServer(unused_port(), "/dav/", "/dav/calendars/user/alice/")
        imap = unused_port()
        owner = Account(pwd.getpwnam(_ACCOUNT).pw_uid)
        owner.give(folder)
        for name in ("config", "spool", "run", "run/proc", "run/lock"):
            (folder / name).mkdir()
            owner.give(folder / name)
        (folder / "imapd.conf").write_text(_IMAPD.format(folder=folder, admin=_ADMIN))
        (folder / "cyrus.conf").write_text(
            _CYRUS.format(folder=folder, programs=_PROGRAMS, imap=imap, http=server.port)
        )
        for user in (server.user, _ADMIN):
            subprocess.run(
                ["saslpasswd2", "-p", "-c", "-u", "127.0.0.1", "-f", folder / "users", user],
                input=server.password.encode(),
                check=True,
            )
        owner.give(folder / "users")
        command: list[str | Path] = [
            _PROGRAMS / "master",
            "-D",
            "-C",
            folder / "imapd.conf",
            "-M",
            folder / "cyrus.conf",
            "-p",
            folder / "pid",
        ]
        with listening(command, server.port, log=folder / "cyrus.log"):
            with imaplib.IMAP4("127.0.0.1", imap) as mail:
                mail.login(_ADMIN, server.password)
                assert mail.create(f"user/{server.user}")[0] == "OK"
            yield server
