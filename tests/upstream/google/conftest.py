"""A fake Google without a socket, a fresh calendar in it, and the adapter on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.fakes.google.fake import fake_google
from tests.upstream.google.connecting import connect, new_calendar

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bridge.upstream.google.adapter import GoogleUpstream
    from tests.fakes.google.by_hand import ByHand
    from tests.fakes.google.fake import FakeGoogle


@pytest.fixture
def google() -> Iterator[FakeGoogle]:
    with fake_google(serve=False) as running:
        running.quota.per_user = running.quota.in_all = 10**9
        yield running
        assert running.misuses == []


@pytest.fixture
def page(google: FakeGoogle) -> ByHand:
    """The calendar as its owner sees it at Google's own page."""
    return new_calendar(google)


@pytest.fixture
def upstream(google: FakeGoogle, page: ByHand) -> GoogleUpstream:
    """The adapter for the owner of the calendar."""
    assert page.id
    return connect(google)
