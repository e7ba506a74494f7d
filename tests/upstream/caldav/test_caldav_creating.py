from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from bridge.core.canonical import digest
from bridge.errors import CalendarReadOnly, RemoteRefused, UidTaken, UpstreamError
from bridge.upstream.powers import CreatesMany
from bridge.upstream.protocol import Stored, Unreadable
from tests.upstream.caldav.connecting import connected, event, listed, request_id, text
from tests.upstream.caldav.small_server import CALENDAR, Manners, Reply, Request, SmallServer, small_server

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bridge.core.model import CalendarObject
    from bridge.upstream.caldav.adapter import CaldavUpstream

FEW = [(event(name), request_id(name)) for name in ("a", "b", "c", "d", "e")]


@contextmanager
def calendar(manners: Manners | None = None) -> Iterator[tuple[SmallServer, CaldavUpstream]]:
    """An empty calendar, and a connection to it."""
    with small_server(manners) as server, connected(server.site) as upstream:
        yield server, upstream


def place_of(name: str) -> str:
    return f"{request_id(name)}.ics"


def kinds(outcomes: Sequence[Stored | UpstreamError]) -> list[type]:
    return [type(each) for each in outcomes]


def means(stored: Stored | UpstreamError, wanted: CalendarObject) -> bool:
    return (
        isinstance(stored, Stored)
        and not isinstance(stored.object, Unreadable)
        and digest(stored.object) == digest(wanted)
    )


@pytest.mark.parametrize(
    "manners", [Manners(), Manners(silent_multiget=True), Manners(multiget=False), Manners(header_etag=False)]
)
def test_many_creations_together_are_what_each_by_itself_would_be(manners: Manners) -> None:
    with calendar(manners) as (server, upstream):
        together = upstream.create_many(server.calendar, FEW)
        shown = listed(upstream, server.calendar)[0]

        assert all(means(stored, new) for stored, (new, _) in zip(together, FEW, strict=True))
        assert {each.remote_id: each.etag for each in together if isinstance(each, Stored)} == shown
        assert upstream.create_many(server.calendar, FEW) == together
        assert [upstream.create(server.calendar, *each) for each in FEW] == together


def test_many_creations_take_one_request_before_and_one_after() -> None:
    with calendar() as (server, upstream):
        assert isinstance(upstream, CreatesMany)
        upstream.create_many(server.calendar, FEW)

        assert [request.method for request in server.requests] == ["REPORT", *["PUT"] * len(FEW), "REPORT"]


def test_a_repeated_creation_among_others_leaves_alone_what_somebody_made_of_the_object() -> None:
    with calendar() as (server, upstream):
        server.put(place_of("b"), text("b", "Colour"))
        outcomes = upstream.create_many(server.calendar, FEW)

        assert means(outcomes[1], event("b", "Colour"))
        assert means(outcomes[2], event("c"))
        assert b"Colour" in server.objects[place_of("b")]


def test_what_one_object_suffers_stops_none_of_the_others() -> None:
    def refuse(request: Request) -> Reply | None:
        if request.method != "PUT":
            return None
        # The UID stands elsewhere in the same calendar.
        return Reply(409) if b"UID:b" in request.body else Reply(415) if b"UID:c" in request.body else None

    with calendar() as (server, upstream):
        server.put("other.ics", text("b", "Theirs"))
        server.before = refuse
        outcomes = upstream.create_many(server.calendar, FEW)

        assert kinds(outcomes) == [Stored, UidTaken, RemoteRefused, Stored, Stored]
        assert place_of("e") in server.objects


def test_an_error_of_the_whole_calendar_ends_it_and_stands_for_the_rest() -> None:
    def forbid(request: Request) -> Reply | None:
        if request.method == "PUT" and b"UID:b" in request.body:
            return Reply(405)
        return None

    with calendar() as (server, upstream):
        server.before = forbid
        outcomes = upstream.create_many(server.calendar, FEW)

        assert kinds(outcomes) == [Stored] + [CalendarReadOnly] * 4
        assert server.count("PUT") == 2


def test_creations_that_cannot_be_read_back_are_errors_and_found_the_next_time() -> None:
    written: list[str] = []

    def fall_silent(request: Request) -> Reply | None:
        if request.method == "PUT":
            written.append(request.path)
        return Reply(502) if written and request.method != "PUT" else None

    with calendar() as (server, upstream):
        server.before = fall_silent
        outcomes = upstream.create_many(server.calendar, FEW)
        server.before = lambda _: None
        again = upstream.create_many(server.calendar, FEW)

        assert all(isinstance(each, UpstreamError) for each in outcomes)
        assert kinds(again) == [Stored] * len(FEW)
        assert server.count("PUT") == len(FEW)
        assert sorted(server.objects) == sorted(place_of(new.uid) for new, _ in FEW)


def test_a_server_out_of_reach_fails_them_all_after_one_request() -> None:
    with calendar() as (server, upstream):
        server.before = lambda _: Reply(503)
        outcomes = upstream.create_many(server.calendar, FEW)

        assert all(isinstance(each, UpstreamError) for each in outcomes)
        assert len(server.requests) == 1
        assert CALENDAR in server.requests[0].path
