"""Components of feed-ready objects go into a feed as bytes, without being parsed.

That they are sound, public and in capital letters was found out when they were stored (`bridge.core.feed_ready`). Each
function gives `None` where bytes are not enough: then the object is parsed and built anew.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bridge.core.fold import folded, folded_octets
from bridge.core.model import ComponentType
from bridge.core.view import Detail
from bridge.feed.detail import KEPT_AT_BUSY, KEPT_AT_TITLES, hidden_uid

if TYPE_CHECKING:
    from bridge.feed.entry import FeedEntry

_COLON = ord(":")
_ALARM_BEGINS = b"\nBEGIN:VALARM\r\n"
_ALARM_ENDS = b"\nEND:VALARM\r\n"
_INNER = re.compile(rb"(?<=\n)BEGIN:(?!VEVENT|VTODO|VJOURNAL)([^\r\n]*)\r\n.*?\nEND:\1\r\n", re.DOTALL)
_FREE = re.compile(rb"\n(?:TRANSP:TRANSPARENT|STATUS:CANCELLED)\r")
_PLAIN = re.compile(rb"(?:;(?:VALUE|TZID|RANGE|LANGUAGE)=[^;:\"]*)*:[^\r\n]*")
_FRAMES = {kind: (f"\nBEGIN:{kind}\r\n".encode(), f"\nEND:{kind}\r\n".encode()) for kind in ComponentType}


def _kept(names: frozenset[str]) -> re.Pattern[bytes]:
    alternatives = b"|".join(name.encode() for name in sorted({*names, "BEGIN", "END"} - {"UID"}, reverse=True))
    return re.compile(rb"^(" + alternatives + rb")([;:][^\r\n]*)", re.MULTILINE)


_LINES = {Detail.TITLES: _kept(KEPT_AT_TITLES), Detail.BUSY: _kept(KEPT_AT_BUSY)}


def copied(entry: FeedEntry, *, alarms: bool) -> bytes | None:
    """Cuts all components out of a feed-ready object."""
    whole = _components(entry)
    return whole if alarms or whole is None else _without_alarms(whole)


def sieved(entry: FeedEntry, detail: Detail) -> bytes | None:
    """Cuts all components out of a feed-ready object and keeps only the lines that `detail` shows.

    Empty bytes mean that the object takes no time, so a busy feed does not show it.
    """
    whole = _components(entry)
    kind = entry.component.value.encode()
    if whole is None:
        return None
    text = _INNER.sub(b"", whole.replace(b"\r\n ", b""))
    if detail is Detail.BUSY and _FREE.search(text) is not None:
        return b"" if text.count(b"BEGIN:" + kind) == 1 else None
    opening = b"BEGIN:" + kind + b"\r\n" + folded(f"UID:{hidden_uid(entry.uid)}")
    closing = (b"SUMMARY:Busy\r\nTRANSP:OPAQUE\r\nEND:" if detail is Detail.BUSY else b"END:") + kind + b"\r\n"
    out: list[bytes] = []
    for name, rest in _LINES[detail].findall(text):
        if name == b"BEGIN":
            out.append(opening)
        elif name == b"END":
            out.append(closing)
        elif rest[0] != _COLON and _PLAIN.fullmatch(rest) is None:
            return None
        else:
            out.append(folded_octets(name + rest))
    return b"".join(out)


def may_name_categories(raw: bytes) -> bool:
    """Tells whether a feed-ready object may have categories."""
    return b"\nCATEGORIES" in raw


def has_no_master(entry: FeedEntry) -> bool:
    """Tells whether the object consists of overrides alone, as far as bytes show."""
    raw = entry.raw.upper()
    return 0 < raw.count(b"\nBEGIN:" + entry.component.value.encode()) <= raw.count(b"\nRECURRENCE-ID")


def _without_alarms(whole: bytes) -> bytes | None:
    begin = whole.find(_ALARM_BEGINS)
    if begin < 0:
        return whole
    kept: list[bytes] = []
    position = 0
    while begin >= 0:
        end = whole.find(_ALARM_ENDS, begin)
        if end < 0:
            return None
        kept.append(whole[position : begin + 1])
        position = end + len(_ALARM_ENDS)
        begin = whole.find(_ALARM_BEGINS, position - 1)
    kept.append(whole[position:])
    return b"".join(kept)


def _components(entry: FeedEntry) -> bytes | None:
    raw = entry.raw
    begin, end = _FRAMES[entry.component]
    start = raw.find(begin)
    stop = raw.rfind(end)
    return None if start < 0 or stop < start else raw[start + 1 : stop + len(end)]
