"""vdirsyncer keeps a folder of files and a remote calendar the same: what the first sync of a rule is compared with."""

from __future__ import annotations

import os
import shutil
import subprocess
import sysconfig
from time import perf_counter
from typing import TYPE_CHECKING

from tests.bench.servers import PASSWORD

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from tests.bench.appointments import Appointment

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
        self.files.mkdir(parents=True)
        for each in stored:
            (self.files / each.href).write_bytes(each.raw)
        (folder / "config").write_text(_CONFIG.format(folder=folder, url=url, user=user, password=PASSWORD))
        self._environ = {**os.environ, "VDIRSYNCER_CONFIG": str(folder / "config"), "HOME": str(folder)}
        self._run("discover")

    def sync(self) -> float:
        """Syncs once; gives the seconds that it took beyond those that the program needs to start."""
        return self._run("sync") - self._run("--version")

    def _run(self, argument: str) -> float:
        program = shutil.which("vdirsyncer", path=sysconfig.get_path("scripts"))
        assert program is not None
        began = perf_counter()
        subprocess.run(
            [program, argument], env=self._environ, input="y\n" * 10, capture_output=True, text=True, check=True
        )
        return perf_counter() - began
