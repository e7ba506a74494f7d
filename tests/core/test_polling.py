from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from bridge.core.polling import BACKOFF, Bucket, next_poll, next_reconcile, reconcile_due, wait_after
from bridge.errors import CursorExpired, LoginRefused, Throttled, UpstreamUnavailable

BERLIN = ZoneInfo("Europe/Berlin")
NOON = datetime(2026, 7, 14, 12, tzinfo=UTC)
FIVE = timedelta(minutes=5)
AWAY = UpstreamUnavailable("It is away.")


def seconds(found: timedelta) -> float:
    return found.total_seconds()


@pytest.mark.parametrize(("jitter", "due"), [(0, 270), (0.5, 285), (1, 300)])
def test_a_rule_is_due_again_within_its_interval_and_never_late(jitter: float, due: float) -> None:
    assert seconds(next_poll(NOON, every=FIVE, jitter=jitter) - NOON) == due


def test_the_wait_after_failures_doubles_up_to_four_polls() -> None:
    waits = [seconds(wait_after(AWAY, failures, every=FIVE, jitter=1)) for failures in range(1, 9)]
    assert waits == [15, 30, 60, 120, 240, 480, 960, 1200]


def test_the_wait_is_never_longer_than_an_hour_however_many_failures() -> None:
    assert wait_after(AWAY, 10_000, every=timedelta(days=1), jitter=1) == timedelta(hours=1)


def test_chance_makes_the_wait_up_to_a_quarter_shorter() -> None:
    assert seconds(wait_after(AWAY, 3, every=FIVE, jitter=0)) == 45


@pytest.mark.parametrize("asked", [timedelta(seconds=61), timedelta(hours=7)])
def test_what_the_provider_asks_for_is_never_cut_short(asked: timedelta) -> None:
    error = Throttled("Slowly.", after=asked)
    assert wait_after(error, 1, every=FIVE, jitter=0) == asked


def test_a_provider_that_asks_for_less_than_we_would_wait_gets_what_we_would_wait() -> None:
    error = Throttled("Slowly.", after=timedelta(seconds=1))
    assert wait_after(error, 5, every=FIVE, jitter=1) == wait_after(AWAY, 5, every=FIVE, jitter=1)


def test_a_provider_that_does_not_say_how_long_is_waited_for_as_any_other() -> None:
    assert wait_after(Throttled("Slowly."), 2, every=FIVE, jitter=1) == timedelta(seconds=30)


@pytest.mark.parametrize("error", [LoginRefused("No."), CursorExpired("No more.")])
def test_what_a_person_has_to_mend_is_tried_again_more_slowly_but_for_ever(error: LoginRefused) -> None:
    waits = [wait_after(error, failures, every=FIVE, jitter=1) for failures in (1, 2, 3, 50)]
    assert waits == [timedelta(minutes=minutes) for minutes in (1, 2, 4, 60)]
    assert all(wait > BACKOFF.wait(1, every=FIVE, jitter=1) for wait in waits)


def local_times(key: str, days: int = 400, zone: ZoneInfo = BERLIN) -> list[datetime]:
    found = [next_reconcile(NOON, key=key, zone=zone)]
    while len(found) < days:
        found.append(next_reconcile(found[-1], key=key, zone=zone))
    return [night.astimezone(zone) for night in found]


def test_everything_is_compared_once_every_night_between_one_and_five() -> None:
    nights = local_times("anna-google")
    assert all(1 <= night.hour < 5 for night in nights)
    assert all((later.date() - night.date()).days == 1 for night, later in pairwise(nights))


def test_a_night_without_the_hour_is_not_left_out() -> None:
    nights = local_times("x", zone=ZoneInfo("Africa/Cairo"))
    assert len({night.date() for night in nights}) == len(nights)


def test_rules_are_spread_over_the_night_each_at_its_own_time() -> None:
    assert len({local_times(f"rule-{number}", 1)[0] for number in range(40)}) > 30
    assert local_times("same", 1) == local_times("same", 1)


def test_a_comparison_is_due_where_there_was_none_or_a_night_lies_between() -> None:
    assert reconcile_due(None, NOON, key="x", zone=BERLIN)
    assert not reconcile_due(NOON, NOON + timedelta(hours=9), key="x", zone=BERLIN)
    assert reconcile_due(NOON, NOON + timedelta(hours=18), key="x", zone=BERLIN)


def waits(bucket: Bucket, times: int, *, now: datetime = NOON) -> tuple[Bucket, list[float]]:
    found = []
    for _ in range(times):
        bucket, wait = bucket.take(now)
        found.append(seconds(wait))
    return bucket, found


def test_a_burst_passes_at_once_and_the_rest_at_the_rate() -> None:
    assert waits(Bucket(rate=2, burst=3), 6)[1] == [0, 0, 0, 0.5, 1, 1.5]


def test_a_bucket_fills_again_in_a_pause() -> None:
    emptied, _ = waits(Bucket(rate=2, burst=3), 3)
    assert waits(emptied, 2, now=NOON + timedelta(seconds=0.5))[1] == [0, 0.5]
    assert waits(emptied, 4, now=NOON + timedelta(hours=1))[1] == [0, 0, 0, 0.5]


def test_a_clock_that_is_set_back_does_not_stop_the_requests() -> None:
    emptied, _ = waits(Bucket(rate=2, burst=4), 4)
    assert waits(emptied, 1, now=NOON - timedelta(days=30))[1] == [60.5]


def test_requests_that_wait_in_a_long_row_keep_to_the_rate() -> None:
    assert waits(Bucket(rate=2, burst=1), 100)[1] == [each / 2 for each in range(100)]


@pytest.mark.parametrize(("rate", "burst"), [(0, 1), (-1, 1), (1, 0)])
def test_a_bucket_that_lets_nothing_pass_is_refused(rate: float, burst: int) -> None:
    with pytest.raises(ValueError, match="at least one"):
        Bucket(rate=rate, burst=burst)
