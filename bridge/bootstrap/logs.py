"""Logs are events with fields, on stderr."""

from __future__ import annotations

import logging
import sys

import structlog

# The web server's own default writes to stdout, where a command's answer belongs.
OF_THE_WEB_SERVER = {
    "handlers": {
        "console": {"formatter": "generic", "class": "logging.StreamHandler", "stream": "ext://sys.stderr"},
        "access": {"formatter": "access", "class": "logging.StreamHandler", "stream": "ext://sys.stderr"},
    }
}
"""Where granian writes, as `logging.config` takes it; it says only what went wrong."""


def log_to_stderr() -> None:
    """Writes events with their fields to stderr: readable in a terminal, JSON elsewhere.

    What urllib3 logs goes nowhere: it names the URLs that are asked, and those of feeds are secret.
    """
    asking = logging.getLogger("urllib3")
    asking.addHandler(logging.NullHandler())
    asking.propagate = False
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.dev.ConsoleRenderer() if sys.stderr.isatty() else structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
