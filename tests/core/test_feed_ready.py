from __future__ import annotations

import pytest

from tests.core.core_samples import CUSTOM_BERLIN, component, event, read, read_event, stream

START = "DTSTART;TZID=Europe/Berlin:20260714T170000"
ALARM = ("BEGIN:VALARM", "ACTION:DISPLAY", "DESCRIPTION:Soon", "TRIGGER;RELATED=END:-PT15M", "END:VALARM")


@pytest.mark.parametrize(
    "content",
    [
        ("SUMMARY:Hair cut", "CLASS:PUBLIC", "SEQUENCE:2", "STATUS:CONFIRMED", "TRANSP:OPAQUE", "GEO:52.1;-4"),
        ("DTEND;TZID=Europe/Berlin;VALUE=DATE-TIME:20260714T180000", "CREATED:20260101T000000Z"),
        ("DURATION:PT1H", "RRULE:FREQ=WEEKLY;BYDAY=TU;COUNT=3", "EXDATE;TZID=Europe/Berlin:20260721T170000"),
        ("RDATE;TZID=Europe/Berlin;VALUE=PERIOD:20260801T170000/PT1H,\r\n 20260802T170000/20260802T180000",),
        ("RDATE;VALUE=PERIOD:20260801T170000Z/PT1H", "RDATE:20260803T170000Z"),
        ('ATTENDEE;CN="Doe, Jane";X-A=b,c;RSVP=TRUE:mailto:jane@example.org', 'X-NOTE;X-A=1:any; thing, "here"'),
        (*ALARM, "BEGIN:X-OWN", "X-A:1", "END:X-OWN"),
        ("DESCRIPTION:" + "x" * 60 + "\r\n " + "y" * 70 + "\r\n  z",),
    ],
)
def test_what_every_reader_can_read_is_copied_into_a_feed(content: tuple[str, ...]) -> None:
    assert read_event(START, *content).feed_ready


def test_dates_and_instants_are_copied_and_so_are_overrides_beside_their_master() -> None:
    assert read_event("DTSTART:20260714T170000Z").feed_ready
    assert read_event("DTSTART;VALUE=DATE:20260714", "RDATE;VALUE=DATE:20260801,20260802").feed_ready
    override = component("RECURRENCE-ID;RANGE=THISANDFUTURE;TZID=Europe/Berlin:20260721T170000", START)
    assert read(stream(*component(START, "RRULE:FREQ=WEEKLY"), *override)).feed_ready
    assert read(stream(*component("DUE;VALUE=DATE:20260714", "PERCENT-COMPLETE:50", kind="VTODO"))).feed_ready


@pytest.mark.parametrize(
    "line",
    [
        "CLASS:PRIVATE",
        "class:private",
        "CLA\r\n SS:PRIVATE",
        "CLASS:PRI\r\n VATE",
        "CLASS;X-A=b:CONFIDENTIAL",
        "CLASS:",
        "CATEG\r\n ORIES:a",
        "categories:a",
        "CREATED:2026",
        "LAST-MODIFIED:20260231T000000Z",
        "DTEND;TZID=Europe/Berlin:2026-07-14T18:00:00",
        "DTEND:20260714T154000-0500",
        "DURATION:an hour",
        "SEQUENCE:first",
        "GEO:here",
        "GEO:1;2;3",
        "X_UNDERSCORE:1",
        'X-NOTE;X-A=a\\"b:c',
        'X-NOTE;X-A="a:c',
        "X-NOTE;X-A:c",
        "X-NOTE;VALUE=INTEGER:many",
        "RRULE:FREQ=DAILY;BYHOUR=25",
        "RRULE:FREQ=DAILY;",
        "rrule:FREQ=DAILY",
        "EXRULE:FREQ=DAILY",
        "EXDATE;TZID=Europe/Berlin:20260721T170000,2026",
        "STATUS:very well",
        "this is no property",
        "SUMMARY:" + "long " * 20,
        "SUMMARY:tab\r\n\tfold",
        "BEGIN:VALARM\r\nACTION:DISPLAY\r\nTRIGGER:soon\r\nEND:VALARM",
        "BEGIN:VALARM\r\nACTION:DISPLAY\r\nTRIGGER;VALUE=DATE:20260714\r\nEND:VALARM",
        "BEGIN:VALARM\r\nTRIGGER:-PT15M\r\nEND:valarm",
        "BEGIN:X-A\r\nBEGIN:X-A\r\nEND:X-A\r\nEND:X-A",
        "BEGIN:VEVENT\r\nUID:inner\r\nEND:VEVENT",
    ],
)
def test_one_odd_line_has_the_whole_object_written_anew(line: str) -> None:
    assert not read_event(START, line).feed_ready


@pytest.mark.parametrize(
    "raw",
    [
        event(START).replace(b"\r\n", b"\n"),
        event(START).rstrip(),
        event(START).replace(b"BEGIN:VEVENT", b"begin:vevent"),
        event(START, "DTEND:20260714T170000Z", "DURATION:PT1H"),
        event("DTSTART;TZID=W. Europe Standard Time:20260714T170000"),
        event("DTSTART;TZID=Nowhere:20260714T170000"),
        stream(*CUSTOM_BERLIN, *component("DTSTART;TZID=Customized Time Zone:20260714T170000")),
        stream("BEGIN:VEVENT", "UID:x", START, "END:VEVENT"),
        stream(*component("RECURRENCE-ID;TZID=Europe/Berlin:20260714T170000", START)),
        stream(*component(START), *CUSTOM_BERLIN, *component("RECURRENCE-ID:20260714T150000Z", START)),
        stream(*component(START), "BEGIN:X-OWN", "END:X-OWN"),
    ],
)
def test_whatever_a_reader_may_stumble_over_is_written_anew_for_a_feed(raw: bytes) -> None:
    assert not read(raw).feed_ready
