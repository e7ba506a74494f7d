from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from bridge.errors import (
    AddressRefused,
    CalendarGone,
    CalendarReadOnly,
    CursorExpired,
    ListingDoubtful,
    NotACalendar,
    UpstreamUnavailable,
)
from bridge.upstream.protocol import Found, Gone, Page, Unreadable, Upstream
from tests.upstream.ics_url.feed_server import (
    Answer,
    Clock,
    event,
    feed,
    free_port,
    items,
    listed,
    read,
    serving,
    summary,
    upstream,
)

if TYPE_CHECKING:
    from pathlib import Path

    from bridge.core.model import CalendarObject

TWO = feed("X-WR-CALNAME:Rota of Anna\\, Bert", event("one"), event("two", title="Shave"))


def as_protocol(one: Upstream) -> Upstream:
    """The type checker accepts it as an upstream."""
    return one


class TestListing:
    def test_everything_is_listed_with_what_it_is(self) -> None:
        with serving(TWO) as server:
            (page,) = as_protocol(upstream(server.url())).changes("", None)
        assert page.cursor
        assert {name: summary(one) for name, one in items([page]).items()} == {"one": "Hair cut", "two": "Shave"}

    def test_an_idle_poll_is_one_request_and_one_empty_page(self) -> None:
        with serving(Answer(TWO, etag='"v1"')) as server:
            one = upstream(server.url())
            _, cursor = listed(one)
            server.requests.clear()
            assert list(one.changes("", cursor)) == [Page((), cursor)]
            assert len(server.requests) == 1
            assert list(upstream(server.url()).changes("", cursor)) == [Page((), cursor)]

    def test_without_validators_an_equal_text_is_enough(self) -> None:
        with serving(TWO) as server:
            one = upstream(server.url())
            _, cursor = listed(one)
            assert list(one.changes("", cursor)) == [Page((), cursor)]

    def test_new_validators_of_an_equal_text_are_taken_over(self) -> None:
        with serving(Answer(TWO, etag='"v1"')) as server:
            one = upstream(server.url())
            _, cursor = listed(one)
            server.set(Answer(TWO, etag='"v2"'))
            (page,) = one.changes("", cursor)
            assert page.items == ()
            assert page.cursor
            server.requests.clear()
            list(one.changes("", page.cursor))
            assert server.requests[0].headers["If-None-Match"] == '"v2"'

    def test_a_change_expires_the_cursor_and_is_not_fetched_twice(self) -> None:
        with serving(TWO) as server:
            one = upstream(server.url())
            _, cursor = listed(one)
            server.give(feed(event("one"), event("three", title="Curls")))
            server.requests.clear()
            with pytest.raises(CursorExpired):
                one.changes("", cursor)
            found = items(list(one.changes("", None)))
            assert set(found) == {"one", "three"}
            assert len(server.requests) == 1

    def test_what_was_fetched_long_ago_is_fetched_again(self) -> None:
        clock = Clock()
        with serving(TWO) as server:
            one = upstream(server.url(), now=clock)
            _, cursor = listed(one)
            server.give(feed(event("one"), event("three")))
            with pytest.raises(CursorExpired):
                one.changes("", cursor)
            server.give(feed(event("one"), event("four")))
            clock.go_on(minutes=5)
            assert set(items(list(one.changes("", None)))) == {"one", "four"}

    @pytest.mark.parametrize("cursor", ["", "garbage", '{"version":0}'])
    def test_a_cursor_of_another_version_is_expired(self, cursor: str) -> None:
        with serving(TWO) as server, pytest.raises(CursorExpired):
            upstream(server.url()).changes("", cursor)
        assert server.requests == []

    def test_a_cursor_of_another_place_is_expired(self) -> None:
        """Else the validators of the old address could hide the calendar at the new one."""
        with serving(Answer(TWO, etag='"v1"')) as server:
            _, cursor = listed(upstream(server.url("/old")))
            with pytest.raises(CursorExpired):
                upstream(server.url("/new")).changes("", cursor)

    def test_a_listing_without_a_history_is_confirmed_by_a_second_look_that_costs_little(self) -> None:
        with serving(Answer(TWO, etag='"v1"')) as server:
            listed(upstream(server.url()))
        assert [request.headers.get("If-None-Match") for request in server.requests] == [None, '"v1"']

    def test_an_answer_that_is_not_whole_is_doubtful_and_leaves_the_cursor_as_good_as_before(self) -> None:
        with serving(TWO) as server:
            one = upstream(server.url())
            _, cursor = listed(one)
            server.set(Answer(TWO[:-40], lengthless=True))
            with pytest.raises(ListingDoubtful):
                one.changes("", cursor)
            with pytest.raises(ListingDoubtful):
                one.changes("", None)
            server.give(TWO)
            assert list(one.changes("", cursor)) == [Page((), cursor)]

    def test_a_change_of_stamps_alone_is_no_change(self) -> None:
        with serving(feed(event("one", stamp="20260101T000000Z"))) as server:
            one = upstream(server.url())
            _, cursor = listed(one)
            server.give(feed(event("one", stamp="20260102T000000Z")))
            assert list(one.changes("", cursor)) == [Page((), cursor)]

    def test_another_order_changes_no_etag(self) -> None:
        with serving(feed(event("one"), event("two"))) as server:
            one = upstream(server.url())
            before, cursor = listed(one)
            server.give(feed(event("two"), event("one")))
            after, _ = listed(one, cursor)
        assert {name: item.etag for name, item in before.items()} == {name: item.etag for name, item in after.items()}

    def test_a_file_is_listed_like_a_feed(self, tmp_path: Path) -> None:
        path = tmp_path / "rota.ics"
        path.write_bytes(TWO)
        one = upstream(str(path), allow_files=True)
        found, cursor = listed(one)
        assert set(found) == {"one", "two"}
        assert list(one.changes("", cursor)) == [Page((), cursor)]
        path.write_bytes(TWO[:-30])
        with pytest.raises(ListingDoubtful):
            one.changes("", cursor)


class TestEmptiness:
    def test_a_calendar_that_is_empty_from_the_start_is_empty(self) -> None:
        with serving(feed()) as server:
            one = upstream(server.url())
            found, cursor = listed(one)
            assert found == {}
            assert list(one.changes("", cursor)) == [Page((), cursor)]

    def test_one_that_becomes_empty_is_asked_once_more_past_all_caches(self) -> None:
        with serving(TWO) as server:
            one = upstream(server.url())
            _, cursor = listed(one)
            server.give(feed())
            server.requests.clear()
            assert listed(one, cursor)[0] == {}
            assert len(server.requests) == 2
            assert server.requests[1].headers["Cache-Control"] == "no-cache"

    def test_one_that_is_empty_for_a_moment_only_is_doubtful(self) -> None:
        with serving(TWO) as server:
            one = upstream(server.url())
            _, cursor = listed(one)
            server.set(Answer(feed()), Answer(TWO))
            with pytest.raises(CursorExpired):
                one.changes("", cursor)
            with pytest.raises(ListingDoubtful, match="empty at one moment"):
                one.changes("", None)

    def test_one_that_is_empty_at_the_second_look_is_doubtful_too(self) -> None:
        with serving(Answer(TWO), Answer(feed())) as server, pytest.raises(ListingDoubtful, match="empty at one"):
            upstream(server.url()).changes("", None)

    def test_one_that_stays_empty_is_not_asked_twice(self) -> None:
        with serving(feed()) as server:
            one = upstream(server.url())
            _, cursor = listed(one)
            server.give(feed("X-WR-CALNAME:Renamed"))
            server.requests.clear()
            assert listed(one, cursor)[0] == {}
            assert len(server.requests) == 1


class TestFetch:
    def test_what_was_listed_a_moment_ago_is_not_fetched_again(self) -> None:
        with serving(TWO) as server:
            one = upstream(server.url())
            found, _ = listed(one)
            server.requests.clear()
            answers = [*one.fetch("", ["two"]), *one.fetch("", ["one", "one"])]
        assert [answer.remote_id for answer in answers] == ["two", "one", "one"]
        assert all(isinstance(answer, Found) and answer.etag == found[answer.remote_id].etag for answer in answers)
        assert server.requests == []

    def test_who_asks_again_is_told_what_it_is_by_now(self) -> None:
        with serving(TWO) as server:
            one = upstream(server.url())
            listed(one)
            list(one.fetch("", ["one", "two"]))
            server.give(feed(event("one")))
            assert list(one.fetch("", ["two"])) == [Gone("two")]

    def test_what_a_listing_lacks_is_gone_only_after_a_second_reading(self) -> None:
        with serving(TWO) as server:
            one = upstream(server.url())
            listed(one)
            server.requests.clear()
            assert list(one.fetch("", ["three"])) == [Gone("three")]
            assert len(server.requests) == 1
            assert list(one.fetch("", ["four"])) == [Gone("four")]
            assert len(server.requests) == 1

    def test_what_comes_back_in_the_second_reading_is_not_gone(self) -> None:
        with serving(feed(event("one"))) as server:
            one = upstream(server.url())
            listed(one)
            server.give(TWO)
            (answer,) = one.fetch("", ["two"])
        assert isinstance(answer, Found)

    def test_a_second_reading_that_fails_proves_nothing(self) -> None:
        with serving(TWO) as server:
            one = upstream(server.url())
            listed(one)
            server.set(Answer(status=500))
            with pytest.raises(UpstreamUnavailable):
                one.fetch("", ["three"])

    def test_without_a_listing_the_feed_is_read(self) -> None:
        with serving(TWO) as server:
            found, gone = upstream(server.url()).fetch("", ["one", "three"])
        assert isinstance(found, Found)
        assert isinstance(gone, Gone)

    def test_an_old_listing_does_not_count(self) -> None:
        clock = Clock()
        with serving(TWO) as server:
            one = upstream(server.url(), now=clock)
            listed(one)
            server.give(feed(event("two")))
            clock.go_on(minutes=5)
            assert list(one.fetch("", ["one"])) == [Gone("one")]

    def test_an_unreadable_one_is_there(self) -> None:
        with serving(feed(event("bad", "DTSTART:nonsense"), event("one"))) as server:
            (answer,) = upstream(server.url()).fetch("", ["bad"])
        assert isinstance(answer, Found)
        assert isinstance(answer.object, Unreadable)


class TestWriting:
    def test_nothing_can_be_written_and_what_to_do_is_said(self) -> None:
        one, obj = upstream("https://example.org/secret"), read(feed(event("one")))
        for write in (
            lambda: one.create("", obj, "0" * 32),
            lambda: one.replace("", "one", obj, if_match="x"),
            lambda: one.remove("", "one", if_match="x"),
        ):
            with pytest.raises(CalendarReadOnly, match=r"'example\.org' is a subscription") as refusal:
                write()
            assert "direction: pull" in refusal.value.remedy

    def test_it_declares_what_it_cannot(self) -> None:
        can = upstream("https://example.org/").capabilities
        assert not any((can.writable, can.delta, can.conditional, can.exclusive_create))
        assert can.holds_series


class TestCalendars:
    def test_the_one_calendar_is_called_what_the_feed_calls_itself(self) -> None:
        with serving(feed("X-WR-CALNAME:Anna\\, Bert\\nand co", "X-APPLE-CALENDAR-COLOR:#33AAffFF")) as server:
            (calendar,) = upstream(server.url()).calendars()
        assert (calendar.id, calendar.name, calendar.color) == ("", "Anna, Bert and co", "#33AAff")
        assert not calendar.writable

    def test_without_a_name_it_is_called_after_its_host(self) -> None:
        with serving(feed()) as server:
            (calendar,) = upstream(server.url()).calendars()
        assert (calendar.name, calendar.color) == ("127.0.0.1", "")

    def test_the_name_of_the_newer_standard_counts_too(self) -> None:
        with serving(feed("NAME:Rota")) as server:
            assert upstream(server.url()).calendars()[0].name == "Rota"

    def test_another_calendar_does_not_exist(self) -> None:
        one = upstream("https://example.org/")
        asking = (lambda: one.changes("work", None), lambda: one.fetch("work", ["x"]), lambda: one.recall("work", ""))
        for ask in asking:
            with pytest.raises(CalendarGone, match="'work'") as refusal:
                ask()
            assert "Leave the calendar out" in refusal.value.remedy


class TestSecrets:
    def test_neither_address_nor_password_is_shown(self) -> None:
        one = upstream("https://anna:hunter2@example.org/secret-path?token=secret-token")
        assert repr(one) == "IcsUrlUpstream('example.org')"

    def test_an_address_that_cannot_be_asked_is_refused_at_once(self) -> None:
        with pytest.raises(AddressRefused):
            upstream("ftp://example.org/")

    def test_no_error_tells_the_address(self) -> None:
        for answer in (Answer(status=403), Answer(b"<html>"), Answer(TWO, headers={"Content-Encoding": "br"})):
            with serving(answer) as server, pytest.raises(Exception, match=r".+") as error:
                upstream(server.url()).changes("", None)
            assert "secret-" not in str(error.value)
        with pytest.raises(UpstreamUnavailable) as error:
            upstream(f"http://127.0.0.1:{free_port()}/secret-path").changes("", None)
        assert "secret-" not in str(error.value)


def test_nothing_is_asked_before_the_first_call_and_nothing_is_kept_after_the_last() -> None:
    with serving(TWO) as server:
        one = upstream(server.url())
        assert server.requests == []
        _, cursor = listed(one)
        one.close()
        assert list(upstream(server.url()).changes("", cursor)) == [Page((), cursor)]


def test_what_a_zone_means_is_the_business_of_the_account() -> None:
    body = feed(event("one", "DTSTART:20260714T170000", "X-A:1"))
    with serving(body) as server:
        found, _ = listed(upstream(server.url(), zone=ZoneInfo("America/New_York")))
    assert summary(found["one"]) == "Hair cut"


def test_a_parser_that_refuses_everything_leaves_everything_unreadable() -> None:
    def refuse(_: bytes) -> CalendarObject:
        raise NotACalendar("No.")

    with serving(TWO) as server:
        found, _ = listed(upstream(server.url(), parse=refuse))
    assert all(isinstance(one.object, Unreadable) for one in found.values())
    assert set(found) == {"one", "two"}
