from __future__ import annotations

import pytest

from bridge.core.applying import apply
from bridge.core.canonical import digest
from bridge.core.content import MASTER, Content, read, write
from bridge.core.difference import difference
from tests.core.core_samples import CUSTOM_BERLIN, component, event, stream
from tests.core.core_samples import read as parsed

START = "DTSTART;TZID=Europe/Berlin:20260714T170000"
END = "DTEND;TZID=Europe/Berlin:20260714T180000"
KEY = "2026-07-21T15:00:00Z"
NAMED = "RECURRENCE-ID;TZID=Europe/Berlin:20260721T170000"
PLAIN = (NAMED, "DTSTART;TZID=Europe/Berlin:20260721T170000", "DTEND;TZID=Europe/Berlin:20260721T180000")
LATER = (NAMED, "DTSTART;TZID=Europe/Berlin:20260721T190000", "DTEND;TZID=Europe/Berlin:20260721T200000")
RULE = "RRULE:FREQ=WEEKLY"
SERIES = (START, END, RULE)
OUT = "EXDATE;TZID=Europe/Berlin:20260721T170000"
ALARM = ("BEGIN:VALARM", "ACTION:DISPLAY", "TRIGGER:-PT15M", "DESCRIPTION:Now", "END:VALARM")
CUSTOM = "DTSTART;TZID=Customized Time Zone:20260714T170000"
EASTERN = tuple(line.replace("+0100", "-0500").replace("+0200", "-0400") for line in CUSTOM_BERLIN)


def whole(*parts: tuple[str, ...]) -> bytes:
    return stream(*(line for part in parts for line in component(*part)))


def content(*parts: tuple[str, ...]) -> Content:
    return read(parsed(whole(*parts)))


def applied(old: Content, new: Content, target: Content) -> bytes:
    return write(apply(difference(old, new), target))


def single(old: tuple[str, ...], new: tuple[str, ...], target: tuple[str, ...]) -> bytes:
    return applied(content((START, *old)), content((START, *new)), content((START, *target)))


def test_no_difference_leaves_the_content_as_it_is() -> None:
    target = content((START,))
    assert apply(difference(target, target), target) is target


@pytest.mark.parametrize(
    ("old", "new", "target", "expected"),
    [
        (("SUMMARY:a",), ("SUMMARY:b",), ("SUMMARY:c", "X-OURS:1"), ("SUMMARY:b", "X-OURS:1")),
        (("SUMMARY:a",), (), ("SUMMARY:a", "X-OURS:1"), ("X-OURS:1",)),
        (("SUMMARY:a",), (), (), ()),
        ((), ("SUMMARY:b",), ("X-OURS:1", *ALARM), ("X-OURS:1", "SUMMARY:b", *ALARM)),
        ((), ("TRANSP:TRANSPARENT",), ("TRANSP:OPAQUE",), ("TRANSP:TRANSPARENT",)),
        (("COMMENT:a",), ("COMMENT:b",), ("COMMENT:a", "COMMENT:c"), ("COMMENT:c", "COMMENT:b")),
        ((), ("COMMENT:b",), ("COMMENT:a", "X-OURS:1"), ("COMMENT:a", "COMMENT:b", "X-OURS:1")),
        ((), ("COMMENT:b",), ("COMMENT:b",), ("COMMENT:b",)),
        (("COMMENT:b",), (), (), ()),
        (("COMMENT:a", "COMMENT:a"), ("COMMENT:a",), ("COMMENT:a", "COMMENT:a"), ("COMMENT:a",)),
        (("CATEGORIES:a,b",), ("CATEGORIES:b",), ("CATEGORIES:c,a",), ("CATEGORIES:c",)),
        (("CATEGORIES:a",), (), ("CATEGORIES:a", "X-OURS:1"), ("X-OURS:1",)),
        (("CATEGORIES:a",), (), ("CATEGORIES:a,b", "CATEGORIES:a"), ("CATEGORIES:b",)),
        (
            ("ATTENDEE:mailto:a@b",),
            ("ATTENDEE;PARTSTAT=ACCEPTED:mailto:a@b",),
            ("ATTENDEE;CN=A:mailto:A@b", "ATTENDEE:mailto:c@d"),
            ("ATTENDEE;PARTSTAT=ACCEPTED:mailto:a@b", "ATTENDEE:mailto:c@d"),
        ),
        (ALARM, (), ("X-OURS:1", *ALARM), ("X-OURS:1",)),
        (ALARM, (), ("X-OURS:1", ALARM[0], "UID:of-the-server", *ALARM[1:]), ("X-OURS:1",)),
        (("ATTACH:cid:a",), (), ("ATTACH;FILENAME=a.pdf:cid:a", "ATTACH:cid:b"), ("ATTACH:cid:b",)),
        ((), ALARM, ("X-OURS:1",), ("X-OURS:1", *ALARM)),
        (("SUMMARY:a",), ("SUMMARY:a", "X-CALBRIDGE-ORIGIN:a.b"), ("SUMMARY:c",), ("SUMMARY:c",)),
    ],
)
def test_what_changed_changes_in_the_target_and_nothing_else_does(
    old: tuple[str, ...], new: tuple[str, ...], target: tuple[str, ...], expected: tuple[str, ...]
) -> None:
    assert single(old, new, target) == event(START, *expected)


def test_times_change_together_in_the_form_that_comes() -> None:
    old, new = content((START, END)), content(("DTSTART:20260801T100000Z", "DTEND:20260801T110000Z"))
    target = content((START, "DURATION:PT1H", "SUMMARY:x"))
    assert applied(old, new, target) == event("DTSTART:20260801T100000Z", "DTEND:20260801T110000Z", "SUMMARY:x")


def test_what_stands_there_already_keeps_its_form() -> None:
    assert single((), ("STATUS:CONFIRMED", "LOCATION:x"), ("STATUS:confirmed",)) == event(
        START, "STATUS:confirmed", "LOCATION:x"
    )


def test_the_later_stamps_of_both_stay() -> None:
    new = ("SUMMARY:b", "SEQUENCE:10", "LAST-MODIFIED:20260301T000000Z", "CREATED:20200101T000000Z")
    target = ("SEQUENCE:9", "LAST-MODIFIED:20260401T000000Z", "SUMMARY:a")
    assert single(("SUMMARY:a",), new, target) == event(
        START, "SEQUENCE:10", "LAST-MODIFIED:20260401T000000Z", "SUMMARY:b"
    )


def test_stamps_that_are_missing_or_cannot_be_read_give_way() -> None:
    new = ("SUMMARY:b", "SEQUENCE:2", "LAST-MODIFIED:20260301T000000Z")
    assert single(("SUMMARY:a",), new, ("SEQUENCE:many", "SUMMARY:a")) == event(
        START, "SEQUENCE:2", "SUMMARY:b", "LAST-MODIFIED:20260301T000000Z"
    )


def test_a_part_that_does_not_change_keeps_its_stamps() -> None:
    old, new = content(SERIES, LATER), content((*SERIES, "SUMMARY:b", "SEQUENCE:3"), (*LATER, "SEQUENCE:3"))
    assert applied(old, new, old) == whole((*SERIES, "SUMMARY:b", "SEQUENCE:3"), LATER)


def test_a_new_override_inherits_what_only_the_target_holds() -> None:
    target = content((*SERIES, "SUMMARY:a", "X-OURS:1", "X-CALBRIDGE-ORIGIN:a.b", *ALARM))
    old = content((*SERIES, "SUMMARY:a", *ALARM))
    new = content((*SERIES, "SUMMARY:a", *ALARM), (*LATER, "SUMMARY:b", "X-CALBRIDGE-ORIGIN:c.d", *ALARM))
    result = parsed(applied(old, new, target))
    wanted = whole(
        (*SERIES, "SUMMARY:a", "X-OURS:1", *ALARM),
        (*LATER, "SUMMARY:b", "X-OURS:1", *ALARM),
    )
    assert digest(result) == digest(parsed(wanted))
    assert result.raw.count(b"X-CALBRIDGE-ORIGIN:a.b") == 2
    assert b"c.d" not in result.raw


def test_a_new_override_comes_whole_where_there_is_no_master() -> None:
    other = ("RECURRENCE-ID:20260728T150000Z", "DTSTART:20260728T150000Z")
    new = content(other, (*LATER, "SUMMARY:b", "X-CALBRIDGE-ORIGIN:c.d"))
    assert applied(content(other), new, content(other)) == whole(other, (*LATER, "SUMMARY:b"))


def test_a_changed_override_that_is_not_there_comes_whole() -> None:
    old, new = content(SERIES, (*LATER, "SUMMARY:a")), content(SERIES, (*LATER, "SUMMARY:b"))
    assert applied(old, new, content((*SERIES, OUT))) == whole(SERIES, (*LATER, "SUMMARY:b"))


def test_a_master_that_comes_stands_first() -> None:
    assert applied(content(LATER), content(SERIES, LATER), content(LATER)) == whole(SERIES, LATER)


def test_a_master_that_goes_leaves_its_overrides() -> None:
    old = content(SERIES, LATER)
    assert applied(old, content(LATER), old) == whole(LATER)
    assert applied(old, content(LATER), content(LATER)) == whole(LATER)


def test_an_override_that_goes_leaves_the_instance_to_the_master() -> None:
    old = content(SERIES, LATER)
    assert applied(old, content(SERIES), old) == whole(SERIES)


def test_a_cancelled_instance_loses_its_override_also_where_the_other_side_had_none() -> None:
    target = content(SERIES, LATER)
    assert applied(content(SERIES), content((*SERIES, OUT)), target) == whole((*SERIES, OUT))


def test_an_instance_that_takes_place_again_does_so_in_either_way_of_cancelling() -> None:
    by_date, by_status = content((*SERIES, OUT)), content(SERIES, (*PLAIN, "STATUS:CANCELLED"))
    plain, moved = content(SERIES), content(SERIES, LATER)
    assert applied(by_date, plain, by_status) == whole(SERIES)
    assert applied(by_status, plain, by_date) == whole(SERIES)
    for old in (by_date, by_status):
        for target in (by_date, by_status):
            assert digest(parsed(applied(old, moved, target))) == digest(parsed(whole(SERIES, LATER)))


def test_an_instance_is_not_cancelled_twice() -> None:
    by_date, by_status = content((*SERIES, OUT)), content(SERIES, (*PLAIN, "STATUS:CANCELLED"))
    assert applied(content(SERIES), by_status, by_date) == whole((*SERIES, OUT))
    with_note = content(SERIES, (*PLAIN, "STATUS:CANCELLED", "COMMENT:ill"))
    assert applied(by_status, with_note, by_date) == whole((*SERIES, OUT))


def test_an_override_of_an_excluded_instance_goes_over_with_its_exclusion() -> None:
    new = content((*SERIES, OUT), LATER)
    result = parsed(applied(content(SERIES), new, content(SERIES)))
    assert digest(result) == digest(parsed(whole((*SERIES, OUT), LATER)))


def test_an_instance_excluded_beside_its_override_changes_nothing_of_the_override() -> None:
    old, new = content((*SERIES, OUT), LATER), content(SERIES, LATER)
    assert applied(old, new, old) == whole(SERIES, LATER)


def test_a_cancelled_override_without_master_can_go() -> None:
    other = ("RECURRENCE-ID:20260728T150000Z", "DTSTART:20260728T150000Z")
    old = content(other, (*PLAIN, "STATUS:CANCELLED"))
    assert applied(old, content(other), old) == whole(other)


def test_the_rules_of_a_zone_come_along() -> None:
    new = read(parsed(stream(*CUSTOM_BERLIN, *component(CUSTOM))))
    assert applied(content((START,)), new, content((START, "X-OURS:1"))) == stream(
        *CUSTOM_BERLIN, *component(CUSTOM, "X-OURS:1")
    )


def test_other_rules_under_a_name_that_is_taken_get_another_name() -> None:
    old, new = content((START,)), read(parsed(stream(*EASTERN, *component(CUSTOM))))
    target = read(parsed(stream(*CUSTOM_BERLIN, *component(START, "RDATE;TZID=Customized Time Zone:20260801T100000"))))
    result = parsed(applied(old, new, target))
    assert b"DTSTART;TZID=Customized Time Zone 2:20260714T170000" in result.raw
    assert b"RDATE;TZID=Customized Time Zone:20260801T100000" in result.raw
    assert result.raw.count(b"BEGIN:VTIMEZONE") == 2
    assert result.span.first == parsed(write(new)).span.first


def test_equal_rules_under_a_name_are_not_added_again() -> None:
    old, new = content((START,)), read(parsed(stream(*CUSTOM_BERLIN, *component(CUSTOM))))
    once = apply(difference(old, new), read(parsed(stream(*EASTERN, *component(START, f"RDATE{CUSTOM[7:]}")))))
    moved = read(parsed(stream(*CUSTOM_BERLIN, *component(CUSTOM.replace("170000", "190000")))))
    again = parsed(write(apply(difference(new, moved), once)))
    assert again.raw.count(b"BEGIN:VTIMEZONE") == 2
    assert b"DTSTART;TZID=Customized Time Zone 2:20260714T190000" in again.raw


def test_a_quoted_zone_that_nobody_defined_is_not_taken_for_a_zone_of_the_target() -> None:
    new = content(('DTSTART;TZID="Customized Time Zone":20260714T170000',))
    target = read(parsed(stream(*CUSTOM_BERLIN, *component(CUSTOM))))
    assert b'DTSTART;TZID="Customized Time Zone 2":20260714T170000' in applied(content((START,)), new, target)


def test_the_uid_stays_that_of_the_target() -> None:
    other = stream(*component(*SERIES, uid="two,2"))
    result = applied(content(SERIES), content(SERIES, LATER), read(parsed(other)))
    assert parsed(result).uid == "two,2"
    assert MASTER in read(parsed(result)).parts
    assert KEY in read(parsed(result)).parts
