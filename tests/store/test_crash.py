"""Tests of writes that are cut short at every statement: all of it is done, or nothing."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from bridge.store.database import Database
from tests.repository import TOP
from tests.store.crashes import WRITES, dying_at, everything, prepare
from tests.store.integrity import check_integrity

if TYPE_CHECKING:
    from tests.store.desk import Clock, Desk

FEWEST_STEPS = 6


class Cut(Exception):
    """What cuts a write short."""


@pytest.mark.parametrize("name", WRITES)
def test_a_write_that_fails_at_any_statement_leaves_nothing(desk: Desk, database: Database, name: str) -> None:
    prepare(desk)
    before = everything(database)

    def cut() -> None:
        raise Cut

    step = 0
    while True:
        try:
            with dying_at(database, step, cut):
                WRITES[name](desk)
            break
        except Cut:
            assert everything(database) == before
            step += 1

    assert step >= FEWEST_STEPS
    assert everything(database) != before
    check_integrity(database)


@pytest.mark.parametrize("name", ["create", "remove", "move", "replace in two calendars", "pull"])
def test_a_process_that_is_killed_at_any_statement_leaves_nothing(
    url: str, desk: Desk, clock: Clock, name: str
) -> None:
    prepare(desk)
    desk.database.close()

    killed = subprocess.run(
        [sys.executable, "-W", "error", "-m", "tests.store.crashes", url, name],
        cwd=TOP,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )

    assert killed.stderr == ""
    assert int(killed.stdout) >= FEWEST_STEPS
    again = Database(url, clock=clock)
    again.check()
    check_integrity(again)
    again.close()
