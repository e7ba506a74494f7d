"""A published iCalendar file as an upstream: everything can be read, nothing written.

Such a feed has no tombstones: what is no longer in it is gone. So only a feed that is whole (`whole`) counts as a
listing, an empty one only if it is still empty when it is asked once more past all caches, and an object as gone only
after a second reading.

The server's word that nothing has changed is taken for what it is worth: a listing from the start never asks for it, so
that a server that says so for ever is found out by the next full comparison.

Some feeds give their events other UIDs with every fetch. A listing without a history is therefore fetched twice (mostly
answered with 304), and compared with a small sample of the last one else; once UIDs are seen to change, objects go by
what they are, and get UIDs made from that. This is kept in the cursor. It is never taken back by itself: the rule has
to be reset for that.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final, NoReturn

from bridge.core.adoption import churns, content_identities
from bridge.core.model import CalendarObject, ComponentType
from bridge.errors import CalendarGone, CalendarReadOnly, CursorExpired, ListingDoubtful
from bridge.upstream.ics_url import addresses
from bridge.upstream.ics_url.cursor import Cursor, Identity, Stability, read_cursor, sample, stability, text_hash
from bridge.upstream.ics_url.fetching import LIMITS, Fetched, Fetcher
from bridge.upstream.ics_url.location import location
from bridge.upstream.ics_url.reading import found, read_feed, under
from bridge.upstream.ics_url.whole import calendars, in_utf8
from bridge.upstream.protocol import Capabilities, Changed, Found, Gone, Page, RemoteCalendar, Stored, Unknown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime, tzinfo
    from pathlib import Path

    from bridge.upstream.ics_url.fetching import Limits
    from bridge.upstream.ics_url.location import Location
    from bridge.upstream.ics_url.whole import WholeCalendar

_COMPONENTS: Final = frozenset(ComponentType)
_CAPABILITIES: Final = Capabilities(
    writable=False,
    components=_COMPONENTS,
    delta=False,
    conditional=False,
    exclusive_create=False,
    keeps_text=False,
    holds_series=True,
)
_CURRENT: Final = timedelta(minutes=2)
_ESCAPED: Final = re.compile(r"\\(.)")
_COLOR: Final = re.compile(r"#[0-9A-Fa-f]{6}")


@dataclass(frozen=True, slots=True)
class _Answer:
    """A feed that was received, and is whole."""

    fetched: Fetched = field(repr=False)
    body: bytes = field(repr=False)
    feed: tuple[WholeCalendar, ...] = field(repr=False)
    at: datetime


@dataclass(frozen=True, slots=True)
class _Listing:
    """A feed that was read.

    Attributes:
        items: Its objects by their remote ids.
        cursor: What to remember of it.
        at: When it was asked for.
        is_second: Whether it was read after another that was told already, so that what it lacks is gone.
    """

    items: Mapping[str, Found] = field(repr=False)
    cursor: Cursor = field(repr=False)
    at: datetime
    is_second: bool


class IcsUrlUpstream:
    """A feed at a URL, or in a file; its one calendar has the empty id.

    Nothing is asked before the first call of a method.

    Args:
        url: http, https, webcal, webcals or file (`bridge.upstream.ics_url.location`).
        parse: Reads one object; raises `bridge.errors.ObjectRefused`.
        zone: The account's zone.
        now: Tells the time, with a zone.
        allow_private: Whether private addresses may be asked.
        allow_files: Whether files of this machine may be read.
        user: Whom to log in as (Basic, only over https); empty for nobody.
        password: The password for it.
        ca_file: The authorities whose certificates are trusted, as PEM; None for those that everybody trusts.
        limits: How much the feed may ask of us.
        resolve: Tells the addresses of a host.
    """

    def __init__(
        self,
        *,
        url: str,
        parse: Callable[[bytes], CalendarObject],
        zone: tzinfo,
        now: Callable[[], datetime],
        allow_private: bool,
        allow_files: bool,
        user: str = "",
        password: str = "",
        ca_file: Path | None = None,
        limits: Limits = LIMITS,
        resolve: Callable[[str, int], Sequence[str]] = addresses.resolve,
    ) -> None:
        self._place: Location = location(url, user=user, password=password)
        self._parse = parse
        self._zone = zone
        self._now = now
        self._fetcher = Fetcher(
            self._place,
            limits=limits,
            allow_private=allow_private,
            allow_files=allow_files,
            resolve=resolve,
            ca_file=ca_file,
        )
        self._known: Cursor | None = None
        self._unlisted: _Answer | None = None
        self._listed: _Listing | None = None
        self._told: set[str] = set()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._place.shown!r})"

    @property
    def capabilities(self) -> Capabilities:
        """Reading only; a cursor only tells whether anything has changed."""
        return _CAPABILITIES

    def calendars(self) -> tuple[RemoteCalendar, ...]:
        """The one calendar, under the name that the feed gives itself.

        Raises:
            UpstreamError: The feed cannot be read.
        """
        header = self._ask().feed[0].header
        name = header.get("X-WR-CALNAME") or header.get("NAME") or self._place.shown
        color = _COLOR.match(header.get("X-APPLE-CALENDAR-COLOR", ""))
        return (
            RemoteCalendar(
                id="",
                name=_ESCAPED.sub(lambda match: " " if match[1] in "nN" else match[1], name),
                writable=False,
                components=_COMPONENTS,
                color=color[0] if color else "",
            ),
        )

    def recall(self, calendar: str, cursor: str) -> None:
        """Tells what the feed was the last time, before `changes(calendar, None)`.

        Without it a listing of a feed whose UIDs change seldom would go by UIDs again.
        """
        self._check(calendar)
        self._known = self._own(cursor)

    def changes(self, calendar: str, cursor: str | None) -> Iterator[Page]:
        """One page: without items where nothing has changed since `cursor`, with everything where it is None.

        Raises:
            CursorExpired: Something has changed. What was read is kept for a while: `changes(calendar, None)`
                at once fetches nothing anew.
            CalendarGone: There is no such calendar.
            ListingDoubtful: The answer is not whole, or no calendar.
        """
        self._check(calendar)
        self._listed = None
        self._told.clear()
        if cursor is None:
            self._listed = self._list(is_second=False)
            items = tuple(Changed(one.remote_id, one.etag, one.object) for one in self._listed.items.values())
            return iter((Page(items, self._listed.cursor.write()),))
        known = self._known = self._own(cursor)
        if known is None:
            raise CursorExpired("The calendar was read from another place, or by another version.")
        fetched = self._fetcher.fetch(known.validators, past_caches=False)
        if fetched is None:
            return iter((Page((), cursor),))
        answer = self._answer(fetched)
        if text_hash(answer.body, known.identity) != known.text:
            self._unlisted = answer
            raise CursorExpired(f"The calendar at '{self._place.shown}' has changed.")
        return iter((Page((), replace(known, validators=fetched.validators).write()),))

    def fetch(self, calendar: str, remote_ids: Sequence[str]) -> Iterator[Found | Gone | Unknown]:
        """What became of each of `remote_ids`; `Gone` is what two whole readings lack.

        What was listed a moment ago is not fetched again, unless the same object is asked for again: who does that
        wants to know what it is by now.
        """
        self._check(calendar)
        listed = self._listed
        if listed is None or self._now() - listed.at > _CURRENT or not self._told.isdisjoint(remote_ids):
            listed = self._reread()
        if not listed.is_second and not all(remote_id in listed.items for remote_id in remote_ids):
            listed = self._reread()
        self._told.update(remote_ids)
        items = listed.items
        return iter([items.get(remote_id) or Gone(remote_id) for remote_id in remote_ids])

    def create(self, calendar: str, new: CalendarObject, request_id: str) -> Stored:  # noqa: ARG002 -- the Protocol's
        """Refuses.

        Raises:
            CalendarReadOnly: Always.
        """
        self._refuse()

    def replace(self, calendar: str, remote_id: str, new: CalendarObject, *, if_match: str) -> Stored:  # noqa: ARG002 -- the Protocol's
        """Refuses.

        Raises:
            CalendarReadOnly: Always.
        """
        self._refuse()

    def remove(self, calendar: str, remote_id: str, *, if_match: str) -> None:  # noqa: ARG002 -- the Protocol's
        """Refuses.

        Raises:
            CalendarReadOnly: Always.
        """
        self._refuse()

    def close(self) -> None:
        """Forgets what was read; no connection stays open between two calls."""
        self._unlisted = self._listed = self._known = None

    def _reread(self) -> _Listing:
        self._listed = self._list(is_second=True)
        self._told.clear()
        return self._listed

    def _refuse(self) -> NoReturn:
        raise CalendarReadOnly(
            f"The calendar at '{self._place.shown}' is a subscription: nothing can be written to it.",
            remedy="Let the rule pull only (direction: pull).",
        )

    def _check(self, calendar: str) -> None:
        if calendar:
            raise CalendarGone(
                f"'{self._place.shown}' is one calendar, and has none that is called '{calendar[:80]}'.",
                remedy="Leave the calendar out of the rule.",
            )

    def _own(self, cursor: str) -> Cursor | None:
        read = read_cursor(cursor)
        return read if read is not None and read.mark == self._place.mark else None

    def _ask(self) -> _Answer:
        """The feed as it is now, past all caches."""
        fetched = self._fetcher.fetch(past_caches=True)
        assert fetched is not None  # noqa: S101 -- only a conditional request may be answered with 304
        return self._answer(fetched)

    def _answer(self, fetched: Fetched) -> _Answer:
        body = in_utf8(fetched.body, fetched.charset, host=self._place.shown)
        return _Answer(fetched, body, calendars(body, host=self._place.shown), self._now())

    def _list(self, *, is_second: bool) -> _Listing:
        """Reads the whole feed; what was fetched a moment ago and not listed yet is taken first."""
        answer, self._unlisted = self._unlisted, None
        if answer is None or self._now() - answer.at > _CURRENT:
            answer = self._ask()
        items: Sequence[Found] = self._read(answer)
        identity = self._known.identity if self._known else Identity.UID
        if not items and (self._known is None or self._known.count):
            answer = self._confirm_empty()
        elif items and identity is Identity.UID:
            answer, items, identity = self._settle(answer, items)
        seen = sample(_objects(items), zone=self._zone) if identity is Identity.UID else {}
        if identity is Identity.CONTENT:
            items = self._by_content(items)
        cursor = Cursor(
            mark=self._place.mark,
            validators=answer.fetched.validators,
            text=text_hash(answer.body, identity),
            count=len(items),
            identity=identity,
            sample=seen,
        )
        self._known = cursor
        return _Listing({one.remote_id: one for one in items}, cursor, answer.at, is_second=is_second)

    def _read(self, answer: _Answer) -> tuple[Found, ...]:
        return read_feed(answer.feed, parse=self._parse, zone=str(self._zone), host=self._place.shown)

    def _confirm_empty(self) -> _Answer:
        """Asks once more, since a server or a cache that is just restarting may give out an empty calendar."""
        answer = self._ask()
        if self._read(answer):
            raise self._wavering()
        return answer

    def _settle(self, answer: _Answer, items: Sequence[Found]) -> tuple[_Answer, Sequence[Found], Identity]:
        """Finds out whether UIDs can be relied on, from the last listing or from a second look."""
        before = self._known.sample if self._known else {}
        verdict = stability(before, _objects(items), zone=self._zone)
        if verdict is Stability.UNCLEAR:
            fetched = self._fetcher.fetch(answer.fetched.validators, past_caches=True)
            if fetched is None:
                return answer, items, Identity.UID
            again = self._answer(fetched)
            if text_hash(again.body, Identity.UID) == text_hash(answer.body, Identity.UID):
                return again, items, Identity.UID
            first, items, answer = items, self._read(again), again
            if not items:
                raise self._wavering()
            if churns(_objects(first), _objects(items), zone=self._zone):
                verdict = Stability.CHURNING
        return answer, items, Identity.CONTENT if verdict is Stability.CHURNING else Identity.UID

    def _wavering(self) -> ListingDoubtful:
        return ListingDoubtful(f"The calendar at '{self._place.shown}' was empty at one moment and not so at the next.")

    def _by_content(self, items: Sequence[Found]) -> list[Found]:
        """The same objects under names and UIDs made from what they are."""
        objects = _objects(items)
        names = content_identities(objects, zone=self._zone)
        named = [found(name, under(obj, name, self._parse)) for name, obj in zip(names, objects, strict=True)]
        rest = (one for one in items if not isinstance(one.object, CalendarObject))
        return [*named, *(replace(one, remote_id=f"unreadable-{one.etag}") for one in rest)]


def _objects(items: Sequence[Found]) -> list[CalendarObject]:
    return [one.object for one in items if isinstance(one.object, CalendarObject)]
