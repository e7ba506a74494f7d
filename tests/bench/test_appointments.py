"""Tests that the bench measures what it says it measures."""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import TYPE_CHECKING

from bridge.core import ics
from bridge.store import placement
from bridge.store.collection import get
from tests.bench import site
from tests.bench.appointments import ZONE, appointments, edited, monday, one_more, whole

if TYPE_CHECKING:
    from pathlib import Path

TODAY = date(2026, 11, 21)


def test_the_same_day_gives_the_same_appointments() -> None:
    assert [each.raw for each in appointments(100, TODAY)] == [each.raw for each in appointments(100, TODAY)]


def test_a_past_week_holds_forty_appointments_and_some_of_them_are_series() -> None:
    made = list(appointments(400, TODAY))
    weeks = Counter(monday(each.first.astimezone(ZONE).date()) for each in made)

    assert set(weeks.values()) == {40}
    assert 5 < sum(each.recurring for each in made) < 40


def test_a_filled_store_is_what_puts_would_have_made(tmp_path: Path) -> None:
    here = site.make(tmp_path)
    made = {each.href: each for each in appointments(200, TODAY)}
    site.fill(here, made.values())

    with here.database.reading() as tx:
        stored = list(placement.get_all(tx, get(tx, site.ADDRESS).id))
    here.database.close()

    assert len(stored) == 200
    for each in stored:
        parsed = ics.parse(each.raw, zone=ZONE, max_instances=10_000)
        assert (parsed.uid, parsed.etag, parsed.recurring) == (made[each.href].uid, each.etag, each.recurring)
        assert (parsed.feed_ready, parsed.tzids) == (each.feed_ready, each.tzids)
        assert placement.seconds(parsed.span.first) == each.first
        # The span of a series may be announced a few hours too long, never too short.
        assert 0 <= placement.seconds(parsed.span.last) - each.last < 86_400


def test_a_file_of_all_holds_every_appointment_once() -> None:
    made = list(appointments(50, TODAY))
    parsed = [ics.parse(part, zone=ZONE, max_instances=10_000) for part in ics.split(whole(made))]

    assert sorted(each.uid for each in parsed) == sorted(each.uid for each in made)


def test_an_edit_keeps_the_uid_and_changes_the_text() -> None:
    before = next(appointments(1, TODAY))
    after = edited(before, 1)

    assert after.uid == before.uid
    assert after.raw != before.raw


def test_a_new_appointment_is_none_of_those_that_are_there() -> None:
    there = {each.uid for each in appointments(500, TODAY)}

    assert not there & {one_more(number, TODAY).uid for number in range(100)}
