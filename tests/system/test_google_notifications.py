"""Notifications of Google's, true and false, early and late, over sockets to the real web application.

Whatever arrives, both sides end the same, and Google is asked no more often than there is reason to.
"""

from __future__ import annotations

import http.client
import random
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from bridge.config import Server
from bridge.store import watch
from tests.fakes.google.channels import Channel, Message, Mishap
from tests.fakes.google.transport import served
from tests.sync.appointments import START, event
from tests.sync.google_calendars import MINUTE, GoogleCalendar, GoogleDesk, google_desk
from tests.web.notifying import CHANNELS, Door

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from bridge.config import Configuration
    from bridge.sync.assigning import Office

HTTPS = "https://cal.example.org"
SECOND = timedelta(seconds=1)
DAY = timedelta(days=1)
WEEK = timedelta(days=7)
LIST = "calendar.events.list"


@dataclass
class ToldDesk(GoogleDesk):
    """Rules whose Google calendars tell of changes.

    Attributes:
        port: Where the web application is served.
        answers: What it answered to each notification.
    """

    port: int = 0
    answers: list[int] = field(default_factory=list)

    def configuration(self) -> Configuration:
        return super().configuration().model_copy(update={"server": Server(public_url=HTTPS)})

    def office(self) -> Office:
        return replace(super().office(), channels=CHANNELS)

    def post(self, message: Message) -> int:
        """Delivers to the server, wherever on loopback it is."""
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)) as connection:
            connection.request("POST", "/hooks/google", b"", message.headers)
            self.answers.append(connection.getresponse().status)
        return self.answers[-1]

    def work(self, length: timedelta) -> int:
        """The worker works for a while, with a look each fifth of a second; gives how often it asked what changed."""
        self.google.channels.settle()
        before = self.listings()
        until = self.clock.now + length
        while self.clock.now < until:
            self.run_due()
            self.wait(SECOND / 5)
            self.google.channels.settle()
        return self.listings() - before

    def listings(self) -> int:
        return sum(each.id == LIST for each in self.requests)

    def writes(self) -> list[str]:
        """What was asked of Google that changes an appointment."""
        return [each.id for each in self.requests if each.id.startswith("calendar.events.") and each.method != "GET"]

    def agree(self) -> bool:
        return sorted(self.resource().titles().values()) == sorted(self.calendar.titles().values())

    @property
    def calendar(self) -> GoogleCalendar:
        found: GoogleCalendar = self.remote()
        return found

    @property
    def channel(self) -> Channel:
        (found,) = self.google.channels.live
        return found

    def close_unwanted(self) -> int:
        return self.worker().close_watches()

    def notification(self, said: Mapping[str, str] | None = None, *, of: Channel | None = None) -> Message:
        """What Google sends about a channel, the one that is open or another; `said` stands in place of some of it."""
        of = of or self.channel
        usual = {
            "Channel_ID": of.id,
            "Channel_Token": of.token,
            "Resource_ID": of.resource,
            "Resource_State": "exists",
            "Resource_URI": of.uri,
            "Message_Number": str(of.number + 1),
        }
        named = {f"X-Goog-{name.replace('_', '-')}": value for name, value in {**usual, **(said or {})}.items()}
        return Message(of.address, named)


@contextmanager
def told_desk(folder: Path) -> Iterator[ToldDesk]:
    """A rule that Google tells of changes, at rest, with an appointment on either side."""
    with google_desk(folder) as plain:
        door = Door(plain.database)
        with served(door.client.application) as port:
            desk = ToldDesk(plain.database, plain.clock, google=plain.google, port=port)
            desk.google.channels.post = desk.post
            desk.fill(1)
            desk.calendar.make("Theirs", START + timedelta(days=30))
            desk.rule(guard={"objects": 1000, "percent": 100})
            desk.sync()
            desk.work(5 * SECOND)
            desk.wait(MINUTE)
            desk.forget()
            desk.answers.clear()
            yield desk
            desk.google.channels.settle()


@pytest.fixture
def told(tmp_path: Path) -> Iterator[ToldDesk]:
    with told_desk(tmp_path) as desk:
        yield desk


def test_a_change_that_is_told_of_is_here_within_a_second_for_one_request(told: ToldDesk) -> None:
    told.calendar.make("New")
    assert told.work(SECOND) == 1
    assert "New" in told.resource().titles().values()
    assert [each.id for each in told.requests] == [LIST]


def test_what_this_side_writes_comes_back_as_one_look_that_changes_nothing(told: ToldDesk) -> None:
    for number in range(30):
        told.resource().put(event(f"a{number}", f"Ours {number}", start=START + timedelta(days=2, hours=number)))
    told.work(10 * SECOND)
    assert told.agree()
    assert len(told.writes()) == 30
    # The look that the first of them brought about, and one that sees the rest.
    assert told.listings() <= 3
    told.forget()
    assert told.work(MINUTE) == 0


def test_lost_notifications_are_made_up_for_by_the_next_poll(told: ToldDesk) -> None:
    told.google.channels.mishaps.extend([Mishap.LOST] * 5)
    for number in range(5):
        told.calendar.make(f"Lost {number}", START + timedelta(days=3, hours=number))
    assert told.work(10 * SECOND) == 0
    told.wait(timedelta(minutes=5))
    assert told.work(SECOND) == 1
    assert told.agree()


def test_doubled_notifications_are_one_look(told: ToldDesk) -> None:
    told.google.channels.mishaps.extend([Mishap.TWICE] * 20)
    for number in range(20):
        told.calendar.make(f"Twice {number}", START + timedelta(days=3, hours=number))
    assert told.work(20 * SECOND) <= 2
    assert len(told.answers) == 40
    assert told.agree()


def test_notifications_that_come_late_and_the_last_first_are_one_look_and_no_change(told: ToldDesk) -> None:
    told.google.channels.mishaps.extend([Mishap.HELD] * 20)
    for number in range(20):
        told.calendar.make(f"Late {number}", START + timedelta(days=3, hours=number))
    told.wait(timedelta(minutes=5))
    told.work(SECOND)
    assert told.agree()
    here = dict(told.resource().titles())
    told.forget()

    told.google.channels.release()
    asked = told.work(20 * SECOND)

    assert asked == 1
    assert told.writes() == []
    assert told.resource().titles() == here


FORGED = {
    "no token": {"Channel_Token": ""},
    "another token": {"Channel_Token": "0" * 64},
    "most of the token": {"Channel_Token": "CUT"},
    "a channel that never was": {"Channel_ID": "f" * 32},
    "no channel": {"Channel_ID": ""},
    "a channel that is none": {"Channel_ID": "\xe4'; DROP TABLE watch; --"},
    "another resource": {"Resource_ID": "somethingElse"},
    "no resource": {"Resource_ID": ""},
}


@pytest.mark.parametrize("name", FORGED)
def test_a_wrong_or_forged_notification_makes_nobody_ask(told: ToldDesk, name: str) -> None:
    said = FORGED[name]
    if said.get("Channel_Token") == "CUT":
        said = {"Channel_Token": told.channel.token[:-1]}
    for _ in range(20):
        assert told.post(told.notification(said)) == 404
    assert told.work(10 * SECOND) == 0
    assert told.requests == []


@pytest.mark.parametrize("state", ["sync", "SYNC", "not_exists", "", "deleted everything"])
def test_whatever_a_true_notification_says_it_is_at_most_a_nudge(told: ToldDesk, state: str) -> None:
    before = told.calendar.titles(), told.resource().titles()
    for number in ("0", "-1", "x", "9" * 40, "1"):
        assert told.post(told.notification({"Resource_State": state, "Message_Number": number})) == 204
    assert told.work(10 * SECOND) <= 1
    assert (told.calendar.titles(), told.resource().titles()) == before
    assert told.writes() == []


def test_a_channel_that_has_expired_moves_nobody_and_the_next_pass_opens_another(told: ToldDesk) -> None:
    # The server was off for longer than a channel lasts.
    old = told.channel
    told.wait(WEEK + DAY)
    told.calendar.make("Meanwhile")
    assert told.post(told.notification(of=old)) == 404

    told.work(3 * SECOND)

    assert told.agree()
    assert told.channel.id != old.id
    told.forget()
    assert told.post(told.notification(of=old)) == 404
    assert told.work(10 * SECOND) == 0


def test_the_channel_that_another_took_the_place_of_is_closed_and_moves_nobody(told: ToldDesk) -> None:
    old = told.channel
    told.wait(timedelta(seconds=0.85 * WEEK.total_seconds()))
    told.work(3 * SECOND)
    assert told.close_unwanted() == 1
    assert told.channel.id != old.id
    told.forget()

    assert told.post(told.notification(of=old)) == 404
    assert told.work(10 * SECOND) == 0

    told.calendar.make("New")
    assert told.work(3 * SECOND) == 1
    assert told.agree()


def test_a_channel_that_google_forgets_costs_no_change_and_is_replaced_in_time(told: ToldDesk) -> None:
    told.channel.stopped = True
    for number in range(8):
        told.calendar.make(f"Silent {number}", START + timedelta(days=3, hours=number))
        told.wait(DAY)
        told.work(SECOND)
        assert told.agree()
    assert len(told.google.channels.live) == 1


def test_a_storm_of_everything_leaves_both_sides_the_same_and_costs_a_look_each_two_seconds(told: ToldDesk) -> None:
    dice = random.Random(20_261_121)
    mishaps = [None, Mishap.LOST, Mishap.TWICE, Mishap.HELD]
    seconds = 120
    for second in range(seconds):
        mishap = dice.choice(mishaps)
        if mishap is not None:
            told.google.channels.mishaps.append(mishap)
        if dice.random() < 0.4:
            told.calendar.make(f"There {second}", START + timedelta(days=5, hours=second))
        if dice.random() < 0.3:
            told.resource().put(event(f"h{second}", f"Here {second}", start=START + timedelta(days=20, hours=second)))
        for _ in range(dice.randrange(4)):
            told.post(told.notification(dice.choice([{}, *FORGED.values()])))
        if dice.random() < 0.2:
            told.google.channels.release()
        told.work(SECOND)
    asked = told.listings()
    told.google.channels.mishaps.clear()
    told.google.channels.release()
    told.wait(timedelta(minutes=5))
    told.work(5 * SECOND)

    assert told.agree()
    assert asked <= seconds / 2 + 2
    assert told.refusals() == []
    assert told.parked() == []
    here = [each for each in told.resource().titles().values() if each.startswith("Here")]
    assert len([each for each in told.writes() if each == "calendar.events.insert"]) == len(here)


def test_status_knows_when_google_was_last_heard(told: ToldDesk) -> None:
    told.calendar.make("New")
    told.work(SECOND)
    with told.database.reading() as tx:
        (kept,) = watch.of_rule(tx, told.rule_now().id)
    assert kept.heard_at is not None
    assert kept.heard_at >= told.clock.now - MINUTE
