from __future__ import annotations

import pytest

from bridge.core.guard import FLOOR, Guard, exceeded, why_held
from bridge.core.sides import Side


def test_a_few_deletions_of_many_pass() -> None:
    assert not exceeded(20, 400, Guard())


def test_more_deletions_than_the_limit_are_held_however_large_the_side() -> None:
    assert not exceeded(25, 100_000, Guard())
    assert exceeded(26, 100_000, Guard())


def test_more_than_the_share_of_a_side_is_held() -> None:
    assert not exceeded(10, 50, Guard())
    assert exceeded(11, 50, Guard())


def test_a_small_calendar_may_empty() -> None:
    assert not exceeded(FLOOR, FLOOR, Guard())


def test_a_larger_one_that_empties_is_held() -> None:
    assert exceeded(FLOOR + 1, FLOOR + 1, Guard())


def test_deletions_that_trickle_in_are_counted_together() -> None:
    assert not exceeded(5, 100, Guard(), recent=16)
    assert exceeded(5, 80, Guard(), recent=16)
    assert exceeded(1, 10_000, Guard(), recent=25)


def test_a_pass_that_deletes_nothing_is_never_held() -> None:
    assert not exceeded(0, 10, Guard(), recent=100)


def test_a_guard_of_no_object_holds_every_deletion() -> None:
    assert exceeded(1, 1000, Guard(objects=0))


def test_a_guard_of_a_hundred_percent_counts_objects_only() -> None:
    assert not exceeded(25, 25, Guard(percent=100))


@pytest.mark.parametrize(("objects", "percent"), [(-1, 20), (25, -1), (25, 101)])
def test_a_limit_that_means_nothing_is_refused(objects: int, percent: int) -> None:
    with pytest.raises(ValueError, match="counts objects from 0"):
        Guard(objects, percent)


def test_a_person_reads_how_many_of_how_many_and_what_to_do() -> None:
    sentence = why_held(34, 40, Guard(), side=Side.HERE, rule="anna-google")
    assert "would delete 34 of 40 appointments here; its guard lets 25 or 20 % pass." in sentence
    assert sentence.endswith("`calbridge held list` shows what waits.")


def test_a_person_reads_of_the_last_hour_where_it_counts() -> None:
    sentence = why_held(3, 40, Guard(), side=Side.THERE, rule="x", recent=24)
    assert "3 of 40 appointments at the upstream, after 24 in the last hour;" in sentence
