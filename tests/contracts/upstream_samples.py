"""Appointments that an upstream has to hold, as the bytes that a calendar program would send."""

from __future__ import annotations

from datetime import date, timedelta
from functools import partial
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from bridge.core import ics

if TYPE_CHECKING:
    from bridge.core.model import CalendarObject

AMSTERDAM = ZoneInfo("Europe/Amsterdam")

parse = partial(ics.parse, zone=AMSTERDAM, max_instances=1000)
"""Reads bytes as the engine does: with the account's zone and a limit on instances."""

_ZONE = """\
BEGIN:VTIMEZONE
TZID:Salon Time
BEGIN:STANDARD
DTSTART:19701025T030000
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:19700329T020000
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU
END:DAYLIGHT
END:VTIMEZONE
"""

_SINGLE = "DTSTART:20270105T090000Z\nDTEND:20270105T100000Z"
_DAILY = """\
BEGIN:VEVENT
UID:{uid}
DTSTAMP:20260101T000000Z
DTSTART;TZID=Salon Time:20270301T090000
DTEND;TZID=Salon Time:20270301T093000
RRULE:FREQ=DAILY;COUNT=60
EXDATE;TZID=Salon Time:20270303T090000
SUMMARY:Opening
END:VEVENT
BEGIN:VEVENT
UID:{uid}
DTSTAMP:20260101T000000Z
RECURRENCE-ID;TZID=Salon Time:20270302T090000
DTSTART;TZID=Salon Time:20270302T110000
DTEND;TZID=Salon Time:20270302T113000
SUMMARY:Opening\\, late
END:VEVENT
BEGIN:VEVENT
UID:{uid}
DTSTAMP:20260101T000000Z
RECURRENCE-ID;TZID=Salon Time:20270305T090000
DTSTART;TZID=Salon Time:20270305T090000
DTEND;TZID=Salon Time:20270305T093000
SUMMARY:Opening
STATUS:CANCELLED
END:VEVENT
"""
_OF_A_SERIES = """\
BEGIN:VEVENT
UID:{{uid}}
DTSTAMP:20260101T000000Z
RECURRENCE-ID:{day:%Y%m%d}T090000Z
DTSTART:{day:%Y%m%d}T093000Z
DTEND:{day:%Y%m%d}T110000Z
SUMMARY:Shift {number}
END:VEVENT
"""
_LONG = "Bring the brushes\\, the foils and the new catalogue with you. " * 40


def _event(summary: str = "Haircut", when: str = _SINGLE, *more: str) -> str:
    lines = ["BEGIN:VEVENT", "UID:{uid}", "DTSTAMP:20260101T000000Z", when, f"SUMMARY:{summary}", *more, "END:VEVENT"]
    return "\n".join(lines) + "\n"


def _with_forty_overrides() -> str:
    days = [date(2027, 1, 4) + timedelta(weeks=week) for week in range(40)]
    master = _event("Shift", "DTSTART:20270104T090000Z\nDTEND:20270104T100000Z", "RRULE:FREQ=WEEKLY;COUNT=50")
    return master + "".join(_OF_A_SERIES.format(day=day, number=number) for number, day in enumerate(days))


APPOINTMENTS = {
    "plain": _event(),
    "umlauts and emoji": _event("Föhnen & Färben 💇🏽‍♀️ für Zoë", _SINGLE, "LOCATION:Œuvre\\, 北京\\, Straße 5"),
    "long lines": _event("Haircut", _SINGLE, f"DESCRIPTION:{_LONG}äöü{_LONG}The end"),
    "quotes and breaks": _event('Say "yes"\\, then\\; go', _SINGLE, 'DESCRIPTION:One\\nTwo \\\\ "three"'),
    "all day": _event("Holiday", "DTSTART;VALUE=DATE:20270105\nDTEND;VALUE=DATE:20270108"),
    "floating": _event("Opening", "DTSTART:20270105T090000\nDTEND:20270105T100000"),
    "zoned by name": _event(
        "Haircut", "DTSTART;TZID=Europe/Amsterdam:20270105T090000\nDTEND;TZID=Europe/Amsterdam:20270105T100000"
    ),
    "zone of its own": _ZONE
    + _event("Haircut", "DTSTART;TZID=Salon Time:20270705T090000\nDTEND;TZID=Salon Time:20270705T100000"),
    "with an alarm": _event(
        "Haircut", _SINGLE, "BEGIN:VALARM\nACTION:DISPLAY\nDESCRIPTION:Soon\nTRIGGER:-PT15M\nEND:VALARM"
    ),
    "with own properties": _event("Haircut", _SINGLE, "X-SALON-CHAIR;X-SIDE=left:3", "CATEGORIES:Cut,Colour"),
    "series with a moved and a cancelled instance": _ZONE + _DAILY,
    "series of forty overrides": _with_forty_overrides(),
    "series with other dates": _event("Fair", _SINGLE, "RDATE:20270207T090000Z,20270309T090000Z"),
}
"""Events that people make, by what they are."""

SERIES = tuple(name for name in APPOINTMENTS if name.startswith("series"))
"""Those with a recurrence set."""

COMPONENTS = {
    "VEVENT": _event(),
    "VTODO": "BEGIN:VTODO\nUID:{uid}\nDTSTAMP:20260101T000000Z\nSUMMARY:Call back\nDUE:20270105T090000Z\nEND:VTODO\n",
    "VJOURNAL": "BEGIN:VJOURNAL\nUID:{uid}\nDTSTAMP:20260101T000000Z\nDTSTART:20270105T090000Z\n"
    "SUMMARY:Quiet day\nEND:VJOURNAL\n",
}
"""One of each component type."""

TOO_DENSE = _event("Every second", _SINGLE, "RRULE:FREQ=SECONDLY")
"""What no program can use, though some servers take it."""


def text(uid: str, body: str = APPOINTMENTS["plain"]) -> bytes:
    """The bytes of an object whose components are `body`, with this UID."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Calbridge//Test//EN"]
    lines += body.replace("{uid}", uid).splitlines()
    lines += ["END:VCALENDAR", ""]
    return b"\r\n".join(_folded(line) for line in lines)


def appointment(uid: str, summary: str = "Haircut") -> bytes:
    """The bytes of one plain appointment."""
    return text(uid, _event(summary))


def new(uid: str, body: str = APPOINTMENTS["plain"]) -> CalendarObject:
    """The same as `text`, read."""
    return parse(text(uid, body))


def plain(uid: str, summary: str = "Haircut") -> CalendarObject:
    """The same as `appointment`, read."""
    return parse(appointment(uid, summary))


def _folded(line: str) -> bytes:
    pieces, piece = [], b""
    for letter in line:
        encoded = letter.encode()
        if len(piece) + len(encoded) > 74:
            pieces.append(piece)
            piece = b""
        piece += encoded
    return b"\r\n ".join([*pieces, piece])
