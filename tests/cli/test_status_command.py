"""Tests `status`: how each rule is doing, with the true cause of trouble and its remedy."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from bridge.cli.outcome import Exit
from bridge.cli.rule_state import concerns, word
from bridge.cli.watch_state import notifications
from bridge.store import lease, watch_problem
from bridge.store import rule as rules
from bridge.store import watch as watch_table
from bridge.store.rule import Problem, Rule
from bridge.store.status import RuleStatus
from bridge.store.watch import WatchRecord
from bridge.store.watch_problem import WatchProblem
from bridge.sync.watches import NO_PUBLIC_ADDRESS
from tests.cli.conftest import event

if TYPE_CHECKING:
    from tests.cli.remote import Remote

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
_RULE: dict[str, Any] = dict.fromkeys(Rule.__dataclass_fields__)
_RULE |= {"id": 1, "key": "work", "target": "salon/anna|caldav:example.org anna|Work", "origin": ""}
_RULE |= {"active": True, "paused": False, "failures": 0, "pushes": True, "adopted_at": NOW, "due_at": NOW}


def status(
    *, held: int = 0, conflicts: int = 0, parked: int = 0, oldest: datetime | None = None, **rule: Any
) -> RuleStatus:
    return RuleStatus(
        Rule(**{**_RULE, **rule}),
        NOW,
        4,
        int(oldest is not None),
        oldest,
        held=held,
        conflicts=conflicts,
        parked=parked,
    )


def watch(*, heard_ago: timedelta | None = None) -> WatchRecord:
    return WatchRecord(
        channel="c",
        rule_id=1,
        connection="google",
        calendar="primary",
        address="https://cal.example.org/hooks/google",
        resource="r",
        opened_at=NOW - timedelta(days=1),
        expires_at=NOW + timedelta(days=6),
        wanted=True,
        attempts=0,
        heard_at=None if heard_ago is None else NOW - heard_ago,
        number=None,
    )


def no_watch(code: str = "RemoteRefused") -> WatchProblem:
    return WatchProblem(code, "The certificate has expired.", "Renew it.", NOW, 2, NOW + timedelta(hours=1))


def trouble(code: str, *, ago: timedelta = timedelta(minutes=1)) -> Problem:
    return Problem(code, "It does not work.", "Do something.", NOW - ago)


@pytest.mark.parametrize(
    ("found", "said", "needs_person"),
    [
        (status(), "ok", False),
        (status(adopted_at=None), "new", False),
        (status(paused=True), "paused", False),
        (status(active=False), "left over", False),
        (status(conflicts=2), "ok", False),
        (status(lease_owner="w", lease_until=NOW + timedelta(minutes=1)), "running", False),
        (status(lease_owner="w", lease_until=NOW - timedelta(minutes=1)), "ok", False),
        (status(problem=trouble("LoginRefused")), "in trouble", True),
        (status(problem=trouble("UpstreamUnavailable")), "in trouble", False),
        (status(problem=trouble("UpstreamUnavailable", ago=timedelta(hours=2))), "in trouble", True),
        (status(problem=trouble("CalbridgeError")), "in trouble", True),
        (status(held=3), "needs approval", True),
        (status(parked=1), "ok", True),
        (status(due_at=NOW - timedelta(minutes=9)), "ok", False),
        (status(due_at=NOW - timedelta(minutes=11)), "nobody works", True),
        (status(due_at=NOW - timedelta(minutes=11), not_before=NOW), "ok", False),
        (status(due_at=NOW - timedelta(minutes=11), paused=True), "paused", False),
    ],
)
def test_a_rule_has_one_word_and_says_whether_it_needs_a_person(
    found: RuleStatus, said: str, *, needs_person: bool
) -> None:
    assert word(found) == said
    assert any(concern.needs_person for concern in concerns(found)) is needs_person


@pytest.mark.parametrize(
    ("open_one", "problem", "said"),
    [
        (None, None, ""),
        (watch(), None, "on, nothing heard yet, renewed 2026-11-26 02:24"),
        (watch(heard_ago=timedelta(minutes=3)), None, "on, last heard 3 minutes ago, renewed 2026-11-26 02:24"),
        (None, no_watch(), "off: The certificate has expired."),
        (
            watch(heard_ago=timedelta(hours=2)),
            no_watch(),
            "on, last heard 2 hours ago, ends 2026-11-27 12:00 unless it can be renewed: The certificate has expired.",
        ),
    ],
)
def test_it_is_said_whether_the_other_side_tells_of_changes(
    open_one: WatchRecord | None, problem: WatchProblem | None, said: str
) -> None:
    found = replace(status(), watch=open_one, watch_problem=problem)
    assert notifications(found, UTC) == said
    assert word(found) == "ok"
    assert [concern.remedy for concern in concerns(found)] == (["Renew it."] if problem else [])
    assert not any(concern.needs_person for concern in concerns(found))


def test_a_server_without_a_public_address_is_no_concern() -> None:
    assert concerns(replace(status(), watch_problem=no_watch(NO_PUBLIC_ADDRESS))) == []


def test_how_a_rule_is_told_of_changes_is_shown_with_the_rule_and_in_the_document(clinic: Remote) -> None:
    clinic.sync()
    assert "notifications" not in clinic.done("status", "work").stdout
    (found,) = clinic.done("status", "--json").json["rules"]
    assert found["notifications"] is None

    site = clinic.installation.open()
    with closing(site.database), site.database.writing() as tx:
        rule = rules.find(tx, "work")
        assert rule is not None
        soon = tx.now + timedelta(days=7)
        watch_table.announce(
            tx, "c", rule_id=rule.id, connection="work", calendar="c", address="https://a", expires_at=soon
        )
        watch_table.note_open(tx, "c", resource="r", expires_at=soon)
        watch_problem.note(tx, rule.id, code="Throttled", sentence="Too much.", remedy="Wait.", not_before=soon)

    shown = clinic.done("status", "work").stdout
    assert "notifications" in shown
    assert "on, nothing heard yet" in shown
    assert "Too much." in clinic.done("status").stdout
    (found,) = clinic.done("status", "--json").json["rules"]
    assert found["notifications"]["on"] is True
    assert found["notifications"]["last_heard"] is None
    assert found["notifications"]["renewed"] < found["notifications"]["ends"]
    assert found["notifications"]["problem"]["code"] == "Throttled"


def test_the_true_cause_comes_with_its_remedy() -> None:
    (first, *_) = concerns(status(problem=trouble("LoginRefused"), parked=1))
    assert (first.sentence, first.remedy) == ("It does not work.", "Do something.")


def test_the_lag_is_that_of_what_has_waited_longest() -> None:
    assert status().lag is None
    assert status(oldest=NOW - timedelta(minutes=3)).lag == timedelta(minutes=3)
    # Clocks of several machines differ a little.
    assert status(oldest=NOW + timedelta(seconds=3)).lag == timedelta(0)


def test_the_page_shows_every_column_of_every_rule(clinic: Remote) -> None:
    clinic.put_here(event("a"))
    clinic.sync()
    clinic.put_here(event("b"))
    head, row = clinic.done("status").stdout.splitlines()
    columns = "RULE ACTIVE STATUS LAST SYNC NEXT LAG LINKS WAITING HELD CONFLICTS PARKED"
    assert " ".join(head.split()) == columns
    assert row.split()[:3] == ["work", "yes", "ok"]
    (found,) = clinic.done("status", "--json").json["rules"]
    assert (found["links"], found["waiting"], found["held"]) == (1, 1, 0)
    assert found["lag_seconds"] >= 0
    assert found["last_sync"] < found["next"]


def test_one_rule_is_shown_by_itself(clinic: Remote) -> None:
    clinic.sync()
    shown = clinic.done("status", "work").stdout
    assert "salon/anna" in shown
    assert clinic.name in shown
    assert clinic.run("status", "wrk").code == Exit.FAILED


def test_a_calendar_that_was_deleted_is_named_and_the_rule_recovers(clinic: Remote) -> None:
    clinic.put_here(event("a"))
    clinic.sync()
    clinic.bob.erase_calendar()
    clinic.run("rule", "sync", "work")
    answer = clinic.run("status")
    assert answer.code == Exit.PART
    (found,) = clinic.run("status", "--json").json["rules"]
    assert found["problem"]["code"] == "CalendarGone"
    assert found["problem"]["remedy"]
    assert found["problem"]["sentence"] in answer.stdout

    # Somebody makes a new one of the same name; nothing here was deleted meanwhile.
    clinic.make_another_calendar()
    clinic.sync()
    assert clinic.run("status").code == 0
    assert clinic.here() == clinic.there() == {"a": "Cut"}


def test_left_over_rules_are_listed_with_what_to_do(clinic: Remote) -> None:
    clinic.sync()
    clinic.configure()
    site = clinic.installation.open()
    with closing(site.database):
        site.declare_rules()
    shown = clinic.done("status").stdout
    assert "left over" in shown
    assert "calbridge rule remove work" in shown


def test_a_rule_that_runs_is_shown_as_running(clinic: Remote) -> None:
    clinic.sync()
    rule = clinic.rule()
    with closing(clinic.installation.open().database) as database, database.writing() as tx:
        lease.take(tx, rule.id, owner="another", until=tx.now + timedelta(minutes=1))
    assert clinic.run("status", "--json").json["rules"][0]["status"] == "running"
