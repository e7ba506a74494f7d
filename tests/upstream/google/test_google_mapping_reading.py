"""Tests how events are read that were made at Google: by people in its pages, by its apps, by Google itself."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bridge.core.content import read, text
from bridge.core.recurrence import expand
from bridge.upstream.google.mapping import NotReadable, changed, from_google, to_google
from tests.upstream.google.google_answers import ZONE, parsed, patched_by

MADE: dict[str, Any] = {
    "kind": "calendar#event",
    "etag": '"3587161784712000"',
    "id": "4bvm3t9pjcrm0fsd9m3l7k2q1a",
    "status": "confirmed",
    "htmlLink": "https://www.google.com/calendar/event?eid=NGJ2bTN0",
    "created": "2026-11-01T10:00:00.000Z",
    "updated": "2026-11-02T10:00:00.123Z",
    "creator": {"email": "anna@example.org", "self": True},
    "organizer": {"email": "anna@example.org", "self": True},
    "summary": "Hair & make-up",
    "start": {"dateTime": "2027-03-02T09:00:00+01:00", "timeZone": "Europe/Amsterdam"},
    "end": {"dateTime": "2027-03-02T10:00:00+01:00", "timeZone": "Europe/Amsterdam"},
    "iCalUID": "4bvm3t9pjcrm0fsd9m3l7k2q1a@google.com",
    "sequence": 0,
    "reminders": {"useDefault": True},
    "eventType": "default",
}
WEEKLY = {**MADE, "recurrence": ["RRULE:FREQ=WEEKLY;BYDAY=TU"]}
JANUARY, JUNE = datetime(2027, 1, 1, tzinfo=UTC), datetime(2027, 6, 1, tzinfo=UTC)


def instance(key: str, original: dict[str, str], **fields: Any) -> dict[str, Any]:
    inherited = {name: value for name, value in MADE.items() if name not in {"id", "start", "end"}}
    return {
        **inherited,
        "id": f"{MADE['id']}_{key}",
        "recurringEventId": MADE["id"],
        "originalStartTime": original,
        "start": original,
        "end": original,
        **fields,
    }


def tombstone(key: str, original: dict[str, str]) -> dict[str, Any]:
    """What Google guarantees of a cancelled instance, and no more."""
    return {
        "id": f"{MADE['id']}_{key}",
        "recurringEventId": MADE["id"],
        "originalStartTime": original,
        "status": "cancelled",
    }


def at(wall: str, zone: str = ZONE) -> dict[str, str]:
    return {"dateTime": wall, "timeZone": zone}


def lines(master: dict[str, Any] | None, *exceptions: dict[str, Any]) -> list[str]:
    raw = from_google(master, exceptions, zone=ZONE)
    return raw.replace(b"\r\n ", b"").decode().split("\r\n")


def said(event: dict[str, Any], name: str) -> str | None:
    """The text of a property of a single event."""
    [part] = read(parsed(from_google(event, [], zone=ZONE))).parts.values()
    return text(part, name)


def starts(master: dict[str, Any], *exceptions: dict[str, Any]) -> list[str]:
    obj = parsed(from_google(master, exceptions, zone=ZONE))
    found = expand(obj, JANUARY, JUNE, zone=ZoneInfo(ZONE), limit=100)
    return [f"{one.first:%m-%d %H:%M}" for one in found]


def test_an_event_made_in_googles_page_reads_as_a_sound_calendar_of_one_event() -> None:
    found = lines(MADE)
    assert found[:3] == ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Calbridge//Google Calendar//EN"]
    assert found[found.index("BEGIN:VEVENT") :] == [
        "BEGIN:VEVENT",
        "UID:4bvm3t9pjcrm0fsd9m3l7k2q1a@google.com",
        "DTSTAMP:20261102T100000Z",
        "CREATED:20261101T100000Z",
        "LAST-MODIFIED:20261102T100000Z",
        "DTSTART;TZID=Europe/Amsterdam:20270302T090000",
        "DTEND;TZID=Europe/Amsterdam:20270302T100000",
        "SUMMARY:Hair & make-up",
        "END:VEVENT",
        "END:VCALENDAR",
        "",
    ]
    assert [line for line in found if line.startswith(("BEGIN:VTIMEZONE", "TZID:"))] == [
        "BEGIN:VTIMEZONE",
        "TZID:Europe/Amsterdam",
    ]
    assert parsed(from_google(MADE, [], zone=ZONE)).repairs == ()


def test_a_time_that_google_shows_with_the_offset_of_another_zone_is_read_in_its_own() -> None:
    shown = {**MADE, "start": at("2027-03-02T15:00:00+01:00", "America/New_York")}
    shown["end"] = at("2027-03-02T16:30:00+01:00", "America/New_York")
    found = lines(shown)
    assert "DTSTART;TZID=America/New_York:20270302T090000" in found
    assert "DTEND;TZID=America/New_York:20270302T103000" in found


def test_a_time_without_a_zone_is_in_the_zone_of_the_calendar() -> None:
    shown = {**MADE, "start": {"dateTime": "2027-03-02T08:00:00Z"}, "end": {"dateTime": "2027-03-02T09:00:00Z"}}
    assert "DTSTART;TZID=Europe/Amsterdam:20270302T090000" in lines(shown)


def test_the_second_of_two_equal_wall_times_is_read_in_utc() -> None:
    late = {**MADE, "start": at("2027-10-31T02:30:00+01:00"), "end": at("2027-10-31T03:30:00+01:00")}
    found = lines(late)
    assert "DTSTART:20271031T013000Z" in found
    assert "DTEND;TZID=Europe/Amsterdam:20271031T033000" in found
    early = {**MADE, "start": at("2027-10-31T02:30:00+02:00"), "end": at("2027-10-31T03:30:00+01:00")}
    assert "DTSTART;TZID=Europe/Amsterdam:20271031T023000" in lines(early)


def test_whole_days_end_on_the_day_before_the_one_that_google_names() -> None:
    days = {**MADE, "start": {"date": "2027-03-02"}, "end": {"date": "2027-03-04"}}
    found = lines(days)
    assert "DTSTART;VALUE=DATE:20270302" in found
    assert "DTEND;VALUE=DATE:20270304" in found
    assert "BEGIN:VTIMEZONE" not in found


def test_an_event_of_no_length_has_none_here() -> None:
    [one] = expand(
        parsed(from_google({**MADE, "end": MADE["start"]}, [], zone=ZONE)), JANUARY, JUNE, zone=ZoneInfo(ZONE), limit=2
    )
    assert one.first == one.last == datetime(2027, 3, 2, 8, tzinfo=UTC)


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("Bring:<br>shoes<br><br>and a towel", "Bring:\nshoes\n\nand a towel"),
        ("<p>First</p><p>Second</p>", "First\n\nSecond"),
        ("<ul><li>shoes</li><li>towel</li></ul>", "- shoes\n- towel"),
        (
            'See <a href="https://example.org/a?b=1&amp;c=2">the page</a>.',
            "See the page (https://example.org/a?b=1&c=2).",
        ),
        ('<a href="https://example.org/">https://example.org</a>', "https://example.org"),
        ('<a href="mailto:anna@example.org">anna@example.org</a>', "anna@example.org"),
        ("<b>Important:</b> <i>no</i> food&nbsp;&amp;&nbsp;drinks", "Important: no food & drinks"),
        ("<html-blob>Call <u>first</u></html-blob>", "Call first"),
        ("<style>p { color: red }</style><p>Text</p>", "Text"),
        ("a <- b, 3 < 4 & 5 > 4, <anna@example.org>", "a <- b, 3 < 4 & 5 > 4, <anna@example.org>"),
        ("<b>To</b> <anna@example.org>", "To <anna@example.org>"),
        ("R&amp;D", "R&D"),
        ("one\r\ntwo", "one\ntwo"),
    ],
)
def test_the_html_of_googles_editor_becomes_plain_text(written: str, plain: str) -> None:
    assert said({**MADE, "description": written}, "DESCRIPTION") == plain


def test_a_meeting_of_google_meet_has_its_ways_in() -> None:
    meeting = {
        **MADE,
        "hangoutLink": "https://meet.google.com/aaa-bbbb-ccc",
        "conferenceData": {
            "conferenceId": "aaa-bbbb-ccc",
            "conferenceSolution": {"key": {"type": "hangoutsMeet"}, "name": "Google Meet"},
            "entryPoints": [
                {
                    "entryPointType": "video",
                    "uri": "https://meet.google.com/aaa-bbbb-ccc",
                    "label": "meet.google.com/aaa-bbbb-ccc",
                },
                {
                    "entryPointType": "phone",
                    "uri": "tel:+31-20-257-4321",
                    "label": "+31 20 257 4321",
                    "pin": "123456789",
                    "regionCode": "NL",
                },
                {"entryPointType": "more", "uri": "https://tel.meet/aaa-bbbb-ccc?pin=9", "pin": "9"},
            ],
        },
    }
    assert [line for line in lines(meeting) if line.startswith("CONFERENCE")] == [
        'CONFERENCE;VALUE=URI;FEATURE=AUDIO,VIDEO;LABEL="meet.google.com/aaa-bbbb-ccc":https://meet.google.com/aaa-bbbb-ccc',
        'CONFERENCE;VALUE=URI;FEATURE=AUDIO,PHONE;LABEL="+31 20 257 4321, PIN: 123456789":tel:+31-20-257-4321',
        'CONFERENCE;VALUE=URI;LABEL="PIN: 9":https://tel.meet/aaa-bbbb-ccc?pin=9',
    ]
    assert parsed(from_google(meeting, [], zone=ZONE)).repairs == ()


def test_a_meeting_with_a_link_alone_has_that_way_in() -> None:
    link = "https://meet.google.com/aaa-bbbb-ccc"
    assert f"CONFERENCE;VALUE=URI;FEATURE=AUDIO,VIDEO:{link}" in lines({**MADE, "hangoutLink": link})


def test_files_on_google_drive_are_attached() -> None:
    file = {"fileUrl": "https://drive.google.com/open?id=1", "title": 'Plan "B".pdf', "mimeType": "application/pdf"}
    found = lines({**MADE, "attachments": [file]})
    assert "ATTACH;FMTTYPE=application/pdf;FILENAME=\"Plan ^'B^'.pdf\":https://drive.google.com/open?id=1" in found


def test_an_invitation_has_its_organizer_and_its_guests() -> None:
    meeting = {
        **MADE,
        "organizer": {"email": "boss@example.org", "displayName": "The boss"},
        "attendees": [
            {"email": "boss@example.org", "displayName": "The boss", "organizer": True, "responseStatus": "accepted"},
            {"email": "anna@example.org", "self": True, "responseStatus": "needsAction"},
            {"email": "c_1@resource.calendar.google.com", "displayName": "Room 1", "resource": True,
             "responseStatus": "accepted"},
        ],
    }  # fmt: skip
    found = lines(meeting)
    assert "ORGANIZER;CN=The boss:mailto:boss@example.org" in found
    assert "ATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:anna@example.org" in found
    assert "ATTENDEE;CUTYPE=RESOURCE;PARTSTAT=ACCEPTED;CN=Room 1:mailto:c_1@resource.calendar.google.com" in found
    assert "TRANSP:TRANSPARENT" not in found


def test_a_meeting_that_its_owner_has_declined_blocks_no_time() -> None:
    guest = {"email": "anna@example.org", "self": True, "responseStatus": "declined"}
    assert "TRANSP:TRANSPARENT" in lines({**MADE, "attendees": [guest]})


@pytest.mark.parametrize("kind", ["birthday", "focusTime", "outOfOffice", "workingLocation", "fromGmail"])
def test_an_event_that_google_makes_of_itself_says_of_which_kind_it_is(kind: str) -> None:
    found = lines({**MADE, "eventType": kind})
    assert f"X-CALBRIDGE-SPECIAL:{kind}" in found
    assert ("TRANSP:TRANSPARENT" in found) == (kind == "workingLocation")


@pytest.mark.parametrize(
    ("properties", "title"),
    [
        ({"type": "homeOffice", "homeOffice": {}}, "Home"),
        ({"type": "officeLocation", "officeLocation": {"label": "Main office"}}, "Main office"),
        ({"type": "customLocation"}, "Working elsewhere"),
    ],
)
def test_a_place_of_work_without_a_title_is_called_by_its_kind(properties: dict[str, Any], title: str) -> None:
    place = {name: value for name, value in MADE.items() if name != "summary"}
    event = {**place, "eventType": "workingLocation", "workingLocationProperties": properties}
    assert said(event, "SUMMARY") == title


def test_an_event_that_nobody_may_see_has_only_its_times() -> None:
    hidden = {name: MADE[name] for name in ("id", "status", "start", "end", "iCalUID")} | {"visibility": "private"}
    found = lines(hidden)
    assert "CLASS:PRIVATE" in found
    assert not any(line.startswith("SUMMARY") for line in found)
    assert "DTSTAMP:19700101T000000Z" in found


def test_no_reminder_at_all_is_said_as_apple_says_it() -> None:
    found = lines({**MADE, "reminders": {"useDefault": False}})
    begin = found.index("BEGIN:VALARM")
    assert found[begin : begin + 4] == [
        "BEGIN:VALARM",
        "ACTION:NONE",
        "TRIGGER;VALUE=DATE-TIME:19760401T005545Z",
        "END:VALARM",
    ]


def test_a_cancelled_instance_is_left_out_of_the_series() -> None:
    gone = tombstone("20270309T080000Z", at("2027-03-09T09:00:00+01:00"))
    assert "EXDATE;TZID=Europe/Amsterdam:20270309T090000" in lines(WEEKLY, gone)
    assert starts(WEEKLY, gone)[:3] == ["03-02 08:00", "03-16 08:00", "03-23 08:00"]


def test_a_cancelled_instance_without_its_original_start_is_known_by_its_id() -> None:
    gone = {**tombstone("20270309T080000Z", {}), "originalStartTime": {}}
    assert "EXDATE;TZID=Europe/Amsterdam:20270309T090000" in lines(WEEKLY, gone)


def test_excluded_dates_and_cancelled_instances_are_one_thing_each_said_once() -> None:
    rules = [*WEEKLY["recurrence"], "EXDATE;TZID=Europe/Amsterdam:20270309T090000", "EXDATE:20270316T080000Z"]
    gone = [
        tombstone("20270309T080000Z", at("2027-03-09T09:00:00+01:00")),
        tombstone("20270323T080000Z", at("2027-03-23T08:00:00Z", "UTC")),
    ]
    found = lines({**WEEKLY, "recurrence": rules}, *gone)
    assert [line for line in found if line.startswith("EXDATE")] == [
        f"EXDATE;TZID=Europe/Amsterdam:202703{day}T090000" for day in ("09", "16", "23")
    ]


def test_an_instance_that_was_moved_over_the_change_of_the_clock_keeps_its_identity() -> None:
    moved = instance(
        "20270330T070000Z",
        # Google gives the original start in whatever zone it shows.
        at("2027-03-30T03:00:00-04:00", "America/New_York"),
        start=at("2027-03-27T08:00:00+01:00"),
        end=at("2027-03-27T09:00:00+01:00"),
    )
    assert "RECURRENCE-ID;TZID=Europe/Amsterdam:20270330T090000" in lines(WEEKLY, moved)
    assert starts(WEEKLY, moved)[3:6] == ["03-23 08:00", "03-27 07:00", "04-06 07:00"]


def test_an_instance_in_another_zone_is_read_in_that_zone() -> None:
    original = at("2027-03-09T09:00:00+01:00")
    there = instance(
        "20270309T080000Z",
        original,
        start=at("2027-03-09T20:00:00+01:00", "Asia/Tokyo"),
        end=at("2027-03-09T21:00:00+01:00", "Asia/Tokyo"),
    )
    found = lines(WEEKLY, there)
    assert "DTSTART;TZID=Asia/Tokyo:20270310T040000" in found
    assert [line for line in found if line.startswith("TZID:")] == ["TZID:Asia/Tokyo", "TZID:Europe/Amsterdam"]


def test_an_instance_that_is_as_its_series_says_is_no_override() -> None:
    same = instance(
        "20270309T080000Z",
        at("2027-03-09T09:00:00+01:00"),
        end=at("2027-03-09T10:00:00+01:00"),
        updated="2026-11-20T10:00:00Z",
        sequence=3,
    )
    assert lines(WEEKLY, same) == lines(WEEKLY)
    assert lines(WEEKLY, {**same, "summary": "Hair only"}) != lines(WEEKLY)


def test_instances_of_whole_days_are_known_by_their_dates() -> None:
    series = {**WEEKLY, "start": {"date": "2027-03-02"}, "end": {"date": "2027-03-03"}}
    moved = instance("20270309", {"date": "2027-03-09"}, start={"date": "2027-03-11"}, end={"date": "2027-03-12"})
    found = lines(series, moved, tombstone("20270316", {"date": "2027-03-16"}))
    assert "RECURRENCE-ID;VALUE=DATE:20270309" in found
    assert "EXDATE;VALUE=DATE:20270316" in found


def test_instances_whose_series_is_not_in_this_calendar_are_an_object_of_their_own() -> None:
    invited = instance("20270309T080000Z", at("2027-03-09T09:00:00+01:00"), end=at("2027-03-09T10:00:00+01:00"))
    obj = parsed(from_google(None, [invited], zone=ZONE))
    assert obj.uid == MADE["iCalUID"]
    assert [*read(obj).parts] == ["2027-03-09T08:00:00Z"]


def test_the_tail_of_a_split_series_is_not_taken_for_the_series() -> None:
    private = {"calbridgeId": MADE["id"], "calbridgeUid": "ours@example.org"}
    tail = {**WEEKLY, "id": f"{MADE['id']}_R20270316T080000", "iCalUID": f"{MADE['id']}_R20270316T080000@google.com"}
    found = lines({**tail, "extendedProperties": {"private": private}})
    assert f"UID:{MADE['id']}_R20270316T080000@google.com" in found


@pytest.mark.parametrize(
    ("master", "exceptions"),
    [
        ({"id": "x1234", "status": "cancelled"}, []),
        ({**MADE, "start": {}}, []),
        ({**MADE, "start": {"dateTime": "soon"}}, []),
        (None, [tombstone("20270309T080000Z", {"dateTime": "2027-03-09T08:00:00Z"})]),
        (None, []),
    ],
)
def test_what_is_no_appointment_is_not_read_as_one(
    master: dict[str, Any] | None, exceptions: list[dict[str, Any]]
) -> None:
    with pytest.raises(NotReadable) as refusal:
        from_google(master, exceptions, zone=ZONE)
    assert refusal.value.reason.endswith(".")


def test_a_floating_event_floats_as_long_as_its_zone_is_the_one_in_which_it_was_written() -> None:
    written = {**MADE, "extendedProperties": {"private": {"calbridgeFloating": ZONE}}}
    assert "DTSTART:20270302T090000" in lines(written)
    later = {**written, "start": at("2027-03-02T11:00:00+01:00"), "end": at("2027-03-02T12:00:00+01:00")}
    assert "DTSTART:20270302T110000" in lines(later)
    abroad = {**written, "start": at("2027-03-02T09:00:00Z", "Europe/London")}
    assert "DTSTART;TZID=Europe/London:20270302T090000" in lines(abroad)


def test_who_makes_a_cancelled_event_busy_again_takes_it_up_again() -> None:
    private = {"calbridgeStatus": "CANCELLED"}
    kept = {**MADE, "summary": "Cancelled: Massage", "transparency": "transparent"}
    kept["extendedProperties"] = {"private": private}
    assert {"STATUS:CANCELLED", "SUMMARY:Massage"} <= set(lines(kept))
    assert "STATUS:CANCELLED" not in lines({**kept, "transparency": "opaque"})
    assert "STATUS:CANCELLED" not in lines({**kept, "summary": "Massage"})


def test_an_edit_of_the_title_here_touches_nothing_that_google_alone_can_hold() -> None:
    rich = {
        **MADE,
        "description": "<p>Bring <b>shoes</b></p>",
        "colorId": "3",
        "visibility": "public",
        "hangoutLink": "https://meet.google.com/aaa-bbbb-ccc",
        "attendees": [{"email": "bo@example.org", "responseStatus": "accepted", "id": "117"}],
        "guestsCanModify": True,
        "reminders": {"useDefault": False, "overrides": [{"method": "email", "minutes": 30}]},
        "source": {"url": "https://example.org/1", "title": "Booking 1"},
    }
    raw = from_google(rich, [], zone=ZONE)
    edited = raw.replace(b"SUMMARY:Hair", b"SUMMARY:Nails")
    patch = changed(to_google(parsed(edited), zone=ZONE).master, to_google(parsed(raw), zone=ZONE).master)
    assert patch == {"summary": "Nails & make-up"}
    after = from_google(patched_by(rich, patch), [], zone=ZONE)
    assert after == edited
