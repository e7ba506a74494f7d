"""`serve` opens the installation once, so that every fault is said before the first connection, then serves it."""

from __future__ import annotations

import os
import ssl
import tempfile
from typing import TYPE_CHECKING

import structlog

from bridge.bootstrap.logs import log_to_stderr
from bridge.bootstrap.site import LISTEN_VARIABLE, open_site, read_configuration
from bridge.errors import ConfigurationError
from bridge.store.sealed import KeyFile

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bridge.config import Configuration, Listen

_log = structlog.get_logger()

_METRICS_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"


def serve(path: Path, *, listen: Listen | None = None, started: Callable[[], None] | None = None) -> None:
    """Serves the installation that `path` configures, until SIGTERM or SIGINT; SIGHUP starts fresh workers.

    Args:
        path: The configuration file.
        listen: Where to take connections, in place of `server.listen`.
        started: Called once, in a thread of its own, when the server takes connections.

    Raises:
        ConfigurationError: The file, or one that it names, is wrong.
        StoreError: The database cannot be reached or brought up to date.
    """
    # Only the serving process needs the web server.
    from bridge.bootstrap.supervisor import Supervisor  # noqa: PLC0415

    log_to_stderr()
    if listen is not None:
        # A reload reads the file again, and must not bring the address of the file back.
        os.environ[LISTEN_VARIABLE] = str(listen)
    site = open_site(path)
    check_certificate(site.configuration)
    site.prepare()
    site.database.close()
    for warning in site.configuration.warnings:
        _log.warning("configuration_warning", sentence=warning)
    with tempfile.TemporaryDirectory(prefix="calbridge-metrics-") as folder:
        os.environ.pop(_METRICS_VARIABLE, None)
        if site.configuration.server.workers > 1:
            os.environ[_METRICS_VARIABLE] = folder
        Supervisor(site.configuration, site.keys, started=started).serve()
    _log.info("stopped")


def read_for_workers(path: Path) -> tuple[Configuration, KeyFile]:
    """Reads everything that fresh workers start with.

    Raises:
        ConfigurationError: The file, or one that it names, is wrong.
    """
    configuration = read_configuration(path.absolute())
    check_certificate(configuration)
    return configuration, KeyFile(configuration.secret_key_file)


def check_certificate(configuration: Configuration) -> None:
    """Passes where the certificate and its key can be served, or where there are none.

    Raises:
        ConfigurationError: They do not belong together, or are no certificate and no key.
    """
    tls = configuration.server.tls
    if tls is None:
        return
    asked: list[Path] = []

    def no_password() -> bytes:
        # Without an answer, OpenSSL would wait for one at a terminal where nobody sits.
        asked.append(tls.key)
        return b""

    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(tls.certificate, tls.key, password=no_password)
    except (OSError, ValueError) as error:
        if asked:
            sentence = f"{tls.key} is locked with a password."
        elif getattr(error, "reason", "") == "KEY_VALUES_MISMATCH":
            sentence = f"{tls.key} is not the key of the certificate {tls.certificate}."
        else:
            sentence = f"{tls.certificate} and {tls.key} cannot be read as a certificate and its key."
        raise ConfigurationError(
            f"server.tls: {sentence}", remedy="Name a certificate with its chain, and its own private key, as PEM."
        ) from error
