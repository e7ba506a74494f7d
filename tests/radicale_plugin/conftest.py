"""A store with a salon in it, for tests of the CalDAV face in this process."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.radicale_plugin.calling import backed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bridge.radicale_plugin.backing import Backing


@pytest.fixture
def backing(tmp_path: Path) -> Iterator[Backing]:
    with backed(tmp_path) as backing:
        yield backing
