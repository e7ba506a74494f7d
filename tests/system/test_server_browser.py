"""A person opens the start page in a real browser."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.system.process import running

if TYPE_CHECKING:
    from pathlib import Path

# Nothing but the page is fetched, and the tests may run as root.
CHROMIUM = (
    "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--enable-logging=stderr",
)  # fmt: skip


@pytest.mark.debian("chromium", "chromium")
@pytest.mark.parametrize("width", [390, 1000])
def test_the_start_page_says_how_to_connect_and_nothing_is_blocked(tmp_path: Path, width: int) -> None:
    picture = tmp_path / "page.png"
    with running(tmp_path) as server:
        address = f"http://127.0.0.1:{server.port}/"
        profile = f"--user-data-dir={tmp_path / 'profile'}"
        shown = subprocess.run(
            [*CHROMIUM, profile, "--dump-dom", address], capture_output=True, text=True, timeout=120, check=True
        )
        subprocess.run(
            [*CHROMIUM, profile, f"--screenshot={picture}", f"--window-size={width},1000", address],
            capture_output=True,
            timeout=120,
            check=True,
        )
    for seen in ("Salon Anna", f"{address}dav/", "Thunderbird", "iPhone", "DAVx"):
        assert seen in shown.stdout
    # A style or picture that the page's own policy forbids is said on the console.
    assert "CONSOLE" not in shown.stderr, shown.stderr
    # A blank page packs into far less.
    assert picture.stat().st_size > 20_000
