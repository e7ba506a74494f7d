"""Views, appointments with guests and secrets, and how the tests of the projection look at them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from bridge.core.content import MASTER, text
from bridge.core.content import read as content_of
from bridge.core.projection import project, reattach
from bridge.core.sides import Side
from bridge.core.view import Detail, View
from tests.core.core_samples import read

if TYPE_CHECKING:
    from bridge.core.model import CalendarObject

OUT = View(towards=Side.THERE)
OUT_TITLES = View(towards=Side.THERE, detail=Detail.TITLES)
OUT_BUSY = View(towards=Side.THERE, detail=Detail.BUSY)
OUT_GUESTS = View(towards=Side.THERE, attendees=True)
IN = View(towards=Side.HERE)
IN_TITLES = View(towards=Side.HERE, detail=Detail.TITLES)
IN_BUSY = View(towards=Side.HERE, detail=Detail.BUSY)
NINE = ("DTSTART:20260714T090000Z", "DTEND:20260714T100000Z")
TEN = ("DTSTART:20260714T100000Z", "DTEND:20260714T110000Z")
ALARM = ("BEGIN:VALARM", "ACTION:DISPLAY", "TRIGGER:-PT15M", "DESCRIPTION:Alarm secret", "END:VALARM")
MAIL = (
    *("BEGIN:VALARM", "ACTION:EMAIL", "TRIGGER:-PT1H", "SUMMARY:x", "DESCRIPTION:x"),
    *("ATTENDEE:mailto:anna@example.org", "END:VALARM"),
)
SECRETS = (
    "DESCRIPTION:Secret",
    "LOCATION:Secret",
    "CATEGORIES:Secret",
    "ATTENDEE;CN=Secret:mailto:secret@example.org",
    "URL:https://secret.example.org/",
    "ATTACH:https://secret.example.org/",
    "COMMENT:Secret",
    "CONTACT:Secret",
    "X-NOTE:Secret",
    "GEO:52.1;5.1",
    *ALARM,
)
GUESTS = (
    "ORGANIZER;CN=Salon:mailto:salon@example.org",
    "ATTENDEE;CN=Anna:mailto:anna@example.org",
    "ATTENDEE;CN=Berta;PARTSTAT=ACCEPTED:mailto:berta@example.org",
)
LISTED = r"Guests:\n- Anna <anna@example.org>\n- Berta <berta@example.org>"

shown = partial(project, parse=read)
attached = partial(reattach, parse=read)


def inner(obj: CalendarObject) -> list[str]:
    """The lines of the first component but those that name it."""
    flat = obj.raw.replace(b"\r\n ", b"").decode().split("\r\n")
    start = flat.index("BEGIN:VEVENT")
    return [line for line in flat[start + 1 : flat.index("END:VEVENT")] if not line.startswith(("UID", "DTSTAMP"))]


def value(obj: CalendarObject, name: str, key: str = MASTER) -> str | None:
    return text(content_of(obj).parts[key], name)


def without(*starts: str) -> tuple[str, ...]:
    return tuple(line for line in GUESTS if not line.startswith(starts))
