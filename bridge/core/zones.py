"""A TZID leads to a time zone: an IANA name however it is spelled, or the rules of an embedded VTIMEZONE."""

from __future__ import annotations

import copy
import re
from bisect import bisect_right
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import cache, lru_cache
from itertools import islice
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, available_timezones

from dateutil.rrule import rrulestr  # type: ignore[import-untyped]  # dateutil ships no types
from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

if TYPE_CHECKING:
    from collections.abc import Iterator

    import icalendar

_HORIZON = datetime(2200, 1, 1)  # noqa: DTZ001 -- compared with the wall times of a VTIMEZONE, which are naive
_MOST_ONSETS = 2000
# The zones with the longest history have less than half of it.
_MOST_RULES = 100
# In the years from then to 9999 every date falls on every day of the week.
_PROBE_YEAR = 9960
_LONGEST_DEFINITION = 64_000
_ZERO = timedelta(0)
_UNREADABLE = (ValueError, TypeError, LookupError, ArithmeticError, AttributeError)
_FIXED = re.compile(r"(?:UTC|GMT)?([+-])(\d{1,2})(?::?(\d\d))?", re.IGNORECASE)
_OBSERVANCE = re.compile(r"^BEGIN:(STANDARD|DAYLIGHT)\s*$(.*?)^END:\1", re.MULTILINE | re.DOTALL | re.IGNORECASE)
_PROPERTY = re.compile(
    r"^(DTSTART|TZOFFSETFROM|TZOFFSETTO|TZNAME|RRULE|RDATE)\b[^:\n]*:(.*)$", re.MULTILINE | re.IGNORECASE
)
_OFFSET = re.compile(r"([+-]?)(\d\d):?(\d\d):?(\d\d)?")
_UNTIL = re.compile(r";?UNTIL=([0-9TZ]*)", re.IGNORECASE)


@dataclass(frozen=True, slots=True, order=True)
class Onset:
    """A moment at which the rules of a VTIMEZONE change the offset.

    Attributes:
        wall: When, as a naive wall time under the offset before it.
        before: The offset from UTC before it.
        after: The offset from UTC from it on.
        daylight: Whether daylight saving time begins.
        name: The TZNAME from it on, possibly empty.
    """

    wall: datetime
    before: timedelta
    after: timedelta
    daylight: bool
    name: str


class CustomZone(tzinfo):
    """The rules of one VTIMEZONE (RFC 5545 section 3.6.5) as a time zone with gaps and folds as in PEP 495.

    Two zones are equal when their rules are, whatever their names.

    Args:
        onsets: All changes of the offset, in the order of time; at least one.
    """

    def __init__(self, onsets: tuple[Onset, ...]) -> None:
        if not onsets:
            raise ValueError("a time zone has at least one offset")
        self.onsets = onsets
        self._instants = [onset.wall - onset.before for onset in onsets]
        # Between both borders of a change lies the gap or the fold; fold=0 means the offset before it.
        self._late = [onset.wall + max(onset.after - onset.before, _ZERO) for onset in onsets]
        self._early = [onset.wall + min(onset.after - onset.before, _ZERO) for onset in onsets]

    def _at(self, count: int) -> tuple[timedelta, bool, str]:
        if count:
            onset = self.onsets[count - 1]
            return onset.after, onset.daylight, onset.name
        return self.onsets[0].before, False, ""

    def _find(self, when: datetime | None) -> tuple[timedelta, bool, str]:
        if when is None:
            return self._at(len(self.onsets))
        wall = when.replace(tzinfo=None)
        return self._at(bisect_right(self._early if when.fold else self._late, wall))

    def utcoffset(self, when: datetime | None, /) -> timedelta:
        """The offset from UTC at a wall time; of a gap, the one before it (RFC 5545 section 3.3.5)."""
        return self._find(when)[0]

    def dst(self, when: datetime | None, /) -> timedelta:
        """One hour while daylight saving time holds, else zero."""
        return timedelta(hours=self._find(when)[1])

    def tzname(self, when: datetime | None, /) -> str:
        """The TZNAME that holds at a wall time."""
        return self._find(when)[2]

    def fromutc(self, when: datetime, /) -> datetime:
        """The wall time of an instant."""
        naive = when.replace(tzinfo=None)
        count = bisect_right(self._instants, naive)
        offset = self._at(count)[0]
        wall = (naive + offset).replace(tzinfo=self)
        return wall if wall.utcoffset() == offset else wall.replace(fold=1)

    def __deepcopy__(self, memo: dict[int, object]) -> CustomZone:
        # Nothing of it changes, and `tzinfo` would copy it without its onsets.
        return self

    def __eq__(self, other: object) -> bool:
        return isinstance(other, CustomZone) and self.onsets == other.onsets

    def __hash__(self) -> int:
        return hash(self.onsets)

    def __repr__(self) -> str:
        return f"CustomZone({len(self.onsets)} onsets)"


@cache
def _names() -> dict[str, str]:
    """IANA and Windows names in small letters, each with the IANA name that it means."""
    windows = {name.lower(): key for name, key in WINDOWS_TO_OLSON.items()}
    return windows | {key.lower(): key for key in available_timezones()}


@lru_cache(maxsize=1024)
def iana_key(tzid: str) -> str | None:
    """The IANA name that a TZID means: any case, quoted, behind a vendor's prefix, or a Windows name.

    Returns:
        `None` where the TZID names no zone of the IANA database.
    """
    name = tzid.strip().strip('"').strip().strip("/").lower()
    known = _names()
    while name:
        if name in known:
            return known[name]
        # '/mozilla.org/20050126_1/Europe/Berlin' loses its prefix part by part.
        _, _, name = name.partition("/")
    return None


def is_iana(tzid: str) -> bool:
    """Whether a TZID is, as it stands, the name of a zone in the IANA database."""
    return iana_key(tzid) == tzid


@lru_cache(maxsize=1024)
def named_zone(tzid: str) -> tzinfo | None:
    """The time zone that a TZID means by its name alone; `UTC` itself for UTC and its synonyms."""
    key = iana_key(tzid)
    if key is not None:
        return UTC if key in _UTC_KEYS else ZoneInfo(key)
    match = _FIXED.fullmatch(tzid.strip())
    if match is None:
        return None
    sign, hours, minutes = match.groups()
    offset = timedelta(hours=int(hours), minutes=int(minutes or 0))
    return timezone(-offset if sign == "-" else offset) if offset < timedelta(days=1) else None


_UTC_KEYS = {"UTC", "Etc/UTC", "Etc/UCT", "UCT", "Zulu", "Etc/Zulu", "Universal", "Etc/Universal", "GMT", "Etc/GMT"}


def resolve_zone(tzid: str, calendar: icalendar.Calendar | None) -> tzinfo | None:
    """The time zone that a TZID means in a calendar (RFC 5545 section 3.2.19).

    The IANA database wins over an embedded VTIMEZONE of a name that it knows, since embedded rules are often stale.

    Args:
        tzid: The TZID as it stands.
        calendar: The stream whose VTIMEZONEs count, if there is one.

    Returns:
        `None` where the TZID is unknown: the caller then takes the account's zone.
    """
    zone = named_zone(tzid)
    if zone is not None or calendar is None:
        return zone
    for component in calendar.walk("VTIMEZONE"):
        if str(component.get("TZID", "")).strip() == tzid.strip():
            return custom_zone(component.to_ical().decode().replace("\r\n ", "").replace("\r\n", "\n"))
    return None


def custom_zone(definition: str) -> CustomZone | None:
    """The zone that the text of one VTIMEZONE defines, or `None` where it defines none that can be read.

    Args:
        definition: The VTIMEZONE, unfolded, with LF line ends.
    """
    return (_read_definition_once if len(definition) <= _LONGEST_DEFINITION else _read_definition)(definition)


def _read_definition(definition: str) -> CustomZone | None:
    onsets: set[Onset] = set()
    for kind, body in _OBSERVANCE.findall(definition)[:_MOST_RULES]:
        try:
            onsets.update(_onsets(kind.upper() == "DAYLIGHT", body))
        except _UNREADABLE:
            continue
    return CustomZone(tuple(sorted(onsets))) if onsets else None


_read_definition_once = lru_cache(maxsize=256)(_read_definition)


def _onsets(daylight: bool, body: str) -> Iterator[Onset]:  # noqa: FBT001 -- private, one caller
    """Yields each onset of one STANDARD or DAYLIGHT until the horizon."""
    lines: dict[str, list[str]] = {}
    for name, value in _PROPERTY.findall(body):
        lines.setdefault(name.upper(), []).append(value.strip())
    before, after = (_offset(lines[name][0]) for name in ("TZOFFSETFROM", "TZOFFSETTO"))
    start = _wall(lines["DTSTART"][0])
    name = lines.get("TZNAME", [""])[0]
    walls = {start, *(_wall(value) for line in lines.get("RDATE", []) for value in line.split(","))}
    for rule in lines.get("RRULE", []):
        walls.update(_rule_walls(rule, start, before))
    for wall in walls:
        yield Onset(wall, before, after, daylight, name)


def _rule_walls(rule: str, start: datetime, before: timedelta) -> Iterator[datetime]:
    """Yields the wall times of a rule; its UNTIL is in UTC (RFC 5545 section 3.6.5)."""
    until = _HORIZON
    match = _UNTIL.search(rule)
    if match:
        rule = _UNTIL.sub("", rule).strip(";")
        until = _wall(match[1]) + (before if match[1].upper().endswith("Z") else _ZERO)
    if not re.search(r"FREQ=YEARLY", rule, re.IGNORECASE):
        raise ValueError("a time zone changes its offset on some day of the year")
    expansion = rrulestr(rule, dtstart=start)
    late = copy.copy(expansion)
    late._dtstart = start.replace(year=_PROBE_YEAR)  # noqa: SLF001 -- dateutil has no other way to move a rule
    late._until = late._count = None  # noqa: SLF001
    if next(iter(late), None) is None:
        # 30 February: counting on for it would not end before the year 9999.
        return
    expansion._until = min(until, _HORIZON)  # noqa: SLF001 -- as icalendar does: the constructor refuses UNTIL beside COUNT
    yield from islice(expansion, _MOST_ONSETS)


def _wall(text: str) -> datetime:
    digits = text.strip().rstrip("Zz")
    return datetime.strptime(digits, "%Y%m%dT%H%M%S" if "T" in digits else "%Y%m%d")  # noqa: DTZ007 -- a wall time


def _offset(text: str) -> timedelta:
    match = _OFFSET.match(text)
    if match is None:
        raise ValueError(text)
    sign, hours, minutes, seconds = match.groups()
    offset = timedelta(hours=int(hours), minutes=int(minutes), seconds=int(seconds or 0))
    return -offset if sign == "-" else offset
