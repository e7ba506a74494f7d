from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bridge.core.series_split import goes_on_as
from tests.core.core_samples import BERLIN, component, stream
from tests.core.core_samples import read as parsed

if TYPE_CHECKING:
    from bridge.core.model import CalendarObject

OLD = "old@example.org"
NEW = "new@example.org"
RULE = "RRULE:FREQ=WEEKLY;BYDAY=TU"
SHORTER = f"{RULE};UNTIL=20260727T215959Z"


def series(day: str, *content: str, uid: str = OLD, hour: int = 17) -> CalendarObject:
    return parsed(stream(*component(f"DTSTART;TZID=Europe/Berlin:{day}T{hour:02}0000", *content, uid=uid)))


BEFORE = series("20260714", RULE, "SUMMARY:Rota")
AFTER = series("20260714", SHORTER, "SUMMARY:Rota")
REST = series("20260728", RULE, "SUMMARY:Rota", uid=NEW)


def found(*new: CalendarObject, before: CalendarObject = BEFORE, after: CalendarObject = AFTER) -> str | None:
    return goes_on_as(before, after, new, zone=BERLIN)


def test_a_series_that_ends_earlier_and_one_that_goes_on_are_one_split() -> None:
    assert found(REST) == NEW


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (f"{RULE};COUNT=9", f"{RULE};COUNT=2"),
        (f"{RULE};COUNT=9", SHORTER),
        (RULE, f"{RULE};COUNT=2"),
        (f"{RULE};UNTIL=20261231T000000Z", SHORTER),
        (RULE, f"{RULE};UNTIL=20260721T150000Z"),
    ],
)
def test_a_series_is_shortened_by_until_or_by_count(before: str, after: str) -> None:
    old, short = (series("20260714", rule, "SUMMARY:Rota") for rule in (before, after))
    assert found(REST, before=old, after=short) == NEW


@pytest.mark.parametrize(
    "new",
    [
        series("20260730", RULE, "SUMMARY: rota", uid=NEW, hour=9),
        series("20260728", RULE, "SUMMARY:Late rota", uid=NEW),
        series("20260728", RULE, uid=NEW),
        series("20260728", "SUMMARY:Rota", uid=NEW),
        series("20261001", "RRULE:FREQ=DAILY", f"RELATED-TO:{OLD}", "RELATED-TO:x", uid=NEW),
    ],
)
def test_what_goes_on_has_the_title_or_the_rule_or_names_the_series(new: CalendarObject) -> None:
    assert found(new) == NEW


@pytest.mark.parametrize("uid", ["old_R20260728T150000@example.org", "old_R20260728@example.org"])
def test_the_second_part_of_a_series_is_known_by_the_form_that_google_gives_its_uid(uid: str) -> None:
    assert found(series("20260901", "SUMMARY:Else", uid=uid)) == uid


@pytest.mark.parametrize(
    "new",
    [
        series("20260721", RULE, "SUMMARY:Rota", uid=NEW),
        series("20260901", RULE, "SUMMARY:Rota", uid=NEW),
        series("20260729", RULE, "SUMMARY:Else", uid=NEW),
        series("20260728", "RRULE:FREQ=DAILY", "SUMMARY:Else", uid=NEW),
        series("20260728", RULE, "SUMMARY:Rota"),
        series("20260728", RULE, "SUMMARY:Rota", "RECURRENCE-ID:20260728T150000Z", uid=NEW),
        parsed(stream(*component("DTSTART:20260728T150000Z", RULE, "SUMMARY:Rota", kind="VTODO", uid=NEW))),
    ],
)
def test_what_begins_elsewhere_or_says_something_else_is_no_part_of_a_split(new: CalendarObject) -> None:
    assert found(new) is None


def test_a_shortened_series_alone_is_no_split() -> None:
    assert found() is None


@pytest.mark.parametrize(
    "after",
    [
        BEFORE,
        series("20260714", "SUMMARY:Rota"),
        series("20260715", SHORTER, "SUMMARY:Rota"),
        series("20260714", SHORTER.replace("TU", "MO"), "SUMMARY:Rota"),
        series("20260714", SHORTER, SHORTER, "SUMMARY:Rota"),
        series("20260714", RULE, "RECURRENCE-ID:20260714T150000Z"),
        series("20260714", f"{RULE};COUNT=9999", "SUMMARY:Rota"),
    ],
)
def test_a_series_that_was_not_just_shortened_was_not_split(after: CalendarObject) -> None:
    assert found(REST, after=after) is None


def test_a_series_that_became_longer_was_not_split() -> None:
    assert found(REST, before=AFTER, after=BEFORE) is None
    longer = series("20260714", f"{RULE};UNTIL=20260831T215959Z", "SUMMARY:Rota")
    assert found(series("20260901", RULE, "SUMMARY:Rota", uid=NEW), before=AFTER, after=longer) is None


def test_what_names_the_series_is_preferred_and_then_what_begins_first() -> None:
    named = series("20260804", RULE, f"RELATED-TO:{OLD}", "SUMMARY:Rota", uid="named")
    assert found(REST, named) == "named"
    later = series("20260729", RULE, "SUMMARY:Rota", uid="a")
    assert found(later, REST) == NEW


def test_a_series_of_days_is_split_at_a_day() -> None:
    def days(day: str, rule: str, uid: str) -> CalendarObject:
        return parsed(stream(*component(f"DTSTART;VALUE=DATE:{day}", rule, "SUMMARY:Rota", uid=uid)))

    before, after = days("20260714", "RRULE:FREQ=DAILY", OLD), days("20260714", "RRULE:FREQ=DAILY;UNTIL=20260716", OLD)
    rest = days("20260717", "RRULE:FREQ=DAILY", NEW)
    assert found(rest, before=before, after=after) == NEW


def test_a_rule_that_cannot_be_read_is_not_split() -> None:
    odd = series("20260714", "RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "SUMMARY:Rota")
    assert found(REST, before=odd) is None
