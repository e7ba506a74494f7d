from __future__ import annotations

from datetime import UTC, tzinfo
from zoneinfo import ZoneInfo

import pytest

from bridge.feed.instances import without
from bridge.feed.lines import Block, Line


def zone_of(tzid: str) -> tzinfo:
    return ZoneInfo(tzid or "Europe/Amsterdam")


def series(start: str, rule: str = "FREQ=DAILY") -> Block:
    return Block("VEVENT", (line(start), Line("RRULE", "", rule)))


def override(text: str) -> Block:
    return Block("VEVENT", (line(text),))


def line(text: str) -> Line:
    found = Line.read(text)
    assert found is not None
    return found


def written(block: Block, name: str) -> list[str]:
    return [f"{one.name}{one.params}:{one.value}" for one in block.lines if one.name == name]


@pytest.mark.parametrize(
    ("start", "recurrence_id", "exdate"),
    [
        (
            "DTSTART;TZID=Asia/Tokyo:20261201T100000",
            ";TZID=Asia/Tokyo:20261202T100000",
            ";TZID=Asia/Tokyo:20261202T100000",
        ),
        ("DTSTART;TZID=Asia/Tokyo:20261201T100000", ":20261202T010000Z", ";TZID=Asia/Tokyo:20261202T100000"),
        ("DTSTART;TZID=Asia/Tokyo:20261201T100000", ";VALUE=DATE:20261202", ";VALUE=DATE:20261202"),
        ("DTSTART:20261201T010000Z", ";TZID=Asia/Tokyo:20261202T100000", ":20261202T010000Z"),
        ("DTSTART:20261201T100000", ":20261202T090000Z", ":20261202T100000"),
        ("DTSTART;VALUE=DATE:20261201", ";VALUE=DATE:20261202", ";VALUE=DATE:20261202"),
        ("DTSTART;VALUE=DATE:20261201", ":20261202T000000", ";VALUE=DATE:20261202"),
    ],
)
def test_an_instance_is_taken_out_in_the_form_of_the_start(start: str, recurrence_id: str, exdate: str) -> None:
    left = without(series(start), [override(f"RECURRENCE-ID{recurrence_id}")], zone_of=zone_of)
    assert written(left, "EXDATE") == [f"EXDATE{exdate}"]


@pytest.mark.parametrize(
    ("start", "recurrence_id", "rule", "expected"),
    [
        ("DTSTART:20261201T100000Z", ":20261203T100000Z", "FREQ=DAILY", "FREQ=DAILY;UNTIL=20261203T095959Z"),
        ("DTSTART:20261201T100000Z", ":20261203T100000Z", "COUNT=9;FREQ=DAILY", "FREQ=DAILY;UNTIL=20261203T095959Z"),
        (
            "DTSTART;TZID=Asia/Tokyo:20261201T100000",
            ";TZID=Asia/Tokyo:20261203T100000",
            "FREQ=DAILY;UNTIL=20270101T000000Z;INTERVAL=2",
            "FREQ=DAILY;INTERVAL=2;UNTIL=20261203T005959Z",
        ),
        ("DTSTART;VALUE=DATE:20261201", ";VALUE=DATE:20261203", "FREQ=DAILY", "FREQ=DAILY;UNTIL=20261202"),
        ("DTSTART:20261201T100000Z", ";VALUE=DATE:20261203", "FREQ=DAILY", "FREQ=DAILY;UNTIL=20261202T225959Z"),
        ("DTSTART:20261201T100000Z", ":20261203T100000Z", "FREQ=DAILY;UNTIL=20261202", "FREQ=DAILY;UNTIL=20261202"),
    ],
)
def test_this_and_all_following_ends_the_series_before_it(
    start: str, recurrence_id: str, rule: str, expected: str
) -> None:
    gone = override(f"RECURRENCE-ID;RANGE=THISANDFUTURE{recurrence_id}")
    assert written(without(series(start, rule), [gone], zone_of=zone_of), "RRULE") == [f"RRULE:{expected}"]


def test_what_has_no_start_or_no_recurrence_id_stays_as_it_is() -> None:
    nothing = Block("VTODO", (Line("UID", "", "a"),))
    assert without(nothing, [override("RECURRENCE-ID:20261203T100000Z")], zone_of=zone_of) is nothing
    master = series("DTSTART:20261201T100000Z")
    assert without(master, [Block("VEVENT", ())], zone_of=zone_of) == master


def test_a_recurrence_id_that_is_no_time_is_refused() -> None:
    with pytest.raises(ValueError, match="does not match"):
        without(
            series("DTSTART:20261201T100000Z"),
            [override("RECURRENCE-ID;TZID=Asia/Tokyo:2026T1")],
            zone_of=lambda _: UTC,
        )
