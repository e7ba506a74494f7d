"""The lines of `recurrence` are read into rules and times, and times are written as such lines."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from typing import TYPE_CHECKING

from bridge.core.temporal import instant, named_zone, read_time
from bridge.upstream.google.mapping.times import in_zone_of, stamp

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_LINE = re.compile(r"\s*(RRULE|EXRULE|RDATE|EXDATE)((?:;[^:]*)?):(.*)", re.IGNORECASE | re.DOTALL)
_TZID = re.compile(r';TZID="?([^";:]+)"?', re.IGNORECASE)
_UNTIL = re.compile(r"(?<=UNTIL=)[^;]*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Entries:
    """What `recurrence` says, sorted out.

    Attributes:
        rules: The values of the RRULEs.
        excluding: The values of the EXRULEs.
        dates: The RDATEs as dates or aware date-times, in order.
        periods: RDATEs of which each has an end of its own, as they are written.
        excluded: The EXDATEs, in order.
    """

    rules: tuple[str, ...] = ()
    excluding: tuple[str, ...] = ()
    dates: tuple[date | datetime, ...] = ()
    periods: tuple[str, ...] = ()
    excluded: tuple[date | datetime, ...] = ()


def read(lines: Iterable[str], start: date | datetime) -> Entries:
    """Sorts out the lines of `recurrence`; what nobody can read is left out.

    Args:
        lines: The lines.
        start: The start of the series, a date or aware: each time is of its kind.
    """
    found: dict[str, list[str]] = {"RRULE": [], "EXRULE": [], "PERIOD": []}
    times: dict[str, set[date | datetime]] = {"RDATE": set(), "EXDATE": set()}
    for line in lines:
        match = _LINE.fullmatch(line)
        if match is None:
            continue
        name, params, value = match[1].upper(), match[2], match[3].strip()
        if name in found:
            found[name].append(value.upper())
        elif name == "RDATE" and "/" in value:
            found["PERIOD"].append(f"{params}:{value}")
        else:
            times[name].update(_times(value, _tzid(params), start))
    return Entries(
        tuple(found["RRULE"]), tuple(found["EXRULE"]), ordered(times["RDATE"]), tuple(found["PERIOD"]),
        ordered(times["EXDATE"]),
    )  # fmt: skip


def _tzid(params: str) -> str:
    match = _TZID.search(params)
    return match[1] if match else ""


def _times(value: str, tzid: str, start: date | datetime) -> Iterator[date | datetime]:
    home = start.tzinfo if isinstance(start, datetime) else UTC
    for text in value.split(","):
        try:
            found = read_time(text, (named_zone(tzid) if tzid else None) or home)
        except ValueError:
            continue
        yield like(found, start, home or UTC)


def like(value: date | datetime, start: date | datetime, home: tzinfo) -> date | datetime:
    """A time in the kind of time of a start: a date for whole days, else an aware time in its zone.

    Args:
        value: A time; a naive one is on the clock of `home`.
        start: A date, or aware.
        home: The zone of the start.
    """
    if not isinstance(start, datetime):
        return value.date() if isinstance(value, datetime) else value
    if not isinstance(value, datetime):
        return datetime.combine(value, start.timetz())
    return in_zone_of(value if value.tzinfo else value.replace(tzinfo=home), start)


def ordered(times: Iterable[date | datetime]) -> tuple[date | datetime, ...]:
    """Times of one kind in their order, each once."""
    return tuple(sorted({_comparable(one): one for one in times}.values(), key=_comparable))


def _comparable(value: date | datetime) -> date | datetime:
    return instant(value, UTC) if isinstance(value, datetime) else value


def time_lines(name: str, times: Sequence[date | datetime]) -> list[str]:
    """RDATE or EXDATE lines for times of one kind: one for each zone in which they are given."""
    by_params: dict[str, list[str]] = {}
    for value in times:
        params, text = stamp(value)
        by_params.setdefault(params, []).append(text)
    return [f"{name}{params}:{','.join(values)}" for params, values in by_params.items()]


def floating_rule(rule: str, home: tzinfo) -> str:
    """A rule whose UNTIL is on the clock of a zone, for a series that floats (RFC 5545 section 3.3.10)."""

    def local(match: re.Match[str]) -> str:
        try:
            until = read_time(match[0], None)
        except ValueError:
            return match[0]
        if not isinstance(until, datetime) or until.tzinfo is None:
            return match[0]
        return stamp(until.astimezone(home).replace(tzinfo=None))[1]

    return _UNTIL.sub(local, rule)
