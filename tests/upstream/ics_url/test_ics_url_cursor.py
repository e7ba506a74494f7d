from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bridge.upstream.ics_url.cursor import Cursor, Identity, Stability, read_cursor, sample, stability, text_hash
from bridge.upstream.ics_url.fetching import Validators
from tests.upstream.ics_url.feed_server import ZONE, event, feed, read

if TYPE_CHECKING:
    from bridge.core.model import CalendarObject

CURSOR = Cursor("0123", Validators('W/"\u20ac"', "Wed"), "abc", 3, Identity.CONTENT, {"a": "b"})


def test_a_cursor_is_read_as_it_was_written() -> None:
    assert read_cursor(CURSOR.write()) == CURSOR


@pytest.mark.parametrize(
    "text",
    [
        *("", "{}", "[]", "null", "12", "garbage", CURSOR.write()[:-1]),
        CURSOR.write().replace('"version":1', '"version":2'),
        CURSOR.write().replace('"count":3', '"count":"x"'),
        CURSOR.write().replace('"content"', '"colour"'),
        CURSOR.write().replace('{"a":"b"}', "7"),
    ],
)
def test_any_other_text_is_no_cursor(text: str) -> None:
    assert read_cursor(text) is None


def test_a_cursor_is_short_whatever_the_length_of_the_feed() -> None:
    objects = [read(feed(event(f"uid-{number}", title=f"Title {number}"))) for number in range(300)]
    cursor = Cursor("0123", Validators(), "abc", 300, Identity.UID, sample(objects, zone=ZONE))
    assert len(cursor.sample) == 64
    assert len(cursor.write()) < 2000


def test_a_sample_holds_the_same_objects_again_as_long_as_they_are_there() -> None:
    objects = [read(feed(event(f"uid-{number}", title=f"Title {number}"))) for number in range(200)]
    before, after = sample(objects, zone=ZONE), sample(objects[:0:-1], zone=ZONE)
    assert len(before.keys() & after.keys()) >= 63


def test_a_sample_leaves_out_those_that_look_like_another() -> None:
    objects = [read(feed(event(uid))) for uid in ("one", "two")]
    assert sample(objects, zone=ZONE) == {}
    assert len(sample(objects[:1], zone=ZONE)) == 1


def test_stamps_and_folds_do_not_count_in_a_text() -> None:
    first = feed(event("one", title="A long title"))
    again = feed(event("one", "LAST-MODIFIED:20260101T000000Z", title="A long\r\n  title", stamp="20270101T000000Z"))
    assert text_hash(first, Identity.UID) == text_hash(again, Identity.UID)
    assert text_hash(first, Identity.UID) != text_hash(feed(event("one", title="Another")), Identity.UID)


def test_uids_count_as_long_as_objects_go_by_them() -> None:
    first, again = feed(event("one")), feed(event("two"))
    assert text_hash(first, Identity.UID) != text_hash(again, Identity.UID)
    assert text_hash(first, Identity.CONTENT) == text_hash(again, Identity.CONTENT)


@pytest.mark.parametrize(
    ("before", "after", "verdict"),
    [
        ("", "", Stability.UNCLEAR),
        ("", "a1 b1", Stability.UNCLEAR),
        ("a1 b1", "a1 b1", Stability.STABLE),
        ("a1 b1", "a1 c1", Stability.STABLE),
        ("a1 b1", "a1 b2", Stability.STABLE),
        ("a1", "b1", Stability.UNCLEAR),
        ("a1 b1 c1", "a2 b2 c2", Stability.CHURNING),
        ("a1 b1 c1 d1", "a2 b2 c2 d1", Stability.CHURNING),
        ("a1 b1", "a2 b2", Stability.UNCLEAR),
        ("a1 b1 c1 d1 e1 f1", "a2 b2 c2", Stability.UNCLEAR),
    ],
)
def test_most_of_what_is_still_there_has_to_have_lost_its_uid(before: str, after: str, verdict: Stability) -> None:
    """A letter is what an event looks like, the word its UID."""

    def objects(text: str) -> list[CalendarObject]:
        return [read(feed(event(word, title=word[0]))) for word in text.split()]

    assert stability(sample(objects(before), zone=ZONE), objects(after), zone=ZONE) is verdict


def test_an_event_that_was_moved_is_known_by_its_uid() -> None:
    before = sample([read(feed(event("one")))], zone=ZONE)
    assert stability(before, [read(feed(event("one", day=15)))], zone=ZONE) is Stability.STABLE
