"""`connect` and `calendars`: a connection is tried, its password sealed, and its calendars are shown to pick from."""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import click

from bridge import bootstrap
from bridge.cli import screen
from bridge.cli.opening import opened
from bridge.cli.options import with_config, with_json
from bridge.config import ConnectionType
from bridge.core import ics
from bridge.store import rule as rules
from bridge.store import sealed
from bridge.upstream.powers import Discovering
from bridge.upstream.protocol import Changed, Unreadable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import tzinfo
    from pathlib import Path

    from bridge.bootstrap import Site
    from bridge.config import Connection
    from bridge.core.model import CalendarObject
    from bridge.upstream.protocol import RemoteCalendar, Upstream

_PLAIN_NAME = re.compile(r"[A-Za-z][\w-]*(?: [\w-]+)*")
_NOUNS = {"VEVENT": "event", "VTODO": "task", "VJOURNAL": "note"}


@dataclass(frozen=True, slots=True)
class Reached:
    """What a connection led to.

    Attributes:
        calendars: Those that it reaches.
        notes: Sentences about the way there that a person should see.
        holds: Of a published file, how many objects of each kind it holds; else None.
    """

    calendars: Sequence[RemoteCalendar]
    notes: Sequence[str]
    holds: Mapping[str, int] | None


def reach(site: Site, key: str, *, password: str | None = None) -> Reached:
    """Asks a connection for its calendars; a published file is read as a whole.

    Args:
        site: The installation.
        key: Of the connection.
        password: With which it is tried; None: the one that is configured or sealed.

    Raises:
        NotFound: There is no such connection.
        UpstreamError: It leads nowhere, or does not let us in.
    """
    zone = _zone(site)

    def parse(raw: bytes) -> CalendarObject:
        return ics.parse(raw, zone=zone, max_instances=site.configuration.limits.max_instances)

    with closing(bootstrap.Connections().open(site, key, parse, zone, password=password)) as upstream:
        if site.configuration.connection(key).type is ConnectionType.ICS:
            return Reached(upstream.calendars(), (), _contents(upstream))
        if isinstance(upstream, Discovering):
            found = upstream.discover()
            return Reached(found.calendars, found.notes, None)
        return Reached(upstream.calendars(), (), None)


def _zone(site: Site) -> tzinfo:
    return next((account.time_zone for account in site.configuration.accounts.values()), ZoneInfo("UTC"))


def _contents(upstream: Upstream) -> Mapping[str, int]:
    listed = [item for page in upstream.changes("", None) for item in page.items]
    kinds = Counter(
        "unreadable" if isinstance(item.object, Unreadable) else str(item.object.component)
        for item in listed
        if isinstance(item, Changed) and item.object is not None
    )
    return dict(sorted(kinds.items()))


@click.command()
@click.argument("connection")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input, one line")
@with_config
@with_json
def connect(connection: str, config: Path, *, password_stdin: bool, as_json: bool) -> None:
    """Try a connection, keep its password sealed in the database, and show what can be written under `rules`.

    The password is asked for where the configuration does not say where it is.
    """
    site = opened(config)
    settings = site.configuration.connection(connection)
    asked = _asked_password(settings, from_stdin=password_stdin)
    reached = reach(site, connection, password=asked)
    if asked is not None:
        with site.database.writing() as tx:
            sealed.keep(tx, site.keys, bootstrap.sealed_name(connection), asked.encode())
            for rule in rules.every(tx):
                configured = site.configuration.rules.get(rule.key)
                if rule.active and configured is not None and configured.connection == connection:
                    # A rule that the old password kept from its work needs not wait for its next try.
                    rules.ask_now(tx, rule.id)
    if as_json:
        screen.document({**_as_json(connection, reached), "sealed": asked is not None})
        return
    whom = f" as {settings.user}" if settings.user else ""
    screen.say(f"{connection!r} leads to {settings.shown}{whom}.")
    if asked is not None:
        screen.say("The password is kept sealed in the database.")
    _show(reached)
    screen.say()
    for line in _next_steps(site, connection, reached):
        screen.say(line)


def _asked_password(settings: Connection, *, from_stdin: bool) -> str | None:
    """The password that a person gives; None where none is to be kept."""
    if settings.password is not None:
        if from_stdin:
            raise click.UsageError("The configuration says the password of this connection; change it there.")
        return None
    if not settings.user:
        if from_stdin:
            raise click.UsageError("This connection has no user, and so no password.")
        return None
    if from_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
    else:
        password = click.prompt(f"Password of {settings.user} at {settings.shown}", hide_input=True, err=True)
    if not password:
        raise click.UsageError("The password is empty.")
    return str(password)


@click.command()
@click.argument("connection")
@with_config
@with_json
def calendars(connection: str, config: Path, *, as_json: bool) -> None:
    """List the calendars that a connection reaches, to name one of them in a rule."""
    reached = reach(opened(config), connection)
    if as_json:
        screen.document(_as_json(connection, reached))
        return
    _show(reached)


def _as_json(connection: str, reached: Reached) -> dict[str, object]:
    return {
        "connection": connection,
        "notes": list(reached.notes),
        "calendars": [
            {
                "id": each.id,
                "name": each.name,
                "writable": each.writable,
                "components": sorted(map(str, each.components)),
                "color": each.color or None,
                "primary": each.primary,
            }
            for each in reached.calendars
        ],
        **({} if reached.holds is None else {"holds": dict(reached.holds)}),
    }


def _show(reached: Reached) -> None:
    for note in reached.notes:
        screen.say(f"note: {note}")
    if reached.holds is not None:
        (only,) = reached.calendars
        counts = [
            f"{count} that cannot be read" if kind == "unreadable" else screen.plural(count, _NOUNS.get(kind, kind))
            for kind, count in reached.holds.items()
        ]
        screen.say(f"It is one calendar, {only.name!r}, which can only be read, and holds {_listed(counts)}.")
        return
    if not reached.calendars:
        screen.say("There is no calendar yet: make one there, with any calendar program.")
        return
    screen.table(
        ("NAME", "HOLDS", "MAY BE", "COLOUR", "MAIN", "ID"),
        [
            (
                each.name,
                ", ".join(sorted(_NOUNS.get(str(kind), str(kind)) + "s" for kind in each.components)),
                "changed" if each.writable else "read",
                each.color,
                "yes" if each.primary else "",
                each.id,
            )
            for each in reached.calendars
        ],
    )


def _listed(parts: Sequence[str]) -> str:
    return " and ".join(parts) if parts else "nothing at the moment"


def _next_steps(site: Site, connection: str, reached: Reached) -> list[str]:
    """What to write into the configuration, or who uses the connection already."""
    configuration = site.configuration
    using = [key for key, rule in configuration.rules.items() if rule.connection == connection]
    if using:
        return [f"It is used by {_quoted(using)}: `calbridge status` shows how that is doing."]
    resource = next((f"{account}/{key}" for account, key, _ in configuration.resources()), "ACCOUNT/RESOURCE")
    if not reached.calendars:
        return []
    picked = next((each for each in reached.calendars if each.writable), reached.calendars[0])
    lines = [
        "Next, write a rule into the configuration; `calbridge rule plan` shows what it will do:",
        "",
        "rules:",
        f"  {resource.partition('/')[2]}-{connection}:",
        f"    resource: {resource}",
        f"    connection: {connection}",
    ]
    if picked.id:
        names = [each.name for each in reached.calendars]
        lines.append(f"    calendar: {_in_yaml(picked.name if names.count(picked.name) == 1 else picked.id)}")
    return lines


def _quoted(names: Sequence[str]) -> str:
    return ", ".join(f"rule {name!r}" for name in names)


def _in_yaml(name: str) -> str:
    return name if _PLAIN_NAME.fullmatch(name) else json.dumps(name, ensure_ascii=False)
