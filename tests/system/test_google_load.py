"""Thousands of appointments go to Google within its quota, whatever kills the process meanwhile."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import event as sqlalchemy_event

from bridge.store.database import Database
from tests.fakes.google.fake import fake_google
from tests.laws.sync_fuse import Fuse, Killed
from tests.postgresql import running_postgresql
from tests.store.integrity import check_integrity
from tests.sync.appointments import START
from tests.sync.google_calendars import QUOTA, GoogleDesk, RunningClock, google_desk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.fakes.google.exchange import Answered, Asked

THOUSANDS = 5_000
MANY = 400
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


def test_two_workers_on_one_database_keep_to_the_quota_of_one_account_together() -> None:
    keys = ("anna", "bob")
    clock = RunningClock()
    with running_postgresql() as postgresql, fake_google(clock=clock, serve=False) as google, ExitStack() as stack:
        address = postgresql.url(postgresql.make_database())
        databases = [stack.enter_context(closing(Database(address, clock=clock))) for _ in keys]
        databases[0].migrate()
        one = GoogleDesk(databases[0], clock, google=google)
        for key in keys:
            one.fill(MANY, key=key)
            one.rule(key, resource=key, remote=key)
        # The other worker is another process in all but name: what it knows stands in the database.
        other = replace(one, database=databases[1], worker_number=2, seen=[])

        with ThreadPoolExecutor(2) as crew:
            runs = [crew.submit(desk.sync, key) for desk, key in zip((one, other), keys, strict=True)]
            reports = [run.result() for run in runs]

        assert all(report is not None and not report.unfinished for report in reports)
        for key in keys:
            assert one.remote(key).titles() == {f"n{number}": f"Cut {number}" for number in range(MANY)}
        assert one.refusals() == []
        assert QUOTA / 2 < one.busiest_minute() <= QUOTA


def test_where_somebody_else_uses_up_the_quota_all_arrives_a_little_later(tmp_path: Path) -> None:
    with google_desk(tmp_path) as desk:
        desk.google.quota.per_user = QUOTA // 4
        desk.fill(MANY)
        desk.rule()
        refused = 0
        for _ in range(40):
            desk.run_due(fails=True)
            refused = max(refused, len(desk.refusals()))
            problem = desk.rule_now().problem
            assert problem is None or problem.code == "Throttled"
            desk.wait(timedelta(seconds=20))

        assert refused > 0, "it was tried whether that is waited out"
        assert desk.remote().titles() == {f"n{number}": f"Cut {number}" for number in range(MANY)}
        assert desk.resource().titles() == desk.remote().titles()
        assert desk.parked() == []
        assert desk.rule_now().problem is None
        made = [each for each in desk.requests if each.id == "calendar.events.insert" and each.status == 200]
        assert len(made) == MANY
