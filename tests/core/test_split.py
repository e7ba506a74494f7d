from __future__ import annotations

import pytest

from bridge.core.ics import parse
from bridge.core.split import split, with_uid
from bridge.errors import NotACalendar, WrongComponents
from tests.core.core_samples import CUSTOM_BERLIN, HEAD, component, event, lines, read, stream
from tests.corpus.corpus import ACCOUNT_ZONE, Sample, samples

START = "DTSTART;TZID=Europe/Berlin:20260714T170000"
CUSTOM = "DTSTART;TZID=Customized Time Zone:20260714T170000"


def test_a_stream_is_cut_into_one_stream_per_uid() -> None:
    whole = stream(*component(START), *component(START, uid="two"), *component("RECURRENCE-ID:20260101T000000Z", START))
    first, second = split(whole)
    assert first == stream(*component(START), *component("RECURRENCE-ID:20260101T000000Z", START))
    assert second == stream(*component(START, uid="two"))


def test_each_stream_has_the_zones_that_it_names_and_no_others() -> None:
    whole = stream(*CUSTOM_BERLIN, *component(CUSTOM), *component(START, uid="two"))
    first, second = split(whole)
    assert first == stream(*CUSTOM_BERLIN, *component(CUSTOM))
    assert second == stream(*component(START, uid="two"))


def test_a_zone_is_found_folded_quoted_and_behind_the_events() -> None:
    folded = component('DTSTART;TZID="Customized\r\n  Time Zone":20260714T170000')
    assert next(split(stream(*folded, *CUSTOM_BERLIN))) == stream(*CUSTOM_BERLIN, *folded)


def test_the_method_of_the_calendar_is_dropped_and_its_other_lines_stay() -> None:
    whole = stream("METHOD:PUBLISH", "X-WR-CALNAME:Rota", *component(START), "X-WR-TIMEZONE:Europe/Berlin")
    assert list(split(whole)) == [stream("X-WR-CALNAME:Rota", "X-WR-TIMEZONE:Europe/Berlin", *component(START))]


def test_the_uid_of_an_alarm_is_not_that_of_the_event() -> None:
    alarm = ("BEGIN:VALARM", "UID:alarm", "TRIGGER:-PT5M", "END:VALARM")
    whole = stream("BEGIN:VEVENT", *alarm, "UID:event", START, "END:VEVENT", *component(START, uid="event"))
    assert len(list(split(whole))) == 1


def test_what_stands_deep_within_an_alarm_is_none_of_the_event() -> None:
    alarm = ("BEGIN:VALARM", "BEGIN:VLOCATION", "UID:place", "END:VLOCATION", "UID:alarm", "END:VALARM")
    (found,) = split(stream("BEGIN:VEVENT", *alarm, "UID:event", START, "END:VEVENT"))
    assert read(found).uid == "event"


def test_several_calendars_one_after_another_are_all_cut() -> None:
    assert list(split(event(START) + stream(*component(START, uid="two")))) == [
        event(START),
        stream(*component(START, uid="two")),
    ]


def test_what_has_no_uid_is_a_stream_of_its_own() -> None:
    bare = ("BEGIN:VEVENT", START, "END:VEVENT")
    assert list(split(stream(*bare, *bare))) == [stream(*bare), stream(*bare)]


def test_a_component_outside_of_any_calendar_gets_one() -> None:
    (found,) = split(lines(*component(START)))
    assert read(found).uid == "one@example.org"


def test_what_is_cut_off_is_yielded_to_be_refused_with_a_reason() -> None:
    whole = stream(*component(START), *component(START, uid="two"))
    first, rest = split(whole[: whole.rindex(b"DTSTART")])
    assert read(first).uid == "one@example.org"
    with pytest.raises(NotACalendar, match="cut off"):
        read(rest)


def test_a_calendar_that_only_lacks_its_end_is_cut_all_the_same() -> None:
    (found,) = split(lines(*HEAD, *component(START)).rstrip())
    assert read(found).uid == "one@example.org"


def test_byte_order_mark_and_bare_carriage_returns_are_no_hindrance() -> None:
    assert list(split(b"\xef\xbb\xbf" + event(START))) == [event(START)]
    assert list(split(event(START).replace(b"\r\n", b"\r"))) == [event(START)]


def test_what_holds_no_component_yields_nothing() -> None:
    assert list(split(b"")) == []
    assert list(split(b"END:VEVENT\r\n")) == []
    assert list(split(stream("BEGIN:VTIMEZONE", "END:VTIMEZONE"))) == []


def test_a_uid_is_made_where_there_is_none_and_stays_the_same() -> None:
    def bare(stamp: str, summary: str = "Hair cut") -> bytes:
        return stream("BEGIN:VEVENT", f"DTSTAMP:{stamp}", START, f"SUMMARY:{summary}", "END:VEVENT")

    first, again = read(with_uid(bare("20260101T000000Z"))), read(with_uid(bare("20260202T000000Z")))
    assert first.uid == again.uid
    assert read(with_uid(bare("20260101T000000Z", "Other"))).uid != first.uid


def test_a_uid_that_is_there_stays() -> None:
    assert with_uid(event(START)) == event(START)
    assert with_uid(b"nothing") == b"nothing"


def test_the_uid_of_an_alarm_does_not_stand_for_that_of_its_event() -> None:
    alarm = ("BEGIN:VALARM", "UID:alarm", "TRIGGER:-PT5M", "END:VALARM")
    assert read(with_uid(stream("BEGIN:VEVENT", START, *alarm, "END:VEVENT"))).uid != "alarm"


@pytest.mark.parametrize("sample", samples(), ids=lambda sample: sample.name)
def test_no_oddity_is_dropped_when_a_file_is_cut(sample: Sample) -> None:
    held = [raw for raw in split(sample.raw) if _holds_an_appointment(raw)]
    assert len(held) == 1


def _holds_an_appointment(raw: bytes) -> bool:
    try:
        parse(raw, zone=ACCOUNT_ZONE, max_instances=10_000)
    except WrongComponents:
        return False
    return True


def test_an_appointment_whose_begin_is_folded_is_cut_out_like_the_others() -> None:
    whole = stream(*component(START), *component(START, uid="two"), *component(START, uid="three"))
    folded = whole.replace(b"BEGIN:VEVENT\r\nUID:two", b"BEGIN:VEV\r\n ENT\r\nUID:two")
    assert folded != whole
    assert list(split(folded)) == list(split(whole))
