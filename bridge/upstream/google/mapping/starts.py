"""Which starts the rules of a series give, as the core expands them (RFC 5545 section 3.8.5)."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta, tzinfo
from typing import TYPE_CHECKING

from bridge.core.rules import expandable, is_endless, rules_of, until_of
from bridge.core.series import ZonedSeries, aware, time_of
from bridge.core.temporal import instant

if TYPE_CHECKING:
    from collections.abc import Iterator

    from icalendar.cal import Component

_SECOND = timedelta(seconds=1)
_DAY = timedelta(days=1)
_OVERRIDDEN = ("EXDATE", "RECURRENCE-ID")
# Beyond these the calendar of Python ends, and nobody plans.
_FIRST_YEAR, _LAST_YEAR = 200, 9800
# A series with an end is followed so far by steps; one that takes longer has other reasons to be refused.
_FARTHEST = timedelta(days=40_000)


class Starts:
    """The starts that the rules, RDATEs and EXRULEs of a component give; EXDATEs and overrides are left aside.

    Args:
        component: The component, with a start.
        zone: What floating times mean.
    """

    def __init__(self, component: Component, zone: tzinfo) -> None:
        self._zone = zone
        bare = component.copy(recursive=True)
        for name in _OVERRIDDEN:
            bare.pop(name, None)
        self._component = bare
        self._series = ZonedSeries([bare], zone)

    def holds(self, when: date | datetime) -> bool:
        """Whether an instance begins at a time.

        Args:
            when: A date, or an aware date-time.
        """
        at = instant(when, self._zone)
        return any(
            isinstance(found, datetime) == isinstance(when, datetime) and instant(found, self._zone) == at
            for found in self._near(when)
        )

    def on_day_of(self, when: date | datetime) -> date | datetime | None:
        """The first instance that begins on the day of a time, by the clock of the series; None where none does."""
        start = self._component_start()
        if isinstance(start, datetime):
            day = when.astimezone(start.tzinfo).date() if isinstance(when, datetime) else when
            found = self._between(
                datetime.combine(day, time(0), start.tzinfo), datetime.combine(day + _DAY, time(0), start.tzinfo)
            )
            return min((one for one in found if isinstance(one, datetime) and one.date() == day), default=None)
        day = when.date() if isinstance(when, datetime) else when
        return day if self.holds(day) else None

    def first(self, limit: int) -> list[date | datetime] | None:
        """All starts in the order of time.

        Returns:
            None where there are more than `limit`, or no end to them.
        """
        rules = [rule for rule in rules_of(self._component) if expandable(rule, self._component_start(), self._zone)]
        if any(is_endless(rule) for rule in rules):
            return None
        begin = instant(self._component_start(), self._zone) - 2 * _DAY
        end = begin + _FARTHEST
        ends = [until_of(rule, self._zone) for rule in rules]
        found: set[date | datetime] = set()
        for start in self._between(begin, end):
            found.add(start)
            if len(found) > limit:
                return None
        if any(last is not None and last > end for last in ends):
            return None
        return sorted(found, key=lambda start: instant(start, self._zone))

    def _component_start(self) -> date | datetime:
        start = time_of(self._component, "DTSTART")
        if start is None:
            raise ValueError("a series has a start")
        return aware(start, self._zone)

    def _near(self, when: date | datetime) -> Iterator[date | datetime]:
        begin = instant(when, self._zone)
        if not _FIRST_YEAR < begin.year < _LAST_YEAR:
            return iter([self._component_start()])
        return self._between(begin - _SECOND, begin + _SECOND)

    def _between(self, begin: datetime, end: datetime) -> Iterator[date | datetime]:
        """Yields the starts in a range; a few before it may be among them."""
        return (found.named for found in self._series.instances(begin, end))
