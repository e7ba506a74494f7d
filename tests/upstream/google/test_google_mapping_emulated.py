"""Tests of series for which something else stands at Google, and that somebody edits there or here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.upstream.google.mapping import from_google, generated, to_google
from tests.fakes.google.fake import fake_google
from tests.upstream.google.connecting import connect, new_calendar
from tests.upstream.google.google_answers import ZONE, answered, parsed, patched_by
from tests.upstream.google.google_series import MATRIX

if TYPE_CHECKING:
    from bridge.core.model import CalendarObject


def sample(name: str) -> CalendarObject:
    return next(series.obj for series in MATRIX if series.name == name)


def at(time: str) -> dict[str, str]:
    return {"dateTime": time, "timeZone": ZONE}


def test_an_hour_that_a_rule_repeats_goes_with_the_start_that_somebody_moves_there() -> None:
    obj = sample("a day of the hour that the start says already")
    master, exceptions = answered(to_google(obj, zone=ZONE))
    assert master["recurrence"] == ["RRULE:FREQ=DAILY;COUNT=5"]
    assert b"RRULE:FREQ=DAILY;BYHOUR=9;BYMINUTE=0;COUNT=5\r\n" in from_google(master, exceptions, zone=ZONE)

    later = {"start": at("2027-03-02T10:00:00+01:00"), "end": at("2027-03-02T11:00:00+01:00")}
    moved = from_google(patched_by(master, later), exceptions, zone=ZONE)

    assert b"T100000\r\n" in moved
    assert b"RRULE:FREQ=DAILY;COUNT=5\r\n" in moved


def test_an_instance_ends_in_the_zone_in_which_its_series_ends() -> None:
    whole = to_google(sample("that begins in one zone and ends in another"), zone=ZONE)

    instance = generated(whole.master, "20270309T090000Z", zone=ZONE)

    assert (instance["start"]["timeZone"], instance["end"]["timeZone"]) == ("Europe/London", ZONE)


def test_a_series_that_stands_for_instances_says_what_the_first_says_that_takes_place() -> None:
    obj = sample("changed instances without their series")
    raw = obj.raw.replace(b"SUMMARY:Physiotherapy\r\nEND", b"SUMMARY:Physiotherapy\r\nSTATUS:CANCELLED\r\nEND", 1)

    whole = to_google(parsed(raw), zone=ZONE)

    assert whole.master["summary"] == "Physiotherapy"
    assert whole.overrides["20270309T080000Z"] is None
    assert whole.overrides["20270316T080000Z"] is not None


def test_a_series_that_stands_for_instances_and_is_moved_there_is_a_series_here() -> None:
    master, exceptions = answered(to_google(sample("changed instances without their series"), zone=ZONE))
    assert from_google(master, exceptions, zone=ZONE).count(b"RECURRENCE-ID") == 2

    later = {"start": at("2027-03-09T09:30:00+01:00"), "end": at("2027-03-09T10:30:00+01:00")}
    moved = from_google(patched_by(master, later), exceptions, zone=ZONE)

    assert b"DTSTART;TZID=Europe/Amsterdam:20270309T093000\r\n" in moved
    assert moved.count(b"BEGIN:VEVENT") > moved.count(b"RECURRENCE-ID")


def test_a_date_with_an_end_of_its_own_is_as_long_at_google() -> None:
    with fake_google(serve=False) as google:
        page = new_calendar(google)
        connect(google).create(page.id, sample("with further dates that have ends of their own"), "a" * 32)

        ends = {each["start"]["dateTime"]: each["end"]["dateTime"] for each in page.instances}

    assert ends["2027-03-04T09:00:00+01:00"] == "2027-03-04T13:00:00+01:00"
    assert ends["2027-04-01T09:00:00+02:00"] == "2027-04-01T12:00:00+02:00"
