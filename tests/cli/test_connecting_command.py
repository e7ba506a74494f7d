"""Tests `connect` and `calendars`: a login is tried before its password is kept, and what is found can be picked."""

from __future__ import annotations

import json
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from bridge import bootstrap
from bridge.cli.outcome import Exit
from bridge.store import sealed
from tests.cli.conftest import calendar, event
from tests.cli.remote import PASSWORD, Remote, remote
from tests.system.process import unused_port

if TYPE_CHECKING:
    from tests.cli.conftest import Installation
    from tests.upstream.servers.caldav_server import CalDAVServer


@pytest.fixture
def unconnected(installation: Installation, radicale_server: CalDAVServer) -> Remote:
    return remote(installation, radicale_server)


def kept(installation: Installation) -> bytes | None:
    """The password that is sealed in the database."""
    site = installation.open()
    with closing(site.database) as database, database.reading() as tx:
        return sealed.recall(tx, site.keys, bootstrap.sealed_name("clinic"))


def test_the_password_is_asked_for_tried_and_sealed(unconnected: Remote) -> None:
    unconnected.configure()
    answer = unconnected.run("connect", "clinic", typed=f"{PASSWORD}\n")

    assert answer.code == 0
    assert "Password of alice" in answer.stderr
    assert PASSWORD not in answer.stdout + answer.stderr
    assert kept(unconnected.installation) == PASSWORD.encode()
    assert PASSWORD.encode() not in (unconnected.installation.config.parent / "data/calbridge.sqlite3").read_bytes()


def test_what_is_found_is_shown_with_the_rule_to_write(unconnected: Remote) -> None:
    unconnected.configure()
    shown = unconnected.run("connect", "clinic", "--password-stdin", typed=f"{PASSWORD}\n").stdout

    assert unconnected.name in shown
    assert "rules:\n  anna-clinic:\n    resource: salon/anna\n    connection: clinic\n    calendar: " in shown

    config = unconnected.installation.config
    snippet = shown.partition("rules:\n")[2]
    config.write_text(config.read_text().replace("rules: {}\n", f"rules:\n{snippet}"))
    assert unconnected.run("check-config").code == 0


def test_a_rule_is_made_without_any_question(unconnected: Remote) -> None:
    unconnected.configure()
    unconnected.put_here(event("ours"))
    unconnected.put_there(event("theirs", start="20261124T090000"))
    words = ("--calendar", unconnected.name, "--resource", "salon/anna", "--rule", "work", "--yes", "--json")
    told = unconnected.done("connect", "clinic", "--password-stdin", *words, typed=f"{PASSWORD}\n").stdout

    made = json.loads(told)["rule"]
    assert made["plan"]["counts"] == {"create here": 1, "create there": 1}
    assert (made["written"], made["pass"]["done"], made["pass"]["problem"]) == (True, True, None)
    assert set(unconnected.here()) == set(unconnected.there()) == {"ours", "theirs"}
    assert unconnected.run("check-config").code == 0
    assert unconnected.sync() == {}


def test_without_yes_nothing_but_the_plan_comes_of_it(unconnected: Remote) -> None:
    unconnected.configure()
    unconnected.put_here(event("ours"))
    before = unconnected.installation.config.read_text()
    words = ("--calendar", unconnected.name, "--resource", "salon/anna")
    shown = unconnected.done("connect", "clinic", "--password-stdin", *words, typed=f"{PASSWORD}\n").stdout

    assert "create 1 there" in shown
    assert "rules:\n  anna-clinic:\n    resource: salon/anna\n" in shown
    assert unconnected.installation.config.read_text() == before
    assert unconnected.there() == {}


def test_a_calendar_that_is_not_there_is_named_with_the_nearest(unconnected: Remote) -> None:
    unconnected.configure()
    words = ("--calendar", f"{unconnected.name}x", "--resource", "salon/anna", "--yes", "--json")
    answer = unconnected.run("connect", "clinic", "--password-stdin", *words, typed=f"{PASSWORD}\n")
    assert answer.code == Exit.FAILED
    assert f"Did you mean '{unconnected.name}'?" in answer.error["remedy"]


def test_a_forgotten_password_keeps_the_rule_waiting(clinic: Remote) -> None:
    clinic.sync()
    assert "waits" in clinic.done("disconnect", "clinic").stdout
    assert kept(clinic.installation) is None
    assert clinic.run("rule", "sync", "work", "--json").json["problem"]["code"] == "LoginRefused"
    clinic.connect()
    assert clinic.sync() == {}


def test_a_connection_that_rules_use_says_so(unconnected: Remote) -> None:
    shown = unconnected.run("connect", "clinic", "--password-stdin", typed=f"{PASSWORD}\n").stdout
    assert "rule 'work'" in shown
    assert "rules:" not in shown


def test_a_wrong_password_is_not_kept(unconnected: Remote) -> None:
    answer = unconnected.run("connect", "clinic", "--password-stdin", "--json", typed="wrong\n")

    assert answer.code == Exit.FAILED
    assert answer.error["error"]
    assert "app" in answer.error["remedy"].lower()
    assert kept(unconnected.installation) is None


def test_a_new_password_lets_rules_go_on_at_once(clinic: Remote) -> None:
    clinic.sync()
    site = clinic.installation.open()
    with closing(site.database) as database, database.writing() as tx:
        sealed.keep(tx, site.keys, bootstrap.sealed_name("clinic"), b"old")
    failed = clinic.run("rule", "sync", "work", "--json")
    assert failed.code == Exit.FAILED
    assert failed.json["problem"]["code"] == "LoginRefused"
    assert clinic.run("status").code == Exit.PART

    clinic.connect()
    rule = clinic.rule()
    assert rule.not_before is None
    assert clinic.sync() == {}
    assert clinic.run("status").code == 0


def test_a_server_that_is_not_there_is_named_with_a_remedy(installation: Installation) -> None:
    text = installation.config.read_text()
    lines = f'connections:\n  clinic: {{type: caldav, url: "http://127.0.0.1:{unused_port()}/", user: alice}}\n'
    installation.config.write_text(text + lines)
    answer = installation.run("connect", "clinic", "--password-stdin", "--json", typed="x\n")

    assert answer.code == Exit.FAILED
    assert "127.0.0.1" in answer.error["error"]


def test_a_password_that_the_configuration_names_is_tried_and_stays_there(
    unconnected: Remote, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = unconnected.installation.config
    config.write_text(config.read_text().replace("user: alice}", 'user: alice, password: "${CLINIC}"}'))
    monkeypatch.setenv("CLINIC", PASSWORD)

    assert unconnected.run("connect", "clinic", "--json").json["sealed"] is False
    assert unconnected.run("connect", "clinic", "--password-stdin", typed="x\n").code == Exit.USAGE
    monkeypatch.setenv("CLINIC", "wrong")
    assert unconnected.run("connect", "clinic").code == Exit.FAILED


def test_an_unknown_connection_is_named_with_the_nearest_one(unconnected: Remote) -> None:
    answer = unconnected.run("connect", "clinik", "--json")
    assert answer.code == Exit.FAILED
    assert "clinic" in answer.error["remedy"]


def test_calendars_are_listed_to_pick_from(clinic: Remote) -> None:
    listed = {each["name"]: each for each in clinic.run("calendars", "clinic", "--json").json["calendars"]}

    assert listed[clinic.name]["writable"] is True
    assert "VEVENT" in listed[clinic.name]["components"]
    assert listed["Opening hours"]["writable"] is False
    shown = clinic.run("calendars", "clinic").stdout
    assert listed[clinic.name]["id"] in shown


def test_a_published_file_is_fetched_once_and_says_what_it_holds(installation: Installation) -> None:
    rota = installation.config.parent / "rota.ics"
    rota.write_text(calendar(event("a"), event("b")), newline="")
    installation.config.write_text(
        f'{installation.config.read_text()}connections:\n  rota: {{type: ics, url: "file:{rota}"}}\n'
    )

    assert installation.run("connect", "rota", "--json").json["holds"] == {"VEVENT": 2}
    assert "2 events" in installation.run("connect", "rota").stdout
    rota.write_text("<html>moved</html>")
    assert installation.run("connect", "rota").code == Exit.FAILED
