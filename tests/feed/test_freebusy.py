from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
import vobject

from bridge.core.view import Detail
from bridge.feed.detail import hidden_uid
from bridge.feed.entry import FeedSettings, Rendered
from bridge.feed.freebusy import render_freebusy
from tests.feed.material import AMSTERDAM, CHANGED, TODAY, component, entry, read, rebuilt, shown, stream, unfolded

if TYPE_CHECKING:
    from bridge.feed.entry import FeedEntry

CHANGED_LATER = CHANGED + timedelta(hours=1)


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


def test_two_texts_under_one_uid_both_block() -> None:
    older = entry(stream(component("DTSTART:20261202T100000Z", "DURATION:PT1H")))
    newer = replace(entry(stream(component("DTSTART:20261203T100000Z", "DURATION:PT1H"))), changed_at=CHANGED_LATER)
    expected = ["20261202T100000Z/20261202T110000Z", "20261203T100000Z/20261203T110000Z"]
    assert times(free_busy(older, newer).body) == expected
    assert free_busy(older, newer).body == free_busy(newer, older).body


def test_the_periods_of_texts_under_one_uid_are_united() -> None:
    one = entry(stream(component("DTSTART:20261202T100000Z", "DURATION:PT1H")))
    other = entry(stream(component("DTSTART:20261202T103000Z", "DURATION:PT1H")))
    assert times(free_busy(one, other, one).body) == ["20261202T100000Z/20261202T113000Z"]


@pytest.mark.parametrize("is_ready", [True, False])
def test_a_busy_feed_shows_each_time_of_a_uid_once_under_uids_of_their_own(*, is_ready: bool) -> None:
    entries = [
        replace(entry(stream(component("SUMMARY:Room", "DTSTART:20261202T100000Z", "DURATION:PT1H")))),
        replace(entry(stream(component("SUMMARY:Host", "DTSTART:20261202T100000Z", "DURATION:PT1H")))),
        replace(entry(stream(component("DTSTART:20261203T100000Z", "DURATION:PT1H"))), changed_at=CHANGED_LATER),
    ]
    found = shown(*(each if is_ready else rebuilt(each) for each in entries), detail=Detail.BUSY)
    assert sorted(str(each["DTSTART"].to_ical().decode()) for each in found) == ["20261202T100000Z", "20261203T100000Z"]
    assert len({str(each["UID"]) for each in found}) == 2
    assert hidden_uid("one@example.org") in {str(each["UID"]) for each in found}
