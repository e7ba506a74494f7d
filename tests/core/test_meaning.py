from __future__ import annotations

from bridge.core.content import MASTER, Line, read
from bridge.core.meaning import WHEN, Slot, instance_when, members, repeating, values, with_values
from tests.core.core_samples import CUSTOM_BERLIN, component, read_event, stream
from tests.core.core_samples import read as parsed

START = "DTSTART;TZID=Europe/Berlin:20260714T170000"
ALARM = ("BEGIN:VALARM", "UID:a", "ACTION:DISPLAY", "TRIGGER:-PT15M", "DESCRIPTION:Now", "END:VALARM")


def found(*content: str) -> dict[Slot, str]:
    obj = read(read_event(*content))
    part = obj.parts[MASTER]
    return {slot: member.meaning for slot, member in members(part, obj.zones, repeating([part])).items()}


def test_what_says_when_a_component_is_is_one_member() -> None:
    assert found("DURATION:PT1H", "SUMMARY:a", START) == {
        Slot(MASTER, WHEN): "DTSTART:2026-07-14T17:00:00[Europe/Berlin]\nEND:2026-07-14T18:00:00[Europe/Berlin]",
        Slot(MASTER, "SUMMARY"): "SUMMARY:a",
    }


def test_each_value_of_a_list_is_a_member_once() -> None:
    slots = found(START, "CATEGORIES:a,b\\,c", "CATEGORIES:a")
    assert [slot.member for slot in slots if slot.group == "CATEGORIES"] == ["a", "b,c"]


def test_equal_lines_of_a_set_are_members_by_number() -> None:
    slots = found(START, "COMMENT:a", "COMMENT:a", "COMMENT:a")
    assert [slot.member for slot in slots if slot.group == "COMMENT"] == ["a", "a#2", "a#3"]


def test_a_member_is_named_by_its_value_without_parameters_and_escapes() -> None:
    slots = found(START, "ATTENDEE;CN=A:MAILTO:A@b", "COMMENT;LANGUAGE=en:a\\, b", *ALARM)
    assert {slot.group: slot.member for slot in slots if slot.member} == {
        "ATTENDEE": "mailto:a@b",
        "COMMENT": "a, b",
        "BEGIN:VALARM": "ACTION:DISPLAY\nDESCRIPTION:Now\nTRIGGER:-PT15M",
    }


def test_what_may_stand_once_is_one_member_however_often_it_stands() -> None:
    assert Slot(MASTER, "SUMMARY") in found(START, "SUMMARY:a", "SUMMARY:b")


def test_a_line_that_cannot_be_read_is_a_member() -> None:
    assert any(slot.group == "GEO" for slot in found(START, "GEO:nowhere"))


def test_the_values_of_a_list_can_stand_in_lines_of_their_own() -> None:
    line = Line("EXDATE", b'exdate;TZID="A:b":20260101T000000,\r\n 20260102T000000\r\n')
    assert [one.raw for one in values(line)] == [
        b'EXDATE;TZID="A:b":20260101T000000\r\n',
        b'EXDATE;TZID="A:b":20260102T000000\r\n',
    ]
    assert with_values(line, ["20260103T000000"]).raw == b'EXDATE;TZID="A:b":20260103T000000\r\n'


def test_a_line_of_one_value_stays_as_it_came() -> None:
    line = Line("EXDATE", b"exdate:20260101\r\n T000000\r\n")
    assert values(line) == (line,)


def when(master: tuple[str, ...], override: tuple[str, ...]) -> str:
    return when_of((*CUSTOM_BERLIN, *component(*master), *component(*override)))


def when_of(lines: tuple[str, ...]) -> str:
    obj = read(parsed(stream(*lines)))
    first, second = obj.parts.values()
    return instance_when(first, second, obj.zones, obj.zones)


def test_an_instance_is_when_its_name_says_and_as_long_as_the_master() -> None:
    assert when((START, "DURATION:PT1H", "RRULE:FREQ=DAILY"), ("RECURRENCE-ID:20261026T160000Z", START)) == (
        "DTSTART:2026-10-26T17:00:00[Europe/Berlin]\nEND:2026-10-26T18:00:00[Europe/Berlin]"
    )


def test_an_instance_of_a_series_in_a_zone_of_its_own_is_in_that_zone() -> None:
    zone = "TZID=Customized Time Zone"
    master = (f"DTSTART;{zone}:20260714T170000", f"DTEND;{zone}:20260714T180000", "RRULE:FREQ=DAILY")
    text = when(master, (f"RECURRENCE-ID;{zone}:20260715T170000", f"DTSTART;{zone}:20260715T170000"))
    assert text.startswith("DTSTART:2026-07-15T17:00:00[")


def test_an_instance_of_days_is_on_its_day() -> None:
    master = ("DTSTART;VALUE=DATE:20260714", "DTEND;VALUE=DATE:20260716", "RRULE:FREQ=WEEKLY")
    override = ("RECURRENCE-ID;VALUE=DATE:20260721", "DTSTART;VALUE=DATE:20260722")
    assert when(master, override) == "DTSTART:2026-07-21\nEND:2026-07-23"


def test_an_instance_of_a_task_without_end_has_none() -> None:
    lines = (
        *component("DTSTART:20260714T100000Z", "RRULE:FREQ=DAILY", kind="VTODO"),
        *component("RECURRENCE-ID:20260715T100000Z", "DTSTART:20260715T120000Z", kind="VTODO"),
    )
    assert when_of(lines) == "DTSTART:2026-07-15T10:00:00Z"


def test_nobody_can_tell_when_an_instance_of_a_task_without_start_is() -> None:
    lines = (
        *component("DUE:20260714T100000Z", "RRULE:FREQ=DAILY", kind="VTODO"),
        *component("RECURRENCE-ID:20260715T100000Z", "DUE:20260715T120000Z", kind="VTODO"),
    )
    assert when_of(lines) == ""
