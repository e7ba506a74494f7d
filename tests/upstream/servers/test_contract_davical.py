"""The contract of upstreams, kept by the CalDAV adapter with DAViCal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.contracts import upstream_faults, upstream_reading, upstream_writing
from tests.upstream.servers.davical import davical
from tests.upstream.servers.differences import DAVICAL

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.contracts.upstream import Known
    from tests.upstream.servers.caldav_server import CalDAVServer

pytestmark = [
    pytest.mark.debian("/usr/share/davical/dba/create-database.sh", "davical"),
    pytest.mark.debian("php", "php-cli"),
    pytest.mark.debian("psql", "postgresql-client"),
]


@pytest.fixture(scope="module")
def server() -> Iterator[CalDAVServer]:
    with davical() as running:
        yield running


@pytest.fixture
def known() -> Known:
    return DAVICAL


class TestReading(upstream_reading.ReadingContract):
    pass


class TestWriting(upstream_writing.WritingContract):
    pass


class TestFaults(upstream_faults.WriteFaultContract):
    pass
