"""A recurrence rule is weighed before it is expanded, so that no rule can hold the server up.

dateutil walks from one step of FREQ to the next until it finds an instance or the year 9999 ends. What that takes is
estimated from the parts of the rule alone, in steps that take about a microsecond each.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta, tzinfo
from math import prod
from typing import TYPE_CHECKING, Any

from bridge.core.temporal import instant
from bridge.errors import TooManyInstances

if TYPE_CHECKING:
    from icalendar.prop import vRecur

_STEPS_A_DAY = {"SECONDLY": 86_400, "MINUTELY": 1_440, "HOURLY": 24}
_PERIODS = {"WEEKLY": 7, "MONTHLY": 31, "YEARLY": 366}
# Within a step of a week, a month or a year dateutil looks at each of its days.
_WEIGHTS = {"WEEKLY": 3, "MONTHLY": 15, "YEARLY": 100}
_FINER = {"SECONDLY": (), "MINUTELY": ("BYSECOND",), "HOURLY": ("BYMINUTE", "BYSECOND")}
_COARSER = {
    "SECONDLY": (("BYHOUR", 24), ("BYMINUTE", 60), ("BYSECOND", 60)),
    "MINUTELY": (("BYHOUR", 24), ("BYMINUTE", 60)),
    "HOURLY": (("BYHOUR", 24),),
}
_OF_THE_DAYS = (("BYMONTH", 12), ("BYMONTHDAY", 31), ("BYYEARDAY", 366), ("BYWEEKNO", 53))
_YEAR = 366
# As far as a series is expanded at once (`bridge.core.recurrence.expand`).
_FARTHEST_DAYS = 36_525
_LAST_YEAR = 9999
_MOST_STEPS = 300_000


def first_of(rule: vRecur, name: str) -> Any:
    """The first value of a part of a rule, or `None`."""
    return next(iter(rule.get(name) or ()), None)


def check_cost(
    rule: vRecur,
    start: date | datetime,
    *,
    until: datetime | None,
    zone: tzinfo,
    max_instances: int,
    excludes: bool = False,
) -> None:
    """Refuses a rule with more instances a year than the limit, or one that takes too long to count through.

    Args:
        rule: The rule.
        start: Where it begins.
        until: The instant after which it has no instance, if there is one.
        zone: The account's zone.
        max_instances: The most instances in a year, or in all where the rule has COUNT.
        excludes: Whether it takes instances away, so that no number of them ends the counting.

    Raises:
        TooManyInstances: By an estimate from the parts of the rule alone, without expanding it.
    """
    frequency, count = str(first_of(rule, "FREQ")).upper(), first_of(rule, "COUNT")
    if count is not None and int(count) > max_instances:
        raise _too_many(f"COUNT={count}", max_instances)
    interval = max(int(first_of(rule, "INTERVAL") or 1), 1)
    dense = _densest(rule, frequency, interval)
    rare = _rarest(rule, frequency, interval, dense)
    if count is not None:
        days = min(int(count) / rare, (_LAST_YEAR + 1 - start.year) * _YEAR)
    else:
        days = _FARTHEST_DAYS if excludes else min(_FARTHEST_DAYS, max_instances / rare)
        year: float = _YEAR
        if until is not None:
            whole = max((until - instant(start, zone)) / timedelta(days=1), 0)
            days, year = min(days, whole), min(year, whole)
        if dense * year > max_instances:
            raise _too_many(f"FREQ={frequency}", max_instances)
    if days * max(_steps_a_day(rule, frequency, interval), rare) > _MOST_STEPS + max_instances:
        raise TooManyInstances(
            f"The recurrence rule with FREQ={frequency} takes too long to count through.",
            remedy="Choose a frequency nearer to the distance of its instances.",
        )


def _too_many(part: str, max_instances: int) -> TooManyInstances:
    return TooManyInstances(
        f"The recurrence rule with {part} has more than {max_instances} instances a year or in all.",
        remedy="Choose a wider interval or a nearer end.",
    )


def _densest(rule: vRecur, frequency: str, interval: int) -> float:
    """The most instances a day."""
    finer = _FINER.get(frequency, ("BYHOUR", "BYMINUTE", "BYSECOND"))
    daily = _STEPS_A_DAY.get(frequency, 1) / interval
    daily *= prod(len(set(rule.get(name) or (0,))) for name in finer)
    for name, whole in _COARSER.get(frequency, ()):
        if rule.get(name):
            daily *= len(set(rule[name])) / whole
    return daily


def _rarest(rule: vRecur, frequency: str, interval: int, dense: float) -> float:
    """The fewest instances a day of a rule that has any."""
    if frequency in _PERIODS:
        months = len(set(rule.get("BYMONTH") or range(12)))
        return min(months / 12, 1) / (_PERIODS[frequency] * interval)
    return dense * _share_of_days(rule)


def _share_of_days(rule: vRecur) -> float:
    """About how many of all days a rule that counts in days or less leaves."""
    share = prod(min(len(set(rule[name])) / whole, 1) for name, whole in _OF_THE_DAYS if rule.get(name))
    weekdays = {getattr(day, "weekday", None) for day in rule.get("BYDAY") or ()}
    return share * (len(weekdays) / 7 if weekdays else 1)


def _steps_a_day(rule: vRecur, frequency: str, interval: int) -> float:
    steps = _STEPS_A_DAY.get(frequency, 1) / (_PERIODS.get(frequency, 1) * interval)
    if frequency in _STEPS_A_DAY and not any(rule.get(name) for name, _ in _COARSER[frequency]):
        # A day that the rule leaves out is passed in one step, unless an hour is looked for.
        share = _share_of_days(rule)
        return share * steps + (1 - share) * min(steps, 1)
    return steps * _WEIGHTS.get(frequency, 1)
