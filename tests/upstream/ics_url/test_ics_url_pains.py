"""What went wrong for the users of other subscriptions does not go wrong here; each test is named for the pain."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.core.ics import parse, split
from bridge.core.model import CalendarObject
from bridge.core.recurrence import expand
from bridge.core.temporal import instant
from bridge.errors import (
    CalendarGone,
    CursorExpired,
    ListingDoubtful,
    LoginRefused,
    ObjectRefused,
    Throttled,
    UpstreamError,
    UpstreamUnavailable,
)
from bridge.upstream.protocol import Found, Gone, Page, Unreadable
from tests.corpus.corpus import ACCOUNT_ZONE, samples
from tests.upstream.ics_url.feed_server import ZONE, Answer, event, feed, items, listed, serving, summary, upstream

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

TEN = feed(*(event(f"uid-{number}", title=f"Title {number}", day=number + 1) for number in range(10)))
HTML = b"<!DOCTYPE html><html><title>Sign in</title></html>"

FAILED_READS = {
    "nothing": Answer(b""),
    "nothing with 204": Answer(b"", status=204),
    "half of it": Answer(TEN[: len(TEN) // 2], lengthless=True),
    "half of it, with the length of all": Answer(TEN[: len(TEN) // 2], headers={"Content-Length": str(len(TEN))}),
    "half of it, between two events": Answer(TEN[: TEN.index(b"BEGIN:VEVENT\r\nUID:uid-5")], lengthless=True),
    "a part, and says so": Answer(TEN, status=206, headers={"Content-Range": "bytes 0-99/9999"}),
    "a login page": Answer(HTML),
    "a login page that claims to be a calendar": Answer(HTML, headers={"Content-Type": "text/calendar"}),
    "an error in JSON": Answer(b'{"error":"quota"}'),
    "an error before the calendar": Answer(b"Warning: out of memory\n" + feed()),
    "an error behind the calendar": Answer(feed() + b"Fatal error: out of memory"),
    "a broken server": Answer(TEN, status=500),
    "an overloaded server": Answer(TEN, status=503),
    "a calendar that is not found": Answer(b"", status=404),
    "a calendar that is gone": Answer(feed(), status=410),
    "an address that was revoked": Answer(feed(), status=403),
    "packed and cut": Answer(b"\x1f\x8b\x08\x00", headers={"Content-Encoding": "gzip"}),
    "nothing has changed, though nobody asked": Answer(status=304),
}


@pytest.mark.parametrize("answer", FAILED_READS.values(), ids=FAILED_READS)
def test_pain_1_a_failed_or_empty_read_is_never_a_listing(answer: Answer) -> None:
    with serving(TEN) as server:
        one = upstream(server.url())
        listed(one)
        server.set(answer)
        with pytest.raises(UpstreamError) as error:
            one.changes("", None)
        assert not isinstance(error.value, CursorExpired)
        with pytest.raises(UpstreamError):
            upstream(server.url()).fetch("", ["uid-1"])


def test_pain_1_an_empty_calendar_that_a_cache_gives_out_for_a_moment_is_no_listing() -> None:
    with serving(TEN) as server:
        one = upstream(server.url())
        _, cursor = listed(one)
        server.set(Answer(feed()), Answer(TEN))
        with pytest.raises(ListingDoubtful):
            listed(one, cursor)


def test_pain_1_a_file_that_is_being_written_is_no_listing(tmp_path: Path) -> None:
    path = tmp_path / "rota.ics"
    path.write_bytes(TEN)
    one = upstream(str(path), allow_files=True)
    _, cursor = listed(one)
    for written in (b"", TEN[:500], TEN[:-3]):
        path.write_bytes(written)
        with pytest.raises(ListingDoubtful):
            listed(one, cursor)
    path.unlink()
    with pytest.raises(CalendarGone):
        listed(one, cursor)


def test_near_miss_a_small_calendar_that_is_legitimately_emptied_is_listed_as_empty() -> None:
    with serving(TEN) as server:
        one = upstream(server.url())
        _, cursor = listed(one)
        server.give(feed())
        found, cursor = listed(one, cursor)
        assert found == {}
        assert list(one.fetch("", ["uid-1"])) == [Gone("uid-1")]
        assert list(one.changes("", cursor)) == [Page((), cursor)]


def test_pain_2_an_error_of_one_item_is_not_its_deletion() -> None:
    with serving(TEN) as server:
        one = upstream(server.url())
        before, cursor = listed(one)
        server.give(TEN.replace(b"DTSTART;TZID=Europe/Berlin:20260703T170000", b"DTSTART:yesterday"))
        after, _ = listed(one, cursor)
        (answer,) = one.fetch("", ["uid-2"])
    assert after.keys() == before.keys()
    assert isinstance(after["uid-2"].object, Unreadable)
    assert isinstance(answer, Found)
    assert [name for name in before if before[name].etag != after[name].etag] == ["uid-2"]


def test_pain_2_an_error_while_looking_again_is_not_a_deletion() -> None:
    with serving(TEN) as server:
        one = upstream(server.url())
        listed(one)
        for answer, kind in ((Answer(status=500), UpstreamUnavailable), (Answer(status=401), LoginRefused)):
            server.set(answer)
            with pytest.raises(kind):
                one.fetch("", ["uid-that-is-missing"])


@pytest.mark.parametrize(
    ("start", "first"),
    [
        ("DTSTART;VALUE=DATE:20260714", "2026-07-13T22:00:00+00:00"),
        ("DTSTART:20260714", "2026-07-13T22:00:00+00:00"),
    ],
)
def test_pain_11_all_day_events_stay_days_whatever_zone_the_calendar_names(start: str, first: str) -> None:
    with serving(feed("X-WR-TIMEZONE:America/New_York", event("one", start))) as server:
        found, _ = listed(upstream(server.url()))
    obj = found["one"].object
    assert isinstance(obj, CalendarObject)
    (instance,) = expand(obj, obj.span.first, obj.span.last, zone=ZONE, limit=2)
    assert instant(instance.first, ZONE).isoformat() == first


def test_pain_12_a_feed_that_is_made_anew_for_each_request_causes_no_churn() -> None:
    def made(number: int) -> bytes:
        stamps = (f"LAST-MODIFIED:202601{number:02}T000000Z", f"CREATED:202601{number:02}T000000Z")
        return feed(event("one", *stamps, stamp=f"202601{number:02}T000000Z"))

    with serving(*(Answer(made(number), etag=f'"{number}"') for number in range(1, 9))) as server:
        one = upstream(server.url())
        before, cursor = listed(one)
        for _ in range(3):
            (page,) = one.changes("", cursor)
            assert page.items == ()
            assert page.cursor
            cursor = page.cursor
        after, _ = listed(one)
    assert before["one"].etag == after["one"].etag


def test_pain_13_a_feed_with_new_uids_on_each_fetch_gives_neither_doubles_nor_churn() -> None:
    def made(number: int, title: str = "Title 3") -> bytes:
        titles = ["Title 0", "Title 1", "Title 2", title]
        return feed(*(event(f"{number}-{day}", title=each, day=day + 1) for day, each in enumerate(titles)))

    with serving(*(made(number) for number in range(5)), made(5, "Changed"), made(6, "Changed")) as server:
        one = upstream(server.url())
        before, cursor = listed(one)
        for _ in range(2):
            (page,) = one.changes("", cursor)
            assert page.items == ()
        again = items(list(one.changes("", None)))
        after, cursor = listed(one, cursor)
        (page,) = one.changes("", cursor)
        assert page.items == ()
    assert {name: each.etag for name, each in again.items()} == {name: each.etag for name, each in before.items()}
    assert sorted(summary(each) for each in after.values()) == ["Changed", "Title 0", "Title 1", "Title 2"]
    assert len(before.keys() & after.keys()) == 3


@pytest.mark.parametrize("status", [429, 503])
def test_pain_21_a_server_that_asks_to_wait_is_heard_and_nothing_is_gone(status: int) -> None:
    with serving(TEN) as server:
        one = upstream(server.url())
        _, cursor = listed(one)
        server.set(Answer(status=status, headers={"Retry-After": "90"}))
        with pytest.raises(Throttled) as error:
            listed(one, cursor)
    assert error.value.after is not None
    assert error.value.after.total_seconds() == 90


def test_pain_22_a_server_that_says_304_for_ever_is_found_out_by_the_next_full_comparison() -> None:
    with serving(Answer(TEN, etag='"frozen"')) as server:
        one = upstream(server.url())
        _, cursor = listed(one)
        server.set(Answer(feed(event("new")), etag='"frozen"'))
        assert list(one.changes("", cursor)) == [Page((), cursor)]
        assert set(items(list(one.changes("", None)))) == {"new"}


def test_pain_22_a_full_comparison_goes_past_caches_that_stay_old() -> None:
    with serving(TEN) as server:
        listed(upstream(server.url()))
    first = server.requests[0].headers
    assert first["Cache-Control"] == "no-cache"
    assert "If-None-Match" not in first
    assert "If-Modified-Since" not in first


def test_pain_23_an_orphan_override_does_not_kill_the_feed() -> None:
    orphan = event("orphan", "RECURRENCE-ID;TZID=Europe/Berlin:20260712T170000", title="Moved")
    with serving(feed(event("one"), orphan, event("two"))) as server:
        found, _ = listed(upstream(server.url()))
    assert [(name, summary(each)) for name, each in found.items()] == [
        ("one", "Hair cut"),
        ("orphan", "Moved"),
        ("two", "Hair cut"),
    ]


def test_pain_23_events_without_uid_or_stamp_are_taken() -> None:
    bare = ("BEGIN:VEVENT", "DTSTART:20260714T150000Z", "SUMMARY:Bare", "END:VEVENT")
    with serving(feed(*bare)) as server:
        one = upstream(server.url())
        before, _ = listed(one)
        after, _ = listed(one)
    assert [summary(each) for each in before.values()] == ["Bare"]
    assert before.keys() == after.keys()


def test_pain_23_floating_times_of_a_calendar_that_names_its_zone_are_not_an_hour_off() -> None:
    body = feed("X-WR-TIMEZONE:Europe/London", event("one", "DTSTART:20260714T170000", "DTEND:20260714T180000"))
    with serving(body) as server:
        found, _ = listed(upstream(server.url()))
    obj = found["one"].object
    assert isinstance(obj, CalendarObject)
    assert obj.span.first.isoformat() == "2026-07-14T16:00:00+00:00"


def test_near_miss_appointments_of_no_length_are_kept() -> None:
    with serving(feed(event("one", "DTSTART:20260714T150000Z", "DTEND:20260714T150000Z"))) as server:
        assert set(listed(upstream(server.url()))[0]) == {"one"}


def test_near_miss_a_calendar_that_shows_free_and_busy_only_is_read() -> None:
    busy = [event(f"busy-{day}", title="Busy", day=day) for day in (1, 2, 3)]
    with serving(feed("METHOD:PUBLISH", *busy)) as server:
        assert len(listed(upstream(server.url()))[0]) == 3


def test_near_miss_two_masters_of_one_uid_are_both_kept() -> None:
    with serving(feed(event("one", day=7), event("one", day=14))) as server:
        assert len(listed(upstream(server.url()))[0]) == 2


CORPUS = [sample.raw for sample in samples() if len(sample.raw) < 4000]
FEEDS = st.lists(st.sampled_from(CORPUS), min_size=1, max_size=5, unique=True)


@settings(max_examples=40)
@given(FEEDS, st.floats(0, 1, exclude_max=True))
def test_wherever_a_feed_of_oddities_is_cut_it_is_no_listing(raws: list[bytes], share: float) -> None:
    body = whole(raws)
    cut = body[: int(len(body.rstrip()) * share)]
    with serving(Answer(cut, lengthless=True)) as server, pytest.raises(ListingDoubtful):
        upstream(server.url()).changes("", None)


@settings(max_examples=40)
@given(FEEDS)
def test_a_feed_of_oddities_is_listed_with_every_one_of_them(raws: list[bytes]) -> None:
    body = whole(raws)
    with serving(body) as server:
        one = upstream(server.url())
        found, cursor = listed(one)
        (page,) = one.changes("", cursor)
        assert page.items == ()
        assert {type(each) for each in one.fetch("", list(found))} <= {Found}
    assert readable(split(body)) <= uids(each.object for each in found.values())


@settings(max_examples=40)
@given(FEEDS, st.data())
def test_whatever_is_done_to_a_feed_it_is_doubtful_or_nothing_readable_is_missing(
    raws: list[bytes], data: st.DataObject
) -> None:
    body = whole(raws)
    at = data.draw(st.integers(0, len(body)))
    other = data.draw(st.sampled_from([b"", b"\r\n", b"END:VEVENT\r\n", b"BEGIN:VEVENT\r\n", b"\xff", b":", b"\0"]))
    harmed = body[:at] + other + body[at + data.draw(st.integers(0, 30)) :]
    with serving(harmed) as server:
        try:
            found, _ = listed(upstream(server.url()))
        except ListingDoubtful:
            return
    assert readable(split(harmed)) <= uids(each.object for each in found.values())


def whole(raws: list[bytes]) -> bytes:
    """One calendar of several: what is in each of them, without its first and last line."""
    inner: list[bytes] = []
    for raw in raws:
        text = raw.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n").replace(b"\r", b"\n").strip(b"\n ")
        inner += (line for line in text.split(b"\n") if b"VCALENDAR" not in line.upper())
    return b"".join(line + b"\r\n" for line in (b"BEGIN:VCALENDAR", *inner, b"END:VCALENDAR"))


def readable(pieces: Iterable[bytes]) -> set[str]:
    """The UIDs of those pieces that can be read one by one."""
    found = set()
    for piece in pieces:
        try:
            found.add(parse(piece, zone=ACCOUNT_ZONE, max_instances=10_000).uid)
        except ObjectRefused:
            continue
    return found


def uids(objects: Iterable[CalendarObject | Unreadable | None]) -> set[str]:
    """The UIDs, also as they were before several appointments of one UID were told apart."""
    plain = {obj.uid for obj in objects if isinstance(obj, CalendarObject)}
    return plain | {uid.rpartition("#")[0] for uid in plain}
