from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from bridge.core.model import BEGINNING, ENDLESS, CalendarObject
from bridge.core.recurrence import Instance, excluded_by_rule, expand, touches
from bridge.core.temporal import AllDay, Floating, Zoned
from bridge.errors import TooManyInstances
from tests.core.core_samples import BERLIN, CUSTOM_BERLIN, LIMIT, NEW_YORK, component, event, read, read_event, stream

START = "DTSTART;TZID=Europe/Berlin:20260714T170000"
END = "DTEND;TZID=Europe/Berlin:20260714T180000"
YEAR = (datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))


def in_2026(obj: CalendarObject, limit: int = LIMIT) -> tuple[Instance, ...]:
    return expand(obj, *YEAR, zone=BERLIN, limit=limit)


def days(obj: CalendarObject) -> list[str]:
    """The starts of all instances of 2026 as wall times in Berlin."""
    return [f"{instance.first.astimezone(BERLIN):%m%d %H:%M}" for instance in in_2026(obj)]


def utc(*parts: int) -> datetime:
    year, month, day, hour, minute = (*parts, 0, 0)[:5]
    return datetime(year, month, day, hour, minute, tzinfo=UTC)


def test_a_single_event_is_its_own_instance() -> None:
    (found,) = in_2026(read_event(START, END))
    assert found.recurrence_id is None
    assert found.start == Zoned(datetime(2026, 7, 14, 17), BERLIN, "Europe/Berlin")  # noqa: DTZ001 -- a wall time
    assert (found.first, found.last) == (utc(2026, 7, 14, 15), utc(2026, 7, 14, 16))
    assert not found.all_day
    assert found.component["UID"] == "one@example.org"


def test_a_date_without_end_is_a_day_and_a_time_without_end_has_no_length() -> None:
    (whole,) = in_2026(read_event("DTSTART;VALUE=DATE:20260714"))
    assert whole.all_day
    assert (whole.start, whole.end) == (AllDay(date(2026, 7, 14)), AllDay(date(2026, 7, 15)))
    (moment,) = in_2026(read_event(START))
    assert moment.first == moment.last


def test_a_floating_time_is_in_the_zone_of_the_account() -> None:
    obj = read_event("DTSTART:20260714T170000", "DURATION:PT1H")
    (found,) = expand(obj, *YEAR, zone=NEW_YORK, limit=1)
    assert found.first == utc(2026, 7, 14, 21)
    assert not isinstance(found.start, Floating)


def test_an_unknown_zone_is_that_of_the_account() -> None:
    assert read_event("DTSTART;TZID=Nowhere:20260714T170000").span.first == utc(2026, 7, 14, 15)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("FREQ=WEEKLY;COUNT=3", ["0714 17:00", "0721 17:00", "0728 17:00"]),
        ("FREQ=WEEKLY;UNTIL=20260721T150000Z", ["0714 17:00", "0721 17:00"]),
        ("FREQ=MONTHLY;BYDAY=2TU;COUNT=2", ["0714 17:00", "0811 17:00"]),
        ("FREQ=DAILY;BYHOUR=8,17;COUNT=3", ["0714 17:00", "0715 08:00", "0715 17:00"]),
        ("FREQ=DAILY;COUNT=2;INTERVAL=0", ["0714 17:00", "0715 17:00"]),
        ("FREQ=DAILY;COUNT=2;RSCALE=GREGORIAN;SKIP=OMIT", ["0714 17:00", "0715 17:00"]),
        ("RSCALE=HEBREW;FREQ=YEARLY;COUNT=2", ["0714 17:00"]),
        ("FREQ=DAILY;BYHOUR=25", ["0714 17:00"]),
        ("FREQ=DAILY;BYSETPOS=0", ["0714 17:00"]),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30;COUNT=3", ["0714 17:00"]),
    ],
)
def test_a_rule_makes_instances(rule: str, expected: list[str]) -> None:
    assert days(read_event(START, END, f"RRULE:{rule}")) == expected


def test_instances_keep_their_hour_over_a_change_of_the_clock() -> None:
    obj = read_event("DTSTART;TZID=Europe/Berlin:20261024T090000", "DURATION:PT1H", "RRULE:FREQ=DAILY;COUNT=2")
    assert [instance.first.hour for instance in in_2026(obj)] == [7, 8]


def test_a_night_shift_ends_at_six_in_every_night() -> None:
    obj = read_event(
        "DTSTART;TZID=Europe/Berlin:20261023T220000",
        "DTEND;TZID=Europe/Berlin:20261024T060000",
        "RRULE:FREQ=DAILY;COUNT=2",
    )
    assert [instance.last for instance in in_2026(obj)] == [utc(2026, 10, 24, 4), utc(2026, 10, 25, 5)]


def test_a_custom_zone_is_expanded_by_its_own_rules() -> None:
    raw = stream(
        *CUSTOM_BERLIN, *component("DTSTART;TZID=Customized Time Zone:20261024T090000", "RRULE:FREQ=DAILY;COUNT=2")
    )
    assert [instance.first.hour for instance in in_2026(read(raw))] == [7, 8]


def test_an_excluded_hour_leaves_the_other_hours_of_the_day() -> None:
    rule = "RRULE:FREQ=DAILY;BYHOUR=8,10,12;BYMINUTE=0;COUNT=3"
    for excluded in ("EXDATE;TZID=Europe/Berlin:20260714T100000", "EXDATE:20260714T080000Z"):
        obj = read_event("DTSTART;TZID=Europe/Berlin:20260714T080000", rule, excluded)
        assert days(obj) == ["0714 08:00", "0714 12:00"]


def test_rdates_add_instances_and_periods_bring_their_own_length() -> None:
    obj = read_event(
        START,
        END,
        "RDATE;TZID=Europe/Berlin:20260801T090000",
        "RDATE;VALUE=PERIOD:20260802T070000Z/PT3H,20260803T070000Z/20260803T080000Z",
    )
    found = in_2026(obj)
    assert [instance.last - instance.first for instance in found] == [timedelta(hours=hours) for hours in (1, 1, 3, 1)]
    assert obj.span.last >= utc(2026, 8, 3, 8)


def test_floating_rdates_and_periods_stand_in_the_zone_of_the_account() -> None:
    obj = read_event(
        "DTSTART:20260714T170000", "RDATE:20260801T090000", "RDATE;VALUE=PERIOD:20260802T090000/20260802T100000"
    )
    assert days(obj) == ["0714 17:00", "0801 09:00", "0802 09:00"]


def test_an_override_replaces_its_instance_wherever_it_goes() -> None:
    moved = component(
        "RECURRENCE-ID;TZID=Europe/Berlin:20260721T170000",
        "DTSTART;TZID=America/New_York:20270301T090000",
        "SUMMARY:x",
        "SEQUENCE:2",
    )
    obj = read(stream(*component(START, END, "RRULE:FREQ=WEEKLY;COUNT=3"), *moved))
    assert days(obj) == ["0714 17:00", "0728 17:00"]
    (late,) = expand(obj, utc(2027, 1, 1), utc(2028, 1, 1), zone=BERLIN, limit=9)
    assert late.recurrence_id == Zoned(datetime(2026, 7, 21, 17), BERLIN, "Europe/Berlin")  # noqa: DTZ001 -- a wall time
    assert late.component["SUMMARY"] == "x"
    assert obj.span.last >= utc(2027, 3, 1, 14)


def test_of_two_overrides_of_one_instance_the_higher_sequence_counts() -> None:
    def override(hour: int, sequence: str) -> tuple[str, ...]:
        return component("RECURRENCE-ID:20260721T150000Z", f"DTSTART:20260721T{hour}0000Z", f"SEQUENCE:{sequence}")

    series = component(START, "RRULE:FREQ=WEEKLY;COUNT=2")
    assert days(read(stream(*series, *override(10, "1"), *override(12, "0"), *override(13, "odd"))))[1] == "0721 12:00"


def test_this_and_future_moves_all_that_follow() -> None:
    moved = component(
        "RECURRENCE-ID;RANGE=THISANDFUTURE;TZID=Europe/Berlin:20260721T170000",
        "DTSTART;TZID=Europe/Berlin:20260722T100000",
        "DTEND;TZID=Europe/Berlin:20260722T120000",
    )
    obj = read(stream(*component(START, END, "RRULE:FREQ=WEEKLY;COUNT=3"), *moved))
    found = in_2026(obj)
    assert days(obj) == ["0714 17:00", "0722 10:00", "0729 10:00"]
    assert found[2].last - found[2].first == timedelta(hours=2)
    assert found[2].recurrence_id == Zoned(datetime(2026, 7, 28, 17), BERLIN, "Europe/Berlin")  # noqa: DTZ001 -- a wall time
    assert obj.span.last >= found[2].last


def test_all_day_series_stay_on_their_days_in_every_zone() -> None:
    obj = read_event("DTSTART;VALUE=DATE:20260328", "RRULE:FREQ=DAILY;COUNT=3", "EXDATE;VALUE=DATE:20260329")
    for zone in (BERLIN, NEW_YORK):
        found = expand(obj, *YEAR, zone=zone, limit=9)
        assert [instance.start for instance in found] == [AllDay(date(2026, 3, 28)), AllDay(date(2026, 3, 30))]
        assert found[0].recurrence_id == AllDay(date(2026, 3, 28))


def test_orphaned_overrides_are_instances() -> None:
    orphan = component("RECURRENCE-ID:20260721T150000Z", "DTSTART:20260721T160000Z")
    assert days(read(stream(*orphan))) == ["0721 18:00"]


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=SECONDLY",
        "FREQ=MINUTELY",
        "FREQ=SECONDLY;INTERVAL=30;UNTIL=20300101T000000Z",
        "FREQ=SECONDLY;COUNT=10001",
        "FREQ=MINUTELY;BYHOUR=5;BYMINUTE=5;COUNT=10000",
        "FREQ=SECONDLY;BYHOUR=5;BYMINUTE=5;BYSECOND=5",
        "FREQ=YEARLY;BYHOUR=1,2,3,4,5;BYMINUTE=1,2,3,4,5;BYSECOND=1,2,3",
    ],
)
def test_a_rule_denser_than_the_limit_is_refused_at_once(rule: str) -> None:
    with pytest.raises(TooManyInstances):
        read_event(START, f"RRULE:{rule}")


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=HOURLY",
        "FREQ=MINUTELY;INTERVAL=20;BYHOUR=9,10,11,12,13,14,15,16",
        "FREQ=SECONDLY;UNTIL=20260714T151000Z",
        "FREQ=SECONDLY;COUNT=600",
        "FREQ=DAILY;UNTIL=20200101T000000Z",
    ],
)
def test_a_rule_within_the_limit_is_kept(rule: str) -> None:
    assert read_event(START, f"RRULE:{rule}").recurring


def test_more_overrides_or_rdates_than_the_limit_are_refused() -> None:
    override = component("RECURRENCE-ID:20260721T150000Z", "DTSTART:20260721T160000Z")
    with pytest.raises(TooManyInstances):
        read(stream(*override, *override, *override), max_instances=2)
    with pytest.raises(TooManyInstances):
        read(event(START, "RDATE:20260801T000000Z,20260802T000000Z,20260803T000000Z"), max_instances=2)


def test_a_range_with_more_instances_than_the_limit_is_refused() -> None:
    obj = read_event(START, "RRULE:FREQ=HOURLY")
    with pytest.raises(TooManyInstances) as refusal:
        in_2026(obj, limit=50)
    assert refusal.value.remedy


def test_an_old_dense_series_is_expanded_near_the_range_only() -> None:
    obj = read_event("DTSTART:00010101T000000Z", "RRULE:FREQ=HOURLY")
    assert len(expand(obj, utc(2026, 7, 1), utc(2026, 7, 2), zone=BERLIN, limit=99)) == 24
    for rule in (
        "FREQ=YEARLY;INTERVAL=3",
        "FREQ=MONTHLY;INTERVAL=5",
        "FREQ=WEEKLY;INTERVAL=7",
        "FREQ=YEARLY;BYDAY=1MO",
    ):
        old = read_event("DTSTART:19700105T100000Z", f"RRULE:{rule}")
        every = expand(old, utc(1970, 1, 1), utc(2030, 1, 1), zone=BERLIN, limit=LIMIT)
        near = expand(old, utc(2026, 1, 1), utc(2030, 1, 1), zone=BERLIN, limit=LIMIT)
        assert near == tuple(instance for instance in every if instance.first >= utc(2026, 1, 1))


def test_what_begins_in_a_skipped_hour_and_ends_soon_after_it_has_a_span() -> None:
    obj = read_event("DTSTART;TZID=Europe/Berlin:20260329T022100", "DTEND;TZID=Europe/Berlin:20260329T030600")
    assert (obj.span.first, obj.span.last) == (utc(2026, 3, 29, 1, 21), utc(2026, 3, 29, 1, 21))


def test_spans_are_endless_bounded_or_counted() -> None:
    def last(rule: str) -> datetime:
        return read_event(START, END, f"RRULE:{rule}").span.last

    assert last("FREQ=WEEKLY") == ENDLESS
    assert utc(2026, 7, 28, 16) <= last("FREQ=WEEKLY;COUNT=3") <= utc(2026, 7, 29)
    assert utc(2026, 7, 28, 16) <= last("FREQ=WEEKLY;UNTIL=20260728T150000Z") <= utc(2026, 7, 29)
    assert last("FREQ=YEARLY;COUNT=300") > utc(2324, 1, 1)
    assert last("FREQ=WEEKLY;UNTIL=99991231T230000Z") == ENDLESS
    assert read_event("DTSTART;VALUE=DATE:20260714", "RRULE:FREQ=DAILY;UNTIL=20260716").span.last >= utc(
        2026, 7, 16, 22
    )
    assert read_event("DTSTART;VALUE=DATE:20260714", "RRULE:FREQ=DAILY;COUNT=3").span.last >= utc(2026, 7, 16, 22)


def test_a_length_in_hours_makes_an_event_on_a_date_one_at_a_time() -> None:
    (found,) = in_2026(read_event("DTSTART;VALUE=DATE:20260714", "DURATION:PT36H"))
    assert (found.first, found.last) == (utc(2026, 7, 13, 22), utc(2026, 7, 15, 10))


def test_an_override_of_a_date_replaces_its_day() -> None:
    override = component("RECURRENCE-ID;VALUE=DATE:20260715", "DTSTART;VALUE=DATE:20260720")
    obj = read(stream(*component("DTSTART;VALUE=DATE:20260714", "RRULE:FREQ=DAILY;COUNT=3"), *override))
    assert days(obj) == ["0714 00:00", "0716 00:00", "0720 00:00"]


def test_an_override_that_moves_all_that_follow_by_centuries_moves_itself_alone() -> None:
    moved = component(
        "RECURRENCE-ID;RANGE=THISANDFUTURE:20260715T100000Z", "DTSTART:99500715T100000Z", "DURATION:P999D"
    )
    obj = read(stream(*component("DTSTART:20260714T100000Z", "RRULE:FREQ=DAILY;COUNT=3"), *moved))
    assert days(obj) == ["0714 12:00", "0716 12:00"]


def test_a_range_outside_of_the_calendar_of_python_is_cut() -> None:
    obj = read_event(START, "RRULE:FREQ=WEEKLY;COUNT=3")
    assert len(expand(obj, BEGINNING, ENDLESS, zone=BERLIN, limit=9)) == 3
    assert expand(obj, ENDLESS - timedelta(days=2), ENDLESS, zone=BERLIN, limit=9) == ()


def test_an_instance_at_the_end_of_time_does_not_overflow() -> None:
    late = read_event(
        "DTSTART:98881101T000000Z", "DTEND:99991102T000000Z", "RRULE:FREQ=DAILY;COUNT=3", "RDATE:99991230T000000Z"
    )
    assert len(expand(late, utc(9888, 1, 1), ENDLESS, zone=BERLIN, limit=9)) == 3
    assert late.span.last == ENDLESS


def test_a_range_touches_by_the_rules_of_caldav() -> None:
    obj = read_event(START, END)
    assert touches(obj, utc(2026, 7, 14, 15, 30), utc(2026, 7, 14, 15, 40), zone=BERLIN)
    assert not touches(obj, utc(2026, 7, 14, 16), utc(2026, 7, 14, 17), zone=BERLIN)
    assert not touches(obj, utc(2026, 7, 14, 14), utc(2026, 7, 14, 15), zone=BERLIN)
    moment = read_event(START)
    assert touches(moment, utc(2026, 7, 14, 15), utc(2026, 7, 14, 16), zone=BERLIN)
    assert not touches(moment, utc(2026, 7, 14, 14), utc(2026, 7, 14, 15), zone=BERLIN)


def test_a_series_touches_only_where_it_has_an_instance() -> None:
    obj = read_event(START, END, "RRULE:FREQ=WEEKLY")
    assert touches(obj, utc(2026, 7, 21), utc(2026, 7, 22), zone=BERLIN)
    assert not touches(obj, utc(2026, 7, 22), utc(2026, 7, 23), zone=BERLIN)
    assert not touches(obj, utc(2025, 7, 22), utc(2025, 7, 23), zone=BERLIN)
    assert touches(obj, BEGINNING, ENDLESS, zone=BERLIN)


NOON = (utc(2026, 7, 14, 12), utc(2026, 7, 14, 13))


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (("DTSTART:20260714T110000Z", "DURATION:PT1H"), True),
        (("DTSTART:20260714T100000Z", "DURATION:PT1H"), False),
        (("DTSTART:20260714T130000Z", "DURATION:PT1H"), False),
        (("DTSTART:20260714T110000Z", "DUE:20260714T123000Z"), True),
        (("DTSTART:20260714T110000Z", "DUE:20260714T120000Z"), False),
        (("DTSTART:20260714T120000Z", "DUE:20260714T120000Z"), True),
        (("DTSTART:20260714T120000Z",), True),
        (("DTSTART:20260714T130000Z",), False),
        (("DTSTART:20260714T110000Z",), False),
        (("DUE:20260714T130000Z",), True),
        (("DUE:20260714T120000Z",), False),
        (("CREATED:20260714T110000Z", "COMPLETED:20260714T140000Z"), True),
        (("CREATED:20260714T140000Z", "COMPLETED:20260714T150000Z"), False),
        (("COMPLETED:20260714T120000Z",), True),
        (("COMPLETED:20260714T110000Z",), False),
        (("CREATED:20260714T125900Z",), True),
        (("CREATED:20260714T130000Z",), False),
        ((), True),
    ],
)
def test_a_to_do_touches_by_the_table_of_caldav(content: tuple[str, ...], expected: bool) -> None:  # noqa: FBT001 -- a parameter of the test
    obj = read(stream(*component(*content, kind="VTODO")))
    assert touches(obj, *NOON, zone=BERLIN) is expected


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (("DTSTART:20260714T120000Z",), True),
        (("DTSTART:20260714T113000Z",), False),
        (("DTSTART;VALUE=DATE:20260714",), True),
        (("DTSTART;VALUE=DATE:20260713",), False),
        ((), False),
    ],
)
def test_a_journal_entry_touches_by_its_start(content: tuple[str, ...], expected: bool) -> None:  # noqa: FBT001 -- a parameter of the test
    obj = read(stream(*component(*content, kind="VJOURNAL")))
    assert touches(obj, *NOON, zone=BERLIN) is expected


def test_a_to_do_without_any_time_has_no_instance_and_touches_every_range() -> None:
    obj = read(stream(*component("SUMMARY:Some day", kind="VTODO")))
    assert in_2026(obj) == ()
    assert (obj.span.first, obj.span.last) == (BEGINNING, ENDLESS)


def test_a_to_do_can_recur_by_what_times_it_has() -> None:
    obj = read(stream(*component("DUE:20260714T120000Z", "RRULE:FREQ=DAILY;COUNT=2", kind="VTODO")))
    assert days(obj) == ["0714 14:00", "0715 14:00"]
    assert touches(obj, utc(2026, 7, 15, 11), utc(2026, 7, 15, 12), zone=BERLIN)
    timeless = read(stream(*component("RRULE:FREQ=DAILY;COUNT=2", kind="VTODO")))
    assert in_2026(timeless) == ()
    assert touches(timeless, *NOON, zone=BERLIN)


def test_a_to_do_that_is_due_before_it_starts_lies_between_both() -> None:
    (found,) = in_2026(read(stream(*component("DTSTART:20260714T130000Z", "DUE:20260714T120000Z", kind="VTODO"))))
    assert (found.first.hour, found.last.hour) == (12, 13)


def test_what_an_excluding_rule_takes_away_can_be_spelled_out() -> None:
    obj = read_event(START, "RRULE:FREQ=WEEKLY;COUNT=4", "EXRULE:FREQ=WEEKLY;INTERVAL=2")
    (first, second) = excluded_by_rule(obj, *YEAR, zone=BERLIN, limit=9)
    assert isinstance(first, Zoned)
    assert isinstance(second, Zoned)
    assert (first.wall.day, second.wall.day) == (14, 28)
    assert excluded_by_rule(read_event(START, "RRULE:FREQ=WEEKLY"), *YEAR, zone=BERLIN, limit=9) == ()
