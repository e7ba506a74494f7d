"""UID, ORIGIN and the stamps of an event: whose it is, and when it was last touched; never by any clock of ours."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from bridge.core.content import made
from bridge.core.fold import escaped
from bridge.core.origin import ORIGIN
from bridge.core.view import SPECIAL
from bridge.upstream.google.mapping import marks
from bridge.upstream.google.mapping.row import NOTHING, Said, Seen, Source, text_of

if TYPE_CHECKING:
    from bridge.core.content import Line

_BEGINNING: Final = "19700101T000000Z"


def uid_to(source: Source) -> Said:
    """The UID as a mark: Google gives an event that is created under an id of ours an iCalUID of its own."""
    return Said(private=marks.pieces(marks.UID, text_of(source.component, "UID").strip()))


def uid_here(seen: Seen) -> list[Line]:
    """Our UID where we wrote the event, else Google's."""
    return [made("UID", escaped(marks.uid(seen.event)))]


def origin_to(source: Source) -> Said:
    """The mark of the rule that writes the event."""
    found = text_of(source.component, ORIGIN).strip()
    return Said(private={marks.ORIGIN: found}) if found else NOTHING


def origin_here(seen: Seen) -> list[Line]:
    """The mark of the rule that wrote the event, unless it is a copy of that one."""
    found = marks.origin(seen.event)
    return [made(ORIGIN, escaped(found))] if found else []


def stamps_to(_: Source) -> Said:
    """Nothing: Google keeps its own."""
    return NOTHING


def stamps_here(seen: Seen) -> list[Line]:
    """DTSTAMP, and what else Google knows of when it was made and changed."""
    created, updated = _utc(seen.event.get("created")), _utc(seen.event.get("updated"))
    lines = [made("DTSTAMP", updated or created or _BEGINNING)]
    lines += [made("CREATED", created)] if created else []
    lines += [made("LAST-MODIFIED", updated)] if updated else []
    sequence = seen.event.get("sequence")
    return [*lines, made("SEQUENCE", str(sequence))] if isinstance(sequence, int) and sequence > 0 else lines


def _utc(text: object) -> str:
    try:
        return datetime.fromisoformat(str(text)).astimezone(UTC).strftime("%Y%m%dT%H%M%SZ") if text else ""
    except (ValueError, OverflowError):
        return ""


def special_to(_: Source) -> Said:
    """Nothing: such an event is never written."""
    return NOTHING


def special_here(seen: Seen) -> list[Line]:
    """Of which kind the event is, where it is no ordinary one."""
    kind = str(seen.event.get("eventType") or "default")
    return [] if kind == "default" else [made(SPECIAL, escaped(kind))]
