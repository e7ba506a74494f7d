"""A few weeks of made-up appointments, so that the demo has something to show."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

from bridge import bootstrap
from bridge.core.vtimezone import vtimezone
from bridge.store import calendar_object, collection
from bridge.store.collection import Address, Kind
from bridge.store.journal import Author

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from bridge.bootstrap import Site

_ACCOUNT = "salon"
_AUTHOR = Author("cli", "calbridge demo")
_CUTS = (
    # Days from Monday, start, minutes, title; by employee.
    ("anna", 0, time(9), 45, "Cut: Mrs Bakker"),
    ("anna", 1, time(10, 30), 60, "Colour: Eva Smit"),
    ("anna", 3, time(14), 30, "Cut: Tom Visser"),
    ("anna", 8, time(11), 45, "Cut: Mr Peters"),
    ("anna", 9, time(13, 15), 90, "Perm: Lies Mulder"),
    ("bob", 0, time(10), 30, "Beard: Jan de Boer"),
    ("bob", 2, time(15, 30), 45, "Cut: Sam Meijer"),
    ("bob", 10, time(9, 30), 45, "Cut: Noor Dekker"),
    ("laser", 4, time(13), 45, "Laser: Iris Bos"),
    ("laser", 11, time(13), 45, "Laser: Iris Bos"),
)


def fill(site: Site) -> None:
    """Puts the appointments into the demo's calendars, unless something was ever put there."""
    keys = site.configuration.account(_ACCOUNT).resources
    addresses = {key: Address(Kind.RESOURCE, _ACCOUNT, key) for key in keys}
    zone = site.zone(addresses["anna"])
    with site.database.writing() as tx:
        collections = {key: collection.get(tx, address) for key, address in addresses.items()}
        if any(each.revision for each in collections.values()):
            return
        everywhere = frozenset(each.id for each in collections.values())
        for key, uid, raw in _appointments(bootstrap.now().astimezone(zone).date(), zone):
            if key in collections:
                new = site.parse(raw, addresses[key])
                calendar_object.put(tx, collections[key].id, f"{uid}.ics", new, author=_AUTHOR, joinable=everywhere)


def _appointments(today: date, zone: ZoneInfo) -> list[tuple[str, str, bytes]]:
    """Resource, UID and text of each appointment, around `today`."""
    monday = today - timedelta(days=today.weekday())
    texts = _Texts(zone, monday)
    found = [
        (
            key,
            f"demo-{number}",
            texts.once(f"demo-{number}", title, day=day, start=start, length=timedelta(minutes=minutes)),
        )
        for number, (key, day, start, minutes, title) in enumerate(_CUTS, start=1)
    ]
    found.append(("anna", "demo-team", texts.team("demo-team")))
    found.append(("anna", "demo-free", texts.all_day("demo-free", "Day off", 18)))
    training = texts.once(
        "demo-training", "Training: new products", day=7, start=time(16), length=timedelta(hours=2), place="Room 1"
    )
    found += [("anna", "demo-training", training), ("room-1", "demo-training", training)]
    found.append(
        (
            "room-1",
            "demo-check",
            texts.once("demo-check", "Fire extinguisher check", day=2, start=time(8), length=timedelta(minutes=30)),
        )
    )
    return found


class _Texts:
    """Writes iCalendar texts for days counted from one Monday."""

    def __init__(self, zone: ZoneInfo, monday: date) -> None:
        self._zone = zone
        self._monday = monday
        first = datetime.combine(monday - timedelta(weeks=2), time(), UTC)
        self._definition = vtimezone(zone.key, tzid=zone.key, first=first, last=first + timedelta(weeks=60)).decode()
        self._stamp = f"{monday:%Y%m%d}T000000Z"

    def once(self, uid: str, title: str, *, day: int, start: time, length: timedelta, place: str = "") -> bytes:
        """One appointment."""
        begin = datetime.combine(self._monday + timedelta(days=day), start)
        where = [f"LOCATION:{place}"] if place else []
        return self._stream([f"UID:{uid}", *self._span(begin, length), f"SUMMARY:{title}", *where])

    def all_day(self, uid: str, title: str, day: int) -> bytes:
        """One whole day."""
        begin = self._monday + timedelta(days=day)
        span = [f"DTSTART;VALUE=DATE:{begin:%Y%m%d}", f"DTEND;VALUE=DATE:{begin + timedelta(days=1):%Y%m%d}"]
        return self._stream([f"UID:{uid}", *span, f"SUMMARY:{title}", "TRANSP:TRANSPARENT"], zoned=False)

    def team(self, uid: str) -> bytes:
        """A weekly series, one instance of it moved to the afternoon."""
        first = datetime.combine(self._monday - timedelta(weeks=1), time(8, 30))
        second = first + timedelta(weeks=2)
        length = timedelta(minutes=30)
        master = [f"UID:{uid}", *self._span(first, length), "RRULE:FREQ=WEEKLY;COUNT=12", "SUMMARY:Team meeting"]
        moved = [
            f"UID:{uid}",
            f"RECURRENCE-ID;TZID={self._zone.key}:{second:%Y%m%dT%H%M%S}",
            *self._span(second.replace(hour=16, minute=0), length),
            "SUMMARY:Team meeting (in the afternoon)",
        ]
        return self._stream(master, moved)

    def _span(self, begin: datetime, length: timedelta) -> list[str]:
        end = begin + length
        return [
            f"DTSTART;TZID={self._zone.key}:{begin:%Y%m%dT%H%M%S}",
            f"DTEND;TZID={self._zone.key}:{end:%Y%m%dT%H%M%S}",
        ]

    def _stream(self, *events: list[str], zoned: bool = True) -> bytes:
        lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Calbridge//Demo//EN"]
        head = "\r\n".join(lines) + "\r\n" + (self._definition if zoned else "")
        body = "".join(
            "\r\n".join(["BEGIN:VEVENT", event[0], f"DTSTAMP:{self._stamp}", *event[1:], "END:VEVENT", ""])
            for event in events
        )
        return f"{head}{body}END:VCALENDAR\r\n".encode()
