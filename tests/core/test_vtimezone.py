from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from icalendar import Timezone

from bridge.core.vtimezone import vtimezone
from bridge.core.zones import CustomZone, custom_zone
from tests.core.core_samples import lines

THIS_YEAR = datetime(2026, 7, 14, tzinfo=UTC)

# Zones that change, that do not, that did; negative DST, a rule that spans two months, half hours, the other half.
ZONES = (
    "Europe/Berlin", "America/New_York", "Australia/Sydney", "Australia/Lord_Howe", "Europe/Dublin", "Africa/Cairo",
    "Africa/Casablanca", "Asia/Kolkata", "Asia/Gaza", "America/Sao_Paulo", "Europe/Moscow", "Europe/Istanbul", "UTC",
    "Pacific/Apia", "America/Caracas", "Asia/Tehran", "Antarctica/Troll", "America/Nuuk", "Europe/Riga",
)  # fmt: skip


def read_back(raw: bytes) -> CustomZone:
    zone = custom_zone(raw.decode().replace("\r\n ", "").replace("\r\n", "\n"))
    assert zone is not None
    return zone


def test_a_zone_with_summer_time_is_one_pair_of_rules() -> None:
    assert vtimezone("Europe/Berlin", tzid="Europe/Berlin", first=THIS_YEAR, last=THIS_YEAR) == lines(
        "BEGIN:VTIMEZONE",
        "TZID:Europe/Berlin",
        "BEGIN:DAYLIGHT",
        "DTSTART:20250330T020000",
        "TZOFFSETFROM:+0100",
        "TZOFFSETTO:+0200",
        "TZNAME:CEST",
        "RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU",
        "END:DAYLIGHT",
        "BEGIN:STANDARD",
        "DTSTART:20251026T030000",
        "TZOFFSETFROM:+0200",
        "TZOFFSETTO:+0100",
        "TZNAME:CET",
        "RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU",
        "END:STANDARD",
        "END:VTIMEZONE",
    )


def test_a_zone_without_summer_time_is_one_offset() -> None:
    raw = vtimezone("Asia/Kolkata", tzid="Asia/Kolkata", first=THIS_YEAR, last=THIS_YEAR)
    assert raw.count(b"BEGIN:STANDARD") == 1
    assert b"DAYLIGHT" not in raw
    assert b"RRULE" not in raw


def test_summer_is_daylight_time_in_dublin_too() -> None:
    raw = vtimezone("Europe/Dublin", tzid="Europe/Dublin", first=THIS_YEAR, last=THIS_YEAR)
    assert b"TZNAME:IST" in raw.split(b"BEGIN:DAYLIGHT")[1].split(b"END:DAYLIGHT")[0]


@pytest.mark.parametrize("key", ZONES)
@pytest.mark.parametrize("year", [1975, 2000, 2026])
def test_every_instant_from_the_first_on_has_its_offset(key: str, year: int) -> None:
    first = datetime(year, 6, 15, tzinfo=UTC)
    zone, told = ZoneInfo(key), read_back(vtimezone(key, tzid=key, first=first, last=first))
    at = first
    while at.year < 2110:
        assert at.astimezone(told).utcoffset() == at.astimezone(zone).utcoffset(), at
        at += timedelta(days=13, hours=7)


@pytest.mark.parametrize(
    "key", ["Europe/Berlin", "America/New_York", "Africa/Cairo", "Asia/Kolkata", "Australia/Lord_Howe"]
)
def test_other_readers_read_the_same(key: str) -> None:
    raw = vtimezone(key, tzid=f"X-{key}", first=THIS_YEAR, last=THIS_YEAR)
    component = Timezone.from_ical(raw)
    assert isinstance(component, Timezone)
    told, zone = component.to_tz(lookup_tzid=False), ZoneInfo(key)
    for days in range(0, 2000, 11):
        at = THIS_YEAR + timedelta(days=days, hours=6)
        wall = at.astimezone(zone).replace(tzinfo=None)
        assert wall.replace(tzinfo=told).utcoffset() == wall.replace(tzinfo=zone).utcoffset()


def test_the_name_is_the_one_that_is_asked_for() -> None:
    name = "Ünïcode, and a name that is so long that the line in which it stands has to be folded; twice"
    raw = vtimezone("Europe/Berlin", tzid=name, first=THIS_YEAR, last=THIS_YEAR)
    assert all(len(line) <= 75 for line in raw.split(b"\r\n"))
    component = Timezone.from_ical(raw)
    assert component["TZID"] == name


def test_an_offset_with_seconds_is_told_in_full() -> None:
    early = datetime(1890, 1, 1, tzinfo=UTC)
    assert b"TZOFFSETFROM:+005328" in vtimezone("Europe/Berlin", tzid="x", first=early, last=early)


def test_a_stretch_lies_between_two_instants() -> None:
    naive = datetime(2026, 1, 1)  # noqa: DTZ001 -- what is refused
    for first, last in ((naive, THIS_YEAR), (THIS_YEAR, naive), (THIS_YEAR, THIS_YEAR - timedelta(days=1))):
        with pytest.raises(ValueError, match="two instants"):
            vtimezone("Europe/Berlin", tzid="x", first=first, last=last)
