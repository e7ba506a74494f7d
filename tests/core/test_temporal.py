from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from bridge.core.model import BEGINNING, ENDLESS
from bridge.core.temporal import (
    AllDay,
    Floating,
    Time,
    Zoned,
    from_native,
    instant,
    native,
    read_time,
    shifted,
)
from tests.core.core_samples import BERLIN, CUSTOM_BERLIN, NEW_YORK, component, read, stream


def wall(*parts: int) -> datetime:
    year, month, day, hour, minute, second = (*parts, 0, 0, 0)[:6]
    return datetime(year, month, day, hour, minute, second)  # noqa: DTZ001 -- a wall time


def test_a_date_refuses_a_time_of_day() -> None:
    with pytest.raises(TypeError):
        AllDay(wall(2026, 1, 1))


def test_a_floating_time_refuses_a_zone() -> None:
    with pytest.raises(ValueError, match="zone"):
        Floating(datetime(2026, 1, 1, tzinfo=UTC))


def test_a_zoned_time_keeps_its_zone_beside_the_wall() -> None:
    with pytest.raises(ValueError, match="beside"):
        Zoned(datetime(2026, 1, 1, tzinfo=UTC), UTC, "UTC")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("20260714", date(2026, 7, 14)),
        ("2026-07-14", date(2026, 7, 14)),
        ("20260714T170000", datetime(2026, 7, 14, 17, tzinfo=BERLIN)),
        ("2026-07-14T17:00:00", datetime(2026, 7, 14, 17, tzinfo=BERLIN)),
        ("20260714T1700", datetime(2026, 7, 14, 17, tzinfo=BERLIN)),
        ("20260714t170000z", datetime(2026, 7, 14, 17, tzinfo=UTC)),
        ("20260714T170000Z", datetime(2026, 7, 14, 17, tzinfo=UTC)),
        ("20260714T240000", datetime(2026, 7, 15, 0, tzinfo=BERLIN)),
        ("20161231T235960Z", datetime(2016, 12, 31, 23, 59, 59, tzinfo=UTC)),
        (" 20260714T170000.123 ", datetime(2026, 7, 14, 17, tzinfo=BERLIN)),
    ],
)
def test_a_time_is_read_however_producers_write_it(text: str, expected: date) -> None:
    assert read_time(text, BERLIN) == expected


@pytest.mark.parametrize("text", ["", "tomorrow", "20261340", "20260714T250000", "2026071"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 -- the text differs with what is wrong
        read_time(text, None)


def test_there_are_three_kinds_of_time() -> None:
    assert from_native(date(2026, 7, 14)) == AllDay(date(2026, 7, 14))
    assert from_native(wall(2026, 7, 14)) == Floating(wall(2026, 7, 14))
    assert from_native(datetime(2026, 7, 14, tzinfo=UTC)) == Zoned(wall(2026, 7, 14), UTC, "UTC")
    assert from_native(datetime(2026, 7, 14, tzinfo=BERLIN), "Berlin") == Zoned(wall(2026, 7, 14), BERLIN, "Berlin")


@pytest.mark.parametrize(
    "when",
    [AllDay(date(2026, 7, 14)), Floating(wall(2026, 7, 14, 9)), Zoned(wall(2026, 7, 14, 9), BERLIN, "Europe/Berlin")],
)
def test_a_time_survives_the_way_to_python_and_back(when: Time) -> None:
    tzid = when.tzid if isinstance(when, Zoned) else None
    assert from_native(native(when), tzid) == when


def test_dates_and_floating_times_stand_in_the_zone_of_the_account() -> None:
    assert instant(AllDay(date(2026, 7, 14)), NEW_YORK) == datetime(2026, 7, 14, 4, tzinfo=UTC)
    assert instant(Floating(wall(2026, 7, 14, 9)), NEW_YORK) == datetime(2026, 7, 14, 13, tzinfo=UTC)
    assert instant(Zoned(wall(2026, 7, 14, 9), BERLIN, "x"), NEW_YORK) == datetime(2026, 7, 14, 7, tzinfo=UTC)


def test_a_wall_time_that_is_skipped_has_the_offset_before_the_gap() -> None:
    assert instant(wall(2026, 3, 29, 2, 30), BERLIN) == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)


def test_a_wall_time_that_comes_twice_is_the_first() -> None:
    assert instant(wall(2026, 10, 25, 2, 30), BERLIN) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert instant(datetime(2026, 10, 25, 2, 30, tzinfo=BERLIN, fold=1), BERLIN) == datetime(
        2026, 10, 25, 0, 30, tzinfo=UTC
    )


def test_a_custom_zone_treats_gap_and_fold_alike() -> None:
    obj = read(
        stream(
            *CUSTOM_BERLIN,
            *component(
                "DTSTART;TZID=Customized Time Zone:20260329T023000", "DTEND;TZID=Customized Time Zone:20261025T023000"
            ),
        )
    )
    assert obj.span.first == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
    assert obj.span.last == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def test_the_ends_of_the_calendar_are_not_crossed() -> None:
    assert instant(date(1, 1, 1), BERLIN) == BEGINNING
    assert instant(datetime(9999, 12, 31, 23, 59, tzinfo=NEW_YORK), BERLIN) == ENDLESS


def test_days_pass_on_the_wall_clock_and_hours_in_real_time() -> None:
    evening = datetime(2026, 3, 28, 20, tzinfo=BERLIN)
    assert shifted(evening, timedelta(days=1)) == datetime(2026, 3, 29, 20, tzinfo=BERLIN)
    later = shifted(evening, timedelta(hours=12))
    assert instant(later, BERLIN) - instant(evening, BERLIN) == timedelta(hours=12)
    assert isinstance(later, datetime)
    assert later.hour == 9


def test_dates_and_floating_times_can_be_moved() -> None:
    assert shifted(date(2026, 3, 28), timedelta(days=2)) == date(2026, 3, 30)
    assert shifted(date(2026, 3, 28), timedelta(hours=30)) == wall(2026, 3, 29, 6)
    assert shifted(wall(2026, 3, 28), timedelta(hours=30)) == wall(2026, 3, 29, 6)


def test_what_leaves_the_calendar_stays_at_its_edge() -> None:
    assert shifted(date(9999, 12, 31), timedelta(days=2)) == ENDLESS.date()
    assert shifted(datetime(1, 1, 1, tzinfo=ZoneInfo("UTC")), -timedelta(days=2)) == BEGINNING
