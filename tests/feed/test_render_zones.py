from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
import recurring_ical_events

from bridge.core.view import Detail
from tests.feed.material import checked, component, defined_zones, entry, feed, named_zones, read, rebuilt, stream


def own_zone(offset: str, tzid: str = "Customized Time Zone") -> str:
    return "\r\n".join(
        [
            "BEGIN:VTIMEZONE",
            f"TZID:{tzid}",
            "BEGIN:STANDARD",
            "DTSTART:16010101T000000",
            f"TZOFFSETFROM:{offset}",
            f"TZOFFSETTO:{offset}",
            "END:STANDARD",
            "END:VTIMEZONE",
            "",
        ]
    )


def at_ten(tzid: str, *lines: str, uid: str = "one@example.org") -> str:
    quoted = f'"{tzid}"' if set(tzid) & set(":;,") else tzid
    return component(f"DTSTART;TZID={quoted}:20260701T100000", "DURATION:PT1H", *lines, uid=uid)


def instants(body: bytes) -> dict[str, datetime]:
    events = recurring_ical_events.of(checked(body)).between(2026, 2027)
    return {str(event["UID"]): event["DTSTART"].dt.astimezone(UTC) for event in events}


def test_one_zone_that_many_name_is_defined_once() -> None:
    entries = [entry(stream(component(uid=str(number)))) for number in range(5)]
    assert defined_zones(feed(*entries, rebuilt(entries[0])).body) == ["Europe/Amsterdam"]


def test_a_zone_that_nothing_in_the_window_names_is_not_defined() -> None:
    assert defined_zones(feed(entry(stream(component("DTSTART:20261201T100000Z")))).body) == []


@pytest.mark.parametrize(
    ("tzid", "iana", "hour"),
    [
        ("W. Europe Standard Time", "Europe/Berlin", 8),
        ("/mozilla.org/20050126_1/Europe/Paris", "Europe/Paris", 8),
        ("/freeassociation.sourceforge.net/Tzfile/America/New_York", "America/New_York", 14),
        ("US/Eastern", "US/Eastern", 14),
    ],
)
def test_a_zone_with_another_spelling_goes_out_under_its_iana_name(tzid: str, iana: str, hour: int) -> None:
    for detail in Detail:
        body = feed(entry(stream(at_ten(tzid))), detail=detail).body
        assert list(instants(body).values()) == [datetime(2026, 7, 1, hour, tzinfo=UTC)]
        assert defined_zones(body) == [iana]


def test_an_unknown_zone_means_the_zone_of_the_account() -> None:
    body = feed(entry(stream(at_ten("Nowhere/Land"))), zone=ZoneInfo("Asia/Tokyo")).body
    assert named_zones(body) == {"Asia/Tokyo"}
    assert list(instants(body).values()) == [datetime(2026, 7, 1, 1, tzinfo=UTC)]


def test_times_in_a_zone_called_utc_keep_their_hour() -> None:
    for tzid in ("UTC", "Etc/UTC", "GMT"):
        one = entry(stream(at_ten(tzid)))
        for way in (one, rebuilt(one)):
            assert list(instants(feed(way).body).values()) == [datetime(2026, 7, 1, 10, tzinfo=UTC)]


def test_a_fixed_offset_as_a_zone_keeps_its_hour() -> None:
    body = feed(entry(stream(at_ten("GMT-0330")))).body
    assert list(instants(body).values()) == [datetime(2026, 7, 1, 13, 30, tzinfo=UTC)]


def test_an_own_zone_is_carried_with_its_rules() -> None:
    for detail in Detail:
        body = feed(entry(stream(own_zone("+0330"), at_ten("Customized Time Zone"))), detail=detail).body
        assert defined_zones(body) == ["Customized Time Zone"]
        assert list(instants(body).values()) == [datetime(2026, 7, 1, 6, 30, tzinfo=UTC)]


def test_two_own_zones_of_one_name_both_keep_their_hour() -> None:
    entries = [
        entry(
            stream(own_zone(offset), at_ten("Customized Time Zone", f"EXDATE;TZID=Customized Time Zone:{day}", uid=uid))
        )
        for offset, uid, day in (("+0300", "a", "20260702T100000"), ("-0500", "b", "20260703T100000"))
    ]
    body = feed(*entries).body
    assert {uid: when.hour for uid, when in instants(body).items()} == {"a": 7, "b": 15}
    assert len(defined_zones(body)) == 2
    assert feed(*reversed(entries)).body == body


def test_two_own_zones_of_one_name_and_equal_rules_are_shared() -> None:
    plain = own_zone("+0300")
    chatty = plain.replace("END:STANDARD", "COMMENT:Moscow\r\nEND:STANDARD").replace("TZID", "X-LIC-LOCATION:M\r\nTZID")
    entries = [
        entry(stream(zone, at_ten("Customized Time Zone", uid=uid))) for zone, uid in ((plain, "a"), (chatty, "b"))
    ]
    assert defined_zones(feed(*entries).body) == ["Customized Time Zone"]


def test_a_stale_definition_of_an_iana_zone_is_replaced_by_the_rules_in_force() -> None:
    body = feed(entry(stream(own_zone("+0900", "Europe/Berlin"), at_ten("Europe/Berlin")))).body
    assert list(instants(body).values()) == [datetime(2026, 7, 1, 8, tzinfo=UTC)]
    calendar = read(body)
    (zone,) = calendar.walk("VTIMEZONE")
    assert {inner["TZOFFSETTO"].to_ical() for inner in zone.subcomponents} == {"+0100", "+0200"}


def test_a_zone_definition_covers_the_earliest_start_that_names_it() -> None:
    old = component("DTSTART;TZID=Europe/Amsterdam:19850701T100000", "RRULE:FREQ=YEARLY", uid="old")
    body = feed(entry(stream(old)), entry(stream(component()))).body
    zone = read(body).timezones[0].to_tz()
    assert (
        datetime(1985, 7, 1, 10, tzinfo=zone).utcoffset()
        == datetime(1985, 7, 1, 10, tzinfo=ZoneInfo("Europe/Amsterdam")).utcoffset()
    )
    assert (
        datetime(2026, 12, 1, 10, tzinfo=zone).utcoffset()
        == datetime(2026, 12, 1, tzinfo=ZoneInfo("Europe/Amsterdam")).utcoffset()
    )


def test_a_floating_time_stays_floating() -> None:
    body = feed(entry(stream(component("DTSTART:20261201T100000")))).body
    assert b"DTSTART:20261201T100000\r\n" in body
    assert defined_zones(body) == []


def test_an_object_can_bring_two_zones_of_its_own() -> None:
    raw = stream(
        own_zone("+0300", "Here"),
        own_zone("-0500", "There"),
        at_ten("There", "X-SEEN-AT;TZID=Here:20260701T100000", "X-AT;TZID=Etc/UTC:20260701T100000"),
    )
    body = feed(entry(raw)).body
    assert set(defined_zones(body)) >= {"Here", "There"}
    assert list(instants(body).values()) == [datetime(2026, 7, 1, 15, tzinfo=UTC)]


def test_a_time_in_utc_names_no_zone_besides() -> None:
    one = rebuilt(entry(stream(component("X-AT;TZID=Europe/Berlin:20260701T100000Z"))))
    assert named_zones(feed(one).body) == {"Europe/Amsterdam"}
