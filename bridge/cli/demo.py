"""`demo`: one command from a fresh checkout to calendars that a client can find."""

from __future__ import annotations

import os
import secrets
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

import click

import bridge
from bridge import bootstrap
from bridge.cli import demo_upstream
from bridge.cli.address import refuse_taken
from bridge.cli.demo_appointments import fill
from bridge.cli.serving import serve_until_interrupted
from bridge.config import Grant
from bridge.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bridge.bootstrap import Site
    from bridge.config import Listen

_USER = "demo"
_FOLDER = Path("calbridge-demo")
_CONFIG = Path("config/demo.yaml")
_PASSWORD = Path("data/demo-password")
_UPSTREAM = Path("data/demo-upstream")
_CONSONANTS, _VOWELS = "bdfghjklmnprstvz", "aeiou"
_WORDS, _SYLLABLES = 4, 2


@click.command()
@click.option(
    "--port", type=click.IntRange(1, 65535), help="Listen on this port of the loopback address  [default: 5232]"
)
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="Keep the demo's configuration and calendars here",
)
def demo(port: int | None, folder: Path | None) -> None:
    """Serve a made-up salon on this machine, with a user and a few weeks of appointments.

    A second calendar server, the upstream, runs beside it on port 5233; a rule keeps Anna's calendar the same on both.
    Prints the address for calendar programs, the user, the password, the feeds, and the same for the upstream; then
    serves until interrupted. The next time everything is the same.
    """
    config = _set_up(folder)
    listen = None if port is None else bootstrap.listen_address(f"127.0.0.1:{port}")
    server = bootstrap.read_configuration(config, listen=listen).server
    refuse_taken(server.listen)
    upstream_port = _upstream_port(server.listen.port)
    site = bootstrap.initialise(config, listen=listen)
    fill(site)
    lines = [*_lines(site, upstream_port), *_for_other_commands(config, server.listen, upstream_port)]
    site.database.close()
    with _upstream(site, config.parents[1] / _UPSTREAM, upstream_port):
        serve_until_interrupted(config, listen=str(server.listen), lines=lines)


def _upstream_port(taken: int) -> int:
    """Where the upstream is to listen; noted in the environment, where the configuration looks for it."""
    given = os.environ.get(demo_upstream.PORT_VARIABLE, "")
    usual = (int(given) if given.isascii() and given.isdecimal() else 0) or demo_upstream.USUAL_PORT
    port = demo_upstream.free_port(after=usual - 1, but=taken)
    os.environ[demo_upstream.PORT_VARIABLE] = str(port)
    return port


@contextmanager
def _upstream(site: Site, folder: Path, port: int) -> Iterator[None]:
    try:
        with demo_upstream.running_upstream(folder, port=port, user=_USER, password=_password(site)):
            yield
    except OSError as error:
        raise _unwritable(error) from error


def _set_up(folder: Path | None) -> Path:
    """The demo's configuration, written with its password where they are not there yet."""
    checkout = Path(bridge.__file__).parents[1]
    config = checkout / _CONFIG
    try:
        if folder is not None or not config.exists():
            config = (folder or _FOLDER) / _CONFIG
            if not config.exists():
                config.parent.mkdir(parents=True, exist_ok=True)
                config.write_bytes(_template(checkout))
        password = config.parents[1] / _PASSWORD
        if not password.exists():
            password.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(password, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w") as file:
                file.write(f"{make_password()}\n")
    except OSError as error:
        raise _unwritable(error) from error
    return config


def _unwritable(error: OSError) -> ConfigurationError:
    return ConfigurationError(
        f"The demo cannot write {error.filename} ({error.strerror}).",
        remedy="Name a folder of your own: `calbridge demo --folder DIR`.",
    )


def _template(checkout: Path) -> bytes:
    source = checkout / _CONFIG
    return source.read_bytes() if source.exists() else resources.files("bridge").joinpath(_CONFIG.name).read_bytes()


def make_password() -> str:
    """A password of 50 random bits that can be read out and typed."""

    def word() -> str:
        return "".join(secrets.choice(_CONSONANTS) + secrets.choice(_VOWELS) for _ in range(_SYLLABLES))

    return "-".join(word() for _ in range(_WORDS))


def _password(site: Site) -> str:
    password = site.configuration.user(_USER).password
    return password.get_secret_value() if password else ""


def _lines(site: Site, upstream_port: int) -> list[str]:
    configuration = site.configuration
    password = _password(site)
    writable = [
        f"{account}/{key}" for (account, key), grant in configuration.grants_of(_USER).items() if grant is Grant.WRITE
    ]
    # What the user can change is what they look for in the feed first.
    feeds = sorted(configuration.feeds, key=lambda name: str(configuration.feeds[name].of) != writable[0])
    return [
        f"caldav: {site.base_url()}/dav/",
        f"user: {_USER}",
        f"password: {password}",
        *(f"feed: {site.feed_url(name)}" for name in feeds),
        f"upstream: {demo_upstream.url(upstream_port)}",
        f"upstream user: {_USER}",
        f"upstream password: {password}",
    ]


def _for_other_commands(config: Path, listen: Listen, upstream_port: int) -> list[str]:
    """What to tell the shell in which other commands are typed, where they would look in another place."""
    elsewhere = []
    if listen != bootstrap.read_configuration(config).server.listen:
        elsewhere.append(f"{bootstrap.LISTEN_VARIABLE}={listen}")
    if upstream_port != demo_upstream.USUAL_PORT:
        elsewhere.append(f"{demo_upstream.PORT_VARIABLE}={upstream_port}")
    return [f"for other commands: export {' '.join(elsewhere)}"] if elsewhere else []
