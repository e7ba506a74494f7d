"""litmus, the WebDAV test suite, passes in a home of calendars, but for what calendars are not made for."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.system.server import PASSWORDS

if TYPE_CHECKING:
    from tests.system.server import Server

GAPS: dict[str, dict[str, str]] = json.loads(Path(__file__).with_name("litmus_gaps.json").read_text())
"""By suite and test: why it cannot pass. A test fails when a gap closes, and when a new one opens."""

_LINE = re.compile(r"^ *\d+\. (\w+)\.+ +(pass|FAIL|SKIPPED)", re.MULTILINE)
_WARNED = re.compile(r"^ *\d+\. (\w+)\.+ WARNING:.*\n *\.+ pass", re.MULTILINE)


@pytest.mark.debian("litmus", "litmus")
@pytest.mark.parametrize("suite", GAPS)
def test_litmus_passes_but_for_the_known_gaps(server: Server, tmp_path: Path, suite: str) -> None:
    ran = subprocess.run(
        ["litmus", "--keep-going", f"{server.url}dav/demo/", "demo", PASSWORDS["demo"]],
        env={**os.environ, "TESTS": suite},
        cwd=tmp_path,
        capture_output=True,
        check=False,
    )
    # It overwrites the beginning of a line when a test ends.
    text = re.sub(r"^.*\r", "", ran.stdout.decode(errors="replace"), flags=re.MULTILINE)
    outcomes = dict(_LINE.findall(text)) | dict.fromkeys(_WARNED.findall(text), "pass")
    assert {"init", "begin", "finish"} <= outcomes.keys(), text
    assert {name for name, outcome in outcomes.items() if outcome != "pass"} == GAPS[suite].keys(), text
    assert len(outcomes) > len(GAPS[suite])
