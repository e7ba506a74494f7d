"""Tests that a change says what differs, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from bridge.core.content import read
from bridge.core.difference import difference
from bridge.upstream.google.mapping import changed, from_google, generated, to_google
from tests.upstream.google.google_answers import ZONE, answered, calendar, event, parsed, patched_by, there_and_back

TIMED = (f"DTSTART;TZID={ZONE}:20270302T090000", f"DTEND;TZID={ZONE}:20270302T100000")
WEEKLY = (*TIMED, "RRULE:FREQ=WEEKLY;COUNT=6", "SUMMARY:Yoga")


def body(*lines: str) -> dict[str, Any]:
    return dict(to_google(parsed(event(*lines)), zone=ZONE).master)


def patch(before: tuple[str, ...], after: tuple[str, ...]) -> dict[str, Any]:
    return changed(body(*after), body(*before))


def test_what_is_the_same_needs_no_change() -> None:
    assert patch(WEEKLY, WEEKLY) == {}


def test_a_field_that_goes_is_removed_by_null() -> None:
    assert patch((*TIMED, "LOCATION:Room 1"), TIMED) == {"location": None}


def test_a_field_that_differs_is_given_whole() -> None:
    alarm = ("BEGIN:VALARM", "ACTION:DISPLAY", "TRIGGER:-PT15M", "END:VALARM")
    found = patch(TIMED, (*TIMED, "URL:https://example.org/1", *alarm))
    assert found == {
        "source": {"url": "https://example.org/1", "title": "https://example.org/1"},
        "reminders": {"useDefault": False, "overrides": [{"method": "popup", "minutes": 15}]},
    }


def test_an_event_that_becomes_a_whole_day_loses_its_time_of_day() -> None:
    assert patch(TIMED, ("DTSTART;VALUE=DATE:20270302",)) == {
        "start": {"date": "2027-03-02", "dateTime": None, "timeZone": None},
        "end": {"date": "2027-03-03", "dateTime": None, "timeZone": None},
    }


def test_a_whole_day_that_gets_a_time_loses_its_date() -> None:
    found = patch(("DTSTART;VALUE=DATE:20270302",), TIMED)
    assert found["start"] == {"date": None, "dateTime": "2027-03-02T09:00:00+01:00", "timeZone": ZONE}


def test_marks_are_changed_one_by_one() -> None:
    before = (*TIMED, "CATEGORIES:" + "x" * 1_500)
    found = patch(before, (*TIMED, "CATEGORIES:Sports"))
    assert found == {"extendedProperties": {"private": {"calbridgeCategories": "Sports", "calbridgeCategories2": None}}}


def test_a_date_that_is_left_out_does_not_rewrite_the_rules_of_its_series() -> None:
    gone = f"EXDATE;TZID={ZONE}:20270309T090000"
    assert patch(WEEKLY, (*WEEKLY, gone)) == {}
    assert "20270309T080000Z" in to_google(parsed(event(*WEEKLY, gone)), zone=ZONE).overrides


def test_a_date_that_comes_back_is_no_longer_excluded() -> None:
    gone = f"EXDATE;TZID={ZONE}:20270309T090000"
    assert patch((*WEEKLY, gone), WEEKLY) == {"recurrence": ["RRULE:FREQ=WEEKLY;COUNT=6"]}


def test_another_rule_takes_the_excluded_dates_along() -> None:
    gone = f"EXDATE;TZID={ZONE}:20270309T090000"
    daily = tuple(line.replace("WEEKLY;COUNT=6", "DAILY;COUNT=60") for line in WEEKLY)
    assert patch((*WEEKLY, gone), (*daily, gone)) == {"recurrence": ["RRULE:FREQ=DAILY;COUNT=60", gone]}


def test_a_series_that_becomes_a_single_event_loses_its_rules() -> None:
    assert patch(WEEKLY, (*TIMED, "SUMMARY:Yoga")) == {"recurrence": None}


def test_the_body_of_an_instance_that_nobody_changed_is_that_of_its_series_at_another_time() -> None:
    found = generated(body(*WEEKLY), "20270330T070000Z", zone=ZONE)
    assert found["start"] == {"dateTime": "2027-03-30T09:00:00+02:00", "timeZone": ZONE}
    assert found["end"] == {"dateTime": "2027-03-30T10:00:00+02:00", "timeZone": ZONE}
    assert found["summary"] == "Yoga"
    assert "recurrence" not in found


def test_an_override_that_says_what_the_series_says_needs_no_request() -> None:
    same = (
        f"RECURRENCE-ID;TZID={ZONE}:20270309T090000",
        f"DTSTART;TZID={ZONE}:20270309T090000",
        "DURATION:PT1H",
        "SUMMARY:Yoga",
    )
    raw = calendar(
        *(["BEGIN:VEVENT", "UID:1", "DTSTAMP:20260101T000000Z", *lines, "END:VEVENT"] for lines in (WEEKLY, same))
    )
    assert to_google(parsed(raw), zone=ZONE).overrides == {}


HOURLY = (*TIMED, "RRULE:FREQ=HOURLY;COUNT=3", "SUMMARY:Walk")


def test_an_emulated_series_can_be_given_another_rule_here() -> None:
    before = there_and_back(parsed(event(*HOURLY)))
    assert b"RRULE:FREQ=HOURLY;COUNT=3\r\n" in before.raw
    after = parsed(before.raw.replace(b"COUNT=3", b"COUNT=4"))
    whole = to_google(after, zone=ZONE)
    master, _ = answered(to_google(before, zone=ZONE))
    there = patched_by(master, changed(whole.master, to_google(before, zone=ZONE).master))
    assert not difference(read(after), read(parsed(from_google(there, [], zone=ZONE))))


@pytest.mark.parametrize(
    "fields",
    [
        {"recurrence": [f"RDATE;TZID={ZONE}:20270302T090000,20270302T100000"]},
        {
            "start": {"dateTime": "2027-03-02T08:00:00+01:00", "timeZone": ZONE},
            "end": {"dateTime": "2027-03-02T09:00:00+01:00", "timeZone": ZONE},
        },
        {"end": {"dateTime": "2027-03-02T09:30:00+01:00", "timeZone": ZONE}},
    ],
)
def test_an_emulated_series_that_is_changed_there_is_what_it_has_become_there(fields: dict[str, Any]) -> None:
    master, _ = answered(to_google(parsed(event(*HOURLY)), zone=ZONE))
    text = from_google(patched_by(master, fields), [], zone=ZONE)
    assert b"RRULE:FREQ=HOURLY" not in text
    assert b"RDATE" in text


def test_an_emulated_series_that_is_only_renamed_there_keeps_its_rule() -> None:
    master, _ = answered(to_google(parsed(event(*HOURLY)), zone=ZONE))
    google = {**master, "summary": "Run", "recurrence": ["RDATE:20270302T100000Z,20270302T090000Z,20270302T080000Z"]}
    text = from_google(google, [], zone=ZONE)
    assert b"RRULE:FREQ=HOURLY;COUNT=3\r\n" in text
    assert b"SUMMARY:Run\r\n" in text


def test_a_date_that_is_taken_away_from_an_emulated_series_is_gone_there() -> None:
    periods = "RDATE;VALUE=PERIOD:20270304T080000Z/PT3H"
    before = there_and_back(parsed(event(*WEEKLY, periods)))
    raw = b"".join(line for line in before.raw.splitlines(keepends=True) if not line.startswith(b"RDATE"))
    now, wanted = to_google(before, zone=ZONE), to_google(parsed(raw), zone=ZONE)
    found = changed(wanted.master, now.master)
    assert found["recurrence"] == ["RRULE:FREQ=WEEKLY;COUNT=6"]
    assert found["extendedProperties"] == {"private": {"calbridgeSeries": None}}
    assert [*now.overrides] == ["20270304T080000Z"]
    assert [*wanted.overrides] == []
