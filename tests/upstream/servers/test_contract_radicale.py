"""The contract of upstreams, kept by the CalDAV adapter with Radicale."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from bridge.errors import CalendarReadOnly
from tests.contracts import upstream_faults, upstream_reading, upstream_writing
from tests.contracts.upstream import Mirror, request_id
from tests.contracts.upstream_samples import plain
from tests.upstream.servers.differences import RADICALE
from tests.upstream.servers.from_pip import FIXED, radicale

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.contracts.upstream import Known, Remote
    from tests.upstream.servers.caldav_server import CalDAVServer


@pytest.fixture(scope="module")
def server() -> Iterator[CalDAVServer]:
    with radicale() as running:
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


def test_a_calendar_that_may_only_be_read_is_listed_so_and_takes_nothing(remote: Remote) -> None:
    with closing(remote.connect()) as upstream:
        fixed = next(calendar for calendar in upstream.calendars() if calendar.name == FIXED)

        assert not fixed.writable
        assert Mirror(upstream, fixed.id).etags == {}
        with pytest.raises(CalendarReadOnly):
            upstream.create(fixed.id, plain("a"), request_id())
