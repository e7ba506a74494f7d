"""Tests of what two versions have in common: the base of a merge where nobody knows what was before."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bridge.core.common import common
from bridge.core.content import read, write
from bridge.core.merge import merge
from bridge.core.sides import Side
from tests.store.appointments import parse
from tests.sync.appointments import event, series, with_instance

if TYPE_CHECKING:
    from bridge.core.model import CalendarObject


def met(here: CalendarObject, there: CalendarObject, prefer: Side) -> tuple[str, str]:
    base = parse(write(common(read(here), read(there), prefer=prefer)))
    merged = merge(base_here=base, here=here, base_there=base, there=there, prefer=prefer)
    return merged.here.decode(), merged.there.decode()


@pytest.mark.parametrize("prefer", Side)
def test_what_only_one_side_says_goes_to_the_other(prefer: Side) -> None:
    here, there = event("one", "Cut", "X-SALON:chair 3"), event("one", "Cut", "LOCATION:Room 1")

    for text in met(here, there, prefer):
        assert "X-SALON:chair 3" in text
        assert "LOCATION:Room 1" in text


@pytest.mark.parametrize(("prefer", "title"), [(Side.HERE, "Cut"), (Side.THERE, "Colour")])
def test_what_both_say_differently_is_as_the_preferred_side_says(prefer: Side, title: str) -> None:
    here, there = event("one", "Cut", "X-SALON:chair 3"), event("one", "Colour", "LOCATION:Room 1")

    for text in met(here, there, prefer):
        assert f"SUMMARY:{title}\r\n" in text
        assert "X-SALON:chair 3" in text
        assert "LOCATION:Room 1" in text


@pytest.mark.parametrize("prefer", Side)
def test_instances_that_one_side_alone_has_changed_are_changed_on_both(prefer: Side) -> None:
    here = with_instance(series("one", "Class"), 1, "Exam")
    there = series("one", "Class", "EXDATE:20261127T090000Z")

    for text in met(here, there, prefer):
        assert "SUMMARY:Exam" in text
        assert "EXDATE:20261127T090000Z" in text


@pytest.mark.parametrize("prefer", Side)
def test_two_that_are_the_same_stay_as_they_are(prefer: Side) -> None:
    here = with_instance(series("one", "Class"), 1, "Exam")

    assert met(here, here, prefer) == (here.raw.decode(), here.raw.decode())
