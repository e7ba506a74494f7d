"""Tests of passes with Google that are killed at every statement, commit, request and answer, and end as without it.

A process that dies says nothing any more: from the chosen step on, every statement and every request dies as well.
Another process takes over when the lease has ended.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from bridge.bootstrap.tokens import SealedTokens
from bridge.store.sealed import KeyFile
from bridge.upstream.answers import Answer
from bridge.upstream.google.mapping import marks
from bridge.upstream.oauth.client import Client
from bridge.upstream.oauth.google import SCOPES, google
from bridge.upstream.oauth.login import Login
from bridge.upstream.oauth.tokens import Tokens
from tests.laws.google_desk import GoogleDesk, new_google
from tests.laws.google_line import GoogleRemote
from tests.laws.google_people import made
from tests.laws.google_world import instances, seen_at
from tests.laws.sync_edits import Kind, bare
from tests.laws.sync_fuse import killed_everywhere
from tests.store.integrity import check_integrity
from tests.sync.appointments import HOUR, START, event, series, with_instance
from tests.sync.stage import Stage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from bridge.core.model import CalendarObject
    from tests.fakes.google.by_hand import ByHand
    from tests.fakes.google.grants import Client as Registered

FEWEST_KILLS = 12
ANNA = "anna@example.org"


def first_pass(desk: GoogleDesk) -> None:
    desk.resource().put(event("ours", "Cut", "X-SALON:chair 3"))
    desk.resource().put(of_many_parts("Class", "Exam", "Feast"))
    page(desk).put(made(Kind.ALL_DAY, "theirs"))
    change_instances(desk, page(desk).put(made(Kind.SERIES, "course")))
    desk.rule()


def adoption(desk: GoogleDesk) -> None:
    desk.resource().put(event("one", "Cut", "X-SALON:chair 3"))
    page(desk).import_({"iCalUID": "one", **made(Kind.SINGLE, "Colour")})
    desk.rule()


def push(desk: GoogleDesk) -> None:
    agreed(desk)
    desk.resource().put(event("one", "Colour", "X-SALON:chair 3"))
    desk.resource().put(event("new", "Shave", "X-SALON:chair 4"))
    desk.resource().delete("two")


def push_of_series(desk: GoogleDesk) -> None:
    desk.resource().put(of_many_parts("Class", "Exam", "Feast"))
    agreed(desk)
    desk.resource().put(of_many_parts("Lesson", "Test", "Party", moved=3))
    new = of_many_parts("Course", "Start", "End", uid="new")
    desk.resource().put(new)


def push_of_a_shorter_series(desk: GoogleDesk) -> None:
    desk.resource().put(of_many_parts("Class", "Exam", "Feast"))
    agreed(desk)
    desk.resource().put(with_instance(series("class", "Class", "EXDATE:20261125T090000Z", days=2), 1, "Exam"))


def pull(desk: GoogleDesk) -> None:
    agreed(desk)
    change_instances(desk, desk.google_event("class"))
    page(desk).edit(desk.google_event("one")["id"], summary="Colour")
    page(desk).put(made(Kind.ALL_DAY, "new"))
    page(desk).delete(desk.google_event("two")["id"])


def pull_of_a_split(desk: GoogleDesk) -> None:
    agreed(desk)
    instance = f"{desk.google_event('class')['id']}_{START + timedelta(days=2):%Y%m%dT%H%M%SZ}"
    page(desk).split(instance, summary="Lesson", location="Room 2")


def clash_of_series(desk: GoogleDesk) -> None:
    push_of_series(desk)
    instance = f"{desk.google_event('class')['id']}_{START + timedelta(days=1):%Y%m%dT%H%M%SZ}"
    page(desk).edit(instance, location="Room 1")


def recovery_after_expired_tokens(desk: GoogleDesk) -> None:
    pull(desk)
    desk.resource().put(event("new here", "Shave"))
    desk.google.expire_sync_tokens()


DEEDS = (
    first_pass,
    adoption,
    push,
    push_of_series,
    push_of_a_shorter_series,
    pull,
    pull_of_a_split,
    clash_of_series,
    recovery_after_expired_tokens,
)


def change_again(desk: GoogleDesk) -> dict[str, str]:
    desk.resource().put(event("one", "Trim", "X-SALON:chair 5"))
    desk.resource().put(event("new", "Trim"))
    return {"class": "Class", "one": "Trim", "new": "Trim"}


def delete(desk: GoogleDesk) -> dict[str, str]:
    desk.resource().delete("one")
    desk.resource().delete("new")
    return {"class": "Class"}


def change_series_again(desk: GoogleDesk) -> dict[str, str]:
    desk.resource().put(of_many_parts("Yoga", "Rest", "Party", moved=4))
    desk.resource().put(of_many_parts("Pilates", "Start", uid="new"))
    return {"one": "Cut", "two": "Cut", "class": "Yoga", "new": "Pilates"}


def delete_series(desk: GoogleDesk) -> dict[str, str]:
    desk.resource().delete("class")
    desk.resource().delete("new")
    return {"one": "Cut", "two": "Cut"}


def agreed(desk: GoogleDesk) -> None:
    """A series and two appointments stand on both sides."""
    desk.resource().put(event("one", "Cut", "X-SALON:chair 3"))
    desk.resource().put(event("two", "Cut", start=START + HOUR))
    if desk.resource().href("class") is None:
        desk.resource().put(series("class", "Class"))
    desk.rule()
    desk.sync()


def of_many_parts(title: str, *instances_: str, uid: str = "class", moved: int = 2) -> CalendarObject:
    """A series of which several instances have a title, and a time, of their own."""
    obj = series(uid, title)
    for day, instance in enumerate(instances_, 1):
        obj = with_instance(obj, day, instance, moved=timedelta(hours=moved * day))
    return obj


def change_instances(desk: GoogleDesk, master: Any) -> None:
    """Somebody renames one instance of a series at Google's page, and deletes another."""
    names = [f"{master['id']}_{START + timedelta(days=day):%Y%m%dT%H%M%SZ}" for day in (1, 2)]
    page(desk).edit(names[0], summary="Exam")
    page(desk).delete(names[1])


def remote(desk: GoogleDesk) -> GoogleRemote:
    found = desk.remotes["shelf"]
    assert isinstance(found, GoogleRemote)
    return found


def page(desk: GoogleDesk) -> ByHand:
    return remote(desk).page


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    store = Stage()
    store.keep()
    yield store
    store.close()


def opened(stage: Stage, deed: Callable[[GoogleDesk], None]) -> GoogleDesk:
    """A desk at which something is to be done."""
    stage.clear()
    desk = GoogleDesk(stage.database, stage.clock, google=new_google(stage.clock))
    desk.resource()
    desk.google_remote("shelf", ANNA)
    deed(desk)
    return desk


def end(desk: GoogleDesk) -> dict[str, object]:
    """What a person would see when all has come to rest."""
    desk.rest()
    desk.wait(timedelta(days=1))
    desk.rest()
    assert desk.waiting() == (0, 0)
    check_integrity(desk.database)
    here = desk.resource().objects()
    grid = seen_at(page(desk))
    for uid, link in desk.links().items():
        assert grid.pop(str(link.remote_id)) == instances(here[uid])
    assert grid == {}, "something stands there beside what is linked"
    assert set(desk.links()) == set(here)
    assert not any(marks.UNFINISHED in marks.private(each) for each in page(desk).events)
    return {
        "here": {uid: (bare(obj), ours(obj)) for uid, obj in here.items()},
        "conflicts": sorted((each.uid, each.properties, each.lost_side) for each in desk.conflicts()),
        "parked": [each.key for each in desk.parked()],
    }


def ours(obj: CalendarObject) -> list[str]:
    """What only we can keep of an object."""
    return [line for line in obj.raw.decode().splitlines() if line.startswith("X-SALON")]


@dataclass
class Consented:
    """What Anna has granted, kept in the store for every process."""

    desk: GoogleDesk
    keys: KeyFile
    client: Registered = field(init=False)

    def __post_init__(self) -> None:
        """Anna agrees."""
        grants = self.desk.google.grants
        self.client = grants.add_client()
        code = grants.consented(self.client, ANNA, tuple(SCOPES), {})
        now = self.desk.clock()
        told = grants.token({"grant_type": "authorization_code", "code": code, **self._named()}, "")
        tokens = Tokens(
            access=told["access_token"],
            refresh=told["refresh_token"],
            expires_at=now + timedelta(seconds=told["expires_in"]),
            scopes=frozenset(SCOPES),
            granted_at=now,
            renewed_at=now,
        )
        self._keeper().keep(tokens)

    def login(self) -> Login:
        """The login of a new process."""
        client = Client(id=self.client.id, secret=self.client.secret)
        provider = google(token_url="http://127.0.0.1:9/token")
        return Login(provider, client, self._keeper(), connection=ANNA, post=self._post, clock=self.desk.clock)

    def _keeper(self) -> SealedTokens:
        def wait(_seconds: float) -> None:
            self.desk.wait(timedelta(seconds=30))

        return SealedTokens(self.desk.database, self.keys, ANNA, wait=wait, clock=lambda: self.desk.clock().timestamp())

    def _named(self) -> dict[str, str]:
        return {"client_id": self.client.id, "client_secret": self.client.secret}

    def _post(self, url: str, form: Mapping[str, str]) -> Answer:
        line = remote(self.desk).line
        line.tell("before", "token")
        said = self.desk.google.app.test_client().post("/token", data=form)
        line.tell("after", "token")
        return Answer(status=said.status_code, url=url, headers={}, body=said.data)


def with_a_token_that_ends(desk: GoogleDesk, keys: KeyFile) -> Consented:
    """A push that has to renew the access token first."""
    consented = Consented(desk, keys)
    remote(desk).access = consented.login
    push(desk)
    desk.wait(timedelta(hours=2))
    return consented


@pytest.mark.parametrize("deed", DEEDS)
def test_a_pass_with_google_that_is_killed_at_any_step_ends_as_if_it_had_not_been(
    stage: Stage, deed: Callable[[GoogleDesk], None]
) -> None:
    enumerate_kills(lambda: opened(stage, deed))


@pytest.mark.parametrize(
    ("deed", "later"),
    [(push, change_again), (push, delete), (push_of_series, change_series_again), (push_of_series, delete_series)],
)
def test_what_somebody_does_after_a_kill_stands_at_google_too(
    stage: Stage, deed: Callable[[GoogleDesk], None], later: Callable[[GoogleDesk], dict[str, str]]
) -> None:
    def made_ready() -> GoogleDesk:
        desk = opened(stage, deed)
        # Whoever takes a write of ours for one of theirs has it win here.
        desk.rule(on_conflict="theirs")
        return desk

    for where, desk in killed_everywhere(made_ready, lambda desk: desk.poll(), fewest=FEWEST_KILLS):
        meant = later(desk)
        # What stands there is compared with this.
        end(desk)
        assert desk.resource().titles() == meant, where
        assert desk.conflicts() == [], where


def test_a_pass_that_renews_its_token_and_is_killed_at_any_step_ends_as_if_it_had_not_been(
    stage: Stage, tmp_path: Path
) -> None:
    KeyFile.make(tmp_path / "key")
    keys = KeyFile(tmp_path / "key")
    renewals = []

    def made_ready() -> GoogleDesk:
        consented: list[Consented] = []
        desk = opened(stage, lambda desk: consented.append(with_a_token_that_ends(desk, keys)))
        renewals.append(desk.google.grants)
        return desk

    enumerate_kills(made_ready)

    # Each process that dies may have asked once in vain; nobody asks more often than that.
    assert {grants.refreshes - renewals[0].refreshes for grants in renewals} <= {0, 1}


def enumerate_kills(made_ready: Callable[[], GoogleDesk]) -> None:
    """Kills the next pass at its first step, at its second one, and so on, each time from the beginning."""
    desk = made_ready()
    desk.poll()
    expected = end(desk)
    for where, killed in killed_everywhere(made_ready, lambda desk: desk.poll(), fewest=FEWEST_KILLS):
        assert end(killed) == expected, where
