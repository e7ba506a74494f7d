"""Merging keeps its promises for what people do to appointments, whoever does what, on whatever a producer sent."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.core.canonical import digest
from bridge.core.content import made, read, write
from bridge.core.difference import difference, instance_of, is_cancelled
from bridge.core.ics import parse
from bridge.core.merge import Merged, merge
from bridge.core.sides import Side
from bridge.errors import ObjectRefused
from tests.core.core_samples import CUSTOM_BERLIN, component, stream
from tests.corpus.corpus import ACCOUNT_ZONE, samples
from tests.laws.edits import EDITS

if TYPE_CHECKING:
    from hypothesis.vendor.pretty import RepresentationPrinter

    from bridge.core.model import CalendarObject

START, END = "DTSTART;TZID=Europe/Berlin:20260714T170000", "DTEND;TZID=Europe/Berlin:20260714T180000"
GUESTS = ("ATTENDEE;CN=A:mailto:a@example.org", "ATTENDEE;PARTSTAT=ACCEPTED:mailto:b@example.org")
ALARM = ("BEGIN:VALARM", "ACTION:DISPLAY", "DESCRIPTION:Now", "TRIGGER:-PT15M", "END:VALARM")
FULL = (START, END, "SUMMARY:Cut", "CATEGORIES:A,B", "COMMENT:ja", "X-A:1", "X-A:2", *GUESTS, *ALARM)
SERIES = component(*FULL, "RRULE:FREQ=DAILY;COUNT=12", "EXDATE;TZID=Europe/Berlin:20260717T170000,20260718T170000")
MOVED = component(
    "RECURRENCE-ID;TZID=Europe/Berlin:20260715T170000",
    "DTSTART;TZID=Europe/Berlin:20260715T190000",
    "DTEND;TZID=Europe/Berlin:20260715T200000",
    "SUMMARY:Cut",
    *GUESTS,
)
OFF = component("RECURRENCE-ID:20260716T150000Z", "DTSTART:20260716T150000Z", "STATUS:CANCELLED")
CUSTOM = component(
    "DTSTART;TZID=Customized Time Zone:20260714T170000",
    "RRULE:FREQ=DAILY",
    "EXDATE;TZID=Customized Time Zone:20260716T170000",
)
TEMPLATES = [
    stream(*component(*FULL)),
    stream(*SERIES),
    stream(*SERIES, *MOVED, *OFF),
    stream(*MOVED, *OFF),
    stream(*CUSTOM_BERLIN, *CUSTOM),
    stream(*component("DTSTART;VALUE=DATE:20260714", "SUMMARY:Day", "RRULE:FREQ=WEEKLY")),
    stream(*component("DUE:20260714T170000Z", "SUMMARY:Do", *ALARM, kind="VTODO")),
    *(sample.raw for sample in samples() if len(sample.raw) < 10_000),
]
LAW = settings(max_examples=120, deadline=None)
EDITING = st.lists(st.tuples(st.sampled_from(sorted(EDITS)), st.integers(0, 5)), max_size=3)
BASES = st.one_of(st.integers(0, 6), st.integers(0, len(TEMPLATES) - 1))


def parsed(raw: bytes) -> CalendarObject:
    return parse(raw, zone=ACCOUNT_ZONE, max_instances=10_000)


@cache
def template(number: int) -> CalendarObject:
    return parsed(TEMPLATES[number])


def edited(obj: CalendarObject, edits: list[tuple[str, int]]) -> CalendarObject:
    """An object after some edits; one that would make it no appointment any more is left out."""
    for name, number in edits:
        raw = write(EDITS[name].edit(read(obj), number))
        try:
            obj = parsed(raw)
        except ObjectRefused:
            continue
    return obj


def reordered(obj: CalendarObject) -> CalendarObject:
    """The same object as another server would give it back."""
    content = read(obj)
    turned = {
        key: replace(part, content=(*part.lines[::-1], *part.alarms[::-1])) for key, part in content.parts.items()
    }
    return parsed(write(replace(content, parts=turned)))


def same(one: CalendarObject, other: CalendarObject) -> bool:
    """Whether two objects mean the same; of a cancelled instance only counts that it is cancelled."""
    found = difference(read(one), read(other))
    instances = {instance_of(slot) for slot in found.changes} - {None}
    return digest(one) == digest(other) or (
        all(instance_of(slot) for slot in found.changes)
        and all(is_cancelled(content, key) for content in (found.old, found.new) for key in instances if key)
    )


@dataclass(frozen=True, slots=True)
class Case:
    """Two sides and what they agreed on."""

    def _repr_pretty_(self, printer: RepresentationPrinter, cycle: bool) -> None:  # noqa: FBT001 -- hypothesis asks so
        assert not cycle
        sides = (self.base_here, self.here, self.base_there, self.there)
        printer.text("\n\n".join([str(self.prefer), *(obj.raw.decode() for obj in sides)]))

    base_here: CalendarObject
    here: CalendarObject
    base_there: CalendarObject
    there: CalendarObject
    prefer: Side

    def merged(self) -> Merged:
        return merge(
            base_here=self.base_here, here=self.here, base_there=self.base_there, there=self.there, prefer=self.prefer
        )


@st.composite
def cases(draw: st.DrawFn) -> Case:
    base = template(draw(BASES))
    base_there = reordered(base) if draw(st.booleans()) else base
    here, there = edited(base, draw(EDITING)), edited(base_there, draw(EDITING))
    return Case(base, here, base_there, there, draw(st.sampled_from(Side)))


@LAW
@given(BASES)
def test_where_nothing_changed_both_sides_stay_as_they_are(number: int) -> None:
    base = template(number)
    for prefer in Side:
        found = Case(base, base, reordered(base), reordered(base), prefer).merged()
        assert found == Merged(base.raw, reordered(base).raw, ())


@LAW
@given(BASES, EDITING, st.sampled_from(Side))
def test_the_change_of_one_side_goes_over_in_full(number: int, edits: list[tuple[str, int]], prefer: Side) -> None:
    base = template(number)
    turned = reordered(base)
    here = edited(base, edits)
    found = Case(base, here, turned, turned, prefer).merged()
    assert found.here == here.raw
    assert same(parsed(found.there), here)
    assert found.clashes == ()


@LAW
@given(BASES, EDITING, st.sampled_from(Side))
def test_changes_that_are_alike_make_no_clash(number: int, edits: list[tuple[str, int]], prefer: Side) -> None:
    base = template(number)
    here = edited(base, edits)
    there = reordered(here)
    assert Case(base, here, reordered(base), there, prefer).merged() == Merged(here.raw, there.raw, ())


@LAW
@given(cases())
def test_sides_and_preference_exchanged_exchange_the_results(case: Case) -> None:
    found = case.merged()
    mirrored = Case(case.base_there, case.there, case.base_here, case.here, case.prefer.other).merged()
    assert (mirrored.here, mirrored.there) == (found.there, found.here)
    assert {(one.part, one.property, one.there, one.here) for one in mirrored.clashes} == {
        (one.part, one.property, one.here, one.there) for one in found.clashes
    }


@LAW
@given(cases())
def test_what_is_merged_can_be_read_and_keeps_its_uid(case: Case) -> None:
    found = case.merged()
    assert parsed(found.here).uid == case.here.uid
    assert parsed(found.there).uid == case.there.uid


@LAW
@given(cases())
def test_from_equal_bases_both_sides_become_equal(case: Case) -> None:
    found = case.merged()
    assert same(parsed(found.here), parsed(found.there))


@LAW
@given(cases())
def test_what_is_merged_changes_no_more(case: Case) -> None:
    found = case.merged()
    again = Case(case.base_here, parsed(found.here), case.base_there, parsed(found.there), case.prefer).merged()
    assert again == Merged(found.here, found.there, ())


@LAW
@given(BASES, EDITING, EDITING, st.sampled_from(Side))
def test_independent_changes_survive_on_both_sides(
    number: int, first: list[tuple[str, int]], second: list[tuple[str, int]], prefer: Side
) -> None:
    touched = {what for name, _ in first for what in EDITS[name].touches}
    second = [edit for edit in second if not touched & EDITS[edit[0]].touches]
    base = template(number)
    here, there = edited(base, first), edited(base, second)
    found = Case(base, here, base, there, prefer).merged()
    both = [edited(here, second), edited(there, first)]
    assert found.clashes == ()
    for result in (found.here, found.there):
        assert any(same(parsed(result), wanted) for wanted in both)


@LAW
@given(BASES, EDITING, EDITING, st.sampled_from(Side))
def test_nothing_that_the_remote_never_held_is_lost(
    number: int, ours: list[tuple[str, int]], theirs: list[tuple[str, int]], prefer: Side
) -> None:
    base_there = template(number)
    content = read(base_there)
    kept = (made("X-OURS", "1"), made("X-OURS", "2"), made("NAME", "a"))
    parts = {key: replace(part, content=(*kept, *part.content)) for key, part in content.parts.items()}
    base_here = parsed(write(replace(content, parts=parts)))
    here = edited(base_here, ours)
    found = Case(base_here, here, base_there, edited(base_there, theirs), prefer).merged()
    for part in read(parsed(found.here)).parts.values():
        assert set(kept) <= set(part.content)
    assert all(b"X-OURS" not in found.there for edits in (ours,) if not edits)
