"""What people do to a series, in a calendar program here or at Google's page there.

Programs write whole objects; here that is done on the text, as simply as the samples allow.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from bridge.core.recurrence import expand
from bridge.core.temporal import AllDay
from tests.upstream.google.google_answers import ZONE, parsed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from bridge.core.model import CalendarObject
    from bridge.core.recurrence import Instance
    from tests.fakes.google.by_hand import ByHand

BEGIN, END = datetime(2027, 1, 1, tzinfo=UTC), datetime(2037, 1, 1, tzinfo=UTC)
"""What is looked at: a series without an end is seen in part."""

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
_HOME = ZoneInfo(ZONE)
_SET = ("RRULE", "RDATE", "EXDATE", "EXRULE")
_TIMED = ("DTSTART", "DTEND", "RECURRENCE-ID", "RDATE", "EXDATE")
_STAMP = re.compile(r"\d{8}(T\d{6})?")
_PREFIX = "Cancelled: "
_BUSY = "Busy"

Seen = tuple[datetime, datetime, str]


def shown_here(objects: Iterable[CalendarObject]) -> list[Seen]:
    """Every instance that a calendar program shows to others: when, and under which title; a private one is busy."""
    found = []
    for obj in objects:
        for each in expand(obj, BEGIN, END, zone=_HOME, limit=10_000):
            if "RECURRENCE-ID" in each.component and each.component.get("STATUS") == "CANCELLED":
                continue
            private = each.component.get("CLASS") == "PRIVATE"
            found.append((each.first, each.last, _BUSY if private else str(each.component.get("SUMMARY", ""))))
    return sorted(found)


def shown_there(page: ByHand) -> list[Seen]:
    """Every instance that Google's page shows: when, and under which title."""
    found = [
        (_instant(each["start"]), _instant(each["end"]), each.get("summary", "").removeprefix(_PREFIX))
        for each in page.between(BEGIN, END)
    ]
    return sorted(found)


def _instant(when: Mapping[str, str]) -> datetime:
    if "date" in when:
        return datetime.combine(date.fromisoformat(when["date"]), datetime.min.time(), _HOME).astimezone(UTC)
    return datetime.fromisoformat(when["dateTime"]).astimezone(UTC)


@dataclass(frozen=True, slots=True)
class _Event:
    """The lines of a VEVENT, without its BEGIN and END."""

    lines: list[str]

    @property
    def is_override(self) -> bool:
        return any(line.startswith("RECURRENCE-ID") for line in self.lines)

    def line(self, name: str) -> str:
        return next((line for line in self.lines if re.match(f"{name}[;:]", line)), "")

    def without(self, *names: str) -> list[str]:
        return [line for line in self.lines if re.split("[;:]", line, maxsplit=1)[0] not in names]


def _edited(obj: CalendarObject, edit: Callable[[list[_Event]], list[_Event]]) -> CalendarObject:
    """An object whose events were edited."""
    text = obj.raw.decode().replace("\r\n ", "").replace("\r\n", "\n")
    head, *rest = text.split("BEGIN:VEVENT\n")
    events = edit([_Event(each.partition("END:VEVENT\n")[0].splitlines()) for each in rest])
    blocks = ["\n".join(["BEGIN:VEVENT", *each.lines, "END:VEVENT", ""]) for each in events]
    return parsed("".join([head, *blocks, "END:VCALENDAR\n"]).replace("\n", "\r\n").encode())


def retitled(obj: CalendarObject) -> CalendarObject:
    """The series under another title, its changed instances too."""
    return _edited(obj, lambda events: [_Event([*each.without("SUMMARY"), "SUMMARY:Massage"]) for each in events])


def with_one_moved(obj: CalendarObject) -> CalendarObject:
    """The series with one instance of it an hour, or a day, later."""
    chosen = _untouched(obj)

    def edit(events: list[_Event]) -> list[_Event]:
        if chosen is None:
            moved = [_shifted_line(line) if line.startswith(("DTSTART", "DTEND")) else line for line in events[0].lines]
            return [_Event(moved), *events[1:]]
        params = events[0].line("DTSTART").partition(":")[0].removeprefix("DTSTART")
        later = DAY if chosen.all_day else HOUR
        times = {"RECURRENCE-ID": chosen.first, "DTSTART": chosen.first + later, "DTEND": chosen.last + later}
        lines = [f"{name}{params}:{_named(chosen, at)}" for name, at in times.items()]
        kept = events[0].without(*_SET, "DTSTART", "DTEND", "DURATION")
        return [*events, _Event([*kept, *lines])]

    return _edited(obj, edit)


def with_one_cancelled(obj: CalendarObject) -> CalendarObject:
    """The series without one instance of it."""
    chosen = _untouched(obj)

    def edit(events: list[_Event]) -> list[_Event]:
        if chosen is None:
            return [_Event([*events[0].without("STATUS"), "STATUS:CANCELLED"]), *events[1:]]
        params = events[0].line("DTSTART").partition(":")[0].removeprefix("DTSTART")
        return [_Event([*events[0].lines, f"EXDATE{params}:{_named(chosen, chosen.first)}"]), *events[1:]]

    return _edited(obj, edit)


def shifted(obj: CalendarObject) -> CalendarObject:
    """The whole series an hour, or a day, later, with everything that is said about its instances."""
    return _edited(obj, lambda events: [_Event([_shifted_line(line) for line in each.lines]) for each in events])


def _shifted_line(line: str) -> str:
    name = re.split("[;:]", line, maxsplit=1)[0]
    head, colon, value = line.partition(":")
    if name in _TIMED:
        return head + colon + _STAMP.sub(_shifted_stamp, value)
    if name in {"RRULE", "EXRULE"}:
        value = re.sub(r"BYHOUR=([\d,]+)", _shifted_hours, value)
        return head + colon + re.sub(r"(?<=UNTIL=)\d{8}(T\d{6})?", _shifted_stamp, value)
    return line


def _shifted_hours(match: re.Match[str]) -> str:
    return "BYHOUR=" + ",".join(str(int(hour) + 1) for hour in match[1].split(","))


def _shifted_stamp(match: re.Match[str]) -> str:
    if match[1] is None:
        return f"{datetime.strptime(match[0], '%Y%m%d').replace(tzinfo=UTC) + DAY:%Y%m%d}"
    return f"{datetime.strptime(match[0], '%Y%m%dT%H%M%S').replace(tzinfo=UTC) + HOUR:%Y%m%dT%H%M%S}"


def _untouched(obj: CalendarObject) -> Instance | None:
    """An instance that is as the series says: the third of them, or the last; None where all are changed."""
    found = [
        each for each in expand(obj, BEGIN, END, zone=_HOME, limit=10_000) if "RECURRENCE-ID" not in each.component
    ]
    return found[min(2, len(found) - 1)] if found else None


def _named(instance: Instance, at: datetime) -> str:
    """An instant in the kind of time in which a series begins."""
    begin: Any = instance.component["DTSTART"]
    start = begin.dt
    if isinstance(instance.start, AllDay):
        return f"{at.astimezone(_HOME):%Y%m%d}"
    if start.tzinfo is None:
        return f"{at.astimezone(_HOME):%Y%m%dT%H%M%S}"
    if str(start.tzinfo) == "UTC":
        return f"{at:%Y%m%dT%H%M%SZ}"
    return f"{at.astimezone(start.tzinfo):%Y%m%dT%H%M%S}"


class Person:
    """Somebody at Google's page, with one series before him."""

    def __init__(self, page: ByHand) -> None:
        self._page = page

    def retitle(self) -> None:
        """Gives the series another title."""
        self._page.edit(self._master["id"], summary="Massage")

    def move_one(self) -> None:
        """Drags an instance half an hour, or a day, down."""
        chosen = self._untouched
        self._page.edit(chosen["id"], _later(chosen))

    def cancel_one(self) -> None:
        """Deletes an instance."""
        self._page.delete(self._untouched["id"])

    def shift(self) -> None:
        """Drags the whole series half an hour, or a day, down."""
        self._page.edit(self._master["id"], _later(self._master))

    def shift_following(self) -> None:
        """Drags an instance down, and all that follow it."""
        chosen = self._untouched
        self._page.split(chosen["id"], **_later(chosen))

    @property
    def _master(self) -> dict[str, Any]:
        return next(each for each in self._page.events if "recurringEventId" not in each)

    @property
    def _untouched(self) -> dict[str, Any]:
        """An instance that nobody has changed, else any: the third of them, or the last."""
        changed = {each["id"] for each in self._page.events if "recurringEventId" in each}
        every = self._page.between(BEGIN, END)
        found = [each for each in every if each["id"] not in changed] or every
        return found[min(2, len(found) - 1)]


def _later(event: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _moved(event[name]) for name in ("start", "end")}


def _moved(when: Mapping[str, str]) -> dict[str, Any]:
    if "date" in when:
        return {"date": (date.fromisoformat(when["date"]) + DAY).isoformat()}
    zone = ZoneInfo(when["timeZone"])
    wall = datetime.fromisoformat(when["dateTime"]).astimezone(zone).replace(tzinfo=None) + HOUR / 2
    return {"dateTime": wall.isoformat(), "timeZone": when["timeZone"]}
