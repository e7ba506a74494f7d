"""A path in the file counts from the folder of the file, and the database is one of two kinds."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

from pydantic import PlainValidator, ValidationInfo, WithJsonSchema

from bridge.config.values import BY_ENVIRONMENT
from bridge.config.words import nearest, refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

_DATABASE = "sqlite:///FILE, or postgresql://USER:PASSWORD@HOST:PORT/NAME"


class Dialect(StrEnum):
    """The kinds of database that the store speaks to."""

    SQLITE = "sqlite"
    POSTGRESQL = "postgresql"


@dataclass(frozen=True, slots=True)
class Database:
    """The address of the database.

    Attributes:
        dialect: The kind of database.
        url: The address as SQLAlchemy takes it, with the password; never shown.
        shown: The address as a person may see it.
        file: The database file; None on PostgreSQL.
    """

    dialect: Dialect
    url: str = field(repr=False)
    shown: str
    file: Path | None = None

    @classmethod
    def embedded(cls, file: Path = Path("data/calbridge.sqlite3")) -> Database:
        """A SQLite database in `file`."""
        url = f"sqlite:///{file}"
        return cls(Dialect.SQLITE, url, url, file)


def in_folder(text: str | Path, folder: Path) -> Path:
    """The path that `text` names, counted from `folder`.

    It is not resolved: an orchestrator renews a secret by turning a symbolic link, and the link must be followed anew.
    """
    return folder / text


def is_path(text: object) -> bool:
    """Whether `text` can be the name of a file."""
    return isinstance(text, str) and 0 < len(text) <= 4096 and text.isprintable() and text.strip() == text  # noqa: PLR2004


def folder_of(info: ValidationInfo) -> Path:
    """The folder of the configuration file that is being read; relative paths count from it."""
    context: Mapping[str, Path] = info.context or {}
    return context.get("folder", Path())


def _file_path(value: object, info: ValidationInfo) -> Path:
    if isinstance(value, Path):
        return in_folder(value, folder_of(info))
    if not isinstance(value, str) or not is_path(value):
        raise refusal("the path of a file")
    return in_folder(value, folder_of(info))


def _database(value: object, info: ValidationInfo) -> Database:
    if isinstance(value, Database):
        return Database.embedded(in_folder(value.file, folder_of(info))) if value.file else value
    if not isinstance(value, str):
        raise refusal(_DATABASE)
    scheme, mark, rest = value.partition("://")
    if scheme in {"postgresql", "postgresql+psycopg"} and mark:
        return _postgresql(rest)
    if scheme != "sqlite" or not mark:
        meant = {"postgres": "postgresql", "sqlite3": "sqlite"}.get(scheme) or nearest(scheme, tuple(Dialect))
        raise refusal(_DATABASE, suggestion=f"{meant}://…" if meant else "")
    name = rest.removeprefix("/")
    if not rest.startswith("/") or not is_path(name) or name == ":memory:" or "?" in name or name.endswith("/"):
        # A database in memory would lose every appointment when the server stops.
        suggestion = f"sqlite:///{rest}" if re.fullmatch(r"[\w.-]+(/[\w.-]+)*", rest) else ""
        raise refusal("sqlite:///FILE, with a file on disk", suggestion=suggestion)
    return Database.embedded(in_folder(name, folder_of(info)))


def _postgresql(rest: str) -> Database:
    url = f"postgresql+psycopg://{rest}"
    try:
        parts = urlsplit(url)
        complete = parts.path.strip("/") != "" and (parts.port is None or parts.port > 0)
    except ValueError:
        complete = False
    if not complete or not rest.isprintable() or " " in rest or "#" in rest:
        raise refusal("postgresql://USER:PASSWORD@HOST:PORT/NAME, with special characters of the password as %XX")
    return Database(Dialect.POSTGRESQL, url, f"postgresql://{without_password(rest)}")


def without_password(address: str) -> str:
    """`address` with the password before its last @ hidden, and without its query, which may hold one too."""
    bare, query, _ = address.partition("?")
    before, mark, rest = bare.rpartition("://")
    user, at, host = rest.rpartition("@")
    name, colon, _ = user.partition(":")
    return f"{before}{mark}{name}{':…' if colon else ''}{at}{host}{'?…' if query else ''}"


FilePath = Annotated[Path, PlainValidator(_file_path), WithJsonSchema({"type": "string", "minLength": 1})]
DatabaseUrl = Annotated[
    Database,
    PlainValidator(_database),
    WithJsonSchema({"type": "string", "pattern": f"^(sqlite:///|postgresql://|.*{BY_ENVIRONMENT})"}),
]
