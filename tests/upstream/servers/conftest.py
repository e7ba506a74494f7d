"""A fresh calendar for each test of the contract, on the server that the test's module starts."""

from __future__ import annotations

import uuid
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from bridge.upstream.answers import Limits
from bridge.upstream.caldav.adapter import CaldavUpstream
from tests.contracts.upstream import Remote
from tests.contracts.upstream_samples import parse
from tests.fakes.faults import status
from tests.upstream.servers.caldav_server import CalDAVServer, Somebody

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.contracts.upstream import Known

# RFC 3744 section 7.1.1 and RFC 4331 section 6.
_ERROR = b'<?xml version="1.0"?><D:error xmlns:D="DAV:">%b</D:error>'
REFUSALS = {
    "read only": status(
        403,
        _ERROR
        % b"<D:need-privileges><D:resource><D:privilege><D:write/></D:privilege></D:resource></D:need-privileges>",
        Content_Type="application/xml",
    ),
    "full": status(507, _ERROR % b"<D:quota-not-exceeded/>", Content_Type="application/xml"),
}


@pytest.fixture
def remote(server: CalDAVServer, known: Known) -> Iterator[Remote]:
    """A fresh calendar on the server of the module; no UID of an earlier test stands anywhere else."""
    name = f"Salon Zoë {uuid.uuid4().hex}"
    somebody = Somebody(server, server.make_calendar(name))
    yield Remote(name, server.port, partial(_connect, server), somebody, known, REFUSALS)
    somebody.erase_calendar()


def _connect(server: CalDAVServer, *, site: str = "", password: str = "", patience: float = 30.0) -> CaldavUpstream:
    return CaldavUpstream(
        url=f"{site}{urlsplit(server.url).path}" if site else server.url,
        user=server.user,
        password=password or server.password,
        parse=parse,
        limits=Limits(connect=patience, read=patience, whole=patience),
    )
