"""An answer counts as a calendar only where it is one from its first line to its last.

Nothing tells a feed that lost its second half from one whose owner deleted half of it, but that its components do not
end. So whatever is not whole is refused, before anything is concluded from it.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass, field
from typing import Final

from bridge.errors import ListingDoubtful

_BORDER: Final = re.compile(rb"^(BEGIN|END)[ \t]*:[ \t]*([\w-]+)[ \t]*(?:\r?\n|\Z)", re.MULTILINE | re.IGNORECASE)
_FOLD: Final = re.compile(rb"\r?\n[ \t]")
_LINE_END: Final = re.compile(rb"\r+\n")
_HEADER_LINE: Final = re.compile(rb"^([\w-]+)(?:;[^:\n]*)?:(.*)$", re.MULTILINE)
_MARKS: Final = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_CALENDAR: Final = b"VCALENDAR"
_HTML: Final = re.compile(rb"\s*<(?:!DOCTYPE|html|head|body|\?xml|script|meta|div|br|b>)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class WholeCalendar:
    """One VCALENDAR of an answer.

    Attributes:
        raw: Its octets, UTF-8 or what the server took for it.
        header: Its own properties by their names in capitals, unfolded; of several of one name the first.
    """

    raw: bytes = field(repr=False)
    header: dict[str, str] = field(repr=False)


def in_utf8(body: bytes, charset: str, *, host: str) -> bytes:
    """The same text as UTF-8.

    A byte order mark says how it is written, else the server's word counts, else it is UTF-8 (RFC 5545 section 3.1.4).
    What is said to be UTF-8 is given back as it is: where only one event is not, only that one is refused.

    Raises:
        ListingDoubtful: It cannot be read as the server says.
    """
    name = next((name for mark, name in _MARKS.items() if body.startswith(mark)), charset)
    try:
        codec = codecs.lookup(name) if name else None
    except (LookupError, ValueError):
        codec = None
    if codec is None or codec.name in ("utf-8", "ascii"):
        return body
    if codec.name == "utf-8-sig":
        return body.removeprefix(codecs.BOM_UTF8)
    try:
        return body.decode(codec.name).removeprefix("\ufeff").encode()
    except (UnicodeError, LookupError) as error:
        raise ListingDoubtful(
            f"The calendar from '{host}' is not written in {codec.name}, as it says.",
            remedy="Its owner should publish it as UTF-8.",
        ) from error


def calendars(body: bytes, *, host: str) -> tuple[WholeCalendar, ...]:
    """The calendars in an answer, mostly one.

    Args:
        body: The answer, in UTF-8.
        host: Who gave it.

    Raises:
        ListingDoubtful: It is empty, a web page, or no calendar from its first line to its last.
    """
    if not body.strip():
        raise ListingDoubtful(f"'{host}' answers with nothing at all.")
    if _HTML.match(body):
        raise ListingDoubtful(
            f"'{host}' answers with a web page in place of a calendar.",
            remedy="If it is a login page, the address is not the public or secret one: copy it anew from its owner.",
        )
    return tuple(_walk(_readable(body), host))


def _readable(body: bytes) -> bytes:
    """The text with line ends of LF or CRLF and no folded border, as `bridge.core.split.split` reads it, too."""
    raw = body if b"\n" in body else body.replace(b"\r", b"\r\n")
    if b"\r\r\n" in raw:
        raw = _LINE_END.sub(b"\r\n", raw)
    unfolded = _FOLD.sub(b"", raw)
    return raw if _BORDER.findall(unfolded) == _BORDER.findall(raw) else unfolded


def _walk(raw: bytes, host: str) -> list[WholeCalendar]:
    """Walks from border to border; everything has to stand within a VCALENDAR, and everything has to end."""
    found: list[WholeCalendar] = []
    header: list[bytes] = []
    depth = start = last = 0
    for border in _BORDER.finditer(raw):
        begins, is_calendar = border[1].upper() == b"BEGIN", border[2].upper() == _CALENDAR
        # A calendar begins at the outside and ends there: one that begins within another is the next after a cut.
        if is_calendar != (depth == (0 if begins else 1)):
            raise _cut_off(host) if found or depth else _no_calendar(host)
        between = raw[last : border.start()]
        if not depth and between.strip():
            raise _no_calendar(host)
        if depth == 1:
            header.append(between)
        depth += 1 if begins else -1
        last = border.end()
        if begins and is_calendar:
            start, header = border.start(), []
        elif not depth:
            found.append(WholeCalendar(raw[start:last], _properties(b"".join(header))))
    if depth:
        raise _cut_off(host)
    if raw[last:].strip():
        raise _no_calendar(host)
    return found


def _cut_off(host: str) -> ListingDoubtful:
    return ListingDoubtful(f"The calendar from '{host}' is cut off: not everything in it ends.")


def _no_calendar(host: str) -> ListingDoubtful:
    return ListingDoubtful(f"'{host}' answers with something else than a calendar, or beside one.")


def _properties(header: bytes) -> dict[str, str]:
    flat = _FOLD.sub(b"", header).replace(b"\r", b"")
    found: dict[str, str] = {}
    for name, value in _HEADER_LINE.findall(flat):
        found.setdefault(name.decode().upper(), value.decode(errors="replace").strip())
    return found
