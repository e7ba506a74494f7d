"""What of an appointment the other side sees, and what of its answer comes back."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest

from bridge.core.canonical import digest
from bridge.core.content import MASTER, text
from bridge.core.content import read as content_of
from bridge.core.origin import ORIGIN
from bridge.core.projection import project, reattach, received
from bridge.core.sides import Side
from bridge.core.view import Blocking, Detail, View
from tests.core.core_samples import CUSTOM_BERLIN, component, lines, read, read_event, stream

if TYPE_CHECKING:
    from bridge.core.model import CalendarObject

OUT = View(towards=Side.THERE)
OUT_TITLES = View(towards=Side.THERE, detail=Detail.TITLES)
OUT_BUSY = View(towards=Side.THERE, detail=Detail.BUSY)
OUT_GUESTS = View(towards=Side.THERE, attendees=True)
IN = View(towards=Side.HERE)
IN_TITLES = View(towards=Side.HERE, detail=Detail.TITLES)
IN_BUSY = View(towards=Side.HERE, detail=Detail.BUSY)
NINE = ("DTSTART:20260714T090000Z", "DTEND:20260714T100000Z")
TEN = ("DTSTART:20260714T100000Z", "DTEND:20260714T110000Z")
ALARM = ("BEGIN:VALARM", "ACTION:DISPLAY", "TRIGGER:-PT15M", "DESCRIPTION:Alarm secret", "END:VALARM")
MAIL = (
    *("BEGIN:VALARM", "ACTION:EMAIL", "TRIGGER:-PT1H", "SUMMARY:x", "DESCRIPTION:x"),
    *("ATTENDEE:mailto:anna@example.org", "END:VALARM"),
)
SECRETS = (
    "DESCRIPTION:Secret",
    "LOCATION:Secret",
    "CATEGORIES:Secret",
    "ATTENDEE;CN=Secret:mailto:secret@example.org",
    "URL:https://secret.example.org/",
    "ATTACH:https://secret.example.org/",
    "COMMENT:Secret",
    "CONTACT:Secret",
    "X-NOTE:Secret",
    "GEO:52.1;5.1",
    *ALARM,
)
GUESTS = (
    "ORGANIZER;CN=Salon:mailto:salon@example.org",
    "ATTENDEE;CN=Anna:mailto:anna@example.org",
    "ATTENDEE;CN=Berta;PARTSTAT=ACCEPTED:mailto:berta@example.org",
)
LISTED = r"Guests:\n- Anna <anna@example.org>\n- Berta <berta@example.org>"

shown = partial(project, parse=read)
attached = partial(reattach, parse=read)


def inner(obj: CalendarObject) -> list[str]:
    """The lines of the first component but those that name it."""
    flat = obj.raw.replace(b"\r\n ", b"").decode().split("\r\n")
    start = flat.index("BEGIN:VEVENT")
    return [line for line in flat[start + 1 : flat.index("END:VEVENT")] if not line.startswith(("UID", "DTSTAMP"))]


def value(obj: CalendarObject, name: str, key: str = MASTER) -> str | None:
    return text(content_of(obj).parts[key], name)


def without(*starts: str) -> tuple[str, ...]:
    return tuple(line for line in GUESTS if not line.startswith(starts))


@pytest.mark.parametrize("view", [OUT, OUT_TITLES, OUT_BUSY, IN])
def test_where_nothing_is_to_be_hidden_the_very_object_passes(view: View) -> None:
    obj = read_event(*NINE, "SUMMARY:Busy", "STATUS:TENTATIVE", "TRANSP:TRANSPARENT", "RRULE:FREQ=DAILY;COUNT=2")
    assert shown(obj, view) is obj


def test_in_full_all_but_the_guests_goes_out() -> None:
    obj = read_event(*NINE, "SUMMARY:Cut", *ALARM, "X-NOTE:kept")
    assert shown(obj, OUT) is obj


def test_at_titles_only_title_times_and_state_go_out() -> None:
    obj = read_event(*NINE, "SUMMARY;LANGUAGE=nl;X-WHO=Secret:Knippen", "STATUS:CONFIRMED", "CLASS:PUBLIC", *SECRETS)
    assert inner(shown(obj, OUT_TITLES)) == [
        *NINE,
        "SUMMARY;LANGUAGE=nl:Knippen",
        "STATUS:CONFIRMED",
        "CLASS:PUBLIC",
    ]


def test_at_busy_only_times_and_state_go_out() -> None:
    obj = read_event(*NINE, "SUMMARY:Secret", "STATUS:TENTATIVE", "TRANSP:OPAQUE", "CLASS:PUBLIC", *SECRETS)
    assert inner(shown(obj, OUT_BUSY)) == [*NINE, "STATUS:TENTATIVE", "TRANSP:OPAQUE", "SUMMARY:Busy"]


def test_a_private_appointment_goes_out_as_a_busy_block_whatever_the_detail() -> None:
    obj = read_event(*NINE, "SUMMARY:Secret", "CLASS:PRIVATE", *SECRETS)
    for view in (OUT, OUT_TITLES, OUT_GUESTS):
        assert inner(shown(obj, view)) == [*NINE, "SUMMARY:Busy"]


def test_a_private_instance_of_a_public_series_is_a_busy_block_among_titles() -> None:
    master = component(*NINE, "RRULE:FREQ=DAILY;COUNT=3", "SUMMARY:Cut", "LOCATION:Room 1")
    override = component("RECURRENCE-ID:20260715T090000Z", *TEN, "SUMMARY:Secret", "CLASS:PRIVATE", "LOCATION:Secret")
    found = shown(read(stream(*master, *override)), OUT)
    assert found.raw.count(b"SUMMARY:Busy") == 1
    assert b"SUMMARY:Cut\r\nLOCATION:Room 1" in found.raw
    assert b"Secret" not in found.raw


def test_what_the_calendar_says_of_itself_is_hidden_with_the_rest() -> None:
    head = ("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Example//EN", "X-WR-CALNAME:Secret")
    free_busy = ("BEGIN:VFREEBUSY", "COMMENT:Secret", "END:VFREEBUSY")
    obj = read(lines(*head, *component(*NINE, "SUMMARY:Cut"), *free_busy, "END:VCALENDAR"))
    assert b"Secret" in shown(obj, OUT).raw
    assert b"Secret" not in shown(obj, OUT_TITLES).raw


def test_words_that_are_no_state_are_hidden() -> None:
    obj = read_event(*NINE, "SUMMARY:Cut", "STATUS:Secret", "TRANSP:Secret")
    assert inner(shown(obj, OUT_TITLES)) == [*NINE, "SUMMARY:Cut"]
    back = read_event(*TEN, "SUMMARY:Cut", "STATUS:CANCELLED")
    whole = attached(back, obj, OUT_TITLES)
    assert inner(whole) == [*TEN, "SUMMARY:Cut", "STATUS:CANCELLED", "TRANSP:Secret"]


def test_parameters_that_may_hold_anything_are_hidden() -> None:
    obj = read(
        stream(
            *CUSTOM_BERLIN,
            *component(
                'DTSTART;X-WHO=Secret;TZID="Customized Time Zone":20260714T090000',
                "DURATION;X-B:PT1H",
                "EXDATE;VALUE=DATE-TIME:20260715T090000Z",
            ),
        )
    )
    assert inner(shown(obj, OUT_TITLES)) == [
        "DTSTART;TZID=Customized Time Zone:20260714T090000",
        "DURATION:PT1H",
        "EXDATE;VALUE=DATE-TIME:20260715T090000Z",
    ]


def test_a_zone_name_that_needs_quotes_keeps_them() -> None:
    zone = tuple(line.replace("Customized Time Zone", "Berlin, Bern") for line in CUSTOM_BERLIN)
    obj = read(stream(*zone, *component('DTSTART;X-A=1;TZID="Berlin, Bern":20260714T090000')))
    assert inner(shown(obj, OUT_TITLES)) == ['DTSTART;TZID="Berlin, Bern":20260714T090000']


# Guests


def test_guests_go_out_as_a_list_below_the_description_and_nobody_is_invited() -> None:
    found = shown(read_event(*NINE, "DESCRIPTION:Colour", *GUESTS, *ALARM), OUT)
    assert value(found, "DESCRIPTION") == "Colour\n\n" + LISTED.replace(r"\n", "\n")
    assert not {"ATTENDEE", "ORGANIZER"} & {line.name for line in content_of(found).parts[MASTER].content}


def test_guests_of_an_appointment_without_description_are_the_description() -> None:
    found = shown(read_event(*NINE, *GUESTS, *ALARM), OUT)
    assert inner(found) == [*NINE, f"DESCRIPTION:{LISTED}", *ALARM]
    assert inner(shown(read_event(*NINE, *GUESTS), OUT)) == [*NINE, f"DESCRIPTION:{LISTED}"]


def test_an_alarm_that_would_write_to_guests_stays_here() -> None:
    obj = read_event(*NINE, *MAIL, *ALARM)
    assert inner(shown(obj, OUT)) == [*NINE, *ALARM]
    assert digest(attached(shown(obj, OUT), obj, OUT)) == digest(obj)
    assert shown(obj, OUT_GUESTS) is obj


def test_a_description_in_html_would_lack_the_guests_and_stays_here() -> None:
    html = "X-ALT-DESC;FMTTYPE=text/html:<b>Colour</b>"
    described = 'DESCRIPTION;LANGUAGE=en;ALTREP="CID:x":Colour'
    assert inner(shown(read_event(*NINE, described, html), OUT)) == [*NINE, described, html]
    obj = read_event(*NINE, described, html, *GUESTS)
    assert inner(shown(obj, OUT)) == [*NINE, rf"DESCRIPTION;LANGUAGE=en:Colour\n\n{LISTED}"]
    assert attached(shown(obj, OUT), obj, OUT) is obj


def test_a_description_edited_above_the_list_comes_back_without_it() -> None:
    obj = read_event(*NINE, "DESCRIPTION:Colour", "X-ALT-DESC:<b>Colour</b>", *GUESTS)
    back = read_event(*NINE, rf"DESCRIPTION:Colour and cut\n\n{LISTED}", "X-ALT-DESC:<p>made there</p>")
    assert inner(attached(back, obj, OUT)) == [*NINE, "DESCRIPTION:Colour and cut", *GUESTS]


def test_guests_whom_somebody_there_takes_off_the_list_stay_guests_here() -> None:
    obj = read_event(*NINE, "DESCRIPTION:Colour", *GUESTS)
    back = read_event(*NINE, "DESCRIPTION:Colour")
    assert attached(back, obj, OUT) is obj


def test_a_list_that_a_person_wrote_stays_in_the_description() -> None:
    obj = read_event(*NINE, r"DESCRIPTION:Guests:\n- Carla")
    back = read_event(*TEN, r"DESCRIPTION:Guests:\n- Carla")
    assert value(attached(back, obj, OUT), "DESCRIPTION") == "Guests:\n- Carla"
    with_guests = read_event(*NINE, r"DESCRIPTION:Guests:\n- Carla", *GUESTS)
    assert attached(shown(with_guests, OUT), with_guests, OUT) is with_guests


def test_where_a_rule_sends_guests_the_server_is_told_not_to_write_to_them() -> None:
    organizer, anna, _ = GUESTS
    obj = read_event(*NINE, organizer, anna, "ATTENDEE;SCHEDULE-AGENT=NONE;CN=C:mailto:c@example.org")
    assert inner(shown(obj, OUT_GUESTS)) == [
        *NINE,
        "ORGANIZER;CN=Salon;SCHEDULE-AGENT=CLIENT:mailto:salon@example.org",
        "ATTENDEE;CN=Anna;SCHEDULE-AGENT=CLIENT:mailto:anna@example.org",
        "ATTENDEE;SCHEDULE-AGENT=NONE;CN=C:mailto:c@example.org",
    ]


def test_that_mark_comes_off_again_but_answers_of_guests_come_in() -> None:
    theirs = "ATTENDEE;SCHEDULE-AGENT=CLIENT;CN=C:mailto:c@example.org"
    obj = read_event(*NINE, *without("ATTENDEE;CN=Berta"), theirs)
    assert attached(shown(obj, OUT_GUESTS), obj, OUT_GUESTS) is obj
    answered = "ATTENDEE;CN=Anna;PARTSTAT=ACCEPTED;SCHEDULE-AGENT=CLIENT:mailto:anna@example.org"
    back = read_event(*NINE, "ORGANIZER;CN=Salon:mailto:salon@example.org", answered, theirs)
    assert inner(attached(back, obj, OUT_GUESTS)) == [
        *NINE,
        "ORGANIZER;CN=Salon:mailto:salon@example.org",
        "ATTENDEE;CN=Anna;PARTSTAT=ACCEPTED:mailto:anna@example.org",
        theirs,
    ]


def test_their_guests_do_not_come_in_and_ours_stay() -> None:
    there = read_event(*TEN, "SUMMARY:Cut", "ATTENDEE:mailto:theirs@example.org", *MAIL)
    assert inner(shown(there, IN)) == [*TEN, "SUMMARY:Cut"]
    ours = read_event(*NINE, "SUMMARY:Cut", *GUESTS)
    assert inner(attached(shown(there, IN), ours, IN)) == [*TEN, "SUMMARY:Cut", *GUESTS]


def test_their_guests_come_in_where_the_rule_says_so() -> None:
    view = View(towards=Side.HERE, attendees=True)
    there = read_event(*TEN, *GUESTS)
    assert shown(there, view) is there
    assert inner(attached(there, read_event(*NINE), view)) == [*TEN, *GUESTS]


# What comes in


def test_the_origin_mark_never_comes_in() -> None:
    there = read_event(*NINE, f"{ORIGIN}:{'0' * 16}.{'1' * 16}")
    for view in (IN, IN_TITLES, IN_BUSY, View(towards=Side.HERE, attendees=True)):
        assert ORIGIN.encode() not in shown(there, view).raw


def test_what_is_free_there_blocks_nothing_here_unless_the_rule_says_so() -> None:
    free = read_event(*NINE, "TRANSP:TRANSPARENT", *ALARM)
    assert shown(free, IN) is free
    block = View(towards=Side.HERE, free=Blocking.BLOCK)
    assert inner(shown(free, block)) == [*NINE, "TRANSP:OPAQUE", *ALARM]
    busy = read_event(*NINE)
    assert shown(busy, block) is busy


def test_whole_days_block_unless_the_rule_says_otherwise() -> None:
    holiday = read_event("DTSTART;VALUE=DATE:20260714", "SUMMARY:Holiday", *ALARM)
    timed = read_event(*NINE)
    ignore = View(towards=Side.HERE, all_day=Blocking.IGNORE)
    assert shown(holiday, IN) is holiday
    assert shown(timed, ignore) is timed
    assert inner(shown(holiday, ignore)) == [
        *("DTSTART;VALUE=DATE:20260714", "SUMMARY:Holiday", "TRANSP:TRANSPARENT"),
        *ALARM,
    ]
    free = read_event("DTSTART;VALUE=DATE:20260714", "TRANSP:TRANSPARENT")
    assert shown(free, View(towards=Side.HERE, all_day=Blocking.IGNORE, free=Blocking.BLOCK)) is free
    opaque = read_event("DTSTART;VALUE=DATE:20260714", "TRANSP:OPAQUE")
    assert inner(shown(opaque, ignore)) == ["DTSTART;VALUE=DATE:20260714", "TRANSP:TRANSPARENT"]


def test_a_to_do_neither_blocks_nor_is_free() -> None:
    to_do = read(stream(*component("DTSTART;VALUE=DATE:20260714", kind="VTODO")))
    assert shown(to_do, View(towards=Side.HERE, all_day=Blocking.IGNORE)) is to_do


def test_blocking_is_no_matter_of_what_goes_out() -> None:
    holiday = read_event("DTSTART;VALUE=DATE:20260714", "TRANSP:TRANSPARENT")
    view = View(towards=Side.THERE, all_day=Blocking.IGNORE, free=Blocking.BLOCK)
    assert shown(holiday, view) is holiday


def test_a_private_appointment_of_theirs_comes_in_as_a_private_busy_block() -> None:
    there = read_event(*NINE, "SUMMARY:Secret", "CLASS:PRIVATE", *SECRETS)
    assert inner(shown(there, IN)) == [*NINE, "CLASS:PRIVATE", "SUMMARY:Busy"]


# What comes back


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
