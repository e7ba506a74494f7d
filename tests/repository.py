"""Lists the repository's own files: those that are, or would be, committed."""

from __future__ import annotations

import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

TOP = Path(__file__).parent.parent


@cache
def files() -> tuple[Path, ...]:
    """Returns the path of every file that git tracks or would add."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=TOP,
        capture_output=True,
        check=True,
    )
    paths = (TOP / name.decode() for name in listed.stdout.split(b"\0") if name)
    return tuple(sorted(path for path in paths if path.is_file()))


def copy_to(folder: Path) -> None:
    """Copies the repository's own files, as a fresh clone would hold them."""
    for path in files():
        copy = folder / path.relative_to(TOP)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, copy)


def unmeasured() -> dict[str, str]:
    """The environment for a process that a test interrupts: coverage deadlocks when a signal meets it in its lock."""
    return {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
