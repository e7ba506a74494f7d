"""What the adapter changes at Google, with how few requests, and what it leaves alone."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from bridge.core.model import CalendarObject
from bridge.errors import CalendarReadOnly, RemoteChanged, RemoteRefused, UpstreamUnavailable
from bridge.upstream.protocol import Found, Gone
from tests.contracts.upstream import Mirror, digest_of, request_id
from tests.contracts.upstream_samples import new, parse, plain
from tests.fakes.google.exchange import Answered
from tests.fakes.google.misdeeds import call_of, first, refuse
from tests.fakes.google.state import Role
from tests.upstream.google.connecting import ZONE, connect
from tests.upstream.google.series_edits import VERSIONS

if TYPE_CHECKING:
    from bridge.upstream.google.adapter import GoogleUpstream
    from tests.fakes.google.by_hand import ByHand
    from tests.fakes.google.fake import FakeGoogle

SECOND = "20270308T080000Z"
_KEPT: dict[str, Any] = {
    "description": "<b>Bring</b> the <a href='https://example.org'>catalogue</a>",
    "colorId": "7",
    "attendees": [{"email": "guest@example.org", "responseStatus": "accepted"}],
    "conferenceData": {
        "conferenceId": "abc-defg-hij",
        "conferenceSolution": {"key": {"type": "hangoutsMeet"}, "name": "Google Meet"},
        "entryPoints": [{"entryPointType": "video", "uri": "https://meet.google.com/abc-defg-hij"}],
    },
    "reminders": {"useDefault": False, "overrides": [{"method": "email", "minutes": 60}]},
    "guestsCanModify": True,
    "extendedProperties": {"shared": {"theirs": "1"}, "private": {"another": "program"}},
}


def _event(summary: str = "Haircut", **fields: Any) -> dict[str, Any]:
    when = {
        name: {"dateTime": f"2027-03-01T{time}", "timeZone": ZONE}
        for name, time in (("start", "09:00:00"), ("end", "10:00:00"))
    }
    return {"summary": summary, **when, **fields}


def _found(upstream: GoogleUpstream, calendar: str, remote_id: str) -> Found:
    (found,) = upstream.fetch(calendar, [remote_id])
    assert isinstance(found, Found)
    return found


def _edited(found: Found, old: str, text: str) -> CalendarObject:
    assert isinstance(found.object, CalendarObject)
    assert old.encode() in found.object.raw
    return parse(found.object.raw.replace(old.encode(), text.encode()))


def _asked(google: FakeGoogle) -> list[str]:
    return [each.id.removeprefix("calendar.events.") for each in google.requests]


def test_a_creation_is_one_request_and_mails_nobody(google: FakeGoogle, upstream: GoogleUpstream, page: ByHand) -> None:
    upstream.create(page.id, plain("a"), request_id())
    upstream.create(page.id, new("b", VERSIONS["with two instances left out"]), request_id())

    assert _asked(google) == ["insert", "insert"]
    assert {each.query["sendUpdates"] for each in google.requests} == {"none"}


def test_an_edit_of_a_title_is_a_look_and_a_patch_of_the_title(
    google: FakeGoogle, upstream: GoogleUpstream, page: ByHand
) -> None:
    made = page.put(_event(**_KEPT))
    before = page.get(made["id"])
    found = _found(upstream, page.id, made["id"])
    google.forget()

    upstream.replace(page.id, made["id"], _edited(found, "SUMMARY:Haircut", "SUMMARY:Colour"), if_match=found.etag)

    assert _asked(google) == ["get", "patch"]
    assert google.requests[-1].body == {"summary": "Colour"}
    after = page.get(made["id"])
    passing = {"summary", "etag", "updated", "sequence"}
    assert {name: value for name, value in after.items() if name not in passing} == {
        name: value for name, value in before.items() if name not in passing
    }


def test_without_its_own_reminders_an_event_has_those_of_its_calendar(upstream: GoogleUpstream, page: ByHand) -> None:
    made = page.put(_event(reminders={"useDefault": False, "overrides": [{"method": "popup", "minutes": 15}]}))
    found = _found(upstream, page.id, made["id"])
    assert isinstance(found.object, CalendarObject)
    text, _, rest = found.object.raw.partition(b"BEGIN:VALARM\r\n")
    _, _, rest = rest.partition(b"END:VALARM\r\n")

    upstream.replace(page.id, made["id"], parse(text + rest), if_match=found.etag)

    assert page.get(made["id"])["reminders"] == {"useDefault": True}


def test_an_edit_of_one_instance_leaves_the_others_and_the_series_alone(
    google: FakeGoogle, upstream: GoogleUpstream, page: ByHand
) -> None:
    made = page.put(_event("Class", recurrence=["RRULE:FREQ=WEEKLY;COUNT=9"], **_KEPT))
    page.edit(f"{made['id']}_20270315T080000Z", summary="Other")
    page.edit(f"{made['id']}_{SECOND}", summary="Guest")
    found = _found(upstream, page.id, made["id"])
    before = {each["id"]: each["etag"] for each in page.events}
    google.forget()

    upstream.replace(page.id, made["id"], _edited(found, "SUMMARY:Guest", "SUMMARY:Lecture"), if_match=found.etag)

    assert _asked(google) == ["get", "list", "patch"]
    assert google.requests[-1].body == {"summary": "Lecture"}
    after = {each["id"]: each["etag"] for each in page.events}
    assert [name for name in before if before[name] != after[name]] == [f"{made['id']}_{SECOND}"]


@pytest.mark.parametrize(("method", "part"), [("GET", "/events?"), ("GET", SECOND), ("PATCH", SECOND)])
def test_an_instance_that_somebody_changes_just_before_it_is_written_is_not_overwritten(
    google: FakeGoogle, upstream: GoogleUpstream, page: ByHand, method: str, part: str
) -> None:
    old = upstream.create(page.id, new("a", VERSIONS["a series"]), request_id())
    instance = f"{old.remote_id}_{SECOND}"
    google.script(first(lambda: page.edit(instance, location="Room 3")), when=call_of(method, part))

    with pytest.raises(RemoteChanged):
        upstream.replace(page.id, old.remote_id, new("a", VERSIONS["with an instance moved"]), if_match=old.etag)

    assert page.get(instance)["location"] == "Room 3"


def test_a_series_that_somebody_deletes_while_it_is_written_is_gone_and_not_refused(
    google: FakeGoogle, upstream: GoogleUpstream, page: ByHand
) -> None:
    old = upstream.create(page.id, new("a", VERSIONS["a series"]), request_id())
    google.script(first(lambda: page.delete(old.remote_id)), when=call_of("GET", SECOND))

    with pytest.raises(RemoteChanged):
        upstream.replace(page.id, old.remote_id, new("a", VERSIONS["with an instance moved"]), if_match=old.etag)

    assert page.events == []


def test_an_edit_that_comes_between_the_requests_of_one_write_is_not_lost(
    google: FakeGoogle, upstream: GoogleUpstream, page: ByHand
) -> None:
    old = upstream.create(page.id, new("a", VERSIONS["a series"]), request_id())
    mirror = Mirror(upstream, page.id)
    last = {"number": 0}

    def edits() -> None:
        page.edit(f"{old.remote_id}_20270329T070000Z", location="Elsewhere")

    def is_last(asked: Any) -> bool:
        last["number"] += asked.method == "PATCH"
        return asked.method == "GET" and last["number"] == 4

    google.script(first(edits), when=is_last)
    stored = upstream.replace(page.id, old.remote_id, new("a", VERSIONS["with two instances moved"]), if_match=old.etag)
    google.behave()
    mirror.follow()

    assert isinstance(stored.object, CalendarObject)
    assert b"Elsewhere" not in stored.object.raw
    assert mirror.etags[old.remote_id] != stored.etag


def test_a_stale_version_of_a_series_is_known_by_its_instances(upstream: GoogleUpstream, page: ByHand) -> None:
    old = upstream.create(page.id, new("a", VERSIONS["a series"]), request_id())
    page.edit(f"{old.remote_id}_{SECOND}", summary="Theirs")

    with pytest.raises(RemoteChanged):
        upstream.replace(page.id, old.remote_id, new("a", VERSIONS["with another title"]), if_match=old.etag)
    with pytest.raises(RemoteChanged):
        upstream.remove(page.id, old.remote_id, if_match=old.etag)

    assert page.get(f"{old.remote_id}_{SECOND}")["summary"] == "Theirs"


def test_an_id_that_was_deleted_is_followed_by_the_next_and_found_there_again(
    upstream: GoogleUpstream, page: ByHand
) -> None:
    request = request_id()
    ids = []
    for _ in range(3):
        stored = upstream.create(page.id, plain("a"), request)
        assert upstream.create(page.id, plain("a"), request) == stored
        ids.append(stored.remote_id)
        upstream.remove(page.id, stored.remote_id, if_match=stored.etag)

    assert ids == [request, f"{request}v1", f"{request}v2"]


def test_an_id_that_somebody_else_has_taken_is_left_to_them(upstream: GoogleUpstream, page: ByHand) -> None:
    request = request_id()
    page.put({"id": request, **_event("Theirs")})

    stored = upstream.create(page.id, plain("a"), request)

    assert stored.remote_id == f"{request}v1"
    assert page.get(request)["summary"] == "Theirs"


def test_a_copy_of_what_is_ours_keeps_its_own_uid_when_it_is_written(upstream: GoogleUpstream, page: ByHand) -> None:
    ours = upstream.create(page.id, new("a", VERSIONS["a series"]), request_id())
    marks = page.get(ours.remote_id)["extendedProperties"]
    copied = page.put(_event("Copy", extendedProperties=marks, recurrence=["RRULE:FREQ=WEEKLY;COUNT=9"]))
    found = _found(upstream, page.id, copied["id"])
    assert isinstance(found.object, CalendarObject)
    uid = found.object.uid
    moved = parse(
        found.object.raw.replace(
            b"END:VCALENDAR",
            b"".join(
                f"BEGIN:VEVENT\r\nUID:{uid}\r\nDTSTAMP:20260101T000000Z\r\nRECURRENCE-ID;TZID={ZONE}:{day}T090000\r\n"
                f"DTSTART;TZID={ZONE}:{day}T150000\r\nDURATION:PT1H\r\nSUMMARY:Copy\r\nEND:VEVENT\r\n".encode()
                for day in ("20270308", "20270315")
            )
            + b"END:VCALENDAR",
        )
    )

    stored = upstream.replace(page.id, copied["id"], moved, if_match=found.etag)

    assert isinstance(stored.object, CalendarObject)
    assert stored.object.uid == uid == copied["iCalUID"]
    assert stored.object.raw.count(b"RECURRENCE-ID") == 2
    private = page.get(copied["id"])["extendedProperties"]["private"]
    assert "calbridgeUnfinished" not in private


@pytest.mark.parametrize("kind", ["outOfOffice", "focusTime", "fromGmail"])
def test_what_google_makes_of_itself_is_never_written(upstream: GoogleUpstream, page: ByHand, kind: str) -> None:
    made = page.put(_event("Away", eventType=kind))
    found = _found(upstream, page.id, made["id"])

    with pytest.raises(RemoteRefused) as raised:
        upstream.replace(page.id, made["id"], _edited(found, "Away", "Here"), if_match=found.etag)
    with pytest.raises(RemoteRefused):
        upstream.remove(page.id, made["id"], if_match=found.etag)

    assert kind in raised.value.message
    assert raised.value.remedy
    assert page.get(made["id"])["summary"] == "Away"


@pytest.mark.parametrize("role", ["reader", "freeBusyReader"])
def test_a_calendar_that_may_only_be_read_takes_nothing_and_the_remedy_names_the_administrator(
    google: FakeGoogle, page: ByHand, role: str
) -> None:
    made = page.put(_event())
    google.add_user("boss@example.org", zone=ZONE)
    page.share("boss@example.org", Role[role])
    upstream = connect(google, user="boss@example.org")
    found = _found(upstream, page.id, made["id"])

    for write in (
        lambda: upstream.create(page.id, plain("a"), request_id()),
        lambda: upstream.replace(page.id, made["id"], plain("a"), if_match=found.etag),
        lambda: upstream.remove(page.id, made["id"], if_match=found.etag),
    ):
        with pytest.raises(CalendarReadOnly) as raised:
            write()
        assert "administrator" in raised.value.remedy
        assert "24 hours" in raised.value.remedy
    assert [each["id"] for each in page.events] == [made["id"]]


def test_a_series_of_which_google_refuses_an_instance_is_not_left_half_written(
    google: FakeGoogle, upstream: GoogleUpstream, page: ByHand
) -> None:
    google.script(refuse("invalid", "Invalid start time."), when=call_of("PATCH", "_20270315"))

    with pytest.raises(RemoteRefused) as raised:
        upstream.create(page.id, new("a", VERSIONS["with two instances moved"]), request_id())

    assert raised.value.property_name == "DTSTART"
    assert page.events == []


def test_an_invitation_to_one_instance_is_changed_and_declined_by_itself(
    upstream: GoogleUpstream, page: ByHand
) -> None:
    at = {"dateTime": "2027-03-08T09:00:00", "timeZone": ZONE}
    page.orphan("theirseries", at, {"summary": "Lecture", "end": {**at, "dateTime": "2027-03-08T10:00:00"}})
    (remote_id,) = Mirror(upstream, page.id).etags
    found = _found(upstream, page.id, remote_id)

    stored = upstream.replace(page.id, remote_id, _edited(found, "Lecture", "Lesson"), if_match=found.etag)

    assert page.get("theirseries_20270308T080000Z")["summary"] == "Lesson"
    again = _found(upstream, page.id, remote_id)
    assert (stored.etag, digest_of(stored)) == (again.etag, digest_of(again))
    upstream.remove(page.id, remote_id, if_match=stored.etag)
    assert list(upstream.fetch(page.id, [remote_id])) == [Gone(remote_id)]


def test_an_instance_of_a_series_that_was_split_is_found_under_the_id_that_google_gives_it(
    upstream: GoogleUpstream, page: ByHand
) -> None:
    made = page.put(_event("Class", recurrence=["RRULE:FREQ=WEEKLY;COUNT=9"]))
    _, later = page.split(f"{made['id']}_20270315T080000Z", summary="Later")
    found = _found(upstream, page.id, later["id"])
    assert isinstance(found.object, CalendarObject)
    moved = parse(
        found.object.raw.replace(
            b"END:VCALENDAR",
            (
                f"BEGIN:VEVENT\r\nUID:{found.object.uid}\r\nDTSTAMP:20260101T000000Z\r\n"
                f"RECURRENCE-ID;TZID={ZONE}:20270322T090000\r\nDTSTART;TZID={ZONE}:20270322T150000\r\n"
                "DURATION:PT1H\r\nSUMMARY:Later\r\nEND:VEVENT\r\nEND:VCALENDAR"
            ).encode(),
        )
    )

    stored = upstream.replace(page.id, later["id"], moved, if_match=found.etag)

    assert isinstance(stored.object, CalendarObject)
    assert b"T150000" in stored.object.raw


def test_an_answer_about_a_deletion_that_is_no_answer_of_google_is_no_success(
    google: FakeGoogle, upstream: GoogleUpstream, page: ByHand
) -> None:
    stored = upstream.create(page.id, plain("a"), request_id())
    google.script(_page_to_log_in, when=call_of("DELETE"))

    with pytest.raises(UpstreamUnavailable):
        upstream.remove(page.id, stored.remote_id, if_match=stored.etag)

    assert len(page.events) == 1


def _page_to_log_in(_asked: object, _go: object) -> Answered:
    return Answered(200, {"Content-Type": "text/html"}, b"<html>Please log in</html>")


def test_a_series_that_this_and_following_made_has_instances_that_are_named_after_the_first_series(
    google: FakeGoogle, upstream: GoogleUpstream, page: ByHand
) -> None:
    made = page.put(_event("Class", recurrence=["RRULE:FREQ=WEEKLY;COUNT=9"]))
    calendar = google.world.calendars[page.id]
    event = calendar.events.pop(made["id"])
    root, event.id = made["id"], f"{made['id']}_R20270301T080000"
    calendar.events[event.id] = event
    master = event.id

    def named_after_the_first(asked: Any, go: Any) -> Answered:
        named = asked.path.replace(f"{root}_2027", f"{master}_2027")
        if f"{master}_2027" in asked.path:
            named = asked.path.replace(master, "nobody")
        return go(replace(asked, path=named))  # type: ignore[no-any-return]

    google.script(named_after_the_first, when=call_of("GET"), times=None)
    found = _found(upstream, page.id, master)
    assert isinstance(found.object, CalendarObject)
    instance = (
        f"BEGIN:VEVENT\r\nUID:{found.object.uid}\r\nDTSTAMP:20260101T000000Z\r\n"
        f"RECURRENCE-ID;TZID={ZONE}:20270322T090000\r\nDTSTART;TZID={ZONE}:20270322T150000\r\n"
        "DURATION:PT1H\r\nSUMMARY:Late\r\nEND:VEVENT\r\nEND:VCALENDAR"
    )
    moved = parse(found.object.raw.replace(b"END:VCALENDAR", instance.encode()))
    google.forget()

    stored = upstream.replace(page.id, master, moved, if_match=found.etag)

    asked = [each.places["eventId"] for each in google.requests if each.id == "calendar.events.get"]
    assert asked == [master, "nobody_20270322T080000Z", f"{master}_20270322T080000Z"]
    assert isinstance(stored.object, CalendarObject)
    assert b"T150000" in stored.object.raw
