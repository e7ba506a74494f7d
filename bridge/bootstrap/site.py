"""An installation: its configuration, its store and its keys, opened or made from one YAML file."""

from __future__ import annotations

import os
import secrets
import socket
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import uuid4

from pydantic import TypeAdapter, ValidationError

from bridge import config
from bridge.config.values import ListenAddress
from bridge.core import ics
from bridge.core.channels import Channels
from bridge.errors import ConfigurationError
from bridge.feed.url import FeedTokens
from bridge.store import collection, feed_record, journal
from bridge.store import conflict as conflicts
from bridge.store import held as holds
from bridge.store import run as runs
from bridge.store import watch as watches
from bridge.store.collection import Address, Kind
from bridge.store.database import Database
from bridge.store.sealed import KeyFile
from bridge.sync.declaring import declare

if TYPE_CHECKING:
    from pathlib import Path
    from zoneinfo import ZoneInfo

    from bridge.config import Configuration, Listen
    from bridge.core.model import CalendarObject

LISTEN_VARIABLE = "CALBRIDGE_LISTEN"
"""Names in the environment where to take connections, in place of `server.listen`."""

_LISTEN_ADDRESS: TypeAdapter[Listen] = TypeAdapter(ListenAddress)


def now() -> datetime:
    """The present instant, UTC."""
    return datetime.now(UTC)


def owner_name() -> str:
    """Names this process, or a part of it, among all that take leases or claims; differs with each call."""
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"


@dataclass(frozen=True)
class Site:
    """An installation: its configuration, its store and its keys.

    Attributes:
        configuration: As it was when the site was opened.
        database: The store.
        keys: Of the key file.
    """

    configuration: Configuration
    database: Database
    keys: KeyFile

    @property
    def tokens(self) -> FeedTokens:
        """Makes and checks the tokens of feed URLs."""
        return FeedTokens(self.keys.derive("feed"))

    @property
    def channels(self) -> Channels:
        """Names the watches at upstreams, and proves what they send."""
        return Channels(self.keys.derive("watch"), lambda: uuid4().hex)

    def zone(self, address: Address) -> ZoneInfo:
        """What floating times in the collection at `address` mean."""
        if address.kind is Kind.RESOURCE:
            return self.configuration.resource(str(address)).time_zone
        return self.configuration.usual_zone

    def parse(self, raw: bytes, address: Address) -> CalendarObject:
        """Reads the bytes of one object as it is meant in the collection at `address`.

        Raises:
            ObjectRefused: As `bridge.core.ics.parse` says.
        """
        return ics.parse(raw, zone=self.zone(address), max_instances=self.configuration.limits.max_instances)

    def base_url(self) -> str:
        """The address of the server for people: `server.public_url`, else where it listens."""
        server = self.configuration.server
        if server.public_url:
            return str(server.public_url).rstrip("/")
        scheme = "https" if server.tls else "http"
        return f"{scheme}://{server.listen}{server.path_prefix}"

    def feed_url(self, name: str) -> str:
        """The secret address of a feed.

        Raises:
            NotFound: There is no feed of this name.
        """
        self.configuration.feed(name)
        with self.database.reading() as tx:
            generation = feed_record.generations(tx).get(name, 0)
        return self.base_url() + self.tokens.path(name, generation)

    def prepare(self) -> None:
        """Brings the tables up to date, and makes the collections of resources that are new in the configuration."""
        self.database.migrate()
        self.ensure_collections()
        self.declare_rules()

    def ensure_collections(self) -> None:
        """Makes the collections of resources that are new in the configuration."""
        with self.database.reading() as tx:
            missing = [
                address
                for account, key, _ in self.configuration.resources()
                if collection.find(tx, address := Address(Kind.RESOURCE, account, key)) is None
            ]
        if missing:
            with self.database.writing() as tx:
                for address in missing:
                    collection.ensure(tx, address)

    def declare_rules(self) -> None:
        """Makes the rules of the configuration known to the store; those that have left it are left over."""
        declare(self.database, self.configuration, secret=self.keys.derive("origin"))

    def upkeep(self) -> None:
        """Forgets what is older than the configuration wants it kept, and the watches that have ended."""
        limits = self.configuration.limits
        with self.database.writing() as tx:
            collection.expire_tombstones(tx, tx.now - limits.keep_changes)
            journal.expire(tx, tx.now - limits.keep_journal)
            runs.expire(tx, tx.now - limits.keep_runs)
            holds.expire(tx, tx.now - limits.keep_runs)
            conflicts.expire(tx, tx.now - limits.keep_journal)
            watches.expire(tx)


def read_configuration(path: Path, *, listen: Listen | None = None) -> Configuration:
    """Reads the YAML file `path` with this process's environment.

    Args:
        path: The configuration file.
        listen: Where to take connections, in place of CALBRIDGE_LISTEN and `server.listen`.

    Raises:
        ConfigurationError: The file, or one that it names, is wrong.
    """
    configuration = config.load(path, environ=os.environ)
    given = os.environ.get(LISTEN_VARIABLE)
    if given and listen is None:
        listen = listen_address(given)
    if listen is None:
        return configuration
    server = configuration.server.model_copy(update={"listen": listen})
    return configuration.model_copy(update={"server": server})


def open_site(path: Path, *, listen: Listen | None = None) -> Site:
    """Opens the installation that the YAML file `path` configures.

    Args:
        path: The configuration file.
        listen: Where to take connections, in place of `server.listen`.

    Raises:
        ConfigurationError: The file, or one that it names, is wrong.
    """
    configuration = read_configuration(path, listen=listen)
    return Site(configuration, open_store(configuration), KeyFile(configuration.secret_key_file))


def initialise(path: Path, *, listen: Listen | None = None) -> Site:
    """Makes what the installation needs and lacks: the key file, the folder of the database, the tables.

    Args:
        path: The configuration file.
        listen: Where to take connections, in place of `server.listen`.

    Raises:
        ConfigurationError: The file, or one that it names, is wrong.
        StoreError: The database cannot be made.
    """
    configuration = read_configuration(path, listen=listen)
    try:
        if not configuration.secret_key_file.exists():
            KeyFile.make(configuration.secret_key_file)
        if configuration.database.file is not None:
            configuration.database.file.parent.mkdir(parents=True, exist_ok=True)
            # Appointments are nobody else's business; SQLite gives its other files the same rights.
            configuration.database.file.touch(mode=0o600)
    except OSError as error:
        raise ConfigurationError(
            f"{error.filename} cannot be made ({error.strerror}).",
            remedy="Let this user write there, or name another place in the configuration.",
        ) from error
    site = open_site(path, listen=listen)
    site.prepare()
    return site


def open_store(configuration: Configuration) -> Database:
    """The database of `configuration`; no connection is made yet."""
    return Database(configuration.database.url, clock=now, connections=configuration.server.threads + 4)


def listen_address(text: str) -> Listen:
    """Reads `HOST:PORT`, such as `127.0.0.1:5232` or `[::1]:5232`.

    Raises:
        ConfigurationError: It is something else.
    """
    try:
        return _LISTEN_ADDRESS.validate_python(text)
    except ValidationError:
        raise ConfigurationError(
            f"{text!r} is no address to listen on.", remedy="Write HOST:PORT, such as 127.0.0.1:5232 or [::1]:5232."
        ) from None
