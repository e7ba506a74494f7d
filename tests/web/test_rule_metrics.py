"""Tests the gauges of rules, as Prometheus reads them."""

from __future__ import annotations

from contextlib import closing
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from prometheus_client.parser import text_string_to_metric_families

from bridge.config import Configuration, Server
from bridge.core.sides import Side
from bridge.store import held, parked, watch
from bridge.store import rule as rules
from bridge.store.database import Database
from bridge.store.held import HeldItem
from bridge.store.rule import Problem
from bridge.web.pages import pages
from tests.store.appointments import appointment
from tests.store.assignments import declare, finish
from tests.store.desk import Clock, Desk

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

GAUGES = {"calbridge_rule_lag_seconds", "calbridge_rule_problem"}
GAUGES |= {"calbridge_held", "calbridge_parked", "calbridge_conflicts", "calbridge_watch"}


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    clock = Clock()
    database = Database(f"sqlite:///{tmp_path / 'store.sqlite3'}", clock=clock)
    database.migrate()
    with closing(database):
        yield Desk(database, clock)


def gauges(desk: Desk) -> dict[str, dict[str, float]]:
    """The value of each gauge by rule."""
    configuration = Configuration.model_construct(accounts={}, server=Server())
    client = pages(desk.database, configuration=lambda: configuration).test_client()
    answer = client.get("/metrics")
    assert answer.status_code == 200
    families = [each for each in text_string_to_metric_families(answer.text) if each.name in GAUGES]
    assert all(each.type == "gauge" and each.documentation for each in families)
    return {each.name: {sample.labels["rule"]: sample.value for sample in each.samples} for each in families}


def test_each_rule_of_the_configuration_has_its_gauges(desk: Desk) -> None:
    busy = declare(desk, "busy")
    finish(desk, declare(desk, "idle", pushes=False))
    gone = declare(desk, "gone")
    finish(desk, busy, problem=Problem("LoginRefused", "No.", "", desk.clock.now))
    desk.put(desk.calendar(), "x.ics", appointment())
    with desk.database.writing() as tx:
        held.open_or_extend(tx, busy.id, Side.HERE, [HeldItem("a", None, ""), HeldItem("b", None, "")], total=9)
        watch.announce(
            tx, "c", rule_id=busy.id, connection="", calendar="", address="", expires_at=tx.now + timedelta(days=8)
        )
        watch.note_open(tx, "c", resource="r", expires_at=tx.now + timedelta(days=7))
        parked.park(tx, busy.id, Side.HERE, "a", uid="a", summary="", reason="No.")
        rules.leave_over(tx, keep={each.id for each in rules.every(tx) if each.id != gone.id})
    desk.clock.go_on(timedelta(seconds=90))

    found = gauges(desk)
    assert found.keys() == GAUGES
    assert found["calbridge_rule_lag_seconds"] == {"busy": 90.0, "idle": 0.0}
    assert found["calbridge_rule_problem"] == {"busy": 1.0, "idle": 0.0}
    assert found["calbridge_held"] == {"busy": 2.0, "idle": 0.0}
    assert found["calbridge_parked"] == {"busy": 1.0, "idle": 0.0}
    assert found["calbridge_watch"] == {"busy": 1.0, "idle": 0.0}
    assert found["calbridge_conflicts"] == {"busy": 0.0, "idle": 0.0}


def test_a_database_that_is_out_of_reach_leaves_the_other_metrics(desk: Desk, tmp_path: Path) -> None:
    declare(desk)
    desk.database.close()
    (tmp_path / "store.sqlite3").unlink()
    assert gauges(desk) == {}
