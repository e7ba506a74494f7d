from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bridge.errors import CalendarGone, CursorExpired, ListingDoubtful, LoginRefused, Throttled, UpstreamUnavailable
from bridge.upstream.caldav import listing
from tests.upstream.caldav.connecting import listed, text
from tests.upstream.caldav.connecting import with_two as calendar
from tests.upstream.caldav.small_server import CALENDAR, Manners, Reply, Request

if TYPE_CHECKING:
    from collections.abc import Callable

A, B, C = (f"{CALENDAR}{name}.ics" for name in "abc")


def test_what_was_added_changed_and_deleted_comes_with_the_next_cursor() -> None:
    with calendar() as (server, upstream):
        everything, gone, cursor = listed(upstream, server.calendar)
        assert set(everything) == {A, B}
        assert not gone

        server.put("b.ics", text("b", "Shave"))
        server.put("c.ics", text("c"))
        server.drop("a.ics")
        changed, gone, later = listed(upstream, server.calendar, cursor)

        assert set(changed) == {B, C}
        assert changed[B] != everything[B]
        assert gone == {A}
        assert listed(upstream, server.calendar, later)[:2] == ({}, set())
        assert upstream.capabilities.delta


def test_an_idle_poll_is_one_request() -> None:
    for manners in (Manners(), Manners(sync=False)):
        with calendar(manners) as (server, upstream):
            first = listed(upstream, server.calendar)[2]
            cursor = listed(upstream, server.calendar, first)[2]
            server.requests.clear()

            assert listed(upstream, server.calendar, cursor) == ({}, set(), cursor)
            assert len(server.requests) == 1


def test_a_change_between_the_token_and_the_listing_comes_again() -> None:
    with calendar() as (server, upstream):

        def meanwhile(request: Request) -> None:
            if request.method == "PROPFIND" and request.headers["depth"] == "0":
                server.put("c.ics", text("c"))
                server.after = lambda _: None

        server.after = meanwhile
        everything, _, cursor = listed(upstream, server.calendar)

        assert C in everything
        assert C in listed(upstream, server.calendar, cursor)[0]


@pytest.mark.parametrize("status", [400, 403, 409, 410, 412, 507])
def test_a_token_that_the_server_refuses_is_an_expired_cursor_however_it_says_so(status: int) -> None:
    with calendar(Manners(token_refusal=status)) as (server, upstream), pytest.raises(CursorExpired):
        listed(upstream, server.calendar, "sync:forgotten")


def test_a_server_with_neither_deltas_nor_ctag_is_compared_by_all_its_etags() -> None:
    with calendar(Manners(sync=False, ctag=False)) as (server, upstream):
        cursor = listed(upstream, server.calendar)[2]
        assert listed(upstream, server.calendar, cursor) == ({}, set(), cursor)

        server.put("a.ics", text("a", "Shave"))
        with pytest.raises(CursorExpired):
            listed(upstream, server.calendar, cursor)


def test_a_ctag_in_seconds_is_not_believed_within_its_second() -> None:
    with calendar(Manners(sync=False)) as (server, upstream):

        def at(date: str) -> Callable[[Request], Reply | None]:
            def before(request: Request) -> Reply | None:
                reply = server.usual(request)
                return Reply(reply.status, reply.body, {**reply.headers, "Date": date})

            return before

        server.ctag = "1796034015"
        server.before = at("Mon, 30 Nov 2026 10:20:15 GMT")
        young = listed(upstream, server.calendar)[2]
        server.before = at("Mon, 30 Nov 2026 10:20:17 GMT")
        old = listed(upstream, server.calendar)[2]

        with pytest.raises(CursorExpired):
            listed(upstream, server.calendar, young)
        assert listed(upstream, server.calendar, old)[2] == old
        server.before = at("no date")
        assert listed(upstream, server.calendar)[2] == old


def test_a_delta_in_parts_is_read_to_its_end() -> None:
    with calendar(Manners(cut_after=1)) as (server, upstream):
        cursor = listed(upstream, server.calendar)[2]
        for name in "cde":
            server.put(f"{name}.ics", text(name))
        changed, _, later = listed(upstream, server.calendar, cursor)

        assert set(changed) == {f"{CALENDAR}{name}.ics" for name in "cde"}
        assert listed(upstream, server.calendar, later)[0] == {}


def test_a_delta_in_parts_that_never_ends_is_doubtful() -> None:
    endless = (
        b'<multistatus xmlns="DAV:"><response><href>/cal/alice/work/</href><status>HTTP/1.1 507 No</status></response>'
        b"<sync-token>token-2</sync-token></multistatus>"
    )
    with calendar() as (server, upstream):
        server.before = lambda request: Reply(207, endless) if request.method == "REPORT" else None
        with pytest.raises(ListingDoubtful, match="never end"):
            listed(upstream, server.calendar, "sync:token-2")


def test_a_token_that_expires_between_two_parts_is_an_expired_cursor_before_any_page() -> None:
    with calendar(Manners(cut_after=1)) as (server, upstream):
        server.before = lambda request: Reply(403) if b"token-1" in request.body else None
        with pytest.raises(CursorExpired):
            next(iter(upstream.changes(server.calendar, "sync:token-0")))


def test_a_server_that_tells_its_token_in_reports_only_gives_deltas_all_the_same() -> None:
    with calendar(Manners(token_property=False)) as (server, upstream):
        cursor = listed(upstream, server.calendar)[2]
        server.drop("b.ics")

        assert listed(upstream, server.calendar, cursor)[:2] == ({}, {B})


def test_tombstones_in_a_first_listing_are_nothing() -> None:
    answer = (
        b'<multistatus xmlns="DAV:"><response><href>/cal/alice/work/</href><propstat><prop><resourcetype><collection/>'
        b"</resourcetype></prop><status>HTTP/1.1 200 OK</status></propstat></response>"
        b"<response><href>/cal/alice/work/old.ics</href><status>HTTP/1.1 404 Not Found</status></response>"
        b"</multistatus>"
    )
    with calendar() as (server, upstream):
        server.before = lambda request: Reply(207, answer) if request.headers.get("depth") == "1" else None

        assert listed(upstream, server.calendar)[:2] == ({}, set())


def test_only_calendar_objects_are_listed() -> None:
    with calendar() as (server, upstream):
        server.put("note.txt", b"a note")
        server.put("no-suffix", text("n"))
        cursor = listed(upstream, server.calendar)[2]

        assert set(listed(upstream, server.calendar)[0]) == {A, B, f"{CALENDAR}no-suffix"}
        server.put("note.txt", b"another")
        assert listed(upstream, server.calendar, cursor)[0] == {}


def test_a_member_whose_version_cannot_be_told_exists_all_the_same() -> None:
    answer = (
        b'<multistatus xmlns="DAV:"><response><href>/cal/alice/work/a.ics</href><status>HTTP/1.1 500 Oops</status>'
        b"</response><sync-token>token-9</sync-token></multistatus>"
    )
    with calendar() as (server, upstream):
        server.before = lambda request: Reply(207, answer) if request.method == "REPORT" else None

        assert listed(upstream, server.calendar, "sync:token-1") == ({A: ""}, set(), "sync:token-9")


_HREFS: dict[str, Callable[[str], str]] = {
    "raw": lambda path: path,
    "every octet encoded": lambda path: "/".join(
        "".join(f"%{octet:02x}" for octet in part.encode()) for part in path.split("/")
    ),
    "absolute": lambda path: f"https://other.example.org:8443{path}",
    "relative": lambda path: path.rpartition("/")[2] or path,
    "under an alias": lambda path: path.replace("/cal/alice/", "/cal/users/4711/"),
}


@pytest.mark.parametrize("how", _HREFS)
def test_an_object_has_one_name_however_the_server_writes_it(how: str) -> None:
    name = "Müller & a+b@c.ics"
    with calendar(Manners(href=_HREFS[how])) as (server, upstream):
        cursor = listed(upstream, server.calendar)[2]
        server.put(name, text("m"))
        remote_id = f"{CALENDAR}M%C3%BCller%20&%20a+b@c.ics"

        assert remote_id in listed(upstream, server.calendar)[0]
        assert set(listed(upstream, server.calendar, cursor)[0]) == {remote_id}
        assert [type(answer).__name__ for answer in upstream.fetch(server.calendar, [remote_id, A])] == ["Found"] * 2


_DOUBTFUL: dict[str, Reply] = {
    "a page": Reply(200, b"<html><body>Welcome</body></html>", {"Content-Type": "text/html"}),
    "a page that says 207": Reply(207, b"<html><body>Welcome</body></html>"),
    "nothing": Reply(207),
    "cut XML": Reply(207, b'<multistatus xmlns="DAV:"><response><href>/cal/alice/work/</href>'),
    "no responses": Reply(207, b'<multistatus xmlns="DAV:"/>'),
    "members without the calendar": Reply(
        207,
        b'<multistatus xmlns="DAV:"><response><href>/cal/alice/work/a.ics</href><propstat><prop><getetag>"1"</getetag>'
        b"</prop><status>HTTP/1.1 200 OK</status></propstat></response></multistatus>",
    ),
    "a listing that says it was cut": Reply(
        207,
        b'<multistatus xmlns="DAV:"><response><href>/cal/alice/work/</href><status>HTTP/1.1 507 No</status></response>'
        b"</multistatus>",
    ),
    "a response without status": Reply(
        207, b'<multistatus xmlns="DAV:"><response><href>/cal/alice/work/</href></response></multistatus>'
    ),
    "a response without href": Reply(
        207, b'<multistatus xmlns="DAV:"><response><status>HTTP/1.1 200 OK</status></response></multistatus>'
    ),
    "entities": Reply(
        207, b'<!DOCTYPE m [<!ENTITY a "b">]><multistatus xmlns="DAV:"><response>&a;</response></multistatus>'
    ),
}


@pytest.mark.parametrize("depth", ["0", "1"])
@pytest.mark.parametrize("answer", _DOUBTFUL)
def test_an_answer_that_is_no_whole_listing_is_doubtful_and_never_empty(answer: str, depth: str) -> None:
    with calendar() as (server, upstream):
        server.before = lambda request: _DOUBTFUL[answer] if request.headers.get("depth") == depth else None
        if (answer, depth) == ("a listing that says it was cut", "0"):
            server.before = lambda request: _DOUBTFUL[answer] if request.method == "PROPFIND" else None
        with pytest.raises(ListingDoubtful) as raised:
            listed(upstream, server.calendar)
        assert raised.value.message.endswith(".")


@pytest.mark.parametrize("answer", set(_DOUBTFUL) - {"members without the calendar", "a listing that says it was cut"})
def test_a_delta_that_is_no_whole_answer_is_doubtful(answer: str) -> None:
    with calendar() as (server, upstream):
        server.before = lambda request: _DOUBTFUL[answer] if request.method == "REPORT" else None
        with pytest.raises(ListingDoubtful):
            listed(upstream, server.calendar, "sync:token-1")


def test_a_delta_without_a_new_token_is_doubtful() -> None:
    with calendar() as (server, upstream):
        server.before = lambda request: (
            _DOUBTFUL["members without the calendar"] if request.method == "REPORT" else None
        )
        with pytest.raises(ListingDoubtful, match="without a new sync token"):
            listed(upstream, server.calendar, "sync:token-1")


def test_an_answer_that_breaks_off_is_no_listing() -> None:
    with calendar() as (server, upstream):
        server.before = lambda request: (
            Reply(207, b'<multistatus xmlns="DAV:"/>', short=10) if request.method == "PROPFIND" else None
        )
        with pytest.raises(UpstreamUnavailable):
            listed(upstream, server.calendar)


def test_a_calendar_that_was_deleted_is_gone_and_no_object_of_it() -> None:
    with calendar() as (server, upstream):
        cursor = listed(upstream, server.calendar)[2]
        server.gone = True
        for start in (None, cursor, "ctag:1", "etags:1"):
            with pytest.raises(CalendarGone):
                listed(upstream, server.calendar, start)
        with pytest.raises(CalendarGone):
            list(upstream.fetch(server.calendar, [A, B]))


def test_what_is_no_calendar_is_never_an_empty_one() -> None:
    with calendar() as (server, upstream), pytest.raises(CalendarGone, match="no calendar"):
        listed(upstream, f"{server.site}/cal/alice/")


def test_trouble_is_not_taken_for_an_expired_cursor() -> None:
    troubles = {401: LoginRefused, 429: Throttled, 500: UpstreamUnavailable, 423: UpstreamUnavailable}
    need = Reply(403, b'<error xmlns="DAV:"><need-privileges/></error>')
    with calendar() as (server, upstream):
        for status, kind in troubles.items():
            server.before = lambda _, status=status: Reply(status)  # type: ignore[misc]
            with pytest.raises(kind):
                listed(upstream, server.calendar, "sync:token-1")
        server.before = lambda _: need
        with pytest.raises(LoginRefused):
            listed(upstream, server.calendar, "sync:token-1")


def test_a_cursor_of_another_make_is_an_expired_one() -> None:
    with calendar() as (server, upstream):
        for cursor in ("", "token-1", "young:5", "later:5", "untried:5"):
            with pytest.raises(CursorExpired):
                listed(upstream, server.calendar, cursor)


def test_a_subfolder_of_a_calendar_is_no_object_of_it() -> None:
    folder = (
        b'<multistatus xmlns="DAV:"><response><href>/cal/alice/work/sub.ics</href><propstat><prop><resourcetype>'
        b"<collection/></resourcetype></prop><status>HTTP/1.1 200 OK</status></propstat></response>"
        b"<sync-token>token-9</sync-token></multistatus>"
    )
    with calendar() as (server, upstream):
        server.before = lambda request: Reply(207, folder) if request.method == "REPORT" else None

        assert listed(upstream, server.calendar, "sync:token-1")[0] == {}


def test_a_status_that_means_nothing_is_doubtful() -> None:
    for status in ("", "OK", "HTTP/1.1 fine"):
        odd = f'<multistatus xmlns="DAV:"><response><href>{A}</href><status>{status}</status></response></multistatus>'
        with calendar() as (server, upstream):
            server.before = lambda _, odd=odd: Reply(207, odd.encode())  # type: ignore[misc]
            with pytest.raises(ListingDoubtful, match="means nothing"):
                listed(upstream, server.calendar, "sync:token-1")


def test_a_property_that_the_server_may_not_tell_is_no_lack_of_the_object() -> None:
    denied = (
        f'<multistatus xmlns="DAV:"><response><href>{A}</href><propstat><prop><getetag/></prop>'
        "<status>HTTP/1.1 403 Forbidden</status></propstat></response><sync-token>token-9</sync-token></multistatus>"
    )
    with calendar() as (server, upstream):
        server.before = lambda request: Reply(207, denied.encode()) if request.method == "REPORT" else None

        assert listed(upstream, server.calendar, "sync:token-1")[0] == {A: ""}


def test_a_state_without_the_calendar_itself_is_doubtful() -> None:
    other = (
        b'<multistatus xmlns="DAV:"><response><href>/other/</href><propstat><prop><resourcetype><collection/>'
        b"</resourcetype></prop><status>HTTP/1.1 200 OK</status></propstat></response></multistatus>"
    )
    with calendar() as (server, upstream):
        server.before = lambda _: Reply(207, other)
        with pytest.raises(ListingDoubtful, match="does not speak of it"):
            listed(upstream, server.calendar, "ctag:1")


def test_a_delta_with_ever_new_tokens_is_left_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "MOST_ANSWERS", 3)
    with calendar(Manners(cut_after=1)) as (server, upstream):
        for number in range(5):
            server.put(f"{number}.ics", text(str(number)))
        with pytest.raises(ListingDoubtful, match="never end"):
            listed(upstream, server.calendar, "sync:token-0")
        assert server.count("REPORT") == 3
