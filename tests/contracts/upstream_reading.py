"""What an adapter must tell of a calendar that other people change."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import hypothesis
import hypothesis.strategies as st
import pytest

from bridge.core.canonical import digest
from bridge.core.model import CalendarObject
from bridge.upstream.powers import TellsAll
from bridge.upstream.protocol import Changed, Found, Gone, Unreadable
from tests.contracts.upstream import (
    Mirror,
    Remote,
    Somebody,
    UpstreamContract,
    calendar_of,
    digest_of,
    found,
    put_oddly,
)
from tests.contracts.upstream_samples import APPOINTMENTS, TOO_DENSE, appointment, new, text

if TYPE_CHECKING:
    from bridge.upstream.protocol import Upstream


class ReadingContract(UpstreamContract):
    """How an adapter tells what there is: other people change the calendar, the adapter only reads."""

    def test_a_connection_lists_the_calendar_with_its_name_and_what_it_holds(
        self, upstream: Upstream, remote: Remote
    ) -> None:
        listed = calendar_of(upstream, remote)

        assert listed.writable is remote.known.capabilities.writable
        assert {str(component) for component in listed.components} == remote.known.lists
        assert len({each.id for each in upstream.calendars()}) == len(upstream.calendars())

    def test_the_id_of_a_calendar_is_the_same_for_every_connection(self, remote: Remote, calendar: str) -> None:
        again = remote.connect()

        assert calendar_of(again, remote).id == calendar

        again.close()

    def test_an_empty_calendar_has_nothing_and_a_cursor(self, upstream: Upstream, calendar: str) -> None:
        pages = list(upstream.changes(calendar, None))

        assert [item for page in pages for item in page.items if isinstance(item, Changed)] == []
        assert pages[-1].cursor
        assert list(upstream.fetch(calendar, [])) == []

    def test_a_full_listing_has_each_object_with_the_etag_that_a_fetch_gives(
        self, upstream: Upstream, calendar: str, somebody: Somebody
    ) -> None:
        for uid in "abc":
            somebody.put(appointment(uid))

        mirror = Mirror(upstream, calendar)

        assert len(mirror.etags) == 3
        fetched = {each.remote_id: each for each in upstream.fetch(calendar, list(mirror.etags))}
        assert {name: each.etag for name, each in fetched.items() if isinstance(each, Found)} == mirror.etags
        assert not any(etag.startswith(('"', "W/")) for etag in mirror.etags.values())

    def test_an_object_that_comes_with_a_listing_is_the_one_that_a_fetch_gives(
        self, upstream: Upstream, calendar: str, somebody: Somebody
    ) -> None:
        for uid in "ab":
            somebody.put(appointment(uid))
        told = {
            item.remote_id: item.object.uid
            for page in upstream.changes(calendar, None)
            for item in page.items
            if isinstance(item, Changed) and isinstance(item.object, CalendarObject)
        }

        fetched = {each.remote_id: uid for uid, each in found(upstream, calendar).items()}

        assert told.items() <= fetched.items()
        assert set(fetched.values()) == {"a", "b"}

    def test_what_is_told_of_a_whole_calendar_is_what_a_fetch_gives(
        self, upstream: Upstream, calendar: str, somebody: Somebody, remote: Remote
    ) -> None:
        for uid in "ab":
            somebody.put(appointment(uid))

        told = (
            {each.remote_id: each for each in upstream.everything(calendar)} if isinstance(upstream, TellsAll) else {}
        )

        fetched = {each.remote_id: each for each in found(upstream, calendar).values()}
        assert told == (fetched if remote.known.tells_all else {})
        assert len(fetched) == 2

    def test_a_cursor_of_an_unchanged_calendar_tells_of_no_loss_and_stays_good(
        self, upstream: Upstream, calendar: str, somebody: Somebody, remote: Remote
    ) -> None:
        somebody.put(appointment("a"))
        remote.settle()
        mirror = Mirror(upstream, calendar)
        before = dict(mirror.etags)

        for _ in range(2):
            assert not any(isinstance(item, Gone) for item in mirror.follow())

        assert (mirror.etags, mirror.expired) == (before, 0)

    def test_a_cursor_tells_what_was_put_changed_removed_and_put_again(
        self, upstream: Upstream, calendar: str, somebody: Somebody, remote: Remote
    ) -> None:
        for uid in ("stays", "changes", "goes", "returns"):
            somebody.put(appointment(uid))
        mirror = Mirror(upstream, calendar)
        ids = {uid: each.remote_id for uid, each in found(upstream, calendar).items()}
        before = dict(mirror.etags)

        somebody.put(appointment("comes"))
        somebody.put(appointment("changes", "Colour"))
        somebody.remove("goes")
        somebody.remove("returns")
        somebody.put(appointment("returns", "Shave"))
        mirror.follow()

        now = found(upstream, calendar)
        assert set(now) == {"stays", "changes", "comes", "returns"}
        assert mirror.etags == {each.remote_id: each.etag for each in now.values()}
        assert mirror.etags[ids["stays"]] == before[ids["stays"]]
        assert mirror.etags[ids["changes"]] != before[ids["changes"]]
        # Without a delta, a cursor says no more than that something has changed.
        assert bool(mirror.expired) is not remote.known.capabilities.delta

    def test_the_adapter_declares_what_the_provider_can_do(
        self, upstream: Upstream, calendar: str, somebody: Somebody, remote: Remote
    ) -> None:
        mirror = Mirror(upstream, calendar)
        somebody.put(appointment("a"))
        mirror.follow()

        assert upstream.capabilities == remote.known.capabilities

    def test_a_cursor_used_twice_tells_the_same_again(
        self, upstream: Upstream, calendar: str, somebody: Somebody
    ) -> None:
        somebody.put(appointment("goes"))
        first, second = Mirror(upstream, calendar), Mirror(upstream, calendar)
        somebody.remove("goes")
        somebody.put(appointment("comes"))
        second.cursor = first.cursor

        first.follow()
        second.follow()

        assert first.etags == second.etags
        assert len(first.etags) == 1

    def test_what_is_told_a_second_time_harms_nothing(
        self, upstream: Upstream, calendar: str, somebody: Somebody
    ) -> None:
        mirror = Mirror(upstream, calendar)
        early = mirror.cursor
        somebody.put(appointment("a"))
        somebody.put(appointment("b"))
        mirror.follow()
        somebody.remove("b")
        mirror.follow()
        after = dict(mirror.etags)

        mirror.cursor = early
        mirror.follow()

        assert mirror.etags == after

    def test_a_made_up_cursor_is_expired_and_nothing_is_gone(
        self, upstream: Upstream, calendar: str, somebody: Somebody
    ) -> None:
        somebody.put(appointment("a"))
        mirror = Mirror(upstream, calendar)
        before = dict(mirror.etags)

        mirror.cursor = "made-up"
        told = mirror.follow()

        assert mirror.expired == 1
        assert not any(isinstance(item, Gone) and item.remote_id in before for item in told)
        assert mirror.etags == before

    @hypothesis.settings(
        max_examples=6, suppress_health_check=list(hypothesis.HealthCheck), phases=[hypothesis.Phase.generate]
    )
    @hypothesis.given(
        st.lists(st.lists(st.tuples(st.sampled_from("abcd"), st.booleans()), max_size=4), min_size=1, max_size=3)
    )
    def test_all_that_the_cursors_told_together_is_the_full_listing(
        self, upstream: Upstream, calendar: str, somebody: Somebody, rounds: list[list[tuple[str, bool]]]
    ) -> None:
        mirror = Mirror(upstream, calendar)
        for edits in rounds:
            for uid, keeps in edits:
                somebody.put(appointment(uid, uuid.uuid4().hex))
                if not keeps:
                    somebody.remove(uid)
            mirror.follow()

            assert mirror.etags == Mirror(upstream, calendar).etags

    def test_one_answer_comes_for_each_of_many_and_only_what_is_missing_is_gone(
        self, upstream: Upstream, calendar: str, somebody: Somebody
    ) -> None:
        for number in range(120):
            somebody.put(appointment(f"no-{number}"), name=f"{number}.ics")
        everything = found(upstream, calendar)
        assert len(everything) == 120
        removed = {everything[f"no-{number}"].remote_id for number in range(0, 120, 40)}
        for number in range(0, 120, 40):
            somebody.remove(f"no-{number}")

        answers = list(upstream.fetch(calendar, [each.remote_id for each in everything.values()]))

        assert len(answers) == 120
        assert {each.remote_id for each in answers if isinstance(each, Gone)} == removed
        assert sum(isinstance(each, Found) for each in answers) == 120 - len(removed)

    def test_only_missing_objects_are_gone_too(self, upstream: Upstream, calendar: str, somebody: Somebody) -> None:
        for uid in "ab":
            somebody.put(appointment(uid))
        ids = [each.remote_id for each in found(upstream, calendar).values()]
        for uid in "ab":
            somebody.remove(uid)

        assert sorted(upstream.fetch(calendar, ids), key=str) == sorted((Gone(each) for each in ids), key=str)

    @pytest.mark.parametrize("name", APPOINTMENTS)
    def test_what_somebody_put_is_read_with_its_meaning(
        self, upstream: Upstream, calendar: str, somebody: Somebody, remote: Remote, name: str
    ) -> None:
        raw = text("sample", APPOINTMENTS[name])
        taken = somebody.offer(raw)

        read = found(upstream, calendar)

        assert taken is (name not in remote.known.refuses)
        assert set(read) == {"sample"} if taken else not read
        same = {digest_of(each) == digest(new("sample", APPOINTMENTS[name])) for each in read.values()}
        assert same <= {name not in remote.known.rewrites}

    def test_objects_under_odd_names_are_listed_fetched_and_followed(
        self, upstream: Upstream, calendar: str, somebody: Somebody, remote: Remote
    ) -> None:
        kept = put_oddly(somebody, remote.known)
        mirror = Mirror(upstream, calendar)

        read = found(upstream, calendar)

        assert set(read) == kept
        assert {each.remote_id for each in read.values()} == set(mirror.etags)
        for uid in kept:
            somebody.remove(uid)
        mirror.follow()
        assert mirror.etags == {}

    def test_an_object_that_nobody_can_use_is_unreadable_but_there_and_the_rest_goes_on(
        self, upstream: Upstream, calendar: str, somebody: Somebody, remote: Remote
    ) -> None:
        somebody.put(appointment("before"))
        kept = somebody.offer(text("dense", TOO_DENSE))
        somebody.put(appointment("after"))

        answers = list(upstream.fetch(calendar, list(Mirror(upstream, calendar).etags)))

        unreadable = [
            each.object for each in answers if isinstance(each, Found) and isinstance(each.object, Unreadable)
        ]
        assert kept is remote.known.keeps_too_dense
        assert [bool(each.reason) for each in unreadable] == [True] * kept
        assert len(answers) == 2 + kept
        assert set(found(upstream, calendar)) == {"before", "after"}
