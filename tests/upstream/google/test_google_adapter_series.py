"""Every version of a series becomes every other at Google, also where the writing of it is broken off anywhere."""

from __future__ import annotations

from contextlib import suppress
from itertools import permutations
from typing import TYPE_CHECKING

import pytest

from bridge.core.model import CalendarObject
from bridge.errors import UpstreamUnavailable
from bridge.upstream.protocol import Found
from tests.contracts.upstream import Mirror, digest_of, request_id
from tests.contracts.upstream_samples import new
from tests.fakes.google.fake import fake_google
from tests.fakes.google.misdeeds import lose_answer, lose_request
from tests.upstream.google.series_edits import VERSIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bridge.upstream.google.adapter import GoogleUpstream
    from bridge.upstream.protocol import Stored
    from tests.fakes.google.by_hand import ByHand
    from tests.fakes.google.fake import FakeGoogle
    from tests.fakes.google.misdeeds import Misdeed

_LOSSES = {"before it was heard": lose_request, "after it was done": lose_answer}
_BROKEN_OFF = [
    ("a series", "with two instances moved"),
    ("with two instances moved", "a series"),
    ("with two instances moved", "with another title, one moved"),
    ("with one moved and one left out", "with all at another time, one moved"),
    ("with two instances left out", "with an instance moved"),
    ("a single appointment", "with one moved and one left out"),
    ("with two instances moved", "ended early, one moved"),
    ("a series", "with two instances left out"),
    ("with two instances moved", "a single appointment at another time"),
    ("with one moved and one left out", "a series of whole days"),
]


@pytest.fixture(params=[(True, False), (False, True)], ids=str)
def google(request: pytest.FixtureRequest) -> Iterator[FakeGoogle]:
    """Nobody documents whether exceptions follow their master, and whether they stay when the rule has them no more."""
    with fake_google(serve=False) as running:
        running.world.quirks.exceptions_follow_master, running.world.quirks.exceptions_stay = request.param
        running.quota.per_user = running.quota.in_all = 10**9
        yield running
        assert running.misuses == []


def _version(name: str) -> CalendarObject:
    return new("a", VERSIONS[name])


def _there(upstream: GoogleUpstream, calendar: str, remote_id: str) -> Found:
    (answer,) = upstream.fetch(calendar, [remote_id])
    assert isinstance(answer, Found)
    return answer


def _fresh(upstream: GoogleUpstream, calendar: str, name: str) -> Stored:
    """A version as it is at Google where nothing stood before."""
    return upstream.create(calendar, _version(name), request_id())


def _same(google: FakeGoogle, page: ByHand, one: Found | Stored, other: Found | Stored) -> bool:
    """Whether two appointments are the same for whoever looks at them.

    What is left of a cancelled instance that the rule has no more is read as one left out, which means nothing.
    """
    if _seen(page, one.remote_id) != _seen(page, other.remote_id):
        return False
    return google.world.quirks.exceptions_stay or digest_of(one) == digest_of(other)


def _seen(page: ByHand, remote_id: str) -> list[tuple[str, str, str]]:
    """When a person sees the appointment in the grid, and under which title."""
    return [
        (str(each["start"]), str(each["end"]), each["summary"])
        for each in page.instances
        if remote_id in (each["id"], each.get("recurringEventId"))
    ]


@pytest.mark.parametrize("before", VERSIONS)
def test_a_version_that_is_written_over_another_is_the_one_that_a_creation_gives(
    google: FakeGoogle, upstream: GoogleUpstream, page: ByHand, before: str
) -> None:
    for after in VERSIONS:
        old = upstream.create(page.id, _version(before), request_id())

        stored = upstream.replace(page.id, old.remote_id, _version(after), if_match=old.etag)

        read = _there(upstream, page.id, old.remote_id)
        assert (stored.etag, digest_of(stored)) == (read.etag, digest_of(read))
        wanted = _fresh(upstream, page.id, after)
        assert _same(google, page, stored, wanted), (before, after)
        assert not read.unfinished
        assert not _left_over(page)
        # A person who looks at a full calendar looks slowly.
        page.delete(stored.remote_id)
        page.delete(wanted.remote_id)
    assert {each for each in google.world.mails if each[1] != "none"} == set()


def test_the_listing_holds_the_etags_that_the_writes_gave(upstream: GoogleUpstream, page: ByHand) -> None:
    told = {}
    for before, after in permutations(list(VERSIONS)[3:10], 2):
        old = upstream.create(page.id, _version(before), request_id())
        told[old.remote_id] = upstream.replace(page.id, old.remote_id, _version(after), if_match=old.etag).etag

    assert Mirror(upstream, page.id).etags == told


@pytest.mark.parametrize("name", VERSIONS)
def test_writing_what_stands_there_changes_nothing(
    google: FakeGoogle, upstream: GoogleUpstream, page: ByHand, name: str
) -> None:
    old = upstream.create(page.id, _version(name), request_id())
    assert isinstance(old.object, CalendarObject)
    google.forget()

    same = upstream.replace(page.id, old.remote_id, old.object, if_match=old.etag)

    assert same.etag == old.etag
    assert {each.method for each in google.requests} == {"GET"}


@pytest.mark.parametrize("loss", _LOSSES)
@pytest.mark.parametrize("name", ["with two instances moved", "with one moved and one left out"])
def test_a_creation_that_is_broken_off_anywhere_goes_on_where_it_was(
    google: FakeGoogle, upstream: GoogleUpstream, page: ByHand, name: str, loss: str
) -> None:
    google.forget()
    wanted = _fresh(upstream, page.id, name)
    for number in range(len(google.requests)):
        request = request_id()
        _break_off(google, number, _LOSSES[loss], lambda: upstream.create(page.id, _version(name), request))  # noqa: B023 -- called at once
        for each in upstream.fetch(page.id, list(Mirror(upstream, page.id).etags)):
            assert isinstance(each, Found)
            assert each.unfinished or digest_of(each) == digest_of(wanted)

        stored = upstream.create(page.id, _version(name), request)

        assert _same(google, page, stored, wanted)
        assert not _there(upstream, page.id, stored.remote_id).unfinished
        assert sum(request in each["id"] for each in page.events if "recurringEventId" not in each) == 1


@pytest.mark.parametrize("loss", _LOSSES)
@pytest.mark.parametrize("versions", _BROKEN_OFF, ids=" -> ".join)
def test_a_replacement_that_is_broken_off_anywhere_is_known_and_written_again(
    google: FakeGoogle, upstream: GoogleUpstream, page: ByHand, versions: tuple[str, str], loss: str
) -> None:
    before, after = versions
    wanted = _fresh(upstream, page.id, after)
    first, trial = _fresh(upstream, page.id, before), _fresh(upstream, page.id, before)
    google.forget()
    upstream.replace(page.id, trial.remote_id, _version(after), if_match=trial.etag)
    for number in range(len(google.requests)):
        old = upstream.create(page.id, _version(before), request_id())
        mirror = Mirror(upstream, page.id)
        _break_off(
            google,
            number,
            _LOSSES[loss],
            lambda: upstream.replace(page.id, old.remote_id, _version(after), if_match=old.etag),  # noqa: B023 -- called at once
        )
        there = _there(upstream, page.id, old.remote_id)
        assert there.unfinished or any(_same(google, page, there, each) for each in (first, wanted))
        mirror.follow()
        assert mirror.etags[old.remote_id] == there.etag

        again = upstream.replace(page.id, old.remote_id, _version(after), if_match=there.etag)

        assert _same(google, page, again, wanted)
        read = _there(upstream, page.id, old.remote_id)
        assert (read.etag, read.unfinished) == (again.etag, False)
        page.delete(again.remote_id)


def test_a_series_that_is_unfinished_becomes_what_was_before_too(
    google: FakeGoogle, upstream: GoogleUpstream, page: ByHand
) -> None:
    old = upstream.create(page.id, _version("a series"), request_id())
    _break_off(
        google,
        4,
        lose_request,
        lambda: upstream.replace(page.id, old.remote_id, _version("with two instances moved"), if_match=old.etag),
    )
    there = _there(upstream, page.id, old.remote_id)
    assert there.unfinished

    back = upstream.replace(page.id, old.remote_id, _version("a series"), if_match=there.etag)

    assert digest_of(back) == digest_of(old)
    assert not _there(upstream, page.id, old.remote_id).unfinished


def test_a_series_that_is_unfinished_can_be_removed(google: FakeGoogle, upstream: GoogleUpstream, page: ByHand) -> None:
    request = request_id()
    _break_off(google, 1, lose_request, lambda: upstream.create(page.id, _version("with two instances moved"), request))
    (there,) = upstream.fetch(page.id, [request])
    assert isinstance(there, Found)

    upstream.remove(page.id, request, if_match=there.etag)

    assert page.events == []


def test_what_stands_there_reads_the_same_however_often_it_is_read(upstream: GoogleUpstream, page: ByHand) -> None:
    for name in VERSIONS:
        upstream.create(page.id, _version(name), request_id())

    first, second = ({each.remote_id: each for each in _listed(upstream, page.id)} for _ in range(2))
    fetched = {each.remote_id: each for one in first for each in upstream.fetch(page.id, [one])}

    assert first == second
    assert {name: each.object for name, each in fetched.items() if isinstance(each, Found)} == {
        name: each.object for name, each in first.items()
    }
    assert len(first) == len(VERSIONS)


def _listed(upstream: GoogleUpstream, calendar: str) -> list[Found]:
    answers = upstream.fetch(calendar, list(Mirror(upstream, calendar).etags))
    return [each for each in answers if isinstance(each, Found)]


def _left_over(page: ByHand) -> set[str]:
    """The changed instances of what is no series any more."""
    single = {each["id"] for each in page.events if "recurringEventId" not in each and "recurrence" not in each}
    return {
        each["id"] for each in page.events if each.get("recurringEventId") in single and each["status"] != "cancelled"
    }


def _break_off(google: FakeGoogle, after: int, loss: Callable[[], Misdeed], doing: Callable[[], object]) -> None:
    """Does something, and loses one of its requests: the one after so many."""
    begun = len(google.requests)
    google.script(loss(), when=lambda _: len(google.requests) - begun >= after)
    with suppress(UpstreamUnavailable):
        doing()
    google.behave()
