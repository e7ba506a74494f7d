"""The recurrence of a series: its lines are checked, put in Google's order, and expanded with dateutil.

dateutil, not the core of the bridge: what is tested must not be tested with itself.
"""

from __future__ import annotations

import heapq
import re
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING

from dateutil.rrule import rrule, rrulestr  # type: ignore[import-untyped]

from tests.fakes.google.refusal import Refused
from tests.fakes.google.times import When, zone_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

# How far a series without an end is expanded where no timeMax is given.
_MOST = 730
_ORDER = (
    "FREQ", "WKST", "UNTIL", "COUNT", "INTERVAL", "BYMONTH", "BYWEEKNO", "BYYEARDAY", "BYMONTHDAY", "BYDAY", "BYHOUR",
    "BYMINUTE", "BYSECOND", "BYSETPOS",
)  # fmt: skip
_LINE = re.compile(r"(RRULE|EXRULE|RDATE|EXDATE)((?:;[^:;]+)*):(.+)", re.IGNORECASE)
_UTC = re.compile(r"\d{8}T\d{6}Z")
_LOCAL = re.compile(r"\d{8}T\d{6}")
_DAY = re.compile(r"\d{8}")


def checked(lines: Sequence[str], start: When) -> tuple[str, ...]:
    """The lines as they are kept.

    Raises:
        Refused: Google would not take them.
    """
    kept = []
    for line in lines:
        match = _LINE.fullmatch(line.strip())
        if match is None:
            raise _invalid()
        name, parameters, value = match[1].upper(), match[2], match[3]
        if name.endswith("RULE"):
            kept.append(f"{name}:{_rule(value, start)}")
        else:
            _dates(parameters, value, start)
            kept.append(f"{name}{parameters}:{value}")
    if kept:
        _parsed(tuple(kept), start)
    return tuple(kept)


def starts(lines: tuple[str, ...], start: When, until: datetime | None = None) -> Iterator[When]:
    """The starts of the instances in order, before `until`, and not endlessly many where it is None."""
    rules, added, without, never = _parsed(lines, start)
    streams = [(start.on_wall(wall) for wall in rule) for rule in rules]
    removed = set(without)
    seen: When | None = None
    excluded = _Ahead(never, start)
    every = heapq.merge(*streams, sorted({*added, start}, key=_at), key=_at)
    for each in every if until is not None else islice(every, _MOST):
        if until is not None and each.at >= until:
            return
        if (seen is None or each.at != seen.at) and each.at not in removed and not excluded.has(each):
            yield each
        seen = each


def find(lines: tuple[str, ...], start: When, stamp: str) -> When | None:
    """The original start that an instance id names, where it is one of the set."""
    if bool(start.day) != (_DAY.fullmatch(stamp) is not None):
        return None
    try:
        wanted = _read(stamp, start)
    except Refused:
        return None
    found = _starts_near(lines, start, wanted.at)
    return next((each for each in found if each.at == wanted.at), None)


@lru_cache(maxsize=4096)
def _starts_near(lines: tuple[str, ...], start: When, at: datetime) -> tuple[When, ...]:
    rules, added, without, never = _parsed(lines, start)
    day = timedelta(days=1)
    wall = (start.on_wall(start.wall) if start.day else When(instant=at, zone=start.zone)).wall
    if start.day:
        wall = at.replace(tzinfo=None)
    near = {start.on_wall(each) for rule in rules for each in rule.between(wall - day, wall + day, inc=True)}
    near |= {start, *added}
    near -= {start.on_wall(each) for rule in never for each in rule.between(wall - day, wall + day, inc=True)}
    return tuple(each for each in near if each.at not in without)


class _Ahead:
    """The instances that EXRULE lines take out, read no further than asked."""

    def __init__(self, rules: Sequence[rrule], start: When) -> None:
        self._streams = [(start.on_wall(wall) for wall in rule) for rule in rules]
        self._next = [next(stream, None) for stream in self._streams]

    def has(self, when: When) -> bool:
        for index, stream in enumerate(self._streams):
            ahead = self._next[index]
            while ahead is not None and ahead.at < when.at:
                ahead = next(stream, None)
            self._next[index] = ahead
            if ahead is not None and ahead.at == when.at:
                return True
        return False


def _at(when: When) -> datetime:
    return when.at


@lru_cache(maxsize=4096)
def _parsed(
    lines: tuple[str, ...], start: When
) -> tuple[tuple[rrule, ...], tuple[When, ...], frozenset[datetime], tuple[rrule, ...]]:
    """Rules, added starts, removed instants, and rules that remove."""
    rules: list[rrule] = []
    never: list[rrule] = []
    added: list[When] = []
    without: set[datetime] = set()
    for line in lines:
        match = _LINE.fullmatch(line)
        if match is None:
            raise _invalid()
        name, parameters, value = match[1], match[2], match[3]
        if name == "RDATE":
            added += _dates(parameters, value, start)
        elif name == "EXDATE":
            without.update(each.at for each in _dates(parameters, value, start))
        else:
            (rules if name == "RRULE" else never).append(_expander(value, start))
    return tuple(rules), tuple(added), frozenset(without), tuple(never)


def _expander(value: str, start: When) -> rrule:
    def on_the_wall(match: re.Match[str]) -> str:
        return f"UNTIL={_read(match[1], start).wall:%Y%m%dT%H%M%S}"

    text = re.sub(r"UNTIL=([^;]+)", on_the_wall, value)
    try:
        rule = rrulestr(text, dtstart=start.wall, cache=True)
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        raise _invalid() from error
    if not isinstance(rule, rrule):
        raise _invalid()
    return rule


def _rule(value: str, start: When) -> str:
    """A rule in Google's order of parts."""
    parts: dict[str, str] = {}
    for part in value.strip(";").split(";"):
        name, equals, said = part.partition("=")
        if not equals or not said or name.upper() in parts or name.upper() not in _ORDER:
            raise _invalid()
        parts[name.upper()] = said.upper()
    if parts.get("FREQ") not in {"DAILY", "WEEKLY", "MONTHLY", "YEARLY"}:
        raise _invalid()
    if "COUNT" in parts and "UNTIL" in parts:
        raise _invalid()
    if start.day and parts.keys() & {"BYHOUR", "BYMINUTE", "BYSECOND"}:
        raise _invalid()
    if "UNTIL" in parts:
        wanted = _DAY if start.day else _UTC
        if wanted.fullmatch(parts["UNTIL"]) is None:
            raise _invalid()
    return ";".join(f"{name}={parts[name]}" for name in _ORDER if name in parts)


def _dates(parameters: str, value: str, start: When) -> list[When]:
    named = dict(part.upper().split("=", 1) for part in parameters.split(";") if "=" in part)
    if named.keys() - {"TZID", "VALUE"} or named.get("VALUE", "DATE-TIME") not in {"DATE", "DATE-TIME"}:
        raise _invalid()
    tzid = re.search(r"TZID=([^;]+)", parameters, re.IGNORECASE)
    if (named.get("VALUE") == "DATE") != bool(start.day):
        raise _invalid()
    return [_read(text, start, tzid[1] if tzid else "") for text in value.split(",")]


def _read(text: str, start: When, tzid: str = "") -> When:
    try:
        if start.day:
            if _DAY.fullmatch(text) is None:
                raise _invalid()
            return When(day=date(int(text[:4]), int(text[4:6]), int(text[6:])))
        if _UTC.fullmatch(text):
            instant = datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        elif tzid and _LOCAL.fullmatch(text):
            instant = datetime.strptime(text, "%Y%m%dT%H%M%S").replace(tzinfo=zone_of(tzid)).astimezone(UTC)
        else:
            raise _invalid()
    except ValueError as error:
        raise _invalid() from error
    return When(instant=instant, zone=start.zone)


def _invalid() -> Refused:
    return Refused("invalid", "Invalid recurrence rule.", "recurrence")
