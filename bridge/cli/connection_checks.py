"""What `doctor` asks of connections: whether each has its password, lets us in, and has the calendars of its rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge import bootstrap
from bridge.cli import screen
from bridge.cli.findings import bad, ok, warn
from bridge.cli.reaching import reach
from bridge.errors import SealBroken, UpstreamError
from bridge.sync.assigning import pick

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bridge.bootstrap import Site
    from bridge.cli.findings import Finding
    from bridge.cli.reaching import Reached


def passwords(site: Site) -> Iterator[Finding]:
    """Whether each connection that has a user has a password too; nobody is asked."""
    for key, connection in site.configuration.connections.items():
        if not connection.user:
            continue
        try:
            known = bootstrap.password_of(site, key)
        except SealBroken as error:
            yield bad("connections", f"The password of connection {key!r}: {error.message}", f"calbridge connect {key}")
            continue
        if not known:
            yield warn("connections", f"Connection {key!r} has no password yet.", f"calbridge connect {key}")


def logins(site: Site) -> Iterator[Finding]:
    """Whether each connection can be reached and lets us in, and whether the calendar of each rule is there."""
    for key, connection in site.configuration.connections.items():
        try:
            reached = reach(site, key)
        except UpstreamError as error:
            yield bad("connections", f"Connection {key!r} ({connection.shown}): {error.message}", error.remedy)
            continue
        except SealBroken:
            # Said already.
            continue
        count = screen.plural(len(reached.calendars), "calendar")
        yield ok("connections", f"Connection {key!r} leads to {connection.shown}, with {count}.")
        for note in reached.notes:
            yield warn("connections", f"Connection {key!r}: {note}", "Correct the address under `connections`.")
        yield from _calendars(site, key, reached)


def _calendars(site: Site, key: str, reached: Reached) -> Iterator[Finding]:
    for name, rule in site.configuration.rules.items():
        if rule.connection != key:
            continue
        try:
            found = pick(reached.calendars, rule.calendar)
        except UpstreamError as error:
            yield bad("rules", f"Rule {name!r}: {error.message}", error.remedy)
            continue
        if rule.direction.pushes and not found.writable:
            yield bad(
                "rules",
                f"Rule {name!r}: nothing may be written to {found.name!r}.",
                "Have its owner let you write, or let the rule only fetch (`direction: pull`).",
            )
        else:
            yield ok("rules", f"Rule {name!r} finds its calendar {found.name!r}.")
