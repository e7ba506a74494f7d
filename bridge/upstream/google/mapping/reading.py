"""What Google keeps of a series, or of a single event, is read as one calendar object (`from_google`).

The same state reads as the same text, whenever and in whatever order Google tells it.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Final

from bridge.core.content import Line, made, zones_of
from bridge.core.vtimezone import vtimezone
from bridge.core.zones import is_iana
from bridge.upstream.google.mapping import entries, kept, marks
from bridge.upstream.google.mapping.instance import generated, name_of
from bridge.upstream.google.mapping.row import Seen
from bridge.upstream.google.mapping.rows import floats, lines
from bridge.upstream.google.mapping.times import floating, in_zone_of, key_of, line, original_start, read
from bridge.upstream.google.mapping.whole import NotReadable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bridge.upstream.google.mapping.kept import Kept
    from bridge.upstream.google.mapping.whole import Event

_HEAD: Final = b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Calbridge//Google Calendar//EN\r\n"
_TAIL: Final = b"END:VCALENDAR\r\n"
_STAMPS: Final = frozenset({"DTSTAMP", "CREATED", "LAST-MODIFIED", "SEQUENCE", "UID"})
_WHEN: Final = frozenset({"DTSTART", "DTEND"})
_CANCELLED: Final = "cancelled"
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_DATED: Final = frozenset({"DTSTART", "DTEND", "RECURRENCE-ID", "RDATE"})
_EPOCH: Final = 1970


def from_google(master: Event | None, exceptions: Sequence[Event], *, zone: str) -> bytes:
    """The iCalendar text of one object.

    Args:
        master: The event, or the master of a series; None where this calendar holds only instances of it.
        exceptions: The instances that are not as the master says, cancelled ones included, in any order.
        zone: The zone of the calendar; an IANA name.

    Raises:
        NotReadable: There is no appointment in it.
    """
    master = None if master is None else _printable(master)
    exceptions = [_printable(one) for one in exceptions]
    if master is None:
        parts = [_override(one, None, zone) for one in _sorted(exceptions, None, zone) if not _is_gone(one)]
    elif _is_gone(master):
        raise NotReadable("The event is deleted.")
    elif _is_masterless(master):
        parts = _without_master(master, exceptions, zone)
    else:
        return _series(master, exceptions, zone)
    if not parts:
        raise NotReadable("All instances of the series in this calendar are cancelled.")
    return _written(parts, b"")


def _printable(found: Any) -> Any:
    """The same JSON without characters that no text in iCalendar may have (RFC 5545 section 3.1); LF ends a line."""
    if isinstance(found, str):
        return _CONTROL.sub("", found.replace("\r\n", "\n").replace("\r", "\n"))
    if isinstance(found, list):
        return [_printable(one) for one in found]
    return {key: _printable(one) for key, one in found.items()} if isinstance(found, dict) else found


def _series(master: Event, exceptions: Sequence[Event], zone: str) -> bytes:
    seen = Seen(master, zone)
    as_kept = kept.recalled(master, zone) if master.get("recurrence") else None
    parts = [_master_lines(seen, as_kept, exceptions)]
    if master.get("recurrence"):
        start = read(master.get("start"), zone, keeps_zone=True)
        ends, added = (as_kept.ends, as_kept.added) if as_kept else ({}, frozenset())
        changed = {name_of(one, start, zone): one for one in exceptions}
        for key in sorted(changed.keys() | added):
            if _is_gone(changed.get(key, {})):
                continue
            like = _override(generated(master, key, zone=zone, end=ends.get(key)), start, zone)
            part = _override(changed[key], start, zone) if key in changed else like
            parts += [part] if key in added or _said(part) != _said(like) else []
    return _written(parts, as_kept.zones if as_kept else b"")


def _said(part: Iterable[Line]) -> list[bytes]:
    return sorted(one.raw for one in part if one.name not in _STAMPS)


def _sorted(exceptions: Sequence[Event], start: date | datetime | None, zone: str) -> list[Event]:
    return [one for _, one in sorted({name_of(one, start, zone): one for one in exceptions}.items())]


def _is_gone(event: Event) -> bool:
    return event.get("status") == _CANCELLED


def _is_masterless(master: Event) -> bool:
    """Whether a series only stands for overrides, and still says nothing else."""
    if not marks.private(master).get(marks.MASTERLESS) or not master.get("recurrence"):
        return False
    start = read(master.get("start"), "UTC")
    said = entries.read(master["recurrence"], start)
    # A start that is none of the dates is one to which somebody moved the series: it has an appointment there now.
    return start in said.dates and not (said.rules or said.periods)


def _master_lines(seen: Seen, as_kept: Kept | None, exceptions: Sequence[Event]) -> list[Line]:
    found = lines(seen)
    if not seen.event.get("recurrence"):
        return found
    start = read(seen.event.get("start"), seen.zone, keeps_zone=True)
    said = entries.read(seen.event["recurrence"], start)
    home = start.tzinfo if isinstance(start, datetime) else None
    floating_home = home if floats(seen.event) else None
    added = as_kept.added if as_kept else frozenset()
    gone = [*said.excluded, *_cancelled(exceptions, start, seen.zone, besides=added)]
    excluded = [line("EXDATE", floating(one) if floating_home else one) for one in entries.ordered(gone)]
    if as_kept is not None:
        when = [*as_kept.lines, *excluded]
    else:
        rules = [entries.floating_rule(rule, floating_home) if floating_home else rule for rule in said.rules]
        when = [
            *(one for one in found if one.name in _WHEN),
            *(made("RRULE", rule) for rule in rules),
            *(made("EXRULE", rule) for rule in said.excluding),
            *(line("RDATE", floating(one) if floating_home else one) for one in said.dates if one != start),
            *(_period(one) for one in said.periods),
            *excluded,
        ]
    at = next(at for at, one in enumerate(found) if one.name in _WHEN)
    rest = [one for one in found if one.name not in _WHEN]
    return [*rest[:at], *when, *rest[at:]]


def _period(written: str) -> Line:
    params, _, value = written.partition(":")
    return made("RDATE", value, params if "VALUE=PERIOD" in params.upper() else f"{params};VALUE=PERIOD")


def _cancelled(
    exceptions: Iterable[Event], start: date | datetime, zone: str, *, besides: frozenset[str]
) -> list[date | datetime]:
    names = (name_of(one, start, zone) for one in exceptions if _is_gone(one))
    found = (original_start(name) for name in names if name not in besides)
    return [in_zone_of(one, start) for one in found if isinstance(one, datetime) == isinstance(start, datetime)]


def _override(event: Event, start: date | datetime | None, zone: str) -> list[Line]:
    """The lines of one instance.

    Args:
        event: The instance.
        start: When the series begins; None where that is not known.
        zone: The zone of the calendar.
    """
    seen = Seen(event, zone)
    named = original_start(name_of(event, start, zone))
    if start is None and isinstance(named, datetime):
        start = read(event.get("originalStartTime") or event.get("start"), zone)
    named = in_zone_of(named, start) if start is not None else named
    name = line("RECURRENCE-ID", floating(named) if floats(event) else named)
    found = lines(seen)
    return [*found[:1], name, *found[1:]]


def _without_master(master: Event, exceptions: Sequence[Event], zone: str) -> list[list[Line]]:
    """The overrides for which a series stands, cancelled ones among them."""
    start = read(master.get("start"), zone, keeps_zone=True)
    said = entries.read(master["recurrence"], start)
    changed = {name_of(one, start, zone): one for one in exceptions}
    gone = {key_of(one, zone) for one in said.excluded} | {key for key, one in changed.items() if _is_gone(one)}
    parts = []
    for key in sorted({key_of(one, zone) for one in said.dates} | changed.keys()):
        if key in changed and key not in gone:
            parts.append(_override(changed[key], start, zone))
            continue
        part = _override(generated(master, key, zone=zone), start, zone)
        if key in gone:
            part = [*(one for one in part if one.name not in {"STATUS", "TRANSP"}), made("STATUS", "CANCELLED")]
        parts.append(part)
    return parts


def _written(parts: Sequence[Sequence[Line]], zones: bytes) -> bytes:
    every = [one for part in parts for one in part]
    defined = [_definition(tzid, every) for tzid in sorted(zones_of(every)) if is_iana(tzid)]
    events = [b"BEGIN:VEVENT\r\n" + b"".join(one.raw for one in part) + b"END:VEVENT\r\n" for part in parts]
    return b"".join([_HEAD, *defined, zones, *events, _TAIL])


def _definition(tzid: str, every: Iterable[Line]) -> bytes:
    """The VTIMEZONE of a zone, from the first year on in which one of the lines is."""
    years = [int(one.value[:4]) for one in every if one.name in _DATED and one.value[:4].isdecimal()]
    first = datetime(max(min(years, default=_EPOCH), 1), 1, 1, tzinfo=UTC)
    return vtimezone(tzid, tzid=tzid, first=first, last=first)
