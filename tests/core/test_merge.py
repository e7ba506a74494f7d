from __future__ import annotations

import pytest

from bridge.core.canonical import digest
from bridge.core.meaning import WHEN
from bridge.core.merge import INSTANCE, OBJECT, SERIES, Merged, merge
from bridge.core.sides import Side
from tests.core.core_samples import component, stream
from tests.core.core_samples import read as parsed

START = "DTSTART;TZID=Europe/Berlin:20260714T170000"
END = "DTEND;TZID=Europe/Berlin:20260714T180000"
KEY = "2026-07-21T15:00:00Z"
NAMED = "RECURRENCE-ID;TZID=Europe/Berlin:20260721T170000"
PLAIN = (NAMED, "DTSTART;TZID=Europe/Berlin:20260721T170000", "DTEND;TZID=Europe/Berlin:20260721T180000")
LATER = (NAMED, "DTSTART;TZID=Europe/Berlin:20260721T190000", "DTEND;TZID=Europe/Berlin:20260721T200000")
LATEST = (NAMED, "DTSTART;TZID=Europe/Berlin:20260721T210000", "DTEND;TZID=Europe/Berlin:20260721T220000")
NEXT = ("RECURRENCE-ID;TZID=Europe/Berlin:20260728T170000", "DTSTART;TZID=Europe/Berlin:20260728T180000")
RULE = "RRULE:FREQ=WEEKLY"
SERIES_LINES = (START, END, RULE, "SUMMARY:a")
OUT = "EXDATE;TZID=Europe/Berlin:20260721T170000"
OFF = (*PLAIN, "STATUS:CANCELLED")

Parts = tuple[tuple[str, ...], ...]


def whole(*parts: tuple[str, ...], uid: str = "one@example.org") -> bytes:
    return stream(*(line for part in parts for line in component(*part, uid=uid)))


def merged(
    base: Parts, here: Parts, there: Parts, prefer: Side = Side.HERE, *, base_there: Parts | None = None
) -> Merged:
    return merge(
        base_here=parsed(whole(*base)),
        here=parsed(whole(*here)),
        base_there=parsed(whole(*(base if base_there is None else base_there), uid="remote")),
        there=parsed(whole(*there, uid="remote")),
        prefer=prefer,
    )


def assert_means(found: Merged, *parts: tuple[str, ...]) -> None:
    """Both sides say the same, each under its own UID."""
    assert digest(parsed(found.here)) == digest(parsed(whole(*parts)))
    assert digest(parsed(found.there)) == digest(parsed(whole(*parts, uid="remote")))


def told(found: Merged) -> list[tuple[str, str]]:
    return [(clash.part, clash.property) for clash in found.clashes]


def test_edits_of_different_properties_survive_on_both_sides() -> None:
    found = merged(((START, "SUMMARY:a"),), ((START, "SUMMARY:b"),), ((START, "SUMMARY:a", "LOCATION:x"),))
    assert_means(found, (START, "SUMMARY:b", "LOCATION:x"))
    assert told(found) == []


def test_an_alarm_beside_the_word_that_none_rings_is_the_only_one() -> None:
    rings = ("BEGIN:VALARM", "ACTION:DISPLAY", "TRIGGER:-PT15M", "DESCRIPTION:Now", "END:VALARM")
    silent = ("BEGIN:VALARM", "ACTION:NONE", "TRIGGER;VALUE=DATE-TIME:19760401T005545Z", "END:VALARM")
    found = merged(((START, "SUMMARY:a"),), ((START, "SUMMARY:a", *silent),), ((START, "SUMMARY:a", *rings),))
    assert_means(found, (START, "SUMMARY:a", *rings))

    found = merged(((START, "SUMMARY:a", *rings),), ((START, "SUMMARY:a", *silent),), ((START, "SUMMARY:a", *rings),))
    assert_means(found, (START, "SUMMARY:a", *silent))


def test_nothing_changed_leaves_the_bytes_of_both_sides() -> None:
    found = merged((SERIES_LINES, LATER), (SERIES_LINES, LATER), (SERIES_LINES, LATER))
    assert found == Merged(whole(SERIES_LINES, LATER), whole(SERIES_LINES, LATER, uid="remote"), ())


@pytest.mark.parametrize(("prefer", "title"), [(Side.HERE, "b"), (Side.THERE, "c")])
def test_the_preferred_side_has_the_property_that_both_changed(prefer: Side, title: str) -> None:
    found = merged(
        ((START, "SUMMARY:a", "LOCATION:x"),),
        ((START, "SUMMARY:b", "LOCATION:x"),),
        ((START, "SUMMARY:c", "LOCATION:y"),),
        prefer,
    )
    assert_means(found, (START, f"SUMMARY:{title}", "LOCATION:y"))
    assert told(found) == [("", "SUMMARY")]
    assert (found.clashes[0].here, found.clashes[0].there) == ("SUMMARY:b", "SUMMARY:c")


def test_a_property_removed_here_and_changed_there_is_a_clash() -> None:
    found = merged(((START, "SUMMARY:a"),), ((START,),), ((START, "SUMMARY:c"),), Side.HERE)
    assert_means(found, (START,))
    assert (found.clashes[0].here, found.clashes[0].there) == ("", "SUMMARY:c")


def test_the_time_of_an_appointment_moves_as_one() -> None:
    there = (START, "DTEND;TZID=Europe/Berlin:20260714T190000")
    found = merged(((START, END),), (("DTSTART:20260714T160000Z", "DTEND:20260714T170000Z"),), (there,), Side.THERE)
    assert_means(found, there)
    assert told(found) == [("", WHEN)]


def test_both_answer_for_themselves_and_invite_others() -> None:
    guests = ("ATTENDEE:mailto:a@b", "ATTENDEE:mailto:c@d")
    here = ("ATTENDEE;PARTSTAT=ACCEPTED:mailto:a@b", "ATTENDEE:mailto:c@d", "ATTENDEE:mailto:e@f")
    there = ("ATTENDEE:mailto:a@b", "ATTENDEE;PARTSTAT=DECLINED:mailto:c@d")
    found = merged(((START, *guests),), ((START, *here),), ((START, *there),))
    assert_means(found, (START, here[0], there[1], here[2]))
    assert told(found) == []


def test_what_the_remote_side_never_held_stays_here() -> None:
    found = merged(
        ((START, "SUMMARY:a", "X-OURS:1"),),
        ((START, "SUMMARY:a", "X-OURS:1", "COMMENT:x"),),
        ((START, "SUMMARY:b"),),
        base_there=((START, "SUMMARY:a"),),
    )
    assert digest(parsed(found.here)) == digest(parsed(whole((START, "SUMMARY:b", "X-OURS:1", "COMMENT:x"))))
    assert digest(parsed(found.there)) == digest(parsed(whole((START, "SUMMARY:b", "COMMENT:x"), uid="remote")))


def test_different_instances_are_edited_apart() -> None:
    base = (SERIES_LINES,)
    found = merged(base, (SERIES_LINES, (*LATER, "SUMMARY:a")), ((*SERIES_LINES, OUT.replace("0721", "0804")), NEXT))
    assert_means(found, (*SERIES_LINES, OUT.replace("0721", "0804")), (*LATER, "SUMMARY:a"), NEXT)
    assert told(found) == []


def test_one_instance_is_edited_property_by_property_on_both_sides() -> None:
    here, there = (*LATER, "SUMMARY:a"), (*PLAIN, "SUMMARY:b")
    for base in ((SERIES_LINES,), (SERIES_LINES, (*PLAIN, "SUMMARY:a"))):
        found = merged(base, (SERIES_LINES, here), (SERIES_LINES, there))
        assert_means(found, SERIES_LINES, (*LATER, "SUMMARY:b"))
        assert told(found) == []


def test_one_instance_moved_to_two_times_goes_where_the_preferred_side_has_it() -> None:
    found = merged((SERIES_LINES,), (SERIES_LINES, LATER), (SERIES_LINES, LATEST), Side.THERE)
    assert_means(found, SERIES_LINES, LATEST)
    assert told(found) == [(KEY, WHEN)]


def test_an_instance_moved_on_one_side_takes_the_new_title_of_the_series() -> None:
    renamed = (*SERIES_LINES[:3], "SUMMARY:b", "COMMENT:new")
    found = merged((SERIES_LINES,), (SERIES_LINES, (*LATER, "SUMMARY:a")), (renamed,))
    assert_means(found, renamed, (*LATER, "SUMMARY:b", "COMMENT:new"))
    own = merged((SERIES_LINES,), (SERIES_LINES, (*LATER, "SUMMARY:mine")), (renamed,))
    assert_means(own, renamed, (*LATER, "SUMMARY:mine", "COMMENT:new"))


@pytest.mark.parametrize("prefer", list(Side))
@pytest.mark.parametrize("gone", [((*SERIES_LINES, OUT),), (SERIES_LINES, OFF), (SERIES_LINES,)])
def test_an_edit_of_an_instance_beats_its_removal(prefer: Side, gone: Parts) -> None:
    base, edit = (SERIES_LINES, (*LATER, "SUMMARY:a")), (SERIES_LINES, (*LATER, "SUMMARY:b"))
    found = merged(base, gone, edit, prefer)
    assert_means(found, *edit)
    assert told(found) == [(KEY, INSTANCE)]
    mirrored = merged(base, edit, gone, prefer)
    assert_means(mirrored, *edit)
    assert told(mirrored) == [(KEY, INSTANCE)]


def test_an_instance_edited_there_that_was_no_override_beats_its_cancellation_here() -> None:
    found = merged((SERIES_LINES,), ((*SERIES_LINES, OUT),), (SERIES_LINES, LATER))
    assert_means(found, SERIES_LINES, LATER)
    assert told(found) == [(KEY, INSTANCE)]
    assert OUT in found.clashes[0].here


def test_an_instance_cancelled_in_two_ways_is_no_clash_and_each_side_keeps_its_way() -> None:
    base = (SERIES_LINES, LATER)
    found = merged(base, ((*SERIES_LINES, OUT),), (SERIES_LINES, OFF))
    assert found == Merged(whole((*SERIES_LINES, OUT)), whole(SERIES_LINES, OFF, uid="remote"), ())


def test_two_cancelled_overrides_are_compared_by_what_they_say() -> None:
    found = merged((SERIES_LINES,), (SERIES_LINES, (*OFF, "COMMENT:a")), (SERIES_LINES, (*OFF, "COMMENT:b")))
    assert_means(found, SERIES_LINES, (*OFF, "COMMENT:a", "COMMENT:b"))


@pytest.mark.parametrize(("prefer", "parts"), [(Side.HERE, ((*SERIES_LINES, OUT),)), (Side.THERE, (SERIES_LINES,))])
def test_an_override_cancelled_here_and_reverted_there_goes_as_preferred(prefer: Side, parts: Parts) -> None:
    found = merged((SERIES_LINES, LATER), ((*SERIES_LINES, OUT),), (SERIES_LINES,), prefer)
    assert_means(found, *parts)
    assert told(found) == [(KEY, INSTANCE)]


@pytest.mark.parametrize("prefer", list(Side))
@pytest.mark.parametrize(
    "instances", [(SERIES_LINES, LATER), ((*SERIES_LINES, OUT),), ((*SERIES_LINES, "RDATE:20260801T100000Z"),)]
)
def test_a_new_pattern_and_edited_instances_are_one_clash_of_the_series(prefer: Side, instances: Parts) -> None:
    moved = (START.replace("T17", "T16"), *SERIES_LINES[1:3], "SUMMARY:b")
    found = merged((SERIES_LINES,), (moved,), instances, prefer)
    if prefer is Side.HERE:
        assert_means(found, moved)
    else:
        assert_means(found, (*instances[0][:3], "SUMMARY:b", *instances[0][4:]), *instances[1:])
    assert told(found) == [("", SERIES)]


def test_overrides_of_a_lost_pattern_go_with_it() -> None:
    moved = (START.replace("T17", "T16"), END, RULE, "SUMMARY:a", "EXDATE;TZID=Europe/Berlin:20260721T160000")
    other = ("RECURRENCE-ID;TZID=Europe/Berlin:20260728T160000", "DTSTART;TZID=Europe/Berlin:20260728T163000")
    found = merged((SERIES_LINES, LATER), (moved, other), (SERIES_LINES, LATEST), Side.THERE)
    assert_means(found, SERIES_LINES, LATEST)


def test_the_same_new_pattern_on_both_sides_is_no_clash_with_an_instance() -> None:
    short = (START, END, f"{RULE};UNTIL=20261231T000000Z", "SUMMARY:a")
    found = merged((SERIES_LINES,), (short,), (short, LATER))
    assert_means(found, short, LATER)
    assert told(found) == []


def test_an_appointment_that_becomes_a_series_and_moves_elsewhere_is_a_clash_of_the_series() -> None:
    moved = (START.replace("T17", "T16"), END)
    found = merged(((START, END),), ((START, END, RULE),), (moved,), Side.THERE)
    assert_means(found, moved)
    assert told(found) == [("", SERIES)]


@pytest.mark.parametrize("prefer", list(Side))
def test_an_edit_of_the_master_beats_its_removal(prefer: Side) -> None:
    base, renamed = (SERIES_LINES, LATER), ((*SERIES_LINES[:3], "SUMMARY:b"), LATER)
    found = merged(base, (LATER,), renamed, prefer)
    assert_means(found, *renamed)
    assert told(found) == [("", INSTANCE)]


def test_a_master_that_comes_back_leaves_an_instance_that_was_put_back_by_hand() -> None:
    base, renamed = ((*SERIES_LINES, OUT),), ((*SERIES_LINES[:3], "SUMMARY:b", OUT),)
    found = merged(base, (LATER,), renamed)
    assert_means(found, (*SERIES_LINES[:3], "SUMMARY:b"), LATER)


def test_a_master_goes_where_only_instances_were_left_alone() -> None:
    base = (SERIES_LINES, LATER)
    found = merged(base, (LATER,), (SERIES_LINES, (*LATER, "COMMENT:x")))
    assert_means(found, (*LATER, "COMMENT:x"))
    assert told(found) == []


@pytest.mark.parametrize(("prefer", "parts"), [(Side.HERE, (LATER,)), (Side.THERE, (SERIES_LINES,))])
def test_an_object_is_never_left_without_parts(prefer: Side, parts: Parts) -> None:
    found = merged((SERIES_LINES, LATER), (LATER,), (SERIES_LINES,), prefer)
    assert_means(found, *parts)
    assert told(found) == [("", OBJECT)]


def as_task(parts: Parts, uid: str) -> bytes:
    return whole(*parts, uid=uid).replace(b"VEVENT", b"VTODO")


@pytest.mark.parametrize("prefer", list(Side))
@pytest.mark.parametrize("changed", [{Side.HERE}, {Side.THERE}, {Side.HERE, Side.THERE}, set()])
def test_an_object_of_another_type_goes_over_as_a_whole(prefer: Side, changed: set[Side]) -> None:
    base = {Side.HERE: whole((START, "SUMMARY:a")), Side.THERE: as_task(((START, "SUMMARY:a"),), "remote")}
    new = {Side.HERE: whole((START, "SUMMARY:b")), Side.THERE: as_task(((START, "SUMMARY:c"),), "remote")}
    here, there = (parsed((new if side in changed else base)[side]) for side in Side)
    found = merge(
        base_here=parsed(base[Side.HERE]), here=here, base_there=parsed(base[Side.THERE]), there=there, prefer=prefer
    )
    winner = prefer if len(changed) > 1 else next(iter(changed), None)
    kinds = [parsed(raw).component for raw in (found.here, found.there)]
    assert (
        kinds
        == {
            None: ["VEVENT", "VTODO"],
            Side.HERE: ["VEVENT", "VEVENT"],
            Side.THERE: ["VTODO", "VTODO"],
        }[winner]
    )
    assert [parsed(raw).uid for raw in (found.here, found.there)] == ["one@example.org", "remote"]
    assert told(found) == ([("", OBJECT)] if len(changed) > 1 else [])


def test_the_mark_of_a_rule_goes_nowhere() -> None:
    base, marked = (SERIES_LINES,), ((*SERIES_LINES, "X-CALBRIDGE-ORIGIN:a.b"), (*LATER, "X-CALBRIDGE-ORIGIN:a.b"))
    found = merged(base, base, marked, base_there=((*SERIES_LINES, "X-CALBRIDGE-ORIGIN:a.b"),))
    assert b"ORIGIN" not in found.here
    assert found.there == whole(*marked, uid="remote")
