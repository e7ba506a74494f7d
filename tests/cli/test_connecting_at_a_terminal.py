"""Tests `connect` where somebody sits at a terminal: it asks, shows, and does nothing that was not agreed to."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

from bridge.config import load
from tests.cli.conftest import event
from tests.cli.google_desk import ANNA, BOB, KEY, GoogleDesk, appointment, last_address
from tests.cli.remote import PASSWORD, remote
from tests.cli.terminal import terminal
from tests.fakes.google.fake import fake_google

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cli.conftest import Installation
    from tests.upstream.servers.caldav_server import CalDAVServer


@pytest.fixture
def desk(installation: Installation) -> Iterator[GoogleDesk]:
    with fake_google() as google:
        google.add_user(ANNA, name="Anna", zone="Europe/Amsterdam")
        google.add_user(BOB, name="Bob", zone="Europe/Amsterdam")
        google.add_calendar(ANNA, "work@group.calendar.google.com", "Work", zone="Europe/Amsterdam")
        google.consent.auto = ANNA
        made = GoogleDesk(installation, google, google.grants.add_client())
        made.configure()
        yield made


def test_a_person_chooses_by_number_sees_the_plan_and_agrees(desk: GoogleDesk) -> None:
    desk.put_here(event("ours", "Haircut"))
    desk.google.calendar(ANNA, "work@group.calendar.google.com").put(appointment("Dentist"))
    with terminal(desk.command("connect", KEY), desk.environment(browser=True)) as screen:
        screen.expect("consent page is open in your browser")
        screen.expect("login is kept sealed")
        screen.expect(r"1 +anna@example.org")
        screen.expect(r"2 +Work")
        screen.expect(r"Which calendar .*\[1\]")
        screen.type("9")
        screen.expect("not in the range")
        screen.type("2")
        screen.expect(r"2 +salon/room-1")
        screen.expect("Whose calendar is it")
        screen.type("1")
        screen.expect(r"rule to be called \[anna-google\]")
        screen.type("")
        screen.expect("Nothing has been written yet")
        screen.expect("create 1 here, create 1 there")
        screen.expect("do this now")
        assert "rules:" not in desk.installation.config.read_text()
        screen.type("y")
        screen.expect("stands in")
        screen.expect("The next pass is due")
        assert screen.end() == 0
    assert load(desk.installation.config, environ={}).rule(KEY).calendar == "Work"
    assert sorted(desk.here().values()) == ["Dentist", "Haircut"]
    assert desk.there(ANNA, "work@group.calendar.google.com") == ["Dentist", "Haircut"]
    assert desk.there() == []


def test_a_person_who_does_not_agree_finds_everything_as_it_was(desk: GoogleDesk) -> None:
    desk.put_here(event("ours", "Haircut"))
    before = desk.installation.config.read_text()
    with terminal(
        desk.command("connect", KEY, "--resource", "salon/anna", "--rule", "x"), desk.environment(browser=True)
    ) as screen:
        screen.expect("Which calendar")
        screen.type("")
        screen.expect("do this now")
        screen.type("n")
        screen.expect("No rule was written")
        assert screen.end() == 0
    assert desk.installation.config.read_text() == before
    assert desk.there() == []
    assert desk.tokens() is not None


def test_a_person_without_a_browser_pastes_the_address_and_goes_on_answering(desk: GoogleDesk) -> None:
    with terminal(desk.command("connect", KEY, "--no-browser"), desk.environment(browser=True)) as screen:
        screen.expect("Open this address in a browser")
        screen.expect("press Enter")
        page = next(line for line in screen.text.splitlines() if line.startswith(desk.google.endpoints["auth"]))
        screen.type("what?")
        screen.expect("Copy the whole address")
        screen.type(last_address(page))
        screen.expect("Which calendar")
        screen.type("0")
        screen.expect("Next, ")
        assert screen.end() == 0
    assert desk.tokens() is not None


def test_the_browser_may_come_back_while_nothing_is_typed(desk: GoogleDesk) -> None:
    with terminal(desk.command("connect", KEY), desk.environment(browser=True)) as screen:
        screen.expect("Which calendar")
        screen.type("0")
        assert screen.end() == 0


def test_a_caldav_calendar_is_chosen_in_the_same_way(installation: Installation, radicale_server: CalDAVServer) -> None:
    there = remote(installation, radicale_server)
    there.configure()
    there.put_here(event("ours", "Haircut"))
    command = [sys.executable, "-m", "bridge", "connect", "clinic", "--config", str(installation.config)]
    with terminal([*command, "--calendar", there.name], dict(os.environ)) as screen:
        screen.expect("Password of alice")
        screen.type(PASSWORD)
        screen.expect("password is kept sealed")
        screen.expect("Whose calendar is it")
        screen.type("1")
        screen.expect(r"\[anna-clinic\]")
        screen.type("")
        screen.expect("create 1 there")
        screen.type("")
        screen.expect("anna-clinic: create there: 1")
        assert screen.end() == 0
    assert there.there() == {"ours": "Haircut"}
    assert load(installation.config, environ={}).rule("anna-clinic").calendar == there.name
