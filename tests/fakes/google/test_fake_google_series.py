"""The fake keeps series as Google does: instances, exceptions, and what an edit of the master does to them."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import icalendar
import pytest
import recurring_ical_events
from googleapiclient.discovery import build

from tests.fakes.google.asking import ANNA, Clock, haircut, insert, listed, refused, weekly
from tests.fakes.google.fake import FakeGoogle, fake_google

if TYPE_CHECKING:
    from collections.abc import Iterator


RULES = [
    ("RRULE:FREQ=DAILY;INTERVAL=3;COUNT=20",),
    ("RRULE:FREQ=WEEKLY;BYDAY=TU,TH;WKST=SU;INTERVAL=2;UNTIL=20270601T070000Z",),
    ("RRULE:FREQ=MONTHLY;BYDAY=-1FR;COUNT=14", "RDATE;TZID=Europe/Amsterdam:20270303T091500"),
    ("RRULE:FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-2;COUNT=9", "EXDATE:20270330T070000Z"),
    ("RRULE:FREQ=YEARLY;BYMONTH=3,10;BYMONTHDAY=2,28,31;COUNT=12",),
    ("RDATE:20270302T080000Z,20271102T120000Z",),
]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def google(clock: Clock) -> Iterator[FakeGoogle]:
    with fake_google(clock=clock, serve=False) as google:
        google.add_user(ANNA, zone="Europe/Amsterdam")
        yield google


@pytest.fixture
def events(google: FakeGoogle) -> Any:
    return build("calendar", "v3", http=google.http(ANNA), static_discovery=True).events()


def test_an_edited_instance_becomes_an_exception_of_its_series(events: Any) -> None:
    master = insert(events, id="series1", **weekly())
    instance = events.patch(
        calendarId="primary", eventId="series1_20270309T080000Z", body={"summary": "Only today"}
    ).execute()

    assert instance["recurringEventId"] == "series1"
    assert instance["originalStartTime"]["dateTime"] == "2027-03-09T09:00:00+01:00"
    assert instance["iCalUID"] == master["iCalUID"]
    assert [each["id"] for each in listed(events)["items"]] == ["series1", instance["id"]]


def test_instances_follow_the_wall_clock_over_the_change_of_the_clocks(events: Any) -> None:
    insert(events, id="series1", **weekly())

    found = events.instances(calendarId="primary", eventId="series1").execute()["items"]

    assert [each["id"][-7:] for each in found] == ["080000Z"] * 4 + ["070000Z"] * 2
    assert refused(events.get(calendarId="primary", eventId="series1_20270330T080000Z")) == (404, "notFound")


def test_a_cancelled_instance_is_listed_with_its_original_start_alone(events: Any) -> None:
    insert(events, id="series1", **weekly())
    events.delete(calendarId="primary", eventId="series1_20270309T080000Z").execute()

    cancelled = listed(events)["items"][1]

    assert cancelled.keys() == {"kind", "etag", "id", "status", "recurringEventId", "originalStartTime"}
    assert len(events.instances(calendarId="primary", eventId="series1").execute()["items"]) == 5


def test_an_exception_is_dropped_where_the_rule_no_longer_has_it(events: Any) -> None:
    insert(events, id="series1", **weekly())
    for day in ("09", "16"):
        events.patch(calendarId="primary", eventId=f"series1_202703{day}T080000Z", body={"summary": day}).execute()

    events.patch(calendarId="primary", eventId="series1", body={"recurrence": ["RRULE:FREQ=WEEKLY;COUNT=2"]}).execute()

    assert [each["summary"] for each in listed(events)["items"]] == ["Haircut", "09"]


def test_an_edit_of_the_master_reaches_what_its_exceptions_left_as_it_was(events: Any) -> None:
    insert(events, id="series1", location="Room 1", **weekly())
    events.patch(calendarId="primary", eventId="series1_20270309T080000Z", body={"summary": "Other"}).execute()

    events.patch(calendarId="primary", eventId="series1", body={"summary": "All", "location": "Room 2"}).execute()

    exception = events.get(calendarId="primary", eventId="series1_20270309T080000Z").execute()
    assert (exception["summary"], exception["location"]) == ("Other", "Room 2")


@pytest.mark.parametrize(
    "line",
    ["RRULE:FREQ=HOURLY", "RRULE:FREQ=DAILY;COUNT=2;UNTIL=20270401T000000Z", "DTSTART:20270101T000000Z", "RDATE:x"],
)
def test_a_recurrence_that_makes_no_sense_is_refused(events: Any, line: str) -> None:
    assert refused(events.insert(calendarId="primary", body=haircut(recurrence=[line]))) == (400, "invalid")


def test_a_split_as_the_page_does_it_ends_one_series_and_begins_another(google: FakeGoogle) -> None:
    calendar = google.calendar(ANNA)
    calendar.put(haircut(id="series1", **weekly()))

    old, new = calendar.split("series1_20270323T080000Z", summary="From now on")

    assert old["recurrence"] == ["RRULE:FREQ=WEEKLY;UNTIL=20270323T075959Z"]
    assert new["recurrence"] == ["RRULE:FREQ=WEEKLY;COUNT=3"]
    assert [each["summary"] for each in calendar.instances] == ["Haircut"] * 3 + ["From now on"] * 3


@pytest.mark.parametrize("lines", RULES, ids=[lines[0] for lines in RULES])
def test_a_series_has_the_instances_that_another_library_finds(google: FakeGoogle, lines: tuple[str, ...]) -> None:
    hand = google.calendar(ANNA)
    made = hand.put(haircut(id="series1", recurrence=list(lines)))
    start = "DTSTART;TZID=Europe/Amsterdam:20270302T090000"
    text = "\r\n".join(["BEGIN:VCALENDAR", "BEGIN:VEVENT", "UID:1", start, "DURATION:PT1H", *lines, "END:VEVENT"])
    other = recurring_ical_events.of(icalendar.Calendar.from_ical(text + "\r\nEND:VCALENDAR\r\n"))
    expected = [each["DTSTART"].dt for each in other.between((2027, 1, 1), (2040, 1, 1))]

    found = [datetime.fromisoformat(each["start"]["dateTime"]) for each in hand.instances]

    assert found == sorted(expected)
    for each in hand.instances:
        assert hand.get(each["id"])["recurringEventId"] == made["id"]


def test_a_rule_takes_out_what_another_rule_has_put_in(google: FakeGoogle) -> None:
    google.calendar(ANNA).put(haircut(recurrence=["RRULE:FREQ=DAILY;COUNT=9", "EXRULE:FREQ=WEEKLY;BYDAY=FR"]))

    assert [each["start"]["dateTime"][8:10] for each in google.calendar(ANNA).instances] == [
        "02", "03", "04", "06", "07", "08", "09", "10",
    ]  # fmt: skip


def test_lines_that_nobody_could_write_are_shown_until_the_next_edit(google: FakeGoogle) -> None:
    hand = google.calendar(ANNA)
    hand.put(haircut(id="series1", **weekly()))

    odd = hand.show_lines("series1", "DATE;TZID=Europe/Amsterdam:20270302T090000")

    assert odd["recurrence"] == ["DATE;TZID=Europe/Amsterdam:20270302T090000"]
    assert len(hand.instances) == 6
    assert hand.edit("series1", **weekly())["recurrence"] == ["RRULE:FREQ=WEEKLY;COUNT=6"]


def test_an_exception_may_stay_though_the_rule_no_longer_has_it(events: Any, google: FakeGoogle) -> None:
    google.world.quirks.exceptions_stay = True
    insert(events, id="series1", **weekly())
    events.patch(calendarId="primary", eventId="series1_20270316T080000Z", body={"summary": "Stays"}).execute()

    body = {"recurrence": ["RRULE:FREQ=WEEKLY;COUNT=2"]}
    events.patch(calendarId="primary", eventId="series1", body=body).execute()

    assert [each["summary"] for each in listed(events)["items"]] == ["Haircut", "Stays"]
    found = events.instances(calendarId="primary", eventId="series1").execute()["items"]
    assert [each["summary"] for each in found] == ["Haircut", "Haircut", "Stays"]


def test_a_deleted_series_takes_its_exceptions_along(events: Any) -> None:
    insert(events, id="series1", **weekly())
    events.patch(calendarId="primary", eventId="series1_20270309T080000Z", body={"summary": "Other"}).execute()
    token = listed(events)["nextSyncToken"]

    events.delete(calendarId="primary", eventId="series1").execute()

    assert listed(events)["items"] == []
    changed = listed(events, syncToken=token)["items"]
    assert {(each["id"], each["status"]) for each in changed} == {
        ("series1", "cancelled"),
        ("series1_20270309T080000Z", "cancelled"),
    }


def test_an_instance_is_found_by_its_original_start_and_shown_in_another_zone(events: Any) -> None:
    insert(events, id="series1", **weekly())
    moved = {"start": {"dateTime": "2027-03-10T09:00:00+01:00"}, "end": {"dateTime": "2027-03-10T10:00:00+01:00"}}
    events.patch(calendarId="primary", eventId="series1_20270309T080000Z", body=moved).execute()

    asked = {"originalStart": "2027-03-09T09:00:00+01:00", "timeZone": "America/New_York"}
    found = events.instances(calendarId="primary", eventId="series1", **asked).execute()["items"]

    assert [each["start"]["dateTime"] for each in found] == ["2027-03-10T03:00:00-05:00"]
    assert found[0]["start"]["timeZone"] == "Europe/Amsterdam"


def test_a_patch_of_an_instance_leaves_the_master_as_it_is(events: Any) -> None:
    master = insert(events, id="series1", **weekly())
    events.patch(calendarId="primary", eventId="series1_20270309T080000Z", body={"summary": "Other"}).execute()

    assert events.get(calendarId="primary", eventId="series1").execute() == master
