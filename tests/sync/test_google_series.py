"""Tests that every series of the matrix goes to Google and on to another bridge, and every edit of it both ways."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bridge.core.content import read
from bridge.core.difference import difference
from tests.repository import TOP
from tests.sync.google_matrix import HERE, NARROW, REWRITTEN, THERE, page, steps_of, window_of
from tests.sync.google_side import google_desks
from tests.sync.series_by_hand import Person, shown_here, shown_there
from tests.upstream.google.google_answers import parsed
from tests.upstream.google.google_series import MATRIX, judged

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bridge.core.model import CalendarObject
    from tests.sync.google_side import GoogleDesk
    from tests.sync.series_by_hand import Seen
    from tests.upstream.google.google_series import Series

HELD = [series for series in MATRIX if series.verdict != "refused"]
REFUSED = [series for series in MATRIX if series.verdict == "refused"]


def named(series: Series) -> str:
    return series.name


@pytest.fixture
def desks(tmp_path: Path) -> Iterator[list[GoogleDesk]]:
    """Our bridge and another, at one calendar."""
    with google_desks(tmp_path, "ours", "other") as desks:
        yield desks


def begin(desks: list[GoogleDesk], series: Series) -> None:
    """A series is put here, and everybody has heard of it."""
    for desk in desks:
        desk.rule(window=dict(window_of(series)))
    desks[0].resource().put(series.obj)
    hear(desks)


def hear(desks: list[GoogleDesk]) -> None:
    for desk in desks:
        desk.poll()


def everywhere(desks: list[GoogleDesk]) -> list[Seen]:
    """What is seen here, which is what is seen at Google and at the other bridge."""
    there = shown_there(desks[0].at_google().page)
    for desk in desks:
        assert desk.parked() == []
        assert shown_here(desk.objects()) == there, desk.site
    return there


def only(desk: GoogleDesk) -> CalendarObject:
    [obj] = desk.objects()
    return obj


def assert_rest(desks: list[GoogleDesk]) -> None:
    """Nobody has anything left to write."""
    for desk in desks:
        desk.rest()
    desks[0].at_google().writes()
    for desk in desks:
        desk.night()
    assert desks[0].at_google().writes() == []


@pytest.mark.parametrize("series", HELD, ids=named)
def test_a_series_is_the_same_for_another_bridge_and_so_is_every_edit_here(
    desks: list[GoogleDesk], series: Series
) -> None:
    begin(desks, series)
    assert everywhere(desks) == shown_here([series.obj]) != []
    changes = difference(read(series.obj), read(only(desks[1]))).changes
    rewritten, _ = REWRITTEN.get(series.name, (frozenset(), ""))
    assert {slot.group for slot in changes} == rewritten
    # Here it stays what it was, byte by byte.
    assert only(desks[0]).raw == series.raw

    for step in steps_of(series, HERE):
        old = only(desks[0])
        edited = parsed(HERE[step](old).raw)
        assert shown_here([edited]) != shown_here([old]), step
        desks[0].resource().put(edited)
        hear(desks)
        assert everywhere(desks) == shown_here([edited]), step

    assert_rest(desks)


@pytest.mark.parametrize("series", HELD, ids=named)
def test_every_edit_of_a_series_at_google_arrives_here(desks: list[GoogleDesk], series: Series) -> None:
    begin(desks, series)
    seen = everywhere(desks)
    person = Person(desks[0].at_google().page)

    for step in steps_of(series, THERE):
        THERE[step](person)
        hear(desks)
        before, seen = seen, everywhere(desks)
        assert seen != before, step

    assert_rest(desks)


@pytest.mark.parametrize("series", REFUSED, ids=named)
def test_a_series_that_google_cannot_hold_is_set_aside_with_the_reason_of_the_matrix(
    desks: list[GoogleDesk], series: Series
) -> None:
    begin(desks, series)

    [parked] = desks[0].parked()
    assert (f"{parked.reason} {parked.remedy}",) == judged(series).why
    assert desks[0].at_google().page.events == []
    assert only(desks[0]).raw == series.raw


def test_the_matrix_says_nothing_of_series_that_it_does_not_have() -> None:
    names = {series.name for series in MATRIX}
    assert REWRITTEN.keys() <= names
    assert sum(window_of(series) == NARROW for series in MATRIX) == 1


def test_the_published_matrix_is_the_one_that_was_tested() -> None:
    assert page() in (TOP / "docs/reference/google-series.md").read_text()
