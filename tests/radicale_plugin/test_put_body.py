"""A body is read whole and bounded, whatever the client says of it."""

from __future__ import annotations

import gzip
import io
from typing import Any

import pytest

from bridge.errors import NotACalendar
from bridge.radicale_plugin.put_body import as_utf8, reading_places, take
from bridge.radicale_plugin.refusal import Refused


def environ(raw: bytes, **more: str) -> dict[str, Any]:
    return {"wsgi.input": io.BytesIO(raw), **more}


def test_a_body_of_known_length_is_read_to_that_length() -> None:
    assert take(environ(b"hello world", CONTENT_LENGTH="5"), limit=100) == b"hello"


def test_a_chunked_body_is_read_to_its_end_and_put_back_for_radicale() -> None:
    sent = environ(b"hello")
    assert take(sent, limit=100) == b"hello"
    assert sent["CONTENT_LENGTH"] == "5"
    assert sent["wsgi.input"].read() == b"hello"


def test_no_more_than_the_limit_is_read_of_a_body_without_length() -> None:
    sent = environ(b"x" * 1_000_000)
    source = sent["wsgi.input"]
    with pytest.raises(Refused) as refused:
        take(sent, limit=1000)
    assert refused.value.status == 413
    assert source.tell() <= 70_000


def test_nothing_is_read_of_a_body_that_is_announced_too_long() -> None:
    sent = environ(b"x" * 2000, CONTENT_LENGTH="2000")
    with pytest.raises(Refused):
        take(sent, limit=1000)
    assert sent["wsgi.input"].tell() == 0


@pytest.mark.parametrize("length", ["-1", "abc", "1e3", "٣", "10"])
def test_a_length_that_is_not_so_is_a_bad_request(length: str) -> None:
    with pytest.raises(Refused) as refused:
        take(environ(b"short", CONTENT_LENGTH=length), limit=1000)
    assert refused.value.status == 400


def test_a_packed_body_is_unpacked_up_to_the_limit() -> None:
    packed = gzip.compress(b"x" * 1000)
    assert take(environ(packed, HTTP_CONTENT_ENCODING="GZIP"), limit=1000) == b"x" * 1000
    with pytest.raises(Refused) as refused:
        take(environ(packed, HTTP_CONTENT_ENCODING="gzip"), limit=999)
    assert refused.value.status == 413


def test_text_in_another_character_set_becomes_utf_8() -> None:
    assert as_utf8("é".encode("latin-1"), 'text/calendar; charset="ISO-8859-1"; component=VEVENT') == "é".encode()
    assert as_utf8(b"\xff", "text/calendar") == b"\xff"


@pytest.mark.parametrize("charset", ["no-such", "ascii", "utf-16", "rot13", "hex"])
def test_a_character_set_that_is_not_so_is_refused(charset: str) -> None:
    with pytest.raises(NotACalendar):
        as_utf8("é\u20ac".encode(), f"text/calendar; charset={charset}")


def test_a_body_that_finds_no_place_is_not_read_and_may_come_again() -> None:
    places = reading_places(1)
    sent = environ(b"hello", CONTENT_LENGTH="5")
    with places.one("anna"), pytest.raises(Refused) as refused:
        take(sent, limit=100, places=places, whose="ben")
    assert refused.value.status == 503
    assert dict(refused.value.answer()[1])["Retry-After"] == "5"
    assert sent["wsgi.input"].tell() == 0
    assert take(sent, limit=100, places=places, whose="ben") == b"hello"


@pytest.mark.parametrize("more", [{"CONTENT_LENGTH": "0"}, {"SERVER_PROTOCOL": "HTTP/1.1"}])
def test_a_request_without_a_body_needs_no_place(more: dict[str, str]) -> None:
    places = reading_places(1)
    with places.one("anna"):
        assert take(environ(b"", **more), limit=100, places=places, whose="ben") == b""
