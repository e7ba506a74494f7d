"""What stands at Google under one remote id: a single event, a series with its exceptions, or instances without one.

Google keeps a series as one event for its master and one for each instance that is not as the master says (an
exception, in its words). An exception of a series that this calendar does not hold, because its owner was invited to
that instance only, stands by itself; those of one series are one object.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING

from bridge.upstream.google.mapping import marks

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bridge.upstream.google.mapping import Event

_LONE = "~"
"""At the end of the remote id of instances without a master; no id of Google holds it."""

_SERIES = "series-"
CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Standing:
    """One appointment at Google.

    Attributes:
        master: The single event, or the master of the series; None: only instances of it are here.
        exceptions: The instances that are not as the master says, cancelled ones too; by id.
    """

    master: Event | None = field(repr=False)
    exceptions: tuple[Event, ...] = field(default=(), repr=False)

    @property
    def remote_id(self) -> str:
        """Names it; stable as long as it lives."""
        if self.master is not None:
            return str(self.master["id"])
        return lone_id(str(self.exceptions[0]["recurringEventId"]))

    @property
    def etag(self) -> str:
        """Differs whenever anything of it does; that of a single event is Google's own, without quotes.

        Of a cancelled instance nothing is certain but its id, so its own etag does not count.
        """
        if self.master is not None and not self.recurs:
            return bare_etag(self.master)
        events = self.exceptions if self.master is None else (self.master, *self.exceptions)
        lines = sorted(f"{each['id']} {CANCELLED if is_cancelled(each) else bare_etag(each)}" for each in events)
        return _SERIES + sha256("\n".join(lines).encode()).hexdigest()[:32]

    @property
    def recurs(self) -> bool:
        """Whether it is a series."""
        return bool(self.exceptions) or bool((self.master or {}).get("recurrence"))

    @property
    def unfinished(self) -> bool:
        """Whether our own write of it was broken off between two requests."""
        return self.master is not None and marks.is_own(self.master) and marks.UNFINISHED in marks.private(self.master)

    @property
    def special(self) -> str:
        """The kind of an entry that Google makes of itself; empty for an ordinary one."""
        first = self.master if self.master is not None else self.exceptions[0]
        kind = str(first.get("eventType", "default"))
        return "" if kind == "default" else kind


def lone_id(series: str) -> str:
    """The remote id of instances whose master is not here."""
    return f"{series}{_LONE}"


def series_of_lone(remote_id: str) -> str:
    """The id of the series of which a remote id names instances without a master; empty for any other remote id."""
    return remote_id.removesuffix(_LONE) if remote_id.endswith(_LONE) else ""


def is_cancelled(event: Event) -> bool:
    """Whether an event is deleted, or an instance cancelled: for Google that is the same."""
    return event.get("status") == CANCELLED


def bare_etag(event: Event) -> str:
    """The etag of one event without its quotes."""
    return str(event.get("etag", "")).strip('"')


def gathered(events: Iterable[Event]) -> Iterator[Standing]:
    """The appointments that a whole listing of events holds; of an event that came twice the last counts."""
    last = {str(each["id"]): each for each in events}
    by_series: dict[str, list[Event]] = {}
    for each in last.values():
        if "recurringEventId" in each:
            by_series.setdefault(str(each["recurringEventId"]), []).append(each)
    for name, each in last.items():
        if "recurringEventId" not in each and not is_cancelled(each):
            exceptions = by_series.pop(name, [])
            # What is left of a series that was made a single event is nothing of its own.
            yield Standing(each, _sorted(exceptions) if each.get("recurrence") else ())
    for exceptions in by_series.values():
        live = [each for each in exceptions if not is_cancelled(each)]
        if live:
            yield Standing(None, _sorted(live))


def _sorted(events: Iterable[Event]) -> tuple[Event, ...]:
    return tuple(sorted(events, key=lambda each: str(each["id"])))
