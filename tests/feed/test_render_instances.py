from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import recurring_ical_events
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.core.view import Detail
from bridge.feed.detail import hidden_uid
from tests.feed.material import component, entry, feed, read, rebuilt, stream

if TYPE_CHECKING:
    from collections.abc import Iterable

ZONES = (
    "Europe/Amsterdam",
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "America/Santiago",
    "Africa/Casablanca",
)
RULES = ("FREQ=DAILY", "FREQ=WEEKLY;BYDAY=MO,SU", "FREQ=MONTHLY;BYMONTHDAY=28,-1", "FREQ=HOURLY;INTERVAL=30")
BEGIN, END = datetime(2026, 2, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Appointment:
    zone: str
    start: datetime
    rule: str
    count: int
    left_out: frozenset[int]
    moved: frozenset[int]
    cancelled: frozenset[int]

    def raw(self, uid: str) -> bytes:
        """The object as a client would send it."""
        tz = f";TZID={self.zone}"
        days = [self.start + timedelta(days=day) for day in range(self.count)]
        exdates = [f"EXDATE{tz}:{wall(days[day])}" for day in sorted(self.left_out) if day < self.count]
        rule = f"RRULE:{self.rule};COUNT={self.count}"
        parts = [component(f"DTSTART{tz}:{wall(self.start)}", "DURATION:PT45M", rule, *exdates, uid=uid)]
        if self.rule == "FREQ=DAILY":
            for day in sorted((self.moved | self.cancelled) - self.left_out):
                if day < self.count:
                    new = wall(days[day] + timedelta(hours=3))
                    state = "STATUS:CANCELLED" if day in self.cancelled else "STATUS:CONFIRMED"
                    lines = (f"RECURRENCE-ID{tz}:{wall(days[day])}", f"DTSTART{tz}:{new}", "DURATION:PT30M", state)
                    parts.append(component(*lines, uid=uid))
        return stream(*parts)


def wall(when: datetime) -> str:
    return when.strftime("%Y%m%dT%H%M%S")


def instants(bodies: Iterable[bytes], *, without_cancelled: bool = False) -> set[tuple[str, datetime, datetime]]:
    found = set()
    for body in bodies:
        calendar = read(body)
        calendar.pop("X-WR-TIMEZONE", None)
        for event in recurring_ical_events.of(calendar).between(BEGIN, END):
            if without_cancelled and event.get("STATUS") == "CANCELLED":
                continue
            found.add((str(event["UID"]), event.start.astimezone(UTC), event.end.astimezone(UTC)))
    return found


some_days = st.frozensets(st.integers(0, 11), max_size=3)
appointments = st.builds(
    Appointment,
    zone=st.sampled_from(ZONES),
    # Nights around a change of the clocks in spring and in autumn, in either hemisphere.
    start=st.builds(
        lambda day, minutes: datetime(*day) + timedelta(minutes=minutes),  # noqa: DTZ001 -- a wall time
        st.sampled_from([(2026, 3, 6), (2026, 3, 27), (2026, 4, 2), (2026, 9, 4), (2026, 10, 2), (2026, 10, 23)]),
        st.integers(0, 3000),
    ),
    rule=st.sampled_from(RULES),
    count=st.integers(1, 12),
    left_out=some_days,
    moved=some_days,
    cancelled=some_days,
)


@settings(max_examples=40, deadline=None)
@given(st.lists(appointments, min_size=1, max_size=4))
def test_every_instance_is_in_the_feed_at_its_hour(drawn: list[Appointment]) -> None:
    raws = {f"{number}@example.org": one.raw(f"{number}@example.org") for number, one in enumerate(drawn)}
    expected = instants(raws.values())
    entries = [entry(raw) for raw in raws.values()]
    zone, today = ZoneInfo("Asia/Tokyo"), date(2026, 6, 1)
    assert instants([feed(*entries, zone=zone, today=today).body]) == expected
    assert instants([feed(*map(rebuilt, entries), zone=zone, today=today).body]) == expected
    hidden = {(hidden_uid(uid), start, end) for uid, start, end in expected}
    assert instants([feed(*entries, zone=zone, today=today, detail=Detail.TITLES).body]) == hidden
    taking_time = {(hidden_uid(uid), start, end) for uid, start, end in instants(raws.values(), without_cancelled=True)}
    assert instants([feed(*entries, zone=zone, today=today, detail=Detail.BUSY).body]) == taking_time


def test_a_reader_that_passes_over_exrule_does_not_show_what_it_excludes() -> None:
    whole = "DTSTART;VALUE=DATE:20260601"
    for start in ("DTSTART;TZID=Asia/Tokyo:20260601T100000", "DTSTART:20260601T100000Z", whole):
        one = entry(stream(component(start, "RRULE:FREQ=WEEKLY;COUNT=8", "EXRULE:FREQ=WEEKLY;INTERVAL=4")))
        for detail in Detail:
            body = feed(
                one, detail=detail, past=timedelta(days=30), future=timedelta(days=90), today=date(2026, 6, 1)
            ).body
            calendar = read(body)
            calendar.pop("X-WR-TIMEZONE", None)
            found = recurring_ical_events.of(calendar).between(BEGIN, END)
            assert sorted(event.start.strftime("%m%d") for event in found) == [
                "0608", "0615", "0622", "0706", "0713", "0720",
            ]  # fmt: skip


def test_a_series_with_more_instances_than_the_limit_keeps_its_exrule() -> None:
    one = entry(stream(component("RRULE:FREQ=DAILY", "EXRULE:FREQ=WEEKLY")))
    assert b"EXRULE:FREQ=WEEKLY" in feed(one).body
    assert b"EXDATE" not in feed(one).body


def test_a_cancelled_instance_is_not_in_a_busy_feed_and_is_marked_in_a_full_one() -> None:
    one = entry(
        stream(
            component("RRULE:FREQ=DAILY;COUNT=3"),
            component(
                "RECURRENCE-ID;TZID=Europe/Amsterdam:20261202T100000",
                "DTSTART;TZID=Europe/Amsterdam:20261202T100000",
                "STATUS:CANCELLED",
            ),
        )
    )
    for way in (one, rebuilt(one)):
        assert b"CANCELLED" in feed(way).body
        busy = feed(way, detail=Detail.BUSY).body
        assert busy.count(b"BEGIN:VEVENT") == 1
        assert b"EXDATE;TZID=Europe/Amsterdam:20261202T100000" in busy
