"""What an adapter makes of trouble on the way: an error of the tree, never an absence, never a library's own."""

from __future__ import annotations

import threading
from contextlib import closing, suppress
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from bridge.core.canonical import digest
from bridge.errors import (
    CalendarGone,
    CalendarReadOnly,
    CertificateRefused,
    CursorExpired,
    HostUnknown,
    LoginRefused,
    QuotaExceeded,
    RemoteChanged,
    Throttled,
    UpstreamError,
    UpstreamUnavailable,
)
from bridge.upstream.protocol import Found, Gone
from tests.contracts.upstream import (
    Mirror,
    Remote,
    Somebody,
    UpstreamContract,
    calendar_of,
    digest_of,
    found,
    refused,
    request_id,
    told,
)
from tests.contracts.upstream_samples import appointment, plain
from tests.fakes.faults import cut, drop_after, drop_before, empty, faults, html_page, slow, status, twice, without
from tests.system.certificates import write_certificate
from tests.system.process import unused_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from bridge.upstream.protocol import Page, Upstream
    from tests.fakes.faults import Misdeed, Proxy

AFTER = timedelta(seconds=77)

MISDEEDS: dict[str, tuple[Misdeed, type[UpstreamError]]] = {
    "the connection ends at once": (drop_before(), UpstreamUnavailable),
    "the connection ends before the answer": (drop_after(), UpstreamUnavailable),
    "the answer is cut in its middle": (cut(), UpstreamUnavailable),
    "the answer is cut after its headers": (cut(0), UpstreamUnavailable),
    "a page to log in": (html_page(), UpstreamError),
    "a page to log in instead of a listing": (html_page(207), UpstreamError),
    "nothing, with 200": (empty(), UpstreamError),
    "nothing, with 207": (empty(207), UpstreamError),
    "429": (status(429, Retry_After="77"), Throttled),
    "500": (status(500), UpstreamUnavailable),
    "502 with a page": (html_page(502), UpstreamUnavailable),
    "503": (status(503), UpstreamUnavailable),
    "503 with Retry-After": (status(503, Retry_After="77"), UpstreamUnavailable),
    "401": (status(401, WWW_Authenticate='Basic realm="x"'), LoginRefused),
    "403": (status(403), UpstreamError),
}
"""What is done, and the error that the engine hears when it is done to every request."""

REFUSALS: dict[str, type[UpstreamError]] = {"read only": CalendarReadOnly, "full": QuotaExceeded}
"""The names of `Remote.refusals`, and the error that the engine hears."""

IN_WRITES = [name for name in MISDEEDS if name not in {"a page to log in instead of a listing", "nothing, with 207"}]


class FaultContract(UpstreamContract):
    """An adapter that reads over HTTP."""

    @pytest.fixture
    def proxy(self, remote: Remote) -> Iterator[Proxy]:
        with faults(remote.port) as proxy:
            yield proxy

    @pytest.fixture
    def behind(self, remote: Remote, proxy: Proxy) -> Iterator[Upstream]:
        """An adapter behind the proxy."""
        upstream = remote.through(proxy.port)
        yield upstream
        upstream.close()

    @pytest.fixture
    def there(self, remote: Remote, behind: Upstream, proxy: Proxy) -> str:
        """The id of the calendar behind the proxy."""
        calendar = calendar_of(behind, remote).id
        proxy.forget()
        return calendar

    @pytest.mark.parametrize("misdeed", MISDEEDS)
    def test_a_provider_in_trouble_is_an_error_of_its_kind(
        self, proxy: Proxy, behind: Upstream, there: str, somebody: Somebody, misdeed: str
    ) -> None:
        somebody.put(appointment("a"))
        mirror = Mirror(behind, there)
        somebody.put(appointment("b"))
        done, error = MISDEEDS[misdeed]
        proxy.script(done, times=None)

        for asked in (behind.calendars, lambda: list(behind.changes(there, None))):
            with pytest.raises(error) as raised:
                asked()
            assert raised.value.message.endswith(".")
        # What tells no delta may know without asking that everything has to be listed anew.
        with pytest.raises((error, CursorExpired)):
            list(behind.changes(there, mirror.cursor))
        answers: list[object] = []
        with suppress(error):
            answers += behind.fetch(there, list(mirror.etags))
        assert not any(isinstance(answer, Gone | Found) for answer in answers)

        proxy.behave()
        mirror.follow()
        assert len(mirror.etags) == 2

    @pytest.mark.parametrize("misdeed", MISDEEDS)
    def test_a_listing_that_meets_trouble_on_its_way_raises_or_is_whole(
        self, proxy: Proxy, behind: Upstream, there: str, somebody: Somebody, misdeed: str
    ) -> None:
        for uid in ("stays", "goes"):
            somebody.put(appointment(uid))
        before = Mirror(behind, there)
        somebody.remove("goes")
        somebody.put(appointment("comes"))
        now = Mirror(behind, there).etags

        for start in (None, before):
            cursor = start.cursor if start else None
            for number in _numbers(proxy, lambda: list(behind.changes(there, cursor))):  # noqa: B023 -- called at once
                proxy.script(MISDEEDS[misdeed][0], at=number)
                pages: list[Page] = []
                with suppress(UpstreamError):
                    pages += behind.changes(there, cursor)
                proxy.behave()

                assert told(pages, start) in (None, now)

    @pytest.mark.parametrize("misdeed", MISDEEDS)
    def test_a_fetch_that_meets_trouble_on_its_way_never_says_gone_of_what_is_there(
        self, proxy: Proxy, behind: Upstream, there: str, somebody: Somebody, misdeed: str
    ) -> None:
        for uid in "abc":
            somebody.put(appointment(uid))
        ids = list(Mirror(behind, there).etags)

        for number in _numbers(proxy, lambda: list(behind.fetch(there, ids))):
            proxy.script(MISDEEDS[misdeed][0], at=number)
            answers: list[object] = []
            with suppress(UpstreamError):
                answers += behind.fetch(there, ids)
            proxy.behave()

            assert not any(isinstance(answer, Gone) for answer in answers)

    def test_a_provider_that_asks_for_patience_is_heard(self, proxy: Proxy, behind: Upstream, there: str) -> None:
        proxy.script(status(429, Retry_After="77"), times=None)

        with pytest.raises(Throttled) as raised:
            list(behind.changes(there, None))

        assert raised.value.after == AFTER

    def test_an_answer_that_takes_too_long_is_no_answer(self, remote: Remote, proxy: Proxy, there: str) -> None:
        proxy.script(slow(threading.Event()), times=None)
        with closing(remote.through(proxy.port, patience=0.2)) as upstream:
            with pytest.raises(UpstreamUnavailable):
                list(upstream.changes(there, None))
            with pytest.raises(UpstreamUnavailable):
                upstream.calendars()

    def test_a_wrong_password_is_a_refused_login(self, remote: Remote, calendar: str) -> None:
        with closing(remote.connect(password="wrong")) as upstream:
            for asked in (upstream.calendars, lambda: list(upstream.changes(calendar, None))):
                assert refused(LoginRefused, asked) is remote.known.asks_for_password

    def test_a_closed_port_is_a_provider_out_of_reach(self, remote: Remote) -> None:
        with (
            closing(remote.connect(site=f"http://127.0.0.1:{unused_port()}")) as upstream,
            pytest.raises(UpstreamUnavailable),
        ):
            upstream.calendars()

    def test_a_name_that_nobody_has_is_an_unknown_host(self, remote: Remote) -> None:
        with closing(remote.connect(site="http://calbridge.invalid")) as upstream, pytest.raises(HostUnknown):
            upstream.calendars()

    def test_a_certificate_that_nobody_vouches_for_is_refused(self, remote: Remote, tmp_path: Path) -> None:
        with (
            faults(remote.port, certificate=write_certificate(tmp_path)) as proxy,
            closing(remote.connect(site=f"https://127.0.0.1:{proxy.port}")) as upstream,
        ):
            with pytest.raises(CertificateRefused):
                upstream.calendars()

            assert proxy.requests == ()

    def test_a_calendar_that_was_deleted_is_gone_and_none_of_its_objects_is(
        self, upstream: Upstream, calendar: str, somebody: Somebody, remote: Remote
    ) -> None:
        somebody.put(appointment("a"))
        remote.settle()
        mirror = Mirror(upstream, calendar)
        somebody.erase_calendar()

        with pytest.raises(CalendarGone):
            list(upstream.changes(calendar, None))
        with pytest.raises(CalendarGone):
            list(upstream.changes(calendar, mirror.cursor))
        with pytest.raises(CalendarGone):
            list(upstream.fetch(calendar, list(mirror.etags)))


class WriteFaultContract(FaultContract):
    """An adapter that writes over HTTP."""

    @pytest.mark.parametrize("misdeed", IN_WRITES)
    def test_a_creation_that_is_tried_until_it_is_done_is_stored_once(
        self, proxy: Proxy, behind: Upstream, there: str, somebody: Somebody, misdeed: str
    ) -> None:
        for number in _numbers(proxy, lambda: behind.create(there, plain("first"), request_id())):
            uid, request = f"no-{number}", request_id()
            proxy.script(MISDEEDS[misdeed][0], at=number)
            with suppress(UpstreamError):
                behind.create(there, plain(uid), request)
            proxy.behave()

            stored = behind.create(there, plain(uid), request)

            assert somebody.count(uid) == 1
            read = found(behind, there)[uid]
            assert (stored.remote_id, stored.etag) == (read.remote_id, read.etag)
        assert len(somebody.bodies()) == len(found(behind, there))

    @pytest.mark.parametrize("misdeed", IN_WRITES)
    def test_a_replacement_that_is_tried_until_it_is_done_stands_there(
        self, proxy: Proxy, behind: Upstream, there: str, somebody: Somebody, misdeed: str
    ) -> None:
        old = behind.create(there, plain("a", "0"), request_id())
        changed = plain("a", "Warm up")
        numbers = _numbers(proxy, lambda: behind.replace(there, old.remote_id, changed, if_match=old.etag))
        for number in numbers:
            before = found(behind, there)["a"]
            wanted = plain("a", f"Title {number}")
            proxy.forget()
            proxy.script(MISDEEDS[misdeed][0], at=number)
            with suppress(UpstreamError):
                behind.replace(there, before.remote_id, wanted, if_match=before.etag)
            proxy.behave()

            with suppress(RemoteChanged):
                behind.replace(there, before.remote_id, wanted, if_match=before.etag)

            assert digest_of(found(behind, there)["a"]) == digest(wanted)
            assert somebody.count("a") == 1

    @pytest.mark.parametrize("misdeed", IN_WRITES)
    def test_a_removal_that_is_tried_until_it_is_done_is_done(
        self, proxy: Proxy, behind: Upstream, there: str, somebody: Somebody, misdeed: str
    ) -> None:
        first = behind.create(there, plain("first"), request_id())
        for number in _numbers(proxy, lambda: behind.remove(there, first.remote_id, if_match=first.etag)):
            stored = behind.create(there, plain("a"), request_id())
            proxy.forget()
            proxy.script(MISDEEDS[misdeed][0], at=number)
            with suppress(UpstreamError):
                behind.remove(there, stored.remote_id, if_match=stored.etag)
            proxy.behave()

            behind.remove(there, stored.remote_id, if_match=stored.etag)

            assert somebody.bodies() == []

    def test_a_creation_whose_answer_was_lost_is_recognised_when_it_is_repeated(
        self, remote: Remote, proxy: Proxy, behind: Upstream, there: str, somebody: Somebody
    ) -> None:
        request = request_id()
        proxy.script(drop_after(), when=remote.writes, times=None)
        with pytest.raises(UpstreamUnavailable):
            behind.create(there, plain("a"), request)
        assert somebody.count("a") == 1
        proxy.behave()
        somebody.put(appointment("a", "Colour"))

        again = behind.create(there, plain("a"), request)

        assert digest_of(again) == digest(plain("a", "Colour"))
        assert somebody.count("a") == 1

    def test_a_write_that_is_delivered_twice_is_done_once(
        self, remote: Remote, proxy: Proxy, behind: Upstream, there: str, somebody: Somebody
    ) -> None:
        proxy.script(twice(), when=remote.writes, times=None)

        stored = behind.create(there, plain("a"), request_id())
        assert somebody.count("a") == 1
        with suppress(RemoteChanged):
            behind.replace(there, stored.remote_id, plain("a", "Colour"), if_match=stored.etag)
        assert b"Colour" in somebody.read("a")
        now = found(behind, there)["a"]
        behind.remove(there, now.remote_id, if_match=now.etag)
        assert somebody.bodies() == []

    def test_an_answer_without_an_etag_is_read_again(
        self, remote: Remote, proxy: Proxy, behind: Upstream, there: str
    ) -> None:
        proxy.script(without("ETag", "Last-Modified", "Schedule-Tag"), when=remote.writes, times=None)

        old = behind.create(there, plain("a"), request_id())
        assert Mirror(behind, there).etags == {old.remote_id: old.etag}
        stored = behind.replace(there, old.remote_id, plain("a", "Colour"), if_match=old.etag)

        assert stored.etag != old.etag
        assert Mirror(behind, there).etags == {stored.remote_id: stored.etag}

    @pytest.mark.parametrize("refusal", REFUSALS)
    def test_a_refused_write_says_why(
        self, remote: Remote, proxy: Proxy, behind: Upstream, there: str, refusal: str
    ) -> None:
        old = behind.create(there, plain("a"), request_id())
        proxy.script(remote.refusals[refusal], when=remote.writes, times=None)

        with pytest.raises(REFUSALS[refusal]):
            behind.create(there, plain("b"), request_id())
        with pytest.raises(REFUSALS[refusal]):
            behind.replace(there, old.remote_id, plain("a", "Colour"), if_match=old.etag)

        proxy.behave()
        left = found(behind, there)
        assert {uid: digest_of(each) for uid, each in left.items()} == {"a": digest(plain("a"))}

    def test_nothing_is_written_to_a_calendar_that_was_deleted(
        self, upstream: Upstream, calendar: str, somebody: Somebody
    ) -> None:
        old = upstream.create(calendar, plain("a"), request_id())
        somebody.erase_calendar()

        with pytest.raises(CalendarGone):
            upstream.create(calendar, plain("b"), request_id())
        with pytest.raises(CalendarGone):
            upstream.replace(calendar, old.remote_id, plain("a", "Colour"), if_match=old.etag)
        with suppress(CalendarGone):
            upstream.remove(calendar, old.remote_id, if_match=old.etag)


def _numbers(proxy: Proxy, asked: Callable[[], object]) -> Iterator[int]:
    """The number of each request that `asked` takes; before each is given, the proxy counts from 1 again."""
    proxy.forget()
    # What tells no delta may know without asking that everything has to be listed anew.
    with suppress(CursorExpired):
        asked()
    count = len(proxy.requests)
    for number in range(1, count + 1):
        proxy.forget()
        yield number
