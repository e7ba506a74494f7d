"""A server runs, somebody connects a Google account beside it, and from then on both calendars are the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ruamel.yaml import YAML

from tests.cli.google_desk import ANNA, appointment, browser_in
from tests.fakes.google.fake import fake_google
from tests.system.process import event, eventually, running, settings
from tests.system.ruling import adopted, command, problems, put, titles

if TYPE_CHECKING:
    from pathlib import Path

KEY = "anna-google"
CHOSEN = ("--calendar", "primary", "--resource", "salon/anna", "--yes")


def test_an_account_that_is_connected_beside_a_running_server_is_kept_by_it(tmp_path: Path) -> None:
    with fake_google() as google:
        google.add_user(ANNA, name="Anna", zone="Europe/Amsterdam")
        google.consent.auto = ANNA
        google.calendar(ANNA).put(appointment("Dentist"))
        google.client_file(google.grants.add_client(), tmp_path).chmod(0o600)
        connection = {"type": "google", "client_file": "google-client.json", "endpoints": google.endpoints}
        with running(tmp_path, settings(connections={KEY: connection})) as server:
            put(server, event("ours", "Haircut"))
            code, told = command(server, "connect", KEY, *CHOSEN, BROWSER=browser_in(tmp_path))
            assert code == 0, told
            assert told["rule"]["plan"]["counts"] == {"create here": 1, "create there": 1}
            eventually(lambda: adopted(server, KEY), "the first pass is done")
            assert sorted(titles(server).values()) == ["Dentist", "Haircut"]

            put(server, event("more", "Colour"))
            there = google.calendar(ANNA)
            eventually(lambda: "Colour" in {each["summary"] for each in there.events}, "what is put here is there")

            written = YAML(typ="safe", pure=True).load(server.path.read_text())
            written["rules"][KEY]["poll"] = "1s"
            server.write(written)
            there.put(appointment("Wash", 25))
            eventually(lambda: "Wash" in titles(server).values(), "what is made there is here")
            assert sorted(each["summary"] for each in there.events) == ["Colour", "Dentist", "Haircut", "Wash"]
            assert problems(server) == {}
    assert google.misuses == []
