from __future__ import annotations

import pytest

from bridge.errors import ListingDoubtful
from bridge.upstream.ics_url.whole import calendars, in_utf8
from tests.corpus.corpus import Sample, samples
from tests.upstream.ics_url.feed_server import event, feed, lines

WHOLE = feed("X-WR-CALNAME:Rota", event("one", "BEGIN:VALARM", "TRIGGER:-PT5M", "END:VALARM"), event("two"))


def found(body: bytes) -> int:
    return len(calendars(in_utf8(body, "", host="example.org"), host="example.org"))


def refusal(body: bytes) -> str:
    with pytest.raises(ListingDoubtful) as error:
        calendars(body, host="example.org")
    return str(error.value)


def test_wherever_a_feed_is_cut_it_is_noticed() -> None:
    end = len(WHOLE.rstrip())
    for at in range(end):
        assert refusal(WHOLE[:at])
    assert found(WHOLE[:end]) == found(WHOLE) == 1


def test_wherever_the_middle_is_missing_within_a_component_it_is_noticed() -> None:
    begin, end = WHOLE.index(b"BEGIN:VALARM"), WHOLE.index(b"BEGIN:VEVENT\r\nUID:two")
    for at in range(begin + 14, end - 14):
        assert refusal(WHOLE[:at] + WHOLE[end:])


@pytest.mark.parametrize("sample", samples(), ids=lambda sample: sample.name)
def test_what_real_producers_send_is_whole_and_is_not_when_half_of_it_is_missing(sample: Sample) -> None:
    assert found(sample.raw) == 1
    assert refusal(sample.raw[: len(sample.raw) // 2])


@pytest.mark.parametrize("body", [b"", b"\r\n \n", b"\xef\xbb\xbf", b"\0"])
def test_nothing_at_all_is_no_calendar(body: bytes) -> None:
    assert refusal(in_utf8(body, "", host="example.org"))


@pytest.mark.parametrize(
    "body",
    [
        b"<!DOCTYPE html><html><body>Please log in</body></html>",
        b"\n  <html>BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n",
        b"<?xml version='1.0'?><error/>",
    ],
)
def test_a_web_page_is_called_one(body: bytes) -> None:
    assert "web page" in refusal(body)


@pytest.mark.parametrize(
    "body",
    [
        b'{"error": "not found"}',
        b"BEGIN:VCARD\r\nEND:VCARD\r\n",
        lines(event("one")),
        b"<br />PHP Warning\r\n" + WHOLE,
        b"Warning: mysql_connect()\r\n" + WHOLE,
        WHOLE + b"Fatal error: out of memory",
        WHOLE + b"BEGIN:VCALEN",
        WHOLE + b"noise\r\n" + WHOLE,
        b"END:VCALENDAR\r\n" + WHOLE,
    ],
)
def test_something_else_than_a_calendar_or_beside_one_is_no_calendar(body: bytes) -> None:
    assert refusal(body)


def test_a_calendar_that_begins_within_another_is_the_next_after_a_cut() -> None:
    assert "cut off" in refusal(WHOLE[:-60] + WHOLE)


def test_an_empty_calendar_is_whole() -> None:
    assert found(feed()) == 1


def test_several_calendars_one_after_another_are_all_found() -> None:
    assert found(WHOLE + b"\r\n" + feed() + WHOLE) == 3


@pytest.mark.parametrize(
    "body",
    [
        WHOLE.rstrip(),
        b"\r\n\r\n" + WHOLE + b"\r\n\r\n",
        WHOLE.replace(b"\r\n", b"\n"),
        WHOLE.replace(b"\r\n", b"\r"),
        WHOLE.replace(b"\r\n", b"\r\r\n"),
        WHOLE.replace(b"BEGIN:VEVENT", b"BEGIN:VEV\r\n ENT"),
        WHOLE.lower(),
        WHOLE.replace(b"END:VALARM", b"END:VALRAM"),
    ],
)
def test_how_lines_end_and_names_are_spelled_does_not_matter(body: bytes) -> None:
    assert found(body) == 1


def test_the_properties_of_a_calendar_are_found_before_and_behind_its_events() -> None:
    (calendar,) = calendars(
        feed("x-wr-calname;X-A=b:Ro\r\n ta", event("one"), "METHOD:PUBLISH", "METHOD:CANCEL"), host="example.org"
    )
    assert calendar.header["X-WR-CALNAME"] == "Rota"
    assert calendar.header["METHOD"] == "PUBLISH"
    assert "SUMMARY" not in calendar.header


def test_nothing_of_a_calendar_is_shown() -> None:
    assert "Hair cut" not in repr(calendars(WHOLE, host="example.org"))


TEXT = "BEGIN:VCALENDAR\r\nX-WR-CALNAME:K\u00f6ln \u20ac\r\nEND:VCALENDAR\r\n"


@pytest.mark.parametrize(
    ("written", "charset"),
    [
        *(("utf-8", ""), ("utf-8", "utf-8"), ("utf-8", "UTF8"), ("utf-8-sig", ""), ("utf-8-sig", "iso-8859-1")),
        *(("utf-16", ""), ("utf-16", "utf-8"), ("utf-8", "no-such-charset"), ("utf-8", "a\0b")),
        *(("iso-8859-15", "ISO-8859-15"), ("cp1252", "windows-1252"), ("utf-8", "us-ascii")),
    ],
)
def test_a_mark_at_the_start_counts_before_what_the_server_says_and_that_before_utf8(
    written: str, charset: str
) -> None:
    assert in_utf8(TEXT.encode(written), charset, host="example.org").removeprefix(b"\xef\xbb\xbf") == TEXT.encode()


def test_what_cannot_be_read_as_the_server_says_is_doubtful() -> None:
    with pytest.raises(ListingDoubtful, match="not written in shift_jis"):
        in_utf8(b"BEGIN:VCALENDAR\r\n\x81", "shift_jis", host="example.org")
    with pytest.raises(ListingDoubtful, match="hex"):
        in_utf8(b"BEGIN:VCALENDAR", "hex", host="example.org")
