from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from bridge.core.availability import BusyKind, BusyPeriod, busy, vfreebusy
from tests.core.core_samples import BERLIN, component, lines, read, read_event, stream

if TYPE_CHECKING:
    from bridge.core.model import CalendarObject


def at(hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 7, 14, hour, minute, tzinfo=UTC)


def between(first: int, last: int, *more: str) -> CalendarObject:
    return read_event(f"DTSTART:20260714T{first:02}0000Z", f"DTEND:20260714T{last:02}0000Z", *more)


def blocked(*objects: CalendarObject, limit: int = 100) -> list[tuple[int, int, str]]:
    """The busy hours of a day from eight to eight."""
    return [
        (period.start.hour, period.end.hour, str(period.kind))
        for period in busy(objects, at(8), at(20), zone=BERLIN, limit=limit)
    ]


def test_appointments_that_overlap_or_touch_are_one_period() -> None:
    assert blocked(between(9, 11), between(10, 12), between(12, 13), between(14, 15)) == [
        (9, 13, "BUSY"),
        (14, 15, "BUSY"),
    ]


def test_a_period_is_cut_to_the_range() -> None:
    assert blocked(between(6, 9), between(19, 22), between(1, 3)) == [(8, 9, "BUSY"), (19, 20, "BUSY")]


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("STATUS:TENTATIVE", "BUSY-TENTATIVE"),
        ("X-MICROSOFT-CDO-BUSYSTATUS:TENTATIVE", "BUSY-TENTATIVE"),
        ("X-MICROSOFT-CDO-BUSYSTATUS:OOF", "BUSY-UNAVAILABLE"),
        ("STATUS:CONFIRMED", "BUSY"),
    ],
)
def test_the_kind_of_busy_is_told(line: str, kind: str) -> None:
    assert blocked(between(9, 10, line)) == [(9, 10, kind)]


@pytest.mark.parametrize("line", ["TRANSP:TRANSPARENT", "STATUS:CANCELLED"])
def test_what_is_free_or_cancelled_does_not_block(line: str) -> None:
    assert blocked(between(9, 10, line)) == []


def test_kinds_are_merged_each_for_itself() -> None:
    assert blocked(between(9, 12), between(10, 11, "STATUS:TENTATIVE")) == [(9, 12, "BUSY"), (10, 11, "BUSY-TENTATIVE")]


def test_a_moment_a_to_do_and_a_journal_entry_do_not_block() -> None:
    to_do = read(stream(*component("DTSTART:20260714T090000Z", "DUE:20260714T100000Z", kind="VTODO")))
    assert blocked(read_event("DTSTART:20260714T090000Z"), to_do) == []


def test_a_cancelled_instance_of_a_series_is_free() -> None:
    cancelled = component(
        "RECURRENCE-ID:20260714T110000Z", "DTSTART:20260714T110000Z", "DURATION:PT1H", "STATUS:CANCELLED"
    )
    series = component("DTSTART:20260714T090000Z", "DURATION:PT1H", "RRULE:FREQ=HOURLY;INTERVAL=2;COUNT=3")
    assert blocked(read(stream(*series, *cancelled))) == [(9, 10, "BUSY"), (13, 14, "BUSY")]


def test_what_has_too_many_instances_blocks_for_its_whole_span() -> None:
    dense = read_event("DTSTART:20260714T100000Z", "DURATION:PT1M", "RRULE:FREQ=HOURLY")
    assert blocked(dense, limit=2) == [(10, 20, "BUSY")]


def test_a_dense_series_that_ends_before_the_range_does_not_block_it() -> None:
    dense = read_event("DTSTART:20260701T100000Z", "DURATION:P20D", "RRULE:FREQ=DAILY;COUNT=5")
    assert blocked(dense, limit=2) == [(8, 20, "BUSY")]


def test_a_busy_period_lies_between_two_instants() -> None:
    with pytest.raises(ValueError, match="two instants"):
        BusyPeriod(at(9), at(9), BusyKind.BUSY)
    with pytest.raises(ValueError, match="two instants"):
        BusyPeriod(at(9), datetime(2026, 7, 15), BusyKind.BUSY)  # noqa: DTZ001 -- what is refused
    with pytest.raises(ValueError, match="two instants"):
        BusyPeriod(datetime(2026, 7, 13), at(9), BusyKind.BUSY)  # noqa: DTZ001 -- what is refused


def test_busy_periods_are_published() -> None:
    periods = busy([between(9, 10)], at(8), at(20), zone=BERLIN, limit=9)
    raw = vfreebusy(periods, at(8), at(20), now=at(7), uid="busy@example.org", organizer="anna@example.org")
    assert raw == lines(
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Calbridge//NONSGML Calbridge//EN",
        "METHOD:PUBLISH",
        "BEGIN:VFREEBUSY",
        "UID:busy@example.org",
        "DTSTAMP:20260714T070000Z",
        "DTSTART:20260714T080000Z",
        "DTEND:20260714T200000Z",
        "ORGANIZER:mailto:anna@example.org",
        "FREEBUSY;FBTYPE=BUSY:20260714T090000Z/20260714T100000Z",
        "END:VFREEBUSY",
        "END:VCALENDAR",
    )


def test_nobody_needs_to_own_what_is_published() -> None:
    assert b"ORGANIZER" not in vfreebusy((), at(8), at(8) + timedelta(days=1), now=at(7), uid="x")


def test_a_cancelled_instance_of_a_series_does_not_block() -> None:
    series = component("DTSTART:20260713T090000Z", "DTEND:20260713T100000Z", "RRULE:FREQ=DAILY;COUNT=3")
    cancelled = component(
        "RECURRENCE-ID:20260714T090000Z", "DTSTART:20260714T090000Z", "DTEND:20260714T100000Z", "STATUS:CANCELLED"
    )
    moved = component("RECURRENCE-ID:20260715T090000Z", "DTSTART:20260714T130000Z", "DTEND:20260714T140000Z")
    assert blocked(read(stream(*series, *cancelled))) == []
    assert blocked(read(stream(*series, *cancelled, *moved))) == [(13, 14, "BUSY")]


def test_a_cancelled_orphan_does_not_block() -> None:
    assert blocked(read(stream(*component("RECURRENCE-ID:20260714T090000Z", "STATUS:CANCELLED")))) == []


def test_weeks_that_a_rule_excludes_do_not_block() -> None:
    series = ("DTSTART:20260707T090000Z", "DTEND:20260707T100000Z", "RRULE:FREQ=WEEKLY")
    assert blocked(read_event(*series)) == [(9, 10, "BUSY")]
    assert blocked(read_event(*series, "EXRULE:FREQ=WEEKLY;INTERVAL=2", "EXRULE:FREQ=MONTHLY;BYDAY=2TU")) == []


def test_a_range_from_the_first_year_is_written_with_four_digits() -> None:
    first = datetime(1, 1, 1, tzinfo=UTC)
    raw = vfreebusy((), first, at(8), now=at(7), uid="x")
    assert b"\r\nDTSTART:00010101T000000Z\r\n" in raw
