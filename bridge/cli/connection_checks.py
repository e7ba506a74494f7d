"""What `doctor` asks of connections: whether each has its login, lets us in, and has the calendars of its rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge import bootstrap
from bridge.cli import screen
from bridge.cli.findings import bad, ok, warn
from bridge.cli.reaching import reach
from bridge.errors import ConfigurationError, SealBroken, UpstreamError
from bridge.sync.assigning import pick

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bridge.bootstrap import Site
    from bridge.cli.findings import Finding
    from bridge.cli.reaching import Reached


def passwords(site: Site) -> Iterator[Finding]:
    """Whether each connection has what it is let in by: a password, or what somebody granted; nobody is asked."""
    for key, connection in site.configuration.connections.items():
        if connection.asks_for_consent:
            yield from _grant(site, key)
        if not connection.user:
            continue
        try:
            known = bootstrap.password_of(site, key)
        except SealBroken as error:
            yield bad("connections", f"The password of connection {key!r}: {error.message}", f"calbridge connect {key}")
            continue
        if not known:
            yield warn("connections", f"Connection {key!r} has no password yet.", f"calbridge connect {key}")


def _grant(site: Site, key: str) -> Iterator[Finding]:
    remedy = f"calbridge connect {key}"
    try:
        kept = bootstrap.SealedTokens(site.database, site.keys, key).read()
    except (SealBroken, UpstreamError) as error:
        yield bad("connections", f"The login of connection {key!r}: {error.message}", remedy)
        return
    if kept is None:
        yield warn("connections", f"Nobody has connected {key!r} yet.", remedy)


def logins(site: Site) -> Iterator[Finding]:
    """Whether each connection can be reached and lets us in, and whether the calendar of each rule is there."""
    for key, connection in site.configuration.connections.items():
        try:
            reached = reach(site, key)
        except (UpstreamError, ConfigurationError) as error:
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
