"""The plugins for a Radicale that somebody runs already: `type = bridge.radicale_plugin` in [storage] and [rights]."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from bridge import config
from bridge.errors import ConfigurationError
from bridge.radicale_plugin import access, storage
from bridge.radicale_plugin.backing import Backing
from bridge.store.database import Database

if TYPE_CHECKING:
    from radicale.config import Configuration as RadicaleConfiguration

_OPTION = "calbridge_config"


class Storage(storage.Storage):
    """Our storage inside a stock Radicale: its auth, its request code, our store.

    PUT bodies are kept as Radicale re-writes them. Resources, users and grants come from our YAML file, which the
    option `calbridge_config` of Radicale's [storage] section (or the environment variable CALBRIDGE_CONFIG) names.

    Raises:
        ConfigurationError: Neither names a file, or the file is wrong.
        StoreError: The database is missing or of another version; `calbridge init` makes it.
    """

    def __init__(self, configuration: RadicaleConfiguration) -> None:
        super().__init__(configuration, backing=_backing(_path(configuration)))


class Rights(access.Rights):
    """The grants of our YAML file as Radicale's rights; the file is named as for `Storage`.

    Raises:
        ConfigurationError: Nothing names the file, or the file is wrong.
        StoreError: As `Storage` says.
    """

    def __init__(self, configuration: RadicaleConfiguration) -> None:
        super().__init__(configuration, backing=_backing(_path(configuration)))


def _path(configuration: RadicaleConfiguration) -> Path:
    named = configuration.get("storage", _OPTION) if _OPTION in configuration.options("storage") else ""
    path = named or os.environ.get("CALBRIDGE_CONFIG", "")
    if not path:
        raise ConfigurationError(
            "Radicale's configuration does not say where Calbridge's is.",
            remedy=f"Add `{_OPTION} = /path/to/bridge.yaml` to its [storage] section.",
        )
    return Path(path)


@lru_cache(maxsize=4)
def _backing(path: Path) -> Backing:
    # Radicale builds its plugins several times, and one connection pool is enough.
    loaded = config.load(path, environ=os.environ)
    database = Database(loaded.database.url, clock=lambda: datetime.now(UTC), connections=loaded.server.threads)
    database.check()
    return Backing(database, lambda: loaded)
