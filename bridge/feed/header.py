"""What stands at the top of a feed: its name, its zone, and when to come back (RFC 5545 section 3.7, RFC 7986)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from bridge.core.fold import folded
from bridge.feed.lines import text_line

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from bridge.feed.entry import FeedSettings

PRODID = "-//Calbridge//Calbridge//EN"


def header(settings: FeedSettings, zone: ZoneInfo) -> bytes:
    """Writes the lines of a feed up to its first component."""
    interval = _duration(settings.refresh)
    lines = [
        b"BEGIN:VCALENDAR\r\n",
        b"VERSION:2.0\r\n",
        text_line("PRODID", PRODID),
        b"CALSCALE:GREGORIAN\r\n",
        b"METHOD:PUBLISH\r\n",
        text_line("NAME", settings.name),
        text_line("X-WR-CALNAME", settings.name),
    ]
    if settings.description:
        lines.append(text_line("DESCRIPTION", settings.description))
        lines.append(text_line("X-WR-CALDESC", settings.description))
    lines.append(text_line("X-WR-TIMEZONE", zone.key))
    if settings.color.startswith("#"):
        lines.append(text_line("X-APPLE-CALENDAR-COLOR", settings.color))
    elif settings.color:
        lines.append(text_line("COLOR", settings.color))
    lines.append(folded(f"REFRESH-INTERVAL;VALUE=DURATION:{interval}"))
    lines.append(folded(f"X-PUBLISHED-TTL:{interval}"))
    return b"".join(lines)


def _duration(length: timedelta) -> str:
    """Writes a duration in the largest unit that holds it exactly, at most hours: old readers know no days here."""
    minutes = length // timedelta(minutes=1)
    return f"PT{minutes // 60}H" if minutes % 60 == 0 else f"PT{minutes}M"
