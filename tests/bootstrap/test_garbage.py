from __future__ import annotations

import gc
import subprocess
import sys

from bridge.bootstrap.garbage import collect_seldom
from tests.repository import TOP

_COMMAND = """
import gc, sys
from bridge.__main__ import main
sys.argv = ["calbridge", "--version"]
try:
    main()
finally:
    print(gc.isenabled(), gc.get_threshold()[0])
"""


def test_garbage_is_looked_for_less_often_but_still_looked_for() -> None:
    before = gc.get_threshold()
    try:
        gc.set_threshold(700, 10, 10)
        collect_seldom()
        assert gc.isenabled()
        assert gc.get_threshold() == (10_000, 10, 10)
    finally:
        gc.set_threshold(*before)


def test_every_command_starts_so() -> None:
    ran = subprocess.run([sys.executable, "-c", _COMMAND], capture_output=True, text=True, check=True, cwd=TOP)
    assert ran.stdout.splitlines()[-1] == "True 10000"
