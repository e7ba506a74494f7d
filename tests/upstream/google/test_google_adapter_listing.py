"""What the adapter tells of a calendar that people edit at Google's own page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from bridge.core.model import CalendarObject
from bridge.core.view import SPECIAL
from bridge.errors import CalendarGone, CursorExpired, ListingDoubtful
from bridge.upstream.protocol import Changed, Found, Gone
from tests.contracts.upstream import Mirror, request_id
from tests.contracts.upstream_samples import plain
from tests.fakes.google.misdeeds import refuse
from tests.fakes.google.state import Role
from tests.upstream.google.connecting import ZONE, connect, rewritten

if TYPE_CHECKING:
    from bridge.upstream.google.adapter import GoogleUpstream
    from tests.fakes.google.by_hand import ByHand
    from tests.fakes.google.fake import FakeGoogle

WEEKLY = ["RRULE:FREQ=WEEKLY;COUNT=10"]
SECOND = "20270308T080000Z"


def single(summary: str = "Haircut", day: str = "2027-01-05", **fields: Any) -> dict[str, Any]:
    """An event as Google's page makes it."""
    return {"summary": summary, "start": _at(day, "09:00:00"), "end": _at(day, "10:00:00"), **fields}


def series(summary: str = "Class", **fields: Any) -> dict[str, Any]:
    """A series as Google's page makes it."""
    return single(summary, "2027-03-01", recurrence=WEEKLY, **fields)


def _at(day: str, time: str) -> dict[str, str]:
    return {"dateTime": f"{day}T{time}", "timeZone": ZONE}


def _objects(told: list[Changed | Gone]) -> dict[str, str]:
    """The texts that came along with a listing, by remote id."""
    return {
        each.remote_id: each.object.raw.decode()
        for each in told
        if isinstance(each, Changed) and isinstance(each.object, CalendarObject)
    }


def _listed(upstream: GoogleUpstream, calendar: str, cursor: str | None = None) -> list[Changed | Gone]:
    return [item for page in upstream.changes(calendar, cursor) for item in page.items]


def test_an_idle_poll_is_one_request(google: FakeGoogle, upstream: GoogleUpstream, page: ByHand) -> None:
    page.put(single())
    page.edit(f"{page.put(series())['id']}_{SECOND}", summary="Other")
    mirror = Mirror(upstream, page.id)
    google.forget()

    told = mirror.follow()

    assert told == []
    assert [each.id for each in google.requests] == ["calendar.events.list"]


def test_a_full_listing_of_a_calendar_is_one_request_with_all_its_texts(
    google: FakeGoogle, upstream: GoogleUpstream, page: ByHand
) -> None:
    for number in range(50):
        page.put(single(f"No {number}"))
    page.edit(f"{page.put(series())['id']}_{SECOND}", summary="Other")
    google.forget()

    told = _objects(_listed(upstream, page.id))

    assert len(told) == 51
    assert len(google.requests) == 1


@pytest.mark.parametrize("seed", range(5))
def test_short_and_empty_pages_in_any_order_tell_the_same(
    google: FakeGoogle, upstream: GoogleUpstream, page: ByHand, seed: int
) -> None:
    mirror = Mirror(upstream, page.id)
    for number in range(12):
        page.put(single(f"No {number}"))
        page.edit(f"{page.put(series(f'Series {number}'))['id']}_{SECOND}", summary="Other")
    whole = _objects(_listed(upstream, page.id))

    google.pages.most, google.pages.odd = 4, seed
    cut = _objects(_listed(upstream, page.id))
    delta = _objects(mirror.follow())

    assert cut == whole == delta
    assert len(whole) == 24


def test_a_token_that_has_expired_is_said_before_anything_else_and_nothing_is_gone_by_that(
    google: FakeGoogle, upstream: GoogleUpstream, page: ByHand
) -> None:
    kept, lost = page.put(single("Kept")), page.put(single("Lost"))
    mirror = Mirror(upstream, page.id)
    before = dict(mirror.etags)
    page.delete(lost["id"])
    google.purge()

    with pytest.raises(CursorExpired):
        next(iter(upstream.changes(page.id, mirror.cursor)))
    mirror.follow()

    assert mirror.expired == 1
    assert mirror.etags == {kept["id"]: before[kept["id"]]}
    assert list(upstream.fetch(page.id, [lost["id"]])) == [Gone(lost["id"])]


def test_a_token_that_expires_between_two_pages_gives_no_page_at_all(
    google: FakeGoogle, upstream: GoogleUpstream, page: ByHand
) -> None:
    mirror = Mirror(upstream, page.id)
    for number in range(6):
        page.put(single(f"No {number}"))
    google.pages.most = 2
    google.script(refuse("fullSyncRequired"), when=lambda asked: "pageToken" in asked.query)

    with pytest.raises(CursorExpired):
        next(iter(upstream.changes(page.id, mirror.cursor)))


def test_a_listing_that_ends_without_a_token_is_not_taken_for_whole(
    google: FakeGoogle, upstream: GoogleUpstream, page: ByHand
) -> None:
    page.put(single())

    google.script(rewritten(b'"nextSyncToken"', b'"description"'))

    with pytest.raises(ListingDoubtful):
        list(upstream.changes(page.id, None))


def test_a_moved_an_edited_and_a_cancelled_instance_come_as_one_change_of_the_series(
    google: FakeGoogle, upstream: GoogleUpstream, page: ByHand
) -> None:
    made = page.put(series())
    mirror = Mirror(upstream, page.id)
    page.edit(f"{made['id']}_{SECOND}", start=_at("2027-03-09", "14:00:00"), end=_at("2027-03-09", "15:00:00"))
    page.edit(f"{made['id']}_20270315T080000Z", summary="Class, upstairs")
    page.delete(f"{made['id']}_20270322T080000Z")
    google.forget()

    told = mirror.follow()

    assert [each.remote_id for each in told] == [made["id"]]
    text = _objects(told)[made["id"]]
    assert "RECURRENCE-ID;TZID=Europe/Amsterdam:20270308T090000" in text
    assert "DTSTART;TZID=Europe/Amsterdam:20270309T140000" in text
    assert "SUMMARY:Class\\, upstairs" in text
    assert "EXDATE;TZID=Europe/Amsterdam:20270322T090000" in text
    assert [each.id for each in google.requests] == ["calendar.events.list"] * 2
    assert _objects(_listed(upstream, page.id)) == {made["id"]: text}


def test_a_cancelled_instance_of_which_only_the_guaranteed_fields_come_is_found_in_its_series(
    upstream: GoogleUpstream, page: ByHand
) -> None:
    made = page.put(series())
    mirror = Mirror(upstream, page.id)
    page.delete(f"{made['id']}_{SECOND}")

    text = _objects(mirror.follow())[made["id"]]

    assert "EXDATE;TZID=Europe/Amsterdam:20270308T090000" in text


def test_an_instance_that_is_as_the_series_again_leaves_no_override(upstream: GoogleUpstream, page: ByHand) -> None:
    made = page.put(series())
    mirror = Mirror(upstream, page.id)
    page.edit(f"{made['id']}_{SECOND}", summary="Other")
    assert "RECURRENCE-ID" in _objects(mirror.follow())[made["id"]]

    page.edit(f"{made['id']}_{SECOND}", summary="Class")

    assert "RECURRENCE-ID" not in _objects(mirror.follow())[made["id"]]


def test_this_and_following_is_told_as_the_old_series_shortened_and_a_new_one(
    upstream: GoogleUpstream, page: ByHand
) -> None:
    made = page.put(series())
    mirror = Mirror(upstream, page.id)
    old, new = page.split(f"{made['id']}_20270322T080000Z", summary="Class, later")

    told = _objects(mirror.follow())

    assert set(told) == {old["id"], new["id"]}
    assert "UNTIL=" in told[old["id"]]
    assert "SUMMARY:Class\\, later" in told[new["id"]]
    assert mirror.etags == Mirror(upstream, page.id).etags


def test_a_deleted_series_is_gone_with_all_its_instances(upstream: GoogleUpstream, page: ByHand) -> None:
    made = page.put(series())
    page.edit(f"{made['id']}_{SECOND}", summary="Other")
    mirror = Mirror(upstream, page.id)
    page.delete(made["id"])

    told = mirror.follow()

    assert told == [Gone(made["id"])]
    assert mirror.etags == {}


def test_many_series_that_changed_are_read_with_one_listing(
    google: FakeGoogle, upstream: GoogleUpstream, page: ByHand
) -> None:
    mirror = Mirror(upstream, page.id)
    for number in range(30):
        page.put(series(f"No {number}"))
    google.forget()

    told = mirror.follow()

    assert len(_objects(told)) == 30
    assert len(google.requests) == 2


def test_many_objects_are_fetched_with_one_listing_and_what_it_lacks_is_asked_for(
    google: FakeGoogle, upstream: GoogleUpstream, page: ByHand
) -> None:
    ids = [page.put(single(f"No {number}"))["id"] for number in range(40)]
    page.delete(ids[7])
    google.forget()

    answers = {each.remote_id: each for each in upstream.fetch(page.id, ids)}

    assert [name for name, each in answers.items() if isinstance(each, Gone)] == [ids[7]]
    assert sum(isinstance(each, Found) for each in answers.values()) == 39
    assert [each.id for each in google.requests] == ["calendar.events.list", "calendar.events.get"]


def test_instances_without_their_series_are_one_object_until_the_last_is_gone(
    upstream: GoogleUpstream, page: ByHand
) -> None:
    mirror = Mirror(upstream, page.id)
    for day in ("2027-03-08", "2027-03-15"):
        fields = {"summary": "Guest lecture", "end": _at(day, "10:00:00")}
        page.orphan("theirseries", _at(day, "09:00:00"), fields)

    (told,) = mirror.follow()
    text = _objects([told])[told.remote_id]
    (fetched,) = upstream.fetch(page.id, [told.remote_id])

    assert text.count("RECURRENCE-ID") == 2
    assert "UID:theirseries@google.com" in text
    assert isinstance(fetched, Found)
    assert isinstance(told, Changed)
    assert fetched.etag == told.etag
    assert mirror.etags == Mirror(upstream, page.id).etags
    for stamp in ("20270308T080000Z", "20270315T080000Z"):
        page.delete(f"theirseries_{stamp}")
        mirror.follow()
    assert mirror.etags == {}
    assert list(upstream.fetch(page.id, [told.remote_id])) == [Gone(told.remote_id)]


def test_an_instance_is_no_object_of_its_own(upstream: GoogleUpstream, page: ByHand) -> None:
    made = page.put(series())
    page.edit(f"{made['id']}_{SECOND}", summary="Other")

    assert list(upstream.fetch(page.id, [f"{made['id']}_{SECOND}"])) == [Gone(f"{made['id']}_{SECOND}")]


def test_a_series_that_became_a_single_event_is_told_alike_by_a_delta_and_a_listing(
    google: FakeGoogle, upstream: GoogleUpstream, page: ByHand
) -> None:
    google.world.quirks.exceptions_stay = True
    made = page.put(series())
    page.edit(f"{made['id']}_{SECOND}", summary="Other")
    mirror = Mirror(upstream, page.id)
    page.edit(made["id"], recurrence=None)

    mirror.follow()

    assert mirror.etags == Mirror(upstream, page.id).etags
    assert set(mirror.etags) == {made["id"]}


@pytest.mark.parametrize("kind", ["outOfOffice", "focusTime", "workingLocation", "fromGmail"])
def test_what_google_makes_of_itself_is_told_with_its_kind(upstream: GoogleUpstream, page: ByHand, kind: str) -> None:
    home: dict[str, Any] = {
        "workingLocationProperties": {"type": "homeOffice", "homeOffice": {}},
        "transparency": "transparent",
        "visibility": "public",
    }
    page.put(single("Away", eventType=kind, **(home if kind == "workingLocation" else {})))

    (text,) = _objects(_listed(upstream, page.id)).values()

    assert f"{SPECIAL}:{kind}" in text


def test_an_imported_feed_stands_beside_what_we_wrote_under_an_id_of_its_own(
    upstream: GoogleUpstream, page: ByHand
) -> None:
    ours = upstream.create(page.id, plain("a"), request_id())
    theirs = page.import_(single(iCalUID="a"))

    told = [each for each in _listed(upstream, page.id) if isinstance(each, Changed)]

    assert {each.remote_id for each in told} == {ours.remote_id, theirs["id"]}
    assert {each.object.uid for each in told if isinstance(each.object, CalendarObject)} == {"a"}


def test_a_copy_that_carries_our_marks_is_not_taken_for_ours(upstream: GoogleUpstream, page: ByHand) -> None:
    ours = upstream.create(page.id, plain("a"), request_id())
    marks = page.get(ours.remote_id)["extendedProperties"]
    copied = page.put(single("Haircut, copied", extendedProperties=marks))

    told = {each.remote_id: each.object for each in _listed(upstream, page.id) if isinstance(each, Changed)}

    read = told[copied["id"]]
    assert isinstance(read, CalendarObject)
    assert read.uid == copied["iCalUID"] != "a"


@pytest.mark.parametrize("role", ["reader", "freeBusyReader"])
def test_a_calendar_of_another_person_is_read_as_far_as_they_allow(google: FakeGoogle, page: ByHand, role: str) -> None:
    page.put(single("Secret dentist"))
    google.add_user("boss@example.org", zone=ZONE)
    page.share("boss@example.org", Role[role])
    upstream = connect(google, user="boss@example.org")

    listed = next(each for each in upstream.calendars() if each.id == page.id)
    (text,) = _objects(_listed(upstream, page.id)).values()

    assert not listed.writable
    assert ("Secret dentist" in text) is (role == "reader")
    assert "DTSTART;TZID=Europe/Amsterdam:20270105T090000" in text


def test_the_list_of_calendars_is_read_to_its_end_with_names_colours_and_the_main_one(
    google: FakeGoogle, upstream: GoogleUpstream, page: ByHand
) -> None:
    for number in range(7):
        google.add_calendar("anna@example.org", f"c{number}@group.calendar.google.com", f"Room {number}")
    google.pages.most = 3

    listed = upstream.calendars()

    assert {each.name for each in listed} >= {f"Room {number}" for number in range(7)}
    assert [each.id for each in listed if each.primary] == ["anna@example.org"]
    assert all(each.color.startswith("#") and each.writable for each in listed)
    assert page.id in {each.id for each in listed}


def test_a_calendar_that_is_not_shared_any_more_is_gone(google: FakeGoogle, page: ByHand) -> None:
    google.add_user("boss@example.org")
    page.share("boss@example.org", Role.writer)
    upstream = connect(google, user="boss@example.org")
    mirror = Mirror(upstream, page.id)
    page.unshare("boss@example.org")

    with pytest.raises(CalendarGone):
        mirror.follow()


def test_a_connection_reaches_the_main_calendar_under_its_short_name(
    google: FakeGoogle, upstream: GoogleUpstream
) -> None:
    google.calendar("anna@example.org").put(single())

    assert len(Mirror(upstream, "primary").etags) == 1
