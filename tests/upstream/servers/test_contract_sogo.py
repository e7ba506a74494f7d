"""The contract of upstreams, kept by the CalDAV adapter with SOGo."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.contracts import upstream_faults, upstream_reading, upstream_writing
from tests.upstream.servers.differences import SOGO
from tests.upstream.servers.sogo import SETTINGS, sogo

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.contracts.upstream import Known
    from tests.upstream.servers.caldav_server import CalDAVServer

pytestmark = [
    pytest.mark.skipif(
        SETTINGS.exists() and not os.access(SETTINGS, os.R_OK),
        reason=f"SOGo wants to read {SETTINGS}, which only root and its group may",
    ),
    pytest.mark.debian("sogod", "sogo"),
    pytest.mark.debian("memcached", "memcached"),
    pytest.mark.debian("psql", "postgresql-client"),
]


@pytest.fixture(scope="module")
def server() -> Iterator[CalDAVServer]:
    with sogo() as running:
        yield running


@pytest.fixture
def known() -> Known:
    return SOGO


class TestReading(upstream_reading.ReadingContract):
    pass


class TestWriting(upstream_writing.WritingContract):
    pass


class TestFaults(upstream_faults.WriteFaultContract):
    pass
