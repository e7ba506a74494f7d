"""Marks of ours stand in the private extended properties of an event, which only this calendar's copy of it has.

Some say whose the event is. They count only where the mark `calbridgeId` names the event itself, or the series of which
it is an instance: Google copies extended properties along with an event, and a copy is not ours. The others say what
Google has no field for, and hold for a copy as well.

Limits: 44 characters a key, 1,024 a value, and 32 kB in all (Calendar API, guide 'Extended properties').
"""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Final

from bridge.core.origin import Origin

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bridge.upstream.google.mapping.whole import Event

ID: Final = "calbridgeId"
"""The id of the event that carries the marks; who writes them sets it."""

ORIGIN: Final = "calbridgeOrigin"
"""The value of X-CALBRIDGE-ORIGIN (`bridge.core.origin`)."""

UID: Final = "calbridgeUid"
"""The UID on our side: Google gives an event that is created under an id of ours an iCalUID of its own."""

UNFINISHED: Final = "calbridgeUnfinished"
"""Set while a series is being written in several requests; never by this package."""

FLOATING: Final = "calbridgeFloating"
"""The zone in which floating times were written; they float as long as their zone is this one."""

STATUS: Final = "calbridgeStatus"
"""`CANCELLED`, with ` TRANSPARENT` behind it where it did not block before: Google would delete the event."""

CATEGORIES: Final = "calbridgeCategories"
"""The categories as they stand in a CATEGORIES line."""

MASTERLESS: Final = "calbridgeMasterless"
"""On a series that was made for overrides whose master nobody has."""

SERIES: Final = "calbridgeSeries"
"""When a series is, as we keep it, where Google can only be given something like it."""

_PIECE: Final = 1_000
_MOST_PIECES: Final = 12


def pieces(key: str, text: str) -> dict[str, str]:
    """A text as marks: `key`, `key2`, `key3` ...; none where it is empty, or longer than there is room for."""
    if len(text) > _PIECE * _MOST_PIECES:
        return {}
    cuts = [text[at : at + _PIECE] for at in range(0, len(text), _PIECE)]
    return {key if number == 1 else f"{key}{number}": cut for number, cut in enumerate(cuts, 1)}


def private(event: Event) -> Mapping[str, str]:
    """The private extended properties of an event."""
    found: Mapping[str, str] = (event.get("extendedProperties") or {}).get("private") or {}
    return found


def text(event: Event, key: str) -> str:
    """What the pieces of a mark say together; empty where there is none."""
    marks = private(event)
    found: list[str] = []
    for number in count(1):
        cut = marks.get(key if number == 1 else f"{key}{number}")
        if cut is None:
            break
        found.append(cut)
    return "".join(found)


def is_own(event: Event) -> bool:
    """Whether the marks that say whose an event is are those of this very event, or of its series."""
    named = private(event).get(ID, "")
    return bool(named) and named == event.get("recurringEventId", event.get("id"))


def origin(event: Event) -> str:
    """The mark of the rule that wrote an event; empty where none of ours did."""
    found = Origin.parse(text(event, ORIGIN)) if is_own(event) else None
    return "" if found is None else str(found)


def uid(event: Event) -> str:
    """The UID of an event: ours where we wrote it, else that of Google."""
    own = text(event, UID).strip() if is_own(event) else ""
    return own or str(event.get("iCalUID") or event.get("recurringEventId") or event.get("id") or "")
