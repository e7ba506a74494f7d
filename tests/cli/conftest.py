"""An installation to work on, and the commands as a person types them."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from bridge import bootstrap
from bridge.cli.program import program
from tests.upstream.servers import from_pip

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bridge.bootstrap import Site
    from tests.cli.remote import Remote
    from tests.upstream.servers.caldav_server import CalDAVServer

CONFIG = """\
server: {listen: "127.0.0.1:5232"}
database: sqlite:///data/calbridge.sqlite3
secret_key_file: data/secret.key
accounts:
  salon:
    name: Salon Anna
    time_zone: Europe/Amsterdam
    resources:
      anna: {kind: employee, name: Anna de Vries}
      room-1: {kind: location, name: Room 1, components: [VEVENT]}
users:
  boss:
    password_hash: "$argon2id$v=19$m=65536,t=3,p=4$vns1XKsi8UH7GCAVGevOSg$jPNjgqgU4jC2epGlO7jZ7PSbpadNNSBvLvfvNM1kZWQ"
    grants: {salon: write}
feeds:
  anna: {of: salon/anna}
  busy: {of: salon, detail: busy}
"""


@dataclass(frozen=True)
class Answer:
    """What a command said, and how it ended."""

    code: int
    stdout: str
    stderr: str

    @property
    def json(self) -> Any:
        """The one JSON document on stdout."""
        return json.loads(self.stdout)

    @property
    def error(self) -> Any:
        """The one JSON document on stderr."""
        return json.loads(self.stderr)


@dataclass(frozen=True)
class Installation:
    """A folder with a configuration, a key and a database."""

    config: Path

    def run(self, *words: str | Path, typed: str = "") -> Answer:
        """Runs a command of `calbridge` on it."""
        return run(*words, "--config", self.config, typed=typed)

    def open(self) -> Site:
        """The installation behind the commands, to look inside."""
        return bootstrap.open_site(self.config)


def run(*words: str | Path, typed: str | bytes = "") -> Answer:
    """Runs a command of `calbridge`."""
    result = CliRunner().invoke(program, [str(word) for word in words], input=typed, prog_name="calbridge")
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Answer(result.exit_code, result.stdout, result.stderr)


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An installation that is copied for each test, as making the tables takes a while."""
    folder = tmp_path_factory.mktemp("installation")
    (folder / "bridge.yaml").write_text(CONFIG)
    bootstrap.initialise(folder / "bridge.yaml").database.close()
    return folder


@pytest.fixture
def installation(made_once: Path, tmp_path: Path) -> Installation:
    """An installation of the test's own."""
    folder = tmp_path / "site"
    shutil.copytree(made_once, folder)
    return Installation(folder / "bridge.yaml")


@pytest.fixture
def site(installation: Installation) -> Iterator[Site]:
    """The installation behind the commands, to look inside."""
    opened = installation.open()
    yield opened
    opened.database.close()


@pytest.fixture(scope="session")
def radicale_server() -> Iterator[CalDAVServer]:
    """A server of its own, with calendars of other people."""
    with from_pip.radicale() as server:
        yield server


@pytest.fixture
def clinic(installation: Installation, radicale_server: CalDAVServer) -> Remote:
    """The installation with a rule between `salon/anna` and a fresh remote calendar, connected."""
    from tests.cli.remote import remote  # noqa: PLC0415 -- that stands on what is here

    made = remote(installation, radicale_server)
    made.connect()
    return made


def event(uid: str, title: str = "Cut", *, start: str = "20261123T090000", extra: str = "") -> str:
    """One appointment of three quarters of an hour, in Amsterdam."""
    lines = [
        "BEGIN:VEVENT",
        f"UID:{uid}",
        "DTSTAMP:20261101T080000Z",
        f"DTSTART;TZID=Europe/Amsterdam:{start}",
        "DURATION:PT45M",
        f"SUMMARY:{title}",
        *([extra] if extra else []),
        "END:VEVENT",
    ]
    return "\r\n".join(lines) + "\r\n"


def calendar(*components: str) -> str:
    """A whole stream."""
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Example//Planner//EN\r\n{''.join(components)}END:VCALENDAR\r\n"
