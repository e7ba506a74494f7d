"""What a person gives so that a connection is let in: a password, their consent, or nothing where none is needed."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import click

from bridge import bootstrap
from bridge.cli.consenting import ask_for_consent
from bridge.errors import Conflict, SealBroken
from bridge.store import rule as rules
from bridge.store import sealed

if TYPE_CHECKING:
    from bridge.bootstrap import Site
    from bridge.cli.reaching import Reached
    from bridge.config import Connection
    from bridge.upstream.oauth.tokens import Tokens
    from bridge.upstream.protocol import RemoteCalendar

_MAIN = ("", "primary")


@dataclass(frozen=True, slots=True)
class Entry:
    """What was given.

    Attributes:
        password: The password, or None.
        tokens: What was granted on a consent page, or None.
    """

    password: str | None = field(default=None, repr=False)
    tokens: Tokens | None = None

    @property
    def given(self) -> bool:
        """Whether there is anything to keep."""
        return self.password is not None or self.tokens is not None

    @property
    def sentence(self) -> str:
        """What is said once it is kept; empty where there is nothing to keep."""
        what = "The password is" if self.password is not None else "The login is"
        return f"{what} kept sealed in the database." if self.given else ""


def ask(site: Site, key: str, *, password_stdin: bool, browser: bool, as_json: bool) -> Entry:
    """Asks for what the connection `key` is let in by.

    Raises:
        click.UsageError: It takes no password, or the one that is given is empty.
        LoginRefused: The person did not agree.
        UpstreamUnavailable: The provider cannot be asked.
    """
    settings = site.configuration.connection(key)
    if settings.asks_for_consent:
        if password_stdin:
            raise click.UsageError("This connection has no password: its owner agrees on a page of the provider.")
        account = _account_before(site, key)
        return Entry(tokens=ask_for_consent(site, key, account=account, browser=browser, as_json=as_json))
    return Entry(password=_password(settings, from_stdin=password_stdin))


def keep(site: Site, key: str, entry: Entry, reached: Reached) -> None:
    """Keeps it sealed, and lets the rules go on that waited for it."""
    if entry.tokens is not None:
        bootstrap.login_of(site, key).keep(entry.tokens)
    with site.database.writing() as tx:
        if entry.password is not None:
            sealed.keep(tx, site.keys, bootstrap.sealed_name(key), entry.password.encode())
        main = _main_of(reached)
        if entry.tokens is not None and main is not None:
            sealed.keep(tx, site.keys, _account_name(key), main.id.encode())
        for rule in rules.every(tx):
            configured = site.configuration.rules.get(rule.key)
            if rule.active and configured is not None and configured.connection == key:
                # A rule that the old login kept from its work needs not wait for its next try.
                rules.ask_now(tx, rule.id)


def check_account(site: Site, key: str, entry: Entry, reached: Reached) -> None:
    """Passes where the account that was let in on a consent page has the calendars that rules keep over it.

    Raises:
        Conflict: It is another account: what stands in its calendars would be taken for what stood in the others.
    """
    main = _main_of(reached)
    if entry.tokens is None:
        return
    if main is not None and main.id == _account_before(site, key):
        return
    with site.database.reading() as tx:
        known = [each for each in rules.every(tx) if each.active and each.calendar]
    found = {each.id for each in reached.calendars}
    for rule in known:
        settings = site.configuration.rules.get(rule.key)
        if settings is None or settings.connection != key:
            continue
        is_main = settings.calendar not in _MAIN or main is None or main.id == rule.calendar
        if rule.calendar in found and is_main:
            continue
        whose = "This is another account" if main is None else f"This is the account of {main.name!r}"
        raise Conflict(
            f"{whose}, and the rule {rule.key!r} keeps the calendar {rule.calendar!r}, which is not its own. "
            "The login was not kept, and nothing was changed.",
            remedy="Connect again with the account that has this calendar, give the other one a connection of its own "
            f"under `connections`, or take the rule {rule.key!r} out of the configuration first.",
        )


def _main_of(reached: Reached) -> RemoteCalendar | None:
    return next((each for each in reached.calendars if each.primary), None)


def _account_before(site: Site, key: str) -> str:
    """The main calendar of the account that was let in last; empty where nobody was, or the key to it is lost."""
    try:
        with site.database.reading() as tx:
            kept = sealed.recall(tx, site.keys, _account_name(key))
    except SealBroken:
        # To connect again is what mends this.
        return ""
    return "" if kept is None else kept.decode()


def _account_name(key: str) -> str:
    """Under which name it is sealed whose account was let in last."""
    return f"connection:{key}:account"


def _password(settings: Connection, *, from_stdin: bool) -> str | None:
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
