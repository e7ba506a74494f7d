"""Tests the commands on a rule to a Google calendar: what a person decides here goes to Google too."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from bridge.cli.outcome import Exit
from bridge.core.polling import Bucket
from bridge.store import calendar_object, placement
from bridge.store.collection import Address, Kind, get
from bridge.store.database import instant
from bridge.store.journal import Author
from bridge.store.schema import allowance
from bridge.upstream.oauth.google import SCOPES
from tests.cli.conftest import calendar, event
from tests.cli.google_desk import appointment
from tests.fakes.google.fake import fake_google

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cli.conftest import Answer, Installation
    from tests.fakes.google.by_hand import ByHand
    from tests.fakes.google.fake import FakeGoogle

RULE = "room"
ROOM = "room@clinic.example"
GUARDED = "guard: {objects: 1, percent: 10}"
RESOURCE = Address(Kind.RESOURCE, "salon", "anna")


@dataclass
class Clinic:
    """An installation that keeps `salon/anna` and a room's calendar at Google the same.

    Attributes:
        page: The room's calendar as a person edits it at Google.
    """

    installation: Installation
    google: FakeGoogle
    page: ByHand

    def configure(self, options: str = "") -> None:
        robot = self.google.grants.add_robot("bridge", domain="clinic.example", scopes=SCOPES)
        folder = self.installation.config.parent
        self.google.robot_file(robot, folder).chmod(0o600)
        endpoints = ", ".join(f'{name}: "{url}"' for name, url in self.google.endpoints.items())
        more = f", {options}" if options else ""
        text = self.installation.config.read_text().partition("connections:\n")[0]
        self.installation.config.write_text(
            f"{text}connections:\n"
            f"  google: {{type: google, service_account_file: google-service-account.json, subject: {ROOM},"
            f" endpoints: {{{endpoints}}}}}\n"
            "rules:\n"
            f"  {RULE}: {{resource: salon/anna, connection: google, calendar: primary,"
            f" window: {{past: all, future: all}}{more}}}\n"
        )

    def run(self, *words: str, typed: str = "") -> Answer:
        return self.installation.run(*words, typed=typed)

    def done(self, *words: str, typed: str = "") -> Answer:
        """Runs a command that has to end well."""
        answer = self.run(*words, typed=typed)
        assert answer.code == 0, (words, answer)
        return answer

    def sync(self) -> dict[str, Any]:
        """Does a pass, and gives what it did."""
        moves: dict[str, Any] = self.run("rule", "sync", RULE, "--json").json["moves"]
        return moves

    def put_here(self, *components: str) -> None:
        self.done("import", "-", "--into", "salon/anna", typed=calendar(*components))

    def remove_here(self, *uids: str) -> None:
        """Somebody deletes appointments with a calendar program."""
        with closing(self.installation.open().database) as database, database.writing() as tx:
            here = get(tx, RESOURCE)
            for stored in placement.by_uids(tx, here.id, uids):
                calendar_object.remove(tx, here.id, stored.href, author=Author("user:anna", "test"))

    def here(self) -> list[str]:
        """The titles here."""
        site = self.installation.open()
        with closing(site.database) as database, database.reading() as tx:
            stored = list(placement.get_all(tx, get(tx, RESOURCE).id))
        return sorted(site.parse(each.raw, RESOURCE).summary for each in stored)

    def there(self) -> list[str]:
        """The titles at Google."""
        return sorted(each["summary"] for each in self.page.events if each["status"] != "cancelled")

    def both(self) -> list[str]:
        """The titles on both sides, which are the same."""
        assert self.here() == self.there()
        return self.here()

    def ids(self) -> dict[str, str]:
        """The id at Google of each title."""
        return {each["summary"]: each["id"] for each in self.page.events}

    def newest(self, of: str, *words: str) -> Any:
        """The newest of what a command lists."""
        listed = self.run(*words, "--json").json[of]
        return listed[0]


@pytest.fixture
def clinic(installation: Installation) -> Iterator[Clinic]:
    with fake_google() as google:
        google.add_user(ROOM, zone="Europe/Amsterdam", workspace="clinic.example")
        made = Clinic(installation, google, google.calendar(ROOM))
        made.configure()
        yield made
        assert google.misuses == []


@pytest.fixture
def full(clinic: Clinic) -> Clinic:
    """Four appointments from here and two from Google, under a rule that deletes one at a time by itself."""
    clinic.configure(GUARDED)
    clinic.put_here(*(event(f"e{day}", f"Cut {day}", start=f"2026112{day}T090000") for day in range(4)))
    for day in range(2):
        clinic.page.put(appointment(f"Theirs {day}", 24 + day))
    clinic.sync()
    assert clinic.both() == EVERYTHING
    return clinic


EVERYTHING = ["Cut 0", "Cut 1", "Cut 2", "Cut 3", "Theirs 0", "Theirs 1"]


def test_status_says_how_a_rule_to_google_is_doing(full: Clinic) -> None:
    said = full.done("status", "--json").json
    (rule,) = said["rules"]
    assert (rule["rule"], rule["problem"], rule["parked"], rule["held"], rule["conflicts"]) == (RULE, None, 0, 0, 0)
    assert rule["notifications"]["on"] is False
    shown = full.done("status").stdout
    assert RULE in shown


def test_what_was_deleted_at_google_waits_and_goes_when_a_person_approves(full: Clinic) -> None:
    for title in ("Cut 0", "Cut 1", "Theirs 0"):
        full.page.delete(full.ids()[title])
    assert full.sync() == {"held": 3}
    assert full.here() == EVERYTHING
    assert full.run("status").code == Exit.PART

    full.done("held", "approve", str(full.newest("held", "held", "list")["id"]))
    assert full.sync() == {"delete here": 3}
    assert full.both() == ["Cut 2", "Cut 3", "Theirs 1"]
    assert full.sync() == {}
    assert full.run("status").code == 0


def test_refusing_brings_back_at_google_what_was_deleted_there_and_doubles_nothing(full: Clinic) -> None:
    for title in ("Cut 0", "Cut 1", "Theirs 0"):
        full.page.delete(full.ids()[title])
    full.sync()
    full.done("held", "refuse", str(full.newest("held", "held", "list")["id"]))
    assert full.sync() == {"create there": 3}
    assert full.both() == EVERYTHING
    assert full.sync() == {}


def test_what_was_deleted_here_waits_before_it_goes_at_google(full: Clinic) -> None:
    full.remove_here("e0", "e1", "e2")
    assert full.sync() == {"held": 3}
    assert full.there() == EVERYTHING
    full.done("held", "approve", str(full.newest("held", "held", "list")["id"]))
    assert full.sync() == {"delete there": 3}
    assert full.both() == ["Cut 3", "Theirs 0", "Theirs 1"]


def test_what_google_cannot_hold_is_set_aside_with_the_reason_and_goes_when_it_is_mended(clinic: Clinic) -> None:
    clinic.put_here(event("a", "Pulse", extra="RRULE:FREQ=HOURLY"), event("b", "Cut"))
    clinic.sync()
    assert clinic.there() == ["Cut"]
    (found,) = clinic.run("parked", "list", "--json").json["parked"]
    assert (found["rule"], found["uid"], found["title"]) == (RULE, "a", "Pulse")
    assert "Google" in found["reason"]
    assert found["remedy"]
    assert clinic.run("status").code == Exit.PART
    asked = len(clinic.google.requests)
    clinic.sync()
    assert len(clinic.google.requests) == asked + 1, "it is not tried again by itself"

    clinic.put_here(event("a", "Pulse", extra="RRULE:FREQ=DAILY;COUNT=3"))
    clinic.sync()
    assert clinic.there() == ["Cut", "Pulse"]
    assert clinic.run("parked", "list").stdout == "Nothing is set aside.\n"
    assert clinic.run("status").code == 0


@pytest.mark.parametrize(("policy", "kept", "lost"), [("ours", "Colour", "Shave"), ("theirs", "Shave", "Colour")])
def test_the_version_that_lost_a_conflict_is_swapped_back_at_google_too(
    clinic: Clinic, policy: str, kept: str, lost: str
) -> None:
    clinic.configure(f"on_conflict: {policy}")
    clinic.put_here(event("a", "Cut"))
    clinic.sync()
    before = clinic.ids()["Cut"]
    clinic.put_here(event("a", "Colour", extra="LOCATION:Room 1"))
    clinic.page.edit(before, {"summary": "Shave", "description": "Bring tea"})
    clinic.sync()
    assert clinic.both() == [kept]
    found = clinic.newest("conflicts", "conflicts", "list")
    assert (found["properties"], found["kept"]) == (["SUMMARY"], policy)

    clinic.done("conflicts", "swap", str(found["id"]))
    clinic.sync()
    assert clinic.both() == [lost]
    there = clinic.page.get(before)
    assert (there["location"], there["description"]) == ("Room 1", "Bring tea")
    assert clinic.sync() == {}


def test_log_tells_what_a_pass_did_and_how_many_requests_it_took(full: Clinic) -> None:
    run = full.newest("runs", "log", RULE)
    assert (run["kind"], run["outcome"], run["moves"]) == ("first", "done", {"create here": 2, "create there": 4})
    # The calendars, the events, and each creation.
    assert run["requests"] == 6
    assert {(each["title"], each["side"]) for each in run["items"]} == {
        *((f"Cut {number}", "there") for number in range(4)),
        *((f"Theirs {number}", "here") for number in range(2)),
    }


def test_an_edit_that_is_undone_here_is_undone_at_google_in_the_same_event(full: Clinic) -> None:
    before = full.ids()["Cut 1"]
    full.put_here(event("e1", "Wrong", start="20261121T150000"))
    full.sync()
    assert full.ids()["Wrong"] == before

    full.done("undo", str(full.newest("entries", "history", "salon/anna")["id"]))
    full.sync()

    assert full.both() == EVERYTHING
    assert full.ids()["Cut 1"] == before
    assert "T09:00" in full.page.get(before)["start"]["dateTime"]
    assert full.sync() == {}


def test_a_deletion_that_is_undone_here_is_back_at_google_once(full: Clinic) -> None:
    full.remove_here("e1")
    full.sync()
    assert "Cut 1" not in full.there()

    full.done("undo", str(full.newest("entries", "history", "salon/anna")["id"]))
    full.sync()

    assert full.both() == EVERYTHING
    assert full.sync() == {}


def test_what_somebody_did_at_google_is_undone_from_here(full: Clinic) -> None:
    full.page.delete(full.ids()["Cut 0"])
    full.page.edit(full.ids()["Cut 1"], {"summary": "Vandalised"})
    full.sync()
    assert full.both() == ["Cut 2", "Cut 3", "Theirs 0", "Theirs 1", "Vandalised"]

    full.done("undo", "--run", str(full.newest("runs", "log", RULE)["run"]))
    full.sync()

    assert full.both() == EVERYTHING
    assert full.sync() == {}


def test_an_undone_edit_of_a_series_is_undone_in_each_instance_at_google(clinic: Clinic) -> None:
    master = event("s", "Class", extra="RRULE:FREQ=DAILY;COUNT=4")
    moved = event("s", "Exam", start="20261124T140000", extra="RECURRENCE-ID;TZID=Europe/Amsterdam:20261124T090000")
    clinic.put_here(master + moved)
    clinic.sync()
    before = [(each["summary"], each["start"]) for each in clinic.page.instances]
    clinic.put_here(event("s", "Course", extra="RRULE:FREQ=DAILY;COUNT=2"))
    clinic.sync()
    assert [each["summary"] for each in clinic.page.instances] == ["Course", "Course"]

    clinic.done("undo", str(clinic.newest("entries", "history", "salon/anna")["id"]))
    clinic.sync()

    assert [(each["summary"], each["start"]) for each in clinic.page.instances] == before
    assert clinic.sync() == {}


def test_a_command_takes_its_requests_out_of_the_same_budget_as_the_server(full: Clinic) -> None:
    with closing(full.installation.open().database) as database, database.reading() as tx:
        rows = tx.connection.execute(select(allowance)).all()
        now = tx.now
    (row,) = rows
    assert row.connection == "google"
    # What was taken since fills again, a token after the other.
    assert now - timedelta(minutes=1) < instant(row.spent_until) < now + Bucket.within(600).burst * timedelta(seconds=1)
