"""Tests of the count of requests that go to upstreams."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from datetime import UTC, datetime

from bridge.upstream.pace import Pace
from bridge.upstream.tally import count, counting


def ask(pace: Pace) -> None:
    with pace.turn():
        pass


def test_each_turn_of_a_pace_is_counted_in_whatever_thread_it_comes() -> None:
    pace = Pace(rate=6_000, parallel=4, clock=lambda: datetime(2026, 11, 21, tzinfo=UTC))
    with counting() as tally, ThreadPoolExecutor(3) as crew:
        ask(pace)
        for asked in [crew.submit(copy_context().run, ask, pace) for _ in range(5)]:
            asked.result()

    assert tally.requests == 6


def test_what_others_ask_meanwhile_is_not_counted() -> None:
    with counting() as first:
        count()
        with counting() as second:
            count()
            count()
        count()
    count()

    assert (first.requests, second.requests) == (2, 2)
