"""Tests `connect` with a Google account: from the consent page to a rule that has done its first pass."""

from __future__ import annotations

import json
import re
import subprocess
from typing import TYPE_CHECKING

import pytest

from bridge.cli.outcome import Exit
from bridge.config import load
from bridge.store.sealed import KeyFile
from tests.cli.conftest import event
from tests.cli.google_desk import ANNA, BOB, KEY, PATIENCE_SECONDS, GoogleDesk, appointment, last_address
from tests.fakes.google.fake import fake_google
from tests.fakes.google.state import Role
from tests.repository import TOP

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cli.conftest import Installation

EVENTS_SCOPE = "https://www.googleapis.com/auth/calendar.events"
LIST_SCOPE = "https://www.googleapis.com/auth/calendar.calendarlist.readonly"
CHOSEN = ("--calendar", "primary", "--resource", "salon/anna", "--rule", KEY)


@pytest.fixture
def desk(installation: Installation) -> Iterator[GoogleDesk]:
    with fake_google() as google:
        google.add_user(ANNA, name="Anna", zone="Europe/Amsterdam")
        google.add_user(BOB, name="Bob", zone="Europe/Amsterdam")
        made = GoogleDesk(installation, google, google.grants.add_client())
        made.configure()
        yield made


def test_the_consent_page_leads_to_a_rule_whose_first_pass_is_done(desk: GoogleDesk) -> None:
    desk.put_here(event("ours", "Haircut"))
    desk.google.calendar(ANNA).put(appointment("Dentist"))
    told = desk.make_rule()

    assert told["sealed"] is True
    assert {each["id"] for each in told["calendars"]} == {ANNA}
    assert told["rule"]["plan"]["counts"] == {"create here": 1, "create there": 1}
    assert told["rule"]["written"] is True
    assert told["rule"]["pass"]["done"] is True
    assert told["rule"]["pass"]["problem"] is None
    assert sorted(desk.here().values()) == ["Dentist", "Haircut"]
    assert desk.there() == ["Dentist", "Haircut"]
    settings = load(desk.installation.config, environ={}).rule(KEY)
    assert (str(settings.resource), settings.connection, settings.calendar) == ("salon/anna", KEY, "primary")
    assert "# Google." in desk.installation.config.read_text()

    desk.google.calendar(ANNA).put(appointment("Colour", 25))
    desk.put_here(event("more", "Wash", start="20261126T090000"))
    assert desk.run("rule", "sync", KEY, "--json").json["problem"] is None
    assert sorted(desk.here().values()) == desk.there() == ["Colour", "Dentist", "Haircut", "Wash"]
    assert desk.google.misuses == []


def test_without_yes_the_plan_is_shown_and_nothing_is_written(desk: GoogleDesk) -> None:
    before = desk.installation.config.read_text()
    desk.google.calendar(ANNA).put(appointment("Dentist"))
    answer = desk.connect(*CHOSEN)

    assert answer.code == 0, answer
    assert "create 1 here" in answer.stdout
    assert "No rule was written" in answer.stdout
    assert "--yes" in answer.stdout
    assert desk.installation.config.read_text() == before
    assert desk.here() == {}
    assert desk.tokens() is not None


def test_tokens_are_kept_sealed_and_shown_nowhere(desk: GoogleDesk) -> None:
    answer = desk.connect()
    tokens = desk.tokens()

    assert answer.code == 0, answer
    assert tokens is not None
    for secret in (tokens["access"], tokens["refresh"], desk.client.secret):
        assert secret not in answer.stdout + answer.stderr
        assert secret.encode() not in (desk.folder / "data/calbridge.sqlite3").read_bytes()
    assert desk.run("calendars", KEY, "--json").json["calendars"][0]["primary"] is True


def test_without_a_browser_the_last_address_is_pasted(desk: GoogleDesk) -> None:
    desk.google.consent.auto = ANNA
    command = [*desk.command("connect", KEY, "--no-browser", "--json")]
    with subprocess.Popen(
        command,
        cwd=TOP,
        env=desk.environment(browser=True),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stderr is not None
        page = json.loads(process.stderr.readline())["consent"]
        process.stdin.write("https://myaccount.google.com/\n")
        process.stdin.write(f"{last_address(page)}\n")
        process.stdin.flush()
        stdout, stderr = process.communicate(timeout=PATIENCE_SECONDS)

    assert process.returncode == 0, stderr
    assert "not the address that the browser ends up at" in stderr
    assert json.loads(stdout)["sealed"] is True


def test_an_answer_to_another_question_is_refused(desk: GoogleDesk) -> None:
    answer = desk.run("connect", KEY, "--json", typed="http://127.0.0.1:1/?state=forged&code=4/x\n", browser=False)
    assert answer.code == Exit.FAILED
    assert "does not belong to the consent page" in answer.stderr
    assert desk.tokens() is None


@pytest.mark.parametrize(
    ("unticked", "named"), [(EVENTS_SCOPE, "edit events"), (LIST_SCOPE, "list of Google calendars")]
)
def test_a_box_that_was_not_ticked_is_named_and_nothing_is_kept(desk: GoogleDesk, unticked: str, named: str) -> None:
    desk.google.consent.unticked = {unticked}
    answer = desk.connect("--json")
    assert answer.code == Exit.FAILED
    assert named in f"{answer.error['error']} {answer.error['remedy']}"
    assert desk.tokens() is None


def test_somebody_who_cancels_is_told_how_to_go_on(desk: GoogleDesk) -> None:
    desk.google.consent.cancels = True
    answer = desk.connect("--json")
    assert answer.code == Exit.FAILED
    assert f"calbridge connect {KEY}" in answer.error["remedy"]
    assert desk.tokens() is None


def test_connecting_again_keeps_the_rule_its_links_and_its_cursor(desk: GoogleDesk) -> None:
    desk.put_here(event("ours", "Haircut"))
    desk.make_rule()
    before = desk.rule()
    assert before.cursor is not None
    desk.google.grants.revoke_user(ANNA)
    refused = desk.run("rule", "sync", KEY, "--json")
    assert refused.code == Exit.FAILED
    assert refused.json["problem"]["code"] == "LoginRefused"
    assert f"calbridge connect {KEY}" in refused.json["problem"]["remedy"]

    answer = desk.connect()
    assert answer.code == 0, answer
    assert f"The rule '{KEY}' goes on where it was" in answer.stdout
    assert "login_hint=anna%40example.org" in answer.stderr
    after = desk.rule()
    assert (after.id, after.calendar, after.origin, after.cursor) == (
        before.id,
        before.calendar,
        before.origin,
        before.cursor,
    )
    assert after.not_before is None
    assert desk.run("rule", "sync", KEY, "--json").json["moves"] == {}
    assert desk.there() == ["Haircut"]
    assert desk.run("status").code == 0


def test_a_lost_key_is_mended_by_connecting_again(desk: GoogleDesk) -> None:
    desk.make_rule()
    key = desk.folder / "data/secret.key"
    key.unlink()
    KeyFile.make(key)
    assert "connection" in desk.run("doctor", "--json").stdout
    refused = desk.run("disconnect", KEY, "--json")
    assert refused.code == Exit.DATABASE
    answer = desk.connect("--json")
    assert answer.code == 0, answer
    assert desk.run("calendars", KEY, "--json").code == 0


def test_the_same_answers_again_only_connect_again(desk: GoogleDesk) -> None:
    desk.make_rule()
    text = desk.installation.config.read_text()
    told = desk.make_rule()
    assert "rule" not in told
    assert told["rules"] == [KEY]
    assert desk.installation.config.read_text() == text


def test_another_account_is_refused_where_a_rule_keeps_a_calendar_that_is_not_its_own(desk: GoogleDesk) -> None:
    desk.put_here(event("ours", "Haircut"))
    desk.make_rule()
    kept = desk.tokens()
    answer = desk.connect("--json", who=BOB)

    assert answer.code == Exit.FAILED
    assert BOB in answer.error["error"]
    assert ANNA in answer.error["error"]
    assert "connection of its own" in answer.error["remedy"]
    assert desk.tokens() == kept
    assert desk.run("rule", "sync", KEY, "--json").json["problem"] is None
    assert desk.there(BOB) == []


def test_a_calendar_that_another_rule_keeps_is_not_given_to_a_second_one(desk: GoogleDesk) -> None:
    desk.make_rule()
    again = desk.connect("--calendar", ANNA, "--resource", "salon/room-1", "--rule", "second", "--yes", "--json")
    assert again.code == Exit.FAILED
    assert f"The rule '{KEY}' keeps the calendar" in again.error["error"]
    assert "second" not in desk.installation.config.read_text()


def test_a_calendar_that_may_only_be_read_is_marked_and_only_fetched(desk: GoogleDesk) -> None:
    team = desk.google.add_calendar(BOB, "team@group.calendar.google.com", "Team", zone="Europe/Amsterdam")
    team.share(ANNA, Role.reader)
    team.put(appointment("Meeting"))
    desk.put_here(event("ours", "Haircut"))
    told = desk.done("--calendar", "Team", "--resource", "salon/anna", "--yes")

    assert {each["name"]: each["writable"] for each in told["calendars"]}["Team"] is False
    settings = load(desk.installation.config, environ={}).rules[KEY]
    assert (settings.calendar, str(settings.direction)) == ("Team", "pull")
    assert sorted(desk.here().values()) == ["Haircut", "Meeting"]
    assert desk.there(BOB, team.id) == ["Meeting"]
    assert "only read" in desk.run("calendars", KEY).stdout


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--calendar", "Wrok", "--resource", "salon/anna"), "There is no remote calendar 'Wrok'"),
        (("--calendar", "primary", "--resource", "salon/ann"), "Did you mean 'salon/anna'?"),
        (("--calendar", "primary"), "--resource"),
    ],
)
def test_a_wrong_choice_is_answered_with_the_right_ones(desk: GoogleDesk, words: tuple[str, ...], told: str) -> None:
    answer = desk.connect(*words, "--yes", "--json")
    assert answer.code in {Exit.FAILED, Exit.USAGE}
    assert told in answer.stderr
    # The login is right, whatever was chosen.
    assert desk.tokens() is not None


def test_a_disconnected_account_is_taken_back_at_google_and_its_rule_waits(desk: GoogleDesk) -> None:
    desk.make_rule()
    answer = desk.run("disconnect", KEY)
    assert answer.code == 0, answer
    assert f"The rule '{KEY}' waits" in answer.stdout
    assert desk.tokens() is None
    assert all(grant.revoked for grant in desk.google.grants.refresh.values())
    waiting = desk.run("rule", "sync", KEY, "--json")
    assert waiting.json["problem"]["code"] == "LoginRefused"
    assert desk.run("disconnect", KEY).code == 0

    assert desk.connect().code == 0
    assert desk.run("rule", "sync", KEY, "--json").json["problem"] is None


def test_doctor_says_who_is_not_connected_and_what_a_login_reaches(desk: GoogleDesk) -> None:
    before = desk.run("doctor", "--json")
    (finding,) = [each for each in before.json["findings"] if each["check"] == "connections"]
    assert finding["state"] == "warn"
    assert finding["remedy"] == f"calbridge connect {KEY}"
    desk.make_rule()
    after = desk.run("doctor", "--connections", "--json").json["findings"]
    assert any("leads to Google Calendar, with 1 calendar" in each["sentence"] for each in after)
    assert any(f"Rule '{KEY}' finds its calendar" in each["sentence"] for each in after)


def test_a_service_account_needs_no_consent(desk: GoogleDesk) -> None:
    desk.google.add_user("room-1@clinic.example", zone="Europe/Amsterdam", workspace="clinic.example")
    robot = desk.google.grants.add_robot("bridge", domain="clinic.example", scopes=[EVENTS_SCOPE, LIST_SCOPE])
    desk.google.robot_file(robot, desk.folder).chmod(0o600)
    desk.configure(
        "  room: {type: google, service_account_file: google-service-account.json, "
        "subject: room-1@clinic.example, ENDPOINTS}"
    )
    desk.google.calendar("room-1@clinic.example").put(appointment("Meeting"))
    words = ("--calendar", "primary", "--resource", "salon/room-1", "--yes", "--json")
    told = desk.run("connect", "room", *words, browser=False)

    assert told.code == 0, told
    assert told.json["sealed"] is False
    assert told.json["rule"]["rule"] == "room-1-room"
    assert told.json["rule"]["pass"]["problem"] is None

    left = desk.run("disconnect", "room").stdout
    assert "stands in the configuration" in left
    assert "waits" not in left
    assert desk.run("rule", "sync", "room-1-room", "--json").json["problem"] is None


def test_a_service_account_that_may_not_act_for_others_is_told_what_the_administrator_does(desk: GoogleDesk) -> None:
    desk.google.add_user("room-1@clinic.example", workspace="clinic.example")
    robot = desk.google.grants.add_robot("bridge")
    desk.google.robot_file(robot, desk.folder).chmod(0o600)
    desk.configure(
        "  room: {type: google, service_account_file: google-service-account.json, "
        "subject: room-1@clinic.example, ENDPOINTS}"
    )
    answer = desk.run("connect", "room", "--json", browser=False)
    assert answer.code == Exit.FAILED
    assert "24 hours" in answer.error["remedy"]
    assert robot.client_id in answer.error["remedy"]


def test_a_key_that_is_none_is_told_by_doctor_without_its_content(desk: GoogleDesk) -> None:
    robot = desk.google.grants.add_robot("bridge")
    file = desk.google.robot_file(robot, desk.folder)
    file.chmod(0o600)
    file.write_text(json.dumps({**json.loads(file.read_text()), "private_key": "open sesame"}))
    desk.configure(
        "  room: {type: google, service_account_file: google-service-account.json, "
        "subject: room-1@clinic.example, ENDPOINTS}"
    )
    answer = desk.installation.run("doctor", "--connections", "--json")
    (told,) = [each for each in answer.json["findings"] if "'room'" in each["sentence"]]
    assert told["state"] == "bad"
    assert "no key of a service account" in told["sentence"]
    assert "sesame" not in answer.stdout


def test_a_password_makes_no_sense_there(desk: GoogleDesk) -> None:
    answer = desk.run("connect", KEY, "--password-stdin", "--json", typed="sesame\n")
    assert answer.code == Exit.USAGE
    assert "no password" in answer.error["error"]


def test_the_printed_address_asks_for_two_scopes_and_no_more(desk: GoogleDesk) -> None:
    answer = desk.connect("--no-browser", "--json", key="anna-googel")
    assert answer.code == Exit.FAILED
    assert KEY in answer.error["remedy"]
    forged = desk.run("connect", KEY, typed="?state=x&code=y\n", browser=False)
    scopes = re.search(r"[?&]scope=([^&\s]+)", forged.stderr)
    assert scopes is not None
    assert set(scopes[1].replace("%3A", ":").replace("%2F", "/").split("+")) == {EVENTS_SCOPE, LIST_SCOPE}
