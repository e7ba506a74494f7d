"""caldav-server-tester finds every feature that it knows, but for what is listed here with a reason."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.system.server import PASSWORDS

if TYPE_CHECKING:
    from tests.system.server import Server

GAPS: dict[str, tuple[str, str]] = json.loads(Path(__file__).with_name("tester_gaps.json").read_text())
"""By feature: what the checker says, and why. The test fails when a gap closes, and when a new one opens."""

UNSTEADY = "url.encode-at."
"""What it says of `@` in addresses changes from run to run; `test_dav_bad_input` asks for such names itself."""

CHECKED = {"calendar-color", "calendar-order", "save.no-uid-conflict", "auth.www-authenticate", "synchronous-write"}
"""Some of the features that it looks at; where it looks at none, nothing is shown."""


def test_the_checker_finds_every_feature_but_the_known_gaps(server: Server, tmp_path: Path) -> None:
    pytest.importorskip("caldav_server_tester")
    start = "from caldav_server_tester import check_server_compatibility as check; check()"
    account = ["--caldav-url", server.url, "--caldav-username", "demo", "--caldav-password", PASSWORDS["demo"]]
    ran = subprocess.run(
        [sys.executable, "-c", start, *account, "--format", "json"],
        env={**os.environ, "HOME": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr.decode()
    features = json.loads(ran.stdout)["features"]
    assert features.keys() >= CHECKED
    found = {
        name: each["support"]
        for name, each in features.items()
        if each["support"] != "full" and not name.startswith(UNSTEADY)
    }
    assert found == {name: support for name, (support, _) in GAPS.items()}
    assert not [name for name, each in features.items() if "not enforced" in each.get("behaviour", "")]
