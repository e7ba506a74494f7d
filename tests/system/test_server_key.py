"""Rotates the key file of a running server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.store.sealed import KeyFile
from tests.system.process import eventually, running

if TYPE_CHECKING:
    from pathlib import Path


def test_a_new_key_is_taken_up_soon_and_feeds_go_on_under_their_addresses(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        path = server.feed_path()
        keys = server.path.parent / server.configuration["secret_key_file"]
        KeyFile.rotate(keys)

        eventually(lambda: bool(server.events("replacing_workers")), "fresh workers start", within=10)

        assert server.feed_path() == path
        assert server.ask("GET", path).status == 200
