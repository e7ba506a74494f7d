"""CONFERENCE and ATTACH are read from Google and never written: they belong to the event there."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from bridge.core.content import made
from bridge.upstream.google.mapping.row import NOTHING, Said, Seen, Source, left_out, props

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bridge.core.content import Line

_KIND = re.compile(r"[A-Za-z0-9!#$&.+^_-]+/[A-Za-z0-9!#$&.+^_-]+")
_FEATURES: Final = {"video": "AUDIO,VIDEO", "phone": "AUDIO,PHONE", "sip": "AUDIO,VIDEO"}


def conference_to(source: Source) -> Said:
    """Nothing; what Google has stays as it is."""
    if not props(source.component, "CONFERENCE"):
        return NOTHING
    return Said(notes=(left_out("CONFERENCE", "Google makes conferences itself; the one that it has there stays."),))


def conference_here(seen: Seen) -> list[Line]:
    """The ways into the conference (RFC 7986 section 5.11)."""
    points: list[Mapping[str, Any]] = (seen.event.get("conferenceData") or {}).get("entryPoints") or []
    if not points and seen.event.get("hangoutLink"):
        points = [{"entryPointType": "video", "uri": seen.event["hangoutLink"]}]
    return [_conference(point) for point in points if _uri(point.get("uri"))]


def _conference(point: Mapping[str, Any]) -> Line:
    feature = _FEATURES.get(str(point.get("entryPointType")))
    params = ";VALUE=URI" + (f";FEATURE={feature}" if feature else "")
    codes = [f"{name}: {point[field]}" for field, name in _CODES.items() if point.get(field)]
    label = ", ".join([*([str(point["label"])] if point.get("label") else []), *codes])
    return made("CONFERENCE", _uri(point.get("uri")), params + (f';LABEL="{_quotable(label)}"' if label else ""))


_CODES: Final = {
    "pin": "PIN", "accessCode": "access code", "meetingCode": "meeting code", "passcode": "passcode",
    "password": "password",
}  # fmt: skip


def attachments_to(source: Source) -> Said:
    """Nothing; what Google has stays as it is."""
    if not props(source.component, "ATTACH"):
        return NOTHING
    return Said(notes=(left_out("ATTACH", "Google attaches files of Google Drive only."),))


def attachments_here(seen: Seen) -> list[Line]:
    """The files that are attached."""
    return [_attachment(one) for one in seen.event.get("attachments") or () if _uri(one.get("fileUrl"))]


def _attachment(one: Mapping[str, Any]) -> Line:
    kind = str(one.get("mimeType") or "")
    params = f";FMTTYPE={kind}" if _KIND.fullmatch(kind) else ""
    if one.get("title"):
        params += f';FILENAME="{_quotable(str(one["title"]))}"'
    return made("ATTACH", _uri(one.get("fileUrl")), params)


def _uri(found: object) -> str:
    return "".join(str(found or "").split())


def _quotable(text: str) -> str:
    """A text within quotes in a parameter (RFC 6868)."""
    return " ".join(text.replace("^", "^^").replace('"', "^'").split())
