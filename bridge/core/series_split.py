"""'This and following' is recognised: an old series that was shortened, and a new one that goes on in its place.

Google's page, Apple Calendar and Outlook change 'this and all following' instances of a series by giving the old master
an UNTIL (or a smaller COUNT) and making a new series that begins where the old one ends. Taken one by one, these are a
shortened appointment and an unrelated new one, and the instances in between look deleted for as long as only one of
the two has gone over.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from itertools import islice
from typing import TYPE_CHECKING, Any

from bridge.core.recurrence import held_components
from bridge.core.rules import expandable, last_counted, rules_of, starts, until_of
from bridge.core.series import extent
from bridge.core.temporal import instant

if TYPE_CHECKING:
    from collections.abc import Sequence

    from icalendar.cal import Component
    from icalendar.prop import vRecur

    from bridge.core.model import CalendarObject

_BOUNDS = ("UNTIL", "COUNT")
_SECOND = timedelta(seconds=1)
_DAY = timedelta(days=1)
# Google's name of the second part: 'abc_R20260721T150000@google.com' goes on for 'abc@google.com'.
_SECOND_PART = re.compile(r"_R\d{8}(?:T\d{6}Z?)?(?=@|$)")


@dataclass(frozen=True, slots=True)
class _Cut:
    """Where a series was cut: its last possible start, and the first starts that it lost, as instants."""

    end: datetime
    lost: tuple[datetime, ...]

    @property
    def near(self) -> datetime:
        """Until when something that goes on begins: not later than the second instance that was lost."""
        first = self.lost[0]
        return max(self.lost[-1], first + _DAY)


def goes_on_as(
    before: CalendarObject, after: CalendarObject, new: Sequence[CalendarObject], *, zone: tzinfo
) -> str | None:
    """The UID of the new object that goes on where a series of the same side was cut short.

    The old series must begin and recur as before, only not as long. What goes on begins after its end and either
    names it (RELATED-TO, or Google's form of the UID), or begins near the first lost instance with the same summary,
    or at that very instance with the same rule. What names it is preferred, then what begins first.

    Args:
        before: The series as it was.
        after: The series as it is.
        new: The objects that came on this side in the same pass.
        zone: The account's zone.

    Returns:
        None where the series was not shortened, or nothing goes on. A shortened series by itself is a change of the
        series, never its removal.
    """
    cut = _cut(before, after, zone)
    if cut is None:
        return None
    found = [
        (not named, begin, obj.uid)
        for obj in new
        if obj.component == before.component and obj.uid != before.uid
        for begin, named in [_goes_on(obj, before, cut, zone)]
        if begin is not None
    ]
    return min(found)[2] if found else None


def _cut(before: CalendarObject, after: CalendarObject, zone: tzinfo) -> _Cut | None:
    """Where a series ends earlier than it did; None where it does not, or has changed in more than that."""
    old, new = _series(before, zone), _series(after, zone)
    if old is None or new is None or old.begin != new.begin or _shape(old.rule) != _shape(new.rule):
        return None
    end = until_of(new.rule, zone)
    if end is None:
        last = last_counted(new.expansion, new.begin) if new.rule.get("COUNT") else None
        end = None if last is None else instant(last, zone)
    if end is None:
        return None
    lost = tuple(islice(_after(old, end, zone), 2))
    return _Cut(end, lost) if lost else None


@dataclass(frozen=True, slots=True)
class _Series:
    """A master with one rule that can be read."""

    begin: date | datetime
    rule: vRecur
    expansion: Any


def _series(obj: CalendarObject, zone: tzinfo) -> _Series | None:
    master = _master(obj)
    rules = [] if master is None else rules_of(master)
    found = None if master is None else extent(master, zone)
    if found is None or len(rules) != 1:
        return None
    readable = expandable(rules[0], found[0], zone)
    return None if readable is None else _Series(found[0], rules[0], readable[1])


def _master(obj: CalendarObject) -> Component | None:
    return next((found for found in held_components(obj.calendar) if "RECURRENCE-ID" not in found), None)


def _shape(rule: vRecur) -> dict[str, str]:
    return {name: str(value) for name, value in rule.items() if name not in _BOUNDS}


def _after(series: _Series, end: datetime, zone: tzinfo) -> Any:
    """Yields the starts of a series after an instant, as instants."""
    first, last = end + _SECOND, datetime.max.replace(microsecond=0, tzinfo=end.tzinfo) - _DAY
    if not isinstance(series.begin, datetime):
        first, last = first.astimezone(zone).replace(tzinfo=None), last.replace(tzinfo=None)
    for start in starts(series.expansion, first, last):
        yield instant(start, zone)


def _goes_on(obj: CalendarObject, before: CalendarObject, cut: _Cut, zone: tzinfo) -> tuple[datetime | None, bool]:
    """When an object begins, if it goes on for a series that was cut, and whether it names that series."""
    master, old = _master(obj), _master(before)
    found = None if master is None else extent(master, zone)
    if master is None or old is None or found is None:
        return None, False
    begin = instant(found[0], zone)
    named = before.uid in _related(master) or _stem(obj.uid) == _stem(before.uid)
    if begin < cut.end or not (named or _resembles(master, old, begin, cut)):
        return None, named
    return begin, named


def _resembles(master: Component, old: Component, begin: datetime, cut: _Cut) -> bool:
    """Whether a master could go on for another by what it says and when it begins."""
    summary = _summary(master)
    if summary and summary == _summary(old):
        return begin <= cut.near
    return begin == cut.lost[0] and [*map(_shape, rules_of(master))] == [*map(_shape, rules_of(old))]


def _summary(component: Component) -> str:
    return " ".join(str(component.get("SUMMARY", "")).casefold().split())


def _stem(uid: str) -> str:
    return _SECOND_PART.sub("", uid)


def _related(component: Component) -> list[str]:
    found = component.get("RELATED-TO", [])
    return [str(one).strip() for one in (found if isinstance(found, list) else [found])]
