"""What the tests of the pains share: a desk at the sync engine, with remote calendars in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.pains.desk import new_desk

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.pains.desk import PainDesk


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[PainDesk]:
    """Rules to be made, on an empty store."""
    with new_desk(tmp_path) as desk:
        yield desk
