"""A whole calendar as one stream, for people who save it: every component as it came, every zone once.

Two objects may bring different zones under one TZID (Outlook calls all of them 'Customized Time Zone'). In one stream
a TZID means one zone (RFC 5545 section 3.2.19), so the second gets a TZID of its own, and both keep their hour.
"""

from __future__ import annotations

import re
from hashlib import sha256
from typing import TYPE_CHECKING

from bridge.core.fold import escaped, folded
from bridge.core.repairs import read
from bridge.radicale_plugin.xml_text import characters

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import tzinfo

_HELD = frozenset({b"VEVENT", b"VTODO", b"VJOURNAL"})
_LINE_END = re.compile(rb"\r*\n|\r")
_FOLD = re.compile(rb"\r\n[ \t]")
_COMPONENT = re.compile(
    rb"^BEGIN:[ \t]*([\w-]+)[ \t]*\r\n.*?^END:[ \t]*\1[ \t]*\r\n", re.DOTALL | re.MULTILINE | re.IGNORECASE
)
_CALENDAR = re.compile(rb"^(?:BEGIN|END):[ \t]*VCALENDAR[ \t]*\r\n", re.MULTILINE | re.IGNORECASE)
_TZID = re.compile(rb"^TZID(?:;[^:\r\n]*)?:([^\r\n]*)", re.MULTILINE | re.IGNORECASE)


def joined(objects: Iterable[bytes], *, name: str, zone: tzinfo) -> bytes:
    """All `objects` as one VCALENDAR called `name`.

    Args:
        objects: Each the stream of one calendar object, as it was stored.
        name: Of the calendar, for people.
        zone: What floating times in it mean.
    """
    zones: dict[bytes, bytes] = {}
    components: list[bytes] = []
    for raw in objects:
        blocks = _blocks(raw, zone)
        renamed: list[tuple[bytes, bytes]] = []
        for block in blocks:
            if block[1].upper() == b"VTIMEZONE":
                renamed += _take_zone(zones, _FOLD.sub(b"", block[0]))
        components += [_with_zones(block[0], renamed) for block in blocks if block[1].upper() != b"VTIMEZONE"]
    head = [b"BEGIN:VCALENDAR\r\n", b"VERSION:2.0\r\n", b"PRODID:-//Calbridge//EN\r\n"]
    return b"".join(
        [*head, folded(f"X-WR-CALNAME:{escaped(name)}"), *zones.values(), *components, b"END:VCALENDAR\r\n"]
    )


def _blocks(raw: bytes, zone: tzinfo) -> list[re.Match[bytes]]:
    """The components of one object, line by line with the line ends of RFC 5545.

    Where its lines do not show an appointment (a name that is folded, or ends under another one) those that a reader
    makes of it do.
    """
    blocks = _cut(raw)
    if not any(block[1].upper() in _HELD for block in blocks):
        blocks = _cut(read(raw, zone=zone).calendar.to_ical(sorted=False))
    return blocks


def _cut(raw: bytes) -> list[re.Match[bytes]]:
    text = _LINE_END.sub(b"\r\n", characters(raw).encode().removeprefix(b"\xef\xbb\xbf").rstrip()) + b"\r\n"
    return list(_COMPONENT.finditer(_CALENDAR.sub(b"", text)))


def _take_zone(zones: dict[bytes, bytes], block: bytes) -> list[tuple[bytes, bytes]]:
    """Adds a VTIMEZONE; gives the old and new TZID where another zone has the same."""
    tzid = _TZID.search(block)
    if tzid is None:
        return []
    name = tzid[1].strip()
    if zones.setdefault(name, block) == block:
        return []
    own = name + b"-" + sha256(block).hexdigest()[:8].encode()
    zones.setdefault(own, block[: tzid.start(1)] + own + block[tzid.end(1) :])
    return [(name, own)]


def _with_zones(block: bytes, renamed: list[tuple[bytes, bytes]]) -> bytes:
    if not renamed:
        return block
    lines = []
    for line in _FOLD.sub(b"", block).split(b"\r\n")[:-1]:
        for old, own in renamed:
            quoted, bare = b';TZID="%s"' % old, b";TZID=%s" % old
            for written in (quoted, bare):
                line = line.replace(written + b":", b';TZID="%s":' % own, 1)  # noqa: PLW2901 -- one name after the other
                line = line.replace(written + b";", b';TZID="%s";' % own, 1)  # noqa: PLW2901
        lines.append(folded(line.decode()))
    return b"".join(lines)
