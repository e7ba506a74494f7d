"""Makes entries and feeds for the tests of this folder, and reads feeds with other people's parsers."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import icalendar
import vobject
from icalendar.timezone import tzp

from bridge.core import ics
from bridge.feed.entry import FeedEntry, FeedSettings, Rendered
from bridge.feed.render import render

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
TODAY = date(2026, 11, 21)
CHANGED = datetime(2026, 11, 20, 12, 30, tzinfo=UTC)
WIDE = {"past": timedelta(days=400_000), "future": timedelta(days=400_000)}


def component(*lines: str, kind: str = "VEVENT", uid: str = "one@example.org", stamp: str = "20260101T000000Z") -> str:
    """One component with UID, DTSTAMP and a DTSTART where the lines bring none."""
    head = [f"UID:{uid}", f"DTSTAMP:{stamp}"]
    if kind == "VEVENT" and not any(line.startswith("DTSTART") for line in lines):
        head += ["DTSTART;TZID=Europe/Amsterdam:20261201T100000", "DTEND;TZID=Europe/Amsterdam:20261201T110000"]
    return "\r\n".join([f"BEGIN:{kind}", *head, *lines, f"END:{kind}", ""])


def stream(*components: str) -> bytes:
    """The bytes that a client would PUT."""
    return "".join(
        [
            "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Other//Program//EN\r\nMETHOD:REQUEST\r\n",
            *components,
            "END:VCALENDAR\r\n",
        ]
    ).encode()


def entry(raw: bytes, *, changed_at: datetime = CHANGED, zone: ZoneInfo = AMSTERDAM) -> FeedEntry:
    """What the store would hand over for these bytes."""
    parsed = ics.parse(raw, zone=zone, max_instances=10_000)
    return FeedEntry(
        raw=raw,
        uid=parsed.uid,
        component=parsed.component,
        tzids=parsed.tzids,
        feed_ready=parsed.feed_ready,
        changed_at=changed_at,
        first=parsed.span.first,
        last=parsed.span.last,
    )


def rebuilt(one: FeedEntry) -> FeedEntry:
    """The same entry on the way that odd objects take."""
    return replace(one, feed_ready=False)


def feed(*entries: FeedEntry, zone: ZoneInfo = AMSTERDAM, today: date = TODAY, **settings: Any) -> Rendered:
    """A feed of these entries, as wide as time unless told otherwise."""
    return render(entries, FeedSettings(**{"name": "Anna", **WIDE, **settings}), zone=zone, today=today)


def shown(*entries: FeedEntry, **settings: Any) -> list[Any]:
    """The components of a feed of these entries, after every check that any feed must pass."""
    result = feed(*entries, **settings)
    assert result.left_out == ()
    return components(result.body)


def components(body: bytes) -> list[Any]:
    """The components of a feed other than its zones."""
    return [inner for inner in checked(body).subcomponents if inner.name != "VTIMEZONE"]


def checked(body: bytes) -> icalendar.Calendar:
    """A feed that icalendar and vobject read, well folded, with UID and DTSTAMP and every zone that it names."""
    text = body.decode()
    assert body.endswith(b"END:VCALENDAR\r\n")
    assert "\n" not in text.replace("\r\n", "")
    assert "\r" not in text.replace("\r\n", "")
    assert [line for line in body.split(b"\r\n") if len(line) > 75] == []
    assert b"\r\n\r\n" not in body
    named = named_zones(body)
    assert named <= set(defined_zones(body)), named
    assert len(defined_zones(body)) == len(set(defined_zones(body)))
    calendar = read(body)
    for inner in calendar.subcomponents:
        if inner.name != "VTIMEZONE":
            assert inner.get("UID"), inner
            assert inner.get("DTSTAMP"), inner
    assert len(list(vobject.readComponents(text))) == 1
    return calendar


def read(body: bytes) -> icalendar.Calendar:
    """The feed as icalendar reads it, which would else remember own zones of other streams by their names."""
    tzp.use_zoneinfo()
    calendar = icalendar.Calendar.from_ical(body)
    assert isinstance(calendar, icalendar.Calendar)
    return calendar


def unfolded(body: bytes) -> str:
    """The feed as long lines."""
    return re.sub(r"\r\n[ \t]", "", body.decode())


def named_zones(body: bytes) -> set[str]:
    """Every TZID that a property of the feed names."""
    return {
        quoted or plain
        for quoted, plain in re.findall(
            r'(?m)^[A-Z0-9-]+(?:;[^:\r\n]*?)?;TZID=(?:"([^"]*)"|([^;:\r\n]*))', unfolded(body)
        )
    }


def defined_zones(body: bytes) -> list[str]:
    """Every TZID that the feed defines."""
    return re.findall(r"(?m)^TZID:(.*?)\r$", unfolded(body))


def head(body: bytes) -> list[str]:
    """The lines of a feed before its first component."""
    return unfolded(body).split("BEGIN:V", 2)[1].split("\r\n")[1:-1]
