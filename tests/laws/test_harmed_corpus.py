"""Whatever is done to what real producers send, it is read or refused: nothing else happens, and it happens soon."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import icalendar
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.core import ics
from bridge.core.availability import busy
from bridge.core.canonical import digest
from bridge.core.expansion import expanded
from bridge.core.model import BEGINNING, ENDLESS
from bridge.core.recurrence import expand, touches
from bridge.core.split import split
from bridge.core.view import Detail
from bridge.errors import ObjectRefused, TooManyInstances
from tests.corpus.corpus import ACCOUNT_ZONE, samples
from tests.feed.material import entry, feed, rebuilt

if TYPE_CHECKING:
    from bridge.core.model import CalendarObject

LIMIT = 1000
# Wide enough for any machine: what is meant are minutes and hours.
SECONDS = 30
RAWS = [sample.raw for sample in samples() if len(sample.raw) < 10_000]
LINES = sorted({line for raw in RAWS for line in raw.split(b"\r\n") if line[:1].isalpha()})
RULES = [
    "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
    "FREQ=YEARLY;BYDAY=53MO",
    "FREQ=WEEKLY;INTERVAL=999999999",
    "FREQ=DAILY;COUNT=99999999999999999999;BYMONTH=2;BYMONTHDAY=30",
    "FREQ=DAILY;COUNT=9;UNTIL=00010101T000000Z",
    "FREQ=DAILY;UNTIL=99991231",
    "FREQ=SECONDLY",
    "FREQ=MINUTELY;BYHOUR=3;BYMINUTE=3;COUNT=3",
    "FREQ=HOURLY;BYSETPOS=-2",
    "FREQ=;BYDAY=",
    "FREQ=MONTHLY;BYDAY=255SU,-6MO",
]
VALUES = [
    *("", ":", '"', "\\", "\x00", "\r", "\n ", "é", "\ufeff", ";TZID=", ";VALUE=DATE", ";VALUE=PERIOD"),
    *("00010101T000000Z", "99991231T235959Z", "00000000", "20260230", "20261025T023000", "20260329T023000", "T::"),
    *("P1D", "-PT1H", "P99999999999D", "20260101T000000Z/P1D", "20260101/20260102", "TZID=Nowhere:", "TZID=GMT+25:99:"),
    *("BEGIN:VEVENT\r\n", "END:VEVENT\r\n", "BEGIN:VALARM\r\n", "CLASS:PRIVATE\r\n", "STATUS:CANCELLED\r\n"),
    *("DTSTART;VALUE=DATE:99991231\r\n", "DTSTART:00010101T000000\r\n", "DTSTART;TZID=Asia/Tokyo:99991231T235959\r\n"),
    *(f"\r\nRRULE:{rule}\r\n" for rule in RULES),
    *(f"\r\nEXRULE:{rule}\r\n" for rule in RULES),
]  # fmt: skip


@st.composite
def harmed(draw: st.DrawFn) -> bytes:
    """An oddity with some of its lines or octets taken out, put elsewhere, or replaced by others."""
    raw = draw(st.sampled_from(RAWS))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(raw)))
        end = min(at + draw(st.integers(0, 12)), len(raw))
        kind = draw(st.sampled_from(("cut", "insert", "line", "drop", "rule", "swap")))
        lines = raw.split(b"\r\n")
        number = draw(st.integers(0, len(lines) - 1))
        if kind == "cut":
            raw = raw[:at] + raw[end:]
        elif kind == "insert":
            raw = raw[:at] + draw(st.sampled_from(VALUES)).encode() + raw[end:]
        elif kind == "line":
            raw = b"\r\n".join([*lines[:number], draw(st.sampled_from(LINES)), *lines[number:]])
        elif kind == "drop":
            raw = b"\r\n".join(lines[:number] + lines[number + 1 :])
        elif kind == "swap":
            other = draw(st.integers(0, len(lines) - 1))
            lines[number], lines[other] = lines[other], lines[number]
            raw = b"\r\n".join(lines)
        else:
            raw = re.sub(rb"RRULE:[^\r\n]*", b"RRULE:" + draw(st.sampled_from(RULES)).encode(), raw)
    return raw


def use(obj: CalendarObject) -> None:
    """Does with an object what the server does with it."""
    assert len(digest(obj)) == 64
    month = datetime(2026, 10, 10, tzinfo=UTC), datetime(2026, 11, 10, tzinfo=UTC)
    for start, end in (month, (BEGINNING, ENDLESS)):
        touched = touches(obj, start, end, zone=ACCOUNT_ZONE)
        try:
            instances = expand(obj, start, end, zone=ACCOUNT_ZONE, limit=LIMIT)
            expanded(obj, start, end, zone=ACCOUNT_ZONE, limit=LIMIT)
        except TooManyInstances:
            assert touched
            continue
        for instance in instances:
            assert obj.span.first <= instance.first <= instance.last <= obj.span.last
    busy([obj], *month, zone=ACCOUNT_ZONE, limit=LIMIT)
    one = entry(obj.raw, zone=ACCOUNT_ZONE)
    for way in {one.feed_ready: one, False: rebuilt(one)}.values():
        for detail in Detail:
            rendered = feed(way, zone=ACCOUNT_ZONE, detail=detail, alarms=True)
            calendar = icalendar.Calendar.from_ical(rendered.body)
            assert not any(component.errors for component in calendar.walk()), rendered.body


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(harmed())
def test_whatever_is_done_to_an_oddity_it_is_read_and_used_or_refused(raw: bytes) -> None:
    begun = time.process_time()
    for piece in (raw, *split(raw)):
        try:
            obj = ics.parse(piece, zone=ACCOUNT_ZONE, max_instances=10_000)
        except ObjectRefused as refusal:
            assert refusal.message.endswith(".")  # noqa: PT017 -- either outcome is right
        else:
            use(obj)
    assert time.process_time() - begun < SECONDS
