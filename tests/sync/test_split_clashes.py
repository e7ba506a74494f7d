"""A series that is cut in two on one side while one of its instances is edited on the other: nothing stands twice."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from bridge.core.recurrence import expand
from tests.sync.appointments import START, event, series, with_instance

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bridge.core.model import CalendarObject
    from tests.sync.desk import Remote, Resource, SyncDesk

POLICIES = ["newest", "ours", "theirs"]


def cut_in_two(side: Remote | Resource) -> None:
    """Somebody changes the sixth instance of ten and all that follow."""
    side.put(event("daily", "Class", "RRULE:FREQ=DAILY;UNTIL=20261129T090000Z"))
    side.put(event("daily-2", "Class, new", "RRULE:FREQ=DAILY;COUNT=5", start=START + timedelta(days=5)))


def starts(objects: Iterable[CalendarObject]) -> Counter[datetime]:
    """How often something begins at each instant."""
    until = START + timedelta(days=40)
    return Counter(found.first for obj in objects for found in expand(obj, START, until, zone=UTC, limit=1000))


@pytest.mark.parametrize("day", [1, 7])
@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("cut_here", [True, False])
def test_no_instance_stands_twice_and_none_is_missing(desk: SyncDesk, policy: str, day: int, *, cut_here: bool) -> None:
    desk.rule(on_conflict=policy)
    desk.resource().put(series(days=10))
    desk.rest()
    cut, other = (desk.resource(), desk.remote()) if cut_here else (desk.remote(), desk.resource())

    cut_in_two(cut)
    desk.wait()
    other.put(with_instance(series(days=10), day, "Edited"))
    desk.rest()

    expected = Counter({START + timedelta(days=day): 1 for day in range(10)})
    assert starts(desk.resource().objects().values()) == expected
    assert starts(desk.remote().objects().values()) == expected
    (lost,) = desk.conflicts()
    assert lost.uid == "daily"
