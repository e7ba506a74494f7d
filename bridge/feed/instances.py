"""Instances are taken out of a series by text, in the form that the DTSTART of the series has.

Many readers compare an EXDATE with the start of an instance as written, so the zone and the value type of both must
be the same (RFC 5545 section 3.8.5.1 asks for the type only).
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING

from bridge.core.temporal import AllDay
from bridge.feed.lines import Block, Line

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bridge.core.temporal import Time

_DATE = "%Y%m%d"
_LOCAL = "%Y%m%dT%H%M%S"
_END_OF_RULE = re.compile(r";?(?:UNTIL|COUNT)=[^;]*", re.IGNORECASE)
_UNTIL = re.compile(r"UNTIL=([0-9TZ]+)", re.IGNORECASE)


def without(master: Block, overrides: Sequence[Block], *, zone_of: Callable[[str], tzinfo]) -> Block:
    """Gives the master of a series without the instances that these overrides stand for.

    An override for 'this and all following' ends the series before it (RFC 5545 section 3.2.13).

    Args:
        master: A component with DTSTART.
        overrides: Components with RECURRENCE-ID.
        zone_of: Gives the rules of a TZID, and of an empty TZID those of floating times.

    Raises:
        ValueError: A DTSTART or a RECURRENCE-ID cannot be read.
    """
    start = master.first("DTSTART")
    if start is None:
        return master
    lines = list(master.lines)
    for override in overrides:
        found = override.first("RECURRENCE-ID")
        if found is None:
            continue
        lines.append(_exdate(start, found, zone_of))
        if found.param("RANGE").upper() == "THISANDFUTURE":
            lines = [_ended(line, start, found, zone_of) if line.name == "RRULE" else line for line in lines]
    return replace(master, lines=tuple(lines))


def spelled_out(master: Block, excluded: Sequence[Time]) -> Block:
    """Gives the master of a series with an EXDATE for each of these starts.

    Args:
        master: A component with DTSTART.
        excluded: Starts of instances, in the kind of time of the master.
    """
    start = master.first("DTSTART")
    if start is None:
        return master
    params = start.with_only_params({"VALUE", "TZID"}).params
    lines = (Line("EXDATE", params, _written(name) + ("Z" if start.value.endswith("Z") else "")) for name in excluded)
    return replace(master, lines=(*master.lines, *lines))


def _written(name: Time) -> str:
    return name.day.strftime(_DATE) if isinstance(name, AllDay) else name.wall.strftime(_LOCAL)


def _exdate(start: Line, found: Line, zone_of: Callable[[str], tzinfo]) -> Line:
    same = Line("EXDATE", start.with_only_params({"VALUE", "TZID"}).params, found.value)
    if found.param("TZID") == start.param("TZID") and _form(found.value) == _form(start.value):
        return same
    if "T" not in found.value:
        return Line("EXDATE", ";VALUE=DATE", found.value)
    if "T" not in start.value:
        return replace(same, value=found.value[:8])
    local = _instant(found, zone_of).astimezone(UTC if start.value.endswith("Z") else zone_of(start.param("TZID")))
    return replace(same, value=local.strftime(_LOCAL) + ("Z" if start.value.endswith("Z") else ""))


def _ended(rule: Line, start: Line, found: Line, zone_of: Callable[[str], tzinfo]) -> Line:
    if "T" in start.value:
        until = (_instant(found, zone_of) - timedelta(seconds=1)).astimezone(UTC).strftime(_LOCAL) + "Z"
    else:
        until = (_day(found.value) - timedelta(days=1)).strftime(_DATE)
    earlier = _UNTIL.search(rule.value)
    if earlier is not None and earlier.group(1)[:8] < until[:8]:
        return rule
    return replace(rule, value=f"{_END_OF_RULE.sub('', rule.value).strip(';')};UNTIL={until}")


def _form(value: str) -> tuple[bool, bool]:
    return "T" in value, value.endswith("Z")


def _day(value: str) -> date:
    return datetime.strptime(value[:8], _DATE).replace(tzinfo=UTC).date()


def _instant(line: Line, zone_of: Callable[[str], tzinfo]) -> datetime:
    if "T" not in line.value:
        return datetime.strptime(line.value[:8], _DATE).replace(tzinfo=zone_of(line.param("TZID")))
    zone = UTC if line.value.endswith("Z") else zone_of(line.param("TZID"))
    return datetime.strptime(line.value[:15], _LOCAL).replace(tzinfo=zone)
