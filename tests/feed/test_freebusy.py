from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import vobject

from bridge.feed.entry import FeedSettings, Rendered
from bridge.feed.freebusy import render_freebusy
from tests.feed.material import AMSTERDAM, TODAY, component, entry, read, stream, unfolded

if TYPE_CHECKING:
    from bridge.feed.entry import FeedEntry


def free_busy(*entries: FeedEntry, **settings: frozenset[str]) -> Rendered:
    chosen = FeedSettings(name="Anna", past=timedelta(days=1), future=timedelta(days=30), **settings)  # type: ignore[arg-type]
    return render_freebusy(entries, chosen, zone=AMSTERDAM, today=TODAY, uid="feed@calbridge")


def times(body: bytes) -> list[str]:
    vobject.readOne(body.decode())
    return [line.rpartition(":")[2] for line in unfolded(body).split("\r\n") if line.startswith("FREEBUSY")]


def test_only_what_blocks_is_in_and_nothing_but_times() -> None:
    entries = [
        entry(stream(component("SUMMARY:Secret", uid="a"))),
        entry(stream(component("TRANSP:TRANSPARENT", "DTSTART:20261202T100000Z", "DURATION:PT1H", uid="b"))),
        entry(stream(component("STATUS:CANCELLED", "DTSTART:20261203T100000Z", "DURATION:PT1H", uid="c"))),
        entry(stream(component("DUE:20261201T100000Z", kind="VTODO", uid="d"))),
    ]
    result = free_busy(*entries)
    assert result.left_out == ()
    assert times(result.body) == ["20261201T090000Z/20261201T100000Z"]
    assert b"Secret" not in result.body
    (found,) = read(result.body).walk("VFREEBUSY")
    assert str(found["UID"]) == "feed@calbridge"
    assert found["DTSTAMP"].to_ical() == b"20261120T123000Z"


def test_the_bytes_do_not_depend_on_the_order_of_the_entries() -> None:
    entries = [entry(stream(component("RRULE:FREQ=DAILY;COUNT=3", uid=str(number)))) for number in range(3)]
    assert free_busy(*entries).body == free_busy(*reversed(entries)).body


def test_categories_choose_what_blocks() -> None:
    one = entry(stream(component("CATEGORIES:Massage")))
    assert times(free_busy(one, categories=frozenset({"massage"})).body) != []
    assert times(free_busy(one, categories=frozenset({"other"})).body) == []


def test_an_appointment_that_cannot_be_read_blocks_its_whole_span_and_is_reported() -> None:
    one = replace(
        entry(stream(component())),
        raw=b"nothing",
        first=datetime(2026, 12, 5, tzinfo=UTC),
        last=datetime(2026, 12, 6, tzinfo=UTC),
    )
    result = free_busy(one)
    assert times(result.body) == ["20261205T000000Z/20261206T000000Z"]
    assert [left.uid for left in result.left_out] == ["one@example.org"]
    gone = replace(one, last=one.first)
    assert times(free_busy(gone).body) == []


def test_free_busy_times_of_an_empty_feed_are_valid() -> None:
    assert times(free_busy().body) == []
