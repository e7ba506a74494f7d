from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import recurring_ical_events

from bridge.core.model import ComponentType
from bridge.core.view import Detail
from tests.feed.material import checked, component, entry, feed, read, rebuilt, shown, stream

if TYPE_CHECKING:
    from bridge.feed.entry import FeedEntry

SECRETS = (
    "SUMMARY;LANGUAGE=nl:Mrs Secret",
    "DESCRIPTION:Secret story",
    "LOCATION:Secret street",
    "ORGANIZER;CN=Secret:mailto:secret@example.org",
    "ATTENDEE;CN=Secret:mailto:secret@example.org",
    "CATEGORIES:Secret",
    "URL:https://secret.example.org",
    "X-SECRET:Secret",
    "COMMENT:Secret",
    "CONTACT:Secret",
    "ATTACH:https://secret.example.org/a",
    "GEO:52.1;4.3",
    "BEGIN:VALARM\r\nACTION:DISPLAY\r\nDESCRIPTION:Secret\r\nSUMMARY:Secret\r\nTRIGGER:-PT5M\r\nEND:VALARM",
)
TIMES = {"UID", "DTSTAMP", "SEQUENCE", "DTSTART", "DTEND", "RRULE", "EXDATE", "RDATE"}


def both_ways(raw: bytes) -> list[FeedEntry]:
    return [entry(raw), rebuilt(entry(raw))]


def starts(body: bytes) -> list[str]:
    calendar = read(body)
    return sorted(str(event["DTSTART"].dt) for event in recurring_ical_events.of(calendar).between(2026, 2028))


def test_a_busy_feed_shows_times_and_nothing_else() -> None:
    raw = stream(component(*SECRETS, "RRULE:FREQ=DAILY;COUNT=3", "SEQUENCE:4", uid="secret@secret.example.org"))
    for way in both_ways(raw):
        (found,) = shown(way, detail=Detail.BUSY, alarms=True)
        assert set(found) == {"UID", "DTSTAMP", "SEQUENCE", "DTSTART", "DTEND", "RRULE", "SUMMARY", "TRANSP"}
        assert (str(found["SUMMARY"]), str(found["TRANSP"])) == ("Busy", "OPAQUE")
        assert b"secret" not in feed(way, detail=Detail.BUSY).body.lower()


def test_a_feed_of_titles_shows_title_times_and_state() -> None:
    raw = stream(component(*SECRETS, "STATUS:TENTATIVE", "TRANSP:TRANSPARENT", uid="x@secret.example.org"))
    for way in both_ways(raw):
        (found,) = shown(way, detail=Detail.TITLES, alarms=True)
        assert set(found) == {"UID", "DTSTAMP", "DTSTART", "DTEND", "SUMMARY", "STATUS", "TRANSP"}
        assert found.subcomponents == []
        assert str(found["SUMMARY"]) == "Mrs Secret"
        assert feed(way, detail=Detail.TITLES).body.lower().count(b"secret") == 1


def test_a_full_feed_shows_everything_but_reminders() -> None:
    for way in both_ways(stream(component(*SECRETS))):
        assert set(shown(way)[0]) >= {"DESCRIPTION", "LOCATION", "ATTENDEE", "ORGANIZER", "X-SECRET", "ATTACH", "GEO"}


def test_a_parameter_that_says_more_than_the_time_is_not_in_a_busy_feed() -> None:
    raw = stream(component("DTSTART;X-WHO=Secret;TZID=Europe/Amsterdam:20261201T100000"))
    for way in both_ways(raw):
        assert b"Secret" not in feed(way, detail=Detail.BUSY).body
        shown(way, detail=Detail.BUSY)


def test_a_hidden_uid_is_the_same_in_every_feed_and_for_every_way() -> None:
    raw = stream(component(uid="a@example.org"))
    uids = {str(shown(way, detail=level)[0]["UID"]) for way in both_ways(raw) for level in (Detail.BUSY, Detail.TITLES)}
    assert len(uids) == 1
    assert uids.pop().endswith("@calbridge")


@pytest.mark.parametrize("line", ["TRANSP:TRANSPARENT", "STATUS:CANCELLED", "status:cancelled"])
def test_what_takes_no_time_is_not_in_a_busy_feed(line: str) -> None:
    for way in both_ways(stream(component(line))):
        assert shown(way, detail=Detail.BUSY) == []
        assert len(shown(way, detail=Detail.TITLES)) == 1
        assert len(shown(way)) == 1


@pytest.mark.parametrize("line", ["TRANSP:TRANSPARENT", "STATUS:CANCELLED"])
@pytest.mark.parametrize("recurrence_id", [";TZID=Europe/Amsterdam:20261202T100000", ":20261202T090000Z"])
def test_an_instance_that_takes_no_time_is_taken_out_of_a_busy_series(line: str, recurrence_id: str) -> None:
    raw = stream(component("RRULE:FREQ=DAILY;COUNT=3"), component(f"RECURRENCE-ID{recurrence_id}", line))
    for way in both_ways(raw):
        body = feed(way, detail=Detail.BUSY).body
        checked(body)
        assert b"EXDATE;TZID=Europe/Amsterdam:20261202T100000\r\n" in body
        assert starts(body) == ["2026-12-01 10:00:00+01:00", "2026-12-03 10:00:00+01:00"]


def test_a_cancelled_instance_of_an_all_day_series_is_taken_out_as_a_date() -> None:
    raw = stream(
        component("DTSTART;VALUE=DATE:20261201", "RRULE:FREQ=DAILY;COUNT=3"),
        component("DTSTART;VALUE=DATE:20261202", "RECURRENCE-ID;VALUE=DATE:20261202", "STATUS:CANCELLED"),
    )
    body = feed(entry(raw), detail=Detail.BUSY).body
    assert b"EXDATE;VALUE=DATE:20261202\r\n" in body
    assert starts(body) == ["2026-12-01", "2026-12-03"]


def test_this_and_all_following_cancelled_ends_a_busy_series() -> None:
    raw = stream(
        component("RRULE:FREQ=DAILY;COUNT=6"),
        component("RECURRENCE-ID;RANGE=THISANDFUTURE;TZID=Europe/Amsterdam:20261203T100000", "STATUS:CANCELLED"),
    )
    body = feed(entry(raw), detail=Detail.BUSY).body
    assert starts(body) == ["2026-12-01 10:00:00+01:00", "2026-12-02 10:00:00+01:00"]


def test_a_busy_override_of_a_free_series_stands_alone() -> None:
    raw = stream(
        component("RRULE:FREQ=DAILY;COUNT=3", "TRANSP:TRANSPARENT"),
        component("RECURRENCE-ID;TZID=Europe/Amsterdam:20261202T100000", "DTSTART:20261202T120000Z"),
    )
    body = feed(entry(raw), detail=Detail.BUSY).body
    checked(body)
    assert starts(body) == ["2026-12-02 13:00:00+01:00"]


@pytest.mark.parametrize("line", ["CLASS:PRIVATE", "CLASS:CONFIDENTIAL", "CLASS:X-OURS", "Class:private"])
@pytest.mark.parametrize("detail", list(Detail))
def test_a_private_appointment_is_a_busy_block_at_every_level(line: str, detail: Detail) -> None:
    for way in both_ways(stream(component(*SECRETS, line, uid="x@secret.example.org"))):
        (found,) = shown(way, detail=detail)
        assert str(found["SUMMARY"]) == "Busy"
        assert b"secret" not in feed(way, detail=detail, alarms=True).body.lower()


def test_a_private_appointment_that_takes_no_time_is_not_shown_at_all() -> None:
    assert shown(entry(stream(component("CLASS:PRIVATE", "TRANSP:TRANSPARENT")))) == []


def test_a_private_override_hides_that_instance_only() -> None:
    raw = stream(
        component("RRULE:FREQ=DAILY;COUNT=3", "SUMMARY:Open"),
        component("RECURRENCE-ID;TZID=Europe/Amsterdam:20261202T100000", "SUMMARY:Hidden", "CLASS:PRIVATE"),
    )
    for way in both_ways(raw):
        assert [str(inner["SUMMARY"]) for inner in shown(way)] == ["Open", "Busy"]
        assert {str(inner["UID"]) for inner in shown(way)} == {"one@example.org"}


def test_an_override_of_a_private_series_that_says_nothing_is_private_too() -> None:
    raw = stream(
        component("RRULE:FREQ=DAILY;COUNT=3", "SUMMARY:Hidden", "CLASS:PRIVATE"),
        component("RECURRENCE-ID;TZID=Europe/Amsterdam:20261202T100000", "SUMMARY:Hidden too"),
    )
    assert [str(inner["SUMMARY"]) for inner in shown(entry(raw))] == ["Busy", "Busy"]


def test_a_private_to_do_shows_when_it_is_due_and_no_more() -> None:
    raw = stream(component("DUE:20261201T100000Z", "SUMMARY:Hidden", "CLASS:PRIVATE", kind="VTODO"))
    (found,) = shown(entry(raw), components=frozenset({ComponentType.VTODO}))
    assert (str(found["SUMMARY"]), "DUE" in found, "TRANSP" in found) == ("Busy", True, False)


def test_of_two_overrides_for_one_instance_the_one_with_the_higher_sequence_is_shown() -> None:
    at = "RECURRENCE-ID;TZID=Europe/Amsterdam:20261202T100000"
    raw = stream(
        component("RRULE:FREQ=DAILY;COUNT=3", "SUMMARY:Series"),
        component(at, "SUMMARY:Newer", "SEQUENCE:2"),
        component(at, "SUMMARY:Older", "SEQUENCE:1"),
    )
    assert [str(inner["SUMMARY"]) for inner in shown(rebuilt(entry(raw)))] == ["Series", "Newer"]


def test_a_reminder_without_trigger_is_not_passed_on() -> None:
    raw = stream(component("BEGIN:VALARM\r\nACTION:DISPLAY\r\nDESCRIPTION:x\r\nEND:VALARM"))
    assert shown(rebuilt(entry(raw)), alarms=True)[0].subcomponents == []
