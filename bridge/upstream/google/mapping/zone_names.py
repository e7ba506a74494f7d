"""Google knows zones by IANA names only, so one that has none goes under the name of one with the same clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo, available_timezones

from bridge.core.zones import CustomZone, named_zone

if TYPE_CHECKING:
    from collections.abc import Iterator

UTC_NAME: Final = "UTC"

_HOUR = timedelta(hours=1)
_LONGEST_WEST, _LONGEST_EAST = -14, 12
# What a series means after so many years nobody will ask.
_YEARS = 12
_STEP = timedelta(days=5)


def zone_of(name: str | None, otherwise: str) -> tzinfo:
    """The zone that a name means.

    Args:
        name: What Google says, which it may leave out of a single event.
        otherwise: The zone of the calendar.
    """
    return (named_zone(name) if name else None) or named_zone(otherwise) or UTC


def google_name(zone: tzinfo, at: datetime, *, first_guess: str) -> str | None:
    """The IANA name under which Google knows a zone, or one with the same clock from a time on.

    Args:
        zone: The zone.
        at: The time from which the clocks are compared, for twelve years.
        first_guess: The zone that is tried first of all that have no better claim.

    Returns:
        None where no zone of the IANA database has this clock.
    """
    if zone is UTC:
        return UTC_NAME
    if isinstance(zone, ZoneInfo):
        return zone.key
    if isinstance(zone, timezone):
        return _fixed_name(zone.utcoffset(None))
    if isinstance(zone, CustomZone):
        return _same_clock(zone, max(at.year, 1), first_guess)
    return None


def _fixed_name(offset: timedelta) -> str | None:
    """`Etc/GMT-2` for two hours ahead of UTC: the sign in these names is the other way round (IANA, file etcetera)."""
    hours, rest = divmod(-offset, _HOUR)
    if rest or not _LONGEST_WEST <= hours <= _LONGEST_EAST:
        return None
    return f"Etc/GMT{hours:+d}" if hours else UTC_NAME


@lru_cache(maxsize=256)
def _same_clock(zone: CustomZone, year: int, first_guess: str) -> str | None:
    instants = list(_probes(zone, year))
    offsets = [_offset(zone, at) for at in instants]
    if len(set(offsets)) == 1:
        fixed = _fixed_name(offsets[0])
        if fixed is not None:
            return fixed
    for name in _candidates(first_guess):
        candidate = ZoneInfo(name)
        if all(_offset(candidate, at) == offset for at, offset in zip(instants, offsets, strict=True)):
            return name
    return None


def _candidates(first_guess: str) -> Iterator[str]:
    """Yields names in an order that is the same everywhere: well-known regions before abbreviations."""
    guess = named_zone(first_guess)
    if isinstance(guess, ZoneInfo):
        yield guess.key
    regions = ("Europe/", "America/", "Asia/", "Australia/", "Africa/", "Pacific/", "Atlantic/", "Indian/")
    names = sorted(available_timezones())
    for region in regions:
        yield from (name for name in names if name.startswith(region))


def _probes(zone: CustomZone, year: int) -> Iterator[datetime]:
    """Yields instants at which two different clocks would differ, those around the changes of the zone first."""
    begin = datetime(year, 1, 1, tzinfo=UTC)
    end = begin.replace(year=min(year + _YEARS, 9999))
    for onset in zone.onsets:
        at = (onset.wall - onset.before).replace(tzinfo=UTC)
        if begin <= at < end:
            yield at - timedelta(minutes=1)
            yield at
    at = begin
    while at < end:
        yield at
        at += _STEP


def _offset(zone: tzinfo, at: datetime) -> timedelta:
    return at.astimezone(zone).utcoffset() or timedelta(0)
