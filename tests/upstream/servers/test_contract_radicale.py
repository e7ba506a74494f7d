"""The contract of upstreams, kept by the CalDAV adapter with Radicale."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.contracts import upstream_faults, upstream_reading, upstream_writing
from tests.upstream.servers.differences import RADICALE
from tests.upstream.servers.from_pip import radicale

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.contracts.upstream import Known
    from tests.upstream.servers.caldav_server import CalDAVServer


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CalDAVServer]:
    with radicale(tmp_path_factory.mktemp("radicale")) as running:
        yield running


@pytest.fixture
def known() -> Known:
    return RADICALE


class TestReading(upstream_reading.ReadingContract):
    pass


class TestWriting(upstream_writing.WritingContract):
    pass


class TestFaults(upstream_faults.WriteFaultContract):
    pass
