"""Where the socket of a test's PostgreSQL lies, for programs that want a folder and no address."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from tests.postgresql import PostgreSQL


def socket_folder(database: PostgreSQL) -> Path:
    """The folder that holds the socket."""
    return Path(parse_qs(urlsplit(database.url("postgres")).query)["host"][0])
