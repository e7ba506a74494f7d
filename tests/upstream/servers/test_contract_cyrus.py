"""The contract of upstreams, kept by the CalDAV adapter with Cyrus."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.contracts import upstream_faults, upstream_reading, upstream_writing
from tests.upstream.servers.cyrus import cyrus
from tests.upstream.servers.differences import CYRUS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.contracts.upstream import Known
    from tests.upstream.servers.caldav_server import CalDAVServer

pytestmark = [
    pytest.mark.skipif(os.getuid() != 0, reason="Cyrus works under its own system account, to which only root changes"),
    pytest.mark.debian("cyrus", "cyrus-caldav"),
    pytest.mark.debian("saslpasswd2", "sasl2-bin"),
]


@pytest.fixture(scope="module")
def server() -> Iterator[CalDAVServer]:
    with cyrus() as running:
        yield running


@pytest.fixture
def known() -> Known:
    return CYRUS


class TestReading(upstream_reading.ReadingContract):
    pass


class TestWriting(upstream_writing.WritingContract):
    pass


class TestFaults(upstream_faults.WriteFaultContract):
    pass
