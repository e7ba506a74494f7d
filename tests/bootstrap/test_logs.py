from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import structlog

from bridge.bootstrap.logs import log_to_stderr

if TYPE_CHECKING:
    import pytest


def test_the_addresses_that_are_asked_are_not_logged(capsys: pytest.CaptureFixture[str]) -> None:
    asking = logging.getLogger("urllib3")
    try:
        log_to_stderr()
        logging.getLogger("urllib3.connection").warning("Failed to parse headers (url=%s)", "https://a.org/secret")
        assert "secret" not in capsys.readouterr().err
    finally:
        structlog.reset_defaults()
        asking.propagate = True
        asking.handlers.clear()
