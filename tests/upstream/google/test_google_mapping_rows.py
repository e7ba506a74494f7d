"""Tests each row of the mapping in both directions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from bridge.core.canonical import canonical
from bridge.errors import RemoteRefused
from bridge.upstream.google.mapping import Means, from_google, to_google
from bridge.upstream.google.mapping.colors import CSS3, GOOGLE, nearest
from bridge.upstream.google.mapping.rows import ROWS
from tests.upstream.google.google_answers import MASTER_ID, ZONE, answered, calendar, event, parsed, there_and_back

if TYPE_CHECKING:
    from collections.abc import Mapping

TIMED = (f"DTSTART;TZID={ZONE}:20270302T090000", f"DTEND;TZID={ZONE}:20270302T100000")
NONE_RINGS = ("BEGIN:VALARM", "ACTION:NONE", "TRIGGER;VALUE=DATE-TIME:19760401T005545Z", "END:VALARM")


def alarm(trigger: str, action: str = "DISPLAY") -> tuple[str, ...]:
    return ("BEGIN:VALARM", f"ACTION:{action}", trigger, "DESCRIPTION:Reminder", "END:VALARM")


def popups(*minutes: int) -> dict[str, Any]:
    return {"reminders": {"useDefault": False, "overrides": [{"method": "popup", "minutes": one} for one in minutes]}}


@dataclass(frozen=True)
class Case:
    """What stands in an event here, what Google is given, and what comes back.

    Attributes:
        row: The row that it is about.
        here: The lines of an event; its times are added where it has none.
        fields: The fields that Google is given, among others.
        private: The marks among them.
        back: What comes back in place of what went, where it is not the same.
    """

    row: str
    here: tuple[str, ...]
    fields: Mapping[str, Any] = field(default_factory=dict)
    private: Mapping[str, str] = field(default_factory=dict)
    back: tuple[str, ...] | None = None

    @property
    def raw(self) -> bytes:
        return event(*(() if any(line.startswith("DTSTART") for line in self.here) else TIMED), *self.here)


def at(wall: str, zone: str = ZONE) -> dict[str, str]:
    return {"dateTime": wall, "timeZone": zone}


CASES = [
    Case("UID", (), private={"calbridgeUid": "sample@example.org"}),
    Case("DTSTAMP", ("SEQUENCE:3",), back=()),
    Case("DTSTART", TIMED, {"start": at("2027-03-02T09:00:00+01:00"), "end": at("2027-03-02T10:00:00+01:00")}),
    Case("DTSTART", ("DTSTART:20270302T090000Z", "DTEND:20270302T100000Z"),
         {"start": at("2027-03-02T09:00:00Z", "UTC"), "end": at("2027-03-02T10:00:00Z", "UTC")}),
    Case("DTSTART", ("DTSTART;VALUE=DATE:20270302", "DTEND;VALUE=DATE:20270305"),
         {"start": {"date": "2027-03-02"}, "end": {"date": "2027-03-05"}}),
    Case("DTSTART", ("DTSTART;VALUE=DATE:20270302",),
         {"start": {"date": "2027-03-02"}, "end": {"date": "2027-03-03"}},
         back=("DTSTART;VALUE=DATE:20270302", "DTEND;VALUE=DATE:20270303")),
    Case("DTSTART", TIMED[:1], {"end": at("2027-03-02T09:00:00+01:00")}, back=(TIMED[0], f"DTEND{TIMED[0][7:]}")),
    Case("DTSTART", (TIMED[0], "DURATION:P1DT2H"), {"end": at("2027-03-03T11:00:00+01:00")},
         back=(TIMED[0], f"DTEND;TZID={ZONE}:20270303T110000")),
    Case("DTSTART", ("DTSTART:20270302T090000", "DTEND:20270302T100000"),
         {"start": at("2027-03-02T09:00:00+01:00")}, {"calbridgeFloating": ZONE}),
    Case("DTSTART", ("DTSTART;TZID=Europe/London:20270302T090000", "DTEND;TZID=Asia/Tokyo:20270302T230000"),
         {"start": at("2027-03-02T09:00:00Z", "Europe/London"), "end": at("2027-03-02T23:00:00+09:00", "Asia/Tokyo")}),
    Case("DTSTART", ("DTSTART;TZID=GMT-0500:20270302T090000", "DTEND;TZID=GMT-0500:20270302T100000"),
         {"start": at("2027-03-02T09:00:00-05:00", "Etc/GMT+5")},
         back=("DTSTART;TZID=Etc/GMT+5:20270302T090000", "DTEND;TZID=Etc/GMT+5:20270302T100000")),
    Case("SUMMARY", ("SUMMARY:Haircut 💇\\, wash\\; dry \\\\o/",), {"summary": "Haircut 💇, wash; dry \\o/"}),
    Case("SUMMARY", (), {}),
    Case("DESCRIPTION", ("DESCRIPTION:Bring: \\n- shoes\\n- towel",), {"description": "Bring: \n- shoes\n- towel"}),
    Case("DESCRIPTION", ("DESCRIPTION:" + "longer and longer " * 1000 + ".",), {}),
    Case("DESCRIPTION", ("DESCRIPTION:use <b> and &amp\\; in <anna@example.org>'s page",),
         {"description": "use &lt;b&gt; and &amp;amp; in &lt;anna@example.org&gt;'s page"}),
    Case("DESCRIPTION", ("DESCRIPTION:Guests:\\n- Anna <anna@example.org>\\n- 3 < 4",),
         {"description": "Guests:\n- Anna &lt;anna@example.org&gt;\n- 3 &lt; 4"}),
    Case("LOCATION", ("LOCATION:Room 1\\, Main Street 5",), {"location": "Room 1, Main Street 5"}),
    Case("STATUS", ("STATUS:TENTATIVE",), {"status": "tentative"}),
    Case("STATUS", ("STATUS:CONFIRMED",), {"status": "confirmed"}, back=()),
    Case("STATUS", ("SUMMARY:Massage", "STATUS:CANCELLED"),
         {"status": "confirmed", "summary": "Cancelled: Massage", "transparency": "transparent"},
         {"calbridgeStatus": "CANCELLED"}),
    Case("STATUS", ("SUMMARY:Massage", "STATUS:CANCELLED", "TRANSP:TRANSPARENT"), {"status": "confirmed"},
         {"calbridgeStatus": "CANCELLED TRANSPARENT"}),
    Case("STATUS", ("STATUS:CANCELLED",), {"summary": "Cancelled: "}),
    Case("TRANSP", ("TRANSP:TRANSPARENT",), {"transparency": "transparent"}),
    Case("TRANSP", ("TRANSP:OPAQUE",), {"transparency": "opaque"}),
    Case("CLASS", ("CLASS:PRIVATE",), {"visibility": "private"}),
    Case("CLASS", ("CLASS:CONFIDENTIAL",), {"visibility": "confidential"}),
    Case("CLASS", ("CLASS:PUBLIC",), {"visibility": "default"}),
    Case("CLASS", ("CLASS:X-SECRET",), {"visibility": "private"}, back=("CLASS:PRIVATE",)),
    Case("COLOR", ("COLOR:crimson",), {"colorId": "11"}),
    Case("COLOR", ("COLOR:turquoise",), {"colorId": "7"}, back=("COLOR:deepskyblue",)),
    Case("COLOR", ("COLOR:#ff0000",), {}, back=()),
    Case("CATEGORIES", ("CATEGORIES:Massage,Sports\\, outdoors",), private={
        "calbridgeCategories": "Massage,Sports\\, outdoors"}),
    Case("CATEGORIES", ("CATEGORIES:" + ",".join(f"category {number}" for number in range(300)),)),
    Case("URL", ("URL:https://example.org/booking?id=5&x=1",),
         {"source": {"url": "https://example.org/booking?id=5&x=1", "title": "https://example.org/booking?id=5&x=1"}}),
    Case("URL", ("URL:message:%3C1@example.org%3E",), {}, back=()),
    Case("ORGANIZER", ("ORGANIZER;CN=Anna:mailto:anna@example.org",), {}, back=()),
    Case("ATTENDEE", ('ATTENDEE;CN="Bo, the guest";PARTSTAT=ACCEPTED:mailto:bo@example.org',
                      "ATTENDEE;ROLE=OPT-PARTICIPANT:mailto:cy@example.org",
                      "ATTENDEE;CUTYPE=RESOURCE;PARTSTAT=DECLINED:mailto:laser@example.org"),
         {"attendees": [
             {"email": "bo@example.org", "displayName": "Bo, the guest", "responseStatus": "accepted"},
             {"email": "cy@example.org", "responseStatus": "needsAction", "optional": True},
             {"email": "laser@example.org", "responseStatus": "declined", "resource": True}]}),
    Case("ATTENDEE", ("ATTENDEE;X-NUM-GUESTS=2;X-RESPONSE-COMMENT=Late:mailto:bo@example.org",),
         {"attendees": [{"email": "bo@example.org", "responseStatus": "needsAction", "additionalGuests": 2,
                         "comment": "Late"}]}),
    Case("ATTENDEE", ("ATTENDEE;CN=Nobody:urn:uuid:1",), {}, back=()),
    Case("CONFERENCE", ("CONFERENCE;VALUE=URI;FEATURE=VIDEO:https://meet.example.org/1",), {}, back=()),
    Case("ATTACH", ("ATTACH:https://example.org/invoice.pdf",), {}, back=()),
    Case("X-CALBRIDGE-SPECIAL", ("X-CALBRIDGE-SPECIAL:focusTime",), {}, back=()),
    Case("X-CALBRIDGE-ORIGIN", ("X-CALBRIDGE-ORIGIN:0123456789abcdef.fedcba9876543210",),
         private={"calbridgeOrigin": "0123456789abcdef.fedcba9876543210"}),
    Case("VALARM", (), {"reminders": {"useDefault": True}}),
    Case("VALARM", NONE_RINGS, {"reminders": {"useDefault": False, "overrides": []}}),
    Case("VALARM", alarm("TRIGGER:-PT15M"), popups(15)),
    Case("VALARM", alarm("TRIGGER:PT0S"), popups(0)),
    Case("VALARM", alarm("TRIGGER:-P1D"), popups(1440), back=alarm("TRIGGER:-PT1440M")),
    Case("VALARM", alarm("TRIGGER:-PT15M", "AUDIO"), popups(15), back=alarm("TRIGGER:-PT15M")),
    Case("VALARM", alarm("TRIGGER;RELATED=END:-PT90M"), popups(30), back=alarm("TRIGGER:-PT30M")),
    Case("VALARM", alarm("TRIGGER;VALUE=DATE-TIME:20270302T070000Z"), popups(60), back=alarm("TRIGGER:-PT60M")),
    Case("VALARM", alarm("TRIGGER:PT10M"), popups(), back=NONE_RINGS),
    Case("VALARM", alarm("TRIGGER:-P30D"), popups(), back=NONE_RINGS),
    Case("VALARM", tuple(line for minutes in range(10, 80, 10) for line in alarm(f"TRIGGER:-PT{minutes}M")),
         popups(10, 20, 30, 40, 50),
         back=tuple(line for minutes in range(10, 60, 10) for line in alarm(f"TRIGGER:-PT{minutes}M"))),
]  # fmt: skip


def meaning(raw: bytes) -> list[str]:
    """The canonical lines, one below the other."""
    return canonical(parsed(raw)).split("\n")


@pytest.mark.parametrize("row", [row.name for row in ROWS])
def test_each_row_of_the_mapping_has_a_case(row: str) -> None:
    assert row in {case.row for case in CASES}


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.row}: {' '.join(case.here)[:60]}")
def test_a_property_goes_to_google(case: Case) -> None:
    body = to_google(parsed(case.raw), zone=ZONE).master
    assert {name: body[name] for name in case.fields} == case.fields
    private = body["extendedProperties"]["private"]
    assert {name: private[name] for name in case.private} == case.private


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.row}: {' '.join(case.here)[:60]}")
def test_a_property_comes_back(case: Case) -> None:
    back = there_and_back(parsed(case.raw)).raw
    expected = case.raw if case.back is None else Case(case.row, case.back).raw
    assert meaning(back) == meaning(expected)


@pytest.mark.parametrize(
    ("line", "name", "means"),
    [
        ("GEO:52.1;4.9", "GEO", Means.LEFT_OUT),
        ("ATTACH:https://example.org/invoice.pdf", "ATTACH", Means.LEFT_OUT),
        ("URL:message:%3C1@example.org%3E", "URL", Means.LEFT_OUT),
        ("COLOR:turquoise", "COLOR", Means.EMULATED),
        ("STATUS:CANCELLED", "STATUS", Means.EMULATED),
        ("CLASS:X-SECRET", "CLASS", Means.EMULATED),
    ],
)
def test_what_google_has_no_place_for_is_noted(line: str, name: str, means: Means) -> None:
    notes = to_google(parsed(event(*TIMED, line)), zone=ZONE).notes
    assert [(note.property_name, note.means) for note in notes] == [(name, means)]


def test_an_appointment_that_google_holds_as_it_is_has_no_notes() -> None:
    lines = ("SUMMARY:Massage", "LOCATION:Room 1", "CATEGORIES:Sports", "X-MOZ-LASTACK:20260101T000000Z")
    assert to_google(parsed(event(*TIMED, *lines, *alarm("TRIGGER:-PT15M"))), zone=ZONE).notes == ()


def test_a_reminder_by_mail_goes_there_and_comes_back_for_the_owner_of_the_calendar() -> None:
    mail = (*alarm("TRIGGER:-PT60M", "EMAIL")[:-1], "SUMMARY:Soon", "ATTENDEE:mailto:anna@example.org", "END:VALARM")
    whole = to_google(parsed(event(*TIMED, *mail)), zone=ZONE)
    master, _ = answered(whole)
    assert master["reminders"]["overrides"] == [{"method": "email", "minutes": 60}]
    text = from_google({**master, "organizer": {"email": "anna@example.org", "self": True}}, [], zone=ZONE)
    assert b"ACTION:EMAIL\r\nTRIGGER:-PT60M\r\n" in text
    assert b"ATTENDEE:mailto:anna@example.org\r\n" in text


def test_a_uid_longer_than_a_mark_is_kept_in_pieces() -> None:
    uid = "a" * 2_500 + "@example.org"
    obj = parsed(event(*TIMED, uid=uid))
    marks = to_google(obj, zone=ZONE).master["extendedProperties"]["private"]
    assert [len(marks[key]) for key in ("calbridgeUid", "calbridgeUid2", "calbridgeUid3")] == [1000, 1000, 512]
    assert there_and_back(obj).uid == uid


def test_the_marks_of_a_copy_do_not_make_it_ours() -> None:
    origin = "X-CALBRIDGE-ORIGIN:0123456789abcdef.fedcba9876543210"
    master, _ = answered(to_google(parsed(event(*TIMED, origin, "CATEGORIES:Sports")), zone=ZONE))
    copy = {**master, "id": "copyofit", "iCalUID": "copyofit@google.com"}
    text = from_google(copy, [], zone=ZONE)
    assert b"UID:copyofit@google.com\r\n" in text
    assert b"X-CALBRIDGE-ORIGIN" not in text
    assert b"CATEGORIES:Sports\r\n" in text


def test_an_instance_is_ours_by_the_id_of_its_series() -> None:
    master, _ = answered(to_google(parsed(event(*TIMED, "RRULE:FREQ=DAILY;COUNT=3")), zone=ZONE))
    instance = {key: value for key, value in master.items() if key != "recurrence"} | {
        "id": f"{MASTER_ID}_20270303T080000Z",
        "recurringEventId": MASTER_ID,
        "originalStartTime": {"dateTime": "2027-03-03T09:00:00+01:00", "timeZone": ZONE},
    }
    assert b"UID:sample@example.org\r\n" in from_google(None, [instance], zone=ZONE)


@pytest.mark.parametrize("number", GOOGLE)
def test_the_name_of_each_of_googles_colours_leads_back_to_it(number: str) -> None:
    assert nearest(GOOGLE[number][0]) == number


def test_every_name_of_css3_has_a_colour_at_google() -> None:
    assert len(CSS3) == 147
    assert {nearest(name.upper()) for name in CSS3} == set(GOOGLE)


@pytest.mark.parametrize("kind", ["VTODO", "VJOURNAL"])
def test_only_events_go_to_google(kind: str) -> None:
    raw = calendar([f"BEGIN:{kind}", "UID:1", "DTSTAMP:20260101T000000Z", TIMED[0], f"END:{kind}"])
    with pytest.raises(RemoteRefused) as refusal:
        to_google(parsed(raw), zone=ZONE)
    assert refusal.value.property_name == kind
    assert refusal.value.remedy
