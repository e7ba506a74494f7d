"""The only place that wires: reads clock and environment, opens the store, and hands everything to the faces."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import threading
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog
from pydantic import TypeAdapter, ValidationError

from bridge import config
from bridge.config.values import ListenAddress
from bridge.core import ics
from bridge.errors import CalbridgeError, ConfigurationError, StoreError
from bridge.feed.url import FeedTokens
from bridge.feed.views import FeedView
from bridge.radicale_plugin.backing import Backing
from bridge.store import collection, feed_record, journal
from bridge.store.collection import Address, Kind
from bridge.store.database import Database
from bridge.store.pulse import Pulse
from bridge.store.sealed import KeyFile

if TYPE_CHECKING:
    from collections.abc import Callable
    from zoneinfo import ZoneInfo

    from bridge.config import Configuration, Listen
    from bridge.core.model import CalendarObject
    from bridge.wsgi import Front

_log = structlog.get_logger()

_LOOK_EVERY_SECONDS = 1.0
_REST_OF_THE_PULSE = timedelta(milliseconds=2)
_UPKEEP_EVERY = timedelta(days=1)
_CONFIG_VARIABLE = "CALBRIDGE_CONFIG"
_LISTEN_VARIABLE = "CALBRIDGE_LISTEN"
# Its own default writes to stdout, where a command's answer belongs.
_LOGS_OF_THE_WEB_SERVER = {
    "handlers": {
        "console": {"formatter": "generic", "class": "logging.StreamHandler", "stream": "ext://sys.stderr"},
        "access": {"formatter": "access", "class": "logging.StreamHandler", "stream": "ext://sys.stderr"},
    }
}
_LISTEN_ADDRESS: TypeAdapter[Listen] = TypeAdapter(ListenAddress)


def now() -> datetime:
    """The present instant, UTC."""
    return datetime.now(UTC)


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

    def zone(self, address: Address) -> ZoneInfo:
        """What floating times in the collection at `address` mean."""
        if address.kind is Kind.RESOURCE:
            return self.configuration.resource(str(address)).time_zone
        return Backing(self.database, lambda: self.configuration).personal(address.owner, address.key).zone

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

    def upkeep(self) -> None:
        """Forgets what is older than the configuration wants it kept: deletions and journal entries."""
        limits = self.configuration.limits
        with self.database.writing() as tx:
            collection.expire_tombstones(tx, tx.now - limits.keep_changes)
            journal.expire(tx, tx.now - limits.keep_journal)


def read_configuration(path: Path, *, listen: Listen | None = None) -> Configuration:
    """Reads the YAML file `path` with this process's environment.

    Args:
        path: The configuration file.
        listen: Where to take connections, in place of CALBRIDGE_LISTEN and `server.listen`.

    Raises:
        ConfigurationError: The file, or one that it names, is wrong.
    """
    configuration = config.load(path, environ=os.environ)
    given = os.environ.get(_LISTEN_VARIABLE)
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
    return Site(configuration, _open_store(configuration), KeyFile(configuration.secret_key_file))


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


def _open_store(configuration: Configuration) -> Database:
    return Database(configuration.database.url, clock=now, connections=configuration.server.threads + 4)


class _Live:
    """The configuration of the moment, taken up anew when a file that it depends on changes."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._seen = config.fingerprint(config.files(site.configuration))
        self._kept_up = now()

    def configuration(self) -> Configuration:
        return self._site.configuration

    def look(self) -> None:
        """Takes the configuration up anew where a file has changed; keeps the old one where the new one is wrong."""
        seen = config.fingerprint(config.files(self._site.configuration))
        if seen == self._seen:
            return
        self._seen = seen
        # Not at the top: the metrics must not be imported before PROMETHEUS_MULTIPROC_DIR is set.
        from bridge.web.metrics import RELOADS  # noqa: PLC0415

        try:
            fresh = read_configuration(self._site.configuration.path)
            site = Site(fresh, self._site.database, self._site.keys)
            site.ensure_collections()
        except CalbridgeError as error:
            RELOADS.labels("refused").inc()
            problems = error.problems if isinstance(error, ConfigurationError) else ()
            _log.error("configuration_refused", reason=str(error), problems=problems, kept="the one before")
            return
        self._site = site
        self._seen = config.fingerprint(config.files(fresh))
        RELOADS.labels("taken up").inc()
        _log.info("configuration_taken_up", file=str(fresh.path))

    def keep_up(self) -> None:
        if now() - self._kept_up < _UPKEEP_EVERY:
            return
        self._kept_up = now()
        try:
            self._site.upkeep()
        except StoreError as error:
            _log.warning("upkeep_failed", reason=str(error))


def application() -> Front:
    """The application of one worker process, for the configuration that CALBRIDGE_CONFIG names."""
    from bridge.radicale_plugin.hosting import application as dav_application  # noqa: PLC0415 -- see _Live.look
    from bridge.web.pages import pages  # noqa: PLC0415
    from bridge.wsgi import Front  # noqa: PLC0415

    # Ctrl-C reaches every process of a terminal. The first one alone answers it, and ends the workers by SIGTERM; two
    # signals at once would make a worker hang. Until the web server has its own way to end, SIGTERM ends it at once.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, {signal.SIGINT})
    log_to_stderr()
    site = open_site(Path(os.environ[_CONFIG_VARIABLE]))
    site.database.check()
    live = _Live(site)
    threading.Thread(target=_keep_looking, args=(live,), name="configuration", daemon=True).start()
    return Front(
        dav=dav_application(Backing(site.database, live.configuration)),
        feed=FeedView(
            site.database,
            # Alone it hears of its own writes at once; beside other workers it has to look each time.
            pulse=Pulse(
                site.database, rest=timedelta(0) if site.configuration.server.workers > 1 else _REST_OF_THE_PULSE
            ),
            configuration=live.configuration,
            tokens=site.tokens,
            clock=now,
        ),
        web=pages(site.database, configuration=live.configuration),
        configuration=live.configuration,
    )


def _keep_looking(live: _Live) -> None:
    pause = threading.Event()
    parent = os.getppid()
    while not pause.wait(_LOOK_EVERY_SECONDS):
        if os.getppid() != parent:
            # The main process was killed: whoever starts the server anew finds its port free.
            os.kill(os.getpid(), signal.SIGTERM)
            return
        live.look()
        live.keep_up()


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


def serve(path: Path, *, listen: Listen | None = None, started: Callable[[], None] | None = None) -> None:
    """Serves the installation that `path` configures, until SIGTERM or SIGINT; SIGHUP starts fresh workers.

    Args:
        path: The configuration file.
        listen: Where to take connections, in place of `server.listen`.
        started: Called once, in a thread of its own, when the workers have been started.

    Raises:
        ConfigurationError: The file, or one that it names, is wrong.
        StoreError: The database cannot be reached or brought up to date.
    """
    os.environ[_CONFIG_VARIABLE] = str(path.resolve())
    if listen is not None:
        # The workers read it again, as processes of their own.
        os.environ[_LISTEN_VARIABLE] = str(listen)
    site = open_site(path)
    server = site.configuration.server
    site.prepare()
    site.database.close()
    with tempfile.TemporaryDirectory(prefix="calbridge-metrics-") as folder:
        if server.workers > 1:
            os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
        _granian(site.configuration, path, started).serve()


def _granian(configuration: Configuration, path: Path, started: Callable[[], None] | None) -> Any:
    from granian import Granian  # noqa: PLC0415 -- only the serving process needs it
    from granian.constants import Interfaces  # noqa: PLC0415
    from granian.log import LogLevels  # noqa: PLC0415

    class Server(Granian):  # type: ignore[misc,valid-type,unused-ignore]
        def signal_handler_reload(self, *args: object, **kwargs: object) -> None:
            """Starts fresh workers, unless they could not read their configuration."""
            try:
                read_configuration(path)
            except ConfigurationError as error:
                _log.error("configuration_refused", reason=str(error), problems=error.problems, kept="the one before")
                return
            super().signal_handler_reload(*args, **kwargs)

        def _respawn_workers(self, *args: object, **kwargs: object) -> None:
            """Replaces workers that ended, unless they ended by the same Ctrl-C that ends the server."""
            if self.interrupt_signal:
                # The loop has just forgotten that it was woken for this.
                self.main_loop_interrupt.set()
                return
            super()._respawn_workers(*args, **kwargs)

        def shutdown(self, exit_code: int = 0) -> None:
            """Ends the workers; that one of them ended first by the same Ctrl-C is no failure."""
            try:
                super().shutdown(exit_code)
            except SystemExit:
                if not self.interrupt_signal:
                    raise

        def _spawn_workers(self, *args: object, **kwargs: object) -> None:
            # A signal that came to a worker before it can answer would be lost; `application` lets them through.
            before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
            super()._spawn_workers(*args, **kwargs)
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            if started is not None:
                # Not before: a process with threads is no good to fork.
                threading.Thread(target=started, name="started", daemon=True).start()

    server = configuration.server
    tls = server.tls
    return Server(
        "bridge.bootstrap:application",
        factory=True,
        interface=Interfaces.WSGI,
        address=server.listen.host,
        port=server.listen.port,
        workers=server.workers,
        blocking_threads=server.threads,
        websockets=False,
        log_level=LogLevels.error,
        log_dictconfig=_LOGS_OF_THE_WEB_SERVER,
        respawn_failed_workers=True,
        workers_kill_timeout=30,
        ssl_cert=tls.certificate if tls else None,
        ssl_key=tls.key if tls else None,
    )


def log_to_stderr() -> None:
    """Writes events with their fields to stderr: readable in a terminal, JSON elsewhere."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.dev.ConsoleRenderer() if sys.stderr.isatty() else structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
