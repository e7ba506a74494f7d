"""What went wrong with series and with times for users of other systems (pains 5, 8, 10 and 11)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import icalendar
import pytest
import recurring_ical_events

from bridge.core import availability
from bridge.core.decision import Move
from bridge.errors import QuotaExceeded
from tests.pains.lessons import kept_away_by
from tests.store.appointments import AMSTERDAM
from tests.sync.appointments import START, all_day, calendar, component, event, series, with_instance

if TYPE_CHECKING:
    from bridge.core.model import CalendarObject
    from tests.pains.desk import PainDesk

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
NEW_YORK = ZoneInfo("America/New_York")


def begins(*texts: str) -> list[str]:
    """When each instance of some objects begins, UTC."""
    found = []
    for text in texts:
        stream = icalendar.Calendar.from_ical(text.replace("\n", "\r\n"))
        found += recurring_ical_events.of(stream).between(START - 30 * DAY, START + 300 * DAY)
    return sorted(each["DTSTART"].dt.astimezone(UTC).isoformat() for each in found)


def busy(objects: list[CalendarObject], *, limit: int = 100) -> list[tuple[datetime, datetime]]:
    end = START + 10 * DAY
    periods = availability.busy(objects, START - HOUR, end, zone=AMSTERDAM, limit=limit)
    return [(each.start, each.end) for each in periods]


def first_alone(original: Any) -> Any:
    """An expansion that takes a series for its first appointment."""
    return lambda *args, **options: list(original(*args, **options))[:1]


@kept_away_by("bridge.core.availability:expand", first_alone)
def test_pain_05_every_instance_of_a_series_from_an_upstream_blocks(desk: PainDesk) -> None:
    desk.rule()
    desk.remote().put(with_instance(series(days=4), 2, "Class (later)", moved=3 * HOUR))

    desk.sync()

    found = busy(list(desk.resource().objects().values()))
    starts = [START, START + DAY, START + 2 * DAY + 3 * HOUR, START + 3 * DAY]
    assert found == [(start, start + HOUR) for start in starts]


@kept_away_by("bridge.core.availability:expand", lambda _: lambda *_, **__: [])
def test_pain_05_an_override_without_its_master_blocks(desk: PainDesk) -> None:
    desk.rule()
    moved = START + 2 * HOUR
    desk.remote().put(calendar(component("orphan", "Moved", f"RECURRENCE-ID:{START:%Y%m%dT%H%M%SZ}", start=moved)))

    desk.sync()

    assert busy(list(desk.resource().objects().values())) == [(moved, moved + HOUR)]


def test_pain_05_a_series_that_cannot_be_expanded_blocks_all_of_its_time() -> None:
    ((start, end),) = busy([series(days=8)], limit=3)
    assert start <= START
    assert end >= START + 7 * DAY + HOUR


def shortened(days: int) -> CalendarObject:
    return event("daily", "Class", f"RRULE:FREQ=DAILY;UNTIL={START + (days - 1) * DAY:%Y%m%dT%H%M%SZ}")


def second_part(day: int, days: int) -> CalendarObject:
    return event("daily-2", "Class", f"RRULE:FREQ=DAILY;COUNT={days}", start=START + day * DAY + HOUR)


@kept_away_by("bridge.sync.doing:splits", lambda _: lambda *_, **__: [])
def test_pain_08_this_and_following_there_is_one_change_here(desk: PainDesk) -> None:
    desk.rule()
    desk.remote().put(series(days=10))
    desk.sync()
    desk.remote().put(shortened(4))
    desk.remote().put(second_part(4, 6))
    seen: list[int] = []

    def look() -> None:
        texts = [desk.resource().text(uid) for uid in desk.resource().titles()]
        seen.append(len(begins(*texts)))

    with desk.seen_by_others(look):
        desk.poll()

    assert begins(desk.resource().text("daily"), desk.resource().text("daily-2")) == [
        *(f"{START + day * DAY:%Y-%m-%dT%H:%M:%S+00:00}" for day in range(4)),
        *(f"{START + day * DAY + HOUR:%Y-%m-%dT%H:%M:%S+00:00}" for day in range(4, 10)),
    ]
    # Nobody here ever saw a half of it, nor both parts at the same time.
    assert set(seen) == {10}


@kept_away_by("bridge.sync.doing:splits", lambda _: lambda *_, **__: [])
def test_pain_08_a_series_is_not_shortened_there_before_the_rest_of_it_stands_there(desk: PainDesk) -> None:
    desk.rule()
    desk.resource().put(series(days=10))
    desk.sync()
    desk.resource().put(shortened(4))
    desk.resource().put(second_part(4, 6))
    # It takes no new appointment at the moment, yet it takes changes.
    desk.fail("create", QuotaExceeded("There is no room left."))

    desk.poll()
    assert len(begins(*(desk.remote().text(uid) for uid in desk.remote().titles()))) == 10

    desk.rest()
    assert len(begins(desk.remote().text("daily"), desk.remote().text("daily-2"))) == 10


@kept_away_by("bridge.sync.judging:decide", lambda _: lambda _here, _there: Move.DELETE_HERE)
def test_pain_08_an_end_that_a_series_gets_there_deletes_nothing_but_what_comes_after(desk: PainDesk) -> None:
    desk.rule()
    desk.remote().put(series(days=10))
    desk.sync()
    desk.remote().put(shortened(4))

    desk.poll()

    assert set(desk.resource().titles()) == {"daily"}
    assert len(begins(desk.resource().text("daily"))) == 4


def zoned_series(*, moved_to: str = "", skipped: str = "", named_in_utc: bool = False) -> CalendarObject:
    """Each Sunday at nine in New York over the end of summer time there; Europe's ends a week earlier."""
    first = datetime(2026, 10, 18, 9, tzinfo=NEW_YORK)
    at = ";TZID=America/New_York:"
    lines = [
        "BEGIN:VEVENT", "UID:sundays", "DTSTAMP:20261001T000000Z", f"DTSTART{at}{first:%Y%m%dT%H%M%S}",
        "DURATION:PT1H", "RRULE:FREQ=WEEKLY;COUNT=5", "SUMMARY:Call home", *([skipped] if skipped else []),
        "END:VEVENT",
    ]  # fmt: skip
    if not moved_to:
        return calendar(lines)
    named = "RECURRENCE-ID:20261108T140000Z" if named_in_utc else f"RECURRENCE-ID{at}20261108T090000"
    override = [
        "BEGIN:VEVENT", "UID:sundays", "DTSTAMP:20261001T000000Z", named, f"DTSTART{at}{moved_to}", "DURATION:PT1H",
        "SUMMARY:Call home", "END:VEVENT",
    ]  # fmt: skip
    return calendar(lines, override)


def as_written(_: Any) -> Any:
    """Instances named by the text of their RECURRENCE-ID."""
    return lambda part: "" if "RECURRENCE-ID" not in part else part["RECURRENCE-ID"].to_ical().decode()


@kept_away_by("bridge.core.content:instance_name", as_written)
def test_pain_10_one_instance_named_in_two_zones_is_one(desk: PainDesk) -> None:
    # Microsoft writes every RECURRENCE-ID in UTC.
    desk.resource().put(zoned_series(moved_to="20261108T110000"))
    desk.remote().put(zoned_series(moved_to="20261108T110000", named_in_utc=True))
    desk.rule()
    desk.sync()
    desk.remote().put(zoned_series(moved_to="20261108T150000", named_in_utc=True))

    desk.poll()

    here = desk.resource().text("sundays")
    # The instance is the one that it was here, under the name that it has here.
    assert [line for line in here.split("\n") if line.startswith("RECURRENCE-ID")] == [
        "RECURRENCE-ID;TZID=America/New_York:20261108T090000"
    ]
    assert begins(here)[-3:] == ["2026-11-01T14:00:00+00:00", "2026-11-08T20:00:00+00:00", "2026-11-15T14:00:00+00:00"]


def naive(_: Any) -> Any:
    """Times compared by what the clock on the wall says, wherever it hangs."""
    return lambda value: f"{value:%Y%m%dT%H%M%S}" if isinstance(value, datetime) else f"{value:%Y%m%d}"


@kept_away_by("bridge.core.canonical:_time", naive)
def test_pain_10_the_same_hour_of_the_clock_in_another_zone_is_a_move(desk: PainDesk) -> None:
    desk.rule()
    desk.resource().put(zoned_series())
    desk.sync()
    old = begins(desk.resource().text("sundays"))
    elsewhere = desk.remote().text("sundays").replace("America/New_York", "Europe/Amsterdam")
    desk.remote().shelf.put(desk.remote().id_of("sundays"), elsewhere.replace("\n", "\r\n").encode())

    desk.poll()

    new = begins(desk.resource().text("sundays"))
    assert len(new) == len(old)
    assert new != old
    assert all(each.endswith(("T07:00:00+00:00", "T08:00:00+00:00")) for each in new)


@pytest.mark.parametrize("written", ["EXDATE:20261108T140000Z", "EXDATE;TZID=America/New_York:20261108T090000"])
def test_pain_10_an_instance_that_is_skipped_there_is_skipped_here_however_it_is_named(
    desk: PainDesk, written: str
) -> None:
    desk.rule()
    desk.resource().put(zoned_series())
    desk.sync()
    desk.remote().put(zoned_series(skipped=written))

    desk.poll()

    assert "2026-11-08T14:00:00+00:00" not in begins(desk.resource().text("sundays"))
    assert "2026-11-15T14:00:00+00:00" in begins(desk.resource().text("sundays"))


def midnight(original: Any) -> Any:
    """Dates taken for midnights."""

    def time(value: date | datetime) -> str:
        return str(original(value if isinstance(value, datetime) else datetime(*value.timetuple()[:3], tzinfo=UTC)))

    return time


@kept_away_by("bridge.core.canonical:_time", midnight)
def test_pain_11_a_whole_day_that_becomes_a_time_there_becomes_one_here_and_back(desk: PainDesk) -> None:
    desk.rule()
    desk.resource().put(all_day("one"))
    desk.sync()
    assert "DTSTART;VALUE=DATE:20261125\nDTEND;VALUE=DATE:20261126\n" in desk.remote().text("one")

    times = ["DTSTART:20261125T000000Z", "DTEND:20261126T000000Z"]
    begin = ["BEGIN:VEVENT", "UID:one", "DTSTAMP:20261101T000000Z"]
    desk.remote().put(calendar([*begin, *times, "SUMMARY:Holiday", "END:VEVENT"]))
    desk.poll()
    assert "DTSTART:20261125T000000Z\n" in desk.resource().text("one")
    assert "VALUE=DATE" not in desk.resource().text("one")

    desk.resource().put(all_day("one"))
    desk.poll()
    assert "DTSTART;VALUE=DATE:20261125\nDTEND;VALUE=DATE:20261126\n" in desk.remote().text("one")


def without_days(original: Any) -> Any:
    """People's look at an appointment, for somebody who takes a day for the hours from midnight to midnight."""

    def look(obj: CalendarObject, zone: Any) -> Any:
        return replace(original(obj, zone), all_day=False)

    return look


@kept_away_by("bridge.core.adoption:_look", without_days)
def test_pain_11_a_whole_day_is_no_appointment_from_midnight_to_midnight(desk: PainDesk) -> None:
    desk.resource().put(all_day("day"))
    lines = ["DTSTART;TZID=Europe/Amsterdam:20261125T000000", "DTEND;TZID=Europe/Amsterdam:20261126T000000"]
    stamped = ["BEGIN:VEVENT", "UID:night", "DTSTAMP:20261101T000000Z", *lines, "SUMMARY:Holiday", "END:VEVENT"]
    desk.remote().put(calendar(stamped))
    desk.rule()

    desk.sync()

    assert set(desk.resource().titles()) == set(desk.remote().titles()) == {"day", "night"}


def test_near_miss_an_appointment_of_no_length_goes_both_ways(desk: PainDesk) -> None:
    lines = ["BEGIN:VEVENT", "DTSTAMP:20261101T000000Z", "DTSTART:20261125T090000Z", "DTEND:20261125T090000Z"]
    desk.resource().put(calendar([*lines, "UID:ours", "SUMMARY:Reminder", "END:VEVENT"]))
    desk.remote().put(calendar([*lines, "UID:theirs", "SUMMARY:Reminder too", "END:VEVENT"]))
    desk.rule()

    desk.sync()

    for where in (desk.resource(), desk.remote()):
        assert where.titles() == {"ours": "Reminder", "theirs": "Reminder too"}
        assert "DTEND:20261125T090000Z\n" in where.text("ours")
    desk.rest()
    assert desk.remote().titles() == {"ours": "Reminder", "theirs": "Reminder too"}
