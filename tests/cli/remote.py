"""A rule between a resource and a calendar on a real server, with somebody else at that calendar."""

from __future__ import annotations

import uuid
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bridge.store import placement
from bridge.store import rule as rules
from bridge.store.collection import Address, Kind, get
from tests.cli.conftest import calendar, event
from tests.upstream.servers.caldav_server import Somebody

if TYPE_CHECKING:
    from pathlib import Path

    from bridge.store.rule import Rule
    from tests.cli.conftest import Answer, Installation
    from tests.upstream.servers.caldav_server import CalDAVServer

PASSWORD = "secret"


@dataclass
class Remote:
    """An installation that keeps `salon/anna` and a remote calendar the same.

    Attributes:
        installation: The commands.
        server: Where the remote calendar is.
        name: Of the remote calendar.
        bob: Somebody who uses the remote calendar.
    """

    installation: Installation
    server: CalDAVServer
    name: str
    bob: Somebody

    def run(self, *words: str | Path, typed: str = "") -> Answer:
        return self.installation.run(*words, typed=typed)

    def done(self, *words: str | Path, typed: str = "") -> Answer:
        """Runs a command that has to end well."""
        answer = self.run(*words, typed=typed)
        assert answer.code == 0, (words, answer)
        return answer

    def make_another_calendar(self) -> None:
        """Somebody makes a calendar of the same name, at another address."""
        self.bob = Somebody(self.server, self.server.make_calendar(self.name))

    def connect(self) -> None:
        self.done("connect", "clinic", "--password-stdin", typed=f"{PASSWORD}\n")

    def put_here(self, *components: str) -> None:
        self.done("import", "-", "--into", "salon/anna", typed=calendar(*components))

    def remove_here(self, *uids: str) -> None:
        """Somebody deletes appointments with a calendar program."""
        from bridge.store import calendar_object  # noqa: PLC0415 -- here alone
        from bridge.store.journal import Author  # noqa: PLC0415 -- the same

        with closing(self.installation.open().database) as database, database.writing() as tx:
            here = get(tx, Address(Kind.RESOURCE, "salon", "anna"))
            for stored in placement.by_uids(tx, here.id, uids):
                calendar_object.remove(tx, here.id, stored.href, author=Author("user:anna", "test"))

    def put_there(self, *components: str) -> None:
        for each in components:
            self.bob.put(calendar(each).encode())

    def here(self) -> dict[str, str]:
        """The titles here, by UID."""
        site = self.installation.open()
        address = Address(Kind.RESOURCE, "salon", "anna")
        with closing(site.database) as database, database.reading() as tx:
            stored = list(placement.get_all(tx, get(tx, address).id))
        return {each.uid: site.parse(each.raw, address).summary for each in stored}

    def there(self) -> dict[str, str]:
        """The titles there, by UID; fails where one stands there twice."""
        site = self.installation.open()
        site.database.close()
        address = Address(Kind.RESOURCE, "salon", "anna")
        objects = [site.parse(raw, address) for raw in self.bob.bodies()]
        assert len({each.uid for each in objects}) == len(objects)
        return {each.uid: each.summary for each in objects}

    def sync(self, key: str = "work", *words: str) -> dict[str, Any]:
        """Does a pass, and gives what it did."""
        moves: dict[str, Any] = self.done("rule", "sync", key, "--json", *words).json["moves"]
        return moves

    def rule(self, key: str = "work") -> Rule:
        """The rule that stands in the configuration."""
        with closing(self.installation.open().database) as database, database.reading() as tx:
            found = rules.find(tx, key)
        assert found is not None
        return found

    def configure(self, *lines: str) -> None:
        """Writes connections and rules into the file, in place of those that it has."""
        config = self.installation.config
        kept = config.read_text().partition("connections:\n")[0]
        text = [
            "connections:",
            f'  clinic: {{type: caldav, url: "{self.server.url}", user: {self.server.user}}}',
            "rules:" if lines else "rules: {}",
            *(f"  {line}" for line in lines),
        ]
        config.write_text(kept + "\n".join(text) + "\n")

    def rule_line(self, key: str = "work", options: str = "", *, name: str = "") -> str:
        """A rule to that calendar, as a line of the file."""
        # What is looked at must not depend on the day on which the test runs.
        more = ", window: {past: all, future: all}" + (f", {options}" if options else "")
        return f"{key}: {{resource: salon/anna, connection: clinic, calendar: {name or self.name}{more}}}"


def remote(installation: Installation, server: CalDAVServer) -> Remote:
    """A fresh calendar on `server`, and a rule `work` to it."""
    name = f"Work-{uuid.uuid4().hex[:8]}"
    made = Remote(installation, server, name, Somebody(server, server.make_calendar(name)))
    made.configure(made.rule_line())
    return made


def events(count: int, *, first: int = 0, title: str = "Cut") -> list[str]:
    """So many appointments on one day."""
    return [
        event(f"e{number}", f"{title} {number}", start=f"20261124T{8 + number // 12:02}{number % 12 * 5:02}00")
        for number in range(first, first + count)
    ]
