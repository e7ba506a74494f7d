"""A Google connection names the file that Google gave out, and is told when it is the wrong one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from bridge.config import Configuration, ConnectionType, files, load, rule_target
from bridge.errors import ConfigurationError
from tests.config.named_files import CLIENT, SERVICE_ACCOUNT, put_google_files

if TYPE_CHECKING:
    from pathlib import Path

SITE = """
accounts:
  salon:
    name: Salon Anna
    time_zone: Europe/Amsterdam
    resources: {anna: {kind: employee, name: Anna}, bob: {kind: employee, name: Bob}}
"""
CONSENT = "type: google, client_file: client.json"
SERVICE = "type: google, service_account_file: service.json, subject: Room-1@example.org"


def read(folder: Path, connections: dict[str, str], *rules: str) -> Configuration:
    put_google_files(folder)
    lines = [f"  {key}: {{{settings}}}" for key, settings in connections.items()]
    lines += ["rules:", *(f"  r{at}: {{{rule}}}" for at, rule in enumerate(rules, start=1))]
    (folder / "bridge.yaml").write_text("\n".join([f"{SITE}connections:", *lines, ""]))
    return load(folder / "bridge.yaml", environ={})


def problems(folder: Path, connections: dict[str, str], *rules: str) -> tuple[str, ...]:
    with pytest.raises(ConfigurationError) as caught:
        read(folder, connections, *rules)
    return caught.value.problems


def rule(resource: str, connection: str, calendar: str) -> str:
    return f'resource: salon/{resource}, connection: {connection}, calendar: "{calendar}"'


def test_a_client_file_is_enough_where_people_consent(tmp_path: Path) -> None:
    found = read(tmp_path, {"anna": CONSENT}).connection("anna")
    assert (found.type, found.url, found.user, found.password) == (ConnectionType.GOOGLE, "", "", None)
    assert found.client_file == tmp_path / "client.json"
    assert found.asks_for_consent
    assert (found.rate, found.parallel) == (600, 4)
    assert found.shown == "Google Calendar"


def test_a_service_account_acts_for_somebody(tmp_path: Path) -> None:
    found = read(tmp_path, {"room": SERVICE}).connection("room")
    assert (found.service_account_file, found.subject) == (tmp_path / "service.json", "Room-1@example.org")
    assert not found.asks_for_consent
    assert found.shown == "Google Calendar as Room-1@example.org"


def test_both_files_are_watched_and_kept_from_strangers(tmp_path: Path) -> None:
    configuration = read(tmp_path, {"anna": CONSENT, "room": SERVICE})
    assert {tmp_path / "client.json", tmp_path / "service.json"} <= set(files(configuration))
    assert configuration.warnings == ()
    for name in ("client.json", "service.json"):
        (tmp_path / name).chmod(0o644)
    assert len(load(tmp_path / "bridge.yaml", environ={}).warnings) == 2


def test_other_addresses_stand_in_for_googles_own(tmp_path: Path) -> None:
    endpoints = 'endpoints: {api: "http://127.0.0.1:8090/calendar/v3/", token: "https://proxy.example.org/token"}'
    found = read(tmp_path, {"anna": f"{CONSENT}, {endpoints}"}).connection("anna").endpoints
    assert (found.api, found.auth) == ("http://127.0.0.1:8090/calendar/v3/", "")
    assert found.token == "https://proxy.example.org/token"


def test_tokens_never_go_over_a_network_in_the_clear(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, {"anna": f'{CONSENT}, endpoints: {{token: "http://proxy.example.org/token"}}'})
    assert "http:// only within this machine; did you mean 'https://proxy.example.org/token'?" in problem


UNFIT: dict[str, tuple[str, Any, str]] = {
    "a service account in place of a client": (CONSENT, SERVICE_ACCOUNT, "belongs under service_account_file"),
    "a client in place of a service account": (SERVICE, CLIENT, "belongs under client_file"),
    "what another program keeps": (CONSENT, {"type": "authorized_user"}, "neither 'installed' nor 'web'"),
    "what another program keeps, again": (SERVICE, {"type": "authorized_user"}, "its type is not 'service_account'"),
    "a client without its secret": (CONSENT, {"installed": {"client_id": "1"}}, "lacks client_secret; download it"),
    "a key without its key": (SERVICE, {**SERVICE_ACCOUNT, "private_key": ""}, "lacks private_key"),
    "a list": (CONSENT, [CLIENT], "is no JSON object"),
}


@pytest.mark.parametrize(("connection", "content", "told"), UNFIT.values(), ids=UNFIT.keys())
def test_a_file_for_something_else_is_told_what_it_is(tmp_path: Path, connection: str, content: Any, told: str) -> None:
    named = connection.replace("client.json", "wrong.json").replace("service.json", "wrong.json")
    (tmp_path / "wrong.json").write_text(json.dumps(content))
    (problem,) = problems(tmp_path, {"anna": named})
    assert told in problem
    assert "sesame" not in problem


def test_text_that_is_no_json_is_refused(tmp_path: Path) -> None:
    (tmp_path / "wrong.json").write_text("client_id=1")
    (problem,) = problems(tmp_path, {"anna": CONSENT.replace("client.json", "wrong.json")})
    assert "wrong.json', which is no JSON object, as Google's console gives it out" in problem


def test_a_rule_has_to_say_which_calendar(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, {"anna": CONSENT}, "resource: salon/anna, connection: anna")
    assert "rules.r1.calendar: found nothing; allowed: primary, or the name or id of a calendar" in problem


def test_a_new_client_or_key_keeps_the_target_of_a_rule(tmp_path: Path) -> None:
    work = rule("anna", "anna", "primary")
    before = rule_target(read(tmp_path, {"anna": CONSENT}, work), "r1")
    (tmp_path / "new.json").write_text(json.dumps(CLIENT))
    (tmp_path / "new.json").chmod(0o600)
    after = rule_target(read(tmp_path, {"anna": "type: google, client_file: new.json, rate: 60"}, work), "r1")
    assert before == after == "salon/anna|google:anna|primary"


def test_another_subject_is_another_target(tmp_path: Path) -> None:
    work = rule("anna", "room", "primary")
    one, other = (
        rule_target(read(tmp_path, {"room": SERVICE.replace("Room-1", name)}, work), "r1")
        for name in ("Room-1", "room-2")
    )
    assert one == "salon/anna|google:room-1@example.org|primary"
    assert one != other


MEETING = {
    "one name through one connection": (rule("anna", "anna", "Work"), rule("bob", "anna", "Work")),
    "the main calendar twice": (rule("anna", "anna", "primary"), rule("bob", "anna", "primary")),
    "one id through two accounts": (rule("anna", "anna", "T1@group.example"), rule("bob", "room", "t1@group.example")),
    "the main calendar by its address": (rule("anna", "anna", "room-1@example.org"), rule("bob", "room", "primary")),
    "two connections for one subject": (rule("anna", "room", "Work"), rule("bob", "room-too", "Work")),
}
APART = {
    "two names": (rule("anna", "anna", "Work"), rule("bob", "anna", "Home")),
    "the main calendars of two accounts": (rule("anna", "anna", "primary"), rule("bob", "room", "primary")),
    "one name in two accounts": (rule("anna", "anna", "Work"), rule("bob", "room", "Work")),
    "one resource and two calendars": (rule("anna", "anna", "primary"), rule("anna", "anna", "Work")),
}
CONNECTIONS = {"anna": CONSENT, "room": SERVICE, "room-too": SERVICE.replace("Room-1", "room-1")}


@pytest.mark.parametrize("rules", MEETING.values(), ids=MEETING.keys())
def test_two_rules_to_one_google_calendar_are_refused(tmp_path: Path, rules: tuple[str, str]) -> None:
    (problem,) = problems(tmp_path, CONNECTIONS, *rules)
    assert "rules.r2: the same remote calendar as in rules.r1" in problem


@pytest.mark.parametrize("rules", APART.values(), ids=APART.keys())
def test_rules_to_different_google_calendars_are_taken(tmp_path: Path, rules: tuple[str, str]) -> None:
    assert len(read(tmp_path, CONNECTIONS, *rules).rules) == 2
