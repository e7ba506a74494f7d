"""What shifted, doubled or lost appointments elsewhere does not do so here."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.core.canonical import digest
from bridge.core.expansion import expanded
from bridge.core.ics import parse
from bridge.core.recurrence import Instance, expand
from bridge.core.temporal import AllDay, Zoned
from tests.core.core_samples import BERLIN, component, event, read, stream

if TYPE_CHECKING:
    from bridge.core.model import CalendarObject

YEAR = (datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 6, 1, tzinfo=UTC))
ZONES = (
    "UTC",
    "Europe/Berlin",
    "Europe/London",
    "Africa/Casablanca",
    "America/New_York",
    "America/Santiago",
    "America/St_Johns",
    "Asia/Kathmandu",
    "Asia/Tokyo",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Pacific/Pago_Pago",
)
# Nights on which clocks change somewhere, and the days around them.
NIGHTS = st.builds(
    lambda night, minutes: night + timedelta(minutes=minutes),
    st.sampled_from(
        [
            datetime(2026, 3, 7),  # noqa: DTZ001 -- a wall time
            datetime(2026, 3, 28),  # noqa: DTZ001 -- a wall time
            datetime(2026, 4, 4),  # noqa: DTZ001 -- a wall time
            datetime(2026, 9, 5),  # noqa: DTZ001 -- a wall time
            datetime(2026, 10, 3),  # noqa: DTZ001 -- a wall time
            datetime(2026, 10, 24),  # noqa: DTZ001 -- a wall time
            datetime(2026, 10, 31),  # noqa: DTZ001 -- a wall time
        ]
    ),
    st.integers(0, 48 * 60),
)


def instances(obj: CalendarObject, zone: ZoneInfo = BERLIN) -> list[Instance]:
    return list(expand(obj, *YEAR, zone=zone, limit=1000))


def at(name: str, when: datetime, zone: str) -> str:
    """A property that holds an instant as the wall time of a zone."""
    local = when.astimezone(ZoneInfo(zone))
    if zone == "UTC":
        return f"{name}:{local:%Y%m%dT%H%M%S}Z"
    return f"{name};TZID={zone}:{local:%Y%m%dT%H%M%S}"


@settings(max_examples=80, deadline=None)
@given(st.sampled_from(ZONES), st.sampled_from(ZONES), NIGHTS, st.integers(0, 5))
def test_an_override_or_exdate_in_a_foreign_zone_names_the_same_instance_over_every_change_of_the_clock(
    home: str, foreign: str, wall: datetime, which: int
) -> None:
    start = at("DTSTART", wall.replace(tzinfo=ZoneInfo(home)).astimezone(UTC), home)
    series = (start, "DURATION:PT1H", "RRULE:FREQ=DAILY;COUNT=6")
    whole = instances(read(event(*series)))
    chosen = whole[which].first
    # An hour that comes twice cannot be named in the zone in which it does.
    if chosen.astimezone(ZoneInfo(foreign)).fold:
        foreign = "UTC"
    excluded = instances(read(event(*series, at("EXDATE", chosen, foreign))))
    assert [one.first for one in excluded] == [one.first for one in whole if one.first != chosen]
    moved = component(
        at("RECURRENCE-ID", chosen, foreign), at("DTSTART", chosen + timedelta(days=60), "UTC"), "DURATION:PT1H"
    )
    replaced = instances(read(stream(*component(*series), *moved)))
    assert len(replaced) == len(whole)
    assert sorted(one.first for one in replaced) == sorted(
        [*(one.first for one in whole if one.first != chosen), chosen + timedelta(days=60)]
    )


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(ZONES), NIGHTS)
def test_a_daily_appointment_keeps_its_hour_on_the_wall_of_its_own_zone(home: str, wall: datetime) -> None:
    start = f"DTSTART{'' if home == 'UTC' else f';TZID={home}'}:{wall:%Y%m%dT%H%M%S}{'Z' if home == 'UTC' else ''}"
    found = instances(read(event(start, "RRULE:FREQ=DAILY;COUNT=6")))
    walls = [one.start.wall for one in found if isinstance(one.start, Zoned)]
    zone = ZoneInfo(home)
    # Where the clock skips that hour, it is read as if it had not been skipped (RFC 5545 section 3.3.5).
    days = [(wall + timedelta(days=day)).replace(tzinfo=zone) for day in range(6)]
    assert walls == [day.astimezone(UTC).astimezone(zone).replace(tzinfo=None) for day in days]


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(ZONES), st.dates(date(2026, 2, 1), date(2026, 11, 1)), st.integers(1, 4))
def test_an_all_day_appointment_stays_on_its_dates_in_every_zone(account: str, day: date, length: int) -> None:
    raw = event(
        f"DTSTART;VALUE=DATE:{day:%Y%m%d}",
        f"DTEND;VALUE=DATE:{day + timedelta(days=length):%Y%m%d}",
        "RRULE:FREQ=WEEKLY;COUNT=3",
    )
    zone = ZoneInfo(account)
    obj = parse(raw, zone=zone, max_instances=100)
    found = instances(obj, zone)
    assert [one.start for one in found] == [AllDay(day + timedelta(weeks=week)) for week in range(3)]
    assert all(one.all_day and one.end == AllDay(one.start.day + timedelta(days=length)) for one in found)  # type: ignore[union-attr]  # the line above says so
    text = expanded(obj, *YEAR, zone=zone, limit=9).text
    assert not re.search(r"^(?:DTSTART|DTEND|RECURRENCE-ID).*:[0-9]+T", text, re.MULTILINE)
    assert digest(obj) == digest(read(raw))


@pytest.mark.parametrize("zone", ["", ";TZID=Europe/Berlin", ";TZID=America/New_York"])
def test_midnight_to_midnight_is_a_day_where_outlook_says_so_and_else_a_time(zone: str) -> None:
    times = (f"DTSTART{zone}:20261024T000000", f"DTEND{zone}:20261025T000000")
    marked = read(event(*times, "X-MICROSOFT-CDO-ALLDAYEVENT:TRUE"))
    assert [one.start for one in instances(marked)] == [AllDay(date(2026, 10, 24))]
    for line in ("X-MICROSOFT-CDO-ALLDAYEVENT:FALSE", "SUMMARY:Night shift"):
        assert not instances(read(event(*times, line)))[0].all_day


def test_an_instance_may_be_moved_across_its_neighbours() -> None:
    series = component("DTSTART;TZID=Europe/Berlin:20261019T090000", "RRULE:FREQ=WEEKLY;COUNT=3")
    moved = component("RECURRENCE-ID;TZID=Europe/Berlin:20261019T090000", "DTSTART;TZID=Europe/Berlin:20261104T090000")
    found = instances(read(stream(*series, *moved)))
    assert [one.first.astimezone(BERLIN).strftime("%m%d %H") for one in found] == ["1026 09", "1102 09", "1104 09"]
    assert len({one.recurrence_id for one in found}) == 3


def test_a_series_that_is_cut_short_keeps_every_instance_before_the_cut_and_its_overrides() -> None:
    moved = component("RECURRENCE-ID;TZID=Europe/Berlin:20261026T090000", "DTSTART;TZID=Europe/Berlin:20261027T110000")

    def series(rule: str) -> list[Instance]:
        master = component("DTSTART;TZID=Europe/Berlin:20261019T090000", f"RRULE:FREQ=WEEKLY{rule}")
        return instances(read(stream(*master, *moved)))

    whole, cut = series(""), series(";UNTIL=20261102T075959Z")
    assert cut == whole[:2]


def test_a_series_that_is_moved_from_one_instance_on_keeps_what_was_before() -> None:
    series = component("DTSTART;TZID=Europe/Berlin:20261019T090000", "RRULE:FREQ=WEEKLY;COUNT=4")
    later = component(
        "RECURRENCE-ID;RANGE=THISANDFUTURE;TZID=Europe/Berlin:20261026T090000",
        "DTSTART;TZID=Europe/Berlin:20261026T150000",
    )
    found = instances(read(stream(*series, *later)))
    assert [one.first.astimezone(BERLIN).strftime("%m%d %H") for one in found] == [
        "1019 09",
        "1026 15",
        "1102 15",
        "1109 15",
    ]
