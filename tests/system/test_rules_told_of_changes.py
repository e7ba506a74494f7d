"""The server over https with Google beside it, which tells it of changes: seconds, not polls, and nothing more."""

from __future__ import annotations

import os
import ssl
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from bridge.store import rule as rules
from bridge.store import watch
from bridge.upstream.oauth.google import SCOPES
from tests.fakes.google.channels import Mishap
from tests.fakes.google.fake import fake_google
from tests.repository import TOP, unmeasured
from tests.system import ruling
from tests.system.certificates import write_certificate
from tests.system.process import PASSWORD, PATIENCE, Client, Server, event, eventually, settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bridge.store.watch import WatchRecord
    from tests.fakes.google.by_hand import ByHand
    from tests.fakes.google.fake import FakeGoogle

ROOM = "room@clinic.example"


class SafeServer(Server):
    """A server that speaks https, and whose clients trust it."""

    def client(self, **login: Any) -> Client:
        context = ssl.create_default_context(cafile=str(self.folder / "loopback.crt"))
        return super().client(tls=context, **login)


@dataclass(frozen=True)
class Clinic:
    """A server and Google, with a room's calendar on both sides.

    Attributes:
        server: Ours.
        google: Google.
        page: The room's calendar as a person edits it at Google.
    """

    server: SafeServer
    google: FakeGoogle
    page: ByHand

    def make(self, title: str) -> str:
        """Somebody adds an appointment at Google; gives its id."""
        when = {"dateTime": "2027-03-02T09:00:00", "timeZone": "Europe/Amsterdam"}
        until = {"dateTime": "2027-03-02T10:00:00", "timeZone": "Europe/Amsterdam"}
        made: str = self.page.put({"summary": title, "start": when, "end": until})["id"]
        return made

    def titles(self) -> set[str]:
        return set(ruling.titles(self.server).values())

    def listings(self) -> int:
        """How often Google was asked for changes since the last look."""
        asked = sum(each.method == "calendar.events.list" for each in self.google.requests)
        self.google.forget()
        return asked

    def watches(self) -> list[WatchRecord]:
        with ruling.store(self.server) as database, database.reading() as tx:
            found = rules.find(tx, "anna")
            return [] if found is None else watch.of_rule(tx, found.id)

    def settle(self) -> None:
        """Waits until the rule is at rest, and Google has told everything."""

        def rests() -> bool:
            self.google.channels.settle()
            with ruling.store(self.server) as database, database.reading() as tx:
                found = rules.find(tx, "anna")
                return found is not None and found.lease_owner is None and found.due_at > tx.now

        eventually(rests, "the rule rests")


@contextmanager
def clinic_in(folder: Path, **server: Any) -> Iterator[Clinic]:
    with fake_google() as google:
        google.add_user(ROOM, zone="Europe/Amsterdam", workspace="clinic.example")
        robot = google.grants.add_robot("bridge", domain="clinic.example", scopes=SCOPES)
        google.robot_file(robot, folder)
        write_certificate(folder)
        google.channels.trust = ssl.create_default_context(cafile=str(folder / "loopback.crt"))
        configuration = settings(
            connections={
                "room-google": {
                    "type": "google",
                    "service_account_file": "google-service-account.json",
                    "subject": ROOM,
                    "endpoints": google.endpoints,
                }
            },
            rules={
                "anna": {
                    "resource": "salon/anna",
                    "connection": "room-google",
                    "calendar": "primary",
                    "poll": "7d",
                    "window": {"past": "all", "future": "all"},
                }
            },
        )
        listen = configuration["server"]["listen"]
        configuration["server"] |= {
            "public_url": f"https://{listen}",
            "tls": {"certificate": "loopback.crt", "key": "loopback.key"},
            **server,
        }
        running = SafeServer(folder, configuration)
        try:
            running.start()
            yield Clinic(running, google, google.calendar(ROOM))
        finally:
            running.kill()


@pytest.fixture
def clinic(tmp_path: Path) -> Iterator[Clinic]:
    with clinic_in(tmp_path) as made:
        eventually(lambda: any(each.resource for each in made.watches()), "a watch is open")
        made.settle()
        made.google.forget()
        yield made


def test_an_appointment_made_in_google_is_here_within_seconds(clinic: Clinic) -> None:
    for number in range(3):
        clinic.make(f"Cut {number}")
        eventually(lambda: f"Cut {number}" in clinic.titles(), "it is here", within=15)  # noqa: B023 -- asked here
    code, said = ruling.command(clinic.server, "status", "anna")
    assert code == 0
    (found,) = said["rules"]
    assert found["notifications"]["on"] is True
    assert found["notifications"]["last_heard"] is not None
    assert clinic.google.misuses == []


def test_a_burst_at_google_is_a_handful_of_looks(clinic: Clinic) -> None:
    for number in range(100):
        clinic.make(f"Cut {number}")
    eventually(lambda: len(clinic.titles()) == 100, "all are here")
    clinic.settle()
    assert len([status for _, status in clinic.google.channels.sent if status == 204]) >= 100
    assert clinic.listings() <= 12


def test_what_a_calendar_program_writes_is_told_back_and_changes_nothing(clinic: Clinic) -> None:
    ruling.put(clinic.server, event("haircut"))
    eventually(lambda: len(clinic.page.events) == 1, "it is in Google")
    clinic.settle()
    assert clinic.listings() <= 4
    assert len(clinic.page.events) == 1
    assert clinic.titles() == {"Haircut"}


def test_lost_doubled_and_late_notifications_leave_both_sides_the_same(clinic: Clinic) -> None:
    channels = clinic.google.channels
    channels.mishaps.extend([Mishap.LOST, Mishap.TWICE, Mishap.HELD, Mishap.HELD, Mishap.TWICE])
    for number in range(5):
        clinic.make(f"Cut {number}")
    eventually(lambda: len(clinic.titles()) == 5, "what was lost came with what was not")
    clinic.settle()
    clinic.google.forget()

    channels.release()
    clinic.settle()

    assert clinic.listings() <= 2
    assert clinic.titles() == {f"Cut {number}" for number in range(5)}


def test_forged_notifications_make_nobody_work(clinic: Clinic) -> None:
    (channel,) = clinic.google.channels.live
    real = {"X_Goog_Channel_ID": channel.id, "X_Goog_Resource_ID": channel.resource, "X_Goog_Resource_State": "exists"}
    for token in ("", "guess", channel.token[:-1]):
        said = {**real, "X_Goog_Channel_Token": token, "X_Goog_Message_Number": "99"}
        assert clinic.google.channels.forge(channel.address, **said) == 404
    clinic.settle()
    assert clinic.listings() == 0


def test_a_restart_keeps_the_watch_and_a_rule_that_leaves_the_file_closes_it(clinic: Clinic) -> None:
    (before,) = clinic.google.channels.live
    clinic.server.stop()
    clinic.server.start()
    clinic.make("Cut")
    eventually(lambda: clinic.titles() == {"Cut"}, "it is here")
    assert clinic.google.channels.live == [before]

    clinic.server.write({**clinic.server.configuration, "rules": {}})

    eventually(lambda: clinic.google.channels.live == [], "the watch is closed")
    eventually(lambda: bool(clinic.server.events("watch_closed")), "that is said")


def test_without_an_https_address_the_rule_only_polls_and_says_so(tmp_path: Path) -> None:
    with clinic_in(tmp_path, public_url="http://cal.example.org") as clinic:
        eventually(lambda: ruling.adopted(clinic.server), "the first pass is done")
        clinic.settle()
        assert clinic.google.channels.live == []
        code, said = ruling.command(clinic.server, "status")
        assert code == 0
        (found,) = said["rules"]
        assert found["notifications"]["on"] is False
        assert "server.public_url" in found["notifications"]["problem"]["sentence"]


@pytest.mark.parametrize("servers", [1, 2])
def test_a_worker_of_its_own_hears_what_a_server_is_told(tmp_path: Path, servers: int) -> None:
    with clinic_in(tmp_path, sync=False, workers=servers) as clinic, worker(clinic.server):
        eventually(lambda: any(each.resource for each in clinic.watches()), "a watch is open")
        clinic.settle()
        for number in range(3):
            clinic.make(f"Cut {number}")
            eventually(lambda: f"Cut {number}" in clinic.titles(), "it is here")  # noqa: B023 -- asked here


@contextmanager
def worker(server: Server) -> Iterator[None]:
    """A worker of the server's installation, in a process of its own."""
    process = subprocess.Popen(
        [sys.executable, "-m", "bridge", "worker", "--config", server.path],
        cwd=TOP,
        env={**os.environ, **unmeasured(), "ANNAS_PASSWORD": PASSWORD},
        stdin=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        process.terminate()
        process.wait(PATIENCE)
