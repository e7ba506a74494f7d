"""Expansion agrees with a naive oracle that walks from day to day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.core.ics import parse
from bridge.core.recurrence import expand, touches

if TYPE_CHECKING:
    from bridge.core.model import CalendarObject

ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Sao_Paulo", "Asia/Kolkata", "UTC")
ACCOUNT = ZoneInfo("Europe/Amsterdam")
WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
LIMIT = 20_000


@dataclass(frozen=True)
class Series:
    """A series as the oracle knows it."""

    zone: str
    start: datetime
    minutes: int
    frequency: str
    interval: int
    days: tuple[int, ...]
    count: int | None
    until: int | None
    excluded: tuple[int, ...]
    moved: tuple[tuple[int, int], ...]

    @property
    def tz(self) -> ZoneInfo:
        return ZoneInfo(self.zone)

    def belongs(self, day: datetime) -> bool:
        """Whether the rule holds on a day at or after the start."""
        if self.frequency == "DAILY":
            return (day - self.start).days % self.interval == 0
        if self.frequency == "WEEKLY":
            monday = self.start - timedelta(days=self.start.weekday())
            return (day - monday).days // 7 % self.interval == 0 and day.weekday() in self.days
        months = (day.year - self.start.year) * 12 + day.month - self.start.month
        return months % self.interval == 0 and day.day in self.days

    def starts(self, horizon: datetime) -> list[datetime]:
        """The wall times of the rule, before exclusions, up to a horizon."""
        found: list[datetime] = []
        day = self.start
        while day <= horizon and (self.count is None or len(found) < self.count):
            if self.until is not None and self.instant(day) > self.instant(self.start) + timedelta(days=self.until):
                break
            if self.belongs(day):
                found.append(day)
            day += timedelta(days=1)
        return found

    def instant(self, wall: datetime) -> datetime:
        return wall.replace(tzinfo=self.tz).astimezone(UTC)

    def instances(self, start: datetime, end: datetime) -> list[tuple[datetime, datetime]]:
        """The instances that touch a range, as pairs of instants."""
        starts = self.starts((end + timedelta(days=60)).replace(tzinfo=None))
        moved = dict(self.moved)
        found = []
        for index, wall in enumerate(starts):
            if index in self.excluded:
                continue
            begin = self.instant(wall + timedelta(hours=moved.get(index, 0)))
            # The length runs on the wall clock, from where the wall clock really is.
            last = self.instant(begin.astimezone(self.tz).replace(tzinfo=None) + timedelta(minutes=self.minutes))
            found.append((begin, last))
        return sorted(
            (first, last)
            for first, last in found
            if (start <= first < end if first == last else first < end and last > start)
        )

    def ics(self) -> bytes:
        """The series as a client would send it."""
        form = "%Y%m%dT%H%M%S"
        rule = f"FREQ={self.frequency};INTERVAL={self.interval}"
        if self.frequency == "WEEKLY":
            rule += ";BYDAY=" + ",".join(WEEKDAYS[day] for day in self.days)
        if self.frequency == "MONTHLY":
            rule += ";BYMONTHDAY=" + ",".join(map(str, self.days))
        if self.count is not None:
            rule += f";COUNT={self.count}"
        elif self.until is not None:
            rule += f";UNTIL={self.instant(self.start) + timedelta(days=self.until):%Y%m%dT%H%M%SZ}"
        starts = self.starts(self.start + timedelta(days=500))
        lines = [
            "BEGIN:VCALENDAR",
            "VERSION:2.0",
            "PRODID:-//law",
            "BEGIN:VEVENT",
            "UID:law",
            "DTSTAMP:20260101T000000Z",
            f"DTSTART;TZID={self.zone}:{self.start:{form}}",
            f"DTEND;TZID={self.zone}:{self.start + timedelta(minutes=self.minutes):{form}}",
            f"RRULE:{rule}",
            *(f"EXDATE;TZID={self.zone}:{starts[index]:{form}}" for index in self.excluded if index < len(starts)),
            "END:VEVENT",
        ]
        for index, hours in self.moved:
            if index < len(starts) and index not in self.excluded:
                begin = starts[index] + timedelta(hours=hours)
                end = self.instant(begin).astimezone(self.tz) + timedelta(minutes=self.minutes)
                lines += [
                    "BEGIN:VEVENT",
                    "UID:law",
                    "DTSTAMP:20260101T000000Z",
                    f"RECURRENCE-ID;TZID={self.zone}:{starts[index]:{form}}",
                    f"DTSTART;TZID={self.zone}:{begin:{form}}",
                    f"DTEND;TZID={self.zone}:{end:{form}}",
                    "END:VEVENT",
                ]
        return ("\r\n".join([*lines, "END:VCALENDAR"]) + "\r\n").encode()


@st.composite
def all_series(draw: st.DrawFn) -> Series:
    """Series around the days on which clocks change, with exclusions and moved instances."""
    start = datetime(2025, 1, 1) + timedelta(days=draw(st.integers(0, 400)), minutes=15 * draw(st.integers(0, 95)))  # noqa: DTZ001 -- a wall time
    frequency = draw(st.sampled_from(("DAILY", "WEEKLY", "MONTHLY")))
    days: set[int] = set()
    if frequency == "WEEKLY":
        days = draw(st.sets(st.integers(0, 6), max_size=3)) | {start.weekday()}
    if frequency == "MONTHLY":
        days = draw(st.sets(st.integers(1, 31), max_size=2)) | {start.day}
    bound = draw(st.sampled_from(("count", "until", "endless")))
    return Series(
        zone=draw(st.sampled_from(ZONES)),
        start=start,
        minutes=draw(st.sampled_from((30, 60, 600, 0, 1440))),
        frequency=frequency,
        interval=draw(st.integers(1, 4)),
        days=tuple(sorted(days)),
        count=draw(st.integers(1, 30)) if bound == "count" else None,
        until=draw(st.integers(0, 300)) if bound == "until" else None,
        excluded=tuple(draw(st.sets(st.integers(0, 8), max_size=3))),
        moved=tuple(draw(st.dictionaries(st.integers(0, 8), st.integers(-30, 60), max_size=2)).items()),
    )


def parsed(series: Series) -> CalendarObject:
    return parse(series.ics(), zone=ACCOUNT, max_instances=LIMIT)


@settings(max_examples=120, deadline=None)
@given(all_series(), st.integers(-20, 250), st.integers(1, 90))
def test_a_range_holds_exactly_the_instances_that_walking_from_day_to_day_finds(
    series: Series, offset: int, length: int
) -> None:
    start = series.instant(series.start) + timedelta(days=offset)
    end = start + timedelta(days=length)
    obj = parsed(series)
    found = [(instance.first, instance.last) for instance in expand(obj, start, end, zone=ACCOUNT, limit=LIMIT)]
    assert found == series.instances(start, end)
    assert touches(obj, start, end, zone=ACCOUNT) == bool(found)


@settings(max_examples=60, deadline=None)
@given(all_series())
def test_the_span_encloses_every_instance(series: Series) -> None:
    obj = parsed(series)
    start = datetime(2024, 6, 1, tzinfo=UTC)
    for instance in expand(obj, start, start + timedelta(days=900), zone=ACCOUNT, limit=LIMIT):
        assert obj.span.first <= instance.first
        assert instance.last <= obj.span.last


@settings(max_examples=40, deadline=None)
@given(all_series(), st.integers(1, 4000))
def test_a_range_far_ahead_is_expanded_as_if_every_instance_before_had_been_counted(series: Series, days: int) -> None:
    start = datetime(2025, 1, 1, tzinfo=UTC) + timedelta(days=days)
    end = start + timedelta(days=20)
    found = [
        (instance.first, instance.last) for instance in expand(parsed(series), start, end, zone=ACCOUNT, limit=LIMIT)
    ]
    assert found == series.instances(start, end)
