"""Tests what becomes of notifications: at most a pass, and no work for what proves nothing or tells nothing new."""

from __future__ import annotations

from contextlib import closing
from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from prometheus_client import REGISTRY

from bridge.store import rule as rules
from bridge.store import watch
from bridge.store.database import Database
from tests.store.assignments import MINUTE, claim, declare, finish, read
from tests.store.desk import Clock, Desk
from tests.web.notifying import CHANNELS, Door

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bridge.store.rule import Rule

SECOND = timedelta(seconds=1)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    clock = Clock()
    database = Database(f"sqlite:///{tmp_path / 'store.sqlite3'}", clock=clock)
    database.migrate()
    with closing(database):
        yield Desk(database, clock)


@pytest.fixture
def door(desk: Desk) -> Door:
    return Door(desk.database)


@pytest.fixture
def rule(desk: Desk) -> Rule:
    """A rule at rest, next due in an hour; its last pass began an hour ago."""
    made = finish(desk, declare(desk))
    desk.clock.go_on(timedelta(hours=1) - SECOND)
    return made


def watched(desk: Desk, rule: Rule, *, resource: str | None = "r") -> str:
    """The channel of a watch over the rule's calendar."""
    channel = CHANNELS.fresh()
    with desk.database.writing() as tx:
        watch.announce(
            tx,
            channel,
            rule_id=rule.id,
            connection="google",
            calendar="primary",
            address="https://cal.example.org/hooks/google",
            expires_at=tx.now + timedelta(days=8),
        )
        if resource is not None:
            watch.note_open(tx, channel, resource=resource, expires_at=tx.now + timedelta(days=7))
    return channel


def kept(desk: Desk, channel: str) -> watch.WatchRecord:
    found = read(desk, lambda tx: watch.listener(tx, channel))
    assert found is not None
    return found.watch


def counted(outcome: str) -> float:
    return REGISTRY.get_sample_value("calbridge_notifications_total", {"outcome": outcome}) or 0.0


def test_a_notification_makes_the_rule_due_now(desk: Desk, door: Door, rule: Rule) -> None:
    channel = watched(desk, rule)
    assert claim(desk) == []

    assert door.notify(channel, Message_Number="17") == 204

    assert claim(desk) == [rule.id]
    assert (kept(desk, channel).heard_at, kept(desk, channel).number) == (desk.clock.now, 17)


def test_a_thousand_notifications_are_one_pass_and_one_write(desk: Desk, door: Door, rule: Rule) -> None:
    channel = watched(desk, rule)
    before, counts = desk.database.writes, (counted("nudged"), counted("repeated"))

    assert {door.notify(channel, Message_Number=str(number)) for number in range(1000)} == {204}

    assert desk.database.writes - before == 1
    assert (counted("nudged") - counts[0], counted("repeated") - counts[1]) == (1, 999)
    assert claim(desk) == [rule.id]
    finish(desk, rule, "worker")
    desk.clock.go_on(MINUTE)
    assert claim(desk) == []


def test_passes_that_notifications_ask_for_begin_two_seconds_apart(desk: Desk, door: Door, rule: Rule) -> None:
    channel = watched(desk, rule)
    began = []
    for _ in range(100):
        door.notify(channel)
        if claim(desk):
            began.append(desk.clock.now)
            finish(desk, rule, "worker")
        desk.clock.go_on(SECOND / 10)
    assert [later - earlier for earlier, later in pairwise(began)] == [2 * SECOND] * 4


def test_what_is_told_while_a_pass_runs_is_looked_at_by_the_next(desk: Desk, door: Door, rule: Rule) -> None:
    channel = watched(desk, rule)
    door.notify(channel)
    assert claim(desk) == [rule.id]
    desk.clock.go_on(SECOND)

    door.notify(channel)

    finish(desk, rule, "worker")
    assert claim(desk) == []
    desk.clock.go_on(SECOND)
    assert claim(desk) == [rule.id]


def test_numbers_that_skip_repeat_or_fall_are_taken_as_they_come(desk: Desk, door: Door, rule: Rule) -> None:
    channel = watched(desk, rule)
    for number in ("9", "9", "3", "10000000", "", "-1", "4" * 40, "x", "٣"):
        desk.clock.go_on(3 * SECOND)
        assert door.notify(channel, Message_Number=number) == 204
        assert claim(desk) == [rule.id]
        finish(desk, rule, "worker")


def test_an_upstream_that_wants_to_be_left_alone_is_left_alone(desk: Desk, door: Door, rule: Rule) -> None:
    channel = watched(desk, rule)
    finish(desk, rule, not_before=desk.clock.now + MINUTE)
    desk.clock.go_on(3 * SECOND)
    assert door.notify(channel) == 204
    assert claim(desk) == []
    desk.clock.go_on(MINUTE)
    assert claim(desk) == [rule.id]


@pytest.mark.parametrize(
    "said",
    [
        {"Channel_Token": ""},
        {"Channel_Token": "guessed"},
        {"Channel_Token": "\u20ac\u00ff"},
        {"Channel_Token": CHANNELS.token("0" * 31 + "f")},
        {"Channel_ID": ""},
        {"Channel_ID": "f" * 32},
        {"Channel_ID": "../../etc/passwd"},
        {"Channel_ID": "a" * 60_000},
        {"Resource_ID": ""},
    ],
)
def test_a_forged_notification_costs_no_look_into_the_database(
    desk: Desk, door: Door, rule: Rule, said: dict[str, str]
) -> None:
    channel = watched(desk, rule)
    headers = door.headers(channel, "r", **said)
    before = counted("forged")
    with door.statements() as asked:
        assert door.send({name: value.encode().decode("latin-1") for name, value in headers.items()}) == 404
    assert asked == []
    assert counted("forged") == before + 1
    assert claim(desk) == []


def test_one_without_any_header_is_forged(door: Door) -> None:
    with door.statements() as asked:
        assert door.send({}) == 404
    assert asked == []


def test_the_token_of_one_channel_opens_no_other(desk: Desk, door: Door, rule: Rule) -> None:
    mine, yours = watched(desk, rule), watched(desk, rule)
    assert door.notify(mine, Channel_Token=CHANNELS.token(yours)) == 404
    assert claim(desk) == []


def test_the_database_holds_no_token(desk: Desk, door: Door, rule: Rule, tmp_path: Path) -> None:
    channel = watched(desk, rule)
    door.notify(channel)
    desk.database.close()
    everything = b"".join(path.read_bytes() for path in tmp_path.glob("store.sqlite3*"))
    assert channel.encode() in everything
    assert CHANNELS.token(channel).encode() not in everything


def test_a_channel_that_is_kept_no_more_is_not_found_and_never_does_work(desk: Desk, door: Door, rule: Rule) -> None:
    channel = watched(desk, rule)
    with desk.database.writing() as tx:
        watch.forget(tx, channel)
    before = desk.database.writes
    assert {door.notify(channel) for _ in range(20)} == {404}
    assert desk.database.writes == before
    assert claim(desk) == []


def test_a_watch_that_has_ended_is_not_found(desk: Desk, door: Door, rule: Rule) -> None:
    channel = watched(desk, rule)
    finish(desk, rule, due_at=desk.clock.now + timedelta(days=30))
    desk.clock.go_on(timedelta(days=7))
    assert door.notify(channel) == 404
    assert claim(desk) == []


def test_a_notification_of_something_else_is_not_found(desk: Desk, door: Door, rule: Rule) -> None:
    channel = watched(desk, rule)
    assert door.notify(channel, resource="another") == 404
    assert claim(desk) == []


@pytest.mark.parametrize("end", [rules.pause, watch.drop, rules.remove], ids=["paused", "dropped", "removed"])
def test_a_watch_that_is_to_be_closed_does_no_work(desk: Desk, door: Door, rule: Rule, end: object) -> None:
    channel = watched(desk, rule)
    with desk.database.writing() as tx:
        assert callable(end)
        end(tx, rule.id)
    before = desk.database.writes
    assert {door.notify(channel) for _ in range(20)} == {204}
    assert desk.database.writes == before
    assert claim(desk) == []


def test_a_left_over_rule_is_not_woken(desk: Desk, door: Door, rule: Rule) -> None:
    channel = watched(desk, rule)
    with desk.database.writing() as tx:
        rules.leave_over(tx, keep=())
    assert door.notify(channel) == 204
    assert claim(desk) == []


def test_a_greeting_is_noted_once_and_asks_for_nothing(desk: Desk, door: Door, rule: Rule) -> None:
    channel = watched(desk, rule)
    before = desk.database.writes
    for _ in range(5):
        assert door.notify(channel, Resource_State="sync", Message_Number="1") == 204
    assert desk.database.writes == before + 1
    assert kept(desk, channel).heard_at == desk.clock.now
    assert claim(desk) == []


@pytest.mark.parametrize("state", ["exists", "not_exists", "", "something new"])
def test_every_other_state_is_a_nudge(desk: Desk, door: Door, rule: Rule, state: str) -> None:
    channel = watched(desk, rule)
    assert door.notify(channel, Resource_State=state) == 204
    assert claim(desk) == [rule.id]


@pytest.mark.parametrize("state", ["sync", "exists"])
def test_a_watch_whose_opening_was_never_answered_is_known_by_its_first_notification(
    desk: Desk, door: Door, rule: Rule, state: str
) -> None:
    channel = watched(desk, rule, resource=None)
    assert not kept(desk, channel).is_open(desk.clock.now)

    assert door.notify(channel, "r", Resource_State=state) == 204

    now_known = kept(desk, channel)
    assert (now_known.resource, now_known.is_open(desk.clock.now)) == ("r", True)
    assert now_known.expires_at == Clock().now + timedelta(days=7)
    assert claim(desk) == ([rule.id] if state == "exists" else [])


@pytest.mark.parametrize("ends", ["", "soon", "Sat, 99 Nov 2026 08:00:00 GMT", "0"])
def test_a_first_notification_without_an_end_keeps_the_assumed_one(
    desk: Desk, door: Door, rule: Rule, ends: str
) -> None:
    channel = watched(desk, rule, resource=None)
    assumed = kept(desk, channel).expires_at
    assert door.notify(channel, "r", Channel_Expiration=ends) == 204
    assert kept(desk, channel).expires_at == assumed


def test_a_surplus_watch_that_is_heard_of_can_be_closed(desk: Desk, door: Door, rule: Rule) -> None:
    lost, mine = watched(desk, rule, resource=None), watched(desk, rule)
    with desk.database.writing() as tx:
        watch.drop(tx, rule.id, keep=mine)
    assert read(desk, lambda tx: watch.to_close(tx, limit=9)) == []

    assert door.notify(lost) == 204

    assert claim(desk) == []
    assert [each.channel for each in read(desk, lambda tx: watch.to_close(tx, limit=9))] == [lost]


def test_the_body_is_not_read(desk: Desk, door: Door, rule: Rule) -> None:
    channel = watched(desk, rule)
    assert door.send(door.headers(channel, "r"), b"\xff\x00{not JSON") == 204
    assert claim(desk) == [rule.id]


def test_a_large_body_is_refused(desk: Desk, door: Door, rule: Rule) -> None:
    channel = watched(desk, rule)
    assert door.send(door.headers(channel, "r"), b"x" * 100_000) == 413
    assert claim(desk) == []


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PROPFIND"])
def test_only_post_is_a_notification(desk: Desk, door: Door, rule: Rule, method: str) -> None:
    channel = watched(desk, rule)
    answer = door.client.open("/hooks/google", method=method, headers=door.headers(channel, "r"))
    assert answer.status_code == 405
    assert claim(desk) == []


@pytest.mark.parametrize("path", ["/hooks", "/hooks/", "/hooks/nobody", "/hooks/google/more"])
def test_there_are_no_other_hooks(door: Door, path: str) -> None:
    assert door.client.post(path, headers=door.headers("0" * 32, "r")).status_code == 404


def test_while_the_database_is_away_it_is_to_be_sent_again(desk: Desk, door: Door, rule: Rule, tmp_path: Path) -> None:
    channel = watched(desk, rule)
    desk.database.close()
    (tmp_path / "store.sqlite3").unlink()
    answer = door.client.post("/hooks/google", headers=door.headers(channel, "r"))
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")


def test_a_worker_in_another_process_is_nudged_through_the_database(desk: Desk, rule: Rule) -> None:
    channel = watched(desk, rule)
    elsewhere = Database(str(desk.database.engine.url), clock=desk.clock)
    with closing(elsewhere):
        assert Door(elsewhere).notify(channel) == 204
    assert claim(desk) == [rule.id]
