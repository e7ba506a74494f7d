"""The contract of upstreams, kept by the adapter of subscriptions, which writes nothing."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

import pytest

from bridge.core.model import ComponentType
from bridge.upstream.ics_url.adapter import IcsUrlUpstream
from bridge.upstream.ics_url.fetching import Limits
from bridge.upstream.protocol import Capabilities
from tests.contracts import upstream_faults, upstream_reading, upstream_writing
from tests.contracts.upstream import Known, Remote
from tests.contracts.upstream_samples import AMSTERDAM, parse
from tests.upstream.servers.feed import Feed, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

_SUBSCRIPTION = Known(
    Capabilities(
        writable=False,
        components=frozenset(ComponentType),
        delta=False,
        conditional=False,
        exclusive_create=False,
        keeps_text=False,
        holds_series=True,
    ),
    asks_for_password=False,
)


def _connect(feed: Feed, *, site: str = "", password: str = "", patience: float = 30.0) -> IcsUrlUpstream:  # noqa: ARG001 -- it asks for none
    limit = timedelta(seconds=patience)
    return IcsUrlUpstream(
        url=f"{site or f'http://127.0.0.1:{feed.port}'}/feed.ics",
        parse=parse,
        zone=AMSTERDAM,
        now=lambda: datetime.now(UTC),
        allow_private=True,
        allow_files=False,
        limits=Limits(connect=limit, silence=limit, total=limit),
    )


@pytest.fixture
def remote() -> Iterator[Remote]:
    name = f"Salon Zoë {uuid.uuid4().hex}"
    with serving(Feed(name)) as feed:
        yield Remote(name, feed.port, partial(_connect, feed), feed, _SUBSCRIPTION)


class TestReading(upstream_reading.ReadingContract):
    pass


class TestRefusing(upstream_writing.ReadOnlyContract):
    pass


class TestFaults(upstream_faults.FaultContract):
    pass
