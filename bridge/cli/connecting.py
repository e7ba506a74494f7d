"""`connect`, `calendars`, `disconnect`: a connection is let in, leads on to its first rule, and is ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from bridge import bootstrap
from bridge.cli import screen
from bridge.cli.choosing import Answers, check_unused, choose, is_there, somebody_asks
from bridge.cli.first_rule import Made, made_document, make_rule, show_made
from bridge.cli.letting_in import Entry, ask, check_account, keep
from bridge.cli.opening import opened
from bridge.cli.options import with_config, with_json
from bridge.cli.outcome import Exit
from bridge.cli.reached_shown import next_steps, reached_document, show_reached
from bridge.cli.reaching import Reached, reach
from bridge.store import sealed

if TYPE_CHECKING:
    from pathlib import Path

    from bridge.bootstrap import Site


@click.command()
@click.argument("connection")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input, one line")
@click.option("--no-browser", is_flag=True, help="Print the address of a consent page instead of opening it")
@click.option("--calendar", help="Make a rule for this remote calendar: its name or id, or primary")
@click.option("--resource", help="Make a rule for this resource, as ACCOUNT/RESOURCE")
@click.option("--rule", "key", help="What the rule is to be called")
@click.option("--yes", is_flag=True, help="Write the rule and do its first pass without asking")
@with_config
@with_json
def connect(
    connection: str,
    calendar: str | None,
    resource: str | None,
    key: str | None,
    config: Path,
    *,
    password_stdin: bool,
    no_browser: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Try a connection, keep its login sealed in the database, and lead on to a rule and its first pass.

    It asks for a password, or opens the consent page of the provider. On a terminal, or with --calendar, it then plans
    the first pass of a rule, shows what that would do, and does it when that is agreed to. Connecting again keeps the
    rules, and what they know.
    """
    site = opened(config)
    site.configuration.connection(connection)
    answers = Answers(calendar, resource, key, yes=yes, asks=somebody_asks() and not as_json)
    entry = ask(site, connection, password_stdin=password_stdin, browser=not no_browser, as_json=as_json)
    reached = reach(site, connection, password=entry.password, tokens=entry.tokens)
    check_account(site, connection, entry, reached)
    keep(site, connection, entry, reached)
    used = _rules_of(site, connection)
    wanted = reached.calendars and (answers.asks or answers.yes) and not used
    leads_on = answers.given or bool(wanted)
    if not as_json:
        _say_connected(site, connection, entry, reached, numbered=leads_on and answers.calendar is None)
    made = _lead_on(site, connection, reached, answers, as_json=as_json) if leads_on else None
    if as_json:
        rule = {} if made is None else {"rule": made_document(made)}
        screen.document({**reached_document(connection, reached), "sealed": entry.given, "rules": used, **rule})
    elif made is not None:
        show_made(site, made, answers)
    else:
        screen.say()
        for line in next_steps(site, connection, reached):
            screen.say(line)
    if made is not None and made.done is not None and made.done.exit is not Exit.DONE:
        click.get_current_context().exit(made.done.exit)


def _rules_of(site: Site, connection: str) -> list[str]:
    return [key for key, rule in site.configuration.rules.items() if rule.connection == connection]


def _say_connected(site: Site, connection: str, entry: Entry, reached: Reached, *, numbered: bool) -> None:
    settings = site.configuration.connection(connection)
    whom = f" as {settings.user}" if settings.user else ""
    screen.say(f"{connection!r} leads to {settings.shown}{whom}.")
    if entry.given:
        screen.say(entry.sentence)
        for key in _rules_of(site, connection):
            screen.say(f"The rule {key!r} goes on where it was: nothing is read in anew.")
    show_reached(site, reached, numbered=numbered)


def _lead_on(site: Site, connection: str, reached: Reached, answers: Answers, *, as_json: bool) -> Made | None:
    """Has a rule chosen, planned and made; None where none is wanted, or the very same is there already."""
    choice = choose(site, connection, reached.calendars, answers)
    if choice is None or is_there(site, choice):
        return None
    check_unused(site, choice)
    return make_rule(site, choice, answers, as_json=as_json)


@click.command()
@click.argument("connection")
@with_config
@with_json
def calendars(connection: str, config: Path, *, as_json: bool) -> None:
    """List the calendars that a connection reaches, to name one of them in a rule."""
    site = opened(config)
    reached = reach(site, connection)
    if as_json:
        screen.document(reached_document(connection, reached))
        return
    show_reached(site, reached)


@click.command()
@click.argument("connection")
@click.option("--keep-grant", is_flag=True, help="Only forget the login here, and leave the grant at the provider")
@with_config
@with_json
def disconnect(connection: str, config: Path, *, keep_grant: bool, as_json: bool) -> None:
    """Forget the login of a connection; one that was given on a consent page is taken back at the provider too.

    Rules over the connection stay, with everything on both sides, and wait until it is connected again.
    """
    site = opened(config)
    settings = site.configuration.connection(connection)
    revoked = settings.asks_for_consent and not keep_grant
    if revoked:
        bootstrap.login_of(site, connection).revoke()
    with site.database.writing() as tx:
        sealed.forget(tx, bootstrap.tokens_name(connection))
        sealed.forget(tx, bootstrap.sealed_name(connection))
    stands = settings.password is not None or settings.service_account_file is not None
    waiting = [] if stands else _rules_of(site, connection)
    if as_json:
        screen.document({"connection": connection, "revoked": revoked, "rules": waiting})
        return
    if stands:
        screen.say(f"What lets {connection!r} in stands in the configuration, and still does: take it out there.")
        return
    screen.say(f"The login of {connection!r} is forgotten{', and taken back at the provider' if revoked else ''}.")
    for key in waiting:
        screen.say(f"The rule {key!r} waits until `calbridge connect {connection}`; what it wrote stays.")
