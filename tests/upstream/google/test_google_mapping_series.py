"""Tests that every kind of series goes to Google and back with its meaning, and is where it was."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from bridge.core.content import read
from bridge.core.difference import difference
from bridge.core.recurrence import expand
from bridge.upstream.google.mapping import changed, from_google, to_google
from tests.upstream.google.google_answers import (
    ZONE,
    answered,
    instances,
    parsed,
    patched_by,
    there_and_back,
)
from tests.upstream.google.google_series import MATRIX, Series, judged

if TYPE_CHECKING:
    from bridge.core.model import CalendarObject

BEGIN, END = datetime(2027, 1, 1, tzinfo=UTC), datetime(2032, 1, 1, tzinfo=UTC)
HELD = [series for series in MATRIX if series.verdict != "refused"]
REWRITTEN = {
    "in a zone under a name of its own, with a clock that has a name": {"when"},
}
"""What Google gives back in other words of the same meaning."""


def named(series: Series) -> str:
    return series.name


def shown_here(obj: CalendarObject) -> list[tuple[datetime, datetime]]:
    found = expand(obj, BEGIN, END, zone=ZoneInfo(ZONE), limit=5_000)
    overridden = [one for one in found if "RECURRENCE-ID" in one.component]
    gone = [one for one in overridden if one.component.get("STATUS") == "CANCELLED"]
    return sorted((one.first, one.last) for one in found if one not in gone)


def test_the_matrix_has_at_least_forty_five_series_of_different_names() -> None:
    assert len({series.name for series in MATRIX}) == len(MATRIX) >= 45


@pytest.mark.parametrize("series", MATRIX, ids=named)
def test_a_series_is_held_as_the_matrix_says_and_the_sentence_says_why(series: Series) -> None:
    found = judged(series)
    assert found.verdict == series.verdict
    assert bool(found.why) == (series.verdict != "native")
    assert all(sentence.endswith(".") for sentence in found.why)


@pytest.mark.parametrize("series", HELD, ids=named)
def test_a_series_comes_back_with_its_meaning(series: Series) -> None:
    found = difference(read(series.obj), read(there_and_back(series.obj)))
    assert {slot.group for slot in found.changes} == REWRITTEN.get(series.name, set())


@pytest.mark.parametrize("series", HELD, ids=named)
def test_all_instances_of_a_series_come_back_where_they_were(series: Series) -> None:
    assert shown_here(there_and_back(series.obj)) == shown_here(series.obj) != []


@pytest.mark.parametrize("start_counts", [True, False])
@pytest.mark.parametrize("series", HELD, ids=named)
def test_google_shows_a_series_at_the_times_at_which_it_is_here(series: Series, *, start_counts: bool) -> None:
    master, exceptions = answered(to_google(series.obj, zone=ZONE))
    there = instances(master, exceptions, BEGIN, END, start_counts=start_counts)
    assert there == shown_here(series.obj)


@pytest.mark.parametrize("series", HELD, ids=named)
def test_what_was_read_is_written_as_it_stands(series: Series) -> None:
    master, exceptions = answered(to_google(series.obj, zone=ZONE))
    once = to_google(parsed(from_google(master, exceptions, zone=ZONE)), zone=ZONE)
    assert changed(once.master, to_google(series.obj, zone=ZONE).master) == {}
    again = to_google(there_and_back(parsed(from_google(master, exceptions, zone=ZONE))), zone=ZONE)
    assert again == once


@pytest.mark.parametrize("series", HELD, ids=named)
def test_the_order_and_the_zone_in_which_google_answers_do_not_matter(series: Series) -> None:
    whole = to_google(series.obj, zone=ZONE)
    there = [answered(whole, shown_in=zone) for zone in ("Asia/Kathmandu", "UTC", ZONE)]
    texts = {from_google(master, list(reversed(exceptions)), zone=ZONE) for master, exceptions in there}
    texts |= {from_google(master, exceptions, zone=ZONE) for master, exceptions in there}
    assert len(texts) == 1


@pytest.mark.parametrize("series", HELD, ids=named)
def test_a_title_that_changes_here_is_all_that_a_patch_says(series: Series) -> None:
    before = there_and_back(series.obj)
    raw = before.raw.replace(b"SUMMARY:", b"SUMMARY:New: ")
    after = parsed(raw if raw != before.raw else raw.replace(b"END:VEVENT", b"SUMMARY:New\r\nEND:VEVENT"))
    wanted, now = to_google(after, zone=ZONE), to_google(before, zone=ZONE)
    assert set(changed(wanted.master, now.master)) == {"summary"}
    for key, body in wanted.overrides.items():
        assert set(changed(body or {}, now.overrides[key] or {})) <= {"summary"}


@pytest.mark.parametrize("series", [series for series in HELD if "without their series" not in series.name], ids=named)
def test_a_title_that_changes_there_is_all_that_changes_here(series: Series) -> None:
    master, exceptions = answered(to_google(series.obj, zone=ZONE))
    title = f"{master.get('summary', '')} (room 2)"
    moved = from_google(patched_by(master, {"summary": title}), exceptions, zone=ZONE)
    found = difference(read(there_and_back(series.obj)), read(parsed(moved)))
    assert {slot.group for slot in found.changes if not slot.part} <= {"SUMMARY"}
    assert shown_here(parsed(moved)) == shown_here(series.obj)
    assert title.removeprefix("Cancelled: ").encode() in moved
