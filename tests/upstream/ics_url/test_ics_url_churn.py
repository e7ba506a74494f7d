"""Feeds whose every fetch, or whose every day, has other UIDs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.core.model import CalendarObject
from bridge.upstream.powers import Remembering
from tests.upstream.ics_url.feed_server import Answer, event, feed, listed, serving, summary, upstream

if TYPE_CHECKING:
    from collections.abc import Mapping


def test_it_is_noticed_at_the_first_listing() -> None:
    with serving(*(churned(number) for number in range(9))) as server:
        first, cursor = listed(upstream(server.url()))
        again, _ = listed(upstream(server.url()), cursor)
        anew, _ = listed(upstream(server.url()))
    assert again == {}
    assert {name: one.etag for name, one in first.items()} == {name: one.etag for name, one in anew.items()}
    assert {summary(one) for one in first.values()} == {"Title 0", "Title 1", "Title 2", "Title 3"}


def test_objects_have_uids_that_stay_as_long_as_they_are_what_they_are() -> None:
    with serving(*(churned(number) for number in range(9))) as server:
        first, _ = listed(upstream(server.url()))
        again, _ = listed(upstream(server.url()))
    assert uids(first) == uids(again)
    assert len(uids(first)) == 4


def test_a_change_is_that_of_one_object_alone() -> None:
    with serving(churned(1), churned(2), churned(3, events=5)) as server:
        one = upstream(server.url())
        first, cursor = listed(one)
        again, cursor = listed(one, cursor)
        assert len(again.keys() - first.keys()) == 1
        assert first.keys() < again.keys()
        assert listed(one, cursor)[0] == {}


def test_it_is_noticed_later_where_it_comes_once_a_day_only() -> None:
    with serving(Answer(churned(1), etag='"1"')) as server:
        first, cursor = listed(upstream(server.url()))
        assert set(first) == {f"uid-1-{number}" for number in range(4)}
        server.set(Answer(churned(2), etag='"2"'))
        second, cursor = listed(upstream(server.url()), cursor)
        assert not first.keys() & second.keys()
        server.set(Answer(churned(3), etag='"3"'))
        assert listed(upstream(server.url()), cursor)[0] == {}


def test_a_listing_from_the_start_stays_with_it_where_it_is_told_the_last_cursor() -> None:
    with serving(Answer(churned(1), etag='"1"')) as server:
        _, cursor = listed(upstream(server.url()))
        server.set(Answer(churned(2), etag='"2"'))
        second, cursor = listed(upstream(server.url()), cursor)
        server.set(Answer(churned(3), etag='"3"'))
        fresh = upstream(server.url())
        assert isinstance(fresh, Remembering)
        fresh.recall("", cursor)
        third, _ = listed(fresh)
    assert {name: one.etag for name, one in second.items()} == {name: one.etag for name, one in third.items()}


def test_a_person_who_makes_everything_anew_in_a_small_calendar_is_no_churn() -> None:
    with serving(feed(event("one"))) as server:
        one = upstream(server.url())
        _, cursor = listed(one)
        server.give(feed(event("two")))
        assert set(listed(one, cursor)[0]) == {"two"}


def test_a_change_between_two_looks_is_no_churn() -> None:
    with serving(feed(event("one")), feed(event("one"), event("two", day=15))) as server:
        assert set(listed(upstream(server.url()))[0]) == {"one", "two"}


def test_unreadable_ones_keep_their_names_too() -> None:
    bodies = [churned(number, "DTSTART:nonsense") for number in range(4)]
    with serving(*bodies) as server:
        first, _ = listed(upstream(server.url()))
        again, _ = listed(upstream(server.url()))
    assert first.keys() == again.keys()
    assert len(first) == 5


def test_those_that_look_the_same_are_both_kept() -> None:
    def twins(number: int) -> bytes:
        return feed(*(event(f"{number}-{which}", title="Busy", day=day) for which, day in enumerate((1, 1, 2, 3))))

    with serving(*(twins(number) for number in range(6))) as server:
        first, _ = listed(upstream(server.url()))
        again, _ = listed(upstream(server.url()))
    assert len(first) == 4
    assert first.keys() == again.keys()


def churned(number: int, *bad: str, events: int = 4) -> bytes:
    """The same events under other UIDs for each number."""
    content = [event(f"uid-{number}-{which}", title=f"Title {which}", day=which + 1) for which in range(events)]
    return feed(*content, *(event(f"bad-{number}", line) for line in bad))


def uids(found: Mapping[str, object]) -> set[str]:
    objects = [getattr(one, "object", None) for one in found.values()]
    return {obj.uid for obj in objects if isinstance(obj, CalendarObject)}
