"""Tests `export`: one valid file with everything that is in a calendar."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import icalendar

from bridge.cli.outcome import Exit
from tests.cli.conftest import calendar, event
from tests.feed.material import read

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Installation

ALARM = "BEGIN:VALARM\r\nACTION:DISPLAY\r\nDESCRIPTION:Soon\r\nTRIGGER:-PT15M\r\nEND:VALARM"


def outlook(uid: str, offset: str) -> str:
    """One stream with a zone of its own, under the name that Outlook gives all of them."""
    zone = (
        "BEGIN:VTIMEZONE\r\nTZID:Customized Time Zone\r\nBEGIN:STANDARD\r\nDTSTART:16010101T000000\r\n"
        f"TZOFFSETFROM:{offset}\r\nTZOFFSETTO:{offset}\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n"
    )
    return calendar(zone, event(uid).replace("TZID=Europe/Amsterdam", 'TZID="Customized Time Zone"'))


def store(installation: Installation, *streams: str) -> None:
    for stream in streams:
        assert installation.run("import", "-", "--into", "salon/anna", typed=stream).code == 0


def test_everything_in_a_calendar_is_in_its_file(installation: Installation) -> None:
    task = "BEGIN:VTODO\r\nUID:t\r\nDTSTAMP:20261101T080000Z\r\nSUMMARY:Order\r\nEND:VTODO\r\n"
    private = event("p", "Doctor", extra="CLASS:PRIVATE")
    store(installation, calendar(event("a", "Cut", extra=ALARM), private, task))
    answer = installation.run("export", "salon/anna")
    exported = icalendar.Calendar.from_ical(answer.stdout)

    assert answer.code == 0
    assert answer.stderr == "3 appointments and tasks of salon/anna written.\n"
    assert {str(each["SUMMARY"]) for each in exported.walk() if each.name in {"VEVENT", "VTODO"}} == {
        "Cut",
        "Doctor",
        "Order",
    }
    assert len(exported.walk("VALARM")) == 1
    assert [str(zone["TZID"]) for zone in exported.walk("VTIMEZONE")] == ["Europe/Amsterdam"]


def test_two_zones_of_one_name_both_keep_their_hour(installation: Installation) -> None:
    store(installation, outlook("a", "+0100"), outlook("b", "-0500"))
    text = installation.run("export", "salon/anna").stdout
    exported = read(text.encode())

    events: list[Any] = exported.walk("VEVENT")
    hours = {str(each["UID"]): each["DTSTART"].dt.utcoffset().total_seconds() / 3600 for each in events}
    assert hours == {"a": 1, "b": -5}


def test_an_exported_calendar_comes_back_with_the_same_meaning(installation: Installation, tmp_path: Path) -> None:
    store(installation, calendar(event("a"), event("b", extra="RRULE:FREQ=WEEKLY;COUNT=3")), outlook("c", "+0100"))
    first, second = tmp_path / "first.ics", tmp_path / "second.ics"
    installation.run("export", "salon/anna", "-o", first)
    installation.run("import", first, "--into", "salon/room-1")
    installation.run("export", "salon/room-1", "-o", second)

    same = first.read_text().replace("Anna de Vries", "Room 1")
    assert second.read_text() == same


def test_an_empty_calendar_is_an_empty_file(installation: Installation, tmp_path: Path) -> None:
    answer = installation.run("export", "salon/anna", "--output", tmp_path / "anna.ics", "--json")

    assert answer.json == {
        "calendar": "salon/anna",
        "file": str(tmp_path / "anna.ics"),
        "objects": 0,
        "left_out": [],
    }
    assert (tmp_path / "anna.ics").read_bytes().endswith(b"END:VCALENDAR\r\n")


def test_a_place_that_cannot_be_written_is_named(installation: Installation, tmp_path: Path) -> None:
    answer = installation.run("export", "salon/anna", "-o", tmp_path / "nowhere/anna.ics")

    assert answer.code == Exit.FAILED
    assert "cannot be written" in answer.stderr


def test_json_and_the_calendar_itself_do_not_share_stdout(installation: Installation) -> None:
    assert installation.run("export", "salon/anna", "--json").code == Exit.USAGE
