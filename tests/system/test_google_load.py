"""Thousands of appointments go to Google within its quota, whatever kills the process meanwhile."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import event as sqlalchemy_event

from tests.laws.sync_fuse import Fuse, Killed
from tests.store.integrity import check_integrity
from tests.sync.appointments import START
from tests.sync.google_calendars import QUOTA, GoogleDesk, google_desk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.fakes.google.exchange import Answered, Asked

THOUSANDS = 5_000
SOME = 60
THEIRS = 12
KILLS = 20
NEVER = 1 << 60


@contextmanager
def burning(desk: GoogleDesk, at: int) -> Iterator[Fuse]:
    """A block in which the process is killed at a statement, a commit or a request, before or after it."""
    fuse, engine = Fuse(at), desk.database.engine

    def asked(asked: Asked, go: Callable[[Asked], Answered]) -> Answered:
        fuse.step()
        answered = go(asked)
        fuse.step()
        return answered

    sqlalchemy_event.listen(engine, "before_cursor_execute", fuse.statement)
    sqlalchemy_event.listen(engine, "commit", fuse.step)
    desk.google.script(asked, times=None)
    try:
        yield fuse
    except Killed:
        pass
    finally:
        desk.google.behave()
        sqlalchemy_event.remove(engine, "before_cursor_execute", fuse.statement)
        sqlalchemy_event.remove(engine, "commit", fuse.step)
    if fuse.burnt:
        desk.die()


def both_sides_full(desk: GoogleDesk) -> None:
    """Some appointments here, some at Google, and some that stand on both sides already."""
    for number in range(THEIRS):
        desk.remote().make(f"Theirs {number}", START + timedelta(days=100, hours=number))
        desk.remote().make(f"Cut {number}", START + timedelta(hours=number))
    desk.fill(SOME)
    desk.rule(guard={"objects": THOUSANDS, "percent": 100})


def outcome(desk: GoogleDesk) -> list[list[str]]:
    """What a person sees on either side at the end."""
    desk.rest_at_google()
    check_integrity(desk.database)
    here, there = desk.resource().titles(), desk.remote().titles()
    assert set(desk.links()) == set(here)
    assert desk.parked() == []
    assert desk.conflicts() == []
    assert desk.refusals() == []
    assert desk.busiest_minute() <= QUOTA
    return [sorted(here.values()), sorted(there.values())]


MEANT = sorted([*(f"Cut {number}" for number in range(SOME)), *(f"Theirs {number}" for number in range(THEIRS))])


@pytest.fixture(scope="module")
def steps(tmp_path_factory: pytest.TempPathFactory) -> int:
    """How many steps the first pass has, where nobody kills it."""
    with google_desk(tmp_path_factory.mktemp("steps")) as desk:
        both_sides_full(desk)
        with burning(desk, NEVER) as fuse:
            desk.sync()
        assert outcome(desk) == [MEANT, MEANT]
    return fuse.steps


@pytest.mark.parametrize("number", range(KILLS))
def test_a_first_pass_that_is_killed_anywhere_goes_on_where_it_was(tmp_path: Path, steps: int, number: int) -> None:
    with google_desk(tmp_path) as desk:
        both_sides_full(desk)
        with burning(desk, at := steps * number // KILLS) as fuse:
            desk.sync()
        assert fuse.burnt
        made = len([each for each in desk.requests if each.id == "calendar.events.insert" and each.status == 200])
        # The second is killed as well, a little later.
        with burning(desk, at // 2 + 7):
            desk.sync()
        assert outcome(desk) == [MEANT, MEANT]
        inserted = [each for each in desk.requests if each.id == "calendar.events.insert" and each.status == 200]
        assert len(inserted) == SOME - THEIRS >= made, "nothing was created twice"


def test_five_thousand_appointments_are_at_google_within_its_quota_and_in_good_time(tmp_path: Path) -> None:
    with google_desk(tmp_path) as desk:
        desk.fill(THOUSANDS)
        desk.rule()
        began = desk.clock.now

        report = desk.sync()

        assert report is not None
        assert not report.unfinished
        took = desk.clock.now - began
        assert desk.remote().titles() == desk.resource().titles()
        assert len(desk.remote().titles()) == THOUSANDS
        assert desk.refusals() == []
        assert desk.busiest_minute() <= QUOTA
        # The list of the calendars and the one of the events come on top: nothing is asked twice.
        assert len(desk.requests) == THOUSANDS + 2
        assert took <= timedelta(minutes=12)

        desk.forget()
        desk.poll()
        # What was made comes back once, in pages of 2,500; from then on an idle poll is one request.
        assert [each.id for each in desk.requests] == ["calendar.events.list"] * 2
        desk.forget()
        desk.poll()
        assert [each.id for each in desk.requests] == ["calendar.events.list"]
