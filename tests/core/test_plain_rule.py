from __future__ import annotations

import pytest

from bridge.core.plain_rule import is_plain, plain


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=DAILY",
        "FREQ=WEEKLY;BYDAY=MO,WE;WKST=SU;INTERVAL=2;COUNT=10",
        "BYMONTH=1,12;FREQ=YEARLY;BYDAY=-1SU;UNTIL=20301231T235959Z",
        "FREQ=YEARLY;BYWEEKNO=53;BYDAY=MO",
        "FREQ=YEARLY;BYYEARDAY=1,-366,100",
        "FREQ=YEARLY;BYDAY=20MO",
        "FREQ=MONTHLY;BYDAY=1FR,-1MO;BYSETPOS=-1",
        "FREQ=MONTHLY;BYMONTHDAY=31,-1;BYHOUR=0,23;BYMINUTE=59;BYSECOND=60",
    ],
)
def test_a_rule_of_the_standard_is_passed_on_as_it_is(rule: str) -> None:
    assert is_plain(rule)
    assert plain(rule) == rule


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("freq=daily;count=2", "FREQ=DAILY;COUNT=2"),
        ("FREQ=DAILY;", "FREQ=DAILY"),
        ("FREQ=DAILY;X-OUR=1;INTERVAL=0", "FREQ=DAILY"),
        ("RSCALE=GREGORIAN;SKIP=OMIT;FREQ=YEARLY", "FREQ=YEARLY"),
    ],
)
def test_parts_that_mean_nothing_to_a_reader_are_taken_out(rule: str, expected: str) -> None:
    assert not is_plain(rule)
    assert plain(rule) == expected


@pytest.mark.parametrize(
    "rule",
    [
        "",
        "BYDAY=MO",
        "FREQ=NEVER",
        "FREQ=DAILY;BYHOUR=24",
        "FREQ=DAILY;BYSECOND=61",
        "FREQ=YEARLY;BYMONTH=13",
        "FREQ=MONTHLY;BYMONTHDAY=0",
        "FREQ=MONTHLY;BYMONTHDAY=32",
        "FREQ=YEARLY;BYYEARDAY=367",
        "FREQ=YEARLY;BYWEEKNO=54",
        "FREQ=MONTHLY;BYDAY=6MO",
        "FREQ=WEEKLY;BYDAY=XX",
        "FREQ=WEEKLY;BYDAY=",
        "FREQ=DAILY;COUNT=-1",
        "FREQ=DAILY;UNTIL=2026",
        "RSCALE=HEBREW;FREQ=YEARLY;BYMONTH=5L",
    ],
)
def test_a_rule_that_some_reader_cannot_read_is_none(rule: str) -> None:
    assert plain(rule) is None
