"""Tests `undo` and `log`: a change, a run or the days since some time are taken back, here and upstream."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from bridge.cli.outcome import Exit
from tests.cli.conftest import Installation, calendar, event

if TYPE_CHECKING:
    from tests.cli.remote import Remote


def newest_run(clinic: Remote) -> dict[str, object]:
    found: dict[str, object] = clinic.run("log", "work", "--json").json["runs"][0]
    return found


def test_a_run_is_logged_with_what_it_did_to_each_appointment(clinic: Remote) -> None:
    clinic.put_here(event("a", "Cut"))
    clinic.put_there(event("b", "Theirs"))
    clinic.sync()
    run = newest_run(clinic)

    assert (run["kind"], run["outcome"], run["moves"]) == ("first", "done", {"create here": 1, "create there": 1})
    items = run["items"]
    assert isinstance(items, list)
    assert {(each["move"], each["title"], each["side"]) for each in items} == {
        ("create here", "Theirs", "here"),
        ("create there", "Cut", "there"),
    }
    shown = clinic.done("log", "--run", str(run["run"])).stdout
    assert "Theirs" in shown
    assert f"calbridge undo --run {run['run']}" in shown
    assert clinic.sync() == {}
    assert len(clinic.run("log", "--json").json["runs"]) == 1


def run_that_deletes(clinic: Remote) -> str:
    """The number of a run that deleted an appointment here, and changed another."""
    clinic.put_here(event("a", "Cut"), event("b", "Colour"))
    clinic.sync()
    clinic.bob.remove("a")
    clinic.bob.put(clinic.bob.read("b").replace(b"Colour", b"Shave"))
    clinic.sync()
    assert clinic.here() == {"b": "Shave"}
    return str(newest_run(clinic)["run"])


def test_a_run_that_deleted_here_is_taken_back_on_both_sides(clinic: Remote) -> None:
    undone = clinic.done("undo", "--run", run_that_deletes(clinic), "--json").json
    assert sorted(each["uid"] for each in undone["undone"]) == ["a", "b"]
    assert clinic.here() == {"a": "Cut", "b": "Colour"}
    clinic.sync()
    assert clinic.there() == {"a": "Cut", "b": "Colour"}
    assert clinic.sync() == {}


def test_a_change_that_was_made_after_the_run_is_not_lost_by_taking_that_back(clinic: Remote) -> None:
    clinic.put_here(event("a", "Cut"), event("b", "Colour"))
    clinic.sync()
    for uid, title in (("a", b"Cut"), ("b", b"Colour")):
        clinic.bob.put(clinic.bob.read(uid).replace(title, b"Shave"))
    clinic.sync()
    run = str(newest_run(clinic)["run"])
    clinic.put_here(event("a", "Wash"))
    answer = clinic.run("undo", "--run", run)

    assert answer.code == Exit.PART
    assert "'Shave' stays as it is" in answer.stderr
    assert clinic.here() == {"a": "Wash", "b": "Colour"}


def test_a_run_that_is_taken_back_already_has_nothing_left_to_undo(clinic: Remote) -> None:
    run = run_that_deletes(clinic)
    clinic.done("undo", "--run", run)
    entries = clinic.run("history", "--json").json["entries"]
    again = clinic.run("undo", "--run", run)

    assert (again.code, again.stdout) == (Exit.FAILED, "")
    assert f"Nothing that the run {run} changed here is left to undo" in again.stderr
    assert clinic.run("history", "--json").json["entries"] == entries
    assert clinic.here() == {"a": "Cut", "b": "Colour"}


def test_a_calendar_goes_back_to_some_time_on_both_sides(clinic: Remote) -> None:
    clinic.put_here(event("a", "Cut"), event("b", "Colour"))
    clinic.sync()
    moment = datetime.now(UTC)
    clinic.put_here(event("a", "Wrong"), event("c", "New"))
    clinic.remove_here("b")
    clinic.sync()
    assert clinic.there() == {"a": "Wrong", "c": "New"}

    clinic.done("undo", "salon/anna", "--to", moment.isoformat())
    assert clinic.here() == {"a": "Cut", "b": "Colour"}
    clinic.sync()
    assert clinic.there() == {"a": "Cut", "b": "Colour"}
    assert clinic.sync() == {}


def test_a_time_without_a_zone_is_meant_in_that_of_the_calendar(installation: Installation) -> None:
    assert installation.run("import", "-", "--into", "salon/anna", typed=calendar(event("a"))).code == 0
    too_early = installation.run("undo", "salon/anna", "--to", "2020-01-01 10:00")
    assert too_early.code == 0
    assert "is deleted again" in too_early.stdout
    assert installation.run("export", "salon/anna").stdout.count("BEGIN:VEVENT") == 0
    assert installation.run("undo", "salon/anna", "--to", "2999-01-01").code == Exit.USAGE
    assert installation.run("undo", "salon/anna", "--to", "yesterday").code == Exit.USAGE


@pytest.mark.parametrize(
    "words",
    [(), ("1", "--run", "1"), ("--to", "2026-11-20"), ("salon/anna",), ("salon/anna", "--run", "1")],
    ids=" ".join,
)
def test_what_is_to_be_taken_back_is_said_in_one_way(installation: Installation, words: tuple[str, ...]) -> None:
    assert installation.run("undo", *words).code == Exit.USAGE


def test_a_run_that_is_not_there_cannot_be_taken_back(installation: Installation) -> None:
    assert installation.run("undo", "--run", "7").code == Exit.FAILED
    assert (
        installation.run("log", "--run", "7", "--json").error["remedy"] == "`calbridge log` lists those that there are."
    )
    assert installation.run("log").stdout == "No pass has done anything yet.\n"
    assert installation.run("log", "nowhere").code == Exit.FAILED
