"""SUMMARY, STATUS, TRANSP and CLASS: what an event is called, whether it takes place, blocks time, and may be seen.

Google deletes an event whose status is `cancelled`. So one that is cancelled here, but kept so that people see it,
stays there: free, and with a word before its title.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bridge.core.content import made
from bridge.core.fold import escaped
from bridge.upstream.google.mapping import marks
from bridge.upstream.google.mapping.row import NOTHING, Said, Seen, Source, emulated, text_of, word_of

if TYPE_CHECKING:
    from bridge.core.content import Line
    from bridge.upstream.google.mapping.whole import Event

CANCELLED_TITLE: Final = "Cancelled: "
"""What stands before the title of an event that is cancelled here."""

_CANCELLED, _TRANSPARENT = "CANCELLED", "TRANSPARENT"
_VISIBILITY: Final = {"PRIVATE": "private", "CONFIDENTIAL": "confidential"}
_CLASS: Final = {"private": "PRIVATE", "confidential": "CONFIDENTIAL"}
_OFFICE_TITLES: Final = {"homeOffice": "Home", "officeLocation": "Office", "customLocation": "Working elsewhere"}


def summary_to(source: Source) -> Said:
    """The title; `Cancelled: ` before it where the event does not take place."""
    title = text_of(source.component, "SUMMARY")
    if is_cancelled(source):
        title = f"{CANCELLED_TITLE}{title}"
    return Said({"summary": title}) if title else NOTHING


def summary_here(seen: Seen) -> list[Line]:
    """The title; a working location without one is called by its kind."""
    title = str(seen.event.get("summary") or "")
    if stays_cancelled(seen.event):
        title = title.removeprefix(CANCELLED_TITLE)
    if not title and seen.event.get("eventType") == "workingLocation":
        title = _working_location(seen.event)
    return [made("SUMMARY", escaped(title))] if title else []


def _working_location(event: Event) -> str:
    found = event.get("workingLocationProperties") or {}
    kind = str(found.get("type") or "")
    label = (found.get(kind) or {}).get("label") if kind != "homeOffice" else None
    return str(label or _OFFICE_TITLES.get(kind, ""))


def status_to(source: Source) -> Said:
    """`confirmed` or `tentative`; never `cancelled`, which deletes."""
    if is_cancelled(source):
        free = word_of(source.component, "TRANSP") == _TRANSPARENT
        note = emulated(
            "STATUS", "Google deletes what is cancelled; the event stays as a free one whose title begins 'Cancelled:'."
        )
        mark = f"{_CANCELLED} {_TRANSPARENT}" if free else _CANCELLED
        return Said({"status": "confirmed"}, {marks.STATUS: mark}, (note,))
    return Said({"status": "tentative" if word_of(source.component, "STATUS") == "TENTATIVE" else "confirmed"})


def status_here(seen: Seen) -> list[Line]:
    """TENTATIVE or CANCELLED; that an event is confirmed needs no word."""
    if stays_cancelled(seen.event):
        return [made("STATUS", _CANCELLED)]
    return [made("STATUS", "TENTATIVE")] if seen.event.get("status") == "tentative" else []


def transparency_to(source: Source) -> Said:
    """`opaque` or `transparent`."""
    free = is_cancelled(source) or word_of(source.component, "TRANSP") == _TRANSPARENT
    return Said({"transparency": "transparent" if free else "opaque"})


def transparency_here(seen: Seen) -> list[Line]:
    """TRANSPARENT where the event blocks no time: it says so, tells a place of work, or its owner has declined it."""
    if stays_cancelled(seen.event):
        free = marks.text(seen.event, marks.STATUS).endswith(_TRANSPARENT)
    else:
        free = (
            seen.event.get("transparency") == "transparent"
            or seen.event.get("eventType") == "workingLocation"
            or _declined(seen.event)
        )
    return [made("TRANSP", _TRANSPARENT)] if free else []


def _declined(event: Event) -> bool:
    return any(
        guest.get("self") and guest.get("responseStatus") == "declined" for guest in event.get("attendees") or ()
    )


def class_to(source: Source) -> Said:
    """`private` or `confidential`; PUBLIC is `default`, since most programs write it without anybody asking them to.

    `public` would show the details to people who may only see when the calendar is free.
    """
    word = word_of(source.component, "CLASS")
    if word in {"", "PUBLIC"}:
        return Said({"visibility": "default"})
    if word in _VISIBILITY:
        return Said({"visibility": _VISIBILITY[word]})
    note = emulated("CLASS", "Google has no such class; the event is private there (RFC 5545 section 3.8.1.3).")
    return Said({"visibility": "private"}, notes=(note,))


def class_here(seen: Seen) -> list[Line]:
    """PRIVATE or CONFIDENTIAL; what is public needs no word."""
    word = _CLASS.get(str(seen.event.get("visibility")))
    return [made("CLASS", word)] if word else []


def is_cancelled(source: Source) -> bool:
    """Whether a component of ours says that it does not take place."""
    return word_of(source.component, "STATUS") == _CANCELLED


def stays_cancelled(event: Event) -> bool:
    """Whether an event still stands there as one that is cancelled here; who makes it busy there takes it up again."""
    return (
        marks.text(event, marks.STATUS).startswith(_CANCELLED)
        and event.get("transparency") == "transparent"
        and str(event.get("summary") or "").startswith(CANCELLED_TITLE)
    )
