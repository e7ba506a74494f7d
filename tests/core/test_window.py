from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from bridge.core.window import Place, Window
from tests.core.core_samples import component, read, read_event, stream

if TYPE_CHECKING:
    from bridge.core.model import CalendarObject

NOW = datetime(2026, 7, 14, 12, tzinfo=UTC)
WINDOW = Window(timedelta(days=30), timedelta(days=365))
ENDLESS = [Window(None, None), Window(timedelta(days=999_999_999), timedelta(days=999_999_999))]


def after(days: float, *, hours: float = 1) -> CalendarObject:
    """An event that begins so many days from now."""
    start = NOW + timedelta(days=days)
    end = start + timedelta(hours=hours)
    return read_event(f"DTSTART:{start:%Y%m%dT%H%M%SZ}", f"DTEND:{end:%Y%m%dT%H%M%SZ}")


def series(days: float, *more: str) -> CalendarObject:
    return read_event(f"DTSTART:{NOW + timedelta(days=days):%Y%m%dT%H%M%SZ}", "DURATION:PT1H", *more)


@pytest.mark.parametrize("days", [-30, -29, 0, 300, 364.9])
def test_what_lies_between_the_edges_is_inside(days: float) -> None:
    assert WINDOW.place(after(days), NOW) is Place.INSIDE


@pytest.mark.parametrize("days", [-30.02, 364.99])
def test_what_lies_over_an_edge_is_partly_inside(days: float) -> None:
    assert WINDOW.place(after(days), NOW) is Place.PARTLY


@pytest.mark.parametrize("days", [-31, -4000, 366, 4000])
def test_what_lies_beyond_is_outside(days: float) -> None:
    assert WINDOW.place(after(days), NOW) is Place.OUTSIDE


def test_a_series_that_touches_the_window_is_inside() -> None:
    assert WINDOW.place(series(-900, "RRULE:FREQ=WEEKLY"), NOW) is Place.INSIDE
    assert WINDOW.place(series(-900, "RRULE:FREQ=WEEKLY;COUNT=3"), NOW) is Place.OUTSIDE


def test_a_to_do_without_time_is_in_every_window() -> None:
    to_do = read(stream(*component("SUMMARY:Some day", kind="VTODO")))
    assert WINDOW.place(to_do, NOW) is Place.INSIDE
    assert WINDOW.may_delete(to_do, NOW)


@pytest.mark.parametrize(("days", "allowed"), [(-28.9, True), (-29.1, False), (363.9, True), (364.1, False)])
def test_only_what_lay_a_day_inside_may_be_deleted(days: float, *, allowed: bool) -> None:
    assert WINDOW.may_delete(after(days), NOW) is allowed


def test_an_endless_series_may_be_deleted() -> None:
    assert WINDOW.may_delete(series(-900, "RRULE:FREQ=WEEKLY"), NOW)


def test_a_series_whose_end_is_about_to_leave_the_window_may_not_be_deleted() -> None:
    ended = series(-60, "RRULE:FREQ=DAILY;COUNT=31")
    assert WINDOW.place(ended, NOW) is Place.INSIDE
    assert not WINDOW.may_delete(ended, NOW)


def test_in_a_window_narrower_than_its_margins_nothing_is_deleted() -> None:
    assert not Window(timedelta(0), timedelta(days=1)).may_delete(after(0.2), NOW)


@pytest.mark.parametrize("window", ENDLESS)
def test_a_window_may_be_as_wide_as_the_calendar(window: Window) -> None:
    old = read_event("DTSTART:00010102T000000Z", "DTEND:99991230T000000Z")
    assert window.place(old, NOW) is Place.INSIDE
    assert window.may_delete(old, NOW)


@pytest.mark.parametrize(("past", "future"), [(-1, 1), (1, -1)])
def test_a_window_holds_now(past: int, future: int) -> None:
    with pytest.raises(ValueError, match="begins in the past"):
        Window(timedelta(days=past), timedelta(days=future))
