"""Tests of passes that are killed before each statement, each commit and each answer: the end is the same as without.

A process that dies says nothing any more: from the chosen step on, every statement and every call dies as well. Another
process takes over when the lease has ended.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from tests.fakes.shelf import FULL, WEAK
from tests.laws.sync_edits import bare
from tests.laws.sync_fuse import killed_everywhere
from tests.store.integrity import check_integrity
from tests.sync.appointments import event, series, with_instance
from tests.sync.desk import SyncDesk
from tests.sync.stage import Stage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bridge.core.model import CalendarObject

FEWEST_KILLS = 12
UNTIL = "RRULE:FREQ=DAILY;UNTIL=20261127T000000Z"


def first_pass(desk: SyncDesk) -> None:
    desk.resource().put(event("ours", "Cut"))
    desk.resource().put(with_instance(series("class", "Class"), 1, "Exam", moved=timedelta(hours=2)))
    desk.remote().put(event("theirs", "Colour"))
    desk.rule()


def push(desk: SyncDesk) -> None:
    agreed(desk)
    desk.resource().put(event("one", "Colour", "X-SALON:chair 3"))
    desk.resource().put(event("new", "Shave", "X-SALON:chair 4"))


def pull(desk: SyncDesk) -> None:
    agreed(desk)
    desk.remote().put(event("one", "Colour"))
    desk.remote().put(event("new", "Shave"))


def clash(desk: SyncDesk) -> None:
    agreed(desk)
    desk.resource().put(event("one", "Colour", "LOCATION:Room 1"))
    desk.remote().put(event("one", "Shave", "CATEGORIES:VIP"))


def push_of_series(desk: SyncDesk) -> None:
    desk.remote().shelf.stepwise = True
    desk.resource().put(with_instance(series("class", "Class"), 1, "Exam", moved=timedelta(hours=2)))
    agreed(desk)
    desk.resource().put(with_instance(series("class", "Lesson"), 2, "Party", moved=timedelta(hours=2)))
    desk.resource().put(with_instance(series("new", "Course"), 2, "Feast", moved=timedelta(hours=2)))


def clash_of_series(desk: SyncDesk) -> None:
    push_of_series(desk)
    desk.remote().change("class", "SUMMARY:Exam", "LOCATION:Room 1\r\nSUMMARY:Exam")


def deletion_here(desk: SyncDesk) -> None:
    agreed(desk)
    desk.resource().delete("one")


def deletion_there(desk: SyncDesk) -> None:
    agreed(desk)
    desk.remote().delete("one")


def adoption(desk: SyncDesk) -> None:
    desk.resource().put(event("one", "Cut", "X-SALON:chair 3"))
    desk.remote().put(event("one", "Colour", "LOCATION:Room 1"))
    desk.resource().put(event("ours", "Shave"))
    desk.remote().put(event("theirs", "Shave", "LOCATION:Room 2"))
    desk.rule()


def split_here(desk: SyncDesk) -> None:
    desk.resource().put(event("daily", "Class", "RRULE:FREQ=DAILY;COUNT=10"))
    desk.rule()
    desk.sync()
    desk.resource().put(event("daily", "Class", UNTIL))
    desk.resource().put(event("second", "Class", "RRULE:FREQ=DAILY;COUNT=8", start=SECOND))


def split_there(desk: SyncDesk) -> None:
    desk.remote().put(event("daily", "Class", "RRULE:FREQ=DAILY;COUNT=10"))
    desk.rule()
    desk.sync()
    desk.remote().put(event("daily", "Class", UNTIL))
    desk.remote().put(event("second", "Class", "RRULE:FREQ=DAILY;COUNT=8", start=SECOND))


def recreation(desk: SyncDesk) -> None:
    agreed(desk)
    desk.resource().put(event("one", "Colour"))
    desk.remote().delete("one")


def restoring(desk: SyncDesk) -> None:
    agreed(desk)
    desk.remote().put(event("one", "Colour"))
    desk.resource().delete("one")


def agreed(desk: SyncDesk) -> None:
    """Two appointments stand on both sides."""
    desk.resource().put(event("one", "Cut", "X-SALON:chair 3"))
    desk.resource().put(event("two", "Cut"))
    desk.rule()
    desk.sync()


SECOND = event("second").span.first + timedelta(days=2)


def change_again(desk: SyncDesk) -> dict[str, str]:
    for uid in ("one", "new"):
        desk.resource().put(event(uid, "Trim", "X-SALON:chair 5"))
    return {"one": "Trim", "two": "Cut", "new": "Trim"}


def take_back(desk: SyncDesk) -> dict[str, str]:
    desk.resource().put(event("one", "Cut", "X-SALON:chair 3"))
    desk.resource().delete("new")
    return {"one": "Cut", "two": "Cut"}


def delete(desk: SyncDesk) -> dict[str, str]:
    for uid in ("one", "new"):
        desk.resource().delete(uid)
    return {"two": "Cut"}


def change_series_again(desk: SyncDesk) -> dict[str, str]:
    for uid in ("class", "new"):
        desk.resource().put(with_instance(series(uid, "Yoga"), 1, "Rest", moved=timedelta(hours=3)))
    return {"one": "Cut", "two": "Cut", "class": "Yoga", "new": "Yoga"}


def delete_series(desk: SyncDesk) -> dict[str, str]:
    for uid in ("class", "new"):
        desk.resource().delete(uid)
    return {"one": "Cut", "two": "Cut"}


def change_again_there(desk: SyncDesk) -> dict[str, str]:
    for uid in ("one", "new"):
        desk.remote().put(event(uid, "Trim"))
    return {"one": "Trim", "two": "Cut", "new": "Trim"}


def delete_there(desk: SyncDesk) -> dict[str, str]:
    for uid in ("one", "new"):
        desk.remote().delete(uid)
    return {"two": "Cut"}


DEEDS = (
    first_pass,
    push,
    push_of_series,
    clash_of_series,
    pull,
    clash,
    deletion_here,
    deletion_there,
    adoption,
    split_here,
    split_there,
    recreation,
    restoring,
)


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    store = Stage()
    store.keep()
    yield store
    store.close()


def opened(stage: Stage, deed: Callable[[SyncDesk], None], *, weak: bool) -> SyncDesk:
    """A desk at which something is to be done."""
    stage.clear()
    desk = SyncDesk(stage.database, stage.clock)
    desk.resource()
    desk.remote("shelf", WEAK if weak else FULL, rewrites=weak)
    deed(desk)
    return desk


def end(desk: SyncDesk) -> dict[str, object]:
    """What a person would see when all has come to rest."""
    desk.rest()
    desk.wait(timedelta(days=1))
    desk.rest()
    assert desk.waiting() == (0, 0)
    check_integrity(desk.database)
    here, there = desk.resource().objects(), desk.remote().objects().values()
    assert set(desk.links()) == set(here)
    return {
        "here": {uid: meaning(obj) for uid, obj in here.items()},
        "there": sorted((obj.uid, bare(obj)) for obj in there),
        "conflicts": sorted((each.uid, each.properties, each.lost_side) for each in desk.conflicts()),
        "parked": [each.key for each in desk.parked()],
    }


def meaning(obj: CalendarObject) -> tuple[str, list[str]]:
    """What an object says, and what only we can keep of it."""
    return bare(obj), [line for line in obj.raw.decode().splitlines() if line.startswith("X-SALON")]


@pytest.mark.parametrize(
    ("deed", "weak"),
    [*((deed, False) for deed in DEEDS), *((deed, True) for deed in (first_pass, push, clash, adoption))],
)
def test_a_pass_that_is_killed_at_any_step_ends_as_if_it_had_not_been(
    stage: Stage, deed: Callable[[SyncDesk], None], *, weak: bool
) -> None:
    desk = opened(stage, deed, weak=weak)
    desk.poll()
    expected = end(desk)
    for where, killed in killed_everywhere(
        lambda: opened(stage, deed, weak=weak), lambda desk: desk.poll(), fewest=FEWEST_KILLS
    ):
        assert end(killed) == expected, where


@pytest.mark.parametrize(
    ("deed", "later", "weak"),
    [
        (push, change_again, False),
        (push, take_back, False),
        (push, delete, False),
        (push, change_again, True),
        (push, delete, True),
        (push_of_series, change_series_again, False),
        (push_of_series, delete_series, False),
        (pull, change_again_there, False),
        (pull, delete_there, False),
    ],
)
def test_what_somebody_does_after_a_kill_stands_on_both_sides(
    stage: Stage, deed: Callable[[SyncDesk], None], later: Callable[[SyncDesk], dict[str, str]], *, weak: bool
) -> None:
    def made_ready() -> SyncDesk:
        desk = opened(stage, deed, weak=weak)
        # Whoever takes a write of ours for one of theirs has it win here.
        desk.rule(on_conflict="theirs" if deed is not pull else "ours")
        return desk

    for where, desk in killed_everywhere(made_ready, lambda desk: desk.poll(), fewest=FEWEST_KILLS):
        meant = later(desk)
        end(desk)
        assert (desk.resource().titles(), desk.remote().titles()) == (meant, meant), where
        assert desk.conflicts() == [], where
