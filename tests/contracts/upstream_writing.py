"""What an adapter must do when the engine writes: once for each request, never over what it has not seen."""

from __future__ import annotations

from contextlib import closing, suppress
from functools import partial
from typing import TYPE_CHECKING

import pytest

from bridge.core.canonical import digest
from bridge.errors import (
    CalendarReadOnly,
    RemoteChanged,
    RemoteRefused,
    UidTaken,
    UpstreamError,
)
from tests.contracts.upstream import (
    Mirror,
    Remote,
    Somebody,
    UpstreamContract,
    calendar_of,
    digest_of,
    found,
    put_oddly,
    refused,
    request_id,
)
from tests.contracts.upstream_samples import APPOINTMENTS, COMPONENTS, SERIES, appointment, new, plain, text
from tests.fakes.faults import around, faults

if TYPE_CHECKING:
    from collections.abc import Callable

    from bridge.upstream.protocol import Found, Stored, Upstream
    from tests.fakes.faults import Request


class WritingContract(UpstreamContract):
    """An adapter that writes."""

    def test_what_was_created_is_what_a_reader_gets(self, upstream: Upstream, calendar: str) -> None:
        stored = upstream.create(calendar, plain("a"), request_id())

        read = found(upstream, calendar)["a"]
        assert (stored.remote_id, stored.etag) == (read.remote_id, read.etag)
        assert digest_of(stored) == digest_of(read)
        assert Mirror(upstream, calendar).etags == {stored.remote_id: stored.etag}

    @pytest.mark.parametrize("name", APPOINTMENTS)
    def test_what_was_written_comes_back_with_its_meaning(
        self, upstream: Upstream, calendar: str, remote: Remote, name: str
    ) -> None:
        wanted = new("sample", APPOINTMENTS[name])
        stored: list[Stored] = []
        taken = not refused(RemoteRefused, lambda: stored.append(upstream.create(calendar, wanted, request_id())))

        read = found(upstream, calendar)

        assert taken is (name not in remote.known.refuses)
        assert set(read) == ({"sample"} if taken else set())
        answers: list[Found | Stored] = [*stored, *read.values()]
        same = {digest_of(each) == digest(wanted) for each in answers}
        assert same <= {name not in remote.known.rewrites}
        assert [(each.remote_id, each.etag) for each in stored] == [
            (each.remote_id, each.etag) for each in read.values()
        ]

    def test_what_is_declared_of_texts_and_series_is_what_the_samples_showed(self, remote: Remote) -> None:
        harmed = remote.known.rewrites | remote.known.refuses

        assert remote.known.capabilities.keeps_text is not bool(remote.known.rewrites)
        assert remote.known.capabilities.holds_series is harmed.isdisjoint(SERIES)

    def test_every_component_type_that_it_takes_is_kept_and_others_are_refused(
        self, upstream: Upstream, calendar: str, remote: Remote
    ) -> None:
        taken = {
            name
            for name, body in COMPONENTS.items()
            if not refused(RemoteRefused, lambda: upstream.create(calendar, new(name, body), request_id()))  # noqa: B023 -- called at once
        }

        assert taken == remote.known.takes
        assert set(found(upstream, calendar)) == taken
        assert taken <= {str(component) for component in upstream.capabilities.components}

    def test_the_same_creation_twice_is_stored_once(
        self, upstream: Upstream, calendar: str, somebody: Somebody
    ) -> None:
        request = request_id()

        first = upstream.create(calendar, plain("a"), request)
        second = upstream.create(calendar, plain("a"), request)

        assert (first.remote_id, first.etag) == (second.remote_id, second.etag)
        assert somebody.count("a") == 1

    def test_a_repeated_creation_leaves_alone_what_somebody_made_of_the_object(
        self, upstream: Upstream, calendar: str, somebody: Somebody
    ) -> None:
        request = request_id()
        upstream.create(calendar, plain("a"), request)
        somebody.put(appointment("a", "Colour"))

        again = upstream.create(calendar, plain("a"), request)

        assert digest_of(again) == digest(plain("a", "Colour"))
        assert b"Colour" in somebody.read("a")

    def test_the_request_id_of_a_removed_object_may_be_used_again(
        self, upstream: Upstream, calendar: str, somebody: Somebody
    ) -> None:
        request = request_id()
        stored = upstream.create(calendar, plain("a"), request)
        upstream.remove(calendar, stored.remote_id, if_match=stored.etag)

        again = upstream.create(calendar, plain("a", "Colour"), request)

        assert digest_of(again) == digest(plain("a", "Colour"))
        assert somebody.count("a") == 1

    def test_a_creation_does_not_overwrite_what_somebody_puts_at_its_place_meanwhile(
        self, remote: Remote, somebody: Somebody
    ) -> None:
        with faults(remote.port) as proxy, closing(remote.through(proxy.port)) as upstream:
            calendar = calendar_of(upstream, remote).id
            race = around(before=lambda request: somebody.put_at(request, appointment("other")))
            proxy.script(race, when=remote.writes)
            with suppress(UpstreamError):
                upstream.create(calendar, plain("a"), request_id())

        assert bool(somebody.count("other")) is remote.known.capabilities.exclusive_create

    def test_a_uid_that_stands_elsewhere_is_taken_unless_the_provider_takes_it_twice(
        self, upstream: Upstream, calendar: str, somebody: Somebody, remote: Remote
    ) -> None:
        somebody.put(appointment("a", "Theirs"))

        taken = refused(UidTaken, lambda: upstream.create(calendar, plain("a", "Ours"), request_id()))

        assert taken is not remote.known.takes_uid_twice
        assert somebody.count("a") == 1 + remote.known.takes_uid_twice
        assert any(b"Theirs" in body for body in somebody.bodies())

    def test_a_replacement_of_the_version_that_stands_there_is_what_a_reader_gets(
        self, upstream: Upstream, calendar: str, somebody: Somebody
    ) -> None:
        old = upstream.create(calendar, plain("a"), request_id())

        stored = upstream.replace(calendar, old.remote_id, plain("a", "Colour"), if_match=old.etag)

        read = found(upstream, calendar)["a"]
        assert stored.etag != old.etag
        assert (stored.remote_id, stored.etag) == (read.remote_id, read.etag)
        assert digest_of(stored) == digest_of(read) == digest(plain("a", "Colour"))
        assert somebody.count("a") == 1

    def test_what_somebody_put_under_an_odd_name_can_be_replaced_and_removed(
        self, upstream: Upstream, calendar: str, somebody: Somebody, remote: Remote
    ) -> None:
        put_oddly(somebody, remote.known)

        for uid, each in found(upstream, calendar).items():
            stored = upstream.replace(calendar, each.remote_id, plain(uid, "Colour"), if_match=each.etag)
            assert stored.remote_id == each.remote_id
            assert somebody.count(uid) == 1
            upstream.remove(calendar, stored.remote_id, if_match=stored.etag)

        assert somebody.bodies() == []

    def test_a_series_keeps_its_overrides_when_one_of_them_is_changed_again(
        self, upstream: Upstream, calendar: str, somebody: Somebody
    ) -> None:
        body = APPOINTMENTS["series with a moved and a cancelled instance"]
        later = body.replace("20270302T110000", "20270302T140000").replace("20270302T113000", "20270302T143000")
        somebody.put(text("series", body))
        old = found(upstream, calendar)["series"]

        stored = upstream.replace(calendar, old.remote_id, new("series", later), if_match=old.etag)

        assert digest_of(stored) == digest_of(found(upstream, calendar)["series"])
        assert b"T140000" in somebody.read("series")
        assert somebody.read("series").count(b"RECURRENCE-ID") == 2

    def test_a_stale_version_is_not_replaced(self, upstream: Upstream, calendar: str, somebody: Somebody) -> None:
        old = upstream.create(calendar, plain("a"), request_id())
        somebody.put(appointment("a", "Theirs"))

        with pytest.raises(RemoteChanged):
            upstream.replace(calendar, old.remote_id, plain("a", "Ours"), if_match=old.etag)

        assert b"Theirs" in somebody.read("a")

    def test_what_is_gone_is_not_replaced(self, upstream: Upstream, calendar: str, somebody: Somebody) -> None:
        old = upstream.create(calendar, plain("a"), request_id())
        somebody.remove("a")

        with pytest.raises(RemoteChanged):
            upstream.replace(calendar, old.remote_id, plain("a", "Ours"), if_match=old.etag)

        assert somebody.bodies() == []

    def test_a_change_between_looking_and_writing_is_lost_only_where_that_is_declared(
        self, remote: Remote, somebody: Somebody
    ) -> None:
        with faults(remote.port) as proxy, closing(remote.through(proxy.port)) as upstream:
            calendar = calendar_of(upstream, remote).id
            first, second = (upstream.create(calendar, plain(uid), request_id()) for uid in "ab")
            for uid, write in (
                ("a", partial(upstream.replace, calendar, first.remote_id, plain("a", "Ours"), if_match=first.etag)),
                ("b", partial(upstream.remove, calendar, second.remote_id, if_match=second.etag)),
            ):
                proxy.script(around(before=_put_first(somebody, appointment(uid, "Theirs"))), when=remote.writes)
                with suppress(RemoteChanged):
                    write()

        kept = [body for body in somebody.bodies() if b"Theirs" in body]
        assert (len(kept) == 2) is remote.known.capabilities.conditional

    def test_the_version_that_stands_there_is_removed_and_once_more_passes(
        self, upstream: Upstream, calendar: str, somebody: Somebody
    ) -> None:
        stored = upstream.create(calendar, plain("a"), request_id())

        upstream.remove(calendar, stored.remote_id, if_match=stored.etag)
        upstream.remove(calendar, stored.remote_id, if_match=stored.etag)

        assert somebody.bodies() == []

    def test_a_stale_version_is_not_removed(self, upstream: Upstream, calendar: str, somebody: Somebody) -> None:
        old = upstream.create(calendar, plain("a"), request_id())
        somebody.put(appointment("a", "Theirs"))

        with pytest.raises(RemoteChanged):
            upstream.remove(calendar, old.remote_id, if_match=old.etag)

        assert somebody.count("a") == 1

    def test_own_writes_come_back_with_the_etags_that_were_told(self, upstream: Upstream, calendar: str) -> None:
        mirror = Mirror(upstream, calendar)
        first = upstream.create(calendar, plain("a"), request_id())
        second = upstream.create(calendar, plain("b"), request_id())
        second = upstream.replace(calendar, second.remote_id, plain("b", "Colour"), if_match=second.etag)

        mirror.follow()

        assert mirror.etags == {each.remote_id: each.etag for each in (first, second)}


class ReadOnlyContract(UpstreamContract):
    """An adapter that does not declare that it writes refuses every write, and touches nothing."""

    def test_nothing_is_created(self, upstream: Upstream, calendar: str, somebody: Somebody) -> None:
        with pytest.raises(CalendarReadOnly):
            upstream.create(calendar, plain("a"), request_id())

        assert somebody.bodies() == []

    def test_nothing_is_replaced_or_removed(self, upstream: Upstream, calendar: str, somebody: Somebody) -> None:
        somebody.put(appointment("a", "Theirs"))
        there = found(upstream, calendar)["a"]

        with pytest.raises(CalendarReadOnly):
            upstream.replace(calendar, there.remote_id, plain("a", "Ours"), if_match=there.etag)
        with pytest.raises(CalendarReadOnly):
            upstream.remove(calendar, there.remote_id, if_match=there.etag)

        assert b"Theirs" in somebody.read("a")
        assert not upstream.capabilities.writable


def _put_first(somebody: Somebody, raw: bytes) -> Callable[[Request], None]:
    return lambda _: somebody.put(raw)
