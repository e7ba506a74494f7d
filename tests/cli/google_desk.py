"""An installation with a Google connection, a Google of its own, and somebody with a browser."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bridge import bootstrap
from bridge.store import placement, sealed
from bridge.store import rule as rules
from bridge.store.collection import Address, Kind, get
from tests.cli.conftest import Answer, calendar
from tests.repository import TOP

if TYPE_CHECKING:
    from pathlib import Path

    from bridge.bootstrap import Site
    from bridge.store.rule import Rule
    from tests.cli.conftest import Installation
    from tests.fakes.google.fake import FakeGoogle
    from tests.fakes.google.grants import Client

ANNA = "anna@example.org"
BOB = "bob@example.org"
KEY = "anna-google"
PATIENCE_SECONDS = 60
_BROWSER = "import sys, urllib.request; urllib.request.urlopen(sys.argv[1], timeout=30).read()"


@dataclass
class GoogleDesk:
    """A person who connects Google calendars.

    Attributes:
        installation: The commands.
        google: Google.
        client: The OAuth client that the connection names.
    """

    installation: Installation
    google: FakeGoogle
    client: Client

    @property
    def folder(self) -> Path:
        return self.installation.config.parent

    def configure(self, *lines: str) -> None:
        """Writes the connection into the file, beside others."""
        self.google.client_file(self.client, self.folder).chmod(0o600)
        endpoints = ", ".join(f'{name}: "{url}"' for name, url in self.google.endpoints.items())
        text = self.installation.config.read_text().partition("# Google.\n")[0]
        first = f"  {KEY}: {{type: google, client_file: google-client.json, endpoints: {{{endpoints}}}}}"
        more = [line.replace("ENDPOINTS", f"endpoints: {{{endpoints}}}") for line in lines]
        self.installation.config.write_text("\n".join([f"{text}# Google.\nconnections:", first, *more, ""]))

    def environment(self, *, browser: bool) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if name not in {"DISPLAY", "WAYLAND_DISPLAY"}}
        return {**kept, "BROWSER": browser_in(self.folder) if browser else ""}

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "bridge", *words, "--config", str(self.installation.config)]

    def run(self, *words: str, typed: str = "", browser: bool = True) -> Answer:
        """Runs a command as a process of its own, with a browser at hand."""
        done = subprocess.run(
            self.command(*words),
            cwd=TOP,
            env=self.environment(browser=browser),
            input=typed,
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )
        # With `--json` stderr holds one document a line: the consent page, and why nothing came of it.
        told = done.stderr if "--json" not in words else "".join(done.stderr.splitlines(keepends=True)[-1:])
        return Answer(done.returncode, done.stdout, told)

    def connect(self, *words: str, who: str = ANNA, key: str = KEY) -> Answer:
        """Connects, with somebody before the browser who agrees at once."""
        self.google.consent.auto = who
        return self.run("connect", key, *words)

    def done(self, *words: str, who: str = ANNA) -> Any:
        """Connects with success, and gives the JSON."""
        answer = self.connect(*words, "--json", who=who)
        assert answer.code == 0, answer
        return answer.json

    def make_rule(self) -> Any:
        """Connects Anna's main calendar with her resource."""
        return self.done("--calendar", "primary", "--resource", "salon/anna", "--rule", KEY, "--yes")

    def site(self) -> Site:
        return self.installation.open()

    def tokens(self) -> dict[str, Any] | None:
        """What is kept sealed of the login."""
        site = self.site()
        with closing(site.database) as database, database.reading() as tx:
            kept = sealed.recall(tx, site.keys, bootstrap.tokens_name(KEY))
        return None if kept is None else json.loads(kept)

    def rule(self, key: str = KEY) -> Rule:
        with closing(self.site().database) as database, database.reading() as tx:
            found = rules.find(tx, key)
        assert found is not None
        return found

    def put_here(self, *components: str) -> None:
        answer = self.installation.run("import", "-", "--into", "salon/anna", typed=calendar(*components))
        assert answer.code == 0, answer

    def here(self) -> dict[str, str]:
        """The titles here, by UID."""
        site = self.site()
        address = Address(Kind.RESOURCE, "salon", "anna")
        with closing(site.database) as database, database.reading() as tx:
            stored = list(placement.get_all(tx, get(tx, address).id))
        return {each.uid: site.parse(each.raw, address).summary for each in stored}

    def there(self, who: str = ANNA, calendar_id: str = "primary") -> list[str]:
        """The titles at Google."""
        events = self.google.calendar(who, calendar_id).events
        return sorted(each["summary"] for each in events if each["status"] != "cancelled")


def browser_in(folder: Path) -> str:
    """A browser that goes wherever it is sent, as the variable BROWSER names it."""
    script = folder / "browser"
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -c \'{_BROWSER}\' "$1"\n')
    script.chmod(0o755)
    return f"{script} %s"


def appointment(title: str, day: int = 24, **more: Any) -> dict[str, Any]:
    """An event as somebody makes it at Google's page."""
    return {
        "summary": title,
        "start": {"dateTime": f"2026-11-{day}T10:00:00+01:00", "timeZone": "Europe/Amsterdam"},
        "end": {"dateTime": f"2026-11-{day}T11:00:00+01:00", "timeZone": "Europe/Amsterdam"},
        **more,
    }


def last_address(consent_page: str) -> str:
    """Where a browser ends up that runs on another computer: the last redirect leads nowhere there."""

    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_: Any) -> None:
            return None

    opener = urllib.request.build_opener(Stay)
    try:
        opener.open(consent_page, timeout=30)
    except urllib.error.HTTPError as answer:
        with answer:
            return str(answer.headers["Location"])
    raise AssertionError("no redirect")
