"""What every database must do for allowances: inherited beside `tests.contracts.store`."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from bridge.core.polling import Bucket
from bridge.store import allowance
from tests.store.assignments import MINUTE

if TYPE_CHECKING:
    from collections.abc import Callable

    from bridge.store.database import Database
    from tests.store.desk import Clock, Desk

BUCKET = Bucket(1.0, 4)
SECOND = timedelta(seconds=1)


def take(database: Database, count: int = 1, connection: str = "anna-google", bucket: Bucket = BUCKET) -> datetime:
    with database.writing() as tx:
        return allowance.take(tx, connection, bucket, count)


class AllowanceContract:
    """All processes take their requests out of one bucket."""

    def test_what_one_process_takes_another_has_to_wait_for(
        self, desk: Desk, open_database: Callable[[], Database], clock: Clock
    ) -> None:
        assert take(desk.database, 3) == clock.now
        other = open_database()
        assert take(other, 2) == clock.now + SECOND
        assert take(desk.database) == clock.now + 2 * SECOND

    def test_it_fills_again_also_while_nobody_runs(self, desk: Desk, clock: Clock) -> None:
        take(desk.database, 4)
        clock.go_on(MINUTE)
        assert take(desk.database, 4) == clock.now
        assert take(desk.database) == clock.now + SECOND

    def test_each_connection_has_its_own(self, desk: Desk, clock: Clock) -> None:
        take(desk.database, 100)
        assert take(desk.database, connection="bob-google") == clock.now

    def test_a_clock_that_is_set_back_makes_nobody_wait_for_long(self, desk: Desk, clock: Clock) -> None:
        take(desk.database, 4)
        clock.go_on(-60 * MINUTE)
        assert take(desk.database) <= clock.now + MINUTE + SECOND

    def test_processes_that_take_at_the_same_moment_take_different_requests(
        self, desk: Desk, open_database: Callable[[], Database]
    ) -> None:
        bucket = Bucket(1.0, 1)
        with closing(open_database()) as other, ThreadPoolExecutor(8) as crew:
            taken = list(crew.map(lambda each: take(each, bucket=bucket), [desk.database, other] * 10))
        assert len(set(taken)) == 20, "nobody was given what another has"
        assert max(taken) - min(taken) == 19 * SECOND
        assert min(taken).tzinfo is UTC
