from __future__ import annotations

import pytest

from bridge.core.canonical import digest
from bridge.core.content import MASTER, Content, made, read, text, with_line, with_uid, without, write
from tests.core.core_samples import (
    CUSTOM_BERLIN,
    component,
    event,
    lines,
    read_event,
    stream,
)
from tests.core.core_samples import (
    read as parsed,
)
from tests.corpus.corpus import Sample, samples

START = "DTSTART;TZID=Europe/Berlin:20260714T170000"
CUSTOM = "DTSTART;TZID=Customized Time Zone:20260714T170000"
ALARM = ("BEGIN:VALARM", "ACTION:DISPLAY", "TRIGGER:-PT15M", "DESCRIPTION:Now", "END:VALARM")
SERIES = component(START, "RRULE:FREQ=WEEKLY", "SUMMARY:Rota")
MOVED = component("RECURRENCE-ID;TZID=Europe/Berlin:20260721T170000", "DTSTART:20260721T180000Z", "SUMMARY:Late")


def content_of(*content: str) -> Content:
    return read(read_event(*content))


@pytest.mark.parametrize("sample", samples(), ids=lambda sample: sample.name)
def test_every_sample_is_written_back_with_the_same_meaning_and_then_the_same_bytes(sample: Sample) -> None:
    obj = parsed(sample.raw)
    once = write(read(obj))
    again = parsed(once)
    assert digest(again) == digest(obj)
    assert again.uid == obj.uid
    assert write(read(again)) == once


@pytest.mark.parametrize("sample", [one for one in samples() if not parsed(one.raw).repairs], ids=lambda one: one.name)
def test_every_component_of_a_sound_sample_comes_back_byte_for_byte(sample: Sample) -> None:
    content = read(parsed(sample.raw))
    assert all(part.raw in sample.raw for part in content.parts.values())
    assert b"".join(part.raw for part in content.parts.values()) in write(content)


def test_an_ordinary_object_comes_back_byte_for_byte() -> None:
    raw = stream(*CUSTOM_BERLIN, *component(CUSTOM, 'X-A;X-B="a;b:c":d', "DESCRIPTION:Long\r\n  and folded", *ALARM))
    assert write(read(parsed(raw))) == raw


def test_alarms_and_properties_keep_their_order() -> None:
    raw = event(*ALARM, START, "X-NEW:1", *ALARM, "SUMMARY:x")
    assert write(read(parsed(raw))) == raw


def test_the_last_line_gets_an_end() -> None:
    raw = event(START)
    assert write(read(parsed(raw.rstrip()))) == raw


def test_an_object_that_took_repairs_is_taken_apart_as_it_was_repaired() -> None:
    obj = parsed(event(START, "SUMMARY:x").replace(b"\r\n", b"\r"))
    assert obj.repairs
    content = read(obj)
    assert text(content.parts[MASTER], "SUMMARY") == "x"
    assert write(content).count(b"\r\n") > 5


def test_lower_case_names_are_found() -> None:
    content = read(parsed(stream("begin:vevent", "uid:one", "dtstart:20260714T170000Z", "summary:x", "end:vevent")))
    assert text(content.parts[MASTER], "SUMMARY") == "x"


def test_overrides_are_parts_named_by_their_instant() -> None:
    content = read(parsed(stream(*SERIES, *MOVED)))
    assert list(content.parts) == [MASTER, "2026-07-21T15:00:00Z"]


def test_overrides_without_a_master_are_parts() -> None:
    assert list(read(parsed(stream(*MOVED))).parts) == ["2026-07-21T15:00:00Z"]


def test_two_overrides_of_one_instance_are_two_parts() -> None:
    content = read(parsed(stream(*SERIES, *MOVED, *MOVED)))
    assert list(content.parts) == [MASTER, "2026-07-21T15:00:00Z", "2026-07-21T15:00:00Z#2"]


def test_a_part_knows_its_lines_and_its_alarms() -> None:
    part = content_of(START, *ALARM, "SUMMARY:x").parts[MASTER]
    assert [line.name for line in part.lines] == ["UID", "DTSTAMP", "DTSTART", "SUMMARY"]
    assert [line.raw for line in part.alarms] == [lines(*ALARM)]
    assert part.component == "VEVENT"


def test_other_components_are_kept_behind_the_parts() -> None:
    other = ("BEGIN:X-FOREIGN", "X-A:1", "END:X-FOREIGN")
    raw = stream(*component(START), *other)
    content = read(parsed(raw))
    assert [line.raw for line in content.others] == [lines(*other)]
    assert write(content) == raw


def test_only_the_zones_that_are_named_are_written() -> None:
    content = read(parsed(stream(*CUSTOM_BERLIN, *component(START))))
    assert list(content.zones) == ["Customized Time Zone"]
    assert write(content) == event(START)


def test_a_zone_is_found_folded_and_quoted() -> None:
    raw = stream(*CUSTOM_BERLIN, *component('DTSTART;TZID="Customized\r\n  Time Zone":20260714T170000'))
    assert write(read(parsed(raw))) == raw


def test_of_two_zones_under_one_name_the_first_stays() -> None:
    second = tuple(line.replace("0100", "0500") for line in CUSTOM_BERLIN)
    content = read(parsed(stream(*CUSTOM_BERLIN, *second, *component(CUSTOM))))
    assert write(content) == stream(*CUSTOM_BERLIN, *component(CUSTOM))


def test_a_zone_without_a_name_is_none() -> None:
    nameless = tuple(line for line in CUSTOM_BERLIN if not line.startswith("TZID"))
    assert write(read(parsed(stream(*nameless, *component(START))))) == event(START)


def test_the_value_of_a_line_stands_behind_the_first_colon_that_is_not_quoted() -> None:
    part = content_of(START, 'ATTENDEE;CN="a:b";ROLE=CHAIR:mailto:a@b').parts[MASTER]
    assert [line.value for line in part.named("ATTENDEE")] == ["mailto:a@b"]


def test_a_quote_that_nobody_closes_hides_no_value() -> None:
    assert made("X-A", "b", ';CN="a').value == "b"


def test_a_text_is_read_without_its_escapes() -> None:
    part = content_of(START, r"SUMMARY:a\,b\;c\\n\nd\N").parts[MASTER]
    assert text(part, "SUMMARY") == "a,b;c\\n\nd\n"
    assert text(part, "LOCATION") is None


def test_another_uid_stands_in_every_component() -> None:
    content = with_uid(read(parsed(stream(*SERIES, *MOVED))), "new;one")
    assert content.uid == "new;one"
    assert write(content) == stream(*SERIES, *MOVED).replace(b"UID:one@example.org", rb"UID:new\;one")
    assert parsed(write(content)).uid == "new;one"


def test_a_line_is_added_to_every_component_before_its_alarms() -> None:
    content = with_line(read(parsed(stream(*component(START, *ALARM), *MOVED))), "X-Mark", "1")
    assert write(content) == stream(*component(START, "X-Mark:1", *ALARM), *MOVED[:-1], "X-Mark:1", MOVED[-1])


def test_a_line_takes_the_place_of_all_others_of_its_property() -> None:
    content = with_line(content_of("SUMMARY:a", START, "SUMMARY:b"), "SUMMARY", "c")
    assert write(content) == event("SUMMARY:c", START)


def test_a_line_can_be_given_to_some_components_only() -> None:
    content = with_line(read(parsed(stream(*SERIES, *MOVED))), "SUMMARY", "x", keys=[MASTER])
    assert [text(part, "SUMMARY") for part in content.parts.values()] == ["x", "Late"]


def test_a_new_line_is_folded_at_75_octets_and_never_within_a_character() -> None:
    content = with_line(content_of(START), "SUMMARY", "ä" * 100)
    assert max(map(len, write(content).split(b"\r\n"))) <= 75
    assert text(content.parts[MASTER], "SUMMARY") == "ä" * 100
    assert parsed(write(content)).summary == "ä" * 100


def test_properties_and_alarms_are_left_out_by_name() -> None:
    content = without(content_of(START, "SUMMARY:x", "COMMENT:a", "COMMENT:b", *ALARM), {"COMMENT", "BEGIN:VALARM"})
    assert write(content) == event(START, "SUMMARY:x")
