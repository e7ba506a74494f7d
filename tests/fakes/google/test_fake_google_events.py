"""The fake keeps events as Google does: ids, etags, patches, and listings with tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from googleapiclient.discovery import build
from googleapiclient.errors import HttpError

from tests.fakes.google import schema
from tests.fakes.google.asking import ANNA, Clock, haircut, insert, listed, refused
from tests.fakes.google.fake import FakeGoogle, fake_google

if TYPE_CHECKING:
    from collections.abc import Iterator


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


def test_every_field_of_the_document_is_known_and_no_other() -> None:
    assert schema.faults_of("Event", {"id": "abcde", "start": {"date": "2027-03-02"}, "sequence": 1}) == []
    assert schema.faults_of("Event", {"start": {"date": "tomorrow"}})
    assert schema.faults_of("Event", {"status": "maybe"})
    assert schema.faults_of("Event", {"sequence": True})
    assert schema.faults_of("Event", {"attendees": [{"mail": "a@b"}]})
    assert schema.faults_of("Event", {"summary": None})
    assert schema.faults_of("Event", {"summary": None}, removals=True) == []


def test_a_deleted_event_is_restored_by_an_update(events: Any) -> None:
    made = insert(events)
    events.delete(calendarId="primary", eventId=made["id"]).execute()

    events.update(calendarId="primary", eventId=made["id"], body=haircut(summary="Again")).execute()

    assert [each["summary"] for each in listed(events)["items"]] == ["Again"]


def test_an_event_that_is_as_it_was_is_not_sent_again(events: Any) -> None:
    made = insert(events)
    request = events.get(calendarId="primary", eventId=made["id"])
    request.headers["If-None-Match"] = made["etag"]

    with pytest.raises(HttpError) as raised:
        request.execute()

    assert raised.value.resp.status == 304


def test_what_was_deleted_is_listed_with_details_only_where_it_is_asked_for(events: Any, clock: Clock) -> None:
    made = insert(events)
    clock.pass_by(hours=2)
    events.delete(calendarId="primary", eventId=made["id"]).execute()

    assert listed(events)["items"] == []
    assert listed(events, showDeleted=True)["items"][0]["summary"] == "Haircut"
    recent = listed(events, updatedMin="2027-03-01T09:00:00Z")
    assert [each["status"] for each in recent["items"]] == ["cancelled"]
    assert "nextSyncToken" not in recent


def test_a_listing_by_private_property_finds_what_carries_it(events: Any) -> None:
    made = insert(events, extendedProperties={"private": {"mark": "1"}})
    insert(events)

    found = listed(events, privateExtendedProperty="mark=1")["items"]

    assert [each["id"] for each in found] == [made["id"]]


def test_a_change_that_comes_between_two_pages_is_told_again_by_the_token(events: Any, google: FakeGoogle) -> None:
    made = [insert(events) for _ in range(4)]
    page = listed(events, maxResults=2)
    google.calendar(ANNA).edit(made[0]["id"], summary="Between")

    last = listed(events, maxResults=2, pageToken=page["nextPageToken"])

    changed = listed(events, maxResults=2, syncToken=last["nextSyncToken"])["items"]
    assert [each["summary"] for each in changed] == ["Between"]
