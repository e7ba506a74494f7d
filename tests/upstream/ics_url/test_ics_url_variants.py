from __future__ import annotations

from bridge.core.split import split
from bridge.upstream.ics_url.variants import quiet, variants
from tests.upstream.ics_url.feed_server import HEAD, event, feed, read

CUSTOM = ("BEGIN:VTIMEZONE", "TZID:Own", "BEGIN:STANDARD", "DTSTART:19700101T000000", "TZOFFSETFROM:+0100",
          "TZOFFSETTO:+0100", "END:STANDARD", "END:VTIMEZONE")  # fmt: skip


def titles(*content: str) -> dict[str, str]:
    """What variants of one UID there are, by their names."""
    return {one.name: read(one.raw).summary for one in variants(list(split(feed(*content))))}


def test_what_differs_in_stamps_only_is_one() -> None:
    first = event("one", "LAST-MODIFIED:20260101T000000Z", "SEQUENCE:1")
    again = event("one", "LAST-MODIFIED:20260202T000000Z", "SEQUENCE:1", stamp="20260303T000000Z")
    assert titles(first, again) == {"": "Hair cut"}


def test_of_versions_the_one_with_the_highest_sequence_stays() -> None:
    old = event("one", "SEQUENCE:2", day=1, title="Old")
    new = event("one", "SEQUENCE:10", day=2, title="New")
    assert titles(old, new) == titles(new, old) == {"": "New"}


def test_of_versions_at_the_same_time_the_one_that_was_changed_last_stays() -> None:
    old = event("one", "LAST-MODIFIED:20260101T000000Z", title="Old")
    new = event("one", "LAST-MODIFIED:20260102T000000Z", title="New")
    assert titles(old, new) == titles(new, old) == {"": "New"}


def test_appointments_of_their_own_are_all_kept_and_named_by_when_they_start() -> None:
    dates = [event("one", day=day, title=f"Lesson {day}") for day in (7, 14, 21)]
    named = {f"202607{day:02}T170000": f"Lesson {day}" for day in (7, 14, 21)}
    assert titles(*dates) == titles(*reversed(dates)) == named


def test_one_that_is_added_or_leaves_does_not_rename_the_others() -> None:
    dates = [event("one", day=day) for day in (7, 14, 21)]
    assert set(titles(*dates[1:])) < set(titles(*dates))


def test_those_that_start_at_the_same_time_are_numbered_in_an_order_of_their_own() -> None:
    both = [event("one", title="A"), event("one", title="B")]
    assert titles(*both) == titles(*reversed(both)) == {"20260714T170000": "A", "20260714T170000.2": "B"}


def test_a_sequence_that_is_no_number_is_none() -> None:
    odd = [event("one", "SEQUENCE:x", title="A"), event("one", "SEQUENCE:99999999999", title="B")]
    assert set(titles(*odd).values()) == {"A", "B"}


def test_overrides_go_with_the_master_that_recurs() -> None:
    single = event("one", day=1, title="Single")
    series = event("one", "RRULE:FREQ=DAILY;COUNT=5", day=10, title="Series")
    moved = event("one", "RECURRENCE-ID;TZID=Europe/Berlin:20260712T170000", day=13, title="Moved")
    found = variants(list(split(feed(moved, single, series))))
    assert {one.name: one.raw.count(b"BEGIN:VEVENT") for one in found} == {"20260701T170000": 1, "20260710T170000": 2}


def test_overrides_without_a_master_stay_one_object() -> None:
    moved = [event("one", f"RECURRENCE-ID;TZID=Europe/Berlin:202607{day}T170000", day=day) for day in (12, 13)]
    (found,) = variants(list(split(feed(*moved))))
    assert found.name == ""
    assert found.raw.count(b"BEGIN:VEVENT") == 2


def test_a_master_and_its_overrides_in_different_calendars_are_joined_with_the_zones_of_both() -> None:
    series = feed(event("one", "RRULE:FREQ=DAILY;COUNT=5", day=10))
    moved = feed(*CUSTOM, event("one", "RECURRENCE-ID;TZID=Own:20260712T160000", "DTSTART;TZID=Own:20260712T200000"))
    (found,) = variants([*split(series), *split(moved)])
    assert read(found.raw).tzids == ("Europe/Berlin", "Own")
    assert found.raw.count(b"BEGIN:VEVENT") == 2
    assert found.raw.count(b"BEGIN:VTIMEZONE") == 1


def test_what_is_no_component_that_ends_is_not_taken_apart() -> None:
    assert variants([feed()]) == ()
    assert variants([feed("BEGIN:VEVENT", "UID:one", "END:VEVNT")]) == ()


def test_the_text_of_an_alarm_is_none_of_its_event() -> None:
    alarm = ("BEGIN:VALARM", "RECURRENCE-ID:20260101T000000Z", "TRIGGER:-PT5M", "END:VALARM")
    assert set(titles(event("one", *alarm, day=1), event("one", *alarm, day=2))) == {
        "20260701T170000",
        "20260702T170000",
    }


def test_a_quiet_text_has_neither_folds_nor_the_lines_that_are_silent() -> None:
    text = b"DTSTAMP;X=1:2026\r\n 0101\r\nSUM\r\n MARY:a\r\ndtstamp:2\r\nX-DTSTAMP:3\r\nSTAMP:4\r\nDTSTAMP:5"
    assert quiet(text, frozenset({b"DTSTAMP"})) == b"SUMMARY:a\nX-DTSTAMP:3\nSTAMP:4\n"


def test_nothing_of_a_variant_is_shown() -> None:
    assert "Hair cut" not in repr(variants(list(split(feed(event("one"))))))
    assert HEAD
