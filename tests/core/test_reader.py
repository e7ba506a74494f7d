from __future__ import annotations

from typing import Any

import pytest

from bridge.core.reader import read_components
from bridge.errors import NotACalendar
from tests.core.core_samples import HEAD, component, event, lines, read, read_event, stream

MINE = (
    "BEGIN:VTIMEZONE",
    "TZID:Mine",
    "BEGIN:STANDARD",
    "DTSTART:19700101T000000",
    "TZOFFSETFROM:+0500",
    "TZOFFSETTO:+0500",
    "END:STANDARD",
    "END:VTIMEZONE",
)


def text(raw: bytes) -> str:
    return raw.decode().replace("\r\n", "\n")


def test_parameters_with_quotes_and_escapes_are_read_as_icalendar_reads_them() -> None:
    raw = event(
        "DTSTART:20260714T170000Z",
        'ATTENDEE;CN="Doe, Jane";ROLE = CHAIR;X-A=b:mailto:jane@example.org',
        "DESCRIPTION;LANGUAGE=en:one\\, two\\nthree",
    )
    found = read_components(text(raw)).subcomponents[0]
    assert found["ATTENDEE"].params["CN"] == "Doe, Jane"
    assert found["ATTENDEE"].params["ROLE"] == "CHAIR"
    assert found["DESCRIPTION"] == "one, two\nthree"
    assert found["DESCRIPTION"].params["LANGUAGE"] == "en"


@pytest.mark.parametrize(
    "broken",
    [
        "RRULE:FREQ=SOMETIMES",
        "DURATION:an hour",
        "GEO:here",
        "SEQUENCE:first",
        "X-NUMBER;VALUE=INTEGER:many",
        "ATTACH;ENCODING=BASE64;VALUE=BINARY:%%%",
        "DTEND:later",
        "RDATE:",
        "RDATE:20260714/P1D",
        "RDATE:20260714T100000Z/20260714",
        "RDATE:20260714T100000Z/20260713T100000Z",
        "EXDATE;VALUE=DATE,DATE-TIME:x",
        "DURATION:P99999999999999999999D",
        "TRIGGER;RELATED=START",
        "this is no property",
        "CATEGORIES",
    ],
)
def test_one_broken_property_spoils_nothing_beside_it(broken: str) -> None:
    obj = read_event("DTSTART:20260714T170000Z", broken, "SUMMARY:Hair cut")
    assert obj.summary == "Hair cut"
    assert broken.encode() in obj.raw


def test_a_period_may_end_in_another_zone_or_in_none() -> None:
    raw = event(
        "DTSTART;TZID=Europe/Berlin:20260714T170000",
        "RDATE;VALUE=PERIOD;TZID=Europe/Berlin:20260715T170000/20260715T160000Z",
        "RDATE;VALUE=PERIOD:20260716T150000Z/20260716T170000",
        "RDATE;VALUE=PERIOD:20260717T150000/20260717T170000",
        "RDATE;VALUE=PERIOD:20260718T150000Z/PT1H",
    )
    found: Any = read_components(text(raw)).subcomponents[0]["RDATE"]
    ends = [entry.dt[1] for prop in found for entry in prop.dts]
    assert [str(end) for end in ends] == [
        "2026-07-15 18:00:00+02:00",
        "2026-07-16 17:00:00+00:00",
        "2026-07-17 17:00:00",
        "1:00:00",
    ]


def test_the_zone_of_one_stream_is_unknown_to_the_next() -> None:
    start = component("DTSTART;TZID=Mine:20260714T170000")
    assert read(stream(*MINE, *start)).span.first.hour == 12
    assert read(stream(*start)).span.first.hour == 15


def test_a_zone_may_stand_after_the_times_that_name_it() -> None:
    assert read(stream(*component("DTSTART;TZID=Mine:20260714T170000"), *MINE)).span.first.hour == 12


def test_zones_that_are_known_by_name_are_left_out_of_the_reading() -> None:
    zone = ("BEGIN:VTIMEZONE", "TZID:Europe/Berlin", "END:VTIMEZONE", "BEGIN:VTIMEZONE", "END:VTIMEZONE")
    calendar = read(stream(*zone, *component("DTSTART;TZID=Europe/Berlin:20260714T170000"))).calendar
    assert [found.name for found in calendar.subcomponents] == ["VEVENT"]


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"hello",
        b"BEGIN:VCARD\r\nEND:VCARD\r\n",
        lines(*HEAD),
        lines(*HEAD, "BEGIN:VEVENT", "END:VCALENDAR"),
        lines(*HEAD, "END:VCALENDAR", "END:VCALENDAR"),
        lines(*HEAD, "END:VCALENDAR", "SUMMARY:behind"),
        lines(*HEAD, "END:VCALENDAR", "behind"),
        lines(*HEAD, "END:VCALENDAR", *HEAD, "END:VCALENDAR"),
        lines(*HEAD, *["BEGIN:VEVENT"] * 20),
        lines("BEGIN:VCALENDAR:", "BEGIN", "END:VCALENDAR"),
    ],
)
def test_what_is_no_calendar_is_refused_with_a_sentence(raw: bytes) -> None:
    with pytest.raises(NotACalendar) as refusal:
        read(raw)
    assert refusal.value.message.endswith(".")


def test_a_comment_behind_the_calendar_is_let_be() -> None:
    calendar = lines(*HEAD, *component("DTSTART:20260714T170000Z"), "END:VCALENDAR")
    assert read(calendar + b"\r\n\r\n").uid == "one@example.org"
