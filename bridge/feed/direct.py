"""Components of feed-ready objects go into a feed as bytes, without being parsed.

Each function gives `None` where bytes are not enough: then the object is parsed and built anew.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bridge.config import Detail
from bridge.core.model import ComponentType
from bridge.feed.detail import DUE, KEPT_AT_BUSY, KEPT_AT_TITLES, hidden_uid
from bridge.feed.lines import folded
from bridge.feed.rules import is_plain

if TYPE_CHECKING:
    from bridge.feed.entry import FeedEntry

_COLON = ord(":")
_CLASS = re.compile(rb"\nCLASS([;:][^\r\n]*)", re.IGNORECASE)
_ALARM_BEGINS = b"\nBEGIN:VALARM\r\n"
_ALARM_ENDS = b"\nEND:VALARM\r\n"
_ODD_TRIGGER = re.compile(
    rb"\nTRIGGER(?!(?:;VALUE=DURATION|;VALUE=DATE-TIME|;RELATED=START|;RELATED=END)*:(?:" + DUE.encode() + rb")\r)"
)
# Most objects hold nothing of this, and one look tells so: folds, names in small letters, and what needs a decision.
_LOOK_CLOSER = re.compile(rb"\n(?:CLASS|RECURRENCE-ID|RRULE|EXRULE|BEGIN:VTIMEZONE|[ \t]|[A-Z]?[a-z])")
_RULES = re.compile(rb"\n(?:RRULE|EXRULE)[^:\r\n]*:([^\r\n]*)", re.IGNORECASE)
# A name that a fold cuts or that has small letters.
_HIDDEN_NAME = re.compile(rb"\n[A-Za-z-]*(?:\r\n[ \t]|[a-z])")
_INNER = re.compile(rb"(?<=\n)BEGIN:(?!VEVENT|VTODO|VJOURNAL)([^\r\n]*)\r\n.*?\nEND:\1\r\n", re.DOTALL)
_FREE = re.compile(rb"\n(?:TRANSP|STATUS)[^:\r\n]*:[ \t]*(?:TRANSPARENT|CANCELLED)", re.IGNORECASE)
_PLAIN = re.compile(rb"(?:;(?:VALUE|TZID|RANGE|LANGUAGE)=[^;:\"]*)*:[^\r\n]*", re.IGNORECASE)


_FRAMES = {kind: (f"\nBEGIN:{kind}\r\n".encode(), f"\nEND:{kind}\r\n".encode()) for kind in ComponentType}


def _kept(names: frozenset[str]) -> re.Pattern[bytes]:
    alternatives = b"|".join(name.encode() for name in sorted({*names, "BEGIN", "END"} - {"UID"}, reverse=True))
    return re.compile(rb"^(" + alternatives + rb")([;:][^\r\n]*)", re.IGNORECASE | re.MULTILINE)


_LINES = {Detail.TITLES: _kept(KEPT_AT_TITLES), Detail.BUSY: _kept(KEPT_AT_BUSY)}


def copied(entry: FeedEntry, *, alarms: bool) -> bytes | None:
    """Cuts all components out of a feed-ready object."""
    whole = _components(entry)
    if whole is None:
        return None
    if not alarms:
        return _without_alarms(whole)
    return None if _ODD_TRIGGER.search(whole) is not None else whole


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
    opening = b"BEGIN:" + kind + b"\r\n" + folded(b"UID:" + hidden_uid(entry.uid).encode())
    closing = (b"SUMMARY:Busy\r\nTRANSP:OPAQUE\r\nEND:" if detail is Detail.BUSY else b"END:") + kind + b"\r\n"
    out: list[bytes] = []
    for name, rest in _LINES[detail].findall(text):
        upper = name.upper()
        if upper == b"BEGIN":
            out.append(opening)
        elif upper == b"END":
            out.append(closing)
        elif rest[0] != _COLON and _PLAIN.fullmatch(rest) is None:
            return None
        else:
            out.append(folded(upper + rest))
    return b"".join(out)


def may_name_categories(raw: bytes) -> bool:
    """Tells whether the object may have categories: a folded line may hide the name."""
    return b"\nCATEGORIES" in raw or _HIDDEN_NAME.search(raw) is not None


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
    if start < 0 or stop < start:
        return None
    whole = raw[start + 1 : stop + len(end)]
    if b'"' in whole and b'\\"' in whole:
        return None  # a quote escaped as no parameter can have it
    if _LOOK_CLOSER.search(whole) is None:
        return whole
    return None if _is_odd(whole, entry) else whole


def _is_odd(whole: bytes, entry: FeedEntry) -> bool:
    text = whole.replace(b"\r\n ", b"")
    return (
        _HIDDEN_NAME.search(whole) is not None
        or b"\r\n\t" in whole
        or b"\nBEGIN:VTIMEZONE" in whole
        or any(found.upper() != b":PUBLIC" for found in _CLASS.findall(text))
        or not all(is_plain(rule.decode(errors="replace")) for rule in _RULES.findall(text))
        or (b"\nRECURRENCE-ID" in whole and has_no_master(entry))
    )
