from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bridge.core import repairs
from bridge.core.canonical import digest
from bridge.core.recurrence import expand
from bridge.core.repairs import REPAIRS
from bridge.errors import NotACalendar, TooManyInstances
from tests.core.core_samples import BERLIN, component, event, read, stream

START = "DTSTART;TZID=Europe/Berlin:20260714T170000"
WEEKLY = "RRULE:FREQ=WEEKLY;COUNT=4"

# One sample for each repair: what a producer sends, and the sound text that means the same.
SAMPLES: dict[str, tuple[bytes, bytes]] = {
    "fold-within-character": (
        event(START, "SUMMARY:Zoé").replace(b"Zo\xc3\xa9", b"Zo\xc3\r\n \xa9"),
        event(START, "SUMMARY:Zoé"),
    ),
    "byte-order-mark": (b"\xef\xbb\xbf" + event(START), event(START)),
    "control-characters": (event(START, "SUMMARY:Hair\x0b cut\x1f"), event(START, "SUMMARY:Hair cut")),
    "line-ends": (event(START).replace(b"\r\n", b"\r\r\n"), event(START)),
    "blank-lines": (
        event(START, "SUMMARY:Hair", "", "  cut").replace(b"END:VEVENT", b"\r\n \r\nEND:VEVENT"),
        event(START, "SUMMARY:Hair cut"),
    ),
    "raw-line-breaks": (
        event(START, "DESCRIPTION:First", "second line", "third, line", "SUMMARY:x"),
        event(START, "DESCRIPTION:First\\nsecond line\\nthird\\, line", "SUMMARY:x"),
    ),
    "mistyped-end": (event(START).replace(b"END:VEVENT", b"END:VEVNET"), event(START)),
    "colon-in-tzid": (
        event("DTSTART;TZID=GMT+05:30:20260714T170000"),
        event('DTSTART;TZID="GMT+05:30":20260714T170000'),
    ),
    "bare-separators": (
        event(START, 'LOCATION;ALTREP="http://x,y":Room 1, left; up\\, or not'),
        event(START, 'LOCATION;ALTREP="http://x,y":Room 1\\, left\\; up\\, or not'),
    ),
    "foreign-tzid": (event("DTSTART;TZID=W. Europe Standard Time :20260714T170000"), event(START)),
    "empty-part-in-rule": (
        event(START, "RRULE:FREQ=WEEKLY;BYDAY=;COUNT=2;BYHOUR=17,"),
        event(START, "RRULE:FREQ=WEEKLY;COUNT=2;BYHOUR=17"),
    ),
    "start-in-rule": (
        event(START, "RRULE:DTSTART=20260714T150000Z;FREQ=WEEKLY;COUNT=2"),
        event(START, "RRULE:FREQ=WEEKLY;COUNT=2"),
    ),
    "exdate-in-rule": (
        event("DTSTART:20260714T150000Z", "RRULE:FREQ=WEEKLY;EXDATE=20260721T150000Z,20260728T150000Z;COUNT=4"),
        event("DTSTART:20260714T150000Z", WEEKLY, "EXDATE:20260721T150000Z,20260728T150000Z"),
    ),
    "weekday-without-sign": (
        event(START, "RRULE:FREQ=MONTHLY;BYDAY=255TU,1TU"),
        event(START, "RRULE:FREQ=MONTHLY;BYDAY=-1TU,1TU"),
    ),
    "doubled-property": (event("DTSTART:never", START, START, "SUMMARY:a", "SUMMARY:b"), event(START, "SUMMARY:a")),
    "midnight-declared-date": (
        event("DTSTART;VALUE=DATE:20260714T000000"),
        event("DTSTART;VALUE=DATE:20260714"),
    ),
    "undeclared-value-type": (
        event("DTSTART:20260714", "DTEND;VALUE=DATE:20260715", "RDATE;VALUE=DATE-TIME:20260801"),
        event("DTSTART;VALUE=DATE:20260714", "DTEND;VALUE=DATE:20260715", "RDATE;VALUE=DATE:20260801"),
    ),
    "tzid-beside-utc-or-date": (
        event(
            "DTSTART;TZID=Europe/Berlin:20260714T150000Z",
            "DTEND;TZID=Europe/Berlin:20260714T180000",
            "RDATE;TZID=Europe/Berlin;VALUE=PERIOD:20260801T150000Z/PT1H",
        ),
        event(
            "DTSTART:20260714T150000Z",
            "DTEND;TZID=Europe/Berlin:20260714T180000",
            "RDATE;VALUE=PERIOD:20260801T150000Z/PT1H",
        ),
    ),
    "override-without-start": (
        stream(*component("RECURRENCE-ID;TZID=Europe/Berlin:20260714T170000")),
        stream(*component("RECURRENCE-ID;TZID=Europe/Berlin:20260714T170000", START)),
    ),
    "outlook-all-day": (
        event(
            "DTSTART;TZID=Europe/Berlin:20260714T000000",
            "DTEND;TZID=Europe/Berlin:20260716T000000",
            "X-MICROSOFT-CDO-ALLDAYEVENT:TRUE",
        ),
        event("DTSTART;VALUE=DATE:20260714", "DTEND;VALUE=DATE:20260716", "X-MICROSOFT-CDO-ALLDAYEVENT:TRUE"),
    ),
    "end-of-other-kind": (
        event(START, "DTEND;VALUE=DATE:20260716"),
        event(START, "DTEND;TZID=Europe/Berlin:20260716T000000"),
    ),
    "end-and-duration": (
        event(START, "DTEND;TZID=Europe/Berlin:20260714T183000", "DURATION:PT1H"),
        event(START, "DTEND;TZID=Europe/Berlin:20260714T183000"),
    ),
    "negative-duration": (event(START, "DURATION:-PT1H"), event(START)),
    "end-not-after-start": (
        event("DTSTART;VALUE=DATE:20260714", "DTEND;VALUE=DATE:20260714"),
        event("DTSTART;VALUE=DATE:20260714", "DTEND;VALUE=DATE:20260715"),
    ),
    "empty-rule": (event(START, "RRULE:"), event(START)),
    "count-below-one": (
        event(START, "RRULE:FREQ=WEEKLY;COUNT=-1", "RRULE:FREQ=YEARLY;COUNT=2"),
        event(START, "RRULE:FREQ=WEEKLY", "RRULE:FREQ=YEARLY;COUNT=2"),
    ),
    "count-beside-until": (
        event(
            START,
            "RRULE:FREQ=WEEKLY;COUNT=3;UNTIL=20270101T000000Z",
            "RRULE:FREQ=YEARLY;COUNT=9;UNTIL=20270101T000000Z",
            "RRULE:FREQ=DAILY;COUNT=2",
        ),
        event(
            START,
            "RRULE:FREQ=WEEKLY;COUNT=3",
            "RRULE:FREQ=YEARLY;UNTIL=20270101T000000Z",
            "RRULE:FREQ=DAILY;COUNT=2",
        ),
    ),
    "until-of-other-form": (
        event(START, "RRULE:FREQ=WEEKLY;UNTIL=20260728"),
        event(START, "RRULE:FREQ=WEEKLY;UNTIL=20260728T215959Z"),
    ),
    "recurrence-in-override": (
        stream(*component("RECURRENCE-ID;TZID=Europe/Berlin:20260714T170000", START, WEEKLY)),
        stream(*component("RECURRENCE-ID;TZID=Europe/Berlin:20260714T170000", START)),
    ),
    "exdate-of-other-kind": (
        event(START, WEEKLY, "EXDATE;VALUE=DATE:20260721,20260728"),
        event(START, WEEKLY, "EXDATE;TZID=Europe/Berlin:20260721T170000", "EXDATE:20260728T150000Z"),
    ),
    "recurrence-id-of-other-kind": (
        stream(*component(START, WEEKLY), *component("RECURRENCE-ID;RANGE=THISANDFUTURE;VALUE=DATE:20260721", START)),
        stream(*component(START, WEEKLY), *component("RECURRENCE-ID;RANGE=THISANDFUTURE:20260721T150000Z", START)),
    ),
}


def applied(raw: bytes) -> tuple[str, ...]:
    """The repairs of a stream, for an account in Berlin."""
    return repairs.read(raw, zone=BERLIN).repairs


def mended(raw: bytes) -> bytes:
    """The repaired stream, for an account in Berlin."""
    written: bytes = repairs.read(raw, zone=BERLIN).calendar.to_ical(sorted=False)
    return written


def starts(raw: bytes) -> list[datetime]:
    """The starts of all instances in 2026."""
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    return [
        instance.first for instance in expand(read(raw), begin, begin + timedelta(days=365), zone=BERLIN, limit=100)
    ]


def test_every_repair_has_a_sample() -> None:
    assert list(SAMPLES) == [repair.name for repair in REPAIRS]


def test_every_repair_says_who_needs_it_and_why() -> None:
    for repair in REPAIRS:
        assert repair.producer
        assert repair.why.endswith(".")


@pytest.mark.parametrize("name", SAMPLES)
def test_what_a_producer_gets_wrong_means_what_it_should(name: str) -> None:
    wrong, sound = SAMPLES[name]
    assert name in applied(wrong)
    assert applied(sound) == ()
    assert digest(read(wrong)) == digest(read(sound))


@pytest.mark.parametrize("name", SAMPLES)
def test_the_bytes_that_came_stay_as_they_are(name: str) -> None:
    wrong, _ = SAMPLES[name]
    assert read(wrong).raw == wrong
    assert not read(wrong).feed_ready


@pytest.mark.parametrize("name", SAMPLES)
def test_what_is_mended_needs_no_repair_any_more(name: str) -> None:
    wrong, sound = SAMPLES[name]
    assert applied(mended(wrong)) == ()
    assert digest(read(mended(wrong))) == digest(read(sound))


def test_a_moved_instance_of_thunderbird_is_kept() -> None:
    raw = stream(
        *component(START, "DURATION:PT1H", WEEKLY),
        *component(
            "RECURRENCE-ID;TZID=Europe/Berlin:20260721T170000",
            "DTSTART;TZID=Europe/Berlin:20260722T090000",
            "DTEND;TZID=Europe/Berlin:20260722T103000",
            "DURATION:PT1H",
        ),
    )
    assert read(raw).repairs == ("end-and-duration",)
    assert [start.day for start in starts(raw)] == [14, 22, 28, 4]


def test_an_excluded_day_stays_excluded_and_an_override_replaces_its_day() -> None:
    raw = stream(
        *component(START, WEEKLY, "EXDATE;VALUE=DATE:20260721", "EXDATE:20260804T170000", "EXDATE:"),
        *component("RECURRENCE-ID;VALUE=DATE:20260728", "DTSTART;TZID=Europe/Berlin:20260729T090000"),
    )
    assert [start.day for start in starts(raw)] == [14, 29]


def test_dates_are_excluded_by_a_time_on_them() -> None:
    raw = event("DTSTART;VALUE=DATE:20260714", "RRULE:FREQ=DAILY;COUNT=3", "EXDATE:20260715T000000")
    assert len(starts(raw)) == 2


def test_only_one_of_two_rules_is_empty() -> None:
    assert len(starts(event(START, "RRULE:", WEEKLY))) == 4
    assert len(starts(event(START, "RRULE:", WEEKLY, "RRULE:FREQ=DAILY;COUNT=2"))) == 5
    assert len(starts(event(START, "RRULE:FREQ=NEVER", "RRULE:"))) == 1


def test_until_on_a_day_includes_that_day() -> None:
    assert len(starts(event(START, "RRULE:FREQ=WEEKLY;UNTIL=20260728"))) == 3
    assert len(starts(event(START, "RRULE:FREQ=WEEKLY;UNTIL=20260728T170000"))) == 3
    assert len(starts(event("DTSTART:20260714T170000", "RRULE:FREQ=WEEKLY;UNTIL=20260728"))) == 3
    assert len(starts(event("DTSTART;VALUE=DATE:20260714", "RRULE:FREQ=WEEKLY;UNTIL=20260728T000000Z"))) == 3


def test_only_one_of_two_rules_ends_wrongly() -> None:
    raw = event(START, "RRULE:FREQ=WEEKLY;UNTIL=20260721", "RRULE:FREQ=WEEKLY;UNTIL=20260728T150000Z")
    assert len(starts(raw)) == 3


def test_a_day_is_excluded_from_a_series_in_utc() -> None:
    raw = event("DTSTART:20260714T150000Z", WEEKLY, "EXDATE;VALUE=DATE:20260721", "EXDATE:20260728T150000Z")
    assert [start.day for start in starts(raw)] == [14, 4]


def test_an_end_on_the_wall_clock_of_another_kind_is_compared_there() -> None:
    assert "end-not-after-start" in applied(event(START, "DTEND:20260714T160000"))
    assert "end-not-after-start" in applied(event(START, "DTEND:20260714T140000Z"))
    assert applied(event(START, "DTEND:20260714T180000")) == ()


def test_an_all_day_event_that_ends_at_a_time_takes_that_day_too() -> None:
    assert "end-of-other-kind" in applied(event("DTSTART;VALUE=DATE:20260714", "DTEND:20260715T100000"))
    late = read(event("DTSTART;VALUE=DATE:20260714", "DTEND:20260715T100000"))
    midnight = read(event("DTSTART;VALUE=DATE:20260714", "DTEND:20260716T000000"))
    assert digest(late) == digest(midnight)


def test_a_midnight_that_is_not_marked_as_a_day_stays_a_time() -> None:
    assert applied(event("DTSTART:20260714T000000", "DTEND:20260715T000000")) == ()


def test_a_to_do_that_is_due_on_a_date_is_due_at_its_midnight() -> None:
    assert "end-of-other-kind" in applied(stream(*component(START, "DUE;VALUE=DATE:20260716", kind="VTODO")))


def test_a_time_that_is_declared_a_date_stays_a_time() -> None:
    raw = event("DTSTART;VALUE=DATE:20260714T170000")
    assert applied(raw) == ("undeclared-value-type",)
    assert digest(read(raw)) == digest(read(event("DTSTART:20260714T170000")))


def test_only_texts_are_joined_over_raw_line_breaks() -> None:
    assert "raw-line-breaks" not in applied(event(START, "stray words", "SUMMARY:x"))


def test_a_nameless_end_is_let_be() -> None:
    with pytest.raises(NotACalendar):
        applied(b"END:VCALENDAR\r\nBEGIN:VCALENDAR\r\nEND:X\r\nBEGIN:Y\r\n")


def test_every_description_of_a_journal_entry_is_kept() -> None:
    raw = stream(*component(START, "DESCRIPTION:one", "DESCRIPTION:two", kind="VJOURNAL"))
    assert applied(raw) == ()
    assert digest(read(raw)) != digest(read(stream(*component(START, "DESCRIPTION:one", kind="VJOURNAL"))))
    assert "doubled-property" in applied(event(START, "DESCRIPTION:one", "DESCRIPTION:two"))


@pytest.mark.parametrize(
    "until", ["20260727T220000Z", "20260728T000000Z", "20260728T235959Z", "20260728T215959Z", "20260728T170000"]
)
def test_the_last_day_of_an_all_day_series_is_kept_however_until_names_it(until: str) -> None:
    raw = event("DTSTART;VALUE=DATE:20260714", f"RRULE:FREQ=WEEKLY;UNTIL={until}")
    assert digest(read(raw)) == digest(read(event("DTSTART;VALUE=DATE:20260714", "RRULE:FREQ=WEEKLY;UNTIL=20260728")))


@pytest.mark.parametrize(
    ("rule", "count"),
    [
        ("FREQ=DAILY;COUNT=3;UNTIL=20260720T000000Z", 3),
        ("FREQ=DAILY;COUNT=30;UNTIL=20260716T150000Z", 3),
        ("FREQ=DAILY;COUNT=3;UNTIL=20260716T150000Z", 3),
        ("FREQ=DAILY;COUNT=2;UNTIL=20260713", 0),
        ("FREQ=DAILY;COUNT=0;UNTIL=20260716T150000Z", 3),
        ("FREQ=YEARLY;COUNT=900;UNTIL=20270101T000000Z", 1),
        ("FREQ=DAILY;COUNT=2;UNTIL=20260716T150000Z;BYHOUR=25", 1),
        ("FREQ=DAILY;COUNT=2;UNTIL=SOON", 1),
    ],
)
def test_a_series_with_two_bounds_ends_with_the_nearer_one(rule: str, count: int) -> None:
    assert len(starts(event(START, f"RRULE:{rule}"))) == count


def test_a_to_do_with_two_bounds_is_counted_from_when_it_is_due() -> None:
    rule = "RRULE:FREQ=DAILY;COUNT=2;UNTIL=20260720"
    assert len(starts(stream(*component("DUE:20260714T120000Z", rule, kind="VTODO")))) == 2
    assert starts(stream(*component(rule, kind="VTODO"))) == []


def test_a_bound_that_takes_too_long_to_count_to_is_refused() -> None:
    with pytest.raises(TooManyInstances):
        read(event(START, "RRULE:FREQ=SECONDLY;BYHOUR=5;COUNT=999999;UNTIL=99991231T000000Z"))


def test_a_part_of_a_rule_that_nobody_knows_is_passed_over() -> None:
    assert len(starts(event(START, "RRULE:FREQ=WEEKLY;COUNT=3;X-PART=1"))) == 3


@pytest.mark.parametrize("until", ["99991231", "99991231T235959", "99991231T235959Z", "00010101", "00010101T000000"])
@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Tokyo"])
def test_a_series_may_end_with_the_calendar(zone: str, until: str) -> None:
    rule = f"RRULE:FREQ=YEARLY;UNTIL={until}"
    for start in (f"DTSTART;TZID={zone}:20260714T170000", "DTSTART;VALUE=DATE:20260714", "DTSTART;VALUE=DATE:99991231"):
        assert digest(read(event(start, rule)))


def test_an_all_day_event_on_the_last_day_of_the_calendar_ends_with_it() -> None:
    assert read(event("DTSTART;VALUE=DATE:99991231", "DTEND:99991231T100000")).span.last.year == 9999
