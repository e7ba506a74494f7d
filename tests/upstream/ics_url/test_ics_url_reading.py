from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bridge.core.model import CalendarObject
from bridge.core.recurrence import expand
from bridge.core.temporal import instant
from bridge.errors import ListingDoubtful
from bridge.upstream.ics_url.reading import read_feed
from bridge.upstream.ics_url.whole import calendars
from bridge.upstream.protocol import Unreadable
from tests.upstream.ics_url.feed_server import ZONE, event, feed, read

if TYPE_CHECKING:
    from bridge.upstream.protocol import Found


def objects(body: bytes) -> dict[str, Found]:
    found = read_feed(calendars(body, host="example.org"), parse=read, zone="Europe/Amsterdam", host="example.org")
    by_name = {one.remote_id: one for one in found}
    assert len(by_name) == len(found)
    return by_name


def the_object(found: Found) -> CalendarObject:
    assert isinstance(found.object, CalendarObject)
    return found.object


def starts(found: Found) -> list[str]:
    obj = the_object(found)
    spans = expand(obj, obj.span.first, obj.span.last, zone=ZONE, limit=100)
    return [instant(one.first, ZONE).isoformat() for one in spans]


def test_each_appointment_goes_by_its_uid() -> None:
    assert list(objects(feed(event("one"), event("two")))) == ["one", "two"]


def test_new_stamps_and_another_order_are_no_change() -> None:
    first = objects(feed(event("one", "SEQUENCE:1"), event("two")))
    again = objects(feed(event("two", stamp="20260505T000000Z"), event("one", "SEQUENCE:2", stamp="20260505T000000Z")))
    assert {name: one.etag for name, one in first.items()} == {name: one.etag for name, one in again.items()}


def test_a_change_of_meaning_is_a_change_of_that_one_alone() -> None:
    first, again = objects(feed(event("one"), event("two"))), objects(feed(event("one"), event("two", day=15)))
    assert first["one"].etag == again["one"].etag
    assert first["two"].etag != again["two"].etag


def test_one_that_cannot_be_read_says_why_and_leaves_the_others_alone() -> None:
    found = objects(feed(event("one"), event("bad", "DTSTART:nonsense"), event("two")))
    assert list(found) == ["one", "bad", "two"]
    bad = found["bad"].object
    assert isinstance(bad, Unreadable)
    assert "DTSTART" in bad.reason
    assert found["bad"].etag == objects(feed(event("bad", "DTSTART:nonsense", stamp="20260505T000000Z")))["bad"].etag
    assert found["bad"].etag != objects(feed(event("bad", "DTSTART:rubbish")))["bad"].etag


def test_one_that_holds_other_letters_than_utf8_leaves_the_others_alone() -> None:
    body = feed(event("one"), event("bad", title="K\u00f6ln")).replace("\u00f6".encode(), b"\xf6")
    found = objects(body)
    assert isinstance(found["bad"].object, Unreadable)
    assert the_object(found["one"]).summary == "Hair cut"


def test_a_feed_in_other_letters_than_utf8_throughout_is_doubtful() -> None:
    body = feed("X-WR-CALNAME:K\u00f6ln", event("one"), event("two")).replace("\u00f6".encode(), b"\xf6")
    with pytest.raises(ListingDoubtful, match="not UTF-8"):
        objects(body)


def test_a_feed_of_nothing_but_unreadable_appointments_is_none_the_less_read() -> None:
    assert list(objects(feed(event("bad", "DTSTART:nonsense")))) == ["bad"]


def test_appointments_without_uid_get_one_that_stays() -> None:
    first = objects(feed(event("", day=1), event("", day=2)))
    again = objects(feed(event("", day=2, stamp="20260505T000000Z"), event("", day=1), event("", day=3)))
    assert set(first) < set(again)
    assert len(first) == 2


def test_an_unreadable_one_without_uid_keeps_its_name_too() -> None:
    first = objects(feed(event("", "DTSTART:nonsense"), event("one")))
    again = objects(feed(event("one"), event("", "DTSTART:nonsense", stamp="20260505T000000Z")))
    assert set(first) == set(again)


def test_what_is_no_appointment_is_passed_over() -> None:
    others = ("BEGIN:VFREEBUSY", "UID:busy", "FREEBUSY:20260714T170000Z/PT1H", "END:VFREEBUSY")
    assert list(objects(feed(*others, event("one")))) == ["one"]


def test_a_uid_of_any_length_makes_a_bearable_name() -> None:
    long = "x" * 5000
    names = list(objects(feed(event(long + "1"), event(long + "2"))))
    assert len(names) == 2
    assert all(len(name) < 255 for name in names)


def test_several_appointments_under_one_uid_get_uids_of_their_own() -> None:
    found = objects(feed(event("one", day=7), event("one", day=14)))
    assert list(found) == ["one#20260707T170000", "one#20260714T170000"]
    assert [the_object(one).uid for one in found.values()] == list(found)


def test_a_uid_that_looks_like_a_name_that_was_made_hides_nobody() -> None:
    made = objects(feed(event("one", day=7), event("one", day=14)))
    found = objects(feed(event("one", day=7), event("one", day=14), event("one#20260714T170000", day=21)))
    assert len(found) == 3
    assert made.items() <= found.items()


def test_of_several_under_one_uid_a_bad_one_leaves_the_others_alone() -> None:
    found = objects(feed(event("one", day=7), event("one", "DTSTART:nonsense"), event("one", day=21)))
    assert [isinstance(one.object, Unreadable) for one in found.values()] == [False, True, False]


def test_an_event_and_a_task_under_one_uid_are_both_kept() -> None:
    task = ("BEGIN:VTODO", "UID:one", "DTSTAMP:20260101T000000Z", "SUMMARY:Task", "END:VTODO")
    assert len(objects(feed(event("one"), *task))) == 2


def test_what_cannot_be_told_apart_is_unreadable() -> None:
    tangled = "BEGIN:VEVENT\r\nUID:one\r\nEND:VEVNT"
    (found,) = objects(feed(tangled, tangled)).values()
    assert isinstance(found.object, Unreadable)
    (found,) = objects(feed(tangled) + feed(tangled)).values()
    assert isinstance(found.object, Unreadable)


def test_the_uid_of_an_alarm_is_not_that_of_its_event() -> None:
    bad = event("", "BEGIN:VALARM", "UID:alarm", "TRIGGER:-PT5M", "END:VALARM", "DTSTART:nonsense")
    assert "alarm" not in objects(feed(bad))


def test_a_calendar_that_cancels_holds_cancelled_appointments() -> None:
    found = objects(feed("METHOD:CANCEL", event("one", "STATUS:CONFIRMED")) + feed("METHOD:PUBLISH", event("two")))
    assert b"STATUS:CANCELLED" in the_object(found["one"]).raw
    assert b"CONFIRMED" not in the_object(found["one"]).raw
    assert b"CANCELLED" not in the_object(found["two"]).raw


def test_a_cancelled_instance_in_a_calendar_of_its_own_goes_with_its_series() -> None:
    series = feed(event("one", "RRULE:FREQ=DAILY;COUNT=3"))
    cancelled = feed("METHOD:CANCEL", event("one", "RECURRENCE-ID;TZID=Europe/Berlin:20260715T170000", day=15))
    (found,) = objects(series + cancelled).values()
    assert b"STATUS:CANCELLED" in the_object(found).raw
    assert len([line for line in the_object(found).raw.split(b"\r\n") if line == b"STATUS:CANCELLED"]) == 1


FLOATING = ("DTSTART:20260714T170000", "DTEND:20260714T180000")


def test_times_without_a_zone_are_in_the_zone_of_the_calendar() -> None:
    found = objects(feed("X-WR-TIMEZONE:America/New_York", event("one", *FLOATING)))
    assert starts(found["one"]) == ["2026-07-14T21:00:00+00:00"]


def test_so_is_every_time_of_a_series() -> None:
    series = event("one", *FLOATING, "RRULE:FREQ=DAILY;UNTIL=20260717T170000", "EXDATE:20260715T170000")
    moved = event("one", "DTSTART:20260716T200000", "DTEND:20260716T210000", "RECURRENCE-ID:20260716T170000")
    found = objects(feed("X-WR-TIMEZONE:America/New_York", series, moved))
    assert starts(found["one"]) == [
        "2026-07-14T21:00:00+00:00",
        "2026-07-17T00:00:00+00:00",
        "2026-07-17T21:00:00+00:00",
    ]


@pytest.mark.parametrize(
    "zone", ["X-WR-TIMEZONE:Europe/Amsterdam", "X-WR-TIMEZONE:Nowhere/Land", "X-WR-TIMEZONE:", "X-OTHER:UTC"]
)
def test_without_a_zone_that_is_known_and_another_they_stay_without_one(zone: str) -> None:
    (found,) = objects(feed(zone, event("one", *FLOATING))).values()
    assert b"DTSTART:20260714T170000" in the_object(found).raw


@pytest.mark.parametrize(
    "start",
    ["DTSTART;VALUE=DATE:20260714", "DTSTART;TZID=Asia/Tokyo:20260714T170000", "DTSTART:20260714T170000Z"],
)
def test_the_zone_of_the_calendar_changes_neither_dates_nor_times_that_have_a_zone(start: str) -> None:
    body = feed("X-WR-TIMEZONE:America/New_York", event("one", start))
    assert start.encode() in the_object(objects(body)["one"]).raw


def test_nothing_of_an_appointment_is_shown() -> None:
    assert "Hair cut" not in repr(objects(feed(event("one"))))
