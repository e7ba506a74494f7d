"""What the tests of the sync engine share: a store of their own, and a desk at it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.store.desk import Clock
from tests.sync.desk import SyncDesk
from tests.sync.stage import new_database
from tests.sync.watching import WatchDesk

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[SyncDesk]:
    """Rules to be made, on an empty store."""
    clock = Clock()
    database = new_database(tmp_path, clock)
    yield SyncDesk(database, clock)
    database.close()


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[WatchDesk]:
    """Rules to be made whose upstreams tell of changes, on an empty store."""
    clock = Clock()
    database = new_database(tmp_path, clock)
    yield WatchDesk(database, clock)
    database.close()


@pytest.fixture
def told(watched: WatchDesk) -> WatchDesk:
    """One rule that is told of changes, at rest."""
    watched.rule()
    watched.sync()
    watched.run_due()
    watched.asked()
    watched.calls()
    return watched
