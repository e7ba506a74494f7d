from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from dateutil.rrule import rrulestr  # type: ignore[import-untyped]  # dateutil ships no types
from icalendar.prop import vRecur

from bridge.core.recurrence import expand
from bridge.core.rules import expandable, is_endless, last_counted, rule_text, starts, until_of
from bridge.core.temporal import AllDay
from bridge.errors import TooManyInstances
from tests.core.core_samples import read_event

BERLIN = ZoneInfo("Europe/Berlin")
START = datetime(2026, 7, 14, 17, tzinfo=BERLIN)


def rule(text: str) -> vRecur:
    return vRecur(vRecur.from_ical(text))


def test_the_end_of_a_rule_is_an_instant() -> None:
    assert until_of(rule("FREQ=DAILY"), BERLIN) is None
    assert until_of(rule("FREQ=DAILY;UNTIL=20260801T000000Z"), BERLIN) == datetime(2026, 8, 1, tzinfo=UTC)
    assert until_of(rule("FREQ=DAILY;UNTIL=20260801"), BERLIN) == datetime(2026, 8, 1, 21, 59, 59, tzinfo=UTC)


def test_a_floating_end_goes_with_the_zone_of_the_start() -> None:
    text = rule_text(rule("FREQ=DAILY;UNTIL=20260801T170000"), START, BERLIN)
    assert text is not None
    assert "UNTIL=20260801T150000Z" in text


def test_an_end_at_a_time_ends_a_series_of_dates_on_its_day() -> None:
    text = rule_text(rule("FREQ=DAILY;UNTIL=20260801T170000Z"), date(2026, 7, 14), BERLIN)
    assert text is not None
    assert text.endswith("UNTIL=20260801")


@pytest.mark.parametrize(
    "text",
    [
        "FREQ=DAILY;BYHOUR=24",
        "FREQ=YEARLY;BYMONTH=13",
        "FREQ=HOURLY;BYSETPOS=2",
        "FREQ=HOURLY;INTERVAL=24;BYHOUR=3",
        "FREQ=SECONDLY;INTERVAL=21600;BYSECOND=0;BYMINUTE=7",
        "FREQ=DAILY;INTERVAL=7;BYDAY=WE",
        "FREQ=DAILY;BYSETPOS=400",
        "FREQ=MONTHLY;BYDAY=6MO",
        "FREQ=YEARLY;BYDAY=-54TU",
        "RSCALE=CHINESE;FREQ=YEARLY",
    ],
)
def test_what_nobody_can_expand_is_no_rule(text: str) -> None:
    assert rule_text(rule(text), START, BERLIN) is None


@pytest.mark.parametrize(
    "text",
    [
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=MONTHLY;BYDAY=MO;BYSETPOS=6;COUNT=9",
        "FREQ=DAILY;BYMONTHDAY=31;BYMONTH=4,6;UNTIL=20300101T000000Z",
        "FREQ=YEARLY;BYWEEKNO=1;BYMONTH=7",
    ],
)
def test_a_day_that_never_comes_is_no_rule(text: str) -> None:
    assert rule_text(rule(text), START, BERLIN) is None


def test_a_day_that_rarely_comes_is_one() -> None:
    leap_monday = rule("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29;BYDAY=MO")
    assert rule_text(leap_monday, START, BERLIN)
    assert rule_text(leap_monday, date(1, 1, 1), BERLIN)
    assert rule_text(rule("FREQ=YEARLY;BYMONTHDAY=14"), START.replace(year=9950), BERLIN)


def test_the_last_of_a_counted_rule_is_found() -> None:
    def last(text: str, start: date = START) -> date | None:
        found = expandable(rule(text), start, BERLIN)
        assert found is not None
        return last_counted(found[1], start)

    assert last("FREQ=DAILY;COUNT=3") == datetime(2026, 7, 16, 17, tzinfo=BERLIN)
    assert last("FREQ=DAILY;COUNT=3", date(2026, 7, 14)) == date(2026, 7, 16)
    assert last("FREQ=YEARLY;COUNT=300") is None
    assert last("FREQ=DAILY;COUNT=0") == START


def test_a_rule_without_count_and_until_is_endless() -> None:
    assert is_endless(rule("FREQ=DAILY"))
    assert not is_endless(rule("FREQ=DAILY;COUNT=1"))
    assert not is_endless(rule("FREQ=DAILY;UNTIL=20260801"))


@pytest.mark.parametrize(
    "text", ["FREQ=YEARLY;INTERVAL=2", "FREQ=MONTHLY;INTERVAL=7", "FREQ=WEEKLY;INTERVAL=3", "FREQ=HOURLY;INTERVAL=5"]
)
def test_a_late_range_has_the_starts_that_counting_from_the_first_finds(text: str) -> None:
    begin = datetime(2001, 1, 31, 9, tzinfo=UTC)
    expansion = rrulestr(text, dtstart=begin)
    first, last = datetime(2020, 5, 1, tzinfo=UTC), datetime(2026, 5, 1, tzinfo=UTC)
    assert list(starts(expansion, first, last)) == expansion.between(first, last, inc=True)


@pytest.mark.parametrize(
    ("exrule", "expected"),
    [
        ("FREQ=WEEKLY;INTERVAL=2", ["0721 17:00", "0804 17:00"]),
        ("FREQ=WEEKLY;COUNT=3", ["0804 17:00"]),
        ("FREQ=WEEKLY;UNTIL=20260721T150000Z", ["0728 17:00", "0804 17:00"]),
        ("FREQ=DAILY;BYHOUR=18", ["0714 17:00", "0721 17:00", "0728 17:00", "0804 17:00"]),
        ("FREQ=DAILY;BYHOUR=25", ["0714 17:00", "0721 17:00", "0728 17:00", "0804 17:00"]),
        ("FREQ=YEARLY;BYMONTH=7;BYDAY=TU", ["0804 17:00"]),
    ],
)
def test_what_an_excluding_rule_names_is_not_there(exrule: str, expected: list[str]) -> None:
    start = "DTSTART;TZID=Europe/Berlin:20260714T170000"
    obj = read_event(start, "RRULE:FREQ=WEEKLY;COUNT=4", f"EXRULE:{exrule}")
    found = expand(obj, datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC), zone=BERLIN, limit=99)
    assert [instance.first.astimezone(BERLIN).strftime("%m%d %H:%M") for instance in found] == expected


def test_two_excluding_rules_both_count_and_all_day_series_have_them_too() -> None:
    obj = read_event(
        "DTSTART;VALUE=DATE:20260714",
        "RRULE:FREQ=DAILY;COUNT=6",
        "RDATE;VALUE=DATE:20260801",
        "EXRULE:FREQ=DAILY;INTERVAL=2",
        "EXRULE:FREQ=DAILY;INTERVAL=3",
    )
    found = expand(obj, datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC), zone=BERLIN, limit=99)
    assert [instance.start for instance in found] == [AllDay(date(2026, 7, 15)), AllDay(date(2026, 7, 19))]


def test_an_excluding_rule_that_is_denser_than_the_limit_is_refused() -> None:
    with pytest.raises(TooManyInstances):
        read_event("DTSTART:20260714T170000Z", "RRULE:FREQ=WEEKLY", "EXRULE:FREQ=SECONDLY")


def test_an_excluding_rule_alone_makes_no_series() -> None:
    assert not read_event("DTSTART:20260714T170000Z", "EXRULE:FREQ=WEEKLY").recurring
