"""The calendars of a feed become objects with names that stay, each read by itself."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from bridge.core.canonical import digest
from bridge.core.content import Content, Line, is_block, read, with_uid, write
from bridge.core.split import split
from bridge.core.split import with_uid as given_uid
from bridge.core.zones import iana_key
from bridge.errors import ListingDoubtful, ObjectRefused
from bridge.upstream.ics_url.variants import quiet, variants
from bridge.upstream.protocol import Found, Unreadable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from bridge.core.model import CalendarObject
    from bridge.upstream.ics_url.whole import WholeCalendar

_HELD: Final = re.compile(rb"^BEGIN:(?:VEVENT|VTODO|VJOURNAL)[ \t]*\r?$", re.MULTILINE | re.IGNORECASE)
_BEGIN: Final = re.compile(rb"^(BEGIN:(?:VEVENT|VTODO|VJOURNAL)[ \t]*\r?\n)", re.MULTILINE | re.IGNORECASE)
_STATUS: Final = re.compile(rb"^STATUS[;:][^\n]*\n(?:[ \t][^\n]*\n)*", re.MULTILINE | re.IGNORECASE)
_UID: Final = re.compile(rb"^UID(?:;[^:\n]*)?:([^\n]*)", re.MULTILINE | re.IGNORECASE)
_INNER: Final = re.compile(rb"^BEGIN:(VALARM|X-[\w-]+)[ \t]*\r?\n.*?^END:\1", re.MULTILINE | re.DOTALL | re.IGNORECASE)
_FOLD: Final = re.compile(rb"\r?\n[ \t]")
_FLOATING: Final = re.compile(
    r"(DTSTART|DTEND|DUE|RECURRENCE-ID|EXDATE|RDATE)((?:;(?!TZID=)[^:;]*)*):(\d{8}T\d{6}(?:,\d{8}T\d{6})*)\s*",
    re.IGNORECASE,
)
_STAMPS: Final = frozenset({b"DTSTAMP", b"CREATED", b"LAST-MODIFIED", b"SEQUENCE"})
_LONGEST_NAME: Final = 200
_DIGITS: Final = 32
_TANGLED: Final = Unreadable("There are several appointments of one UID, and they cannot be told apart.")


@dataclass(frozen=True, slots=True)
class _Stream:
    """A stream of one UID.

    Attributes:
        raw: Its octets.
        zone: The zone of its times that have none, where it is not the account's.
    """

    raw: bytes = field(repr=False)
    zone: str


def read_feed(
    feed: Sequence[WholeCalendar], *, parse: Callable[[bytes], CalendarObject], zone: str, host: str
) -> tuple[Found, ...]:
    """The objects of a feed by their UIDs, in the order of the feed; what cannot be read is `Unreadable` by itself.

    - Times without a zone are in the zone that X-WR-TIMEZONE names, where that is a known one and not the account's.
    - A calendar with METHOD:CANCEL (RFC 5546 section 3.2.5) holds cancelled appointments: they get STATUS:CANCELLED.
    - What has no UID gets one made from its text.
    - Several masters under one UID: see `bridge.upstream.ics_url.variants`.

    Args:
        feed: Its calendars.
        parse: Reads one object.
        zone: The IANA name of the account's zone.
        host: Who gave it.

    Raises:
        ListingDoubtful: It is not UTF-8, and not one of its appointments can be read.
    """
    groups: dict[str, list[_Stream]] = defaultdict(list)
    for calendar in feed:
        named = iana_key(calendar.header.get("X-WR-TIMEZONE", "")) or zone
        cancels = calendar.header.get("METHOD", "").upper() == "CANCEL"
        for piece in split(calendar.raw):
            if _HELD.search(piece):
                raw = given_uid(_cancelled(piece) if cancels else piece)
                groups[_uid(raw)].append(_Stream(raw, "" if named == zone else named))
    objects: dict[str, Found] = {}
    for uid, streams in groups.items():
        for one in _objects(uid, streams, parse):
            name = one.remote_id
            # A UID may look like a name that was made for another.
            while name in objects:
                name += "'"
            objects[name] = replace(one, remote_id=name)
    if objects and all(isinstance(one.object, Unreadable) for one in objects.values()):
        _check_text(feed, host)
    return tuple(objects.values())


def _check_text(feed: Sequence[WholeCalendar], host: str) -> None:
    try:
        b"".join(calendar.raw for calendar in feed).decode()
    except UnicodeDecodeError as error:
        raise ListingDoubtful(
            f"The calendar from '{host}' is not UTF-8, and does not say what else it is.",
            remedy="Its owner should publish it as UTF-8.",
        ) from error


def _uid(raw: bytes) -> str:
    """The UID of a stream as far as it can be told; else one made from its text."""
    begin = _HELD.search(raw)
    match = _UID.search(_FOLD.sub(b"", _INNER.sub(b"", raw[begin.end() if begin else 0 :])))
    uid = match[1].strip().decode(errors="replace") if match else ""
    return uid or _hash(quiet(raw, _STAMPS))


def _objects(uid: str, streams: Sequence[_Stream], parse: Callable[[bytes], CalendarObject]) -> Iterator[Found]:
    """The objects of one UID."""
    one = _read(streams[0], parse)
    if len(streams) == 1 and not isinstance(one, Unreadable):
        yield found(uid, one)
        return
    apart = variants([stream.raw for stream in streams])
    if not apart:
        yield _unreadable(uid, one if isinstance(one, Unreadable) else _TANGLED, streams[0].raw)
    for variant in apart:
        name = f"{uid}#{variant.name}" if variant.name else uid
        obj = _read(_Stream(variant.raw, streams[0].zone), parse)
        if isinstance(obj, Unreadable):
            yield _unreadable(name, obj, variant.raw)
        else:
            yield found(name, under(obj, name, parse) if variant.name else obj)


def _read(stream: _Stream, parse: Callable[[bytes], CalendarObject]) -> CalendarObject | Unreadable:
    try:
        obj = parse(stream.raw)
        return parse(write(_anchored(read(obj), stream.zone))) if stream.zone and obj.floats else obj
    except ObjectRefused as error:
        return Unreadable(str(error))


def _cancelled(raw: bytes) -> bytes:
    """The same stream with all its appointments cancelled."""
    return _BEGIN.sub(rb"\1STATUS:CANCELLED\r\n", _STATUS.sub(b"", raw))


def _anchored(content: Content, zone: str) -> Content:
    """The same object with its times without a zone in a zone."""

    def line(old: Line) -> Line:
        match = None if is_block(old) else _FLOATING.fullmatch(old.flat)
        return old if match is None else Line(old.name, f"{match[1]}{match[2]};TZID={zone}:{match[3]}\r\n".encode())

    return _each_line(content, line)


def _each_line(content: Content, change: Callable[[Line], Line]) -> Content:
    parts = {
        key: replace(part, content=tuple(change(old) for old in part.content)) for key, part in content.parts.items()
    }
    return replace(content, parts=parts)


def under(obj: CalendarObject, uid: str, parse: Callable[[bytes], CalendarObject]) -> CalendarObject:
    """The same object under another UID."""
    return parse(write(with_uid(read(obj), uid)))


def found(name: str, obj: CalendarObject) -> Found:
    """An object under a name; its etag is that of its meaning, so that new stamps are no change."""
    return Found(short(name), digest(obj)[:_DIGITS], obj)


def _unreadable(name: str, obj: Unreadable, raw: bytes) -> Found:
    return Found(short(name), _hash(quiet(raw, _STAMPS | {b"UID"})), obj)


def short(name: str) -> str:
    """A name of bearable length: what is longer ends in a hash of all of it."""
    return name if len(name) <= _LONGEST_NAME else f"{name[:_LONGEST_NAME]}~{_hash(name.encode())}"


def _hash(octets: bytes) -> str:
    return sha256(octets).hexdigest()[:_DIGITS]
