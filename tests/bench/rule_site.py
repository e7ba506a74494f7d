"""Sites of Calbridge with rules, each rule towards a calendar of its own at another server."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bridge import bootstrap
from tests.bench.servers import PASSWORD, USER

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bridge.bootstrap import Site

_RESOURCES_OF_AN_ACCOUNT = 50


@dataclass(frozen=True, slots=True)
class Target:
    """Where the rule of one resource leads.

    Attributes:
        account: Of the resource; also the name of the connection.
        resource: Its key.
        url: Of the remote server.
        calendar: Address of the remote calendar.
    """

    account: str
    resource: str
    url: str
    calendar: str


def make(folder: Path, targets: Sequence[Target], *, user: str = "") -> Site:
    """Makes a site with an empty store and one rule for each target, which keeps everything whenever it is.

    Args:
        folder: For its files.
        targets: Where the rules lead.
        user: Who logs in there; empty: each account has a user of its own.
    """
    folder.mkdir(parents=True, exist_ok=True)
    secret(folder)
    accounts: dict[str, list[str]] = {}
    for each in targets:
        accounts.setdefault(each.account, []).append(each.resource)
    lines = ["database: sqlite:///store.sqlite3", "secret_key_file: secret.key", *_accounts(accounts), "connections:"]
    for account in accounts:
        url = next(each.url for each in targets if each.account == account)
        lines += [
            f"  {account}: {{type: caldav, url: '{url}', user: {user or user_of(account)}, password_file: password,",
            "    rate: 60000}",
        ]
    lines.append("rules:")
    for each in targets:
        lines += [
            f"  {each.account}-{each.resource}:",
            f"    {{resource: {each.account}/{each.resource}, connection: {each.account}, poll: 5m,",
            f"    calendar: '{each.calendar}', window: {{past: all, future: all}}}}",
        ]
    return _made(folder, lines)


def make_upstream(folder: Path, count: int) -> tuple[Site, list[tuple[str, str]]]:
    """Makes a site whose calendars are the remote ones of `count` rules.

    Returns:
        The site, and account and resource of each calendar.
    """
    folder.mkdir(parents=True, exist_ok=True)
    secret(folder)
    names = [(f"a{n // _RESOURCES_OF_AN_ACCOUNT}", f"r{n % _RESOURCES_OF_AN_ACCOUNT}") for n in range(count)]
    accounts: dict[str, list[str]] = {}
    for account, resource in names:
        accounts.setdefault(account, []).append(resource)
    users = [f"  {user_of(account)}: {{password_file: password, grants: {{{account}: write}}}}" for account in accounts]
    lines = ["database: sqlite:///store.sqlite3", "secret_key_file: secret.key", *_accounts(accounts), "users:", *users]
    return _made(folder, lines), names


def path_of(account: str, resource: str) -> str:
    """The path of a calendar of `make_upstream`."""
    return f"/dav/{user_of(account)}/{account}.{resource}/"


def user_of(account: str) -> str:
    """Who may write the calendars of an account."""
    return f"{USER}-{account}"


def secret(folder: Path) -> None:
    """Writes the password that all users have."""
    (folder / "password").write_text(f"{PASSWORD}\n")
    (folder / "password").chmod(0o600)


def _accounts(accounts: dict[str, list[str]]) -> list[str]:
    lines = ["accounts:"]
    for account, resources in accounts.items():
        lines += [f"  {account}:", f"    name: {account}", "    time_zone: Europe/Amsterdam", "    resources:"]
        lines += [f"      {resource}: {{kind: employee, name: {resource}}}" for resource in resources]
    return lines


def _made(folder: Path, lines: Sequence[str]) -> Site:
    config = folder / "bridge.yaml"
    config.write_text("\n".join([*lines, ""]))
    return bootstrap.initialise(config)
