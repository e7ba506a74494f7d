"""Google is asked to tell of changes, and not to any more."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from bridge.errors import CalendarGone, RemoteRefused, UpstreamUnavailable
from bridge.upstream.powers import Watch, Watchable
from tests.contracts.upstream import request_id
from tests.fakes.google.fake import fake_google
from tests.fakes.google.misdeeds import call_of, refuse
from tests.upstream.google.connecting import connect, new_calendar, rewritten

if TYPE_CHECKING:
    from bridge.upstream.google.adapter import GoogleUpstream
    from tests.fakes.google.by_hand import ByHand
    from tests.fakes.google.fake import FakeGoogle

_ADDRESS = "https://cal.example.org/hooks/google"
_SECRET = "s" * 43


def test_a_watch_is_open_for_a_week_and_names_what_is_watched() -> None:
    now = datetime(2026, 11, 21, 10, tzinfo=UTC)
    with fake_google(clock=lambda: now, serve=False) as google:
        page, upstream = new_calendar(google), connect(google)
        channel = request_id()

        watch = upstream.watch(page.id, channel=channel, token=_SECRET, address=_ADDRESS)

        assert isinstance(upstream, Watchable)
        assert watch == Watch(channel, watch.resource, now + timedelta(days=7))
        assert watch.resource
        upstream.unwatch(watch)
        upstream.unwatch(watch)


def test_an_address_that_google_does_not_take_is_refused_with_what_it_needs(
    upstream: GoogleUpstream, page: ByHand
) -> None:
    with pytest.raises(RemoteRefused) as raised:
        upstream.watch(page.id, channel=request_id(), token=_SECRET, address="http://cal.example.org/hooks/google")

    assert "https" in raised.value.remedy


def test_an_address_that_google_does_not_let_in_is_no_refused_login(
    google: FakeGoogle, upstream: GoogleUpstream, page: ByHand
) -> None:
    google.script(refuse("push.webhookUrlUnauthorized"), when=call_of("POST", "/watch"))
    google.forget()

    with pytest.raises(RemoteRefused):
        upstream.watch(page.id, channel=request_id(), token=_SECRET, address=_ADDRESS)


def test_a_calendar_that_is_not_there_cannot_be_watched(upstream: GoogleUpstream) -> None:
    with pytest.raises(CalendarGone):
        upstream.watch("nobody@example.org", channel=request_id(), token=_SECRET, address=_ADDRESS)


def test_a_watch_whose_end_is_not_told_is_not_relied_upon(
    google: FakeGoogle, upstream: GoogleUpstream, page: ByHand
) -> None:
    google.script(rewritten(b'"expiration"', b'"kind"'), when=call_of("POST", "/watch"))

    with pytest.raises(UpstreamUnavailable):
        upstream.watch(page.id, channel=request_id(), token=_SECRET, address=_ADDRESS)
