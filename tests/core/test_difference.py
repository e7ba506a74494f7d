from __future__ import annotations

import pytest

from bridge.core.content import MASTER, Content, read
from bridge.core.difference import (
    COMPONENT,
    cancels,
    difference,
    excluded,
    instance_of,
    is_cancelled,
    repeated_in,
)
from bridge.core.meaning import WHEN, Slot
from tests.core.core_samples import CUSTOM_BERLIN, component, stream
from tests.core.core_samples import read as parsed

START = "DTSTART;TZID=Europe/Berlin:20260714T170000"
END = "DTEND;TZID=Europe/Berlin:20260714T180000"
KEY = "2026-07-21T15:00:00Z"
NAMED = "RECURRENCE-ID;TZID=Europe/Berlin:20260721T170000"
PLAIN = (NAMED, "DTSTART;TZID=Europe/Berlin:20260721T170000", "DTEND;TZID=Europe/Berlin:20260721T180000")
LATER = (NAMED, "DTSTART;TZID=Europe/Berlin:20260721T190000", "DTEND;TZID=Europe/Berlin:20260721T200000")
RULE = "RRULE:FREQ=WEEKLY"


def content(*parts: tuple[str, ...]) -> Content:
    return read(parsed(stream(*(line for part in parts for line in component(*part)))))


def slots(old: Content, new: Content) -> set[Slot]:
    return set(difference(old, new).changes)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (("SUMMARY:a",), ("SUMMARY:b",), {"SUMMARY"}),
        ((), ("LOCATION:b",), {"LOCATION"}),
        (("LOCATION:b",), (), {"LOCATION"}),
        ((END,), ("DURATION:PT2H",), {WHEN}),
        ((END,), ("DURATION:PT1H",), set()),
        (("TRANSP:OPAQUE",), (), set()),
        (("CATEGORIES:a,b",), ("CATEGORIES:b", "CATEGORIES:a"), set()),
        (("X-A:1",), ("X-A:2",), {"X-A"}),
        (("SEQUENCE:1", "LAST-MODIFIED:20260101T000000Z"), ("SEQUENCE:2", "CREATED:20260101T000000Z"), set()),
        (("X-CALBRIDGE-ORIGIN:a.b",), ("X-CALBRIDGE-ORIGIN:c.d",), set()),
        (("RRULE:FREQ=WEEKLY",), ("RRULE:FREQ=WEEKLY;UNTIL=20260801T150000Z",), {"RRULE"}),
    ],
)
def test_a_change_is_found_by_what_it_means(old: tuple[str, ...], new: tuple[str, ...], expected: set[str]) -> None:
    assert {slot.group for slot in slots(content((START, *old)), content((START, *new)))} == expected


def test_an_earlier_end_of_a_series_is_no_removal_of_anything() -> None:
    found = slots(content((START, RULE)), content((START, f"{RULE};UNTIL=20260801T150000Z")))
    assert found == {Slot(MASTER, "RRULE")}


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (("CATEGORIES:a,b",), ("CATEGORIES:b,c",), {("CATEGORIES", "a"), ("CATEGORIES", "c")}),
        (("COMMENT:a", "COMMENT:b"), ("COMMENT:b",), {("COMMENT", "a")}),
        (("COMMENT:a",), ("COMMENT:a", "COMMENT:a"), {("COMMENT", "a#2")}),
        (("X-A:1", "X-A:2"), ("X-A:2",), {("X-A", "1")}),
        (("ATTENDEE:mailto:a@b",), ("ATTENDEE;CN=A:MAILTO:A@b",), {("ATTENDEE", "mailto:a@b")}),
        (
            (RULE, "EXDATE:20260721T150000Z,20260728T150000Z"),
            (RULE, "EXDATE;TZID=Europe/Berlin:20260728T170000"),
            {("EXDATE", KEY)},
        ),
    ],
)
def test_a_set_changes_member_by_member(
    old: tuple[str, ...], new: tuple[str, ...], expected: set[tuple[str, str]]
) -> None:
    found = slots(content((START, *old)), content((START, *new)))
    assert {(slot.group, slot.member) for slot in found} == expected


def test_other_rules_of_a_zone_of_the_same_name_are_a_change() -> None:
    late = tuple(line.replace("0100", "0500") for line in CUSTOM_BERLIN)
    event = component("DTSTART;TZID=Customized Time Zone:20260714T170000", "SUMMARY:x")
    old, new = read(parsed(stream(*CUSTOM_BERLIN, *event))), read(parsed(stream(*late, *event)))
    assert slots(old, new) == {Slot(MASTER, WHEN)}


def test_a_new_override_differs_from_its_instance_and_not_from_nothing() -> None:
    old = content((START, END, RULE, "SUMMARY:a", "CATEGORIES:x"))
    new = content((START, END, RULE, "SUMMARY:a", "CATEGORIES:x"), (*LATER, "SUMMARY:a", "CATEGORIES:y"))
    assert slots(old, new) == {
        Slot(KEY, COMPONENT),
        Slot(KEY, WHEN),
        Slot(KEY, "CATEGORIES", "x"),
        Slot(KEY, "CATEGORIES", "y"),
    }


def test_an_override_that_says_what_the_master_says_changes_nothing_but_that_it_is_there() -> None:
    old, new = content((START, END, RULE)), content((START, END, RULE), PLAIN)
    assert slots(old, new) == {Slot(KEY, COMPONENT)}


def test_an_override_without_a_master_differs_from_nothing() -> None:
    other = ("RECURRENCE-ID:20260728T150000Z", "DTSTART:20260728T150000Z")
    found = slots(content(other), content(other, (*PLAIN, "SUMMARY:a")))
    assert found == {Slot(KEY, COMPONENT), Slot(KEY, WHEN), Slot(KEY, "SUMMARY")}


def test_a_master_that_goes_and_one_that_comes_are_changes_of_the_master() -> None:
    alone, whole = content((*PLAIN,)), content((START, END, RULE), (*PLAIN,))
    assert slots(whole, alone) == {Slot(MASTER, COMPONENT)}
    assert slots(alone, whole) == {Slot(MASTER, COMPONENT), Slot(MASTER, WHEN), Slot(MASTER, "RRULE")}


def test_an_instance_cancelled_in_either_way_is_the_same() -> None:
    by_date = content((START, END, RULE, "EXDATE:20260721T150000Z"))
    by_status = content((START, END, RULE), (*PLAIN, "STATUS:cancelled", "COMMENT:ill"))
    assert not difference(by_date, by_status)
    assert not difference(by_status, by_date)
    assert is_cancelled(by_date, KEY)
    assert is_cancelled(by_status, KEY)


def test_without_a_master_a_cancelled_override_is_an_override_like_others() -> None:
    alone = content((*PLAIN, "STATUS:CANCELLED"))
    assert not is_cancelled(alone, KEY)
    assert excluded(alone) == frozenset()


def test_what_cancels_an_instance_and_all_that_follow_is_more_than_an_excluded_date() -> None:
    future = f"RECURRENCE-ID;RANGE=THISANDFUTURE{NAMED[13:]}"
    part = content((START, RULE), (future, *PLAIN[1:], "STATUS:CANCELLED")).parts[KEY]
    assert not cancels(part)


def test_a_part_cancels_its_instance_by_its_status_only() -> None:
    old = content((START, END, RULE, "STATUS:CANCELLED"), PLAIN)
    assert [cancels(part) for part in old.parts.values()] == [False, False]


def test_an_edit_of_a_cancelled_override_is_a_change() -> None:
    one, other = (content((START, RULE), (*PLAIN, "STATUS:CANCELLED", f"COMMENT:{text}")) for text in "ab")
    assert slots(one, other) == {Slot(KEY, "COMMENT", "a"), Slot(KEY, "COMMENT", "b")}


def test_a_slot_is_about_an_instance_where_it_belongs_to_an_override_or_an_excluded_date() -> None:
    assert instance_of(Slot(KEY, "SUMMARY")) == KEY
    assert instance_of(Slot(MASTER, "EXDATE", KEY)) == KEY
    assert instance_of(Slot(MASTER, "SUMMARY")) is None


def test_properties_of_which_any_version_has_several_are_compared_line_by_line() -> None:
    one, two = content((START, "X-A:1")), content((START, "X-A:1", "X-A:2", "SUMMARY:a", "SUMMARY:b"))
    assert repeated_in((one, two)) == {"X-A"}
    changed = difference(one, content((START, "X-A:3")), repeated=frozenset({"X-A"}))
    assert {slot.member for slot in changed.changes} == {"1", "3"}


def test_a_part_of_a_difference_can_be_taken() -> None:
    whole = difference(content((START, "SUMMARY:a")), content((START, "SUMMARY:b", "COMMENT:c")))
    assert set(whole.only(lambda slot: slot.group == "COMMENT").changes) == {Slot(MASTER, "COMMENT", "c")}
    assert not whole.only(lambda _: False)
