"""One rule is taken by this process, due or not, and is its own until the block ends."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from bridge.errors import StoreError
from bridge.store import lease
from bridge.sync.worker import LEASE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bridge.store.database import Database
    from bridge.store.rule import Rule

_EXTEND_EVERY_SECONDS = LEASE.total_seconds() / 4


@contextmanager
def holding(database: Database, rule_id: int, owner: str) -> Iterator[Rule | None]:
    """Takes the lease of a rule, extends it as long as the block runs, and gives it back.

    Args:
        database: The store.
        rule_id: The rule; it may be paused or left over.
        owner: Names whoever takes it among all workers.

    Yields:
        The rule, or None where another worker has it now.

    Raises:
        NotFound: There is no such rule.
        StoreError: The database cannot be written.
    """
    with database.writing() as tx:
        rule = lease.take(tx, rule_id, owner=owner, until=tx.now + LEASE)
    if rule is None:
        yield None
        return
    end = threading.Event()

    def extend() -> None:
        while not end.wait(_EXTEND_EVERY_SECONDS):
            try:
                with database.writing() as tx:
                    lease.extend(tx, rule_id, owner, tx.now + LEASE)
            except StoreError:
                # Whoever works under the lease finds out at its next write.
                continue

    extending = threading.Thread(target=extend, name="lease", daemon=True)
    extending.start()
    try:
        yield rule
    finally:
        end.set()
        extending.join()
        with database.writing() as tx:
            lease.release(tx, rule_id, owner)
