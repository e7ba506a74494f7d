from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from bridge.core.model import ComponentType
from bridge.core.view import Detail
from bridge.feed.entry import FeedSettings
from tests.feed.material import (
    AMSTERDAM,
    CHANGED,
    TODAY,
    checked,
    component,
    components,
    defined_zones,
    entry,
    feed,
    head,
    rebuilt,
    shown,
    stream,
    unfolded,
)

DAY = timedelta(days=1)


def test_the_header_tells_readers_name_zone_and_when_to_come_back() -> None:
    result = feed(name="Salon, Anna; \\o/", description="Two\nlines", refresh=timedelta(minutes=90), color="#3367d6")
    checked(result.body)
    assert head(result.body) == [
        "VERSION:2.0",
        "PRODID:-//Calbridge//Calbridge//EN",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        "NAME:Salon\\, Anna\\; \\\\o/",
        "X-WR-CALNAME:Salon\\, Anna\\; \\\\o/",
        "DESCRIPTION:Two\\nlines",
        "X-WR-CALDESC:Two\\nlines",
        "X-WR-TIMEZONE:Europe/Amsterdam",
        "X-APPLE-CALENDAR-COLOR:#3367d6",
        "REFRESH-INTERVAL;VALUE=DURATION:PT90M",
        "X-PUBLISHED-TTL:PT90M",
        "END:VCALENDAR",
    ]


def test_a_colour_with_a_css_name_stands_in_color_and_a_whole_hour_is_written_as_hours() -> None:
    lines = head(feed(color="tomato", refresh=timedelta(days=1)).body)
    assert "COLOR:tomato" in lines
    assert "X-PUBLISHED-TTL:PT24H" in lines


def test_a_long_name_is_folded_between_characters() -> None:
    body = feed(name="Überlänge 🗓 " * 20).body
    checked(body)
    assert f"NAME:{'Überlänge 🗓 ' * 20}" in unfolded(body)


def test_a_ready_object_is_in_the_feed_byte_for_byte() -> None:
    text = component("SUMMARY:Haircut", "X-OUR-FIELD;X-A=b:kept\\, as it is", "ATTENDEE:mailto:guest@example.org")
    one = entry(stream(text))
    assert one.feed_ready
    body = feed(one).body
    checked(body)
    assert text.encode() in body
    assert b"Other//Program" not in body
    assert b"METHOD:REQUEST" not in body


def test_a_series_stays_one_series_with_its_overrides() -> None:
    one = entry(
        stream(
            component("RRULE:FREQ=WEEKLY;COUNT=4", "SUMMARY:Yoga"),
            component(
                "RECURRENCE-ID;TZID=Europe/Amsterdam:20261208T100000",
                "DTSTART;TZID=Europe/Amsterdam:20261208T120000",
                "SUMMARY:Yoga later",
            ),
        )
    )
    for way in (one, rebuilt(one)):
        found = shown(way)
        assert [str(inner["SUMMARY"]) for inner in found] == ["Yoga", "Yoga later"]
        assert {str(inner["UID"]) for inner in found} == {"one@example.org"}


def test_the_bytes_do_not_depend_on_the_order_of_the_entries() -> None:
    entries = [entry(stream(component(uid=f"{number}@example.org"))) for number in range(20)]
    odd = [rebuilt(one) if number % 3 else one for number, one in enumerate(entries)]
    expected = feed(*odd).body
    random.Random(7).shuffle(odd)
    assert feed(*odd).body == expected


def test_the_bytes_change_with_the_day_only_where_the_window_does() -> None:
    one = entry(stream(component()))
    assert feed(one).body == feed(one, today=date(2026, 11, 22)).body
    assert feed(one, past=DAY, future=30 * DAY, today=date(2027, 1, 1)).body != feed(one).body


def test_only_what_touches_the_window_is_in() -> None:
    def at(day: str, *more: str) -> str:
        return component(f"DTSTART;VALUE=DATE:{day}", *more, uid=day)

    entries = [entry(stream(at(day))) for day in ("20261119", "20261120", "20261121", "20261203")]
    entries.append(entry(stream(at("20200101", "RRULE:FREQ=YEARLY"))))
    found = shown(*entries, past=DAY, future=10 * DAY)
    assert [str(inner["UID"]) for inner in found] == ["20200101", "20261119", "20261120", "20261121"]


def test_a_component_type_that_the_feed_does_not_show_is_out() -> None:
    todo = entry(stream(component("SUMMARY:Order towels", kind="VTODO", uid="todo")))
    event = entry(stream(component()))
    assert [inner.name for inner in shown(todo, event)] == ["VEVENT"]
    both = frozenset({ComponentType.VEVENT, ComponentType.VTODO})
    assert [inner.name for inner in shown(todo, event, components=both)] == ["VEVENT", "VTODO"]
    assert [inner.name for inner in shown(todo, event, components=both, detail=Detail.BUSY)] == ["VEVENT"]


def test_a_journal_entry_can_be_in_a_feed() -> None:
    journal = entry(stream(component("DTSTART;VALUE=DATE:20261120", "SUMMARY:Notes", kind="VJOURNAL")))
    assert [inner.name for inner in shown(journal, components=frozenset({ComponentType.VJOURNAL}))] == ["VJOURNAL"]


def test_categories_choose_objects_whatever_the_case_and_however_they_are_folded() -> None:
    entries = [
        entry(stream(component("CATEGORIES:Walk-in,Massage", uid="a"))),
        entry(stream(component("CATEGORIES:Other", uid="b"))),
        entry(stream(component(uid="c"))),
        entry(stream(component("CATEG\r\n ORIES:massage", uid="d"))),
        entry(stream(component("categories:MASSAGE", uid="e"))),
    ]
    for detail in Detail:
        found = shown(*entries, categories=frozenset({"massage"}), detail=detail)
        assert len(found) == 3
    assert [str(inner["UID"]) for inner in shown(*entries, categories=frozenset({"massage"}))] == ["a", "d", "e"]


def test_reminders_are_in_only_where_the_feed_has_them() -> None:
    alarm = "BEGIN:VALARM\r\nACTION:DISPLAY\r\nDESCRIPTION:Soon\r\nTRIGGER:-PT15M\r\nEND:VALARM"
    one = entry(stream(component("SUMMARY:A", alarm, alarm, "X-AFTER:kept")))
    for way in (one, rebuilt(one)):
        assert shown(way)[0].subcomponents == []
        assert "X-AFTER" in shown(way)[0]
        assert len(shown(way, alarms=True)[0].subcomponents) == 2


def test_a_component_without_dtstamp_gets_the_time_of_its_last_change() -> None:
    text = component().replace("DTSTAMP:20260101T000000Z\r\n", "")
    for inner in shown(entry(stream(text))):
        assert inner["DTSTAMP"].dt == CHANGED


def test_a_shared_appointment_is_in_an_account_feed_once_as_it_was_changed_last() -> None:
    old = entry(stream(component("SUMMARY:Old")), changed_at=CHANGED)
    new = entry(stream(component("SUMMARY:New")), changed_at=CHANGED + DAY)
    newest = entry(stream(component("SUMMARY:Newest")), changed_at=CHANGED + 2 * DAY)
    assert [str(inner["SUMMARY"]) for inner in shown(newest, old, new)] == ["Newest"]
    assert feed(newest, old, new).body == feed(old, new, newest).body


def test_a_lone_override_never_hides_the_series_that_another_resource_has() -> None:
    series = entry(stream(component("RRULE:FREQ=DAILY;COUNT=3")), changed_at=CHANGED)
    lone = entry(stream(component("RECURRENCE-ID;TZID=Europe/Amsterdam:20261202T100000")), changed_at=CHANGED + DAY)
    assert len(shown(lone, series)) == 1
    assert "RRULE" in shown(lone, series)[0]


def test_an_override_without_its_series_stands_alone_under_a_uid_of_its_own() -> None:
    one = entry(
        stream(
            component("RECURRENCE-ID;TZID=Europe/Amsterdam:20261202T100000", "SUMMARY:A"),
            component("RECURRENCE-ID;TZID=Europe/Amsterdam:20261203T100000", "SUMMARY:B"),
        )
    )
    for detail in Detail:
        found = shown(one, detail=detail)
        assert len(found) == 2
        assert len({str(inner["UID"]) for inner in found} | {"one@example.org"}) == 3
        assert not any("RECURRENCE-ID" in inner for inner in found)
        assert feed(one, detail=detail).body == feed(rebuilt(one), detail=detail).body


def test_lone_overrides_in_two_collections_are_each_shown_once() -> None:
    def lone(*days: int) -> bytes:
        return stream(*(component(f"RECURRENCE-ID;TZID=Europe/Amsterdam:202612{day:02}T100000") for day in days))

    here = entry(lone(2, 3), changed_at=CHANGED)
    there = entry(lone(3, 4), changed_at=CHANGED + DAY)
    assert len(shown(here, there)) == 3


def test_an_object_that_cannot_be_read_is_left_out_with_the_reason_and_the_rest_is_served() -> None:
    good = entry(stream(component()))
    broken = replace(rebuilt(good), uid="broken", raw=b"BEGIN:VCALENDAR\r\nnothing")
    result = feed(good, broken)
    assert len(components(result.body)) == 1
    assert [left.uid for left in result.left_out] == ["broken"]
    assert result.left_out[0].reason


def test_bare_line_feeds_long_lines_and_missing_stamps_are_put_right() -> None:
    text = component(f"SUMMARY:{'é' * 100}").replace("DTSTAMP:20260101T000000Z\r\n", "")
    found = shown(entry(stream(text).replace(b"\r\n", b"\n")))
    assert str(found[0]["SUMMARY"]) == "é" * 100


def test_a_name_that_a_fold_hides_is_still_private() -> None:
    for line in ("CLA\r\n SS:PRIVATE", "class:private", "CLASS;X-A=b:CONFIDENTIAL", "CLASS:X-SECRET"):
        body = feed(entry(stream(component("SUMMARY:Hidden", line)))).body
        checked(body)
        assert b"Hidden" not in body


def test_a_rule_that_would_end_the_reading_of_the_feed_leaves_the_first_instance() -> None:
    one = entry(stream(component("RRULE:FREQ=YEARLY;BYMONTH=13", "SUMMARY:Kept")))
    for detail in Detail:
        (found,) = shown(one, detail=detail)
        assert "RRULE" not in found
        assert "DTSTART" in found


def test_a_reminder_that_nobody_can_read_is_left_out_of_its_appointment() -> None:
    def alarm(trigger: str) -> str:
        return f"BEGIN:VALARM\r\nACTION:DISPLAY\r\nDESCRIPTION:Soon\r\n{trigger}\r\nEND:VALARM"

    one = entry(stream(component(alarm("TRIGGER;VALUE=DATE:20261201"), alarm("TRIGGER:-PT15M"))))
    for way in (one, rebuilt(one)):
        assert len(shown(way, alarms=True)[0].subcomponents) == 1


def test_an_extra_period_keeps_its_length() -> None:
    line = "RDATE;TZID=Europe/Amsterdam;VALUE=PERIOD:20261205T100000/20261205T120000,20261207T100000/PT1H"
    one = entry(stream(component("RRULE:FREQ=WEEKLY;COUNT=2", line)))
    for way in (one, rebuilt(one)):
        for detail in Detail:
            body = feed(way, detail=detail).body
            checked(body)
            assert "20261205T100000/20261205T120000" in unfolded(body)
            assert "20261207T100000/PT1H" in unfolded(body)


def test_a_feed_without_appointments_is_a_valid_empty_calendar() -> None:
    assert components(feed().body) == []
    assert defined_zones(feed().body) == []


def test_settings_refuse_a_window_that_runs_backwards_and_a_refresh_that_floods() -> None:
    with pytest.raises(ValueError, match="past into the future"):
        FeedSettings(name="x", past=-DAY)
    with pytest.raises(ValueError, match="within a minute"):
        FeedSettings(name="x", refresh=timedelta(seconds=1))


def test_a_window_begins_at_midnight_in_the_zone_of_the_account() -> None:
    window = FeedSettings(name="x", past=DAY, future=DAY).window(date(2026, 11, 21), AMSTERDAM)
    assert window.start == datetime(2026, 11, 19, 23, tzinfo=UTC)
    assert window.end == datetime(2026, 11, 22, 23, tzinfo=UTC)


@pytest.mark.parametrize("line", ["CREATED:2026", "X_UNDERSCORE:1", "GEO:nowhere", "RRULE:FREQ=DAILY;BYHOUR=25"])
def test_a_property_that_nobody_can_read_is_not_passed_on_to_readers(line: str) -> None:
    (found,) = shown(rebuilt(entry(stream(component("SUMMARY:Kept", line)))))
    assert str(found["SUMMARY"]) == "Kept"
    assert line not in unfolded(feed(rebuilt(entry(stream(component(line))))).body)


@pytest.mark.parametrize(
    "line",
    [
        "RESOURCES:Projector,Screen",
        "IMAGE;VALUE=URI;DISPLAY=BADGE;FMTTYPE=image/png:https://example.org/a.png",
        "CONFERENCE;VALUE=URI;FEATURE=PHONE;LABEL=Ring:tel:+1-412-555-0123",
        "RELATED-TO;RELTYPE=PARENT:abc",
        'X-PLACE;X-ADDRESS="Street 1, Town: here":geo:1,2',
        "ATTACH;ENCODING=BASE64;VALUE=BINARY:AAAA",
        "REQUEST-STATUS:2.0;Success",
    ],
)
def test_a_property_that_few_programs_know_goes_out_with_the_same_value(line: str) -> None:
    one = entry(stream(component("RRULE:FREQ=WEEKLY;COUNT=2", line)))
    for way in (one, rebuilt(one)):
        body = feed(way).body
        checked(body)
        name, value = line.partition(";")[0].partition(":")[0], line.rpartition(":")[2]
        (found,) = [text for text in unfolded(body).split("\r\n") if text.startswith(name)]
        assert found.endswith(value)


def test_a_window_may_reach_to_the_ends_of_time() -> None:
    ever = timedelta(days=3_000_000)
    window = FeedSettings(name="x", past=ever, future=ever).window(TODAY, AMSTERDAM)
    assert (window.start.year, window.end.year) == (1, 9999)


def test_reminders_whose_end_is_in_small_letters_are_taken_out_too() -> None:
    alarm = "BEGIN:VALARM\r\nACTION:DISPLAY\r\nDESCRIPTION:Soon\r\nTRIGGER:-PT15M\r\nEND:valarm"
    assert shown(entry(stream(component(alarm))))[0].subcomponents == []


def test_a_zone_that_the_server_does_not_know_any_more_is_looked_up_in_the_object() -> None:
    raw = stream(component("DTSTART;TZID=Europe/Atlantis:20261201T100000"))
    one = replace(entry(raw), feed_ready=True, tzids=("Europe/Atlantis",))
    assert defined_zones(feed(one).body) == ["Europe/Amsterdam"]


def test_a_property_that_may_stand_once_is_passed_on_once() -> None:
    one = rebuilt(entry(stream(component("SUMMARY:First", "SUMMARY:Second"))))
    assert str(shown(one)[0]["SUMMARY"]) == "First"
