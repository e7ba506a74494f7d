"""`serve`, `init` and `check-config`: from an empty folder to a server that answers."""

from __future__ import annotations

import os
from contextlib import closing
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bridge import bootstrap
from bridge.bootstrap.site import open_store
from bridge.cli import screen
from bridge.cli.address import refuse_taken, wait_until_it_answers
from bridge.cli.options import with_config, with_json
from bridge.errors import ConfigurationError
from bridge.store import migrate

if TYPE_CHECKING:
    from bridge.config import Configuration

_STARTER = "starter.yaml"


@click.command()
@with_config
@click.option(
    "--listen", metavar="HOST:PORT", help="Take connections here, in place of server.listen [env: CALBRIDGE_LISTEN]"
)
def serve(config: Path, listen: str | None) -> None:
    """Serve calendars and feeds until interrupted.

    On a first start, with neither key file nor SQLite database, both are made.
    """
    configuration = bootstrap.read_configuration(config)
    file = configuration.database.file
    # A lost key is never replaced in silence: with it go the addresses of all feeds.
    if file is not None and not file.exists() and not configuration.secret_key_file.exists():
        bootstrap.initialise(config).database.close()
    serve_until_interrupted(config, listen=listen, lines=None)


def serve_until_interrupted(config: Path, *, listen: str | None, lines: list[str] | None) -> None:
    """Serves, and says so as soon as the server answers.

    Args:
        config: The configuration file.
        listen: `HOST:PORT` in place of `server.listen`, or None.
        lines: What is said, or None for the address.
    """
    chosen = None if listen is None else bootstrap.listen_address(listen)
    site = bootstrap.open_site(config, listen=chosen)
    server = site.configuration.server
    refuse_taken(server.listen)
    said = [f"Calbridge answers at {site.base_url()}/"] if lines is None else lines

    def tell() -> None:
        wait_until_it_answers(server)
        for line in said:
            screen.say(line)

    bootstrap.serve(config, listen=chosen, started=tell)


@click.command()
@click.option("--yes", is_flag=True, help="Do not ask before a lost key file is replaced")
@with_config
@with_json
def init(config: Path, *, yes: bool, as_json: bool) -> None:
    """Make what is missing: configuration, key file, folder, database. Repeating it changes nothing."""
    written = not config.exists()
    if written:
        _write_starter(config)
    configuration = bootstrap.read_configuration(config)
    key_file = configuration.secret_key_file
    key_written = not key_file.exists()
    is_lost = key_written and _has_tables(configuration)
    if is_lost and not yes:
        lost = f"The key file {key_file} is missing, but the database is there: restore the file from a backup."
        click.echo(lost, err=True)
        click.confirm("With a new one every feed has a new address. Make a new one?", abort=True, err=True)
    bootstrap.initialise(config).database.close()
    if as_json:
        screen.document(
            {
                "config": str(config),
                "config_written": written,
                "key_file": str(key_file),
                "key_file_written": key_written,
                "database": configuration.database.shown,
            }
        )
        return
    screen.say(f"configuration: {config}{' (new)' if written else ''}")
    screen.say(f"key file:      {key_file}{' (new)' if key_written else ''}")
    screen.say(f"database:      {configuration.database.shown}")
    if is_lost:
        screen.say(
            "The key file was missing, so every feed has a new address. Restore the old file to keep the old ones."
        )
    screen.say()
    for line in _next_steps(config, is_new=written):
        screen.say(line)


def _has_tables(configuration: Configuration) -> bool:
    file = configuration.database.file
    if file is not None and not file.exists():
        return False
    with closing(open_store(configuration)) as database, database.reading() as tx:
        return not migrate.is_empty(tx.connection)


def _next_steps(config: Path, *, is_new: bool) -> list[str]:
    option = "" if config == Path("bridge.yaml") else f" --config {config}"
    steps = [
        f"calbridge user add NAME --grant ACCOUNT/RESOURCE=write{option}   # each person who logs in",
        f"calbridge feed list{option}                                      # the secret addresses to subscribe to",
        f"calbridge serve{option}",
    ]
    if is_new:
        steps.insert(0, f"Edit {config}: name your organisation, its people, rooms and instruments.")
    return ["Next:", *(f"  {number}. {step}" for number, step in enumerate(steps, start=1))]


def _write_starter(config: Path) -> None:
    text = resources.files("bridge.cli").joinpath(_STARTER).read_bytes()
    try:
        config.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(config, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o640)
        with os.fdopen(descriptor, "wb") as file:
            file.write(text)
    except OSError as error:
        raise ConfigurationError(
            f"{config} cannot be written ({error.strerror}).", remedy="Name another place with --config."
        ) from error


@click.command("check-config")
@click.argument("file", type=click.Path(path_type=Path), required=False)
@with_config
@with_json
def check_config(file: Path | None, config: Path, *, as_json: bool) -> None:
    """Read the configuration as the server would, and say everything that is wrong with it."""
    loaded = bootstrap.read_configuration(file or config)
    counts = {
        "accounts": len(loaded.accounts),
        "resources": sum(1 for _ in loaded.resources()),
        "users": len(loaded.users),
        "feeds": len(loaded.feeds),
        "connections": len(loaded.connections),
        "rules": len(loaded.rules),
    }
    if as_json:
        screen.document({"file": str(loaded.path), **counts, "warnings": list(loaded.warnings)})
        return
    for warning in loaded.warnings:
        screen.say(f"warning: {warning}")
    numbers = ", ".join(screen.plural(count, name[:-1]) for name, count in counts.items())
    screen.say(f"{loaded.path} is right: {numbers}.")
