"""The quirk `end-required`: a server refuses events without DTEND, so they are sent with the end that they mean.

Who: iCloud (a PUT of an event with DURATION, or with neither, is refused). When: only after a refusal, so that no other
server ever sees it. Sample: `tests/upstream/caldav/test_end_required.py`. Ends: when iCloud takes DURATION.
"""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from bridge.core.fold import folded
from bridge.core.recurrence import held_components
from bridge.core.series import duration_of, time_of
from bridge.core.temporal import shifted

if TYPE_CHECKING:
    from icalendar.cal import Component

    from bridge.core.model import CalendarObject

_LINE = re.compile(rb"[^\r\n]+(?:\r?\n[ \t][^\r\n]*)*(?:\r?\n|$)|\r?\n")
_FOLD = re.compile(rb"\r?\n[ \t]")
_VALUE = re.compile(r":[0-9]{8}(?:T[0-9]{6})?(Z?)\s*$")


def with_ends(obj: CalendarObject) -> bytes:
    """The bytes of an object in which each event has a DTEND; every other line stays as it is.

    An event of which the start is not written as RFC 5545 wants it stays as it is, too.
    """
    lines = [found[0] for found in _LINE.finditer(obj.raw)]
    names = [_flat(line).upper().strip() for line in lines]
    events = [each for each in held_components(obj.calendar) if each.name == "VEVENT"]
    if not len(events) == names.count("BEGIN:VEVENT") == names.count("END:VEVENT"):
        return obj.raw
    components = iter(events)
    written: list[bytes] = []
    after = 0
    for begin in (number for number, name in enumerate(names) if name == "BEGIN:VEVENT"):
        behind = names.index("END:VEVENT", begin) + 1
        written += lines[after:begin]
        written += _ended(lines[begin:behind], next(components))
        after = behind
    return b"".join([*written, *lines[after:]])


def _ended(lines: list[bytes], component: Component) -> list[bytes]:
    """The lines of one event; DTEND stands behind DTSTART where the event has none, and its DURATION goes."""
    end = _missing_end(component)
    own = _depths(lines)
    start = next((line for line, deep in zip(lines, own, strict=True) if deep == 1 and _name(line) == "DTSTART"), b"")
    if end is None or not _VALUE.search(_flat(start)):
        return lines
    kept = [(line, deep) for line, deep in zip(lines, own, strict=True) if deep > 1 or _name(line) != "DURATION"]
    return [
        each
        for line, deep in kept
        for each in ((line, _end_line(_flat(line), end)) if deep == 1 and _name(line) == "DTSTART" else (line,))
    ]


def _depths(lines: list[bytes]) -> list[int]:
    """How deep each line stands; 1 is the event itself, more its alarms."""
    depths: list[int] = []
    deep = 0
    for line in lines:
        deep += _name(line) == "BEGIN"
        depths.append(deep)
        deep -= _name(line) == "END"
    return depths


def _flat(line: bytes) -> str:
    return _FOLD.sub(b"", line).decode("utf-8", "replace").rstrip("\r\n")


def _name(line: bytes) -> str:
    return re.split("[;:]", _flat(line), maxsplit=1)[0].strip().upper()


def _missing_end(component: Component) -> date | None:
    """When an event ends that has no DTEND (RFC 5545 section 3.6.1); None where it has one, or no start."""
    start = time_of(component, "DTSTART")
    if start is None or "DTEND" in component:
        return None
    duration = duration_of(component)
    if duration is not None:
        return shifted(start, duration)
    return start if isinstance(start, datetime) else start + timedelta(days=1)


def _end_line(start_line: str, end: date) -> bytes:
    """A DTEND with the parameters of the DTSTART, thus in the same zone."""
    written = f"{end:%Y%m%dT%H%M%S}" if isinstance(end, datetime) else f"{end:%Y%m%d}"
    line = _VALUE.sub(lambda found: f":{written}{found[1]}", start_line)
    return folded(f"DTEND{line[len('DTSTART') :]}")
