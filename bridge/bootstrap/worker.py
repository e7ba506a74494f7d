"""One worker process: the faces over one store, and a thread that looks for changes once a second."""

from __future__ import annotations

import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from multiprocessing.util import Finalize
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from bridge.bootstrap.live import Live
from bridge.bootstrap.logs import log_to_stderr
from bridge.bootstrap.site import Site, now, open_site, open_store
from bridge.bootstrap.syncing import worker_of
from bridge.feed.views import FeedView
from bridge.radicale_plugin.backing import Backing
from bridge.store.pulse import Pulse

if TYPE_CHECKING:
    from collections.abc import Callable

    from bridge.config import Configuration
    from bridge.store.sealed import KeyFile
    from bridge.wsgi import Front

_log = structlog.get_logger()

CONFIG_VARIABLE = "CALBRIDGE_CONFIG"
_LOOK_EVERY_SECONDS = 1.0
_REST = timedelta(milliseconds=2)
# The web server hands the environment of the process to each request, where these would mean something else.
_CGI_VARIABLES = ("AUTH_TYPE", "CONTENT_LENGTH", "CONTENT_TYPE", "HTTPS", "REMOTE_HOST", "REMOTE_IDENT", "REMOTE_USER")


@dataclass(frozen=True, slots=True)
class Start:
    """What a worker starts with; it reads no file that might be wrong at that moment.

    Attributes:
        configuration: The last one that was right.
        first: The one with which the server started.
        keys: Of the key file.
        leads: Whether this worker speaks for all of them.
    """

    configuration: Configuration
    first: Configuration
    keys: KeyFile
    leads: bool


def application() -> Front:
    """The application for any other WSGI server, for the configuration that CALBRIDGE_CONFIG names.

    Raises:
        ConfigurationError: The file, or one that it names, is wrong.
        StoreError: The database cannot be reached, or its tables have another form.
    """
    log_to_stderr()
    site = open_site(Path(os.environ[CONFIG_VARIABLE]))
    site.database.check()
    return _faces(site, _live(site, first=site.configuration, leads=True, ask_for_fresh_workers=lambda: None))


def work(start: Start) -> Front:
    """The application of a worker process of our own server."""
    # Ctrl-C reaches every process of a terminal. The first one alone answers it, and ends the workers by SIGTERM; two
    # signals at once would make a worker hang. Until the web server has its own way to end, SIGTERM ends it at once.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_SETMASK, {signal.SIGINT})
    for name in _CGI_VARIABLES:
        os.environ.pop(name, None)
    log_to_stderr()
    parent = os.getppid()
    # A change of the database needs a restart: two workers must never write to two.
    site = Site(start.configuration, open_store(start.first), start.keys)
    live = _live(
        site,
        first=start.first,
        leads=start.leads,
        ask_for_fresh_workers=lambda: os.kill(parent, signal.SIGHUP),
    )

    def end_when_left_alone() -> None:
        # The main process was killed: whoever starts the server anew finds its port free.
        if os.getppid() != parent:
            os.kill(os.getpid(), signal.SIGTERM)

    upkeep = keep_doing(end_when_left_alone, live.look, live.keep_up, every=_LOOK_EVERY_SECONDS)
    # A child of multiprocessing ends without running what is registered with atexit.
    Finalize(None, upkeep.set, exitpriority=1)
    if start.leads and start.first.server.sync:
        _keep_rules(site, live)
    return _faces(site, live)


def _keep_rules(site: Site, live: Live) -> None:
    """Runs the rules beside the answers to requests, and lets passes end well before the process does."""
    worker = worker_of(site, live.configuration)
    worker.start()
    Finalize(None, worker.stop, exitpriority=0)


def keep_doing(*steps: Callable[[], None], every: float) -> threading.Event:
    """Does each step again and again in a thread of its own, until the event that it gives is set.

    A step that fails does not end the others, nor itself: why it failed is logged, once until it fails otherwise.

    Args:
        steps: What is done.
        every: Seconds between two rounds.
    """
    end = threading.Event()
    failures: dict[int, str] = {}

    def rounds() -> None:
        # A future holds whatever its step raised, so that nothing can end this thread without a word.
        with ThreadPoolExecutor(1, thread_name_prefix="upkeep") as one_by_one:
            while not end.wait(every):
                for number, step in enumerate(steps):
                    error = one_by_one.submit(step).exception()
                    reason = "" if error is None else repr(error)
                    if reason and failures.get(number) != reason:
                        _log.error("step_failed", step=step.__name__, exc_info=error)
                    failures[number] = reason

    threading.Thread(target=rounds, name="upkeep", daemon=True).start()
    return end


def _live(site: Site, *, first: Configuration, leads: bool, ask_for_fresh_workers: Callable[[], None]) -> Live:
    # Not at the top: the metrics must not be imported before PROMETHEUS_MULTIPROC_DIR is set.
    from bridge.web.metrics import RELOADS  # noqa: PLC0415

    return Live(
        site,
        first=first,
        leads=leads,
        clock=now,
        ask_for_fresh_workers=ask_for_fresh_workers,
        count=lambda outcome: RELOADS.labels(outcome).inc(),
    )


def _faces(site: Site, live: Live) -> Front:
    from bridge.radicale_plugin.hosting import application as dav_application  # noqa: PLC0415 -- see _live
    from bridge.web.hooks import hooks  # noqa: PLC0415
    from bridge.web.pages import pages  # noqa: PLC0415
    from bridge.wsgi import Front  # noqa: PLC0415

    web = pages(site.database, configuration=live.configuration)
    web.register_blueprint(hooks(site.database, channels=site.channels))
    return Front(
        dav=dav_application(Backing(site.database, live.configuration)),
        feed=FeedView(
            site.database,
            # A worker alone hears of its own writes at once; beside others it has to look each time.
            pulse=Pulse(site.database, rest=_REST if site.configuration.server.workers == 1 else timedelta(0)),
            configuration=live.configuration,
            tokens=site.tokens,
            clock=now,
        ),
        web=web,
        configuration=live.configuration,
    )
