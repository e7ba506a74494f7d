"""DESCRIPTION, LOCATION, URL and CATEGORIES: texts, of which Google has a place for all but the last."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bridge.core.content import made
from bridge.core.fold import escaped
from bridge.upstream.google.mapping import marks
from bridge.upstream.google.mapping.rich_text import incoming, outgoing
from bridge.upstream.google.mapping.row import NOTHING, Said, Seen, Source, left_out, props, text_of

if TYPE_CHECKING:
    from bridge.core.content import Line

_WEB: Final = ("http://", "https://")


def description_to(source: Source) -> Said:
    """The description, its signs escaped where it looks like HTML."""
    found = text_of(source.component, "DESCRIPTION")
    return Said({"description": outgoing(found)}) if found else NOTHING


def description_here(seen: Seen) -> list[Line]:
    """The description as plain text."""
    found = incoming(str(seen.event.get("description") or ""))
    return [made("DESCRIPTION", escaped(found))] if found else []


def location_to(source: Source) -> Said:
    """The place."""
    found = text_of(source.component, "LOCATION")
    return Said({"location": found}) if found else NOTHING


def location_here(seen: Seen) -> list[Line]:
    """The place."""
    found = str(seen.event.get("location") or "")
    return [made("LOCATION", escaped(found))] if found else []


def url_to(source: Source) -> Said:
    """A web address as the source of the event, which only its creator sees there."""
    found = text_of(source.component, "URL").strip()
    if not found:
        return NOTHING
    if not found.lower().startswith(_WEB):
        return Said(notes=(left_out("URL", "Google takes addresses of the web only."),))
    return Said({"source": {"url": found, "title": found}})


def url_here(seen: Seen) -> list[Line]:
    """The address of the source."""
    found = str((seen.event.get("source") or {}).get("url") or "").split()
    return [made("URL", "".join(found))] if found else []


def categories_to(source: Source) -> Said:
    """The categories as a mark, for Google has colours only."""
    names = [
        str(category) for prop in props(source.component, "CATEGORIES") for category in getattr(prop, "cats", [prop])
    ]
    kept = sorted({name for name in names if name})
    return Said(private=marks.pieces(marks.CATEGORIES, ",".join(map(escaped, kept)))) if kept else NOTHING


def categories_here(seen: Seen) -> list[Line]:
    """The categories that the mark keeps."""
    kept = marks.text(seen.event, marks.CATEGORIES)
    return [made("CATEGORIES", kept.replace("\n", "\\n"))] if kept else []
