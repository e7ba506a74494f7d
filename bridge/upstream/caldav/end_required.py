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
    from collections.abc import Iterator

    from icalendar.cal import Component

    from bridge.core.model import CalendarObject

_LINE = re.compile(rb"[^\r\n]+(?:\r?\n[ \t][^\r\n]*)*(?:\r?\n|$)|\r?\n")
_FOLD = re.compile(rb"\r?\n[ \t]")
_VALUE = re.compile(r":[0-9]{8}(?:T[0-9]{6})?(Z?)\s*$")
_EVENT = ["VCALENDAR", "VEVENT"]


def with_ends(obj: CalendarObject) -> bytes:
    """The bytes of an object in which each event has a DTEND; every other line stays as it is.

    An event of which the start cannot be read stays as it is, too.
    """
    return b"".join(_lines(obj.raw, iter(held_components(obj.calendar))))


def _lines(raw: bytes, components: Iterator[Component]) -> Iterator[bytes]:
    """The content lines of `raw`; DTEND stands behind DTSTART where the event has none, and DURATION goes."""
    path: list[str] = []
    end: date | None = None
    for line in (found[0] for found in _LINE.finditer(raw)):
        flat = _FOLD.sub(b"", line).decode("utf-8", "replace").rstrip("\r\n")
        name = re.split("[;:]", flat, maxsplit=1)[0].upper()
        if name == "BEGIN":
            path.append(flat.partition(":")[2].strip().upper())
            if path == _EVENT:
                component = next(components, None)
                end = None if component is None else _missing_end(component)
        if end is None or path != _EVENT or name != "DURATION":
            yield line
        if end is not None and path == _EVENT and name == "DTSTART":
            yield _end_line(flat, end)
        if name == "END" and path:
            path.pop()


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
