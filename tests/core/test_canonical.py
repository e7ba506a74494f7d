from __future__ import annotations

import pytest

from bridge.core.canonical import canonical, digest
from bridge.core.ics import parse
from tests.core.core_samples import BERLIN, CUSTOM_BERLIN, NEW_YORK, component, event, lines, read, read_event, stream

START = "DTSTART;TZID=Europe/Berlin:20260714T170000"
END = "DTEND;TZID=Europe/Berlin:20260714T180000"
ALARM = ("BEGIN:VALARM", "ACTION:DISPLAY", "TRIGGER:-PT15M", "DESCRIPTION:Now", "END:VALARM")

SAME = {
    "order": ((START, END, "SUMMARY:x"), ("SUMMARY:x", END, START)),
    "order of parameters": (("ATTENDEE;CN=A;ROLE=CHAIR:mailto:a@b",), ("ATTENDEE;ROLE=CHAIR;CN=A:mailto:A@B",)),
    "folding": (("SUMMARY:Hair cut",), ("SUMMARY:Hair\r\n  cut",)),
    "stamps": (
        ("SUMMARY:x",),
        ("SUMMARY:x", "CREATED:20260101T000000Z", "LAST-MODIFIED:20260202T000000Z", "SEQUENCE:7"),
    ),
    "notes of producers": (
        ("SUMMARY:x",),
        ("SUMMARY:x", "X-MOZ-GENERATION:4", "X-LIC-ERROR;X-LIC-ERRORTYPE=VALUE-PARSE-ERROR:No value"),
    ),
    "duration": ((START, END), (START, "DURATION:PT1H")),
    "default duration of a date": (
        ("DTSTART;VALUE=DATE:20260714",),
        ("DTSTART;VALUE=DATE:20260714", "DTEND;VALUE=DATE:20260715"),
    ),
    "default duration of a time": ((START,), (START, "DTEND;TZID=Europe/Berlin:20260714T170000")),
    "spelling of a zone": ((START,), ("DTSTART;TZID=W. Europe Standard Time:20260714T170000",)),
    "prefix of a zone": ((START,), ("DTSTART;TZID=/mozilla.org/20050126_1/Europe/Berlin:20260714T170000",)),
    "names of UTC": (("DTSTART:20260714T170000Z",), ("DTSTART;TZID=Etc/UTC:20260714T170000",)),
    "defaults": ((START,), (START, "TRANSP:OPAQUE", "CLASS:PUBLIC", "PRIORITY:0")),
    "case of words": (("STATUS:CONFIRMED",), ("STATUS:Confirmed",)),
    "defaults of parameters": (
        ("ATTENDEE:mailto:a@b",),
        ("ATTENDEE;ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=FALSE:MAILTO:a@b",),
    ),
    "parts of a rule": (
        (START, "RRULE:FREQ=WEEKLY;BYDAY=MO,TU"),
        (START, "RRULE:WKST=MO;BYDAY=TU,MO;INTERVAL=1;FREQ=WEEKLY"),
    ),
    "form of UNTIL": (
        (START, "RRULE:FREQ=WEEKLY;UNTIL=20260801T150000Z"),
        (START, "RRULE:FREQ=WEEKLY;UNTIL=20260801T170000"),
    ),
    "lines of EXDATE": (
        (START, "RRULE:FREQ=WEEKLY", "EXDATE;TZID=Europe/Berlin:20260721T170000,20260728T170000"),
        (START, "RRULE:FREQ=WEEKLY", "EXDATE:20260728T150000Z", "EXDATE;TZID=Europe/Berlin:20260721T170000"),
    ),
    "lines of CATEGORIES": (("CATEGORIES:a,b", "CATEGORIES:c"), ("CATEGORIES:c,b,a",)),
    "periods": (
        (START, "RDATE;VALUE=PERIOD:20260801T150000Z/PT1H"),
        (START, "RDATE;VALUE=PERIOD;TZID=Europe/Berlin:20260801T170000/20260801T180000"),
    ),
    "form of a duration": (
        (*ALARM,),
        (
            "BEGIN:VALARM",
            "TRIGGER;RELATED=START:-P0DT0H15M0S",
            "DESCRIPTION:Now",
            "ACTION:display",
            "X-WR-ALARMUID:7",
            "END:VALARM",
        ),
    ),
    "order of alarms": ((*ALARM, "BEGIN:VALARM", "END:VALARM"), ("BEGIN:VALARM", "END:VALARM", *ALARM)),
    "escapes": (("DESCRIPTION:a:b\\nc",), ("DESCRIPTION:a\\:b\\Nc",)),
}

DIFFERENT = {
    "a summary": (("SUMMARY:x",), ("SUMMARY:y",)),
    "a zone": ((START,), ("DTSTART;TZID=Europe/Amsterdam:20260714T170000",)),
    "a zone or none": ((START,), ("DTSTART:20260714T170000",)),
    "a date or midnight": (("DTSTART;VALUE=DATE:20260714",), ("DTSTART:20260714T000000",)),
    "an end": ((START, END), (START, "DURATION:PT2H")),
    "an unknown property": ((START,), (START, "X-ROOM:1")),
    "an unknown parameter": (("SUMMARY:x",), ("SUMMARY;X-A=b:x",)),
    "a list in a parameter": (
        ('ATTENDEE;MEMBER="mailto:a@b":mailto:c@d',),
        ('ATTENDEE;MEMBER="mailto:a@b","mailto:e@f":mailto:c@d',),
    ),
    "a broken value": ((START, "RRULE:FREQ=NEVER"), (START, "RRULE:FREQ=EVER")),
    "a broken list": ((START, "EXDATE:never"), (START, "EXDATE:ever")),
    "a broken category": ((START, "GEO:1.0;2.0"), (START, "GEO:1.0;3.0")),
    "an unreadable line": ((START, "one"), (START, "two")),
    "an alarm": ((START, *ALARM), (START,)),
    "a rule": ((START, "RRULE:FREQ=WEEKLY"), (START, "RRULE:FREQ=WEEKLY;INTERVAL=2")),
    "an exclusion": ((START, "RRULE:FREQ=WEEKLY"), (START, "RRULE:FREQ=WEEKLY", "EXDATE:20260721T150000Z")),
    "a line twice": (("COMMENT:a",), ("COMMENT:a", "COMMENT:a")),
    "line breaks in a text": (("DESCRIPTION:a\\nb",), ("DESCRIPTION:a\\\\nb",)),
    "transparency": ((START,), (START, "TRANSP:TRANSPARENT")),
}


def object_of(content: tuple[str, ...]) -> str:
    start = () if any(line.startswith("DTSTART") for line in content) else (START,)
    return digest(read_event(*start, *content))


@pytest.mark.parametrize("what", SAME)
def test_equal_meaning_has_one_digest(what: str) -> None:
    one, other = SAME[what]
    assert object_of(one) == object_of(other)


@pytest.mark.parametrize("what", DIFFERENT)
def test_another_meaning_has_another_digest(what: str) -> None:
    one, other = DIFFERENT[what]
    assert object_of(one) != object_of(other)


def test_the_header_and_the_text_of_known_zones_do_not_count() -> None:
    zone = ("BEGIN:VTIMEZONE", "TZID:Europe/Berlin", "X-LIC-LOCATION:Europe/Berlin", "END:VTIMEZONE")
    plain = event(START)
    other = lines(
        "BEGIN:VCALENDAR",
        "PRODID:-//Other",
        "METHOD:PUBLISH",
        "CALSCALE:GREGORIAN",
        *zone,
        *component(START),
        "END:VCALENDAR",
    )
    assert digest(read(plain)) == digest(read(other))


def test_line_ends_do_not_count() -> None:
    assert digest(read(event(START))) == digest(read(event(START).replace(b"\r\n", b"\n")))


def test_the_order_of_components_does_not_count() -> None:
    master = component(START, "RRULE:FREQ=WEEKLY")
    override = component("RECURRENCE-ID;TZID=Europe/Berlin:20260721T170000", "DTSTART:20260721T180000Z")
    in_utc = component("RECURRENCE-ID:20260721T150000Z", "DTSTART:20260721T180000Z")
    assert digest(read(stream(*master, *override))) == digest(read(stream(*in_utc, *master)))


def test_the_rules_of_a_custom_zone_count_and_its_name_does_not() -> None:
    def custom(name: str, summer: str) -> str:
        zone = [line.replace("Customized Time Zone", name).replace("+0200", summer) for line in CUSTOM_BERLIN]
        return digest(read(stream(*zone, *component(f"DTSTART;TZID={name}:20260714T170000"))))

    assert custom("One", "+0200") == custom("Two", "+0200")
    assert custom("One", "+0200") != custom("One", "+0230")


def test_an_offset_for_a_zone_counts() -> None:
    one, other = (read_event(f"DTSTART;TZID=GMT{offset}:20260714T170000") for offset in ("+0200", "+0300"))
    assert digest(one) != digest(other)


def test_the_zone_of_the_account_does_not_count() -> None:
    raw = event("DTSTART:20260714T170000", "DURATION:PT1H", "RRULE:FREQ=DAILY;UNTIL=20260720T170000")
    here, there = (parse(raw, zone=zone, max_instances=9) for zone in (BERLIN, NEW_YORK))
    assert digest(here) == digest(there)


@pytest.mark.parametrize(
    "content",
    [
        ("DUE:20260714T170000Z",),
        ("DTSTART:20260714T170000Z",),
        ("DURATION:PT1H",),
        ("DTSTART:20260714T170000Z", "DUE:then"),
        (),
    ],
)
def test_a_to_do_counts_with_what_times_it_has(content: tuple[str, ...]) -> None:
    with_end = read(stream(*component("DTSTART:20260714T160000Z", "DUE:20260714T170000Z", kind="VTODO")))
    assert digest(read(stream(*component(*content, kind="VTODO")))) != digest(with_end)


def test_a_journal_entry_has_a_digest() -> None:
    one, other = (read(stream(*component(f"DTSTART;VALUE=DATE:2026071{day}", kind="VJOURNAL"))) for day in (4, 5))
    assert digest(one) != digest(other)


def test_the_form_can_be_read_by_a_person() -> None:
    assert canonical(read_event(START, END, "SUMMARY:Hair cut", "GEO:1.5;2.5")).splitlines() == [
        "BEGIN:VEVENT",
        "DTSTART:2026-07-14T17:00:00[Europe/Berlin]",
        "END:2026-07-14T18:00:00[Europe/Berlin]",
        "GEO:1.5;2.5",
        "SUMMARY:Hair cut",
        "UID:one@example.org",
        "END:VEVENT",
    ]
