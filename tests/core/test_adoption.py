from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from bridge.core.adoption import Pair, churns, content_identities, content_identity, matches, normalised
from tests.core.core_samples import BERLIN, component, read, stream

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bridge.core.model import CalendarObject

NINE = ("DTSTART:20260714T090000Z", "DTEND:20260714T100000Z")


def event(uid: str, *content: str, kind: str = "VEVENT") -> CalendarObject:
    return read(stream(*component(*content, uid=uid, kind=kind)))


def keyed(objects: Iterable[CalendarObject]) -> dict[str, CalendarObject]:
    return {obj.uid: obj for obj in objects}


def matched(here: Iterable[CalendarObject], there: Iterable[CalendarObject]) -> set[tuple[str, str]]:
    return {(pair.here, pair.there) for pair in matches(keyed(here), keyed(there), zone=BERLIN)}


def same(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    return bool(matched([event("a", *one)], [event("b", *other)]))


def test_objects_of_one_uid_are_the_same_however_they_differ() -> None:
    here = {"h": event("a", *NINE, "SUMMARY:Cut")}
    there = {"t": event("a", "DTSTART:20260801T090000Z", "SUMMARY:Colour")}
    assert matches(here, there, zone=BERLIN) == (Pair("h", "t"),)


def test_objects_of_the_same_times_and_title_are_the_same() -> None:
    here = {"h": event("a", *NINE, "SUMMARY:Cut")}
    there = {"t": event("b", *NINE, "SUMMARY:Cut")}
    assert matches(here, there, zone=BERLIN) == (Pair("h", "t"),)


def test_the_uid_counts_before_the_looks() -> None:
    here = [event("a", *NINE, "SUMMARY:Cut"), event("b", *NINE, "SUMMARY:Cut")]
    there = [event("b", *NINE, "SUMMARY:Moved title"), event("c", *NINE, "SUMMARY:Cut")]
    assert matched(here, there) == {("b", "b"), ("a", "c")}


def test_an_event_and_a_to_do_of_one_uid_are_two() -> None:
    assert matched([event("a", *NINE)], [event("a", NINE[0], kind="VTODO")]) == set()


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (("DTSTART:20260714T090000Z", "DURATION:PT1H"), NINE),
        (("DTSTART;TZID=Europe/Berlin:20260714T110000", "DURATION:PT1H"), NINE),
        (("DTSTART:20260714T110000", "DTEND:20260714T120000"), NINE),
        (("DTSTART;VALUE=DATE:20260714",), ("DTSTART;VALUE=DATE:20260714", "DTEND;VALUE=DATE:20260715")),
    ],
)
def test_the_same_time_may_be_written_in_many_ways(ours: tuple[str, ...], theirs: tuple[str, ...]) -> None:
    assert same((*ours, "SUMMARY:Cut"), (*theirs, "SUMMARY:Cut"))


@pytest.mark.parametrize(
    "theirs",
    [
        ("DTSTART:20260714T090000Z", "DTEND:20260714T103000Z", "SUMMARY:Cut"),
        ("DTSTART:20260714T091500Z", "DTEND:20260714T100000Z", "SUMMARY:Cut"),
        (*NINE, "SUMMARY:Colour"),
        (*NINE, "SUMMARY:Cut", "RRULE:FREQ=DAILY"),
    ],
)
def test_another_time_title_or_rule_is_another_appointment(theirs: tuple[str, ...]) -> None:
    assert not same((*NINE, "SUMMARY:Cut"), theirs)


def test_a_whole_day_is_not_a_day_from_midnight_to_midnight() -> None:
    assert not same(
        ("DTSTART;VALUE=DATE:20260714", "SUMMARY:Cut"),
        ("DTSTART;TZID=Europe/Berlin:20260714T000000", "DURATION:P1D", "SUMMARY:Cut"),
    )


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Cut & colour", "cut  colour!"),
        ("Re: AW: Cut", "CUT"),
        ("Fwd : Cut", "cut"),
        ("Café", "Cafe\u0301"),
        ("STRASSE", "straße"),
        ("ＣＵＴ", "cut"),
    ],
)
def test_titles_are_compared_as_people_read_them(one: str, other: str) -> None:
    assert normalised(one) == normalised(other)


@pytest.mark.parametrize(("one", "other"), [("Cut 1", "Cut 2"), ("???", "!!!"), ("💇", "🎉"), ("", "x")])
def test_titles_that_differ_stay_different(one: str, other: str) -> None:
    assert normalised(one) != normalised(other)


def test_series_of_the_same_rule_are_the_same() -> None:
    ours = (*NINE, "SUMMARY:Cut", "RRULE:FREQ=WEEKLY;BYDAY=TU,TH")
    assert same(ours, (*NINE, "SUMMARY:Cut", "RRULE:BYDAY=TH,TU;INTERVAL=1;FREQ=WEEKLY"))
    assert same(ours, (*ours, "EXDATE:20260716T090000Z"))
    assert not same(ours, (*NINE, "SUMMARY:Cut", "RRULE:FREQ=WEEKLY;BYDAY=TU"))


def test_a_series_is_recognised_by_its_master_wherever_it_stands() -> None:
    master = component(*NINE, "SUMMARY:Cut", "RRULE:FREQ=DAILY;COUNT=5", uid="a")
    moved = component("RECURRENCE-ID:20260715T090000Z", "DTSTART:20260601T060000Z", "SUMMARY:Early", uid="a")
    theirs = event("b", *NINE, "SUMMARY:Cut", "RRULE:FREQ=DAILY;COUNT=5")
    assert matched([read(stream(*moved, *master))], [theirs]) == {("a", "b")}


def test_a_lone_instance_is_only_the_same_as_the_same_instance() -> None:
    first = ("RECURRENCE-ID:20260714T090000Z", *NINE, "SUMMARY:Cut")
    second = ("RECURRENCE-ID:20260715T090000Z", *NINE, "SUMMARY:Cut")
    assert same(first, first)
    assert not same(first, second)


def test_to_dos_without_a_time_are_recognised_by_their_title() -> None:
    here = [event("a", "SUMMARY:Order towels", kind="VTODO"), event("b", "SUMMARY:Call", kind="VTODO")]
    assert matched(here, [event("c", "SUMMARY:Order towels", kind="VTODO")]) == {("a", "c")}


def test_each_object_is_in_one_pair_at_most() -> None:
    here = [event(f"h{number}", *NINE, "SUMMARY:Cut") for number in range(3)]
    there = [event(f"t{number}", *NINE, "SUMMARY:Cut") for number in range(2)]
    pairs = matched(here, there)
    assert len(pairs) == 2
    assert len({one for one, _ in pairs}) == len({other for _, other in pairs}) == 2


def test_the_place_tells_apart_what_else_looks_the_same() -> None:
    here = [event("a", *NINE, "SUMMARY:Cut", "LOCATION:Room 1"), event("b", *NINE, "SUMMARY:Cut", "LOCATION:Room 2")]
    there = [event("c", *NINE, "SUMMARY:Cut", "LOCATION:room 2"), event("d", *NINE, "SUMMARY:Cut")]
    assert matched(here, there) == {("b", "c"), ("a", "d")}


def test_the_order_in_which_objects_come_does_not_matter() -> None:
    here = [event(f"h{number}", *NINE, f"SUMMARY:Cut {number % 3}") for number in range(9)]
    there = [event(f"t{number}", *NINE, f"SUMMARY:Cut {number % 4}") for number in range(9)]
    expected = matched(here, there)
    chance = random.Random(7)
    for _ in range(5):
        chance.shuffle(here)
        chance.shuffle(there)
        assert matched(here, there) == expected


def feed(uids: str, count: int = 6, *, fetched: str = "") -> list[CalendarObject]:
    return [
        event(
            f"{uids}{number}",
            f"DTSTART:202607{10 + number}T090000Z",
            f"SUMMARY:Guest {number}",
            f"DESCRIPTION:Fetched {fetched}",
        )
        for number in range(count)
    ]


def test_a_feed_of_new_uids_and_the_same_events_churns() -> None:
    assert churns(feed("monday-", fetched="8:00"), feed("tuesday-", fetched="9:00"), zone=BERLIN)


def test_a_feed_whose_uids_stay_does_not_churn() -> None:
    assert not churns(feed("a", fetched="8:00"), feed("a", fetched="9:00"), zone=BERLIN)


def test_a_feed_with_new_events_does_not_churn() -> None:
    new = [event(f"n{number}", f"DTSTART:202608{10 + number}T090000Z") for number in range(9)]
    assert not churns(feed("a"), [*feed("a"), *new], zone=BERLIN)
    assert not churns(feed("a"), new, zone=BERLIN)


def test_an_empty_feed_does_not_churn() -> None:
    assert not churns(feed("a"), [], zone=BERLIN)
    assert not churns([], feed("a"), zone=BERLIN)


def test_an_event_keeps_its_identity_under_another_uid_and_stamp() -> None:
    one = event("a", *NINE, "SUMMARY:Cut", "SEQUENCE:1")
    other = event("b", *NINE, "SUMMARY:Cut", "SEQUENCE:7", "LAST-MODIFIED:20260701T000000Z")
    assert content_identity(one, zone=BERLIN) == content_identity(other, zone=BERLIN)
    assert content_identity(one, zone=BERLIN) != content_identity(event("a", *NINE, "SUMMARY:Wash"), zone=BERLIN)


def test_events_that_look_the_same_are_numbered_by_what_else_they_hold() -> None:
    rooms = ("Room 2", "Room 1", "Room 3")
    once = [event(f"a{room}", *NINE, "SUMMARY:Cut", f"LOCATION:{room}") for room in rooms]
    again = [event(f"z{room}", *NINE, "SUMMARY:Cut", f"LOCATION:{room}") for room in sorted(rooms)]
    names, others = (
        dict(
            zip((str(obj.raw.count(b"Room 1")) + str(obj.raw.count(b"Room 2")) for obj in objects), found, strict=True)
        )
        for objects, found in ((found, content_identities(found, zone=BERLIN)) for found in (once, again))
    )
    assert names == others
    assert len(set(names.values())) == 3


def test_every_event_of_a_feed_has_an_identity_of_its_own() -> None:
    objects = [*feed("a"), *feed("b")]
    names = content_identities(objects, zone=BERLIN)
    assert len(set(names)) == len(objects)
    assert names[0] == content_identity(objects[0], zone=BERLIN)
    assert content_identities(feed("a"), zone=BERLIN) == content_identities(feed("c"), zone=BERLIN)
