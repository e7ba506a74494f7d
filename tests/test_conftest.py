"""Tests what conftest.py promises to every test."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.repository import TOP

if TYPE_CHECKING:
    from pathlib import Path

TESTS = """
import pytest

def test_that_runs(): ...

@pytest.mark.skip(reason="the moon is full")
def test_that_is_skipped(): ...

@pytest.mark.debian("no-such-program", "no-such-package")
def test_that_wants_a_program(): ...

@pytest.mark.debian("sh", "dash")
def test_that_has_its_program(): ...
"""


def run_pytest(folder: Path, *options: str, no_skip: str) -> subprocess.CompletedProcess[str]:
    (folder / "test_sample.py").write_text(TESTS)
    (folder / "pytest.ini").write_text("[pytest]\nmarkers =\n    debian(program, package): as in the project\n")
    without_options = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "COV_"))}
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "tests.conftest", "-p", "no:cacheprovider", *options, folder],
        cwd=TOP,
        env=without_options | {"CALBRIDGE_NO_SKIP": no_skip},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("options", [(), ("-n", "1")], ids=["in one process", "in a worker"])
def test_a_skipped_test_fails_a_session_that_allows_no_skip(tmp_path: Path, options: tuple[str, ...]) -> None:
    session = run_pytest(tmp_path, *options, no_skip="1")

    assert session.returncode == pytest.ExitCode.TESTS_FAILED
    assert "test_that_is_skipped: Skipped: the moon is full" in session.stdout
    assert "apt-get install no-such-package" in session.stdout
    assert "2 passed, 2 skipped" in session.stdout.splitlines()[-1]


def test_a_skipped_test_is_fine_where_a_person_works(tmp_path: Path) -> None:
    session = run_pytest(tmp_path, no_skip="")

    assert session.returncode == pytest.ExitCode.OK
    assert "CALBRIDGE_NO_SKIP" not in session.stdout
