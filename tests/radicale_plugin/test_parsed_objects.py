"""Tests of the memory of parsed objects."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from bridge.core import ics
from bridge.radicale_plugin.parsed_objects import ParsedObjects

if TYPE_CHECKING:
    from bridge.core.model import CalendarObject

RAW = b"""BEGIN:VCALENDAR\r
VERSION:2.0\r
PRODID:-//Example//EN\r
BEGIN:VEVENT\r
UID:lesson\r
DTSTAMP:20260101T000000Z\r
DTSTART:20260105T090000Z\r
END:VEVENT\r
END:VCALENDAR\r
"""


class Parser:
    """Parses, and counts how often."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> CalendarObject:
        self.times += 1
        return ics.parse(RAW, zone=ZoneInfo("Europe/Amsterdam"), max_instances=100)


def test_an_object_that_is_asked_for_again_is_not_parsed_again() -> None:
    kept, parse = ParsedObjects(), Parser()

    first = kept.get("lesson", len(RAW), parse)

    assert kept.get("lesson", len(RAW), parse) is first
    assert parse.times == 1


def test_another_zone_or_limit_means_another_object() -> None:
    kept, parse = ParsedObjects(), Parser()

    kept.get(("lesson", "Europe/Amsterdam"), len(RAW), parse)
    kept.get(("lesson", "Europe/London"), len(RAW), parse)

    assert parse.times == 2


def test_what_was_asked_for_longest_ago_makes_room() -> None:
    kept, parse = ParsedObjects(), Parser()
    for key in ("a", "b", "a", "c"):
        kept.get(key, 100_000, parse)
    assert parse.times == 3

    kept.get("a", 100_000, parse)
    assert parse.times == 3

    kept.get("b", 100_000, parse)
    assert parse.times == 4


def test_one_that_is_too_large_is_given_and_not_kept() -> None:
    kept, parse = ParsedObjects(), Parser()

    assert kept.get("huge", 2**20, parse).uid == "lesson"
    assert kept.get("huge", 2**20, parse).uid == "lesson"
    assert parse.times == 2
