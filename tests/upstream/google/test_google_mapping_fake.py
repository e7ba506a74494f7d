"""Tests the series matrix with the adapter and the fake Google: there, back, and edited on either side."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bridge.core.content import read
from bridge.core.difference import difference
from bridge.core.model import CalendarObject
from bridge.upstream.protocol import Found
from tests.contracts.upstream import request_id
from tests.fakes.google.fake import fake_google
from tests.upstream.google.connecting import connect, new_calendar
from tests.upstream.google.google_answers import parsed
from tests.upstream.google.google_series import MATRIX, Series

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bridge.upstream.google.adapter import GoogleUpstream
    from bridge.upstream.protocol import Stored
    from tests.fakes.google.fake import FakeGoogle

HELD = [series for series in MATRIX if series.verdict != "refused"]
WITH_MASTER = [series for series in HELD if "without their series" not in series.name]
REWRITTEN = {
    "in a zone under a name of its own, with a clock that has a name": {"when"},
}
"""What comes back in other words of the same meaning."""


def named(series: Series) -> str:
    return series.name


@pytest.fixture(scope="module")
def google() -> Iterator[FakeGoogle]:
    with fake_google() as running:
        running.quota.per_user = running.quota.in_all = 10**9
        yield running
        assert running.misuses == []


@pytest.fixture
def upstream(google: FakeGoogle) -> GoogleUpstream:
    return connect(google)


@pytest.fixture
def calendar(google: FakeGoogle) -> str:
    return str(new_calendar(google).id)


def kept(stored: Stored | Found) -> CalendarObject:
    assert isinstance(stored.object, CalendarObject)
    return stored.object


def groups(before: CalendarObject, after: CalendarObject) -> set[str]:
    return {slot.group for slot in difference(read(before), read(after)).changes}


def retitled(obj: CalendarObject) -> CalendarObject:
    raw = obj.raw.replace(b"SUMMARY:", b"SUMMARY:New: ")
    return parsed(raw if raw != obj.raw else raw.replace(b"END:VEVENT", b"SUMMARY:New\r\nEND:VEVENT"))


def there(upstream: GoogleUpstream, calendar: str, remote_id: str) -> CalendarObject:
    [found] = upstream.fetch(calendar, [remote_id])
    assert isinstance(found, Found)
    return kept(found)


@pytest.mark.parametrize("series", HELD, ids=named)
def test_a_series_is_at_google_what_it_is_here(upstream: GoogleUpstream, calendar: str, series: Series) -> None:
    stored = upstream.create(calendar, series.obj, request_id())
    assert groups(series.obj, kept(stored)) == REWRITTEN.get(series.name, set())
    assert there(upstream, calendar, stored.remote_id).raw == kept(stored).raw


@pytest.mark.parametrize("series", HELD, ids=named)
def test_an_edit_of_a_series_here_arrives_there(upstream: GoogleUpstream, calendar: str, series: Series) -> None:
    stored = upstream.create(calendar, series.obj, request_id())
    edited = retitled(kept(stored))
    after = upstream.replace(calendar, stored.remote_id, edited, if_match=stored.etag)
    assert groups(edited, kept(after)) == set()


@pytest.mark.parametrize("series", WITH_MASTER, ids=named)
def test_an_edit_of_a_series_there_arrives_here(google: FakeGoogle, series: Series) -> None:
    page = new_calendar(google)
    upstream = connect(google)
    stored = upstream.create(page.id, series.obj, request_id())
    page.edit(stored.remote_id, {"location": "Room 2"})
    assert b"LOCATION:Room 2\r\n" in there(upstream, page.id, stored.remote_id).raw
    moved = groups(kept(stored), there(upstream, page.id, stored.remote_id))
    # Instances that were changed before keep what they say.
    assert "LOCATION" in moved
    assert moved <= {"LOCATION", "component", "RECURRENCE-ID", "when", "SUMMARY", "DESCRIPTION"}


@pytest.mark.parametrize("series", WITH_MASTER, ids=named)
def test_any_series_can_be_written_over_another(upstream: GoogleUpstream, calendar: str, series: Series) -> None:
    at = WITH_MASTER.index(series)
    for other in (WITH_MASTER[at - 7], WITH_MASTER[at - 31]):
        stored = upstream.create(calendar, other.obj, request_id())
        after = upstream.replace(calendar, stored.remote_id, series.obj, if_match=stored.etag)
        assert groups(series.obj, kept(after)) == REWRITTEN.get(series.name, set()), other.name
