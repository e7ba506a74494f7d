"""How long a server wants to be left alone is read from a number of seconds or from a date, and never overdone."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bridge.upstream.retry_after import retry_after

NOW = "Sat, 21 Nov 2026 12:00:00 GMT"


@pytest.mark.parametrize(
    ("said", "after"),
    [
        ("90", timedelta(seconds=90)),
        (" 90 ", timedelta(seconds=90)),
        ("9" * 30, timedelta(days=7)),
        ("Sat, 21 Nov 2026 12:05:00 GMT", timedelta(minutes=5)),
        ("Sat, 21 Nov 2026 12:05:00 -0000", timedelta(minutes=5)),
        ("Sat, 21 Nov 2026 11:00:00 GMT", timedelta(0)),
        ("Fri, 01 Jan 2100 00:00:00 GMT", timedelta(days=7)),
        ("soon", None),
        ("-5", None),
        ("", None),
    ],
)
def test_it_is_read_from_a_number_or_from_a_date(said: str, after: timedelta | None) -> None:
    assert retry_after({"retry-after": said, "date": NOW}) == after


@pytest.mark.parametrize("date", ["", "today"])
def test_a_date_says_nothing_where_the_server_does_not_tell_its_own(date: str) -> None:
    assert retry_after({"retry-after": "Sat, 21 Nov 2026 12:05:00 GMT", "date": date}) is None


def test_who_says_nothing_is_asked_again_in_its_turn() -> None:
    assert retry_after({"date": NOW}) is None
