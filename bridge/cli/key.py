"""`key`: the keys that seal secrets in the database, and from which feed addresses are worked out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from bridge.cli import screen
from bridge.cli.opening import opened
from bridge.cli.options import with_config, with_json
from bridge.store import sealed
from bridge.store.sealed import KeyFile

if TYPE_CHECKING:
    from pathlib import Path


@click.group()
def key() -> None:
    """The keys that seal secrets in the database."""


@key.command()
@with_config
@with_json
def rotate(config: Path, *, as_json: bool) -> None:
    """Put a new key on top of the key file, and seal every secret with it; feed addresses stay as they are.

    The older keys stay in the file: feed addresses come from the oldest, and secrets in backups need the others. A
    running server takes the new key up within seconds.
    """
    site = opened(config)
    path = site.configuration.secret_key_file
    KeyFile.rotate(path)
    with site.database.writing() as tx:
        count = sealed.reseal_all(tx, KeyFile(path))
    if as_json:
        screen.document({"key_file": str(path), "sealed_anew": count})
        return
    screen.say(f"{path} has a new key on top; {screen.plural(count, 'secret')} sealed with it.")
    screen.say("Put the new key file into your backup.")
