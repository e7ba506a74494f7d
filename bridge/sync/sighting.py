"""What a pass saw at the upstream: which remote objects are not as the links know them, and whether that was all."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from bridge.errors import CursorExpired, ListingDoubtful
from bridge.upstream.protocol import Gone

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from bridge.upstream.protocol import Changed, Upstream


GRACE = timedelta(minutes=10)
"""For so long after we wrote an object, its absence from a listing proves nothing: some servers list late."""


class Hint(StrEnum):
    """Why a remote object is looked at; kept with its intent.

    Attributes:
        CHANGED: It is new or not what it was.
        GONE: The upstream says that it was deleted.
        ABSENT: It is not in a listing that came to its end.
    """

    CHANGED = "changed"
    GONE = "gone"
    ABSENT = "absent"


@dataclass(frozen=True, slots=True)
class Sighting:
    """What one reading of a remote calendar brought.

    Attributes:
        hints: The remote objects to look at, with the reason.
        listed: What the listing said of those that are there.
        cursor: For the next time.
        whole: Whether everything there is was listed.
        total: How many objects the listing named; of a whole listing, how many there are.
    """

    hints: Mapping[str, Hint]
    listed: Mapping[str, Changed] = field(repr=False)
    cursor: str
    whole: bool
    total: int


def look(
    upstream: Upstream,
    calendar: str,
    cursor: str | None,
    known: Callable[[], Mapping[str, str]],
    aside: Callable[[], Collection[str]] = tuple,
) -> Sighting:
    """Reads what changed since `cursor`, or everything where that is None or not valid any more.

    Args:
        upstream: The connection.
        calendar: Id of the remote calendar.
        cursor: What the last reading gave.
        known: Gives the etag of each linked remote object: what is still the same is not looked at. Not called where
            nothing has changed at all.
        aside: Gives the remote objects that no link knows, and of which it counts when they are gone.

    Raises:
        UpstreamError: The reading failed, or was cut off; nothing may be concluded from what came before that.
    """
    if cursor is not None:
        try:
            listed, gone, fresh = _read(upstream, calendar, cursor)
        except CursorExpired:
            # Nothing is cleared: everything is listed, and compared with what is known.
            return look(upstream, calendar, None, known, aside)
        if not listed and not gone:
            return Sighting({}, {}, fresh, whole=False, total=0)
        linked = known()
        if upstream.capabilities.refuses_old_cursors or not _repeats_everything(listed, linked):
            hints = _hints(listed, gone, linked, aside() if gone else ())
            return Sighting(hints, listed, fresh, whole=False, total=len(listed))
    listed, gone, fresh = _read(upstream, calendar, None)
    linked = known()
    unlinked = aside()
    absent = dict.fromkeys((id_ for id_ in (*linked, *unlinked) if id_ not in listed), Hint.ABSENT)
    return Sighting({**absent, **_hints(listed, gone, linked, unlinked)}, listed, fresh, whole=True, total=len(listed))


def _read(upstream: Upstream, calendar: str, cursor: str | None) -> tuple[dict[str, Changed], set[str], str]:
    listed: dict[str, Changed] = {}
    gone: set[str] = set()
    fresh = None
    for page in upstream.changes(calendar, cursor):
        for item in page.items:
            # The same object may come again: its last state counts.
            if isinstance(item, Gone):
                listed.pop(item.remote_id, None)
                gone.add(item.remote_id)
            else:
                listed[item.remote_id] = item
                gone.discard(item.remote_id)
        fresh = page.cursor
    if fresh is None:
        raise ListingDoubtful("The list of the remote calendar ended without its end mark, so nothing of it is used.")
    return listed, gone, fresh


def _hints(
    listed: Mapping[str, Changed], gone: set[str], known: Mapping[str, str], aside: Collection[str]
) -> dict[str, Hint]:
    changed = {id_: Hint.CHANGED for id_, item in listed.items() if known.get(id_) != item.etag}
    # What was never linked needs no goodbye.
    return {**changed, **{id_: Hint.GONE for id_ in gone if id_ in known or id_ in aside}}


def _repeats_everything(listed: Mapping[str, Changed], known: Mapping[str, str]) -> bool:
    """Whether a delta names all that is known as it is known: some servers answer any cursor with everything.

    Such an answer holds no deletions, so the calendar has to be listed as a whole.
    """
    return bool(known) and all(id_ in listed and listed[id_].etag == etag for id_, etag in known.items())
