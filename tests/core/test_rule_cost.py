from __future__ import annotations

import time
from contextlib import suppress
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from icalendar.prop import vRecur

from bridge.core.model import BEGINNING, ENDLESS
from bridge.core.recurrence import expand, touches
from bridge.core.rule_cost import check_cost
from bridge.errors import TooManyInstances
from tests.core.core_samples import LIMIT, read_event

BERLIN = ZoneInfo("Europe/Berlin")
START = datetime(2026, 7, 14, 17, tzinfo=BERLIN)


def weigh(text: str, *, start: date = START, until: datetime | None = None, most: int = LIMIT) -> None:
    check_cost(vRecur(vRecur.from_ical(text)), start, until=until, zone=BERLIN, max_instances=most)


def test_a_rule_has_at_most_so_many_instances_a_year_or_in_all() -> None:
    weigh("FREQ=DAILY", most=366)
    with pytest.raises(TooManyInstances, match="FREQ=DAILY"):
        weigh("FREQ=DAILY", most=365)
    with pytest.raises(TooManyInstances, match="COUNT=366"):
        weigh("FREQ=DAILY;COUNT=366", most=365)


def test_a_rule_that_ends_soon_may_be_dense() -> None:
    weigh("FREQ=SECONDLY", until=datetime(2026, 7, 14, 16, tzinfo=UTC))
    weigh("FREQ=SECONDLY", until=datetime(2020, 7, 14, 16, tzinfo=UTC))
    with pytest.raises(TooManyInstances):
        weigh("FREQ=SECONDLY", until=datetime(2026, 7, 14, 20, tzinfo=UTC))


@pytest.mark.parametrize(
    "text",
    [
        "FREQ=HOURLY;BYHOUR=9",
        "FREQ=MINUTELY;INTERVAL=15;BYHOUR=9,10",
        "FREQ=DAILY;COUNT=9999",
        "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR;COUNT=9999",
        "FREQ=MONTHLY;COUNT=9999",
        "FREQ=YEARLY;COUNT=999",
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29;COUNT=200",
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=29",
        "FREQ=HOURLY;BYMONTH=2;BYMONTHDAY=29",
    ],
)
def test_whatever_people_plan_by_is_light_enough(text: str) -> None:
    weigh(text)


@pytest.mark.parametrize(
    "text",
    [
        "FREQ=MINUTELY;BYHOUR=3;BYMINUTE=3",
        "FREQ=SECONDLY;BYHOUR=3;BYMINUTE=3;BYSECOND=3;COUNT=99",
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=29;COUNT=9999",
        "FREQ=HOURLY;BYMONTH=2;BYMONTHDAY=29;BYDAY=MO;COUNT=9999",
        "FREQ=MINUTELY;BYHOUR=3;BYMINUTE=3;BYMONTH=2;BYMONTHDAY=29;COUNT=40",
        "FREQ=SECONDLY;BYHOUR=3;BYMINUTE=3;BYSECOND=3;BYMONTH=2;BYDAY=MO;COUNT=1",
        "FREQ=YEARLY;COUNT=9999",
    ],
)
def test_a_rule_that_takes_too_long_to_count_through_is_refused(text: str) -> None:
    with pytest.raises(TooManyInstances, match="too long to count through") as refusal:
        weigh(text)
    assert refusal.value.remedy


@pytest.mark.parametrize("name", ["RRULE", "EXRULE"])
@pytest.mark.parametrize("start", ["DTSTART:20260714T170000Z", "DTSTART:00010101T000000Z", "DTSTART:99991231T235959Z"])
@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=YEARLY;BYDAY=53MO",
        "FREQ=YEARLY;COUNT=9999;BYMONTH=2;BYMONTHDAY=29;BYDAY=MO",
        "FREQ=MONTHLY;COUNT=9999;BYMONTH=2;BYMONTHDAY=29;BYDAY=MO",
        "FREQ=MONTHLY;INTERVAL=12;BYMONTH=2",
        "FREQ=WEEKLY;INTERVAL=999999999",
        "FREQ=DAILY;INTERVAL=99999999999999999999",
        "FREQ=DAILY;INTERVAL=7;BYDAY=WE",
        "FREQ=DAILY;UNTIL=00010101T000000Z",
        "FREQ=HOURLY;INTERVAL=24;BYHOUR=3",
        "FREQ=HOURLY;BYSETPOS=2",
        "FREQ=SECONDLY;INTERVAL=3600;BYSECOND=1;BYMINUTE=7;BYHOUR=9",
        "FREQ=SECONDLY;INTERVAL=86400;BYSETPOS=2",
        "FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30;COUNT=5",
        "FREQ=YEARLY;BYMONTH=13",
        "FREQ=DAILY;BYHOUR=0,1,2,3,4,5,6,7,8,9,10,11,12,13;BYMINUTE=0",
    ],
)
def test_no_rule_holds_the_server_up(start: str, rule: str, name: str) -> None:
    begun = time.process_time()
    try:
        obj = read_event(start, "RRULE:FREQ=WEEKLY;COUNT=5", f"{name}:{rule}")
    except TooManyInstances:
        pass
    else:
        for first, last in (
            (BEGINNING, ENDLESS),
            (START, START.replace(year=2027)),
            (START.replace(year=9000), ENDLESS),
        ):
            assert touches(obj, first, last, zone=BERLIN) in {True, False}
            with suppress(TooManyInstances):
                expand(obj, first, last, zone=BERLIN, limit=LIMIT)
    # Wide enough for any machine: what is meant are minutes and hours.
    assert time.process_time() - begun < 20
