"""Guests go out as a list at the end of the description, where nobody invites them again, and are taken off there.

Where a rule sends them as guests all the same, the lines say that the server is not to write to them (RFC 6638
section 7.1).
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from bridge.core.content import Line, Part, is_block, made, text
from bridge.core.fold import escaped

GUESTS: Final = frozenset({
    "ATTENDEE", "ORGANIZER", "REQUEST-STATUS", "X-CALENDARSERVER-ATTENDEE-COMMENT", "X-MS-OLK-SENDER",
})  # fmt: skip
"""The properties that hold names, addresses or answers of guests."""

HTML: Final = "X-ALT-DESC"
"""The description once more, in HTML; it would lack the list."""

_HEAD = "Guests:"
_INVITED: Final = frozenset({"ATTENDEE", "ORGANIZER"})
_LIST = re.compile(rf"(?:(?<=\n)|\A){_HEAD}[ \t]*\n(?:[ \t]*-[^\n]*(?:\n|\Z))+")
_PARAM = re.compile(r';[ \t]*([A-Za-z0-9-]+)[ \t]*=[ \t]*((?:"[^"]*"|[^";:])*)')
_AGENT = re.compile(r';[ \t]*SCHEDULE-AGENT[ \t]*=[ \t]*("[^"]*"|[^";:]*)', re.IGNORECASE)
_ALTREP = re.compile(r';[ \t]*ALTREP[ \t]*=[ \t]*("[^"]*"|[^";:]*)', re.IGNORECASE)
_MAIL = re.compile(rb"^ATTENDEE[;:]", re.MULTILINE | re.IGNORECASE)
_CARETS: Final = {"^^": "^", "^'": "'", "^n": " "}
_CARET = re.compile(r"\^[\^'n]")


def head(line: Line) -> str:
    """The parameters of a line as they stand, each with its semicolon before it."""
    behind_name = line.flat.removesuffix(line.value).removesuffix(":")
    return behind_name[behind_name.find(";") :] if ";" in behind_name else ""


def params(line: Line) -> dict[str, str]:
    """The parameters of a line by their names in capitals, without quotes; of two of a name the last."""
    return {name.upper(): value.strip().strip('"') for name, value in _PARAM.findall(head(line))}


def address(line: Line) -> str:
    """The mail address of a guest in small letters; empty where there is none."""
    scheme, _, rest = line.value.strip().partition(":")
    found = rest if scheme.lower() == "mailto" else params(line).get("EMAIL", "")
    return found.strip().lower()


def listed(part: Part) -> str:
    """The guests of a component as a list for people; empty where there are none but the organizer."""
    organizers = {address(line) for line in part.named("ORGANIZER")} - {""}
    guests = [line for line in part.named("ATTENDEE") if address(line) not in organizers]
    entries = [entry for entry in map(_entry, guests) if entry]
    return "\n".join([_HEAD, *entries]) if entries else ""


def _entry(guest: Line) -> str:
    name = _CARET.sub(lambda match: _CARETS[match[0]], params(guest).get("CN", ""))
    name, mail = " ".join(name.split()), address(guest)
    if name.lower() in {"", mail}:
        return f"- {mail}" if mail else ""
    return f"- {name} <{mail}>" if mail else f"- {name}"


def mails(line: Line) -> bool:
    """Whether a line of a component is an alarm that writes mail to people (RFC 5545 section 3.8.6.1)."""
    return is_block(line) and _MAIL.search(line.raw) is not None


def with_list(part: Part) -> Part:
    """The same component, its guests as a list at the end of its description and nowhere else."""
    found = listed(part)
    kept = tuple(line for line in part.content if line.name not in GUESTS and not mails(line))
    if not found:
        return replace(part, content=kept)
    bare = replace(part, content=tuple(line for line in kept if line.name != HTML))
    before = text(part, "DESCRIPTION")
    return with_description(bare, f"{before}\n\n{found}" if before else found)


def with_description(part: Part, description: str) -> Part:
    """The same component with another description in the place of its first."""
    old = next(iter(part.named("DESCRIPTION")), None)
    if old is None:
        line = made("DESCRIPTION", escaped(description))
        at = next((at for at, one in enumerate(part.content) if is_block(one)), len(part.content))
        return replace(part, content=(*part.content[:at], line, *part.content[at:]))
    line = made("DESCRIPTION", escaped(description), _ALTREP.sub("", head(old)))
    return replace(part, content=tuple(line if one is old else one for one in part.content))


def without_list(description: str, guests: str | None) -> str:
    """A description without the list of guests in it, wherever people have moved it.

    Args:
        description: What came back.
        guests: The list as it went out, or None where that is not known. Where it is not there any more, the last list
            of any guests is taken off.
    """
    exact = rf"(?:(?<=\n)|\A){re.escape(guests)}[ \t]*(?:\n|\Z)" if guests else None
    found = list(re.finditer(exact, description)) if exact else []
    found = found or list(_LIST.finditer(description))
    if not found:
        return description
    before, after = description[: found[-1].start()], description[found[-1].end() :].strip("\n")
    before = before.removesuffix("\n").removesuffix("\n")
    return "\n\n".join(part for part in (before, after) if part)


def unsent(part: Part) -> Part:
    """The same component, its guests marked as none whom the server is to write to."""
    return replace(part, content=tuple(_unsent(line) if line.name in _INVITED else line for line in part.content))


def _unsent(line: Line) -> Line:
    agent = params(line).get("SCHEDULE-AGENT", "SERVER").upper()
    if agent in {"CLIENT", "NONE"}:
        return line
    return made(line.name, line.value, f"{_AGENT.sub('', head(line))};SCHEDULE-AGENT=CLIENT")


def as_ours(part: Part, ours: Part) -> Part:
    """The same component with that mark off again, save from guests who have one on our side."""
    own = {(line.name, address(line)) for line in ours.content if _is_unsent(line)}
    return replace(
        part,
        content=tuple(
            made(line.name, line.value, _AGENT.sub("", head(line)))
            if _is_unsent(line) and (line.name, address(line)) not in own
            else line
            for line in part.content
        ),
    )


def _is_unsent(line: Line) -> bool:
    return line.name in _INVITED and params(line).get("SCHEDULE-AGENT", "").upper() == "CLIENT"
