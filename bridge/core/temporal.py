"""There are three kinds of time: the date, the wall time anywhere, and the wall time in a zone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from bridge.core.model import BEGINNING, ENDLESS
from bridge.core.zones import custom_zone, named_zone, resolve_zone

__all__ = [
    "AllDay",
    "Floating",
    "Time",
    "Zoned",
    "custom_zone",
    "from_native",
    "instant",
    "named_zone",
    "native",
    "read_time",
    "resolve_zone",
    "shifted",
]

# Tools on ical.js 1.5 leave 'T::' behind a date.
_DATE = re.compile(r"(\d{4})-?(\d\d)-?(\d\d)(?:T::)?")
_DATE_TIME = re.compile(r"(\d{4})-?(\d\d)-?(\d\d)[Tt ](\d\d):?(\d\d):?(\d\d)?(?:\.\d+)?([Zz]|([+-])(\d\d):?(\d\d))?")


@dataclass(frozen=True, slots=True)
class AllDay:
    """A date without a time of day (RFC 5545 section 3.3.4).

    Raises:
        TypeError: If the value is a date-time.
    """

    day: date

    def __post_init__(self) -> None:
        if isinstance(self.day, datetime):
            raise TypeError("a date has no time of day")


@dataclass(frozen=True, slots=True)
class Floating:
    """A wall time in whatever zone the reader is in (RFC 5545 section 3.3.5, form 1).

    Raises:
        ValueError: If the wall time carries a zone.
    """

    wall: datetime

    def __post_init__(self) -> None:
        if self.wall.tzinfo is not None:
            raise ValueError("a floating time has no zone")


@dataclass(frozen=True, slots=True)
class Zoned:
    """A wall time in a zone, UTC included (RFC 5545 section 3.3.5, forms 2 and 3).

    Attributes:
        wall: The wall time, naive.
        zone: The zone whose wall it is.
        tzid: The name under which the zone was given; `UTC` for form 2.

    Raises:
        ValueError: If the wall time carries a zone of its own.
    """

    wall: datetime
    zone: tzinfo
    tzid: str

    def __post_init__(self) -> None:
        if self.wall.tzinfo is not None:
            raise ValueError("the zone stands beside the wall time, not in it")


Time = AllDay | Floating | Zoned


def read_time(text: str, zone: tzinfo | None) -> date | datetime:
    """Reads a DATE or DATE-TIME as producers write it, ISO 8601 with dashes and colons and missing seconds included.

    Args:
        text: The value.
        zone: What the TZID beside it means; a value that ends in Z is UTC all the same (RFC 5545 section 3.2.19), and
            so is one with an offset (-0500), which airlines write though RFC 5545 section 3.3.5 forbids it.

    Raises:
        ValueError: If no client could read it.
    """
    text = text.strip()
    match = _DATE_TIME.fullmatch(text)
    if match is None:
        match = _DATE.fullmatch(text)
        if match is None:
            raise ValueError(f"'{text[:40]}' is neither a date nor a date-time")
        return date(int(match[1]), int(match[2]), int(match[3]))
    year, month, day, hour, minute = (int(match[group]) for group in range(1, 6))
    # A leap second is read as the second before it (RFC 5545 section 3.3.12), 24:00 as midnight after.
    late = timedelta(days=1) if (hour, minute) == (24, 0) else timedelta(0)
    wall = datetime(
        year,
        month,
        day,
        hour % 24 if late else hour,
        minute,
        min(int(match[6] or 0), 59),
        tzinfo=UTC if match[7] else zone,
    )
    if match[8]:
        offset = timedelta(hours=int(match[9]), minutes=int(match[10]))
        late += offset if match[8] == "-" else -offset
    return wall + late


def from_native(value: date | datetime, tzid: str | None = None) -> Time:
    """The kind of time that a `date` or `datetime` is.

    Args:
        value: A date, a naive wall time or an aware one.
        tzid: The name under which the zone of an aware one was given; else it goes by its own.
    """
    if not isinstance(value, datetime):
        return AllDay(value)
    if value.tzinfo is None:
        return Floating(value)
    name = tzid or getattr(value.tzinfo, "key", None) or value.tzname() or "UTC"
    return Zoned(value.replace(tzinfo=None), value.tzinfo, name)


def native(when: Time) -> date | datetime:
    """The `date`, naive or aware `datetime` of a time; the inverse of `from_native`."""
    if isinstance(when, AllDay):
        return when.day
    return when.wall if isinstance(when, Floating) else when.wall.replace(tzinfo=when.zone)


def instant(when: Time | date | datetime, zone: tzinfo) -> datetime:
    """The instant in UTC at which a time begins.

    A wall time that a zone skips is read with the offset before the gap, one that it repeats is the first of both
    (RFC 5545 section 3.3.5). What lies outside the years 1 to 9999 in UTC is cut to them.

    Args:
        when: A time, or what `native` makes of it.
        zone: The account's zone: where dates begin and floating times are.
    """
    value = native(when) if isinstance(when, AllDay | Floating | Zoned) else when
    if not isinstance(value, datetime):
        value = datetime.combine(value, time(0), zone)
    elif value.tzinfo is None:
        value = value.replace(tzinfo=zone)
    try:
        return value.replace(fold=0).astimezone(UTC)
    except OverflowError:
        return BEGINNING if value.year == 1 else ENDLESS


def shifted(value: date | datetime, delta: timedelta) -> date | datetime:
    """A time moved by a duration: its days on the wall clock, the rest in real time (RFC 5545 section 3.3.6).

    A date moved by less than whole days becomes a floating time. What leaves the years 1 to 9999 is cut to them.
    """
    days, rest = timedelta(days=delta.days), delta - timedelta(days=delta.days)
    try:
        if not isinstance(value, datetime):
            moved = value + days
            return datetime.combine(moved, time(0)) + rest if rest else moved
        if value.tzinfo is None:
            return value + delta
        return ((value + days).astimezone(UTC) + rest).astimezone(value.tzinfo) if rest else value + days
    except OverflowError:
        edge = BEGINNING if delta < timedelta(0) else ENDLESS
        return edge.replace(tzinfo=value.tzinfo) if isinstance(value, datetime) else edge.date()
