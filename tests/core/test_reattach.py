"""What of the other side's answer comes back, and what of ours stays behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bridge.core.canonical import digest
from bridge.core.content import MASTER
from bridge.core.content import read as content_of
from bridge.core.projection import discloses, received
from tests.core.core_samples import CUSTOM_BERLIN, component, read, read_event, stream
from tests.core.projection_samples import (
    ALARM,
    GUESTS,
    IN,
    IN_BUSY,
    IN_TITLES,
    LISTED,
    MAIL,
    NINE,
    OUT,
    OUT_BUSY,
    OUT_GUESTS,
    OUT_TITLES,
    SECRETS,
    TEN,
    attached,
    inner,
    shown,
    value,
)

if TYPE_CHECKING:
    from bridge.core.model import CalendarObject
    from bridge.core.view import View


def test_text_in_a_busy_block_does_not_come_back_but_its_times_and_state_do() -> None:
    obj = read_event(*NINE, "SUMMARY:Secret", *SECRETS)
    back = read_event(*TEN, "SUMMARY:Lunch with Bob", "DESCRIPTION:At noon", "STATUS:CANCELLED", *ALARM[:3], ALARM[-1])
    assert inner(attached(back, obj, OUT_BUSY)) == [*TEN, "SUMMARY:Secret", *SECRETS[:-5], "STATUS:CANCELLED", *ALARM]


def test_nobody_opens_a_private_appointment_from_there() -> None:
    obj = read_event(*NINE, "SUMMARY:Secret", "CLASS:PRIVATE")
    back = read_event(*NINE, "SUMMARY:Busy", "CLASS:PUBLIC")
    assert attached(back, obj, OUT) is obj


def test_a_title_that_was_shown_comes_back_and_what_was_hidden_stays() -> None:
    obj = read_event(*NINE, "SUMMARY:Cut", *SECRETS)
    back = read_event(*NINE, "SUMMARY:Cut and colour", "LOCATION:there")
    assert inner(attached(back, obj, OUT_TITLES)) == [*NINE, "SUMMARY:Cut and colour", *SECRETS]


def test_what_came_back_as_it_was_shown_is_kept_as_it_is_written_here() -> None:
    obj = read_event("DTSTART;X-VOBJ-ORIGINAL-TZID=Nowhere:20260714T090000Z", "DURATION:PT1H", "SUMMARY:Secret")
    back = read_event(NINE[0], "DURATION:PT2H", "SUMMARY:Busy")
    assert inner(attached(back, obj, OUT_BUSY)) == [
        "DTSTART;X-VOBJ-ORIGINAL-TZID=Nowhere:20260714T090000Z",
        "DURATION:PT2H",
        "SUMMARY:Secret",
    ]


MASTER_LINES = ("RRULE:FREQ=DAILY;COUNT=3", "SUMMARY:Cut", "DESCRIPTION:Colour", *GUESTS)
OVERRIDE_LINES = ("RECURRENCE-ID:20260715T090000Z", "DTSTART:20260715T110000Z", "DTEND:20260715T120000Z")
KEY = "2026-07-15T09:00:00Z"


@pytest.mark.parametrize(("view", "title"), [(OUT_BUSY, "Busy"), (OUT_TITLES, "Moved"), (OUT, "Moved")])
def test_an_instance_that_was_moved_there_is_told_by_what_the_series_is_here(view: View, title: str) -> None:
    obj = read(stream(*component(*NINE, *MASTER_LINES)))
    master = component(*NINE, "RRULE:FREQ=DAILY;COUNT=3", "SUMMARY:Busy")
    described = rf"DESCRIPTION:Colour\n\n{LISTED}"
    override = component(*OVERRIDE_LINES, f"SUMMARY:{title}", described)
    whole = attached(read(stream(*master, *override)), obj, view)
    assert value(whole, "SUMMARY", KEY) == ("Cut" if view is OUT_BUSY else "Moved")
    assert value(whole, "DESCRIPTION", KEY) == "Colour"
    names = [line.name for line in content_of(whole).parts[KEY].content]
    assert names.count("ATTENDEE") == 2
    assert "RRULE" not in names


def test_an_instance_that_was_restored_there_is_restored_here() -> None:
    master = component(*NINE, *MASTER_LINES)
    obj = read(stream(*master, *component(*OVERRIDE_LINES, "SUMMARY:Moved")))
    alone = read(stream(*master))
    assert list(content_of(attached(shown(alone, OUT), obj, OUT)).parts) == [MASTER]


def test_a_lone_instance_beside_another_is_told_by_that_one() -> None:
    first = component("RECURRENCE-ID:20260714T090000Z", *NINE, "SUMMARY:Cut")
    second = component(*OVERRIDE_LINES, "SUMMARY:Busy")
    whole = attached(read(stream(*first, *second)), read(stream(*first)), OUT_BUSY)
    assert whole.raw.count(b"SUMMARY:Cut") == 2
    assert set(content_of(whole).parts) == {"2026-07-14T09:00:00Z", KEY}


def test_zones_of_both_sides_are_there_where_they_are_named() -> None:
    obj = read_event(*NINE, "SUMMARY:Cut", "LOCATION:Room 1")
    moved = component("DTSTART;TZID=Customized Time Zone:20260714T100000", "DURATION:PT1H", "SUMMARY:Cut")
    whole = attached(read(stream(*CUSTOM_BERLIN, *moved)), obj, OUT_TITLES)
    assert whole.span.first.hour == 8
    assert value(whole, "LOCATION") == "Room 1"


# Both views together


def seen(there: CalendarObject, ours: CalendarObject, pull: View, push: View, *, made_here: bool) -> CalendarObject:
    return received(there, ours, pull=pull, push=push, made_here=made_here, parse=read)


def test_what_we_sent_says_nothing_new_when_it_comes_back() -> None:
    obj = read_event(*NINE, "SUMMARY:Cut", *SECRETS, *GUESTS, *MAIL)
    for push in (OUT, OUT_TITLES, OUT_BUSY):
        for pull in (IN, IN_TITLES, IN_BUSY):
            assert digest(seen(shown(obj, push), obj, pull, push, made_here=True)) == digest(obj)


def test_our_description_survives_that_only_titles_come_in() -> None:
    obj = read_event(*NINE, "SUMMARY:Cut", r"DESCRIPTION:Guests:\n- Carla", *GUESTS)
    there = read_event(*TEN, "SUMMARY:Colour", rf"DESCRIPTION:edited\n\n{LISTED}")
    assert inner(seen(there, obj, IN_TITLES, OUT, made_here=True)) == [
        *TEN,
        "SUMMARY:Colour",
        r"DESCRIPTION:Guests:\n- Carla",
        *GUESTS,
    ]


def test_the_text_of_their_own_appointments_comes_in_though_ours_are_not_shown() -> None:
    there = read_event(*TEN, "SUMMARY:Dentist moved", "DESCRIPTION:New")
    ours = read_event(*NINE, "SUMMARY:Dentist")
    found = seen(there, ours, IN, OUT_BUSY, made_here=False)
    assert inner(found) == [*TEN, "SUMMARY:Dentist moved", "DESCRIPTION:New"]


def test_what_they_make_private_of_their_own_is_hidden_here_too() -> None:
    there = read_event(*NINE, "SUMMARY:Dentist", "CLASS:PRIVATE")
    ours = read_event(*NINE, "SUMMARY:Dentist")
    assert inner(seen(there, ours, IN, OUT, made_here=False)) == [*NINE, "SUMMARY:Busy", "CLASS:PRIVATE"]


def test_what_they_make_private_of_ours_keeps_its_text_here() -> None:
    there = read_event(*TEN, "SUMMARY:Cut", "CLASS:PRIVATE")
    ours = read_event(*NINE, "SUMMARY:Cut", "DESCRIPTION:Colour")
    assert inner(seen(there, ours, IN, OUT, made_here=True)) == [
        *TEN,
        "SUMMARY:Cut",
        "DESCRIPTION:Colour",
        "CLASS:PRIVATE",
    ]


def test_what_they_make_public_again_is_shown_here_again() -> None:
    there = read_event(*NINE, "SUMMARY:Dentist", "CLASS:PUBLIC")
    ours = read_event(*NINE, "SUMMARY:Busy", "CLASS:PRIVATE")
    assert value(seen(there, ours, IN, OUT, made_here=False), "SUMMARY") == "Dentist"


# A rule, or an appointment, that shows less than before


def test_what_was_sent_before_it_became_private_is_noticed() -> None:
    obj = read_event(*NINE, "SUMMARY:Cut", "DESCRIPTION:Colour", *GUESTS)
    private = read_event(*NINE, "SUMMARY:Cut", "CLASS:PRIVATE", "DESCRIPTION:Colour", *GUESTS)
    assert discloses(shown(obj, OUT), private, OUT)
    assert not discloses(shown(private, OUT), private, OUT)
    assert not discloses(shown(obj, OUT), obj, OUT)


@pytest.mark.parametrize("view", [OUT_TITLES, OUT_BUSY, OUT])
def test_what_a_rule_sent_before_it_was_told_to_show_less_is_noticed(view: View) -> None:
    obj = read_event(*NINE, "SUMMARY:Cut", "LOCATION:Room 1", *GUESTS)
    assert discloses(shown(obj, OUT_GUESTS), obj, view)
    assert not discloses(shown(obj, view), obj, view)
    assert not discloses(shown(obj, OUT_GUESTS), obj, OUT_GUESTS)


def test_a_text_of_their_own_in_a_busy_block_discloses_nothing() -> None:
    obj = read_event(*NINE, "SUMMARY:Cut", "LOCATION:", "DESCRIPTION:Colour")
    assert not discloses(read_event(*NINE, "SUMMARY:Lunch", "LOCATION:", "DESCRIPTION:At noon"), obj, OUT_BUSY)


def test_an_instance_that_was_moved_there_discloses_what_its_series_hides() -> None:
    obj = read(stream(*component(*NINE, *MASTER_LINES)))
    moved = component(*OVERRIDE_LINES, "SUMMARY:Cut")
    master = component(*NINE, "RRULE:FREQ=DAILY;COUNT=3", "SUMMARY:Busy")
    assert discloses(read(stream(*master, *moved)), obj, OUT_BUSY)
