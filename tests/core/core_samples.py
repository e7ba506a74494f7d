"""Calendar streams for the tests of the core, written as briefly as a test wants to read them."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from bridge.core.ics import parse

if TYPE_CHECKING:
    from bridge.core.model import CalendarObject

BERLIN = ZoneInfo("Europe/Berlin")
NEW_YORK = ZoneInfo("America/New_York")
LIMIT = 10_000

HEAD = ("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Example//EN")

# The rules of Berlin under a name that says nothing.
CUSTOM_BERLIN = (
    "BEGIN:VTIMEZONE",
    "TZID:Customized Time Zone",
    "BEGIN:STANDARD",
    "DTSTART:16010101T030000",
    "TZOFFSETFROM:+0200",
    "TZOFFSETTO:+0100",
    "RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10",
    "END:STANDARD",
    "BEGIN:DAYLIGHT",
    "DTSTART:16010101T020000",
    "TZOFFSETFROM:+0100",
    "TZOFFSETTO:+0200",
    "RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3",
    "END:DAYLIGHT",
    "END:VTIMEZONE",
)


def lines(*content: str) -> bytes:
    """Content lines with CRLF."""
    return "".join(f"{line}\r\n" for line in content).encode()


def stream(*content: str) -> bytes:
    """A VCALENDAR around content lines."""
    return lines(*HEAD, *content, "END:VCALENDAR")


def component(*content: str, kind: str = "VEVENT", uid: str = "one@example.org") -> tuple[str, ...]:
    """The lines of one component with a UID and a DTSTAMP."""
    return (f"BEGIN:{kind}", f"UID:{uid}", "DTSTAMP:20260101T000000Z", *content, f"END:{kind}")


def event(*content: str) -> bytes:
    """A stream with one event."""
    return stream(*component(*content))


def read(raw: bytes, *, max_instances: int = LIMIT) -> CalendarObject:
    """The object in a stream, for an account in Berlin."""
    return parse(raw, zone=BERLIN, max_instances=max_instances)


def read_event(*content: str) -> CalendarObject:
    """The object of a stream with one event."""
    return read(event(*content))
