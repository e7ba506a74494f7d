"""Tests of how much of an appointment a rule shows: its detail, what takes time, and its guests."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from tests.sync.appointments import START, all_day, event

if TYPE_CHECKING:
    from tests.sync.desk import Remote, Resource, SyncDesk

GUEST = "ATTENDEE;CN=Guest:mailto:guest@example.org"


@pytest.fixture
def here(desk: SyncDesk) -> Resource:
    return desk.resource()


@pytest.fixture
def there(desk: SyncDesk) -> Remote:
    return desk.remote()


# Detail.


def test_at_busy_nothing_but_the_time_goes_there(desk: SyncDesk, here: Resource, there: Remote) -> None:
    here.put(event("one", "Cut for Mrs. Secret", "LOCATION:Room 1", "DESCRIPTION:allergic"))
    desk.rule(push={"detail": "busy"})

    desk.rest()

    text = there.text("one")
    assert "SUMMARY:Busy" in text
    for word in ("Secret", "Room 1", "allergic"):
        assert word not in text
    assert "Cut for Mrs. Secret" in here.text("one")


def test_a_busy_block_that_is_moved_there_moves_here_and_its_name_stays(
    desk: SyncDesk, here: Resource, there: Remote
) -> None:
    here.put(event("one", "Cut", "LOCATION:Room 1"))
    desk.rule(push={"detail": "busy"})
    desk.rest()

    there.change("one", "Busy", "What is this?")
    there.change("one", f"{START:%Y%m%dT%H%M%SZ}", f"{START - timedelta(hours=1):%Y%m%dT%H%M%SZ}")
    desk.rest()

    text = here.text("one")
    assert "SUMMARY:Cut\n" in text
    assert "LOCATION:Room 1\n" in text
    assert f"DTSTART:{START - timedelta(hours=1):%Y%m%dT%H%M%SZ}" in text


def test_at_titles_the_title_goes_there_and_the_rest_stays_here(desk: SyncDesk, here: Resource, there: Remote) -> None:
    here.put(event("one", "Cut", "LOCATION:Room 1"))
    desk.rule(push={"detail": "titles"})
    desk.rest()
    assert "SUMMARY:Cut" in there.text("one")
    assert "Room 1" not in there.text("one")

    there.change("one", "Cut", "Perm")
    desk.rest()

    assert "SUMMARY:Perm" in here.text("one")
    assert "LOCATION:Room 1" in here.text("one")


@pytest.mark.parametrize(("detail", "title"), [("busy", "Busy"), ("titles", "Doctor")])
def test_pulled_in_less_detail_the_rest_does_not_come_here_and_stays_there(
    desk: SyncDesk, here: Resource, there: Remote, detail: str, title: str
) -> None:
    there.put(event("one", "Doctor", "LOCATION:Clinic"))
    desk.rule(pull={"detail": detail})
    desk.rest()
    assert here.titles() == {"one": title}
    assert "Clinic" not in here.text("one")

    here.put(event("one", title, start=START + timedelta(hours=1)))
    desk.rest()

    assert f"DTSTART:{START + timedelta(hours=1):%Y%m%dT%H%M%SZ}" in there.text("one")
    assert "SUMMARY:Doctor" in there.text("one")
    assert "LOCATION:Clinic" in there.text("one")


def test_a_private_appointment_goes_there_as_busy_and_its_text_never_comes_back_changed(
    desk: SyncDesk, here: Resource, there: Remote
) -> None:
    here.put(event("one", "Divorce", "CLASS:PRIVATE", "DESCRIPTION:lawyer"))
    desk.rule()
    desk.rest()
    assert there.titles() == {"one": "Busy"}
    assert "lawyer" not in there.text("one")

    there.change("one", "SUMMARY:Busy", "SUMMARY:Lunch")
    desk.rest()

    assert "SUMMARY:Divorce" in here.text("one")
    assert "CLASS:PRIVATE" in here.text("one")
    assert "DESCRIPTION:lawyer" in here.text("one")


def test_less_detail_from_now_on_takes_the_text_off_there(desk: SyncDesk, here: Resource, there: Remote) -> None:
    here.put(event("one", "Cut", "LOCATION:Room 1"))
    desk.rule()
    desk.rest()
    assert "Room 1" in there.text("one")

    desk.rule(push={"detail": "busy"})
    desk.rest()
    assert there.titles() == {"one": "Busy"}
    assert "Room 1" not in there.text("one")

    desk.rule()
    desk.rest()
    assert "SUMMARY:Cut" in there.text("one")
    assert "LOCATION:Room 1" in there.text("one")
    assert "LOCATION:Room 1" in here.text("one")
    assert desk.conflicts() == []


def test_an_edit_there_while_the_detail_grows_takes_no_text_away_here(
    desk: SyncDesk, here: Resource, there: Remote
) -> None:
    here.put(event("one", "Cut", "LOCATION:Room 1"))
    desk.rule(push={"detail": "busy"})
    desk.rest()

    desk.rule()
    there.change(
        "one",
        f"DTEND:{START + timedelta(hours=1):%Y%m%dT%H%M%SZ}",
        f"DTEND:{START + timedelta(hours=2):%Y%m%dT%H%M%SZ}",
    )
    desk.rest()

    for text in (here.text("one"), there.text("one")):
        assert "SUMMARY:Cut" in text
        assert "LOCATION:Room 1" in text
        assert f"DTEND:{START + timedelta(hours=2):%Y%m%dT%H%M%SZ}" in text


def test_a_guest_who_is_added_while_the_description_changes_there_stands_in_it(
    desk: SyncDesk, here: Resource, there: Remote
) -> None:
    here.put(event("one", "Cut", "DESCRIPTION:Bring towels"))
    desk.rule(on_conflict="theirs")
    desk.rest()

    here.put(event("one", "Cut", "DESCRIPTION:Bring towels", GUEST))
    there.change("one", "Bring towels", "Bring soap")
    desk.rest()

    assert "Bring soap" in there.text("one")
    assert "guest@example.org" in there.text("one")
    assert "DESCRIPTION:Bring soap\n" in here.text("one")
    assert GUEST in here.text("one")
    assert desk.conflicts() == []


# What takes time here.


@pytest.mark.parametrize(("free", "transparency"), [("ignore", "TRANSPARENT"), ("block", "OPAQUE")])
def test_free_says_whether_what_is_free_there_takes_time_here(
    desk: SyncDesk, here: Resource, there: Remote, free: str, transparency: str
) -> None:
    there.put(event("one", "Reminder", "TRANSP:TRANSPARENT"))
    desk.rule(pull={"free": free})

    desk.rest()

    assert f"TRANSP:{transparency}" in here.text("one")
    assert "TRANSP:TRANSPARENT" in there.text("one")


@pytest.mark.parametrize(("option", "blocks"), [("block", True), ("ignore", False)])
def test_all_day_says_whether_whole_days_there_take_time_here(
    desk: SyncDesk, here: Resource, there: Remote, option: str, *, blocks: bool
) -> None:
    there.put(all_day("one", "Holiday"))
    desk.rule(pull={"all_day": option})

    desk.rest()

    assert ("TRANSP:TRANSPARENT" not in here.text("one")) is blocks
    assert "TRANSP" not in there.text("one")


# Guests.


def test_guests_stand_in_the_description_there_and_not_in_ours(desk: SyncDesk, here: Resource, there: Remote) -> None:
    here.put(event("one", "Cut", "DESCRIPTION:Bring towels", GUEST))
    desk.rule()
    desk.rest()
    assert "ATTENDEE" not in there.text("one")
    assert "guest@example.org" in there.text("one")

    there.change("one", "Bring towels", "Bring soap")
    there.change("one", "SUMMARY:Cut", "SUMMARY:Perm")
    desk.rest()

    text = here.text("one")
    assert "DESCRIPTION:Bring soap\n" in text
    assert "SUMMARY:Perm\n" in text
    assert GUEST in text


def test_with_attendees_guests_go_there_as_guests_whom_nobody_writes_to(
    desk: SyncDesk, here: Resource, there: Remote
) -> None:
    here.put(event("one", "Cut", GUEST))
    desk.rule(attendees=True)
    desk.rest()

    assert "mailto:guest@example.org" in there.text("one")
    assert "SCHEDULE-AGENT=CLIENT" in there.text("one")
    there.change("one", "SUMMARY:Cut", "SUMMARY:Perm")
    desk.rest()
    assert GUEST in here.text("one")
    assert "SUMMARY:Perm" in here.text("one")
