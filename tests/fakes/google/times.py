"""A time of an event, as Google keeps it: a day, or an instant with the zone that it was given in."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tests.fakes.google.refusal import Refused

if TYPE_CHECKING:
    from collections.abc import Mapping

_DATE_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d+)?(Z|[+-]\d\d:\d\d)?", re.IGNORECASE)


@cache
def zone_of(name: str) -> ZoneInfo:
    """The zone of an IANA name.

    Raises:
        Refused: There is no such zone.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise Refused("invalid", "Invalid time zone definition.", "timeZone") from error


@dataclass(frozen=True, slots=True)
class When:
    """A start or an end.

    Attributes:
        day: Where it is a whole day; the end is exclusive.
        instant: In UTC, where it is not.
        zone: IANA name; empty for a day.
    """

    day: date | None = None
    instant: datetime | None = None
    zone: str = ""

    @property
    def at(self) -> datetime:
        """The instant; of a day, its midnight in UTC."""
        if self.instant is not None:
            return self.instant
        day = self.day or date.min
        return datetime(day.year, day.month, day.day, tzinfo=UTC)

    def begins(self, zone: ZoneInfo) -> datetime:
        """The instant; of a day, its midnight in a zone."""
        return self.at if self.day is None else self.at.replace(tzinfo=zone)

    @property
    def wall(self) -> datetime:
        """The time on the wall in its zone, without a zone."""
        if self.instant is None:
            return self.at.replace(tzinfo=None)
        return self.instant.astimezone(zone_of(self.zone)).replace(tzinfo=None)

    @property
    def stamp(self) -> str:
        """As it stands in the id of an instance."""
        return self.at.strftime("%Y%m%d" if self.day else "%Y%m%dT%H%M%SZ")

    def on_wall(self, wall: datetime) -> When:
        """The time of the same kind and zone at another time on the wall; one that is skipped is moved forward."""
        if self.day is not None:
            return When(day=wall.date())
        return When(instant=wall.replace(tzinfo=zone_of(self.zone)).astimezone(UTC), zone=self.zone)

    def shifted(self, by: timedelta) -> When:
        """Later by so much."""
        if self.day is not None:
            return When(day=self.day + by)
        return When(instant=self.at + by, zone=self.zone)

    def show(self, zone: str) -> dict[str, str]:
        """As an EventDateTime; the offset is the one of `zone`."""
        if self.day is not None:
            return {"date": self.day.isoformat()}
        return {"dateTime": rfc3339(self.at.astimezone(zone_of(zone))), "timeZone": self.zone}


def rfc3339(instant: datetime) -> str:
    """With seconds, and `Z` for UTC."""
    text = instant.isoformat(timespec="seconds")
    return text.replace("+00:00", "Z")


def stamp_with_millis(instant: datetime) -> str:
    """As `created` and `updated` are shown."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{instant.microsecond // 1000:03}Z"


def read_instant(text: str, location: str) -> datetime:
    """The instant that a parameter such as timeMin names.

    Raises:
        Refused: It is no RFC 3339 timestamp with an offset.
    """
    match = _DATE_TIME.fullmatch(text)
    if match is None or match[2] is None:
        raise Refused("badRequest", location=location)
    return datetime.fromisoformat(match[1] + match[2].upper()).astimezone(UTC)


def read_when(body: Mapping[str, Any], which: str, *, zone: str, series: bool) -> When:
    """The time that an EventDateTime says.

    Args:
        body: The EventDateTime.
        which: "start" or "end", for the message.
        zone: Of the calendar.
        series: The event recurs, so that it needs a time zone of its own.

    Raises:
        Refused: It says two kinds of time, or none, or one that needs a zone.
    """
    day, text, own = body.get("date"), body.get("dateTime"), body.get("timeZone")
    if (day is None) == (text is None):
        reason = "required" if day is None else "invalid"
        raise Refused(reason, f"Missing {which} time." if day is None else f"Invalid {which} time.", which)
    if day is not None:
        return When(day=_day(day, which))
    match = _DATE_TIME.fullmatch(str(text))
    if match is None:
        raise Refused("invalid", f"Invalid {which} time.", which)
    if series and not own:
        raise Refused("required", f"Missing time zone definition for {which} time.", f"{which}.timeZone")
    if match[2] is None and not own:
        raise Refused("required", f"Missing time zone definition for {which} time.", f"{which}.timeZone")
    named = str(own or zone)
    try:
        wall = datetime.fromisoformat(match[1] + (match[2] or "").upper())
    except ValueError as error:
        raise Refused("invalid", f"Invalid {which} time.", which) from error
    if wall.tzinfo is None:
        wall = wall.replace(tzinfo=zone_of(named))
    zone_of(named)
    return When(instant=wall.astimezone(UTC), zone=named)


def _day(text: str, which: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise Refused("invalid", f"Invalid {which} time.", which) from error
