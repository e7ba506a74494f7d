"""Tests `rule`: what a rule would do is shown, done now, stopped, and begun anew without doubles."""

from __future__ import annotations

from contextlib import closing
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from bridge.cli.outcome import Exit
from bridge.store import lease
from bridge.store import rule as rules
from tests.cli.conftest import event
from tests.cli.remote import Remote, events

if TYPE_CHECKING:
    from tests.cli.conftest import Installation


def test_a_new_rule_is_planned_before_anything_is_done(clinic: Remote) -> None:
    clinic.put_here(*events(3))
    clinic.put_there(event("e0", "Cut 0", start="20261124T080000"), event("theirs", "Theirs"))
    planned = clinic.done("rule", "plan", "work", "--json").json

    assert planned["counts"] == {"adopt": 1, "create here": 1, "create there": 2}
    assert {item["title"] for item in planned["items"]} == {"Cut 0", "Cut 1", "Cut 2", "Theirs"}
    assert clinic.there() == {"e0": "Cut 0", "theirs": "Theirs"}
    assert "theirs" not in clinic.here()
    assert clinic.done("status", "--json").json == {"rules": [], "not_taken_up": ["work"]}

    assert clinic.sync() == planned["counts"]
    assert clinic.here() == clinic.there()
    assert "nothing to do" in clinic.done("rule", "plan", "work").stdout


def test_a_plan_shows_a_few_of_each_kind_or_all(clinic: Remote) -> None:
    clinic.put_here(*events(30))
    assert "and 10 more; --all shows them." in clinic.done("rule", "plan", "work").stdout
    assert clinic.done("rule", "plan", "work", "--all").stdout.count("create there") == 30


def test_what_a_rule_leaves_out_is_planned_with_the_reason(clinic: Remote) -> None:
    clinic.configure(clinic.rule_line(options="direction: push"))
    clinic.put_there(event("theirs", "Theirs"))
    (item,) = clinic.done("rule", "plan", "work", "--json").json["items"]
    assert (item["move"], item["title"]) == ("blocked", "Theirs")
    assert "direction: push" in item["reason"]


def test_syncing_now_does_a_pass_and_says_what_it_did(clinic: Remote) -> None:
    clinic.put_here(event("a"))
    assert "create there: 1" in clinic.done("rule", "sync", "work").stdout
    clinic.put_there(event("b", "Theirs"))
    clinic.put_here(event("a", "Colour"))
    assert clinic.sync() == {"push": 1, "create here": 1}
    assert clinic.here() == clinic.there() == {"a": "Colour", "b": "Theirs"}
    assert clinic.rule().lease_owner is None


def test_a_rule_that_another_worker_runs_is_made_due_instead(clinic: Remote) -> None:
    clinic.sync()
    rule = clinic.rule()
    with closing(clinic.installation.open().database) as database, database.writing() as tx:
        assert lease.take(tx, rule.id, owner="another", until=tx.now + timedelta(minutes=1))

    answer = clinic.run("rule", "sync", "work", "--json")
    assert (answer.code, answer.json["done"]) == (0, False)
    waiting = clinic.rule()
    assert waiting.lease_owner == "another"
    assert waiting.due_at < rule.due_at


def test_a_pass_that_fails_says_why_and_what_to_do(clinic: Remote) -> None:
    clinic.sync()
    clinic.bob.erase_calendar()
    answer = clinic.run("rule", "sync", "work")
    assert answer.code == Exit.FAILED
    assert "calendar" in answer.stderr
    assert clinic.rule().lease_owner is None


def test_a_paused_rule_does_nothing_until_it_is_resumed(clinic: Remote) -> None:
    clinic.done("rule", "pause", "work")
    refused = clinic.run("rule", "sync", "work", "--json")
    assert refused.code == Exit.FAILED
    assert refused.error["remedy"] == "`calbridge rule resume work` lets it go on."
    assert clinic.run("status", "--json").json["rules"][0]["status"] == "paused"

    clinic.put_here(event("a"))
    clinic.done("rule", "resume", "work")
    clinic.sync()
    assert clinic.there() == {"a": "Cut"}


def test_a_reset_reads_everything_anew_and_doubles_nothing(clinic: Remote) -> None:
    clinic.put_here(*events(4))
    clinic.put_there(event("theirs", "Theirs"))
    clinic.sync()
    before = clinic.there()
    clinic.done("rule", "reset", "work")
    assert clinic.rule().cursor is None

    assert clinic.sync() == {}
    assert clinic.here() == clinic.there() == before


@pytest.mark.parametrize("count", [1, 4])
def test_a_calendar_that_moved_is_filled_again_and_empties_nothing_here(clinic: Remote, count: int) -> None:
    clinic.put_here(*events(count))
    clinic.sync()
    clinic.bob.erase_calendar()
    clinic.make_another_calendar()
    clinic.done("rule", "reset", "work")
    assert clinic.sync() == {"recreate there": count}
    assert clinic.here() == clinic.there()
    assert clinic.sync() == {}


def test_rules_are_listed_with_those_that_left_the_file(clinic: Remote) -> None:
    clinic.sync()
    clinic.configure(clinic.rule_line("other"))
    listed = clinic.done("rule", "list", "--json").json
    # Nobody has taken the file up yet.
    assert ([each["rule"] for each in listed["rules"]], listed["not_taken_up"]) == (["work"], ["other"])
    with closing(clinic.installation.open().database) as database:
        site = clinic.installation.open()
        site.declare_rules()
        site.database.close()
        with database.reading() as tx:
            assert [(each.key, each.active) for each in rules.every(tx)] == [("other", True), ("work", False)]
    listed = clinic.done("rule", "list", "--json").json["rules"]
    assert [(each["rule"], each["status"]) for each in listed] == [("other", "new"), ("work", "left over")]
    assert "left over" in clinic.done("rule", "list").stdout


def test_a_rule_is_shown_with_its_options(clinic: Remote) -> None:
    shown = clinic.done("rule", "show", "work", "--json").json["options"]
    assert (shown["resource"], shown["poll"], shown["guard.objects"]) == ("salon/anna", "5m", 25)
    assert "push.detail" in clinic.done("rule", "show", "work").stdout


def test_a_rule_that_is_not_there_is_named_with_the_nearest_one(clinic: Remote) -> None:
    for words in (("show", "wrk"), ("plan", "wrk"), ("sync", "wrk"), ("pause", "wrk")):
        answer = clinic.run("rule", *words, "--json")
        assert answer.code == Exit.FAILED
        assert "work" in answer.error["remedy"]


def test_without_rules_a_person_is_told_how_to_begin(installation: Installation) -> None:
    assert "calbridge connect" in installation.run("rule", "list").stdout
    assert "calbridge connect" in installation.run("status").stdout
