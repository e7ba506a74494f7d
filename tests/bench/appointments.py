"""Appointments of a busy resource: 40 a week, back in time from three weeks ahead, the same on the same day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from bridge.core.fold import folded

if TYPE_CHECKING:
    from collections.abc import Iterator

ZONE = ZoneInfo("Europe/Amsterdam")
A_WEEK = 40
WEEKS_AHEAD = 3
_SLOTS_A_DAY = 8
_SERIES_PERCENT = 5
_HOUR = timedelta(hours=1)
_WEEK = timedelta(weeks=1)

HEAD = (
    "BEGIN:VCALENDAR",
    "VERSION:2.0",
    "PRODID:-//Mozilla.org/NONSGML Mozilla Calendar V1.1//EN",
    "BEGIN:VTIMEZONE",
    "TZID:Europe/Amsterdam",
    "BEGIN:DAYLIGHT",
    "TZNAME:CEST",
    "TZOFFSETFROM:+0100",
    "TZOFFSETTO:+0200",
    "DTSTART:19700329T020000",
    "RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU",
    "END:DAYLIGHT",
    "BEGIN:STANDARD",
    "TZNAME:CET",
    "TZOFFSETFROM:+0200",
    "TZOFFSETTO:+0100",
    "DTSTART:19701025T030000",
    "RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU",
    "END:STANDARD",
    "END:VTIMEZONE",
)
TAIL = ("END:VCALENDAR",)

_TREATMENTS = (
    "Haircut", "Colour and cut", "Intake", "Massage 60 min", "Check-up", "Laser session", "Piano lesson",
    "Blow-dry", "Consultation", "Follow-up", "Beard trim", "Fitting", "Team meeting", "Delivery", "Training",
)  # fmt: skip
_PEOPLE = (
    "Sophie Bakker", "Daan Visser", "Emma Smit", "Lucas Meijer", "Julia Mulder", "Noah de Boer", "Mila Bos",
    "Sem Peters", "Tess Hendriks", "Finn Dekker", "Zoë van Dijk", "Liam Brouwer", "Noor Schouten", "Bram Koster",
)  # fmt: skip
_NOTES = (
    "Prefers the window seat\\, please call if late.",
    "First visit. Allergic to latex\\; ask before the treatment.",
    "Paid in advance (invoice 2026-0417)\\nBring the second set of keys.",
    "Second of five sessions\\, see the plan in the file.",
)


@dataclass(frozen=True, slots=True)
class Appointment:
    """One calendar object, with what a store keeps beside its text.

    Attributes:
        uid: Its UID; `UID.ics` is its name in a collection.
        summary: Its title.
        lines: The content lines of its components, without the calendar around them.
        first: The first instant that it touches.
        last: The last instant that it touches.
        recurring: Whether it is a series.
    """

    uid: str
    summary: str
    lines: tuple[str, ...]
    first: datetime
    last: datetime
    recurring: bool

    @property
    def href(self) -> str:
        """Its name in a collection."""
        return f"{self.uid}.ics"

    @property
    def raw(self) -> bytes:
        """The text as a client sends it."""
        return whole([self])


def whole(appointments: list[Appointment]) -> bytes:
    """All appointments in one calendar, with the time zone once."""
    lines = [*HEAD, *(line for each in appointments for line in each.lines), *TAIL, ""]
    return "\r\n".join(lines).encode()


def monday(day: date) -> date:
    """The Monday of the week that `day` is in."""
    return day - timedelta(days=day.weekday())


def appointments(count: int, today: date) -> Iterator[Appointment]:
    """Makes `count` appointments, the latest first.

    Args:
        count: How many.
        today: What the weeks are counted from.
    """
    latest = monday(today) + WEEKS_AHEAD * _WEEK
    for number in range(count):
        week, place = divmod(number, A_WEEK)
        day, slot = divmod(place, _SLOTS_A_DAY)
        yield _appointment(number, latest - week * _WEEK + timedelta(days=day), slot)


def edited(appointment: Appointment, times: int) -> Appointment:
    """The same appointment after a person has changed its title for the `times`-th time."""
    summary = f"{appointment.summary} (moved {times})"
    lines = tuple(
        f"SUMMARY:{summary}" if line.startswith("SUMMARY:") else line.replace("SEQUENCE:0", f"SEQUENCE:{times}")
        for line in appointment.lines
    )
    return Appointment(
        appointment.uid, summary, lines, appointment.first, appointment.last, recurring=appointment.recurring
    )


def one_more(number: int, today: date) -> Appointment:
    """A new single appointment in the present week, which none of `appointments` equals."""
    return _appointment(-1 - number, monday(today) + timedelta(days=number % 5), number % _SLOTS_A_DAY, single=True)


def _appointment(number: int, day: date, slot: int, *, single: bool = False) -> Appointment:
    dice = Random(number)
    start = datetime.combine(day, time(9 + slot, dice.choice((0, 0, 15, 30))), ZONE)
    end = start + dice.choice((_HOUR / 2, _HOUR * 3 / 4, _HOUR, _HOUR * 3 / 2))
    uid = f"{dice.getrandbits(64):016x}-{number & 0xFFFFFFFF:08x}"
    who = dice.choice(_PEOPLE)
    summary = f"{dice.choice(_TREATMENTS)}: {who}"
    stamp = (start.astimezone(UTC) - timedelta(days=dice.randrange(2, 40))).strftime("%Y%m%dT%H%M%SZ")
    common = [
        f"CREATED:{stamp}",
        f"LAST-MODIFIED:{stamp}",
        f"DTSTAMP:{stamp}",
        f"UID:{uid}",
        f"SUMMARY:{summary}",
    ]
    rest = ["SEQUENCE:0", "STATUS:CONFIRMED", "TRANSP:OPAQUE"]
    if dice.random() < 0.4:
        rest.append(folded(f"DESCRIPTION:{dice.choice(_NOTES)}").decode().removesuffix("\r\n"))
    if dice.random() < 0.3:
        rest.append(f"LOCATION:Room {dice.randrange(1, 9)}\\, Keizersgracht {dice.randrange(10, 800)}")
    if dice.random() < 0.3:
        rest += [
            "BEGIN:VALARM", "ACTION:DISPLAY", f"DESCRIPTION:{who}",
            f"TRIGGER:-PT{dice.choice((10, 15, 30, 60))}M", "END:VALARM",
        ]  # fmt: skip
    times = [_local("DTSTART", start), _local("DTEND", end)]
    if single or dice.randrange(100) >= _SERIES_PERCENT:
        lines = ("BEGIN:VEVENT", *common, *times, *rest, "END:VEVENT")
        return Appointment(uid, summary, lines, start.astimezone(UTC), end.astimezone(UTC), recurring=False)
    count = dice.randrange(4, 13)
    last = end + (count - 1) * _WEEK
    rule = (
        f"RRULE:FREQ=WEEKLY;COUNT={count}"
        if dice.random() < 0.5
        else f"RRULE:FREQ=WEEKLY;UNTIL={(start + (count - 1) * _WEEK).astimezone(UTC):%Y%m%dT%H%M%SZ}"
    )
    lines = ("BEGIN:VEVENT", *common, *times, rule, *rest, "END:VEVENT")
    if dice.random() < 0.3:
        moved = start + 2 * _WEEK
        lines += (
            "BEGIN:VEVENT",
            *common,
            _local("RECURRENCE-ID", moved),
            _local("DTSTART", moved + _HOUR),
            _local("DTEND", moved + _HOUR + (end - start)),
            *rest[:3],
            "END:VEVENT",
        )
    return Appointment(uid, summary, lines, start.astimezone(UTC), last.astimezone(UTC), recurring=True)


def _local(name: str, moment: datetime) -> str:
    return f"{name};TZID=Europe/Amsterdam:{moment:%Y%m%dT%H%M%S}"
