"""The worker that keeps the rules, inside of the server or alone."""

from __future__ import annotations

import random
import signal
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import structlog

from bridge.bootstrap.live import Live
from bridge.bootstrap.logs import log_to_stderr
from bridge.bootstrap.site import now, open_site, owner_name
from bridge.bootstrap.upstreams import Connections
from bridge.sync.assigning import Office
from bridge.sync.worker import LEASE, Worker

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta, tzinfo
    from pathlib import Path

    from bridge.bootstrap.site import Site
    from bridge.config import Configuration
    from bridge.core.model import CalendarObject
    from bridge.sync.worker import Observation
    from bridge.upstream.protocol import Upstream

_log = structlog.get_logger()

_PASSES_AT_ONCE = 8
_LOOK_EVERY_SECONDS = 1.0


def office_of(site: Site, configuration: Callable[[], Configuration]) -> Office:
    """What assignments are made from.

    Args:
        site: The installation.
        configuration: Gives the configuration of the moment.
    """
    connections = Connections()

    def opened(key: str, parse: Callable[[bytes], CalendarObject], zone: tzinfo) -> Upstream:
        return connections.open(replace(site, configuration=configuration()), key, parse, zone)

    return Office(site.database, configuration, opened, now, connections.end, site.channels)


def worker_of(
    site: Site,
    configuration: Callable[[], Configuration],
    *,
    owner: str | None = None,
    lease: timedelta = LEASE,
    quiet: bool = False,
) -> Worker:
    """A worker that runs the rules that are due; not started yet.

    Args:
        site: The installation.
        configuration: Gives the configuration of the moment.
        owner: Names it among all workers; None: a fresh name.
        lease: For how long a rule is its own without a sign of life.
        quiet: Whether it logs nothing, as where somebody sits at a terminal and is told otherwise.
    """
    return Worker(
        office_of(site, configuration),
        owner=owner_name() if owner is None else owner,
        threads=_PASSES_AT_ONCE,
        jitter=random.random,
        observe=_observe,
        lease=lease,
        quiet=quiet,
    )


def _observe(seen: Observation) -> None:
    """Counts a pass."""
    # Not at the top: the metrics must not be imported before PROMETHEUS_MULTIPROC_DIR is set.
    from bridge.web import metrics  # noqa: PLC0415

    metrics.PASSES.labels(seen.error or "done").inc()
    metrics.PASS_SECONDS.observe(seen.seconds)
    if seen.report is not None:
        for move, count in seen.report.counts.items():
            metrics.MOVES.labels(str(move)).inc(count)


def work_alone(path: Path, *, lease: timedelta = LEASE) -> None:
    """Keeps the rules of the installation that `path` configures, until SIGTERM or SIGINT.

    Args:
        path: The configuration file.
        lease: For how long a rule is this worker's without a sign of life; another takes it over after that.

    Raises:
        ConfigurationError: The file, or one that it names, is wrong.
        StoreError: The database cannot be reached, or its tables have another form.
    """
    log_to_stderr()
    site = open_site(path)
    site.database.check()
    site.ensure_collections()
    site.declare_rules()
    end = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: end.set())
    live = Live(
        site, first=site.configuration, leads=True, clock=now, ask_for_fresh_workers=_say_restart, count=_ignore
    )
    worker = worker_of(site, live.configuration, lease=lease)
    worker.start()
    _log.info("working", rules=len(site.configuration.rules), database=site.configuration.database.shown)
    while not end.wait(_LOOK_EVERY_SECONDS):
        live.look()
    _log.info("stopping")
    worker.stop()
    site.database.close()
    _log.info("stopped")


def _say_restart() -> None:
    _log.warning("restart_needed", settings=("secret_key_file",))


def _ignore(_outcome: str) -> None:
    """The outcome of a reload is counted where there is a page that shows it."""
