from __future__ import annotations

from bridge.core.carrying import Carrier
from bridge.core.content import Line, made
from tests.core.core_samples import CUSTOM_BERLIN, lines

NAME = "Customized Time Zone"
BERLIN_RULES = lines(*CUSTOM_BERLIN)
EASTERN_RULES = BERLIN_RULES.replace(b"+0100", b"-0500").replace(b"+0200", b"-0400")
START = made("DTSTART", "20260714T170000", f";TZID={NAME}")


def test_a_line_without_a_zone_is_carried_as_it_is() -> None:
    line = Line("SUMMARY", b"summary:a\r\n b\r\n")
    assert Carrier({}).carried([line], {}) == (line,)


def test_a_zone_that_is_missing_comes_along() -> None:
    carrier = Carrier({})
    assert carrier.carried([START], {NAME: BERLIN_RULES}) == (START,)
    assert carrier.zones == {NAME: BERLIN_RULES}


def test_a_zone_that_is_known_by_its_name_keeps_it_whatever_its_text_says() -> None:
    line = made("DTSTART", "20260714T170000", ";TZID=Europe/Berlin")
    carrier = Carrier({"Europe/Berlin": EASTERN_RULES})
    assert carrier.carried([line], {"Europe/Berlin": BERLIN_RULES}) == (line,)
    assert carrier.zones == {"Europe/Berlin": EASTERN_RULES}


def test_other_rules_come_under_a_free_name_once() -> None:
    carrier = Carrier({NAME: EASTERN_RULES})
    for _ in range(2):
        (line,) = carrier.carried([START], {NAME: BERLIN_RULES})
        assert line.raw == f"DTSTART;TZID={NAME} 2:20260714T170000\r\n".encode()
    renamed = BERLIN_RULES.replace(b"TZID:Customized Time Zone", b"TZID:Customized Time Zone 2")
    assert carrier.zones == {NAME: EASTERN_RULES, f"{NAME} 2": renamed}


def test_every_name_that_is_taken_is_passed_over() -> None:
    carrier = Carrier({NAME: EASTERN_RULES, f"{NAME} 2": EASTERN_RULES.replace(b"-0400", b"-0300")})
    (line,) = carrier.carried([START], {NAME: BERLIN_RULES})
    assert line.value == "20260714T170000"
    assert f"{NAME} 3" in carrier.zones


def test_an_alarm_is_carried_as_it_is() -> None:
    block = Line("BEGIN:VALARM", lines("BEGIN:VALARM", f"X-AT;TZID={NAME}:20260714T170000", "END:VALARM"))
    assert Carrier({NAME: EASTERN_RULES}).carried([block], {NAME: BERLIN_RULES}) == (block,)
