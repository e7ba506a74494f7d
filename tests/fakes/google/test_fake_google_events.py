"""The fake keeps events as Google does: ids, etags, patches, series, and listings with tokens."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import icalendar
import pytest
import recurring_ical_events
from googleapiclient.discovery import build
from googleapiclient.errors import HttpError

from tests.fakes.google import schema
from tests.fakes.google.fake import FakeGoogle, fake_google

if TYPE_CHECKING:
    from collections.abc import Iterator

ANNA = "anna@example.org"
BEGIN = datetime(2027, 3, 1, 8, tzinfo=UTC)


class Clock:
    def __init__(self) -> None:
        self.now = BEGIN

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, **by: float) -> None:
        self.now += timedelta(**by)


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


def haircut(**more: Any) -> dict[str, Any]:
    return {
        "summary": "Haircut",
        "start": {"dateTime": "2027-03-02T09:00:00", "timeZone": "Europe/Amsterdam"},
        "end": {"dateTime": "2027-03-02T10:00:00", "timeZone": "Europe/Amsterdam"},
        **more,
    }


def insert(events: Any, **more: Any) -> Any:
    return events.insert(calendarId="primary", body=haircut(**more)).execute()


def listed(events: Any, **asked: Any) -> Any:
    return events.list(calendarId="primary", **asked).execute()


def refused(request: Any) -> tuple[int, str]:
    with pytest.raises(HttpError) as raised:
        request.execute()
    details: Any = raised.value.error_details
    return raised.value.resp.status, details[0]["reason"]


def test_an_event_comes_back_with_what_google_adds(events: Any) -> None:
    made = insert(events)

    assert made["start"] == {"dateTime": "2027-03-02T09:00:00+01:00", "timeZone": "Europe/Amsterdam"}
    assert made["iCalUID"] == f"{made['id']}@google.com"
    assert made["organizer"] == {"email": ANNA, "self": True}
    assert events.get(calendarId="primary", eventId=made["id"]).execute() == made


def test_a_client_id_is_taken_once_also_after_its_event_is_deleted(events: Any) -> None:
    insert(events, id="abc12345")

    assert refused(events.insert(calendarId="primary", body=haircut(id="abc12345"))) == (409, "duplicate")
    events.delete(calendarId="primary", eventId="abc12345").execute()
    assert refused(events.insert(calendarId="primary", body=haircut(id="abc12345"))) == (409, "duplicate")
    assert refused(events.insert(calendarId="primary", body=haircut(id="xyz"))) == (400, "invalid")


def test_a_patch_merges_objects_replaces_arrays_and_removes_what_is_null(events: Any) -> None:
    made = insert(
        events,
        location="Room 1",
        extendedProperties={"private": {"a": "1", "b": "2"}},
        reminders={"useDefault": False, "overrides": [{"method": "popup", "minutes": 5}]},
    )

    patched = events.patch(
        calendarId="primary",
        eventId=made["id"],
        body={"location": None, "extendedProperties": {"private": {"a": None, "c": "3"}}},
    ).execute()

    assert "location" not in patched
    assert patched["extendedProperties"] == {"private": {"b": "2", "c": "3"}}
    assert patched["reminders"] == made["reminders"]


def test_a_patch_from_timed_to_all_day_needs_the_time_taken_away(events: Any) -> None:
    made = insert(events)
    days: dict[str, dict[str, str | None]] = {"start": {"date": "2027-03-02"}, "end": {"date": "2027-03-03"}}

    assert refused(events.patch(calendarId="primary", eventId=made["id"], body=days)) == (400, "invalid")
    for each in days.values():
        each.update(dateTime=None, timeZone=None)
    assert events.patch(calendarId="primary", eventId=made["id"], body=days).execute()["start"] == {
        "date": "2027-03-02"
    }


def test_a_stale_etag_changes_nothing(events: Any, google: FakeGoogle) -> None:
    made = insert(events)
    google.calendar(ANNA).edit(made["id"], summary="By hand")
    request = events.patch(calendarId="primary", eventId=made["id"], body={"summary": "Late"})
    request.headers["If-Match"] = made["etag"]

    assert refused(request) == (412, "conditionNotMet")
    assert google.calendar(ANNA).get(made["id"])["summary"] == "By hand"


def test_a_deleted_event_is_gone_for_a_second_deletion(events: Any) -> None:
    made = insert(events)
    events.delete(calendarId="primary", eventId=made["id"]).execute()

    assert refused(events.delete(calendarId="primary", eventId=made["id"])) == (410, "deleted")
    assert refused(events.delete(calendarId="primary", eventId="nothing")) == (404, "notFound")
    assert events.get(calendarId="primary", eventId=made["id"]).execute()["status"] == "cancelled"


def test_a_sync_token_tells_what_changed_since_and_tombstones_hold_little(events: Any, google: FakeGoogle) -> None:
    one, two = insert(events), insert(events)
    token = listed(events)["nextSyncToken"]
    assert listed(events, syncToken=token)["items"] == []
    google.calendar(ANNA).delete(one["id"])
    google.calendar(ANNA).edit(two["id"], summary="Colour")

    changed = listed(events, syncToken=token)["items"]

    assert changed[0].keys() == {"kind", "etag", "id", "status"}
    assert changed[1]["summary"] == "Colour"


def test_an_expired_sync_token_asks_for_a_full_listing(events: Any, google: FakeGoogle) -> None:
    token = listed(events)["nextSyncToken"]
    google.expire_sync_tokens()

    assert refused(events.list(calendarId="primary", syncToken=token)) == (410, "fullSyncRequired")
    assert listed(events, syncToken=listed(events)["nextSyncToken"])["items"] == []


@pytest.mark.parametrize(
    "more", [{"timeMin": "2027-01-01T00:00:00Z"}, {"iCalUID": "x"}, {"showDeleted": False}, {"singleEvents": True}]
)
def test_a_sync_token_goes_with_no_other_filter(events: Any, more: dict[str, Any]) -> None:
    token = listed(events)["nextSyncToken"]

    assert refused(events.list(calendarId="primary", syncToken=token, **more))[0] == 400


def test_pages_may_be_short_or_empty_and_only_the_last_has_a_sync_token(events: Any, google: FakeGoogle) -> None:
    ids = {insert(events)["id"] for _ in range(9)}
    google.pages.most, google.pages.odd = 3, 5
    seen, sizes, page = set(), [], ""
    while True:
        told = listed(events, **({"pageToken": page} if page else {}))
        seen |= {each["id"] for each in told["items"]}
        sizes.append(len(told["items"]))
        assert ("nextSyncToken" in told) != ("nextPageToken" in told)
        if "nextPageToken" not in told:
            break
        page = told["nextPageToken"]

    assert seen == ids
    assert 0 in sizes


def weekly(**more: Any) -> dict[str, Any]:
    return {"recurrence": ["RRULE:FREQ=WEEKLY;COUNT=6"], **more}


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


def test_a_change_of_reminders_leaves_updated_and_gives_a_new_etag(events: Any, clock: Clock) -> None:
    made = insert(events)
    clock.pass_by(hours=1)

    patched = events.patch(
        calendarId="primary", eventId=made["id"], body={"reminders": {"useDefault": False}}
    ).execute()

    assert patched["updated"] == made["updated"]
    assert patched["etag"] != made["etag"]


def test_more_requests_than_a_minute_allows_are_refused_until_it_is_over(
    events: Any, google: FakeGoogle, clock: Clock
) -> None:
    google.quota.per_user = 3
    for _ in range(3):
        listed(events)

    assert refused(events.list(calendarId="primary")) == (403, "userRateLimitExceeded")
    clock.pass_by(seconds=60)
    assert listed(events)["items"] == []


RULES = [
    ("RRULE:FREQ=DAILY;INTERVAL=3;COUNT=20",),
    ("RRULE:FREQ=WEEKLY;BYDAY=TU,TH;WKST=SU;INTERVAL=2;UNTIL=20270601T070000Z",),
    ("RRULE:FREQ=MONTHLY;BYDAY=-1FR;COUNT=14", "RDATE;TZID=Europe/Amsterdam:20270303T091500"),
    ("RRULE:FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-2;COUNT=9", "EXDATE:20270330T070000Z"),
    ("RRULE:FREQ=YEARLY;BYMONTH=3,10;BYMONTHDAY=2,28,31;COUNT=12",),
    ("RDATE:20270302T080000Z,20271102T120000Z",),
]


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


def test_every_field_of_the_document_is_known_and_no_other() -> None:
    assert schema.faults_of("Event", {"id": "abcde", "start": {"date": "2027-03-02"}, "sequence": 1}) == []
    assert schema.faults_of("Event", {"start": {"date": "tomorrow"}})
    assert schema.faults_of("Event", {"status": "maybe"})
    assert schema.faults_of("Event", {"sequence": True})
    assert schema.faults_of("Event", {"attendees": [{"mail": "a@b"}]})
    assert schema.faults_of("Event", {"summary": None})
    assert schema.faults_of("Event", {"summary": None}, removals=True) == []


def test_lines_that_nobody_could_write_are_shown_until_the_next_edit(google: FakeGoogle) -> None:
    hand = google.calendar(ANNA)
    hand.put(haircut(id="series1", **weekly()))

    odd = hand.show_lines("series1", "DATE;TZID=Europe/Amsterdam:20270302T090000")

    assert odd["recurrence"] == ["DATE;TZID=Europe/Amsterdam:20270302T090000"]
    assert len(hand.instances) == 6
    assert hand.edit("series1", **weekly())["recurrence"] == ["RRULE:FREQ=WEEKLY;COUNT=6"]


def test_a_deleted_event_is_restored_by_an_update(events: Any) -> None:
    made = insert(events)
    events.delete(calendarId="primary", eventId=made["id"]).execute()

    events.update(calendarId="primary", eventId=made["id"], body=haircut(summary="Again")).execute()

    assert [each["summary"] for each in listed(events)["items"]] == ["Again"]


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
