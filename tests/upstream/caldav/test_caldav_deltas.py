"""Whether a calendar's deltas can be trusted is asked with a token that nobody gave, when the first is wanted."""

from __future__ import annotations

from contextlib import nullcontext

import pytest

from bridge.errors import CalendarGone, CursorExpired, LoginRefused, UpstreamUnavailable
from bridge.upstream.caldav import listing
from tests.upstream.caldav.connecting import connected, listed, text
from tests.upstream.caldav.connecting import with_two as calendar
from tests.upstream.caldav.small_server import CALENDAR, Manners, Reply, SmallServer

A, B = (f"{CALENDAR}{name}.ics" for name in "ab")

REFUSALS = [
    Reply(403), Reply(403, b"<html>CSRF</html>"), Reply(400), Reply(409), Reply(412), Reply(507),
    Reply(403, b'<error xmlns="DAV:"><need-privileges/></error>'), Reply(404), Reply(500),
]  # fmt: skip

NO_PROOF = [
    Reply(404), Reply(405), Reply(408), Reply(413), Reply(415), Reply(418), Reply(421), Reply(423), Reply(507),
    Reply(403, b'<error xmlns="DAV:"><need-privileges/></error>'),
    Reply(403, b'<error xmlns="DAV:"><number-of-matches-within-limits/></error>'),
    Reply(507, b'<error xmlns="DAV:"><number-of-matches-within-limits/></error>'),
    Reply(409, b'<error xmlns="DAV:"><resource-must-be-null/></error>'),
]  # fmt: skip


def made_up_tokens(server: SmallServer) -> int:
    """How often a server was asked with a token that nobody gave."""
    return sum(listing.MADE_UP_TOKEN.encode() in request.body for request in server.requests)


def test_a_server_that_takes_any_token_is_read_by_its_ctag() -> None:
    with calendar(Manners(any_token=True)) as (server, upstream):
        first = listed(upstream, server.calendar)[2]
        server.drop("b.ics")
        with pytest.raises(CursorExpired):
            listed(upstream, server.calendar, first)
        server.put("b.ics", text("b"))
        cursor = listed(upstream, server.calendar)[2]
        assert cursor.startswith("ctag:")
        assert not upstream.capabilities.delta
        assert listed(upstream, server.calendar, cursor)[2] == cursor

        server.drop("a.ics")
        with pytest.raises(CursorExpired):
            listed(upstream, server.calendar, cursor)
        assert set(listed(upstream, server.calendar)[0]) == {B}


@pytest.mark.parametrize("ctag", [True, False])
def test_a_first_cursor_of_a_calendar_whose_deltas_cannot_be_trusted_stays_good_until_something_changes(
    *, ctag: bool
) -> None:
    with calendar(Manners(any_token=True, ctag=ctag)) as (server, upstream):
        first = listed(upstream, server.calendar)[2]
        assert listed(upstream, server.calendar, first)[:2] == ({}, set())
        assert not upstream.capabilities.delta

        server.drop("a.ics")
        for connection in (nullcontext(upstream), connected(server.site)):
            with connection as again, pytest.raises(CursorExpired):
                listed(again, server.calendar, first)


def test_the_made_up_token_is_sent_once_for_each_calendar_when_its_first_delta_is_wanted() -> None:
    with calendar() as (server, upstream):
        cursor = listed(upstream, server.calendar)[2]
        assert made_up_tokens(server) == 0
        for _ in range(2):
            cursor = listed(upstream, server.calendar, cursor)[2]
        listed(upstream, server.calendar)

        assert made_up_tokens(server) == 1


def test_no_delta_is_asked_for_before_the_made_up_token_was_refused() -> None:
    with calendar() as (server, upstream):
        cursor = listed(upstream, server.calendar)[2]
        server.requests.clear()
        assert listed(upstream, server.calendar, cursor)[2].startswith("sync:")

        asked = [listing.MADE_UP_TOKEN.encode() in request.body for request in server.requests]
        assert asked == [True, False]


def test_a_calendar_that_was_listed_before_is_asked_along_with_its_next_listing() -> None:
    for manners, kind in ((Manners(), "sync:"), (Manners(any_token=True), "ctag:")):
        with calendar(manners) as (server, upstream):
            upstream.recall(server.calendar, "sync:token-0")
            assert listed(upstream, server.calendar)[2].startswith(kind)
            assert made_up_tokens(server) == 1


@pytest.mark.parametrize("reply", REFUSALS)
def test_a_refusal_that_does_not_name_the_token_is_no_proof_so_that_everything_is_listed_again(reply: Reply) -> None:
    with calendar() as (server, upstream):
        cursor = listed(upstream, server.calendar)[2]
        server.drop("a.ics")
        server.before = lambda request: reply if listing.MADE_UP_TOKEN.encode() in request.body else None

        with pytest.raises(CursorExpired):
            listed(upstream, server.calendar, cursor)
        assert set(listed(upstream, server.calendar)[0]) == {B}


def test_a_server_that_refuses_a_token_without_naming_it_tells_deltas_after_its_second_listing() -> None:
    with calendar() as (server, upstream):
        server.before = lambda request: Reply(400) if listing.MADE_UP_TOKEN.encode() in request.body else None
        first = listed(upstream, server.calendar)[2]
        server.put("c.ics", text("c"))
        with pytest.raises(CursorExpired):
            listed(upstream, server.calendar, first)

        cursor = listed(upstream, server.calendar)[2]
        server.drop("a.ics")
        assert listed(upstream, server.calendar, cursor)[:2] == ({}, {A})


@pytest.mark.parametrize("status", [400, 403, 409, 410, 412])
def test_a_refusal_without_a_reason_is_proof_where_the_same_question_with_a_good_token_is_answered(status: int) -> None:
    with calendar() as (server, upstream):
        upstream.recall(server.calendar, "sync:token-0")
        server.before = lambda request: Reply(status) if listing.MADE_UP_TOKEN.encode() in request.body else None

        cursor = listed(upstream, server.calendar)[2]
        server.drop("a.ics")
        assert listed(upstream, server.calendar, cursor)[:2] == ({}, {A})


@pytest.mark.parametrize("token_property", [True, False])
@pytest.mark.parametrize("status", [400, 403, 405, 409, 410, 412, 507])
def test_a_server_that_refuses_the_question_whatever_the_token_is_read_by_its_ctag(
    status: int, *, token_property: bool
) -> None:
    with calendar(Manners(token_property=token_property)) as (server, upstream):
        server.before = lambda request: Reply(status) if b"sync-collection" in request.body else None
        listed(upstream, server.calendar)
        for known in (upstream, None):
            with nullcontext(known) if known else connected(server.site) as again:
                again.recall(server.calendar, "sync:token-0")
                members, _, cursor = listed(again, server.calendar)
                assert (set(members), cursor.partition(":")[0]) == ({A, B}, "ctag")


@pytest.mark.parametrize("reply", NO_PROOF)
def test_a_refusal_for_another_reason_than_the_token_is_no_proof(reply: Reply) -> None:
    with calendar(Manners(any_token=True)) as (server, upstream):
        upstream.recall(server.calendar, "sync:token-0")
        server.before = lambda request: reply if listing.MADE_UP_TOKEN.encode() in request.body else None
        assert listed(upstream, server.calendar)[2].startswith("ctag:")

        server.before = lambda _: None
        assert listed(upstream, server.calendar)[2].startswith("ctag:")
        assert not upstream.capabilities.delta


def test_a_server_that_breaks_over_the_made_up_token_is_asked_again_the_next_time() -> None:
    with calendar() as (server, upstream):
        upstream.recall(server.calendar, "sync:token-0")
        server.before = lambda request: Reply(500) if request.method == "REPORT" else None
        assert listed(upstream, server.calendar)[2].startswith("ctag:")
        server.before = lambda _: None

        assert listed(upstream, server.calendar)[2].startswith("sync:")


def test_a_calendar_that_went_before_its_first_delta_is_gone_and_not_expired() -> None:
    with calendar() as (server, upstream):
        cursor = listed(upstream, server.calendar)[2]
        server.before = lambda _: Reply(404)

        with pytest.raises(CalendarGone):
            listed(upstream, server.calendar, cursor)


@pytest.mark.parametrize("status", [401, 429, 503])
def test_trouble_with_the_made_up_token_is_trouble_and_no_opinion(status: int) -> None:
    with calendar() as (server, upstream):
        cursor = listed(upstream, server.calendar)[2]
        server.before = lambda request: Reply(status) if request.method == "REPORT" else None
        with pytest.raises((LoginRefused, UpstreamUnavailable)):
            listed(upstream, server.calendar, cursor)
        with pytest.raises((LoginRefused, UpstreamUnavailable)):
            listed(upstream, server.calendar)
        server.before = lambda _: None
        assert listed(upstream, server.calendar, cursor)[2].startswith("sync:")
