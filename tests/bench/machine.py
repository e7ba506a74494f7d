"""What the run took place on."""

from __future__ import annotations

import os
import platform
import shutil
import sqlite3
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench.load import generator

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date


def version_of(package: str) -> str:
    """Name and version of an installed package."""
    return f"{package} {version(package)}"


def load() -> float:
    """How many processes wanted the processor in the last minute."""
    return os.getloadavg()[0]


def sentences(today: date, loads: Sequence[float], *, peers: Sequence[str] = ()) -> tuple[str, ...]:
    """The machine, the versions and the day.

    Args:
        today: The day.
        loads: Of the machine: before the run, and then whenever something was measured.
        peers: Packages that were measured besides.
    """
    nginx = _nginx_version()
    programs = [
        f"Python {platform.python_version()}",
        version_of("granian"),
        version_of("Radicale"),
        *map(version_of, peers),
        f"SQLite {sqlite3.sqlite_version}",
        *([nginx] if nginx else []),
    ]
    during = loads[1:]
    system = f"{platform.system()} {platform.release().partition('-')[0]}"
    cores = len(os.sched_getaffinity(0))
    return (
        f"{today:%d %B %Y}: {cores} cores of {_processor()}, {system}.",
        f"Load {loads[0]:.1f} before the run, {min(during):.1f} to {max(during):.1f} during it (the bench makes 1).",
        f"{', '.join(programs)}. Load made by {generator()}.",
    )


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return " ".join(line.partition(":")[2].split())
    return platform.machine()


def _nginx_version() -> str:
    program = shutil.which("nginx") or shutil.which("/usr/sbin/nginx")
    if program is None:
        return ""
    shown = subprocess.run([program, "-v"], capture_output=True, text=True, check=True)
    return shown.stderr.strip().rpartition(" ")[2].replace("/", " ")
