"""Tests of how many requests go to Google in a minute: never more than its quota, however much there is to do."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from bridge.core.polling import Bucket
from bridge.upstream.pace import KEPT, Pace
from tests.sync.appointments import START, event
from tests.sync.google_calendars import MINUTE, QUOTA, GoogleDesk, RunningClock, google_desk, most_within

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.fakes.google.exchange import Answered, Asked

MANY = 300
BURST = 500
SOON = timedelta(seconds=3)
UNLIMITED = {"objects": 100_000, "percent": 100}
BEGAN = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
QUOTAS = (4, 6, 10, 60, 100, 299, 300, 600, 601, 1_000, 6_000, 60_000)


# The bucket.


@pytest.mark.parametrize("quota", QUOTAS)
@pytest.mark.parametrize("at_once", [1, 5])
def test_a_bucket_gives_out_no_more_than_the_quota_in_any_minute(quota: int, at_once: int) -> None:
    for pauses in (0.0, 0.2, 0.9):
        given = drained(Bucket.within(quota), random.Random(quota), pauses=pauses, at_once=at_once)
        # What was given out may be used a moment later, so that it counts for the minute after.
        assert most_within(given, MINUTE + KEPT) <= max(quota, 2 * at_once)


@pytest.mark.parametrize("quota", [60, 300, 600])
def test_a_bucket_that_is_never_at_rest_gives_out_three_quarters_of_the_quota(quota: int) -> None:
    given = drained(Bucket.within(quota), random.Random(0), pauses=0.0, at_once=1)
    assert len(given) >= 0.75 * quota * ((given[-1] - given[0]) / MINUTE)


@pytest.mark.parametrize("quota", [1, 2, 3])
def test_the_smallest_quotas_are_kept_as_closely_as_a_bucket_can(quota: int) -> None:
    given = drained(Bucket.within(quota), random.Random(0), pauses=0.0, at_once=1)
    assert most_within(given, MINUTE) <= quota


def drained(bucket: Bucket, dice: random.Random, *, pauses: float, at_once: int) -> list[datetime]:
    """The instants of requests that somebody makes who has a great many, and rests at times."""
    given: list[datetime] = []
    now = BEGAN
    while now < BEGAN + timedelta(hours=1) and len(given) < 5_000:
        bucket, wait = bucket.take(now, at_once)
        now += wait
        given += [now] * at_once
        if dice.random() < pauses:
            now += timedelta(seconds=dice.choice([0.01, 0.5, 3, 30, 59.9, 61]))
    return given


def test_whoever_takes_several_requests_at_once_waits_until_the_last_of_them_may_go() -> None:
    bucket, first = Bucket(1.0, 2).take(BEGAN, 2)
    assert first == timedelta(0)
    _, second = bucket.take(BEGAN, 3)
    assert second == timedelta(seconds=3)


# The pace.


class Ledger:
    """Notes when a shared budget is asked, and gives from a bucket."""

    def __init__(self, clock: RunningClock, bucket: Bucket) -> None:
        self.clock, self.bucket = clock, bucket
        self.taken: list[int] = []

    def take(self, count: int) -> datetime:
        self.taken.append(count)
        self.bucket, wait = self.bucket.take(self.clock.now, count)
        return self.clock.now + wait

    def pace(self) -> Pace:
        return Pace(
            rate=QUOTA,
            parallel=4,
            clock=self.clock,
            bucket=Bucket.within(QUOTA),
            shared=self.take,
            pause=self.clock.wait_until,
        )


@pytest.fixture
def ledger() -> Ledger:
    return Ledger(RunningClock(), Bucket.within(QUOTA))


def go(pace: Pace, clock: RunningClock) -> datetime:
    with pace.turn():
        return clock.now


def test_two_processes_that_have_much_to_do_keep_to_the_quota_together(ledger: Ledger) -> None:
    one, other = ledger.pace(), ledger.pace()
    dice = random.Random(1)
    went = [go(dice.choice((one, other)), ledger.clock) for _ in range(3_000)]
    assert most_within(went, MINUTE) <= QUOTA
    assert went[-1] - went[0] < timedelta(minutes=8)


def test_a_process_that_is_killed_and_begins_anew_has_no_more_than_was_left(ledger: Ledger) -> None:
    went: list[datetime] = []
    for _ in range(30):
        pace = ledger.pace()
        went += [go(pace, ledger.clock) for _ in range(97)]
    assert most_within(went, MINUTE) <= QUOTA


def test_the_shared_budget_is_asked_for_several_requests_at_once(ledger: Ledger) -> None:
    pace = ledger.pace()
    for _ in range(100):
        go(pace, ledger.clock)
    assert len(ledger.taken) == 20


def test_what_was_taken_long_ago_is_not_used_any_more(ledger: Ledger) -> None:
    pace = ledger.pace()
    go(pace, ledger.clock)
    ledger.clock.go_on(KEPT + timedelta(seconds=1))
    go(pace, ledger.clock)
    assert len(ledger.taken) == 2


def test_a_clock_that_is_set_back_keeps_nobody_waiting(ledger: Ledger) -> None:
    pace = ledger.pace()
    go(pace, ledger.clock)
    ledger.clock.go_on(timedelta(hours=-1))
    began = ledger.clock.now
    assert go(pace, ledger.clock) - began < 2 * MINUTE


# A rule.


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[GoogleDesk]:
    with google_desk(tmp_path) as made:
        yield made


@pytest.fixture
def linked(desk: GoogleDesk) -> GoogleDesk:
    """Many appointments stand on both sides, and nothing is to be done."""
    desk.fill(MANY)
    desk.rule(guard=UNLIMITED)
    desk.sync()
    desk.poll()
    desk.forget()
    return desk


@pytest.mark.parametrize("count", [0, 1, 3])
def test_an_idle_poll_is_one_request(desk: GoogleDesk, count: int) -> None:
    desk.fill(count)
    desk.remote().make("Theirs")
    desk.rule()
    desk.sync()
    desk.poll()
    for _ in range(5):
        desk.forget()
        desk.poll()
        assert [each.id for each in desk.requests] == ["calendar.events.list"]


def test_the_look_after_a_first_pass_that_made_everything_is_one_request_too(desk: GoogleDesk) -> None:
    desk.fill(3)
    desk.rule()
    desk.sync()
    desk.forget()

    desk.poll()

    assert [each.id for each in desk.requests] == ["calendar.events.list"]


def test_a_burst_of_edits_keeps_to_the_quota_and_arrives(desk: GoogleDesk) -> None:
    desk.fill(BURST)
    desk.rule(guard=UNLIMITED)
    desk.sync()
    desk.poll()
    desk.fill(BURST, title="Shave")
    desk.forget()
    began = desk.clock.now

    desk.run_due()

    assert set(desk.remote().titles().values()) == {f"Shave {number}" for number in range(BURST)}
    assert desk.refusals() == []
    assert desk.busiest_minute() <= QUOTA
    # Two requests each: the version that stands there is read, and what differs is written.
    assert len(desk.requests) <= 2 * BURST
    assert desk.clock.now - began <= timedelta(minutes=3)


def when_asked(desk: GoogleDesk, number: int, act: object) -> None:
    """Somebody does something when Google is asked for the so-many-th time from now on."""
    left = iter(range(number - 1))

    def now(asked: Asked) -> bool:
        return asked.method != "GET" and next(left, None) is None

    def done(asked: Asked, answer: object) -> Answered:
        act()  # type: ignore[operator]
        return answer(asked)  # type: ignore[operator,no-any-return]

    desk.google.script(done, when=now)


@pytest.mark.parametrize("number", [20, 150, 290])
def test_an_edit_that_is_made_during_a_burst_is_there_within_seconds(linked: GoogleDesk, number: int) -> None:
    linked.fill(MANY - 1, title="Shave")
    made: list[datetime] = []

    def edit() -> None:
        made.append(linked.clock.now)
        linked.resource().put(event(f"n{MANY - 1}", "Urgent", start=START + timedelta(hours=MANY - 1)))

    when_asked(linked, number, edit)
    linked.run_due()

    assert written_at(linked, "Urgent") - made[0] < SOON
    assert len(linked.remote().titles()) == MANY
    assert linked.refusals() == []


@pytest.mark.parametrize("number", [5, 150, 290])
def test_an_appointment_that_is_made_during_a_first_pass_is_there_within_seconds(desk: GoogleDesk, number: int) -> None:
    desk.fill(MANY)
    desk.rule()
    made: list[datetime] = []

    def add() -> None:
        made.append(desk.clock.now)
        desk.resource().put(event("urgent", "Urgent"))

    when_asked(desk, number, add)
    desk.sync()
    desk.rest_at_google()

    assert written_at(desk, "Urgent") - made[0] < SOON
    assert len(desk.remote().titles()) == MANY + 1
    assert desk.refusals() == []


def written_at(desk: GoogleDesk, title: str) -> datetime:
    (found,) = [each.at for each in desk.requests if each.body and each.body.get("summary") == title]
    assert found is not None
    return found


def test_of_a_burst_what_was_changed_last_goes_first(linked: GoogleDesk) -> None:
    for number in range(60):
        linked.resource().put(event(f"n{number}", f"Shave {number}", start=START + timedelta(hours=number)))

    linked.run_due()

    titles = [each.body["summary"] for each in linked.requests if each.id == "calendar.events.patch"]
    assert titles[:3] == ["Shave 59", "Shave 58", "Shave 57"]
