"""What of an appointment the other side sees, and what of its answer comes back."""

from __future__ import annotations

import pytest

from bridge.core.canonical import digest
from bridge.core.content import MASTER
from bridge.core.content import read as content_of
from bridge.core.origin import ORIGIN
from bridge.core.sides import Side
from bridge.core.view import Blocking, View
from tests.core.core_samples import CUSTOM_BERLIN, component, lines, read, read_event, stream
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
    without,
)


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


@pytest.mark.parametrize("view", [OUT, IN])
@pytest.mark.parametrize(
    "lines_of_it",
    [
        ("ATTENDEE;CN=Bob mailto:bob@example.org",),
        ('ATTENDEE;CN="Bob:mailto:bob@example.org',),
        ("BEGIN:VALARM", "ACTION:EMAIL", "TRIGGER:-PT5M", "ATTENDEE:mailto:bob@example.org", "END:VALARM"),
        (
            *("BEGIN:VALARM", "ACTION:NONE", "TRIGGER:-PT5M", "BEGIN:X-INNER"),
            *("ATTENDEE:mailto:bob@example.org", "END:X-INNER", "END:VALARM"),
        ),
    ],
)
def test_no_guest_passes_as_a_guest_also_not_in_a_line_that_nobody_can_read_or_deep_within_an_alarm(
    lines_of_it: tuple[str, ...], view: View
) -> None:
    obj = read_event(*NINE, "SUMMARY:Cut", *lines_of_it)
    assert b"ATTENDEE" in obj.raw
    assert b"ATTENDEE" not in shown(obj, view).raw
