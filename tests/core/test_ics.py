from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bridge.core.ics import parse
from bridge.core.model import ComponentType
from bridge.errors import NotACalendar, TooManyInstances, WrongComponents
from tests.core.core_samples import BERLIN, component, event, read, read_event, stream

START = "DTSTART;TZID=Europe/Berlin:20260714T170000"


def test_the_bytes_are_kept_exactly() -> None:
    raw = stream('X-ODD;A="b:c":d', *component(START, "X-Thing:1;2,3", "summary:lower")).replace(b"\r\n", b"\n")
    assert read(raw).raw is raw


def test_an_event_tells_what_it_is() -> None:
    obj = read_event(START, "DTEND;TZID=Europe/Berlin:20260714T180000", "SUMMARY:Hair\\ncut\\, short")
    assert obj.uid == "one@example.org"
    assert obj.component is ComponentType.VEVENT
    assert obj.summary == "Hair cut, short"
    assert obj.span.first == datetime(2026, 7, 14, 15, tzinfo=UTC)
    assert obj.span.last == datetime(2026, 7, 14, 16, tzinfo=UTC)
    assert obj.tzids == ("Europe/Berlin",)
    assert not obj.recurring
    assert obj.repairs == ()


def test_equal_bytes_have_one_etag_and_others_another() -> None:
    assert read_event(START).etag == read_event(START).etag
    assert read_event(START).etag != read_event(START, "SUMMARY:x").etag
    assert len(read_event(START).etag) == 32


@pytest.mark.parametrize("kind", ["VEVENT", "VTODO", "VJOURNAL"])
def test_events_to_dos_and_journal_entries_are_held(kind: str) -> None:
    assert read(stream(*component(START, kind=kind))).component == kind


def test_the_summary_is_that_of_the_master() -> None:
    override = component("RECURRENCE-ID;TZID=Europe/Berlin:20260721T170000", START, "SUMMARY:Moved")
    master = component(START, "RRULE:FREQ=WEEKLY", "SUMMARY:Weekly")
    assert read(stream(*override, *master)).summary == "Weekly"
    assert read(stream(*override)).summary == "Moved"


def test_overrides_without_a_master_are_an_object() -> None:
    obj = read(stream(*component("RECURRENCE-ID:20260721T170000Z", "DTSTART:20260721T180000Z")))
    assert obj.recurring
    assert obj.span.first == datetime(2026, 7, 21, 18, tzinfo=UTC)


def test_one_instance_overridden_twice_is_let_be() -> None:
    override = component("RECURRENCE-ID:20260721T170000Z", "DTSTART:20260721T180000Z")
    assert read(stream(*override, *override)).recurring


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (("BEGIN:VTIMEZONE", "TZID:Europe/Berlin", "END:VTIMEZONE"), "no event"),
        (("BEGIN:VFREEBUSY", "UID:x", "END:VFREEBUSY"), "no event"),
        ((*component(START), *component(START, kind="VTODO")), "VEVENT and VTODO"),
        ((*component(START), *component(START, uid="two")), "2 appointments"),
        (("BEGIN:VEVENT", START, "END:VEVENT"), "without UID"),
        (("BEGIN:VEVENT", "UID: ", START, "END:VEVENT"), "without UID"),
        ((*component(START), *component(START)), "2 masters"),
        (component("SUMMARY:When?"), "no DTSTART"),
        (component("DTSTART:tomorrow"), "no DTSTART"),
        (component("RECURRENCE-ID:then", kind="VTODO"), "which one"),
    ],
)
def test_what_no_client_could_use_is_refused_with_the_reason(content: tuple[str, ...], reason: str) -> None:
    with pytest.raises(WrongComponents, match=reason):
        read(stream(*content))


def test_an_empty_calendar_is_refused() -> None:
    with pytest.raises(NotACalendar, match="empty"):
        read(stream("METHOD:PUBLISH"))


def test_what_is_not_utf_8_is_refused() -> None:
    with pytest.raises(NotACalendar, match="UTF-8"):
        read(event(START, "SUMMARY:x").replace(b"SUMMARY:x", b"SUMMARY:\xe9t\xe9"))


def test_a_rule_beyond_the_limit_is_refused() -> None:
    with pytest.raises(TooManyInstances):
        parse(event(START, "RRULE:FREQ=SECONDLY"), zone=BERLIN, max_instances=10_000)


def test_names_of_zones_are_found_folded_and_quoted() -> None:
    raw = event('DTSTART;TZID="Europe/Berlin":20260714T170000', "DTEND;TZID=America/New_York:20260714T180000")
    assert read(raw.replace(b"New_York", b"New\r\n _York")).tzids == ("America/New_York", "Europe/Berlin")
    assert read_event("DTSTART:20260714T170000Z").tzids == ()


@pytest.mark.parametrize(
    ("lines_of_time", "floats"),
    [
        (("DTSTART:20260105T090000Z",), False),
        (("DTSTART;TZID=Europe/Berlin:20260105T090000",), False),
        (("DTSTART:20260105T090000",), True),
        (("DTSTART;VALUE=DATE:20260105",), True),
        (("DTSTART;TZID=Nobody/Knows:20260105T090000",), True),
        (("DTSTART:20260105T090000Z", "DTEND:20260105T100000"), True),
        (("DTSTART:20260105T090000Z", "RDATE:20260106T090000"), True),
        (("DTSTART:20260105T090000Z", "RDATE;VALUE=PERIOD:20260106T090000Z/PT1H"), False),
    ],
)
def test_an_object_says_whether_the_zone_of_the_account_decides_when_it_is(
    lines_of_time: tuple[str, ...],
    floats: bool,  # noqa: FBT001 -- a parameter of the test
) -> None:
    assert parse(event(*lines_of_time), zone=BERLIN, max_instances=10_000).floats is floats
