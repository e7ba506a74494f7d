"""The configuration of the moment: taken up anew when a file changes, kept as it was when the new one is wrong."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from bridge.bootstrap.differences import needs_fresh_workers, needs_restart, read_by_workers, state_of
from bridge.bootstrap.site import read_configuration
from bridge.errors import ConfigurationError, StoreError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from bridge.bootstrap.site import Site
    from bridge.config import Configuration

_log = structlog.get_logger()

UPKEEP_EVERY = timedelta(days=1)
AGAIN_AFTER = timedelta(seconds=10)
"""After which a configuration that was refused is read again: a file that it names may have been missing."""


class Live:
    """The configuration of one worker process.

    All workers of a server look at the same files. One of them leads: it alone says what happened, counts it, keeps
    the database up, and asks for fresh workers.

    Args:
        site: As the worker opened it.
        first: The configuration with which the server started: its address, its workers and its database.
        leads: Whether this is the worker that leads.
        clock: Gives the present instant, UTC.
        ask_for_fresh_workers: Called when a setting changed that only a worker's start takes up.
        count: Called with "taken up" or "refused" for each change of the file.
    """

    def __init__(
        self,
        site: Site,
        *,
        first: Configuration,
        leads: bool,
        clock: Callable[[], datetime],
        ask_for_fresh_workers: Callable[[], None],
        count: Callable[[str], None],
    ) -> None:
        self._site = site
        self._first = first
        self._leads = leads
        self._clock = clock
        self._ask_for_fresh_workers = ask_for_fresh_workers
        self._count = count
        self._started_with = site.configuration
        self._seen = state_of(site.configuration)
        self._of_workers = self._state_for_workers(site.configuration)
        self._refused_at: datetime | None = None
        self._said: object = None
        self._kept_up = clock()

    def configuration(self) -> Configuration:
        """The configuration of the moment."""
        return self._site.configuration

    def look(self) -> None:
        """Takes the configuration up anew where a file has changed; keeps the old one where the new one is wrong."""
        seen = state_of(self._site.configuration)
        waits = self._refused_at is not None and self._clock() - self._refused_at < AGAIN_AFTER
        if seen == self._seen and (self._refused_at is None or waits):
            return
        is_new = seen != self._seen
        self._seen = seen
        # Whatever goes wrong from here on, it is tried again.
        self._refused_at = self._clock()
        try:
            fresh = read_configuration(self._site.configuration.path)
            site = replace(self._site, configuration=fresh)
            if self._leads:
                site.ensure_collections()
                site.declare_rules()
        except (ConfigurationError, StoreError) as error:
            self._refuse(error, is_new=is_new)
            return
        self._refused_at = None
        self._site = site
        # What changed while it was read is seen at the next look.
        self._seen = {**state_of(fresh), **{file: state for file, state in seen.items() if file in state_of(fresh)}}
        self._take_up(fresh)

    def keep_up(self) -> None:
        """Forgets once a day what is older than the configuration wants it kept."""
        if not self._leads or self._clock() - self._kept_up < UPKEEP_EVERY:
            return
        self._kept_up = self._clock()
        try:
            self._site.upkeep()
        except StoreError as error:
            _log.warning("upkeep_failed", reason=str(error))

    def _refuse(self, error: ConfigurationError | StoreError, *, is_new: bool) -> None:
        problems = error.problems if isinstance(error, ConfigurationError) else ()
        reason = (str(error), problems)
        if not self._leads or (reason == self._said and not is_new):
            return
        self._said = reason
        self._count("refused")
        _log.error("configuration_refused", reason=str(error), problems=problems, kept="the one before")

    def _take_up(self, fresh: Configuration) -> None:
        if not self._leads:
            return
        self._said = None
        self._count("taken up")
        _log.info("configuration_taken_up", file=str(fresh.path), warnings=fresh.warnings)
        restart = needs_restart(self._first, fresh)
        if restart:
            _log.warning("restart_needed", settings=restart)
        of_workers = self._state_for_workers(fresh)
        if of_workers != self._of_workers or needs_fresh_workers(self._started_with, fresh):
            self._of_workers = of_workers
            self._started_with = fresh
            self._ask_for_fresh_workers()

    def _state_for_workers(self, configuration: Configuration) -> dict[str, object]:
        files = {str(file) for file in read_by_workers(configuration)}
        return {file: state for file, state in state_of(configuration).items() if file in files}
