"""A recurrence rule is read by dateutil, in a form that dateutil can read, and expanded near a range only."""

from __future__ import annotations

import copy
from datetime import date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from heapq import merge
from math import inf, prod
from typing import TYPE_CHECKING, Any

from dateutil.rrule import DAILY, HOURLY, MINUTELY, MONTHLY, SECONDLY, WEEKLY, YEARLY, rrule, rrulestr  # type: ignore[import-untyped]  # dateutil ships no types
from icalendar.prop import vBroken

from bridge.core.rule_cost import first_of
from bridge.core.temporal import instant

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from icalendar.cal import Component
    from icalendar.prop import vRecur

_BOUNDS = {"BYSECOND": range(60), "BYMINUTE": range(60), "BYHOUR": range(24), "BYMONTH": range(1, 13)}
_UNITS = {
    WEEKLY: timedelta(weeks=1),
    DAILY: timedelta(days=1),
    HOURLY: timedelta(hours=1),
    MINUTELY: timedelta(minutes=1),
    SECONDLY: timedelta(seconds=1),
}
# What dateutil knows; RFC 2445 allowed others, and who does not know them goes on without.
_KNOWN = {
    *("FREQ", "UNTIL", "COUNT", "INTERVAL", "BYSECOND", "BYMINUTE", "BYHOUR", "BYDAY", "BYMONTHDAY", "BYYEARDAY"),
    *("BYWEEKNO", "BYMONTH", "BYSETPOS", "WKST"),
}
# After so many years the Gregorian calendar repeats itself, weekdays included.
_CYCLE = 400
_LONGEST_COUNT_YEARS = 100
_LAST_YEAR = 9999
_RARE = ("BYMONTHDAY", "BYYEARDAY", "BYWEEKNO", "BYSETPOS")
_RARE_BESIDE_INTERVAL = ("BYMONTH", "BYDAY", "BYHOUR", "BYMINUTE", "BYSECOND")
# Beyond these a second instance lies after the year 9999, and dateutil cannot count so far.
_WIDEST = {
    "YEARLY": 10_000, "MONTHLY": 120_000, "WEEKLY": 530_000, "DAILY": 3_660_000, "HOURLY": 88_000_000,
    "MINUTELY": 5_300_000_000, "SECONDLY": 320_000_000_000,
}  # fmt: skip
# How many times of the day a step holds.
_TIMES_OF_A_STEP = {
    "SECONDLY": (), "MINUTELY": ("BYSECOND",), "HOURLY": ("BYMINUTE", "BYSECOND"),
    "DAILY": ("BYHOUR", "BYMINUTE", "BYSECOND"),
}  # fmt: skip
_UNREADABLE = (ValueError, TypeError, LookupError, ArithmeticError, AttributeError)


def rules_of(component: Component, name: str = "RRULE") -> list[vRecur]:
    """The sound rules of a component under a name: RRULE, or EXRULE for what is excluded (RFC 2445 section 4.8.5.2)."""
    found = dict.get(component, name)
    rules = found if isinstance(found, list) else [found] if found is not None else []
    return [rule for rule in rules if not isinstance(rule, vBroken) and rule.get("FREQ")]


def until_of(rule: vRecur, zone: tzinfo) -> datetime | None:
    """The instant (UTC) after which a rule has no instance, or `None` where it has no UNTIL.

    Args:
        rule: The rule.
        zone: The account's zone, where dates and floating times are.
    """
    until = next(iter(rule.get("UNTIL") or ()), None)
    if not isinstance(until, date):
        return None
    if isinstance(until, datetime):
        return instant(until, zone)
    return instant(datetime.combine(until, time(23, 59, 59)), zone)


def rule_text(rule: vRecur, start: date | datetime, zone: tzinfo) -> str | None:
    """The rule as dateutil reads it, with UNTIL in the form that goes with an aware or all-day start.

    Returns:
        `None` where there is none (`expandable`).
    """
    found = expandable(rule, start, zone)
    return None if found is None else found[0]


def expandable(rule: vRecur, start: date | datetime, zone: tzinfo) -> tuple[str, Any] | None:
    """The rule as dateutil reads it, as text and read, with UNTIL in the form that goes with the start.

    Returns:
        `None` where no such rule exists (BYHOUR=25), where it counts in another calendar (RSCALE, RFC 7529), and
        where it never comes (30 February): counting on for it would not end.
    """
    if not _exists(rule):
        return None
    frequency, interval = str(first_of(rule, "FREQ")).upper(), int(first_of(rule, "INTERVAL") or 1)
    plain = copy.copy(rule)
    for name in rule.keys() - _KNOWN:
        del plain[name]
    plain.pop("INTERVAL", None)
    if interval > 1:
        plain["INTERVAL"] = [min(interval, _WIDEST.get(frequency, interval))]
    until = first_of(plain, "UNTIL")
    if isinstance(until, date):
        plain["UNTIL"] = [_until_like(start, until, zone)]
    try:
        text = str(plain.to_ical().decode())  # type: ignore[no-untyped-call]  # icalendar types half of itself
        expansion = rrulestr(text, dtstart=_anchor(start))
    except _UNREADABLE:
        return None
    rare = (*_RARE, *_RARE_BESIDE_INTERVAL) if interval > 1 else _RARE
    return (text, expansion) if not any(name in plain for name in rare) or _comes(text, start) else None


def _exists(rule: vRecur) -> bool:
    """Whether the parts of a rule can hold an instance as far as each of them tells."""
    frequency = str(first_of(rule, "FREQ")).upper()
    most = 5 if frequency == "MONTHLY" or rule.get("BYMONTH") else 53
    times = _TIMES_OF_A_STEP.get(frequency)
    size = inf if times is None else prod(len(set(rule.get(name) or (0,))) for name in times)
    return (
        str(first_of(rule, "RSCALE") or "GREGORIAN").upper() == "GREGORIAN"
        and all(value in bounds for name, bounds in _BOUNDS.items() for value in rule.get(name) or ())
        and all(abs(getattr(day, "relative", None) or 0) <= most for day in rule.get("BYDAY") or ())
        and any(abs(position) <= size for position in rule.get("BYSETPOS") or (1,))
    )


@lru_cache(maxsize=1024)
def _comes(text: str, start: date | datetime) -> bool:
    """Whether a rule has any instance, found out without counting through eight thousand years.

    dateutil looks as far as the year 9999. The same days of some cycles later are asked for, which lie near that end.
    """
    probe: Any = rrulestr(text, dtstart=_anchor(start))
    cycles = (_LAST_YEAR - _LONGEST_COUNT_YEARS - start.year) // _CYCLE
    probe._dtstart = probe._dtstart.replace(year=start.year + max(cycles, 0) * _CYCLE)  # noqa: SLF001 -- `replace` would look at UNTIL
    probe._until = probe._count = None  # noqa: SLF001
    try:
        return next(iter(probe), None) is not None
    except ValueError:
        # BYHOUR and the like hold none of the hours that INTERVAL reaches.
        return False


def _until_like(start: date | datetime, until: date | datetime, zone: tzinfo) -> date | datetime:
    if not isinstance(start, datetime):
        return until.date() if isinstance(until, datetime) else until
    return instant(until, zone)


def _anchor(start: date | datetime) -> datetime:
    return start if isinstance(start, datetime) else datetime.combine(start, time(0))


def starts(rule: rrule, first: datetime, last: datetime) -> Iterator[datetime]:
    """Yields the starts of a rule from `first` to `last`, both inclusive, without counting through what lies before.

    Args:
        rule: dateutil's rule.
        first: As naive or aware as the start of the rule.
        last: The same.
    """
    near = _forwarded(rule, first)
    if near._until is None or near._until > last:  # noqa: SLF001 -- else dateutil counts on beyond the range
        near._until = last  # noqa: SLF001
    for start in near:
        if start >= first:
            yield start


def subtracted(found: Iterable[datetime], excluded: Iterable[Iterable[datetime]]) -> Iterator[datetime]:
    """Yields what is found and not excluded; nothing beyond the last one that is found is looked at.

    Args:
        found: Starts in the order of time.
        excluded: Several runs of starts, each in the order of time.
    """
    runs = merge(*excluded)
    gone = next(runs, None)
    for start in found:
        while gone is not None and gone < start:
            gone = next(runs, None)
        if gone != start:
            yield start


def _forwarded(rule: Any, first: datetime) -> Any:
    """The same rule, begun as late before `first` as its interval allows; one with COUNT as it is."""
    near: Any = copy.copy(rule)
    near._cache, near._cache_complete = None, False  # noqa: SLF001 -- the copy would fill the cache of the original
    if near._count is not None:  # noqa: SLF001 -- dateutil tells it in no other way
        return near
    begin, interval = near._dtstart, near._interval  # noqa: SLF001 -- `replace` would derive other days from the start
    wall = first.astimezone(begin.tzinfo) if begin.tzinfo else first
    if near._freq == YEARLY:  # noqa: SLF001
        steps = (wall.year - begin.year) // interval - 1
        moved = (
            begin.replace(year=begin.year + steps * interval, month=1, day=1, hour=0, minute=0, second=0)
            if steps > 0
            else begin
        )
    elif near._freq == MONTHLY:  # noqa: SLF001
        months = (wall.year - begin.year) * 12 + wall.month - begin.month
        steps = months // interval - 1
        year, month = divmod(begin.month - 1 + steps * interval, 12)
        moved = (
            begin.replace(year=begin.year + year, month=month + 1, day=1, hour=0, minute=0, second=0)
            if steps > 0
            else begin
        )
    else:
        unit = _UNITS[near._freq] * interval  # noqa: SLF001
        steps = (wall.replace(tzinfo=None) - begin.replace(tzinfo=None)) // unit - 2
        moved = begin + unit * steps if steps > 0 else begin
    near._dtstart = moved  # noqa: SLF001
    return near


def last_counted(expansion: Any, start: date | datetime) -> date | datetime | None:
    """The last start of a rule with COUNT, or `None` where that lies more than a hundred years ahead.

    Args:
        expansion: What `expandable` reads.
        start: Where the rule begins.
    """
    rule = copy.copy(expansion)
    last_year = min(start.year + _LONGEST_COUNT_YEARS, _LAST_YEAR)
    rule._until = _anchor(start).replace(year=last_year, month=12, day=31)  # noqa: SLF001 -- no UNTIL beside COUNT else
    found = list(rule)
    if len(found) < rule._count:  # noqa: SLF001 -- dateutil tells it in no other way
        return None
    last: datetime = found[-1] if found else _anchor(start)
    return last if isinstance(start, datetime) else last.date()


def is_endless(rule: vRecur) -> bool:
    """Whether a rule has neither COUNT nor UNTIL."""
    return not rule.get("COUNT") and not rule.get("UNTIL")
