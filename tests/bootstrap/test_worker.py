"""Tests the thread that looks for changes: nothing ends it, and nothing that fails in it stays unsaid."""

from __future__ import annotations

import threading

from structlog.testing import capture_logs

from bridge.bootstrap.worker import keep_doing

PATIENCE = 10.0


def test_a_step_that_fails_is_said_once_and_goes_on_with_the_others() -> None:
    failed, done = threading.Semaphore(0), threading.Semaphore(0)

    def failing() -> None:
        failed.release()
        message = "out of luck"
        raise RuntimeError(message)

    with capture_logs() as logged:
        end = keep_doing(failing, done.release, every=0.001)
        for _ in range(5):
            assert failed.acquire(timeout=PATIENCE)
            assert done.acquire(timeout=PATIENCE)
        end.set()

    assert [(each["event"], each["step"], str(each["exc_info"])) for each in logged] == [
        ("step_failed", "failing", "out of luck")
    ]


def test_a_step_that_fails_again_after_it_went_well_is_said_again() -> None:
    times = threading.Semaphore(0)
    count = 0

    def every_other_time() -> None:
        nonlocal count
        count += 1
        times.release()
        if count % 2:
            raise RuntimeError

    with capture_logs() as logged:
        end = keep_doing(every_other_time, every=0.001)
        for _ in range(4):
            assert times.acquire(timeout=PATIENCE)
        end.set()

    assert len(logged) >= 2
