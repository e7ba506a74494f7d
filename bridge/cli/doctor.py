"""`doctor`: looks at everything that can be wrong, and says what to do about it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import click

from bridge import bootstrap
from bridge.cli import connection_checks, machine_checks, screen
from bridge.cli.findings import State, bad, ok, warn
from bridge.cli.options import with_config, with_json
from bridge.cli.outcome import Exit
from bridge.config import AuthType
from bridge.errors import ObjectRefused, StoreError
from bridge.store import account, collection, placement
from bridge.store.collection import Address, Kind

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bridge.bootstrap import Site
    from bridge.cli.findings import Finding
    from bridge.config import Configuration
    from bridge.store.database import Transaction

_MOST_NAMED = 5


@click.command()
@click.option("--deep", is_flag=True, help="Read every appointment too; takes a while")
@click.option("--connections", is_flag=True, help="Log in at every connection too, and look for the rules' calendars")
@with_config
@with_json
def doctor(config: Path, *, deep: bool, connections: bool, as_json: bool) -> None:
    """Check clock, database, permissions, time-zone data, addresses, certificates, users, feeds and rules."""
    findings = list(_findings(config, deep=deep, connections=connections))
    if as_json:
        screen.document(
            {
                "findings": [
                    {
                        "check": each.check,
                        "state": str(each.state),
                        "sentence": each.sentence,
                        "remedy": each.remedy,
                    }
                    for each in findings
                ]
            }
        )
    else:
        width = max(len(each.check) for each in findings)
        for each in findings:
            screen.say(f"{each.state:4}  {each.check:{width}}  {each.sentence}")
            if each.remedy:
                screen.say(f"{'':{width + 8}}{each.remedy}")
        counts = Counter(each.state for each in findings)
        screen.say()
        screen.say(", ".join(f"{counts[state]} {state}" for state in State))
    if any(each.state is not State.OK for each in findings):
        click.get_current_context().exit(Exit.PART)


def _findings(config: Path, *, deep: bool, connections: bool) -> Iterator[Finding]:
    configuration = bootstrap.read_configuration(config)
    now = bootstrap.now()
    yield ok("configuration", f"{configuration.path} is right.")
    for warning in configuration.warnings:
        yield warn("configuration", warning, "Change the setting, or leave it if it is meant so.")
    database = configuration.database.file
    yield from machine_checks.clock(now, database.parent if database else configuration.path.parent)
    yield from machine_checks.time_zones(now)
    yield from machine_checks.files(configuration)
    yield from machine_checks.addresses(configuration)
    yield from machine_checks.certificates(configuration, now)
    yield from _users(configuration)
    if database is not None and not database.exists():
        yield bad("database", f"There is no database at {database} yet.", "`calbridge init` makes it.")
        return
    site = bootstrap.open_site(config)
    click.get_current_context().call_on_close(site.database.close)
    try:
        site.database.check()
        with site.database.reading() as tx:
            yield from _store(site, tx, deep=deep)
        yield from connection_checks.passwords(site)
        if connections:
            yield from connection_checks.logins(site)
    except StoreError as error:
        yield bad("database", error.message, _remedy(error))


def _remedy(error: StoreError) -> str:
    """What to do, with the database's own words where it said any: the sentence alone would send people here."""
    own = str(getattr(error.__cause__, "orig", "")).partition("\n")[0].strip()
    return f"The database says: {own}" if own else error.remedy


def _users(configuration: Configuration) -> Iterator[Finding]:
    idle = [name for name, user in configuration.users.items() if not user.grants and not user.personal_calendars]
    for name in idle:
        yield warn("users", f"User {name!r} may see nothing.", f"Give the user grants under users.{name}.grants.")
    granted = {key for name in configuration.users for key in configuration.grants_of(name)}
    shown = {key for feed in configuration.feeds.values() for key in configuration.resources_of(feed.of)}
    lonely = [
        f"{account}/{key}" for account, key, _ in configuration.resources() if (account, key) not in granted | shown
    ]
    if lonely:
        yield warn(
            "resources",
            f"Nobody sees {', '.join(lonely[:_MOST_NAMED])}{' and others' if len(lonely) > _MOST_NAMED else ''}.",
            "Grant them to a user, or name them in a feed.",
        )
    if not idle:
        yield ok(
            "users",
            f"{screen.plural(len(configuration.users), 'user')} and "
            f"{screen.plural(len(configuration.feeds), 'feed')} fit the resources.",
        )


def _store(site: Site, tx: Transaction, *, deep: bool) -> Iterator[Finding]:
    configuration = site.configuration
    yield ok("database", f"{configuration.database.shown} answers, in the form that this version needs.")
    addresses = [Address(Kind.RESOURCE, account, key) for account, key, _ in configuration.resources()]
    missing = [str(address) for address in addresses if collection.find(tx, address) is None]
    if missing:
        yield warn(
            "calendars", f"Not made yet: {', '.join(missing[:_MOST_NAMED])}.", "`calbridge init`, or start the server."
        )
    kept = {each.user for each in account.app_passwords(tx)}
    gone = sorted(kept - set(configuration.users))
    for name in gone:
        yield warn(
            "app passwords",
            f"{name!r} has app passwords, but is no user any more.",
            f"calbridge user revoke {name} --all",
        )
    for name, user in configuration.users.items():
        has_own = user.password_hash or user.password
        if configuration.auth.type is AuthType.CALBRIDGE and not has_own and name not in kept:
            yield warn(
                "users",
                f"User {name!r} has no password and no app password.",
                f"calbridge user app-password {name} --label LABEL",
            )
    if deep:
        yield from _objects(site, tx, addresses)


def _objects(site: Site, tx: Transaction, addresses: list[Address]) -> Iterator[Finding]:
    count, broken = 0, []
    for address in addresses:
        found = collection.find(tx, address)
        for stored in placement.get_all(tx, found.id) if found else ():
            count += 1
            try:
                parsed = site.parse(stored.raw, address)
            except ObjectRefused as error:
                broken.append(f"{address} {stored.href}: {error.message}")
                continue
            if parsed.etag != stored.etag or parsed.uid != stored.uid:
                broken.append(f"{address} {stored.href}: its bytes are not those that were stored.")
    for sentence in broken:
        yield bad(
            "appointments", sentence, "`calbridge history --uid` shows its versions; `calbridge undo` takes one back."
        )
    if not broken:
        yield ok("appointments", f"All {count} can be read, and are as they were stored.")
