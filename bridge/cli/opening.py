"""A command opens the installation once, checks that its database can be used, and closes it at its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from bridge import bootstrap
from bridge.errors import StoreError

if TYPE_CHECKING:
    from pathlib import Path

    from bridge.bootstrap import Site


def opened(config: Path) -> Site:
    """The installation that the file `config` configures.

    Raises:
        ConfigurationError: The file, or one that it names, is wrong.
        StoreError: The database is not there, cannot be reached, or has another form than this version needs.
    """
    site = bootstrap.open_site(config)
    click.get_current_context().call_on_close(site.database.close)
    file = site.configuration.database.file
    if file is not None and not file.exists():
        raise StoreError(f"There is no database at {file} yet.", remedy="`calbridge init` makes it.")
    site.database.check()
    return site
