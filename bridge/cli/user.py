"""`user`: who logs in, with which passwords."""

from __future__ import annotations

import re
import secrets
import sys
from typing import TYPE_CHECKING, Any

import click

from bridge import bootstrap
from bridge.cli import screen
from bridge.cli.opening import opened
from bridge.cli.options import with_config, with_json
from bridge.config import edit
from bridge.errors import NotFound
from bridge.store import account

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bridge.config import User
    from bridge.store.account import AppPassword

_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"
_LENGTH = 20
_SHORTEST = 8
_GRANT = re.compile(r"([A-Za-z0-9_-]+(?:/[A-Za-z0-9_-]+)?)=(read|write)")


@click.group()
def user() -> None:
    """Who logs in, with which passwords."""


def _with_password(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in (
        click.option("--password-stdin", is_flag=True, help="Read the password from standard input, one line"),
        click.option("--generate", is_flag=True, help="Make a password, and print it once"),
    ):
        command = option(command)
    return command


def _chosen_password(*, generate: bool, from_stdin: bool) -> str:
    if generate and from_stdin:
        raise click.UsageError("--generate and --password-stdin exclude each other.")
    if generate:
        return "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))
    if from_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
    else:
        password = click.prompt("Password", hide_input=True, confirmation_prompt="The same again", err=True)
    if len(password) < _SHORTEST or not password.isprintable():
        raise click.UsageError(
            f"A password has at least {_SHORTEST} characters, on one line; --generate makes a good one."
        )
    return str(password)


def _grants(_context: click.Context, _parameter: click.Parameter, given: tuple[str, ...]) -> dict[str, str]:
    found = {}
    for each in given:
        match = _GRANT.fullmatch(each)
        if match is None:
            raise click.BadParameter(f"{each!r} is not ACCOUNT/RESOURCE=read, ACCOUNT/RESOURCE=write, or ACCOUNT=...")
        found[match[1]] = match[2]
    return found


@user.command()
@click.argument("name")
@click.option(
    "--grant",
    "grants",
    multiple=True,
    callback=_grants,
    metavar="ACCOUNT/RESOURCE=write",
    help="What the user may read or write; several are possible",
)
@click.option("--admin", is_flag=True, help="The user looks after the whole site; has no effect yet")
@click.option("--personal-calendars", is_flag=True, help="The user may make calendars of their own")
@click.option("--email", default="", help="The user's address; has no effect yet")
@click.option("--no-password", is_flag=True, help="The user logs in with app passwords only")
@_with_password
@with_config
@with_json
def add(
    name: str,
    grants: dict[str, str],
    email: str,
    config: Path,
    *,
    admin: bool,
    personal_calendars: bool,
    no_password: bool,
    generate: bool,
    password_stdin: bool,
    as_json: bool,
) -> None:
    """Add a user to the configuration; a running server knows them within seconds."""
    if no_password and (generate or password_stdin):
        raise click.UsageError("--no-password excludes --generate and --password-stdin.")
    password = "" if no_password else _chosen_password(generate=generate, from_stdin=password_stdin)
    edit.add_user(
        config,
        name,
        password_hash=account.hash_password(password) if password else "",
        grants=grants,
        admin=admin,
        personal_calendars=personal_calendars,
        email=email,
    )
    _tell(f"User {name!r} was added to {config}.", name, password if generate else "", as_json=as_json)


@user.command()
@click.argument("name")
@_with_password
@with_config
@with_json
def password(name: str, config: Path, *, generate: bool, password_stdin: bool, as_json: bool) -> None:
    """Give a user a new password; app passwords stay as they are."""
    bootstrap.read_configuration(config).user(name)
    chosen = _chosen_password(generate=generate, from_stdin=password_stdin)
    edit.set_password_hash(config, name, account.hash_password(chosen))
    _tell(f"The password of {name!r} was changed in {config}.", name, chosen if generate else "", as_json=as_json)


def _tell(sentence: str, name: str, made: str, *, as_json: bool) -> None:
    if as_json:
        screen.document({"user": name, **({"password": made} if made else {})})
        return
    screen.say(sentence)
    if made:
        screen.say(f"password: {made}")
        screen.say("It is shown only now.")


@user.command("app-password")
@click.argument("name")
@click.option("--label", required=True, help="What it is for: the device or the program")
@with_config
@with_json
def app_password(name: str, label: str, config: Path, *, as_json: bool) -> None:
    """Make a password for one device, which can be revoked without changing the others."""
    if not label.strip() or not label.isprintable():
        raise click.UsageError("A label is one line of text.")
    site = opened(config)
    site.configuration.user(name)
    with site.database.writing() as tx:
        made = account.make_app_password(tx, name, label)
    if as_json:
        screen.document({"user": name, "label": label, "password": made})
        return
    screen.say(f"user:     {name}")
    screen.say(f"password: {made}")
    screen.say("It is shown only now.")


@user.command("list")
@with_config
@with_json
def list_users(config: Path, *, as_json: bool) -> None:
    """Show who may log in, what they may do, and their app passwords."""
    site = opened(config)
    configuration = site.configuration
    with site.database.reading() as tx:
        kept = account.app_passwords(tx)
    names = [*configuration.users, *sorted({each.user for each in kept} - set(configuration.users))]
    if as_json:
        screen.document({"users": [_as_json(name, configuration.users.get(name), kept) for name in names]})
        return
    zone = next(iter(configuration.accounts.values())).time_zone
    rows = []
    for name in names:
        found = configuration.users.get(name)
        rows.append((name, _login(found), _rights(found), ""))
        for each in (each for each in kept if each.user == name):
            used = f"used {screen.when(each.used_at, zone)}" if each.used_at else "never used"
            rows.append(("", "app password", each.label, f"made {screen.when(each.created_at, zone)}, {used}"))
    screen.table(("USER", "LOGIN", "MAY", ""), rows)


def _as_json(name: str, found: User | None, kept: list[AppPassword]) -> dict[str, object]:
    return {
        "name": name,
        "configured": found is not None,
        "login": _login(found),
        "admin": bool(found and found.admin),
        "personal_calendars": bool(found and found.personal_calendars),
        "email": str(found.email) if found and found.email else None,
        "grants": {str(scope): str(grant) for scope, grant in found.grants.items()} if found else {},
        "app_passwords": [
            {"label": each.label, "created_at": each.created_at, "used_at": each.used_at}
            for each in kept
            if each.user == name
        ],
    }


def _login(found: User | None) -> str:
    if found is None:
        return "gone from the configuration"
    return "password" if found.password_hash or found.password or found.password_file else "app passwords only"


def _rights(found: User | None) -> str:
    if found is None:
        return "nothing"
    rights = [f"{scope}={grant}" for scope, grant in found.grants.items()]
    rights += ["admin"] * found.admin + ["own calendars"] * found.personal_calendars
    return ", ".join(rights) or "nothing"


@user.command()
@click.argument("name")
@click.argument("label", required=False)
@click.option("--all", "everything", is_flag=True, help="Revoke every app password of the user")
@with_config
@with_json
def revoke(name: str, label: str | None, config: Path, *, everything: bool, as_json: bool) -> None:
    """Revoke app passwords: devices that use them are locked out at once."""
    if (label is None) is not everything:
        raise click.UsageError("Name one LABEL, or --all.")
    site = opened(config)
    with site.database.writing() as tx:
        labels = [each.label for each in account.app_passwords(tx, name)]
        count = account.revoke_app_passwords(tx, name, label)
    if not count:
        wanted = "app passwords" if label is None else f"app password {label!r}"
        known = f"There are: {', '.join(labels)}." if labels else "`calbridge user list` shows those that there are."
        raise NotFound(f"User {name!r} has no {wanted}.", remedy=known)
    if as_json:
        screen.document({"user": name, "revoked": count})
        return
    screen.say(f"{screen.plural(count, 'app password')} of {name!r} revoked.")
