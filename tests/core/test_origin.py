from __future__ import annotations

import pytest

from bridge.core.canonical import digest
from bridge.core.content import read as content_of
from bridge.core.content import write
from bridge.core.origin import ORIGIN, Origin, mark, marks, unmarked
from tests.core.core_samples import component, read, read_event, stream

SECRET = b"a secret of the site"
ANNA = Origin.of(SECRET, rule="anna", target="salon/anna|google|primary")
MASTER = component("DTSTART:20260714T090000Z", "RRULE:FREQ=DAILY;COUNT=3", "SUMMARY:Cut")
OVERRIDE = component("RECURRENCE-ID:20260715T090000Z", "DTSTART:20260715T100000Z", "SUMMARY:Cut")


def test_an_origin_survives_being_written() -> None:
    assert Origin.parse(str(ANNA)) == ANNA
    assert Origin.parse(f"  {ANNA} ") == ANNA


def test_an_origin_is_the_same_each_time_and_another_for_another_rule_target_or_site() -> None:
    assert Origin.of(SECRET, rule="anna", target="salon/anna|google|primary") == ANNA
    others = [
        Origin.of(SECRET, rule="berta", target="salon/anna|google|primary"),
        Origin.of(SECRET, rule="anna", target="salon/anna|google|other"),
        Origin.of(b"another", rule="anna", target="salon/anna|google|primary"),
    ]
    assert [other.site == ANNA.site for other in others] == [True, True, False]
    assert len({ANNA.rule, *(other.rule for other in others)}) == 4


@pytest.mark.parametrize(
    "text",
    ["", "x", ANNA.site, f"{ANNA}0", f"{ANNA}.1", str(ANNA).upper(), f"{ANNA.site} .{ANNA.rule}", f"{'g' * 16}.{'0' * 16}"],
)  # fmt: skip
def test_garbage_is_no_origin(text: str) -> None:
    assert Origin.parse(text) is None
    assert marks(read_event("DTSTART:20260714T090000Z", f"{ORIGIN}:{text}")) is None


def test_an_origin_that_cannot_be_written_is_refused() -> None:
    with pytest.raises(ValueError, match="16 lower-case hex digits"):
        Origin("salon", ANNA.rule)


def test_an_object_is_marked_in_every_component_and_recognised() -> None:
    obj = read(stream(*MASTER, *OVERRIDE))
    assert marks(obj) is None
    marked = read(write(mark(content_of(obj), ANNA)))
    assert marked.raw.count(f"{ORIGIN}:{ANNA}\r\n".encode()) == 2
    assert marks(marked) == ANNA


def test_marking_again_leaves_one_mark() -> None:
    berta = Origin.of(SECRET, rule="berta", target="x")
    twice = read(write(mark(mark(content_of(read(stream(*MASTER))), ANNA), berta)))
    assert marks(twice) == berta
    assert twice.raw.count(ORIGIN.encode()) == 1


def test_taking_the_mark_off_gives_the_object_back_as_it_was() -> None:
    obj = read(stream(*MASTER, *OVERRIDE))
    assert write(unmarked(mark(content_of(obj), ANNA))) == obj.raw
    assert digest(read(write(unmarked(content_of(obj))))) == digest(obj)


def test_the_mark_of_the_master_counts_wherever_it_stands() -> None:
    berta = Origin.of(SECRET, rule="berta", target="x")
    override = (*OVERRIDE[:-1], f"{ORIGIN}:{berta}", OVERRIDE[-1])
    master = (*MASTER[:-1], f"{ORIGIN}:{ANNA}", MASTER[-1])
    assert marks(read(stream(*override, *master))) == ANNA
    assert marks(read(stream(*override, *MASTER))) == berta


def test_of_several_marks_the_first_sound_one_counts() -> None:
    obj = read_event("DTSTART:20260714T090000Z", f"{ORIGIN}:nonsense", f"{ORIGIN}:{ANNA}")
    assert marks(obj) == ANNA


def test_a_creation_has_the_same_request_id_at_each_try_and_another_at_the_next_creation() -> None:
    first = ANNA.request_id("one@example.org", 1)
    assert first == ANNA.request_id("one@example.org", 1)
    assert len(first) == 32
    assert set(first) <= set("0123456789abcdef")
    assert len({first, ANNA.request_id("one@example.org", 2), ANNA.request_id("two@example.org", 1)}) == 3
