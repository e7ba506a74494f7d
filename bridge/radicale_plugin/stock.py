"""The storage for a Radicale that somebody runs already: `[storage] type = bridge.radicale_plugin`."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from bridge import config
from bridge.errors import ConfigurationError
from bridge.radicale_plugin import storage
from bridge.radicale_plugin.backing import Backing
from bridge.store.database import Database

if TYPE_CHECKING:
    from radicale.config import Configuration as RadicaleConfiguration


class Storage(storage.Storage):
    """Our storage inside a stock Radicale: its auth and rights, its request code, our store.

    PUT bodies are kept as Radicale re-writes them. Resources, users and grants come from our YAML file, which the
    option `calbridge_config` of Radicale's `[storage]` section (or the environment variable CALBRIDGE_CONFIG) names.

    Raises:
        ConfigurationError: Neither names a file, or the file is wrong.
        StoreError: The database is missing or of another version; `calbridge init` makes it.
    """

    def __init__(self, configuration: RadicaleConfiguration) -> None:
        path = configuration.get("storage", "calbridge_config") if _has_option(configuration) else ""
        path = path or os.environ.get("CALBRIDGE_CONFIG", "")
        if not path:
            raise ConfigurationError(
                "Radicale's configuration does not say where Calbridge's is.",
                remedy="Add `calbridge_config = /path/to/bridge.yaml` to its [storage] section.",
            )
        super().__init__(configuration, backing=_backing(Path(path)))


def _has_option(configuration: RadicaleConfiguration) -> bool:
    return "calbridge_config" in configuration.options("storage")


@lru_cache(maxsize=4)
def _backing(path: Path) -> Backing:
    # Radicale builds its storage twice, and one connection pool is enough.
    loaded = config.load(path, environ=os.environ)
    database = Database(loaded.database.url, clock=lambda: datetime.now(UTC), connections=loaded.server.threads)
    database.check()
    return Backing(database, lambda: loaded)
