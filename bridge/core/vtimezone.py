"""A VTIMEZONE says no more than a reader needs: the rule now in force, and older ones only if they are asked for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import groupby
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from bridge.core.fold import escaped, folded

if TYPE_CHECKING:
    from collections.abc import Iterator

_STEP = timedelta(days=3)
_DAY = timedelta(days=1)
_ZERO = timedelta(0)
# The tables of the IANA database end before this year; from then on only the rule at their end holds.
_TABLES_END = 2100
# In 28 years every date falls on every day of the week.
_TAIL_YEARS = range(2500, 2528)
_WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_FIRST_DAYS = {1: 1, 8: 2, 15: 3, 22: 4}
# February has no last seven days that hold for every year.
_LENGTHS = {1: 31, 2: 0, 3: 31, 4: 30, 5: 31, 6: 30, 7: 31, 8: 31, 9: 30, 10: 31, 11: 30, 12: 31}

_Kind = tuple[timedelta, timedelta, str, bool]


@dataclass(frozen=True, slots=True)
class _Change:
    """A change of the offset: the instant, the wall time under the offset before it, and what holds from it on."""

    at: datetime
    before: timedelta
    after: timedelta
    name: str
    daylight: bool

    @property
    def wall(self) -> datetime:
        return (self.at + self.before).replace(tzinfo=None)

    @property
    def kind(self) -> _Kind:
        return self.before, self.after, self.name, self.daylight


@dataclass(frozen=True, slots=True)
class _Rule:
    """The day of the year on which a change comes: a weekday among up to seven days of one month, at one wall time."""

    kind: _Kind
    month: int
    weekday: int
    days: tuple[int, ...]
    clock: timedelta

    def wall(self, year: int) -> datetime | None:
        """The wall time of the change in a year, or `None` where none of the days is that weekday."""
        for day in self.days:
            when = datetime(year, self.month, day)  # noqa: DTZ001 -- a wall time
            if when.weekday() == self.weekday:
                return when + self.clock
        return None

    @property
    def text(self) -> str:
        """The rule as an RRULE value."""
        prefix, day = f"FREQ=YEARLY;BYMONTH={self.month}", _WEEKDAYS[self.weekday]
        if len(self.days) == len(_WEEKDAYS) and self.days[0] in _FIRST_DAYS:
            return f"{prefix};BYDAY={_FIRST_DAYS[self.days[0]]}{day}"
        if len(self.days) == len(_WEEKDAYS) and self.days[-1] == _LENGTHS[self.month]:
            return f"{prefix};BYDAY=-1{day}"
        return f"{prefix};BYMONTHDAY={','.join(map(str, self.days))};BYDAY={day}"


@lru_cache(maxsize=512)
def vtimezone(key: str, *, tzid: str, first: datetime, last: datetime) -> bytes:
    """The VTIMEZONE (RFC 5545 section 3.6.5) of an IANA zone, right for every instant from `first` on.

    Args:
        key: The IANA name.
        tzid: The TZID to define, mostly the same.
        first: The first instant that matters.
        last: The last instant that matters; what comes after it is right all the same.

    Returns:
        Folded lines that end in CRLF.

    Raises:
        ValueError: If an instant is naive, or `last` is before `first`.
        zoneinfo.ZoneInfoNotFoundError: If there is no such zone.
    """
    if first.tzinfo is None or last.tzinfo is None or last < first:
        raise ValueError("a VTIMEZONE is for a stretch between two instants")
    zone = ZoneInfo(key)
    begin = datetime(max(first.astimezone(UTC).year - 1, 1), 1, 1, tzinfo=UTC)
    changes = list(_changes(zone, begin, datetime(_TABLES_END, 1, 1, tzinfo=UTC)))
    lines = ["BEGIN:VTIMEZONE", f"TZID:{escaped(tzid)}"]
    older, current = _parted(changes, _tail_rules(zone))
    # Whatever holds at `first` needs an observance that has begun before.
    if not changes or changes[0].at > first:
        lines += _observance([_standing(zone, begin)], "")
    older = [
        change for index, change in enumerate(older) if index + 1 >= len(older) or older[index + 1].at > first - _DAY
    ]
    ordered = sorted(older, key=lambda change: (change.kind, change.at))
    for _, group in groupby(ordered, key=lambda change: change.kind):
        lines += _observance(list(group), "")
    for change, rule in current:
        lines += _observance([change], rule.text)
    lines.append("END:VTIMEZONE")
    return b"".join(folded(line) for line in lines)


def _changes(zone: ZoneInfo, begin: datetime, end: datetime) -> Iterator[_Change]:
    """Yields each change of the offset or the name of a zone between two instants."""
    state = _state(zone, begin)
    at = begin
    while at < end:
        then = at + _STEP
        if _state(zone, then) != state:
            low, high = at, then
            while high - low > timedelta(seconds=1):
                middle = (low + (high - low) / 2).replace(microsecond=0)
                low, high = (middle, high) if _state(zone, middle) == state else (low, middle)
            before, (after, name, daylight) = state[0], _state(zone, high)
            yield _Change(high, before, after, name, daylight)
            # A second change may lie within the same step.
            state, then = (after, name, daylight), high
        at = then


def _state(zone: ZoneInfo, at: datetime) -> tuple[timedelta, str, bool]:
    local = at.astimezone(zone)
    return local.utcoffset() or _ZERO, local.tzname() or "", (local.dst() or _ZERO) > _ZERO


def _standing(zone: ZoneInfo, at: datetime) -> _Change:
    offset, name, _ = _state(zone, at)
    return _Change(at.replace(month=1, day=1) - offset, offset, offset, name, daylight=False)


@lru_cache(maxsize=512)
def _tail_rules(zone: ZoneInfo) -> tuple[_Rule, ...]:
    """The rules that hold for ever once the tables end; none where the clocks are not changed any more."""
    begin = datetime(_TAIL_YEARS.start, 1, 1, tzinfo=UTC)
    days: dict[tuple[_Kind, int, int, timedelta], set[int]] = {}
    for change in _changes(zone, begin, datetime(_TAIL_YEARS.stop, 1, 1, tzinfo=UTC)):
        wall = change.wall
        clock = timedelta(hours=wall.hour, minutes=wall.minute, seconds=wall.second)
        days.setdefault((change.kind, wall.month, wall.weekday(), clock), set()).add(wall.day)
    return tuple(
        _Rule(kind, month, weekday, tuple(sorted(found)), clock)
        for (kind, month, weekday, clock), found in sorted(days.items())
    )


def _parted(changes: list[_Change], rules: tuple[_Rule, ...]) -> tuple[list[_Change], list[tuple[_Change, _Rule]]]:
    """The changes before the rules now in force began, and the first change that each of these makes."""
    by_year: dict[int, set[tuple[_Kind, datetime]]] = {}
    for change in changes:
        by_year.setdefault(change.wall.year, set()).add((change.kind, change.wall))
    year = _TABLES_END
    while rules and by_year.get(year - 1) == _ruled(rules, year - 1):
        year -= 1
    older = [change for change in changes if change.wall.year < year]
    firsts: dict[_Rule, _Change] = {}
    for change in changes[len(older) :]:
        for rule in rules:
            if rule.kind == change.kind and rule.wall(change.wall.year) == change.wall:
                firsts.setdefault(rule, change)
    return older, [(change, rule) for rule, change in firsts.items()]


def _ruled(rules: tuple[_Rule, ...], year: int) -> set[tuple[_Kind, datetime]]:
    return {(rule.kind, wall) for rule in rules if (wall := rule.wall(year)) is not None}


def _observance(changes: list[_Change], rule: str) -> list[str]:
    first, *others = changes
    # Of a yearly pair the later clock is summer's, also where the law calls winter time the exception (Dublin).
    name = "DAYLIGHT" if first.daylight or (rule and first.after > first.before) else "STANDARD"
    lines = [
        f"BEGIN:{name}",
        f"DTSTART:{first.wall:%Y%m%dT%H%M%S}",
        f"TZOFFSETFROM:{_offset(first.before)}",
        f"TZOFFSETTO:{_offset(first.after)}",
        f"TZNAME:{first.name}",
    ]
    if rule:
        lines.append(f"RRULE:{rule}")
    if others:
        lines.append("RDATE:" + ",".join(f"{change.wall:%Y%m%dT%H%M%S}" for change in others))
    return [*lines, f"END:{name}"]


def _offset(offset: timedelta) -> str:
    sign = "-" if offset < _ZERO else "+"
    minutes, seconds = divmod(round(abs(offset).total_seconds()), 60)
    return f"{sign}{minutes // 60:02}{minutes % 60:02}" + (f"{seconds:02}" if seconds else "")
