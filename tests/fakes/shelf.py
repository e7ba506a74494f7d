"""A remote calendar in memory, behind the Protocol: what every upstream promises, and nothing more.

It passes the contract suite like a real server. The sync machine uses it where thousands of sequences have to run; it
can be weak (no deltas, no conditional writes), it can rewrite what it is given, and it misbehaves where it is told to.
"""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from bridge.core.content import MASTER, read, with_line, without, write
from bridge.core.model import ComponentType
from bridge.core.view import SPECIAL
from bridge.errors import (
    CalendarGone,
    CalendarReadOnly,
    CursorExpired,
    ObjectRefused,
    RemoteChanged,
    RemoteRefused,
    UidTaken,
    UpstreamUnavailable,
)
from bridge.upstream.protocol import (
    Capabilities,
    Changed,
    Found,
    Gone,
    Page,
    RemoteCalendar,
    Stored,
    Unknown,
    Unreadable,
)
from bridge.upstream.tally import count

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from bridge.core.content import Content
    from bridge.core.model import CalendarObject

FULL = Capabilities(
    writable=True,
    components=frozenset({ComponentType.VEVENT, ComponentType.VTODO}),
    delta=True,
    conditional=True,
    exclusive_create=True,
    keeps_text=True,
    holds_series=True,
)
WEAK = replace(FULL, delta=False, keeps_text=False)
_X_LINE = re.compile(rb"^X-(?!CALBRIDGE)", re.IGNORECASE)


@dataclass(slots=True)
class Shelf:
    """The calendar itself, as the provider keeps it; several connections may look at it.

    Attributes:
        objects: Version number and text of each object, by id.
        log: Every change: (number, id, whether it is gone).
        number: Of the last change.
        exists: Whether the calendar is there.
        read_only: Whether it takes nothing.
        calls: The name of every call that was made.
        misdeeds: What is done instead, or after, a call: popped from the front; None lets a call pass.
        inline: Whether its listings hold the objects themselves.
        left_out: Ids of what is missing where the whole calendar is told at once.
        stepwise: Whether it takes a series with overrides in two requests, the master first.
        unfinished: What has had the first of them only, by id; who edits it there does not finish it.
        neighbours: The other calendars of the same remote user; a UID stands in one of them only.
        takes_uid_twice: Whether it takes the same UID at two places, as DAViCal does.
        id: Of the calendar, as its connection lists it.
        one_by_one: Held while something is created: several connections create at once.
        watched: Told of each call before and after it is answered; what it raises goes to the caller.
    """

    objects: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    log: list[tuple[int, str, bool]] = field(default_factory=list)
    number: int = 0
    floor: int = 0
    exists: bool = True
    read_only: bool = False
    rewrites: bool = False
    calls: list[str] = field(default_factory=list)
    misdeeds: list[str | None] = field(default_factory=list)
    inline: bool = False
    left_out: set[str] = field(default_factory=set)
    stepwise: bool = False
    unfinished: set[str] = field(default_factory=set)
    neighbours: list[Shelf] = field(default_factory=list, repr=False)
    takes_uid_twice: bool = False
    id: str = "shelf"
    watched: Callable[[str, str], None] | None = field(default=None, repr=False)
    one_by_one: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def put(self, remote_id: str, raw: bytes) -> str:
        """Somebody stores an object, as it is."""
        self.number += 1
        self.objects[remote_id] = (self.number, raw)
        self.log.append((self.number, remote_id, False))
        return str(self.number)

    def delete(self, remote_id: str) -> None:
        """Somebody deletes an object."""
        self.number += 1
        del self.objects[remote_id]
        self.unfinished.discard(remote_id)
        self.log.append((self.number, remote_id, True))

    def rename(self, old: str, new: str) -> None:
        """The provider gives an object another id; nobody ever sees it under neither."""
        self.number += 1
        self.objects[new] = (self.number, self.objects.pop(old)[1])
        self.unfinished.discard(old)
        self.log += [(self.number, old, True), (self.number, new, False)]

    def holds(self, uid: str, parse: Callable[[bytes], CalendarObject]) -> bool:
        """Whether an object of this UID stands there."""
        for _, raw in list(self.objects.values()):
            try:
                if parse(raw).uid == uid:
                    return True
            except ObjectRefused:
                continue
        return False

    def forget_changes(self) -> None:
        """Every older cursor expires."""
        self.floor = self.number
        self.log.clear()


class ShelfUpstream:
    """A connection to a shelf.

    Args:
        shelf: The calendar.
        parse: Reads its objects.
        capabilities: What it says that it can do, and then does.
    """

    def __init__(
        self, shelf: Shelf, parse: Callable[[bytes], CalendarObject], capabilities: Capabilities = FULL
    ) -> None:
        self._shelf = shelf
        self._parse = parse
        self._capabilities = capabilities

    @property
    def capabilities(self) -> Capabilities:
        return self._capabilities

    def calendars(self) -> Sequence[RemoteCalendar]:
        self._begin("calendars")
        components = self._capabilities.components
        return (
            [RemoteCalendar(self._shelf.id, "Shelf", not self._shelf.read_only, components)]
            if self._shelf.exists
            else []
        )

    def changes(self, calendar: str, cursor: str | None) -> Iterator[Page]:  # noqa: ARG002 -- it has one only
        misdeed = self._begin("changes")
        shelf = self._shelf
        # A replica that lags behind does not know the last change yet.
        known = max(shelf.floor, shelf.number - 1) if misdeed == "stale" else shelf.number
        if cursor is not None:
            since = int(cursor) if cursor.isdigit() else -1
            if not shelf.floor <= since <= shelf.number or (not self._capabilities.delta and since != known):
                raise CursorExpired("The cursor has expired.")
            known = max(known, since)
            last = {id_: gone for number, id_, gone in shelf.log if since < number <= known}
        else:
            last = {id_: False for id_, (number, _) in shelf.objects.items() if number <= known}
        items = [self._item(id_, gone=gone) for id_, gone in last.items()]
        half = len(items) // 2
        yield Page(tuple(items[:half]))
        if misdeed == "cut":
            raise UpstreamUnavailable("The connection was cut.")
        self._tell("after", "changes")
        yield Page(tuple(items[half:]), str(known))

    def _item(self, remote_id: str, *, gone: bool) -> Changed | Gone:
        if gone or remote_id not in self._shelf.objects:
            return Gone(remote_id)
        etag = str(self._shelf.objects[remote_id][0])
        if not self._shelf.inline:
            return Changed(remote_id, etag)
        return Changed(remote_id, etag, self._read(remote_id), unfinished=remote_id in self._shelf.unfinished)

    def fetch(self, calendar: str, remote_ids: Sequence[str]) -> Iterator[Found | Gone | Unknown]:  # noqa: ARG002
        misdeed = self._begin("fetch")
        for remote_id in remote_ids:
            if misdeed == "cut":
                yield Unknown(remote_id, "The connection was cut.")
            elif remote_id in self._shelf.objects:
                etag, unfinished = str(self._shelf.objects[remote_id][0]), remote_id in self._shelf.unfinished
                yield Found(remote_id, etag, self._read(remote_id), unfinished=unfinished)
            else:
                yield Gone(remote_id)
        self._tell("after", "fetch")

    def everything(self, calendar: str) -> Iterator[Found]:
        told = [remote_id for remote_id in self._shelf.objects if remote_id not in self._shelf.left_out]
        return (each for each in self.fetch(calendar, told) if isinstance(each, Found))

    def create(self, calendar: str, new: CalendarObject, request_id: str) -> Stored:  # noqa: ARG002
        misdeed = self._begin("create")
        self._refuse_writes(new)
        remote_id = f"{request_id}.ics"
        with self._shelf.one_by_one:
            if remote_id in self._shelf.unfinished:
                self._store("create", remote_id, new, misdeed)
            elif remote_id not in self._shelf.objects:
                if not self._shelf.takes_uid_twice and any(
                    shelf.holds(new.uid, self._parse) for shelf in (self._shelf, *self._shelf.neighbours)
                ):
                    raise UidTaken(f"The UID {new.uid!r} is taken.")
                self._store("create", remote_id, new, misdeed)
        return self._answer("create", remote_id, misdeed)

    def replace(self, calendar: str, remote_id: str, new: CalendarObject, *, if_match: str) -> Stored:  # noqa: ARG002
        misdeed = self._begin("replace")
        self._refuse_writes(new)
        self._match(remote_id, if_match)
        self._refuse_special(remote_id)
        self._store("replace", remote_id, new, misdeed)
        return self._answer("replace", remote_id, misdeed)

    def remove(self, calendar: str, remote_id: str, *, if_match: str) -> None:  # noqa: ARG002
        misdeed = self._begin("remove")
        self._refuse_writes(None)
        if remote_id in self._shelf.objects:
            self._match(remote_id, if_match)
            self._refuse_special(remote_id)
            self._shelf.delete(remote_id)
        if misdeed in {"lost", "cut"}:
            raise UpstreamUnavailable("The answer was lost.")
        self._tell("after", "remove")

    def close(self) -> None:
        pass

    def _begin(self, name: str) -> str | None:
        """Counts the call, and does its misdeed.

        'down' fails before anything, 'lost' after it was done, 'cut' half way: a write that takes two requests after
        the first of them; 'stale' lists what was there before the last change.
        """
        self._tell("before", name)
        self._shelf.calls.append(name)
        count()
        misdeed = self._shelf.misdeeds.pop(0) if self._shelf.misdeeds else None
        if misdeed == "down":
            raise UpstreamUnavailable("The upstream is out of reach.")
        if not self._shelf.exists:
            raise CalendarGone("The calendar does not exist any more.")
        return misdeed

    def _refuse_writes(self, new: CalendarObject | None) -> None:
        if self._shelf.read_only:
            raise CalendarReadOnly("Nothing may be written to this calendar.")
        if new is not None and b"REFUSE ME" in new.raw:
            raise RemoteRefused("The upstream refuses this appointment.", property_name="SUMMARY")
        if new is not None and b"BREAK ON ME" in new.raw:
            raise UpstreamUnavailable("The upstream has an internal fault (500).")

    def _refuse_special(self, remote_id: str) -> None:
        if SPECIAL.encode() in self._shelf.objects[remote_id][1]:
            raise RemoteRefused(
                "The remote calendar makes this event of itself, so nothing but it may change it.",
                property_name=SPECIAL,
                remedy="Change it where it was made.",
            )

    def _match(self, remote_id: str, etag: str) -> None:
        here = self._shelf.objects.get(remote_id)
        if here is None or str(here[0]) != etag:
            raise RemoteChanged("Another version stands there.")

    def _store(self, name: str, remote_id: str, new: CalendarObject, misdeed: str | None) -> None:
        """Stores an object, with one request or with two."""
        shelf, raw = self._shelf, self._rewritten(new)
        wanted = read(self._parse(raw))
        if shelf.stepwise and MASTER in wanted.parts and len(wanted.parts) > 1:
            shelf.put(remote_id, self._half(remote_id, wanted))
            shelf.unfinished.add(remote_id)
            self._tell("amid", name)
            if misdeed == "cut":
                raise UpstreamUnavailable("The connection was cut.")
        shelf.put(remote_id, raw)
        shelf.unfinished.discard(remote_id)

    def _half(self, remote_id: str, new: Content) -> bytes:
        """The new master, with the overrides that stood there before."""
        was = self._read(remote_id) if remote_id in self._shelf.objects else None
        old = {} if was is None or isinstance(was, Unreadable) else read(was).parts
        overrides = {key: part for key, part in old.items() if key != MASTER}
        return write(replace(new, parts={MASTER: new.parts[MASTER], **overrides}))

    def _read(self, remote_id: str) -> CalendarObject | Unreadable:
        try:
            return self._parse(self._shelf.objects[remote_id][1])
        except ObjectRefused as error:
            return Unreadable(str(error))

    def _rewritten(self, new: CalendarObject) -> bytes:
        """What the provider makes of what it is given: without unknown X- properties, with a CLASS."""
        if not self._shelf.rewrites:
            return new.raw
        content = read(new)
        unknown = {line.name for part in content.parts.values() for line in part.lines if _X_LINE.match(line.raw)}
        return write(with_line(without(content, unknown), "CLASS", "PUBLIC"))

    def _tell(self, when: str, name: str) -> None:
        if self._shelf.watched is not None:
            self._shelf.watched(when, name)

    def _answer(self, name: str, remote_id: str, misdeed: str | None) -> Stored:
        if misdeed in {"lost", "cut"}:
            raise UpstreamUnavailable("The answer was lost.")
        stored = Stored(remote_id, str(self._shelf.objects[remote_id][0]), self._read(remote_id))
        self._tell("after", name)
        return stored
