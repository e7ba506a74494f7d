from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from bridge.errors import CalendarGone, LoginRefused, Throttled, UpstreamUnavailable
from bridge.upstream.caldav.reading import BATCH
from bridge.upstream.powers import TellsAll
from bridge.upstream.protocol import Found, Gone, Unknown, Unreadable
from tests.upstream.caldav.connecting import connected, event, text
from tests.upstream.caldav.small_server import CALENDAR, Manners, Reply, Request, SmallServer, small_server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bridge.upstream.caldav.adapter import CaldavUpstream

A, B, GONE = (f"{CALENDAR}{name}.ics" for name in ("a", "b", "gone"))


@contextmanager
def calendar(manners: Manners | None = None) -> Iterator[tuple[SmallServer, CaldavUpstream]]:
    """A calendar with the objects a and b, and a connection to it."""
    with small_server(manners) as server, connected(server.site) as upstream:
        server.put("a.ics", text("a"))
        server.put("b.ics", text("b", "Zoë <&> \U0001f488"))
        yield server, upstream


def fetched(upstream: CaldavUpstream, server: SmallServer, *remote_ids: str) -> dict[str, Found | Gone | Unknown]:
    answers = list(upstream.fetch(server.calendar, remote_ids))
    assert len(answers) == len(remote_ids)
    return {answer.remote_id: answer for answer in answers}


@pytest.mark.parametrize(
    "manners", [Manners(), Manners(silent_multiget=True), Manners(multiget=False), Manners(header_etag=False)]
)
def test_each_object_is_found_with_its_bytes_or_gone(manners: Manners) -> None:
    with calendar(manners) as (server, upstream):
        together = fetched(upstream, server, A, GONE, B)
        alone = {**fetched(upstream, server, A), **fetched(upstream, server, GONE), **fetched(upstream, server, B)}

        assert together == alone
        assert together[GONE] == Gone(GONE)
        for remote_id, raw in ((A, text("a")), (B, text("b", "Zoë <&> \U0001f488"))):
            found = together[remote_id]
            assert isinstance(found, Found)
            assert not isinstance(found.object, Unreadable)
            assert found.object.raw == raw
            assert found.etag.isalnum()


def test_what_stood_where_the_calendar_was_before_it_moved_is_gone_as_long_as_there_is_a_calendar() -> None:
    strange = "/before/it/moved/a.ics"
    with calendar() as (server, upstream):
        answers = fetched(upstream, server, A, strange, GONE)

        assert answers[strange] == Gone(strange)
        assert isinstance(answers[A], Found)
        with pytest.raises(CalendarGone):
            list(upstream.fetch(f"{server.site}/nowhere/", [strange]))


def test_many_objects_are_asked_for_in_few_requests() -> None:
    with calendar() as (server, upstream):
        names = [f"n{number}.ics" for number in range(BATCH * 2 + 2)]
        for name in names:
            server.put(name, text(name))
        answers = fetched(upstream, server, *(f"{CALENDAR}{name}" for name in names))

        assert all(isinstance(answer, Found) for answer in answers.values())
        assert len(server.requests) == 3


def test_gone_needs_the_word_of_the_object_itself() -> None:
    denied = (
        f'<multistatus xmlns="DAV:"><response><href>{A}</href><status>HTTP/1.1 404 Not Found</status></response>'
        f"<response><href>{B}</href><status>HTTP/1.1 404 Not Found</status></response></multistatus>"
    )
    with calendar() as (server, upstream):
        server.before = lambda request: Reply(207, denied.encode()) if request.method == "REPORT" else None

        assert all(isinstance(answer, Found) for answer in fetched(upstream, server, A, B).values())


@pytest.mark.parametrize(
    "reply",
    [
        Reply(403),
        Reply(500),
        Reply(200, b"<html>Log in</html>", {"ETag": '"1"'}),
        Reply(200, b"", {"ETag": '"1"'}),
        Reply(200, text("a")[:-20], {"ETag": '"1"'}),
        Reply(204),
        Reply(206, text("a"), {"ETag": '"1"'}),
    ],
)
def test_an_answer_that_says_neither_is_unknown(reply: Reply) -> None:
    with calendar() as (server, upstream):
        server.before = lambda request: reply if request.method == "GET" else None
        answer = fetched(upstream, server, A)[A]

        assert isinstance(answer, Unknown)
        assert answer.reason.endswith(".")


def test_what_concerns_the_whole_connection_raises() -> None:
    for status, kind in ((401, LoginRefused), (429, Throttled), (503, UpstreamUnavailable)):
        with calendar() as (server, upstream):
            server.before = lambda _, status=status: Reply(status)  # type: ignore[misc]
            with pytest.raises(kind):
                fetched(upstream, server, A)
            with pytest.raises(kind):
                fetched(upstream, server, A, B)


def test_a_calendar_that_vanishes_between_two_requests_takes_no_object_with_it() -> None:
    with calendar() as (server, upstream):

        def vanish(request: Request) -> None:
            server.gone = server.gone or request.method == "REPORT"

        server.after = vanish
        with pytest.raises(CalendarGone):
            list(upstream.fetch(server.calendar, [A, GONE]))


def test_what_no_one_can_read_is_found_and_unreadable() -> None:
    with calendar() as (server, upstream):
        server.put("a.ics", b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nEND:VCALENDAR\r\n")
        answer = fetched(upstream, server, A)[A]

        assert isinstance(answer, Found)
        assert isinstance(answer.object, Unreadable)
        assert answer.object.reason


def test_a_text_that_spoils_the_xml_of_all_is_read_by_itself() -> None:
    with calendar() as (server, upstream):
        server.put("a.ics", text("a", "bell \x07"))
        answers = fetched(upstream, server, A, B)

        assert all(isinstance(answer, Found) for answer in answers.values())


def test_the_same_id_twice_has_one_answer() -> None:
    with calendar() as (server, upstream):
        assert len(list(upstream.fetch(server.calendar, [A, A]))) == 1


def test_an_id_of_another_calendar_is_never_asked_for() -> None:
    with calendar() as (server, upstream):
        for stranger in (
            "/cal/bob/work/a.ics",
            f"{CALENDAR}..",
            "https://evil.example.org/a.ics",
            "/cal/alice/work/../x.ics",
            "",
            f"{CALENDAR}%2E%2E",
        ):
            assert fetched(upstream, server, stranger)[stranger] == Gone(stranger)
        # Only whether there is a calendar at all.
        assert {request.method for request in server.requests} == {"PROPFIND"}
        assert {request.path for request in server.requests} == {CALENDAR}


def test_a_server_that_tells_no_version_at_all_leaves_the_object_unknown() -> None:
    nothing = (
        f'<multistatus xmlns="DAV:"><response><href>{A}</href><propstat><prop><getetag/></prop>'
        "<status>HTTP/1.1 404 Not Found</status></propstat></response></multistatus>"
    )
    with calendar(Manners(header_etag=False)) as (server, upstream):
        server.before = lambda request: Reply(207, nothing.encode()) if request.method == "PROPFIND" else None

        assert isinstance(fetched(upstream, server, A)[A], Unknown)


def test_an_object_that_vanishes_while_its_version_is_asked_for_is_unknown() -> None:
    with calendar(Manners(header_etag=False)) as (server, upstream):

        def vanish(request: Request) -> None:
            if request.method == "PROPFIND":
                server.drop("a.ics")

        server.after = vanish
        assert isinstance(fetched(upstream, server, A)[A], Unknown)


def test_line_ends_that_xml_takes_are_given_back() -> None:
    with calendar() as (server, upstream):
        answer = fetched(upstream, server, A, B)[A]

        assert isinstance(answer, Found)
        assert answer.object == event("a")


def test_a_whole_calendar_is_told_in_one_answer_with_what_a_fetch_gives() -> None:
    with calendar() as (server, upstream):
        assert isinstance(upstream, TellsAll)
        together = {answer.remote_id: answer for answer in upstream.everything(server.calendar)}

        assert len(server.requests) == 1
        assert together == fetched(upstream, server, A, B)


@pytest.mark.parametrize(
    "reply", [Reply(403), Reply(507), Reply(200, b"<html/>"), Reply(207, b"<cut"), Reply(207, short=9)]
)
def test_a_server_that_does_not_tell_a_whole_calendar_at_once_leaves_all_of_it_to_be_fetched(reply: Reply) -> None:
    with calendar() as (server, upstream):
        server.before = lambda request: reply if b"calendar-query" in request.body else None

        assert list(upstream.everything(server.calendar)) == []
        assert set(fetched(upstream, server, A, B)) == {A, B}
