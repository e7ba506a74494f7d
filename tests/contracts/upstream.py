"""What every upstream must do for the engine: the world of its contract, and how it tells what there is.

An adapter's test gives one fixture, `remote`, and inherits the classes that concern it::

    class TestReading(ReadingContract): ...     # upstream_reading: every adapter
    class TestWriting(WritingContract): ...     # upstream_writing: those that write
    class TestRefusing(ReadOnlyContract): ...   # upstream_writing: those that do not
    class TestFaults(FaultContract): ...        # upstream_faults: every adapter over HTTP
    class TestWriteFaults(WriteFaultContract): ...  # upstream_faults: those that write

What a provider does differently is data, in `Known`. Capabilities are tested both ways: what is declared is proven, and
what is not declared is shown to be missing.
"""

from __future__ import annotations

import threading
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import pytest

from bridge.core.canonical import digest
from bridge.core.model import CalendarObject
from bridge.errors import CursorExpired, UpstreamError
from bridge.upstream.protocol import Changed, Found, Gone
from tests.contracts.upstream_samples import appointment
from tests.fakes.faults import writes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from bridge.upstream.protocol import Capabilities, Page, RemoteCalendar, Stored, Upstream
    from tests.fakes.faults import Misdeed, Request

ODD_NAMES = ("a b.ics", "für Müller.ics", "a+b&c=d.ics", "100%.ics", "a%2Fb.ics", "a/b.ics", "#1?.ics", "no-suffix")
"""File names that people's programs make up; the adapter meets them encoded in one way or another."""


class Somebody(Protocol):
    """Another person's program on the same calendar, which names objects by their UID."""

    def offer(self, raw: bytes, *, name: str = "") -> bool:
        """Puts an object, under a file name where the provider has such, and tells whether it was taken."""

    def put(self, raw: bytes, *, name: str = "") -> None:
        """Puts an object in place of whatever has its UID."""

    def put_at(self, request: Request, raw: bytes) -> None:
        """Puts an object under the name that a request is about to give one."""

    def remove(self, uid: str) -> None:
        """Removes the object with this UID."""

    def bodies(self) -> list[bytes]:
        """What stands in the calendar."""

    def count(self, uid: str) -> int:
        """How often this UID stands in the calendar."""

    def read(self, uid: str) -> bytes:
        """The object with this UID."""

    def erase_calendar(self) -> None:
        """Removes the calendar with everything in it."""


class Connect(Protocol):
    """Makes an adapter for the user of the test."""

    def __call__(self, *, site: str = "", password: str = "", patience: float = 30.0) -> Upstream:
        """Makes one; what is given replaces what is right.

        Args:
            site: Scheme, host and port.
            password: Of the user.
            patience: Seconds after which an answer is too late.
        """


@dataclass(frozen=True, slots=True)
class Known:
    """What is special about a provider.

    Attributes:
        capabilities: What the adapter has to declare once it has met it.
        takes: The component types that it really keeps.
        lists: The component types that it says a calendar can hold.
        asks_for_password: Whether it lets only those in who have one.
        rewrites: The samples that come back with another meaning.
        refuses: The samples that it does not take.
        keeps_too_dense: Whether it keeps an object that no program can use.
        lost_names: The file names that it refuses, or under which it finds nothing again.
        takes_uid_twice: Whether one UID may stand in a calendar twice.
        tells_all: Whether it tells a whole calendar in one answer, where the adapter asks for that.
        settling: Seconds after a change in which a cursor cannot be trusted yet, and may expire for nothing.
    """

    capabilities: Capabilities
    takes: frozenset[str] = frozenset({"VEVENT", "VTODO", "VJOURNAL"})
    lists: frozenset[str] = frozenset({"VEVENT", "VTODO", "VJOURNAL"})
    asks_for_password: bool = True
    rewrites: frozenset[str] = frozenset()
    refuses: frozenset[str] = frozenset()
    keeps_too_dense: bool = True
    lost_names: frozenset[str] = frozenset()
    takes_uid_twice: bool = False
    tells_all: bool = False
    settling: float = 0.0


@dataclass(frozen=True, slots=True)
class Remote:
    """A fresh, empty calendar at a provider.

    Attributes:
        name: Of the calendar; no other has it.
        port: Of the provider, on loopback, so that a proxy can stand before it.
        connect: Makes the adapter.
        somebody: Another person's program on that calendar.
        known: What is special about the provider.
        refusals: How the provider says `read only` and `full`, as answers to a write.
        writes: Matches the requests by which the adapter changes something.
    """

    name: str
    port: int
    connect: Connect
    somebody: Somebody
    known: Known
    refusals: Mapping[str, Misdeed] = field(default_factory=dict)
    writes: Callable[[Request], bool] = writes

    def settle(self) -> None:
        """Waits until a cursor of the provider can be trusted."""
        threading.Event().wait(self.known.settling)

    def through(self, port: int, *, patience: float = 30.0) -> Upstream:
        """An adapter that reaches the provider through the proxy on `port`."""
        return self.connect(site=f"http://127.0.0.1:{port}", patience=patience)


class Mirror:
    """What a careful engine knows of a calendar: it follows the cursor, and lists everything anew where it has to.

    Attributes:
        etags: The etag of each remote object.
        cursor: For the next time.
        expired: How often everything had to be listed anew.
    """

    def __init__(self, upstream: Upstream, calendar: str) -> None:
        self._upstream = upstream
        self._calendar = calendar
        self.etags: dict[str, str] = {}
        self.cursor: str | None = None
        self.expired = 0
        self.follow()

    def follow(self) -> list[Changed | Gone]:
        """Takes up what has changed, and gives it."""
        try:
            pages = list(self._upstream.changes(self._calendar, self.cursor))
        except CursorExpired:
            self.expired += 1
            self.etags.clear()
            pages = list(self._upstream.changes(self._calendar, None))
        return self.take(pages)

    def take(self, pages: Iterable[Page]) -> list[Changed | Gone]:
        """Takes up pages, and gives what is on them."""
        pages = list(pages)
        self.cursor = pages[-1].cursor
        assert self.cursor is not None
        assert [page.cursor for page in pages[:-1]] == [None] * (len(pages) - 1)
        self.etags = applied(pages, self.etags)
        return [item for page in pages for item in page.items]


def applied(pages: Iterable[Page], etags: Mapping[str, str]) -> dict[str, str]:
    """The etags after what is on the pages has been taken up."""
    after: dict[str, str | None] = dict(etags)
    after.update(
        (item.remote_id, item.etag if isinstance(item, Changed) else None) for page in pages for item in page.items
    )
    return {name: etag for name, etag in after.items() if etag is not None}


def told(pages: Sequence[Page], start: Mirror | None) -> dict[str, str] | None:
    """The etags of all objects, as pages that came on top of `start` tell; None where they came to no end."""
    if not pages or pages[-1].cursor is None:
        return None
    return applied(pages, start.etags if start else {})


def refused(error: type[UpstreamError], asked: Callable[[], object]) -> bool:
    """Whether `asked` raises this error."""
    try:
        asked()
    except error:
        return True
    return False


def calendar_of(upstream: Upstream, remote: Remote) -> RemoteCalendar:
    """The calendar of the test among those that the connection reaches."""
    return next(calendar for calendar in upstream.calendars() if calendar.name == remote.name)


def found(upstream: Upstream, calendar: str) -> dict[str, Found]:
    """Every readable object that the adapter can fetch, by its UID."""
    answers = upstream.fetch(calendar, list(Mirror(upstream, calendar).etags))
    return {
        answer.object.uid: answer
        for answer in answers
        if isinstance(answer, Found) and isinstance(answer.object, CalendarObject)
    }


def digest_of(answer: Found | Stored) -> str:
    """What the object of an answer means."""
    assert isinstance(answer.object, CalendarObject)
    return digest(answer.object)


def put_oddly(somebody: Somebody, known: Known) -> set[str]:
    """Puts an object under each odd name that the provider can hold, and gives their UIDs."""
    names = {f"odd-{number}": name for number, name in enumerate(ODD_NAMES) if name not in known.lost_names}
    for uid, name in names.items():
        somebody.put(appointment(uid), name=name)
    return set(names)


def request_id() -> str:
    """A new request id."""
    return uuid.uuid4().hex


class UpstreamContract:
    """The fixtures that every part of the contract shares."""

    @pytest.fixture
    def upstream(self, remote: Remote) -> Iterator[Upstream]:
        upstream = remote.connect()
        yield upstream
        upstream.close()

    @pytest.fixture
    def calendar(self, upstream: Upstream, remote: Remote) -> str:
        return calendar_of(upstream, remote).id

    @pytest.fixture
    def somebody(self, remote: Remote) -> Somebody:
        return remote.somebody
