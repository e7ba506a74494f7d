"""What the tests of the pains share: a desk at the sync engine, with remote calendars in memory or at Google."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.pains.desk import new_desk
from tests.sync.google_side import google_desks

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.pains.desk import PainDesk
    from tests.sync.google_side import GoogleDesk


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[PainDesk]:
    """Rules to be made, on an empty store."""
    with new_desk(tmp_path) as desk:
        yield desk


@pytest.fixture
def bridge(tmp_path: Path) -> Iterator[GoogleDesk]:
    """Rules to be made with calendars at Google, on an empty store."""
    with google_desks(tmp_path, "ours") as [desk]:
        yield desk
