"""vdirsyncer keeps a folder of files and a remote calendar the same: what the first sync of a rule is compared with."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sysconfig
from time import perf_counter
from typing import TYPE_CHECKING

from tests.bench.findings import Cost
from tests.bench.servers import PASSWORD

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from tests.bench.appointments import Appointment
    from tests.bench.servers import Server

_CONFIG = """\
[general]
status_path = "{folder}/status/"
[pair both]
a = "files"
b = "server"
collections = null
[storage files]
type = "filesystem"
path = "{folder}/files/"
fileext = ".ics"
[storage server]
type = "caldav"
url = "{url}"
username = "{user}"
password = "{password}"
[pair nothing]
a = "none"
b = "nowhere"
collections = null
[storage none]
type = "filesystem"
path = "{folder}/none/"
fileext = ".ics"
[storage nowhere]
type = "filesystem"
path = "{folder}/nowhere/"
fileext = ".ics"
"""


class Vdirsyncer:
    """The installed program, with a folder of its own.

    Args:
        folder: Where its files are.
        url: Of the remote calendar.
        user: Who logs in there.
        stored: What is in the folder at first.
    """

    def __init__(self, folder: Path, url: str, user: str, stored: Iterable[Appointment]) -> None:
        self.files = folder / "files"
        for name in ("files", "none", "nowhere"):
            (folder / name).mkdir(parents=True)
        for each in stored:
            (self.files / each.href).write_bytes(each.raw)
        (folder / "config").write_text(_CONFIG.format(folder=folder, url=url, user=user, password=PASSWORD))
        self._environ = {**os.environ, "VDIRSYNCER_CONFIG": str(folder / "config"), "HOME": str(folder)}
        self._run("discover")

    def sync(self, server: Server) -> Cost:
        """Syncs once; gives what that cost beyond the syncing of nothing, which is what the program needs to start."""
        before = server.processor_seconds()
        seconds, own = self._run("sync", "both")
        after = server.processor_seconds()
        start, own_start = self._run("sync", "nothing")
        return Cost(seconds - start, own - own_start, after - before)

    def _run(self, *arguments: str) -> tuple[float, float]:
        """Seconds and processor seconds of one run."""
        program = shutil.which("vdirsyncer", path=sysconfig.get_path("scripts"))
        assert program is not None
        began, spent = perf_counter(), _processor_seconds_of_those_that_ended()
        subprocess.run(
            [program, *arguments], env=self._environ, input="y\n" * 10, capture_output=True, text=True, check=True
        )
        return perf_counter() - began, _processor_seconds_of_those_that_ended() - spent


def _processor_seconds_of_those_that_ended() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
