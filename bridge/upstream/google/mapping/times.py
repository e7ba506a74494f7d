"""Times of ours become `date`, or `dateTime` with `timeZone`, and back (Calendar API, EventDateTime).

Google gives a `dateTime` with whatever offset it likes to show it in; only the instant and the `timeZone` count.
An instance is named by its original start as it stands in its id: `20270302T080000Z`, or `20270302` for whole days.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, TypeGuard

from bridge.core.content import made
from bridge.core.series import duration_of, extent, time_of
from bridge.core.temporal import instant, shifted
from bridge.upstream.google.mapping.whole import NotReadable
from bridge.upstream.google.mapping.zone_names import UTC_NAME, google_name, zone_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from icalendar.cal import Component

    from bridge.core.content import Line

_DAY = timedelta(days=1)
_ZERO = timedelta(0)
_MINUTE = timedelta(minutes=1)


def start_and_end(component: Component, zone: str) -> tuple[date | datetime, date | datetime]:
    """When an event begins and ends, both dates or both date-times; floating times stay naive.

    Without DTEND and DURATION an event on a date lasts a day and one at a time has no length (RFC 5545 section 3.6.1).

    Args:
        component: The event; it has a DTSTART.
        zone: What floating times mean where they stand beside others.
    """
    start, end = time_of(component, "DTSTART"), time_of(component, "DTEND")
    duration = duration_of(component)
    if start is None:
        raise NotReadable("The event has no start.")
    if end is None and duration is not None:
        end = shifted(start, duration)
    elif end is None:
        end = start if isinstance(start, datetime) else start + _DAY
    here = zone_of(None, zone)
    if isinstance(start, datetime) != isinstance(end, datetime):
        start, end = extent(component, here) or (start, end)
    if instant(end, here) < instant(start, here):
        start, end = end, start
    if not isinstance(start, datetime) and start == end:
        end = start + _DAY
    return start, end


def written(value: date | datetime, zone: str) -> dict[str, str]:
    """A time as Google takes it, always with an IANA `timeZone`.

    Args:
        value: A date, a floating time, or one in a zone.
        zone: What a floating time means; an IANA name.
    """
    if not isinstance(value, datetime):
        return {"date": value.isoformat()}
    if value.tzinfo is None:
        value = value.replace(tzinfo=zone_of(None, zone))
    name = google_name(value.tzinfo or UTC, value, first_guess=zone)
    if name is None:
        value, name = instant(value, UTC), UTC_NAME
    # A time in an hour that the clocks skip is the one an hour later.
    value = instant(value, UTC).astimezone(zone_of(name, zone)).replace(fold=0)
    if (value.utcoffset() or _ZERO) % _MINUTE:
        # RFC 3339 has no seconds in an offset, as local mean time had.
        value = value.astimezone(UTC)
    return {"dateTime": value.isoformat().replace("+00:00", "Z"), "timeZone": name}


def read(moment: Mapping[str, Any] | None, zone: str, *, keeps_zone: bool = False) -> date | datetime:
    """The time that Google gives, a date or a date-time in its zone.

    The second of two equal wall times, in the night on which the clocks are set back, is given in UTC, since iCalendar
    cannot tell it from the first (RFC 5545 section 3.3.5).

    Args:
        moment: An EventDateTime.
        zone: The zone of the calendar, for a time without one.
        keeps_zone: Whether the zone matters more than that hour, as it does for the start of a series.

    Raises:
        NotReadable: There is no time in it.
    """
    try:
        found = _read(moment or {}, zone)
    except (ValueError, OverflowError) as reason:
        raise NotReadable(f"Google gives a time that nobody can read: {reason}.") from reason
    if found is None:
        raise NotReadable("Google gives an event without a start.")
    return found.replace(fold=0) if keeps_zone and isinstance(found, datetime) else _unambiguous(found)


def _read(moment: Mapping[str, Any], zone: str) -> date | datetime | None:
    if moment.get("dateTime"):
        value = datetime.fromisoformat(str(moment["dateTime"])).replace(microsecond=0)
        home = zone_of(moment.get("timeZone"), zone)
        return value.replace(tzinfo=home) if value.tzinfo is None else value.astimezone(home)
    return date.fromisoformat(str(moment["date"])) if moment.get("date") else None


def _unambiguous(value: date | datetime) -> date | datetime:
    if isinstance(value, datetime) and value.fold and instant(value, UTC) != value.astimezone(UTC):
        return value.astimezone(UTC)
    return value.replace(fold=0) if isinstance(value, datetime) else value


def key_of(value: date | datetime, zone: str) -> str:
    """The name of an instance by its original start.

    Args:
        value: The original start.
        zone: What a floating time means.
    """
    return stamp(instant(value, zone_of(None, zone)) if isinstance(value, datetime) else value)[1]


def original_start(key: str) -> date | datetime:
    """The original start that a name tells, a date or an instant in UTC.

    Raises:
        ValueError: It is no such name.
    """
    if "T" in key:
        return datetime.strptime(key, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    return datetime.strptime(key, "%Y%m%d").date()  # noqa: DTZ007 -- a date has no zone


def is_skipped(value: date | datetime) -> TypeGuard[datetime]:
    """Whether a time is in an hour that the clocks skip where it is."""
    if not isinstance(value, datetime) or value.tzinfo is None:
        return False
    return instant(value, UTC).astimezone(value.tzinfo).replace(tzinfo=None) != value.replace(tzinfo=None)


def in_zone_of(value: date | datetime, start: date | datetime) -> date | datetime:
    """A time as it is best given beside a start: in its zone where that says it, else in UTC.

    Args:
        value: A date or an instant.
        start: The start of the series, a date or aware.
    """
    if not isinstance(value, datetime) or not isinstance(start, datetime):
        return value
    return _unambiguous(value.astimezone(start.tzinfo or UTC))


def line(name: str, value: date | datetime) -> Line:
    """A content line for a time, its zone under its IANA name."""
    params, text = stamp(value)
    return made(name, text, params)


def stamp(value: date | datetime) -> tuple[str, str]:
    """The parameters and the value of a time in iCalendar (RFC 5545 sections 3.3.4 and 3.3.5)."""
    if not isinstance(value, datetime):
        return ";VALUE=DATE", value.isoformat().replace("-", "")
    text = value.replace(tzinfo=None, fold=0).isoformat(timespec="seconds").replace("-", "").replace(":", "")
    if value.tzinfo is None:
        return "", text
    if value.tzinfo is UTC:
        return "", f"{text}Z"
    return f";TZID={getattr(value.tzinfo, 'key', UTC_NAME)}", text


def floating(value: date | datetime) -> date | datetime:
    """The wall time without its zone."""
    return value.replace(tzinfo=None) if isinstance(value, datetime) else value


def moved(start: date | datetime, end: date | datetime, to: date | datetime) -> date | datetime:
    """When an instance ends that begins at `to`: its length is that of the first on the wall clock, whole days of days.

    Args:
        start: The start of the series.
        end: Its end.
        to: The start of the instance.
    """
    try:
        return to + (_wall(end, start) - _wall(start, start))
    except OverflowError:
        return to


def _wall(value: date | datetime, like: date | datetime) -> datetime:
    if not isinstance(value, datetime):
        return datetime.combine(value, time(0))
    home = like.tzinfo if isinstance(like, datetime) else None
    return (value.astimezone(home) if value.tzinfo and home else value).replace(tzinfo=None)
