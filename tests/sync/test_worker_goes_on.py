"""A worker goes on with its rules after whatever befell the machine for a moment."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from bridge.sync.worker import Worker
from tests.sync.appointments import event

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from tests.sync.desk import SyncDesk

PATIENCE = 30.0


class FailingClock:
    """A clock that cannot be read the first times that the worker's loop asks it."""

    def __init__(self, clock: Callable[[], datetime], times: int) -> None:
        self._clock = clock
        self._left = times

    def __call__(self) -> datetime:
        if self._left and threading.current_thread().name == "sync":
            self._left -= 1
            raise OSError("no clock")
        return self._clock()


def test_a_worker_goes_on_after_an_unexpected_fault(desk: SyncDesk) -> None:
    desk.remote().put(event("one", "Haircut"))
    here = desk.resource()
    desk.rule()
    done = threading.Event()
    office = replace(desk.office(), clock=FailingClock(desk.clock, 3))
    worker = Worker(office, owner="worker", threads=1, jitter=lambda: 1.0, observe=lambda _: done.set())

    worker.start()
    try:
        assert done.wait(PATIENCE)
    finally:
        worker.stop()

    assert here.titles() == {"one": "Haircut"}
