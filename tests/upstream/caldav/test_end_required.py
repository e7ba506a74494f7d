from __future__ import annotations

import pytest

from bridge.core.canonical import digest
from bridge.upstream.caldav.end_required import with_ends
from tests.upstream.caldav.connecting import read


def stream(*lines: str) -> bytes:
    return "\r\n".join(("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Test//EN", *lines, "END:VCALENDAR", "")).encode()


def event(*lines: str) -> bytes:
    return stream("BEGIN:VEVENT", "UID:a", "DTSTAMP:20260101T000000Z", *lines, "END:VEVENT")


@pytest.mark.parametrize(
    ("lines", "end"),
    [
        (("DTSTART:20270105T090000Z", "DURATION:PT90M"), "DTEND:20270105T103000Z"),
        (("DURATION:P1D", "DTSTART;VALUE=DATE:20270105"), "DTEND;VALUE=DATE:20270106"),
        (("DTSTART;VALUE=DATE:20270105",), "DTEND;VALUE=DATE:20270106"),
        (("DTSTART:20270105T090000",), "DTEND:20270105T090000"),
        (("DTSTART;TZID=Europe/Berlin:20270105T233000", "DURATION:PT1H"), "DTEND;TZID=Europe/Berlin:20270106T003000"),
        # The clocks go forward that night: a day is one on the wall, hours pass as they are.
        (("DTSTART;TZID=Europe/Berlin:20270327T120000", "DURATION:P1D"), "DTEND;TZID=Europe/Berlin:20270328T120000"),
        (("DTSTART;TZID=Europe/Berlin:20270327T233000", "DURATION:PT4H"), "DTEND;TZID=Europe/Berlin:20270328T043000"),
    ],
)
def test_an_event_ends_when_it_meant_to(lines: tuple[str, ...], end: str) -> None:
    raw = event(*lines, "SUMMARY:x")
    ended = with_ends(read(raw))

    assert f"\r\n{end}\r\n".encode() in ended
    assert b"DURATION" not in ended
    assert digest(read(ended)) == digest(read(raw))


def test_every_other_line_stays_as_it_is() -> None:
    raw = stream(
        "BEGIN:VEVENT", "UID:a", "DTSTAMP:20260101T000000Z", "DTSTART:20270105T090000Z", "DURATION:PT1", " H",
        "RRULE:FREQ=DAILY", "X-ODD;X=1:fold", " ed", "BEGIN:VALARM", "TRIGGER:-PT5M", "REPEAT:1", "DURATION:PT5M",
        "ACTION:DISPLAY", "DESCRIPTION:x", "END:VALARM", "END:VEVENT",
        "BEGIN:VEVENT", "UID:a", "DTSTAMP:20260101T000000Z", "RECURRENCE-ID:20270106T090000Z",
        "DTSTART:20270106T100000Z", "DTEND:20270106T110000Z", "END:VEVENT",
    )  # fmt: skip
    expected = raw.replace(
        b"DTSTART:20270105T090000Z\r\nDURATION:PT1\r\n H\r\n",
        b"DTSTART:20270105T090000Z\r\nDTEND:20270105T100000Z\r\n",
    )

    assert with_ends(read(raw)) == expected


def test_what_has_an_end_or_is_no_event_stays_as_it_is() -> None:
    todo = stream(
        "BEGIN:VTODO", "UID:a", "DTSTAMP:20260101T000000Z", "DTSTART:20270105T090000Z", "DURATION:PT1H", "END:VTODO"
    )
    for raw in (event("DTSTART:20270105T090000Z", "DTEND:20270105T100000Z"), todo):
        assert with_ends(read(raw)) == raw


def test_a_start_in_an_odd_form_is_left_alone() -> None:
    raw = event("DTSTART:2027-01-05T09:00:00", "DURATION:PT1H")

    assert with_ends(read(raw)) == raw


def test_lines_that_only_look_like_an_event_leave_the_object_alone() -> None:
    raw = event("DTSTART:20270105T090000Z", "DURATION:PT1H").replace(b"\r\nBEGIN:VEVENT", b"\r\nBEGIN:VEVENT ")
    odd = event("DTSTART:20270105T090000Z", "DURATION:PT1H").replace(b"END:VCALENDAR", b"end:vcalendar")

    assert b"DTEND" in with_ends(read(raw))
    assert b"DTEND" in with_ends(read(odd))
