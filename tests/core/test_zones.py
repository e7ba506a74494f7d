from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from icalendar import Calendar

from bridge.core.zones import CustomZone, Onset, custom_zone, iana_key, named_zone, resolve_zone
from tests.core.core_samples import BERLIN, CUSTOM_BERLIN, component, lines, read, stream

DEFINITION = "\n".join(CUSTOM_BERLIN)


def berlin() -> CustomZone:
    zone = custom_zone(DEFINITION)
    assert zone is not None
    return zone


@pytest.mark.parametrize(
    ("tzid", "key"),
    [
        ("Europe/Berlin", "Europe/Berlin"),
        ("europe/berlin", "Europe/Berlin"),
        ("  Europe/Berlin ", "Europe/Berlin"),
        ('"Europe/Berlin"', "Europe/Berlin"),
        ("/mozilla.org/20050126_1/Europe/Berlin", "Europe/Berlin"),
        ("/freeassociation.sourceforge.net/Tzfile/Europe/Berlin", "Europe/Berlin"),
        ("/citadel.org/20190914_1/America/Argentina/Buenos_Aires", "America/Argentina/Buenos_Aires"),
        ("posix/Europe/Vaduz", "Europe/Vaduz"),
        ("W. Europe Standard Time", "Europe/Berlin"),
        ("Pacific standard time", "America/Los_Angeles"),
        ("Customized Time Zone", None),
        ("../../etc/passwd", None),
        ("", None),
    ],
)
def test_a_tzid_leads_to_its_iana_name(tzid: str, key: str | None) -> None:
    assert iana_key(tzid) == key


@pytest.mark.parametrize("tzid", ["UTC", "utc", "Etc/UTC", "GMT", "Zulu"])
def test_every_name_of_utc_is_utc(tzid: str) -> None:
    assert named_zone(tzid) is UTC


@pytest.mark.parametrize(("tzid", "hours"), [("GMT+0200", 2), ("UTC-05:00", -5), ("+01:00", 1), ("UTC+3", 3)])
def test_an_offset_for_a_name_is_that_offset(tzid: str, hours: int) -> None:
    zone = named_zone(tzid)
    assert zone is not None
    assert zone.utcoffset(None) == timedelta(hours=hours)


def test_an_impossible_offset_is_no_zone() -> None:
    assert named_zone("GMT+99") is None


def test_the_iana_rules_win_over_embedded_ones_of_the_same_name() -> None:
    stale = Calendar.from_ical(
        stream(
            *(line.replace("Customized Time Zone", "Europe/Berlin").replace("+0200", "+0900") for line in CUSTOM_BERLIN)
        )
    )
    assert resolve_zone("Europe/Berlin", stale) == ZoneInfo("Europe/Berlin")


def test_embedded_rules_count_for_a_name_that_nobody_knows() -> None:
    calendar = Calendar.from_ical(stream(*CUSTOM_BERLIN))
    zone = resolve_zone("Customized Time Zone ", calendar)
    summer, winter = datetime(2026, 7, 1, 12, tzinfo=zone), datetime(2026, 1, 1, 12, tzinfo=zone)
    assert summer.utcoffset() == timedelta(hours=2)
    assert winter.utcoffset() == timedelta(hours=1)


def test_an_unknown_name_without_rules_is_no_zone() -> None:
    assert resolve_zone("Nowhere", Calendar.from_ical(stream(*CUSTOM_BERLIN))) is None
    assert resolve_zone("Nowhere", None) is None


def test_two_objects_may_define_one_name_differently() -> None:
    start = component("DTSTART;TZID=Customized Time Zone:20260701T120000")
    here = read(stream(*CUSTOM_BERLIN, *start))
    there = read(stream(*(line.replace("+0200", "-0300").replace("+0100", "-0400") for line in CUSTOM_BERLIN), *start))
    assert here.span.first == datetime(2026, 7, 1, 10, tzinfo=UTC)
    assert there.span.first == datetime(2026, 7, 1, 15, tzinfo=UTC)


def test_embedded_rules_agree_with_the_zone_that_they_describe() -> None:
    zone = berlin()
    at = datetime(2026, 1, 1, tzinfo=UTC)
    while at.year < 2028:
        assert at.astimezone(zone).replace(tzinfo=None) == at.astimezone(BERLIN).replace(tzinfo=None)
        assert at.astimezone(zone).astimezone(UTC) == at
        at += timedelta(hours=1)


def test_gap_and_fold_are_those_of_pep_495() -> None:
    zone = berlin()
    for wall in (datetime(2026, 3, 29, 2, 30), datetime(2026, 10, 25, 2, 30)):  # noqa: DTZ001 -- wall times
        for fold in (0, 1):
            assert (
                wall.replace(tzinfo=zone, fold=fold).utcoffset() == wall.replace(tzinfo=BERLIN, fold=fold).utcoffset()
            )


def test_a_custom_zone_tells_name_and_daylight_saving() -> None:
    zone = custom_zone(DEFINITION.replace("END:DAYLIGHT", "TZNAME:Summer\nEND:DAYLIGHT"))
    summer = datetime(2026, 7, 1, 12, tzinfo=zone)
    assert summer.tzname() == "Summer"
    assert summer.dst() == timedelta(hours=1)
    assert datetime(1500, 1, 1, tzinfo=zone).utcoffset() == timedelta(hours=1)
    assert zone is not None
    assert zone.utcoffset(None) == timedelta(hours=1)


def test_custom_zones_are_equal_when_their_rules_are() -> None:
    onset = Onset(datetime(2026, 1, 1), timedelta(0), timedelta(hours=1), daylight=False, name="")  # noqa: DTZ001 -- a wall time
    assert CustomZone((onset,)) == CustomZone((onset,))
    assert hash(CustomZone((onset,))) == hash(CustomZone((onset,)))
    assert CustomZone((onset,)) != berlin()
    assert repr(CustomZone((onset,))) == "CustomZone(1 onsets)"


def test_a_zone_without_any_offset_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        CustomZone(())


@pytest.mark.parametrize(
    "definition",
    [
        "BEGIN:VTIMEZONE\nTZID:x\nEND:VTIMEZONE",
        DEFINITION.replace("TZOFFSETTO:+", "TZOFFSETTO:x"),
        DEFINITION.replace("16010101", "nonsense"),
        DEFINITION.replace("FREQ=YEARLY", "FREQ=SECONDLY"),
        DEFINITION.replace("TZOFFSETFROM", "X-NOTHING"),
    ],
)
def test_rules_that_nobody_can_read_are_no_zone(definition: str) -> None:
    assert custom_zone(definition) is None


def test_one_unreadable_observance_leaves_the_other() -> None:
    zone = custom_zone(DEFINITION.replace("TZOFFSETTO:+0200", "TZOFFSETTO:summer"))
    assert zone is not None
    assert datetime(2026, 7, 1, tzinfo=zone).utcoffset() == timedelta(hours=1)


def test_rules_end_with_until_and_begin_again_with_rdate() -> None:
    text = (
        lines(
            "BEGIN:VTIMEZONE",
            "TZID:x",
            "BEGIN:STANDARD",
            "DTSTART:20001029T030000",
            "TZOFFSETFROM:+0200",
            "TZOFFSETTO:+0100",
            "RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10;UNTIL=20011028T010000Z",
            "RDATE:20051030T030000,20061029T030000",
            "END:STANDARD",
            "BEGIN:DAYLIGHT",
            "DTSTART:20000326",
            "TZOFFSETFROM:+0100",
            "TZOFFSETTO:+020000",
            "RRULE:UNTIL=20060326;FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3",
            "END:DAYLIGHT",
            "END:VTIMEZONE",
        )
        .decode()
        .replace("\r\n", "\n")
    )
    zone = custom_zone(text)
    offsets = {year: datetime(year, 12, 1, tzinfo=zone).utcoffset() for year in (2000, 2001, 2002, 2005, 2006, 2010)}
    winter, summer = timedelta(hours=1), timedelta(hours=2)
    assert offsets == {2000: winter, 2001: winter, 2002: summer, 2005: winter, 2006: winter, 2010: winter}


def test_a_huge_definition_is_read_but_not_kept() -> None:
    zone = custom_zone(DEFINITION.replace("END:VTIMEZONE", f"X-NOTE:{'x' * 70_000}\nEND:VTIMEZONE"))
    assert zone == berlin()


def test_a_definition_cannot_hold_the_server_up() -> None:
    never = (
        "BEGIN:STANDARD",
        "DTSTART:16010101T000000",
        "TZOFFSETFROM:+0100",
        "TZOFFSETTO:+0200",
        "RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
        "END:STANDARD",
    )
    zone = custom_zone("\n".join(["BEGIN:VTIMEZONE", "TZID:x", *never * 300, "END:VTIMEZONE"]))
    assert zone is not None
    assert len(zone.onsets) == 1
    daily = ("BEGIN:STANDARD", *never[1:4], "RRULE:FREQ=DAILY", "END:STANDARD")
    assert custom_zone("\n".join(["BEGIN:VTIMEZONE", "TZID:y", *daily, "END:VTIMEZONE"])) is None
