"""Tests the configuration of the moment on real files, with a clock that the test moves."""

from __future__ import annotations

import json
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from structlog.testing import capture_logs

from bridge import bootstrap
from bridge.bootstrap.live import AGAIN_AFTER, UPKEEP_EVERY, Live
from bridge.store.sealed import KeyFile

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


class Installation:
    """An installation with a worker's view of its configuration.

    Args:
        folder: Where its files stand.
        leads: Whether the worker leads.
    """

    def __init__(self, folder: Path, *, leads: bool = True) -> None:
        self.folder = folder
        self.path = folder / "bridge.yaml"
        self.now = NOON
        self.asked = 0
        self.counted: list[str] = []
        self.settings: dict[str, Any] = {
            "accounts": {
                "salon": {
                    "name": "Salon",
                    "time_zone": "Europe/Amsterdam",
                    "resources": {"anna": {"kind": "employee", "name": "Anna"}},
                }
            }
        }
        self.write()
        self.site = bootstrap.initialise(self.path)
        self.live = Live(
            self.site,
            first=self.site.configuration,
            leads=leads,
            clock=lambda: self.now,
            ask_for_fresh_workers=self._ask,
            count=self.counted.append,
        )

    def _ask(self) -> None:
        self.asked += 1

    def write(self, text: str = "", **changed: Any) -> None:
        fresh = self.path.with_suffix(".new")
        fresh.write_text(text or json.dumps({**self.settings, **changed}))
        fresh.replace(self.path)

    def look(self) -> list[str]:
        """Looks once, and gives the names of what was logged."""
        with capture_logs() as logged:
            self.live.look()
        return [each["event"] for each in logged]

    @property
    def users(self) -> set[str]:
        return set(self.live.configuration().users)


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    made = Installation(tmp_path)
    with closing(made.site.database):
        yield made


ANNA = {"anna": {"password_file": "anna"}}


def test_nothing_happens_while_nothing_changes(installation: Installation) -> None:
    assert installation.look() == []
    assert installation.counted == []


def test_a_right_change_is_taken_up_and_counted_once(installation: Installation) -> None:
    installation.write(users={"anna": {}})

    assert installation.look() == ["configuration_taken_up"]
    assert installation.look() == []
    assert (installation.users, installation.counted) == ({"anna"}, ["taken up"])


def test_a_wrong_change_is_said_and_counted_once_however_often_it_is_looked_at(installation: Installation) -> None:
    installation.write("users: 7")

    assert installation.look() == ["configuration_refused"]
    installation.now += AGAIN_AFTER
    assert installation.look() == []
    assert (installation.users, installation.counted) == (set(), ["refused"])


def test_a_second_wrong_change_is_said_too(installation: Installation) -> None:
    installation.write("users: 7")
    installation.look()
    installation.write("users: 88")

    assert installation.look() == ["configuration_refused"]


def test_a_file_that_was_missing_is_found_without_another_change(installation: Installation) -> None:
    installation.write(users=ANNA)
    assert installation.look() == ["configuration_refused"]
    (installation.folder / "anna").write_text("secret")

    assert installation.look() == []
    installation.now += AGAIN_AFTER
    assert installation.look() == ["configuration_taken_up"]
    assert installation.users == {"anna"}


def test_a_changed_secret_is_taken_up(installation: Installation) -> None:
    secret = installation.folder / "anna"
    secret.write_text("first")
    installation.write(users=ANNA)
    installation.look()
    secret.write_text("the second")

    assert installation.look() == ["configuration_taken_up"]
    password = installation.live.configuration().users["anna"].password
    assert password is not None
    assert password.get_secret_value() == "the second"


def test_a_database_that_is_away_for_a_moment_delays_the_change(installation: Installation) -> None:
    resources = {"kind": "location", "name": "Room"}
    file = installation.site.configuration.database.file
    assert file is not None
    installation.settings["accounts"]["salon"]["resources"]["room"] = resources
    installation.site.database.close()
    file.rename(file.with_suffix(".away"))
    file.mkdir()
    installation.write()
    assert installation.look() == ["configuration_refused"]
    file.rmdir()
    file.with_suffix(".away").rename(file)

    installation.now += AGAIN_AFTER
    assert installation.look() == ["configuration_taken_up"]


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"server": {"listen": "127.0.0.1:9"}}, ["server.listen"]),
        ({"server": {"workers": 2}, "database": "sqlite:///other"}, ["server.workers", "database"]),
    ],
)
def test_settings_that_need_a_restart_are_named(
    installation: Installation, changed: dict[str, Any], named: list[str]
) -> None:
    installation.write(**changed)
    with capture_logs() as logged:
        installation.live.look()

    (said,) = [each for each in logged if each["event"] == "restart_needed"]
    assert list(said["settings"]) == named
    assert installation.asked == 0


@pytest.mark.parametrize(
    "changed",
    [{"server": {"threads": 3}}, {"limits": {"max_body": "2MiB"}}, {"auth": {"options": {"lc_username": True}}}],
)
def test_settings_that_a_worker_reads_once_bring_fresh_workers_once(
    installation: Installation, changed: dict[str, Any]
) -> None:
    installation.write(**changed)
    installation.look()
    assert installation.asked == 1

    installation.write(**changed, users={"anna": {}})
    installation.look()
    assert installation.asked == 1


def test_a_new_key_on_top_of_the_key_file_brings_fresh_workers(installation: Installation) -> None:
    KeyFile.rotate(installation.site.configuration.secret_key_file)
    installation.look()

    assert installation.asked == 1


def test_a_worker_that_does_not_lead_takes_changes_up_in_silence(tmp_path: Path) -> None:
    follower = Installation(tmp_path, leads=False)
    with closing(follower.site.database):
        follower.write("users: 7")
        assert follower.look() == []
        follower.write(users={"anna": {}}, server={"threads": 3})
        assert follower.look() == []

        assert (follower.users, follower.counted, follower.asked) == ({"anna"}, [], 0)


def test_the_database_is_kept_up_once_a_day_by_the_worker_that_leads(installation: Installation) -> None:
    file = installation.site.configuration.database.file
    assert file is not None
    installation.site.database.close()
    file.unlink()
    installation.live.keep_up()
    installation.now += UPKEEP_EVERY
    with capture_logs() as logged:
        installation.live.keep_up()
        installation.live.keep_up()

    assert [each["event"] for each in logged] == ["upkeep_failed"]
