"""`worker`: keeps the rules without serving anything."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from bridge import bootstrap
from bridge.cli.options import with_config

if TYPE_CHECKING:
    from pathlib import Path


@click.command()
@with_config
def worker(config: Path) -> None:
    """Keep the rules until interrupted, beside a server or without one.

    Any number of workers may share one PostgreSQL: each rule is run by one of them at a time.
    """
    bootstrap.work_alone(config)
