"""Guests and the organizer are attendees at Google, each known by a mail address.

The organizer is Google's to name. What arrives here as ATTENDEE is to be sent: where a rule sends no guests, they have
become a text before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from bridge.core.content import made
from bridge.upstream.google.mapping.row import NOTHING, Said, Seen, Source, left_out, props

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bridge.core.content import Line
    from bridge.upstream.google.mapping.whole import Note

_ANSWERS: Final = {
    "ACCEPTED": "accepted", "DECLINED": "declined", "TENTATIVE": "tentative", "NEEDS-ACTION": "needsAction",
}  # fmt: skip
_PARTSTATS: Final = {answer: partstat for partstat, answer in _ANSWERS.items()}
_THINGS: Final = frozenset({"RESOURCE", "ROOM"})
_MAILTO: Final = "mailto:"
_EXPORTED_GUESTS: Final = "X-NUM-GUESTS"
_EXPORTED_COMMENT: Final = "X-RESPONSE-COMMENT"


def attendees_to(source: Source) -> Said:
    """The guests with what they have answered."""
    lines = props(source.component, "ATTENDEE")
    guests = {guest["email"].lower(): guest for guest in map(_guest, lines) if guest["email"]}
    notes: tuple[Note, ...] = ()
    if len(guests) < len(lines):
        notes = (left_out("ATTENDEE", "Google takes each guest once, and by a mail address only."),)
    return Said({"attendees": list(guests.values())} if guests else {}, notes=notes)


def _guest(line: Any) -> dict[str, Any]:
    params: Mapping[str, Any] = getattr(line, "params", {})
    guest: dict[str, Any] = {"email": _address(line)}
    name = str(params.get("CN", "")).strip()
    if name and name.lower() != guest["email"].lower():
        guest["displayName"] = name
    guest["responseStatus"] = _ANSWERS.get(str(params.get("PARTSTAT", "")).upper(), "needsAction")
    if str(params.get("ROLE", "")).upper() in {"OPT-PARTICIPANT", "NON-PARTICIPANT"}:
        guest["optional"] = True
    if str(params.get("CUTYPE", "")).upper() in _THINGS:
        guest["resource"] = True
    more = str(params.get(_EXPORTED_GUESTS, "0"))
    if more.isdecimal() and int(more):
        guest["additionalGuests"] = int(more)
    comment = str(params.get(_EXPORTED_COMMENT, ""))
    if comment:
        guest["comment"] = comment
    return guest


def _address(line: Any) -> str:
    text = str(line).strip()
    if text.lower().startswith(_MAILTO):
        return text[len(_MAILTO) :].strip()
    found = str(getattr(line, "params", {}).get("EMAIL", "")).strip()
    return found or (text if "@" in text and ":" not in text else "")


def attendees_here(seen: Seen) -> list[Line]:
    """The guests, those of the whole list in its order, the organizer among them where Google lists them."""
    return [
        made("ATTENDEE", f"{_MAILTO}{one['email']}", _params(_guest_params(one)))
        for one in seen.event.get("attendees") or ()
        if one.get("email")
    ]


def _guest_params(guest: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    if guest.get("resource"):
        yield "CUTYPE", "RESOURCE"
    if guest.get("optional"):
        yield "ROLE", "OPT-PARTICIPANT"
    yield "PARTSTAT", _PARTSTATS.get(str(guest.get("responseStatus")), "NEEDS-ACTION")
    if guest.get("displayName"):
        yield "CN", str(guest["displayName"])
    if guest.get("additionalGuests"):
        yield _EXPORTED_GUESTS, str(guest["additionalGuests"])
    if guest.get("comment"):
        yield _EXPORTED_COMMENT, str(guest["comment"])


def organizer_to(source: Source) -> Said:
    """Nothing: the organizer is the calendar in which an event is made."""
    if not props(source.component, "ORGANIZER") or not props(source.component, "ATTENDEE"):
        return NOTHING
    return Said(
        notes=(left_out("ORGANIZER", "The organizer of an event is the Google calendar in which it was made."),)
    )


def organizer_here(seen: Seen) -> list[Line]:
    """The organizer of an event that has guests."""
    found = seen.event.get("organizer") or {}
    if not found.get("email") or not seen.event.get("attendees"):
        return []
    name = [("CN", str(found["displayName"]))] if found.get("displayName") else []
    return [made("ORGANIZER", f"{_MAILTO}{found['email']}", _params(name))]


def _params(found: Iterable[tuple[str, str]]) -> str:
    return "".join(f";{name}={_quoted(value)}" for name, value in found)


def _quoted(value: str) -> str:
    """A parameter value; what may not stand in one is written with a caret (RFC 6868)."""
    text = value.replace("^", "^^").replace("\r\n", "\n").replace("\n", "^n").replace('"', "^'")
    return f'"{text}"' if set(text) & set(",;:") or text != text.strip() else text
