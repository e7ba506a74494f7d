from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from bridge.core.canonical import digest
from bridge.errors import (
    CalendarGone,
    CalendarReadOnly,
    LoginRefused,
    QuotaExceeded,
    RemoteChanged,
    RemoteRefused,
    UidTaken,
    UpstreamUnavailable,
)
from bridge.upstream.protocol import Stored, Unreadable
from tests.upstream.caldav.connecting import connected, event, listed, request_id, text
from tests.upstream.caldav.small_server import CALENDAR, HOME, Manners, Reply, Request, SmallServer, small_server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bridge.upstream.caldav.adapter import CaldavUpstream

ID = request_id("a")
PLACE = f"{CALENDAR}{ID}.ics"


@contextmanager
def calendar(manners: Manners | None = None) -> Iterator[tuple[SmallServer, CaldavUpstream]]:
    """An empty calendar, and a connection to it."""
    with small_server(manners) as server, connected(server.site) as upstream:
        yield server, upstream


def shown(server: SmallServer, upstream: CaldavUpstream) -> dict[str, str]:
    """What a listing shows, to compare with what a write answered."""
    return listed(upstream, server.calendar)[0]


def title(stored: Stored) -> str:
    assert not isinstance(stored.object, Unreadable)
    return stored.object.summary


def only_on(method: str, reply: Reply, *, times: int = 10**6) -> Callable[[Request], Reply | None]:
    """Answers requests of one method with `reply`, so many times."""
    left = [times]

    def before(request: Request) -> Reply | None:
        if request.method != method or not left[0]:
            return None
        left[0] -= 1
        return reply

    return before


def refusal(name: str, status: int = 403, *, caldav: bool = True, inner: str = "") -> Reply:
    """An answer that names a precondition."""
    namespace = "urn:ietf:params:xml:ns:caldav" if caldav else "DAV:"
    return Reply(status, f'<error xmlns="DAV:" xmlns:x="{namespace}"><x:{name}>{inner}</x:{name}></error>'.encode())


_REWRITES = Manners(rewrite=lambda raw: raw.replace(b"END:VEVENT", b"CLASS:PUBLIC\r\nEND:VEVENT"))


@pytest.mark.parametrize(
    "manners", [Manners(), Manners(put_etag=False), Manners(header_etag=False), Manners(weak=True), _REWRITES]
)
def test_an_object_is_created_replaced_and_removed(manners: Manners) -> None:
    with calendar(manners) as (server, upstream):
        stored = upstream.create(server.calendar, event("a"), ID)
        assert stored.remote_id == PLACE
        assert shown(server, upstream) == {PLACE: stored.etag}
        assert not isinstance(stored.object, Unreadable)
        assert stored.object.raw == server.objects[f"{ID}.ics"]

        later = upstream.replace(server.calendar, PLACE, event("a", "Shave"), if_match=stored.etag)
        assert shown(server, upstream) == {PLACE: later.etag}
        assert title(later) == "Shave"
        with pytest.raises(RemoteChanged):
            upstream.replace(server.calendar, PLACE, event("a", "Wash"), if_match=stored.etag)
        with pytest.raises(RemoteChanged):
            upstream.remove(server.calendar, PLACE, if_match=stored.etag)
        assert b"Shave" in server.objects[f"{ID}.ics"]

        upstream.remove(server.calendar, PLACE, if_match=later.etag)
        upstream.remove(server.calendar, PLACE, if_match=later.etag)
        assert not server.objects
        with pytest.raises(RemoteChanged):
            upstream.replace(server.calendar, PLACE, event("a"), if_match=later.etag)
        assert not server.objects


@pytest.mark.parametrize("overwrites", [False, True])
def test_a_creation_whose_answer_was_lost_is_not_done_again_nor_over_what_came_meanwhile(*, overwrites: bool) -> None:
    with calendar(Manners(overwrites=overwrites)) as (server, upstream):
        first = upstream.create(server.calendar, event("a"), ID)
        again = upstream.create(server.calendar, event("a"), ID)
        assert again == first

        server.put(f"{ID}.ics", text("a", "Moved by a person"))
        assert title(upstream.create(server.calendar, event("a"), ID)) == "Moved by a person"
        assert len(server.objects) == 1


def test_a_creation_that_meets_itself_on_the_way_is_one_object() -> None:
    with calendar() as (server, upstream):

        def race(request: Request) -> None:
            if request.method == "GET":
                server.put(f"{ID}.ics", text("a", "Stored by the first try"))
                server.after = lambda _: None

        server.after = race
        assert title(upstream.create(server.calendar, event("a"), ID)) == "Stored by the first try"


def test_another_object_at_the_place_of_a_creation_is_left_alone() -> None:
    with calendar() as (server, upstream):
        server.put(f"{ID}.ics", text("stranger"))
        with pytest.raises(RemoteRefused):
            upstream.create(server.calendar, event("a"), ID)
        assert server.objects == {f"{ID}.ics": text("stranger")}


def test_a_creation_is_not_begun_where_it_is_not_known_whether_it_was_done() -> None:
    with calendar() as (server, upstream):
        server.before = only_on("GET", Reply(500))
        with pytest.raises(UpstreamUnavailable):
            upstream.create(server.calendar, event("a"), ID)
        assert not server.objects


def test_an_object_that_the_server_stores_under_another_name_is_found_there() -> None:
    for put_etag in (False, True):
        with calendar(Manners(rename=lambda name: f"server-{name}", put_etag=put_etag)) as (server, upstream):
            stored = upstream.create(server.calendar, event("a"), ID)

            assert stored.remote_id == f"{CALENDAR}server-{ID}.ics"
            assert shown(server, upstream) == {stored.remote_id: stored.etag}


def test_the_version_that_was_written_is_answered_where_another_came_at_once() -> None:
    with calendar() as (server, upstream):

        def race(request: Request) -> None:
            if request.method == "PUT":
                server.put(f"{ID}.ics", text("a", "Changed at once"))

        server.after = race
        stored = upstream.create(server.calendar, event("a"), ID)

        assert title(stored) == "Haircut"
        assert shown(server, upstream)[PLACE] != stored.etag


def test_an_object_that_is_not_shown_yet_is_answered_as_it_was_sent() -> None:
    with calendar() as (server, upstream):
        server.before = only_on("GET", Reply(404), times=2)
        server.after = lambda request: server.objects.clear() if request.method == "PUT" else None
        stored = upstream.create(server.calendar, event("a"), ID)

        assert title(stored) == "Haircut"
        assert stored.etag


def test_an_object_of_which_neither_version_nor_text_can_be_told_is_looked_for_again_later() -> None:
    with calendar(Manners(put_etag=False)) as (server, upstream):
        server.after = lambda request: server.objects.clear() if request.method == "PUT" else None
        with pytest.raises(UpstreamUnavailable, match="does not show it yet"):
            upstream.create(server.calendar, event("a"), ID)


@pytest.mark.parametrize("status", [403, 409, 412])
@pytest.mark.parametrize("names_it", [False, True])
def test_a_uid_that_stands_elsewhere_is_taken(status: int, *, names_it: bool) -> None:
    with calendar() as (server, upstream):
        server.put("theirs.ics", text("a", "Theirs"))
        href = f"<href xmlns='DAV:'>{CALENDAR}theirs.ics</href>" if names_it else ""
        reply = refusal("no-uid-conflict", status, inner=href) if names_it else Reply(status)
        server.before = only_on("PUT", reply)
        with pytest.raises(UidTaken):
            upstream.create(server.calendar, event("a"), ID)


def test_a_uid_in_another_calendar_is_taken() -> None:
    with calendar() as (server, upstream):
        server.before = only_on("PUT", refusal("no-uid-conflict", inner=f"<href xmlns='DAV:'>{HOME}other/x.ics</href>"))
        with pytest.raises(UidTaken):
            upstream.create(server.calendar, event("a"), ID)
        with pytest.raises(UidTaken):
            upstream.replace(server.calendar, PLACE, event("a"), if_match="1")


def test_the_very_same_object_at_another_place_is_what_was_asked_for() -> None:
    with calendar() as (server, upstream):
        server.put("ours.ics", text("a"))
        server.before = only_on("PUT", Reply(409))
        stored = upstream.create(server.calendar, event("a"), ID)

        assert stored.remote_id == f"{CALENDAR}ours.ics"
        assert not isinstance(stored.object, Unreadable)
        assert digest(stored.object) == digest(event("a"))


_FOR_GOOD = {
    "valid-calendar-data": "", "supported-calendar-component": "", "max-resource-size": "", "max-instances": "RRULE",
    "min-date-time": "DTSTART", "max-attendees-per-instance": "ATTENDEE", "organizer-allowed": "ORGANIZER",
}  # fmt: skip


@pytest.mark.parametrize("name", _FOR_GOOD)
def test_an_object_that_is_refused_for_good_names_what_it_stumbles_over(name: str) -> None:
    with calendar() as (server, upstream):
        server.before = only_on("PUT", refusal(name))
        with pytest.raises(RemoteRefused, match=name) as creating:
            upstream.create(server.calendar, event("a"), ID)
        with pytest.raises(RemoteRefused, match=name) as replacing:
            upstream.replace(server.calendar, PLACE, event("a"), if_match="1")

        assert creating.value.property_name == replacing.value.property_name == _FOR_GOOD[name]


@pytest.mark.parametrize("status", [400, 403, 404, 409, 412, 413, 415, 422])
def test_an_object_that_is_refused_without_a_word_is_refused_for_good(status: int) -> None:
    with calendar() as (server, upstream):
        stored = upstream.create(server.calendar, event("b"), request_id("b"))
        server.before = only_on("PUT", Reply(status))
        with pytest.raises(RemoteRefused):
            upstream.create(server.calendar, event("a"), ID)
        with pytest.raises(RemoteRefused):
            upstream.replace(server.calendar, stored.remote_id, event("b", "x"), if_match=stored.etag)


def test_a_calendar_without_the_right_to_write_is_read_only() -> None:
    readers = Manners(privileges="<privilege><read/></privilege>")
    with calendar(readers) as (server, upstream):
        server.put("a.ics", text("a"))
        etag = shown(server, upstream)[f"{CALENDAR}a.ics"]
        refuse = Reply(403)
        for without_a_word in (False, True):
            if without_a_word:
                server.before = lambda request: refuse if request.method in {"PUT", "DELETE"} else None
            with pytest.raises(CalendarReadOnly):
                upstream.create(server.calendar, event("b"), ID)
            with pytest.raises(CalendarReadOnly):
                upstream.replace(server.calendar, f"{CALENDAR}a.ics", event("a", "x"), if_match=etag)
        with pytest.raises(CalendarReadOnly):
            upstream.remove(server.calendar, f"{CALENDAR}a.ics", if_match=etag)
        assert set(server.objects) == {"a.ics"}


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (Reply(507), QuotaExceeded),
        (refusal("quota-not-exceeded", caldav=False), QuotaExceeded),
        (Reply(401), LoginRefused),
        (Reply(405), CalendarReadOnly),
        (Reply(423), UpstreamUnavailable),
        (Reply(500), UpstreamUnavailable),
    ],
)
def test_a_write_that_fails_says_why(reply: Reply, kind: type[Exception]) -> None:
    with calendar() as (server, upstream):
        server.before = lambda request: reply if request.method in {"PUT", "DELETE"} else None
        there = f"{CALENDAR}there.ics"
        server.put("there.ics", text("there"))
        etag = shown(server, upstream)[there]
        with pytest.raises(kind):
            upstream.create(server.calendar, event("a"), ID)
        with pytest.raises(kind):
            upstream.replace(server.calendar, there, event("there"), if_match=etag)
        with pytest.raises(kind):
            upstream.remove(server.calendar, there, if_match=etag)


def test_a_calendar_that_was_deleted_takes_nothing() -> None:
    with calendar() as (server, upstream):
        server.gone = True
        for reply in (None, Reply(405), Reply(409), Reply(403)):
            server.before = lambda request, reply=reply: reply if request.method == "PUT" else None  # type: ignore[misc]
            with pytest.raises(CalendarGone):
                upstream.create(server.calendar, event("a"), ID)
        server.before = lambda _: None
        with pytest.raises(CalendarGone):
            upstream.replace(server.calendar, PLACE, event("a"), if_match="1")


def test_a_replacement_whose_fate_is_unknown_is_looked_at_again() -> None:
    with calendar() as (server, upstream):
        stored = upstream.create(server.calendar, event("a"), ID)
        server.before = lambda request: {"PUT": Reply(412), "GET": Reply(500)}.get(request.method)
        with pytest.raises(UpstreamUnavailable):
            upstream.replace(server.calendar, PLACE, event("a"), if_match=stored.etag)
        with pytest.raises(UpstreamUnavailable):
            upstream.remove(server.calendar, PLACE, if_match=stored.etag)
        assert server.objects


def test_a_removal_that_is_answered_in_an_odd_way_is_understood() -> None:
    told = f"<response><href>{PLACE}</href><status>HTTP/1.1 {{}} x</status></response>"
    failed = f'<multistatus xmlns="DAV:">{told}</multistatus>'
    with calendar() as (server, upstream):
        etag = upstream.create(server.calendar, event("a"), ID).etag
        for reply in (Reply(200), Reply(202), Reply(404), Reply(410), Reply(207, failed.format(204).encode())):
            server.before = only_on("DELETE", reply)
            upstream.remove(server.calendar, PLACE, if_match=etag)
        server.before = only_on("DELETE", Reply(207, failed.format(423).encode()))
        with pytest.raises(UpstreamUnavailable):
            upstream.remove(server.calendar, PLACE, if_match=etag)


@pytest.mark.parametrize("deleted", [False, True])
def test_a_removal_that_somebody_comes_before_is_not_done(*, deleted: bool) -> None:
    with calendar() as (server, upstream):
        etag = upstream.create(server.calendar, event("a"), ID).etag

        def race(request: Request) -> None:
            if request.method == "GET":
                server.after = lambda _: None
                if deleted:
                    server.drop(f"{ID}.ics")
                else:
                    server.put(f"{ID}.ics", text("a", "Changed at once"))

        server.after = race
        server.before = lambda request: (
            Reply(412) if request.method == "DELETE" and f"{ID}.ics" not in server.objects else None
        )
        if deleted:
            upstream.remove(server.calendar, PLACE, if_match=etag)
        else:
            with pytest.raises(RemoteChanged):
                upstream.remove(server.calendar, PLACE, if_match=etag)
            assert server.objects


def test_a_server_that_ignores_conditions_is_looked_at_before_each_write() -> None:
    with small_server(Manners(overwrites=True)) as server, connected(f"{server.site}/SOGo/dav/") as upstream:

        def without_prefix(request: Request) -> Reply | None:
            path = request.path.removeprefix("/SOGo")
            return server.usual(Request(request.method, path, request.headers, request.body))

        server.before = without_prefix
        calendar = f"{server.site}/SOGo{CALENDAR}"
        stored = upstream.create(calendar, event("a"), ID)
        server.put(f"{ID}.ics", text("a", "Changed by a person"))
        with pytest.raises(RemoteChanged):
            upstream.replace(calendar, stored.remote_id, event("a", "Late"), if_match=stored.etag)
        with pytest.raises(RemoteChanged):
            upstream.remove(calendar, stored.remote_id, if_match=stored.etag)
        assert b"Changed by a person" in server.objects[f"{ID}.ics"]

        server.drop(f"{ID}.ics")
        with pytest.raises(RemoteChanged):
            upstream.replace(calendar, stored.remote_id, event("a", "Late"), if_match=stored.etag)
        assert not server.objects
        assert not upstream.capabilities.conditional


def test_a_removal_that_is_refused_without_cause_is_refused() -> None:
    with calendar() as (server, upstream):
        stored = upstream.create(server.calendar, event("a"), ID)
        server.before = only_on("DELETE", Reply(409))
        with pytest.raises(RemoteRefused):
            upstream.remove(server.calendar, PLACE, if_match=stored.etag)


def test_events_without_an_end_get_one_where_the_server_wants_it() -> None:
    lasting = event("a").raw.replace(b"DTEND:20270105T100000Z", b"DURATION:PT90M")
    with calendar(Manners(end_required=True)) as (server, upstream):
        new = upstream._parse(lasting)  # noqa: SLF001 -- the parser of the connection
        stored = upstream.create(server.calendar, new, ID)

        assert not isinstance(stored.object, Unreadable)
        assert b"DTEND:20270105T103000Z\r\n" in stored.object.raw
        assert digest(stored.object) == digest(new)
    with calendar() as (server, upstream):
        upstream.create(server.calendar, upstream._parse(lasting), ID)  # noqa: SLF001 -- the same
        assert server.objects[f"{ID}.ics"] == lasting


def test_the_bytes_of_an_object_are_sent_as_they_are() -> None:
    raw = text("a", "Zoë", 'X-ODD;X="a:b":c', "DESCRIPTION:folded\r\n  line, raw; text", "COMMENT:a\\, b")
    with calendar() as (server, upstream):
        upstream.create(server.calendar, upstream._parse(raw), ID)  # noqa: SLF001 -- the parser of the connection

        assert server.objects[f"{ID}.ics"] == raw
        put = next(request for request in server.requests if request.method == "PUT")
        assert put.headers["content-type"] == "text/calendar; charset=utf-8"
        assert not any(request.headers.get("if-match") == "*" for request in server.requests)


def test_a_server_that_searches_badly_does_not_make_a_uid_taken() -> None:
    with calendar() as (server, upstream):
        server.put("other.ics", text("other"))
        everything = only_on("REPORT", server.usual(_multiget("other.ics", "missing.ics")))
        server.before = lambda request: Reply(409) if request.method == "PUT" else everything(request)
        with pytest.raises(RemoteRefused):
            upstream.create(server.calendar, event("a"), ID)
        server.before = lambda request: {"PUT": Reply(409), "REPORT": Reply(501)}.get(request.method)
        with pytest.raises(RemoteRefused):
            upstream.create(server.calendar, event("a"), ID)


def _multiget(*names: str) -> Request:
    hrefs = "".join(f"<href>{CALENDAR}{name}</href>" for name in names)
    body = f"<calendar-multiget>{hrefs}</calendar-multiget>".encode()
    return Request("REPORT", CALENDAR, {"authorization": "Basic"}, body)
