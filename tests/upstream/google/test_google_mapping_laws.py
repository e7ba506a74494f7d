"""Tests laws of the mapping with appointments that nobody thought of, and with those that real programs send."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.core.fold import escaped
from bridge.core.recurrence import expand
from bridge.errors import RemoteRefused, TooManyInstances
from bridge.upstream.google.mapping import Whole, changed, from_google, to_google
from bridge.upstream.google.mapping.rich_text import incoming, is_markup, outgoing
from tests.corpus.corpus import Sample, samples
from tests.fakes.google.writing import merged
from tests.upstream.google.google_answers import ZONE, answered, calendar, parsed

ZONES = ("Europe/Amsterdam", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "America/Santiago", "UTC")
BEGIN, END = datetime(1990, 1, 1, tzinfo=UTC), datetime(2040, 1, 1, tzinfo=UTC)
SLOW = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=100)

texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]) | st.just("\n"), max_size=80).map(
    str.strip
)
markup = st.lists(
    st.sampled_from(["<b>", "</b>", "<br>", "&amp;", "&lt;", "&", "<", ">", "a", " ", "\n", "&nbsp;", "<!--", "<x@y>"])
).map("".join)
days = st.dates(date(2026, 1, 1), date(2030, 12, 31))
minutes = st.integers(0, 24 * 4 - 1).map(lambda quarter: timedelta(minutes=15 * quarter))
rules = st.sampled_from([
    "FREQ=DAILY;COUNT=9", "FREQ=DAILY;INTERVAL=2;COUNT=5", "FREQ=WEEKLY;BYDAY=MO,FR;COUNT=7", "FREQ=HOURLY;COUNT=5",
    "FREQ=MONTHLY;BYDAY=-1WE;COUNT=4", "FREQ=MONTHLY;BYMONTHDAY=1,-1;COUNT=6", "FREQ=YEARLY;COUNT=3",
    "FREQ=DAILY;BYHOUR=8,20;COUNT=6",
])  # fmt: skip


@st.composite
def components(draw: st.DrawFn) -> list[str]:
    """The lines of a component save for its times."""
    found = [
        f"{name}:{escaped(draw(texts | markup))}"
        for name in ("SUMMARY", "DESCRIPTION", "LOCATION")
        if draw(st.booleans())
    ]
    words = {
        "STATUS": ("TENTATIVE", "CONFIRMED"),
        "TRANSP": ("OPAQUE", "TRANSPARENT"),
        "CLASS": ("PUBLIC", "PRIVATE", "CONFIDENTIAL"),
        "COLOR": ("red", "turquoise", "gold"),
        "CATEGORIES": ("Sports", "Sports,Massage\\, hot stone"),
        "URL": ("https://example.org/1",),
    }
    found += [f"{name}:{draw(st.sampled_from(few))}" for name, few in words.items() if draw(st.booleans())]
    for before in draw(st.lists(st.integers(0, 50_000), max_size=3)):
        found += ["BEGIN:VALARM", "ACTION:DISPLAY", f"TRIGGER:-PT{before}M", "DESCRIPTION:x", "END:VALARM"]
    return found


def stamped(name: str, value: date, zone: str) -> str:
    if not isinstance(value, datetime):
        return f"{name};VALUE=DATE:{value:%Y%m%d}"
    if zone == "UTC":
        return f"{name}:{value:%Y%m%dT%H%M%SZ}"
    return f"{name}{f';TZID={zone}' if zone else ''}:{value:%Y%m%dT%H%M%S}"


@st.composite
def appointments(draw: st.DrawFn) -> bytes:
    """An object: single or a series, with overrides, in any zone, floating or of whole days."""
    zone = draw(st.sampled_from([*ZONES, ""]))
    whole_days = draw(st.booleans())
    first: date = draw(days)
    length = timedelta(days=draw(st.integers(1, 4)))
    if not whole_days:
        first = datetime.combine(first, datetime.min.time()) + draw(minutes)
        length = draw(minutes)
    series = draw(st.booleans())
    master = [stamped("DTSTART", first, zone), stamped("DTEND", first + length, zone), *draw(components())]
    blocks = [master]
    if series:
        rule = draw(rules)
        daily = rule.startswith(("FREQ=DAILY;COUNT", "FREQ=YEARLY"))
        rule = "FREQ=DAILY;COUNT=4" if whole_days and "HO" in rule else rule
        master.append(f"RRULE:{rule}")
        nexts = [first + timedelta(days=day) for day in draw(st.sets(st.integers(0, 3)))] if daily else []
        for number, named in enumerate(sorted(nexts)):
            if number == 1:
                master.append(stamped("EXDATE", named, zone))
                continue
            other = draw(st.sampled_from([zone, "Europe/Amsterdam"])) if zone else zone
            start = named + timedelta(days=draw(st.integers(-2, 2)))
            blocks.append(
                [
                    stamped("RECURRENCE-ID", named, zone),
                    stamped("DTSTART", start, other),
                    stamped("DTEND", start + length, other),
                    *draw(components()),
                ]
            )
    return calendar(*(
        ["BEGIN:VEVENT", "UID:random@example.org", "DTSTAMP:20260101T000000Z", *lines, "END:VEVENT"]
        for lines in blocks
    ))  # fmt: skip


def read_back(whole: Whole) -> bytes:
    master, exceptions = answered(whole)
    return from_google(master, exceptions, zone=ZONE)


def times(raw: bytes) -> list[tuple[datetime, datetime]]:
    found = expand(parsed(raw), BEGIN, END, zone=ZoneInfo(ZONE), limit=500)
    return sorted(
        (one.first, one.last)
        for one in found
        if "RECURRENCE-ID" not in one.component or str(one.component.get("STATUS", "")).upper() != "CANCELLED"
    )


@SLOW
@given(appointments())
def test_what_goes_to_google_is_what_reads_back_from_there(raw: bytes) -> None:
    went = to_google(parsed(raw), zone=ZONE)
    came = to_google(parsed(read_back(went)), zone=ZONE)
    assert (came.master, came.overrides) == (went.master, went.overrides)


@SLOW
@given(appointments())
def test_all_appointments_are_where_they_were(raw: bytes) -> None:
    assert times(read_back(to_google(parsed(raw), zone=ZONE))) == times(raw)


@SLOW
@given(appointments())
def test_reading_is_stable(raw: bytes) -> None:
    once = read_back(to_google(parsed(raw), zone=ZONE))
    assert read_back(to_google(parsed(once), zone=ZONE)) == once


@SLOW
@given(appointments(), appointments())
def test_a_patch_makes_one_body_of_the_other(one: bytes, other: bytes) -> None:
    now, wanted = (dict(to_google(parsed(raw), zone=ZONE).master) for raw in (one, other))
    assert changed(wanted, merged(now, changed(wanted, now))) == {}


@settings(deadline=None, max_examples=300)
@given(texts | markup)
def test_a_text_that_looks_like_html_comes_back_as_it_was(text: str) -> None:
    assert incoming(outgoing(text)) == text


@settings(deadline=None, max_examples=300)
@given(markup)
def test_no_html_is_left_in_a_text_that_is_read_twice(text: str) -> None:
    plain = incoming(text)
    assert incoming(outgoing(plain)) == plain
    assert is_markup(outgoing(plain)) or outgoing(plain) == plain


REFUSED = {"this-and-future-override": "RANGE=THISANDFUTURE"}
anything = st.text(max_size=30) | markup
people = st.fixed_dictionaries(
    {"email": st.sampled_from(["anna@example.org", "bo@example.org"])},
    optional={
        "displayName": anything,
        "comment": anything,
        "responseStatus": st.sampled_from(["accepted", "declined", "needsAction", "new"]),
        "self": st.booleans(),
        "optional": st.booleans(),
        "additionalGuests": st.integers(0, 5),
    },
)
google_events = st.fixed_dictionaries(
    {
        "id": st.just("0123456789abcdef"),
        "start": st.sampled_from([
            {"dateTime": "2027-10-31T02:30:00+01:00", "timeZone": "Europe/Amsterdam"},
            {"dateTime": "2027-03-02T08:00:00.000Z"},
            {"dateTime": "2027-03-02T08:00:00Z", "timeZone": "Mars/Olympus"},
        ]),
        "end": st.sampled_from([
            {"dateTime": "2027-10-31T02:30:00+01:00", "timeZone": "Asia/Tokyo"},
            {"dateTime": "2027-11-02T08:00:00-05:00", "timeZone": "Europe/Amsterdam"},
        ]),
    },
    optional={
        "iCalUID": st.sampled_from(["a@google.com", "a;b,c\\d@example.org"]),
        "updated": st.sampled_from(["2026-11-02T10:00:00.123Z", "soon"]),
        "summary": anything,
        "description": anything,
        "location": anything,
        "status": st.sampled_from(["confirmed", "tentative"]),
        "visibility": st.sampled_from(["default", "public", "private", "confidential"]),
        "transparency": st.sampled_from(["opaque", "transparent"]),
        "eventType": st.sampled_from(["default", "birthday", "workingLocation"]),
        "colorId": st.sampled_from(["1", "11", "12"]),
        "attendees": st.lists(people, max_size=3),
        "organizer": people,
        "source": st.fixed_dictionaries({"url": st.just("https://example.org/a b"), "title": anything}),
        "hangoutLink": st.just("https://meet.google.com/aaa-bbbb-ccc"),
        "conferenceData": st.fixed_dictionaries({
            "entryPoints": st.lists(
                st.fixed_dictionaries({
                    "entryPointType": st.sampled_from(["video", "phone", "more", "new"]),
                    "uri": st.just("tel:+31"),
                    "label": anything,
                    "pin": anything,
                })
            )
        }),
        "attachments": st.lists(
            st.fixed_dictionaries({
                "fileUrl": st.just("https://example.org/1"),
                "title": anything,
                "mimeType": anything | st.just("application/pdf"),
            })
        ),
        "reminders": st.fixed_dictionaries(
            {"useDefault": st.booleans()},
            optional={"overrides": st.lists(st.fixed_dictionaries({"method": anything, "minutes": st.integers(0, 9)}))},
        ),
        "recurrence": st.lists(
            st.sampled_from([
                "RRULE:FREQ=DAILY;COUNT=3", "RRULE:FREQ=NEVER", "EXDATE:20271101T013000Z",
                "RDATE:soon,20271201T080000Z", "EXDATE;TZID=Europe/Amsterdam:20271102T023000",
                "RDATE;VALUE=DATE:20271205", "nonsense", "RDATE;VALUE=PERIOD:20271207T080000Z/PT1H",
            ])
        ),
        "extendedProperties": st.fixed_dictionaries({
            "private": st.dictionaries(
                st.sampled_from([
                    "calbridgeId", "calbridgeUid", "calbridgeOrigin", "calbridgeFloating", "calbridgeStatus",
                    "calbridgeCategories", "calbridgeSeries", "calbridgeMasterless",
                ]),
                anything | st.just("0123456789abcdef") | st.just("Europe/Amsterdam"),
            )
        }),
    },
)  # fmt: skip


@SLOW
@given(google_events)
def test_whatever_google_tells_is_read_as_a_sound_appointment_that_is_written_as_it_is(event: dict[str, Any]) -> None:
    raw = from_google(event, [], zone=ZONE)
    obj = parsed(raw)
    assert raw == from_google(event, [], zone=ZONE)
    if b"FREQ=NEVER" not in raw:
        assert obj.repairs == ()
    whole = to_google(obj, zone=ZONE)
    again = parsed(read_back(whole))
    assert changed(to_google(again, zone=ZONE).master, whole.master) == {}


EVENTS = [sample for sample in samples() if b"BEGIN:VEVENT" in sample.raw.upper()]


@pytest.mark.parametrize("sample", EVENTS, ids=lambda sample: sample.name)
def test_what_real_programs_send_goes_there_and_back_or_is_refused_with_a_reason(sample: Sample) -> None:
    obj = parsed(sample.raw)
    if sample.name in REFUSED:
        with pytest.raises(RemoteRefused, match=REFUSED[sample.name]):
            to_google(obj, zone=ZONE)
        return
    went = to_google(obj, zone=ZONE)
    back = read_back(went)
    came = to_google(parsed(back), zone=ZONE)
    assert (came.master, came.overrides) == (went.master, went.overrides)
    try:
        assert times(back) == times(sample.raw)
    except TooManyInstances:
        assert changed(came.master, went.master) == {}
