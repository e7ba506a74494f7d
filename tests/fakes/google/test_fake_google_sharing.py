"""The fake shows a shared calendar to each user as the role allows, and keeps special events and conferences."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from googleapiclient.discovery import build
from googleapiclient.errors import HttpError

from tests.fakes.google.fake import FakeGoogle, fake_google
from tests.fakes.google.misdeeds import after, call_of, first, lose_answer, lose_request, refuse
from tests.fakes.google.state import Role

if TYPE_CHECKING:
    from collections.abc import Iterator

ANNA, BERT = "anna@example.org", "bert@example.org"
EVENT = {"summary": "Haircut", "start": {"date": "2027-03-02"}, "end": {"date": "2027-03-03"}}


@pytest.fixture
def google() -> Iterator[FakeGoogle]:
    with fake_google(clock=lambda: datetime(2027, 3, 1, 8, tzinfo=UTC), serve=False) as google:
        google.add_user(ANNA, zone="Europe/Amsterdam")
        google.add_user(BERT)
        yield google


def service(google: FakeGoogle, user: str) -> Any:
    return build("calendar", "v3", http=google.http(user), static_discovery=True)


def status_of(request: Any) -> tuple[int, str]:
    with pytest.raises(HttpError) as raised:
        request.execute()
    details: Any = raised.value.error_details
    return raised.value.resp.status, details[0]["reason"]


def test_a_shared_calendar_is_listed_with_the_role_and_read_only_where_it_says_so(google: FakeGoogle) -> None:
    room = google.add_calendar(ANNA, "room@group.calendar.google.com", "Room 1")
    room.share(BERT, Role.reader)
    bert = service(google, BERT)

    entries = bert.calendarList().list().execute()["items"]

    assert [(each["id"], each["accessRole"], each.get("primary")) for each in entries] == [
        (BERT, "owner", True),
        (room.id, "reader", None),
    ]
    assert status_of(bert.events().insert(calendarId=room.id, body=EVENT)) == (403, "requiredAccessLevel")


def test_a_calendar_of_somebody_else_does_not_exist(google: FakeGoogle) -> None:
    assert status_of(service(google, BERT).events().list(calendarId=ANNA)) == (404, "notFound")


@pytest.mark.parametrize(
    ("role", "visibility", "seen"),
    [
        (Role.freeBusyReader, "default", False),
        (Role.reader, "default", True),
        (Role.reader, "private", False),
        (Role.writerWithoutPrivateAccess, "private", False),
        (Role.writer, "private", True),
    ],
)
def test_a_weak_role_sees_that_time_is_taken_and_nothing_else(
    google: FakeGoogle, role: Role, visibility: str, *, seen: bool
) -> None:
    hand = google.calendar(ANNA)
    hand.put({**EVENT, "visibility": visibility})
    hand.share(BERT, role)

    event = service(google, BERT).events().list(calendarId=ANNA).execute()["items"][0]

    assert ("summary" in event) is seen
    assert event["start"] == {"date": "2027-03-02"}


def test_two_users_of_a_calendar_have_reminders_of_their_own(google: FakeGoogle) -> None:
    hand = google.calendar(ANNA)
    made = hand.put({**EVENT, "reminders": {"useDefault": False}})
    hand.share(BERT, Role.writer)

    own = {"useDefault": False, "overrides": [{"method": "email", "minutes": 9}]}
    google.calendar(BERT, ANNA).edit(made["id"], reminders=own)

    assert hand.get(made["id"])["reminders"] == {"useDefault": False}


def test_default_reminders_and_overrides_exclude_each_other(google: FakeGoogle) -> None:
    reminders = {"useDefault": True, "overrides": [{"method": "popup", "minutes": 1}]}
    request = service(google, ANNA).events().insert(calendarId="primary", body={**EVENT, "reminders": reminders})

    assert status_of(request) == (400, "cannotUseDefaultRemindersAndSpecifyOverride")


def test_the_kind_of_an_event_never_changes(google: FakeGoogle) -> None:
    hand = google.calendar(ANNA)
    made = hand.put({**EVENT, "eventType": "fromGmail"})
    events = service(google, ANNA).events()

    assert made["eventType"] == "fromGmail"
    assert status_of(events.patch(calendarId="primary", eventId=made["id"], body={"eventType": "default"})) == (
        400,
        "eventTypeRestriction",
    )
    assert status_of(events.insert(calendarId="primary", body={**EVENT, "eventType": "fromGmail"}))[0] == 400


def test_a_conference_stays_where_a_client_knows_nothing_of_it(google: FakeGoogle) -> None:
    create = {"createRequest": {"requestId": "1", "conferenceSolutionKey": {"type": "hangoutsMeet"}}}
    made = google.calendar(ANNA).put({**EVENT, "conferenceData": create})
    body = {**EVENT, "summary": "Colour"}

    updated = service(google, ANNA).events().update(calendarId="primary", eventId=made["id"], body=body).execute()

    assert updated["hangoutLink"].startswith("https://meet.google.com/")
    assert updated["conferenceData"] == made["conferenceData"]


def test_an_import_keeps_its_uid_and_is_updated_by_the_next(google: FakeGoogle) -> None:
    events = service(google, ANNA).events()
    first_ = events.import_(calendarId="primary", body={**EVENT, "iCalUID": "a@b"}).execute()
    second = events.import_(calendarId="primary", body={**EVENT, "iCalUID": "a@b", "summary": "New"}).execute()

    assert first_["iCalUID"] == "a@b"
    assert (second["id"], second["summary"]) == (first_["id"], "New")
    assert status_of(events.import_(calendarId="primary", body=EVENT)) == (400, "required")
    assert len(events.list(calendarId="primary", iCalUID="a@b").execute()["items"]) == 1


def test_only_the_organizer_changes_what_guests_may_do(google: FakeGoogle) -> None:
    events = service(google, ANNA).events()
    body = {**EVENT, "iCalUID": "a@b", "organizer": {"email": BERT}}
    made = events.import_(calendarId="primary", body=body).execute()

    request = events.patch(calendarId="primary", eventId=made["id"], body={"guestsCanModify": True})

    assert status_of(request) == (403, "forbiddenForNonOrganizer")


def test_an_orphan_is_listed_without_its_master(google: FakeGoogle) -> None:
    google.calendar(ANNA).orphan(
        "elsewhere1", {"date": "2027-03-02"}, {"summary": "One", "end": {"date": "2027-03-03"}}
    )

    items = service(google, ANNA).events().list(calendarId="primary").execute()["items"]

    assert [(each["id"], each["recurringEventId"]) for each in items] == [("elsewhere1_20270302", "elsewhere1")]


def test_what_is_unknown_is_refused_and_recorded(google: FakeGoogle) -> None:
    events = service(google, ANNA).events()

    assert status_of(events.insert(calendarId="primary", body={**EVENT, "colour": "red"}))[0] == 400
    assert google.misuses == ["calendar.events.insert: Event.colour: no such field"]
    assert google.requests[-1].status == 400


def test_fields_select_a_part_of_the_answer(google: FakeGoogle) -> None:
    google.calendar(ANNA).put(EVENT)

    told = service(google, ANNA).events().list(calendarId="primary", fields="items(summary,start/date)").execute()

    assert told == {"items": [{"summary": "Haircut", "start": {"date": "2027-03-02"}}]}


def test_a_window_holds_what_touches_it_and_single_events_are_instances(google: FakeGoogle) -> None:
    hand = google.calendar(ANNA)
    hand.put({**EVENT, "recurrence": ["RRULE:FREQ=WEEKLY"]})
    hand.put({**EVENT, "summary": "Late", "start": {"date": "2027-06-01"}, "end": {"date": "2027-06-02"}})
    window = {"timeMin": "2027-03-20T00:00:00Z", "timeMax": "2027-04-10T00:00:00Z"}
    events = service(google, ANNA).events()

    whole = events.list(calendarId="primary", **window).execute()["items"]
    single = events.list(calendarId="primary", singleEvents=True, orderBy="startTime", **window).execute()["items"]

    assert [each["summary"] for each in whole] == ["Haircut"]
    assert [each["start"]["date"] for each in single] == ["2027-03-23", "2027-03-30", "2027-04-06"]
    assert status_of(events.list(calendarId="primary", orderBy="startTime"))[0] == 400
    assert status_of(events.list(calendarId="primary", timeMin=window["timeMax"], timeMax=window["timeMin"])) == (
        400,
        "timeRangeEmpty",
    )


def test_a_script_refuses_loses_and_comes_between_for_as_long_as_it_says(google: FakeGoogle) -> None:
    hand = google.calendar(ANNA)
    events = service(google, ANNA).events()

    google.script(refuse("backendError"), when=call_of("GET"))
    assert status_of(events.list(calendarId="primary"))[0] == 500
    google.script(lose_answer(), when=call_of("POST"))
    with pytest.raises(ConnectionResetError):
        events.insert(calendarId="primary", body=EVENT).execute()
    google.script(lose_request(), when=call_of("POST"))
    with pytest.raises(ConnectionResetError):
        events.insert(calendarId="primary", body=EVENT).execute()
    assert len(hand.events) == 1
    google.script(first(lambda: hand.put(EVENT)))
    google.script(after(lambda: hand.put(EVENT)), when=call_of("GET", "singleEvents"))
    assert len(events.list(calendarId="primary").execute()["items"]) == 2
    assert len(events.list(calendarId="primary", singleEvents=True).execute()["items"]) == 2
    assert len(hand.events) == 3


def test_a_token_without_the_scope_is_forbidden_and_none_at_all_unauthorised(google: FakeGoogle) -> None:
    narrow = google.token(ANNA, scopes=frozenset({"https://www.googleapis.com/auth/calendar.freebusy"}))
    headers = {"authorization": f"Bearer {narrow}"}
    ask = google.http().request

    assert ask("http://google/calendar/v3/users/me/calendarList", headers=headers)[0].status == 403
    assert ask("http://google/calendar/v3/users/me/calendarList")[0].status == 401
