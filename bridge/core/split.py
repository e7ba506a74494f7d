"""A whole stream is cut into one stream per object, line by line, with nothing written anew."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_BORDER = re.compile(rb"^(BEGIN|END)[ \t]*:[ \t]*([\w-]+)[ \t]*(?:\r?\n|\Z)", re.MULTILINE | re.IGNORECASE)
_UID = re.compile(rb"^UID[ \t]*(?:;[^:\r\n]*)?:((?:[^\r\n]|\r?\n[ \t])*)", re.MULTILINE | re.IGNORECASE)
_TZID = re.compile(rb"^TZID[ \t]*(?:;[^:\r\n]*)?:((?:[^\r\n]|\r?\n[ \t])*)", re.MULTILINE | re.IGNORECASE)
_NAMED_TZID = re.compile(rb';TZID=(?:"([^"\n]*)"|([^":;\n]*))', re.IGNORECASE)
_METHOD = re.compile(rb"^METHOD[;:](?:[^\r\n]|\r?\n[ \t])*\r?\n", re.MULTILINE | re.IGNORECASE)
_FOLD = re.compile(rb"\r?\n[ \t]")
_LINE_END = re.compile(rb"\r+\n")
_OWN_BEGIN = b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Calbridge//NONSGML Calbridge//EN\r\n"
_VOLATILE = re.compile(
    rb"^(?:DTSTAMP|LAST-MODIFIED|CREATED|SEQUENCE)[;:](?:[^\r\n]|\r?\n[ \t])*\r?\n", re.MULTILINE | re.IGNORECASE
)
_HELD = re.compile(rb"^BEGIN:(VEVENT|VTODO|VJOURNAL)[ \t]*(\r?\n)", re.MULTILINE | re.IGNORECASE)
_INNER = re.compile(rb"^BEGIN:([\w-]+)[ \t]*\r?\n.*?^END:\1", re.MULTILINE | re.DOTALL | re.IGNORECASE)
_HEX_DIGITS = 32


@dataclass(slots=True)
class _Stream:
    """What has been seen of one VCALENDAR: its own lines, its zones, its components by UID in order of appearance."""

    begin: bytes = _OWN_BEGIN
    end: bytes = b"END:VCALENDAR\r\n"
    header: list[bytes] = field(default_factory=list)
    zones: dict[bytes, bytes] = field(default_factory=dict)
    objects: dict[bytes | int, list[bytes]] = field(default_factory=dict)

    def take(self, name: bytes, block: bytes, own: bytes) -> None:
        """Takes a finished component.

        Args:
            name: Its type in capitals.
            block: All its lines.
            own: Those of its lines that belong to none of its subcomponents.
        """
        if name == b"VTIMEZONE":
            tzid = _TZID.search(own)
            if tzid:
                self.zones.setdefault(_plain(tzid[1]), block)
            return
        uid = _UID.search(own)
        key = _plain(uid[1]) if uid else b""
        self.objects.setdefault(key or len(self.objects), []).append(block)

    def streams(self) -> Iterator[bytes]:
        """Yields one stream per object, with the zones that it names."""
        header = self.begin + _METHOD.sub(b"", b"".join(self.header))
        for blocks in self.objects.values():
            body = b"".join(blocks)
            if not body.endswith(b"\n"):
                body += b"\r\n"
            zones = b""
            if self.zones and b"TZID=" in body.upper():
                flat = _FOLD.sub(b"", body)
                names = {_plain(quoted or bare) for quoted, bare in _NAMED_TZID.findall(flat)}
                zones = b"".join(block for tzid, block in self.zones.items() if tzid in names)
            yield header + zones + body + self.end


def _plain(value: bytes) -> bytes:
    return _FOLD.sub(b"", value).strip().strip(b'"').strip()


class _Cutter:
    """Walks from BEGIN to END and knows how deep it is.

    Args:
        raw: The text to cut.
    """

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self.stream = _Stream()
        self.depth = 0
        self._inside = False
        self._header_from = self._start = self._own_from = 0
        self._own: list[bytes] = []

    def cross(self, border: re.Match[bytes]) -> _Stream | None:
        """Crosses one BEGIN or END line; answers with the calendar that it finishes."""
        name, begins = border[2].upper(), border[1].upper() == b"BEGIN"
        if name == b"VCALENDAR" and not self.depth:
            return self._cross_calendar(border, begins=begins)
        if begins:
            self._begin(border)
        elif self.depth:
            self._end(border, name)
        return None

    def rest(self) -> bytes:
        """What is left of a component that is cut off, or nothing."""
        return self.stream.begin + b"".join(self.stream.header) + self.raw[self._start :] if self.depth else b""

    def _cross_calendar(self, border: re.Match[bytes], *, begins: bool) -> _Stream:
        finished = self.stream
        if begins:
            self.stream, self._header_from = _Stream(begin=border[0]), border.end()
        else:
            finished.header.append(self.raw[self._header_from : border.start()])
            finished.end = border[0]
            self.stream = _Stream()
        self._inside = begins
        return finished

    def _begin(self, border: re.Match[bytes]) -> None:
        if not self.depth:
            if self._inside:
                self.stream.header.append(self.raw[self._header_from : border.start()])
            self._start = self._own_from = border.start()
            self._own = []
        elif self.depth == 1:
            self._own.append(self.raw[self._own_from : border.start()])
        self.depth += 1

    def _end(self, border: re.Match[bytes], name: bytes) -> None:
        self.depth -= 1
        if self.depth == 1:
            self._own_from = border.end()
        elif not self.depth:
            self._own.append(self.raw[self._own_from : border.start()])
            self.stream.take(name, self.raw[self._start : border.end()], b"".join(self._own))
            self._header_from = border.end()


def split(raw: bytes) -> Iterator[bytes]:
    """Cuts a stream, or several one after another, into one stream per UID (RFC 4791 section 4.1).

    Component lines and the properties of the calendar are kept byte for byte, METHOD is dropped, and each stream has
    the VTIMEZONEs that it names. A component without UID is a stream of its own (see `with_uid`), one outside of any
    VCALENDAR gets one, and one that is cut off is yielded as it is: `bridge.core.ics.parse` refuses it with a reason.
    Takes time linear in the length of the stream.

    Args:
        raw: The stream; a byte order mark is dropped, line ends of CR or CR CR LF become CRLF, and where a BEGIN or
            END is folded every line is unfolded.
    """
    raw = raw.removeprefix(b"\xef\xbb\xbf")
    if b"\n" not in raw:
        raw = raw.replace(b"\r", b"\r\n")
    if b"\r\r\n" in raw:
        raw = _LINE_END.sub(b"\r\n", raw)
    unfolded = _FOLD.sub(b"", raw)
    if _BORDER.findall(unfolded) != _BORDER.findall(raw):
        raw = unfolded
    cutter = _Cutter(raw)
    for border in _BORDER.finditer(raw):
        finished = cutter.cross(border)
        if finished is not None:
            yield from finished.streams()
    yield from cutter.stream.streams()
    rest = cutter.rest()
    if rest:
        yield rest


def with_uid(raw: bytes) -> bytes:
    """The same stream, its first event, to-do or journal entry given a UID where it has none.

    The UID is made from the text of the component without DTSTAMP, CREATED, LAST-MODIFIED and SEQUENCE, so that a
    second import of the same appointment finds the first.
    """
    match = _HELD.search(raw)
    if match is None or _UID.search(_INNER.sub(b"", raw[match.end() :])):
        return raw
    body = _FOLD.sub(b"", _VOLATILE.sub(b"", raw[match.start() :])).replace(b"\r\n", b"\n")
    uid = sha256(body).hexdigest()[:_HEX_DIGITS].encode()
    return raw[: match.end()] + b"UID:" + uid + match[2] + raw[match.end() :]
