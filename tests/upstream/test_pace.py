from __future__ import annotations

import threading
from datetime import UTC, datetime

import pytest

from bridge.errors import BrokenOff
from bridge.upstream.pace import Pace


def pace(*, rate: int = 600, parallel: int = 4) -> Pace:
    return Pace(rate=rate, parallel=parallel, clock=lambda: datetime(2026, 11, 21, tzinfo=UTC))


def test_no_more_requests_go_at_once_than_are_allowed() -> None:
    one = pace(parallel=1)
    order = []

    def second() -> None:
        with one.turn():
            order.append("second")

    thread = threading.Thread(target=second)
    with one.turn():
        thread.start()
        order.append("first")
    thread.join()
    assert order == ["first", "second"]


def test_after_its_end_no_request_goes_any_more() -> None:
    one = pace()
    one.end()
    with pytest.raises(BrokenOff), one.turn():
        pytest.fail("it went")


def test_a_request_that_waits_for_its_turn_ends_with_the_pace() -> None:
    # After the first, each waits for a minute.
    one = pace(rate=1)
    with one.turn():
        pass
    ended = []

    def waiting() -> None:
        try:
            with one.turn():
                ended.append("went")
        except BrokenOff:
            ended.append("broken off")

    thread = threading.Thread(target=waiting)
    thread.start()
    one.end()
    thread.join(30)
    assert ended == ["broken off"]
