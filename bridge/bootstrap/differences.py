"""What a changed configuration asks of a running server: nothing, fresh workers, or a restart."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge import config

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from bridge.config import Configuration

_BY_RESTART: Mapping[str, Callable[[Configuration], object]] = {
    "server.listen": lambda it: it.server.listen,
    "server.workers": lambda it: it.server.workers,
    "server.sync": lambda it: it.server.sync,
    "database": lambda it: it.database,
}
# Radicale and the web server read these once, when a worker starts.
_BY_FRESH_WORKERS: Mapping[str, Callable[[Configuration], object]] = {
    "server.threads": lambda it: it.server.threads,
    "server.tls": lambda it: it.server.tls,
    "secret_key_file": lambda it: it.secret_key_file,
    "limits.max_object": lambda it: it.limits.max_object,
    "limits.max_body": lambda it: it.limits.max_body,
    "limits.max_instances": lambda it: it.limits.max_instances,
    "auth": lambda it: it.auth,
}


def needs_restart(running: Configuration, wanted: Configuration) -> tuple[str, ...]:
    """The settings that differ and that only a restart takes up."""
    return _differing(_BY_RESTART, running, wanted)


def needs_fresh_workers(running: Configuration, wanted: Configuration) -> tuple[str, ...]:
    """The settings that differ and that the next workers take up."""
    return _differing(_BY_FRESH_WORKERS, running, wanted)


def read_by_workers(configuration: Configuration) -> tuple[Path, ...]:
    """The files whose content a worker reads once, when it starts: the keys and the certificate."""
    tls = configuration.server.tls
    return (configuration.secret_key_file, *((tls.certificate, tls.key) if tls else ()))


def state_of(configuration: Configuration) -> dict[str, object]:
    """A value that differs as soon as one of the files that `configuration` depends on is changed or replaced."""
    return dict(config.fingerprint(config.files(configuration)))


def _differing(
    settings: Mapping[str, Callable[[Configuration], object]], running: Configuration, wanted: Configuration
) -> tuple[str, ...]:
    return tuple(name for name, value in settings.items() if value(running) != value(wanted))
