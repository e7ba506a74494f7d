"""What went wrong with series, times and texts for Google's users, with the real adapter (pains 7 to 15)."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from tests.fakes.google.fake import call_of, lose_answer
from tests.pains.at_google import DAY, HOUR, moment, only, put, single
from tests.pains.desk import seen_by_others
from tests.pains.lessons import always, kept_away_by
from tests.pains.test_pains_of_series import zoned_series
from tests.store.appointments import parse
from tests.sync.appointments import START, all_day, event, series
from tests.sync.series_by_hand import shown_here, shown_there

if TYPE_CHECKING:
    from tests.sync.google_side import GoogleDesk


@kept_away_by("bridge.upstream.google.mapping.pattern:_Writing._must_be_listed", always(value=True))
def test_pain_07_a_daily_series_is_one_series_at_google_and_one_request(bridge: GoogleDesk) -> None:
    bridge.rule()
    bridge.sync()
    bridge.at_google().writes()
    bridge.resource().put(series(days=500))

    bridge.poll()

    assert bridge.at_google().writes() == ["POST"]
    assert only(bridge.at_google().page)["recurrence"] == ["RRULE:FREQ=DAILY;COUNT=500"]


@kept_away_by("bridge.sync.doing:splits", lambda _: lambda *_, **__: [])
def test_pain_08_this_and_following_at_google_is_one_change_here(bridge: GoogleDesk) -> None:
    bridge.rule()
    bridge.resource().put(series(days=10))
    bridge.rest()
    page = bridge.at_google().page
    fifth = START + 4 * DAY + HOUR
    page.split(page.instances[4]["id"], start=moment(fifth), end=moment(fifth + HOUR))
    seen: list[int] = []

    with seen_by_others(bridge.database, lambda: seen.append(len(shown_here(bridge.objects())))):
        bridge.poll()

    assert shown_here(bridge.objects()) == shown_there(page)
    # Nobody here ever saw a half of it, nor both parts at the same time.
    assert set(seen) == {10}


def by_the_wall(_: Any) -> Any:
    """Instances named by what the clock shows in whatever zone Google shows it."""

    def name_of(event: Any, *_: object) -> str:
        wall = event["originalStartTime"]["dateTime"][:19]
        return f"{wall.replace('-', '').replace(':', '')}Z"

    return name_of


@kept_away_by("bridge.upstream.google.mapping.reading:name_of", by_the_wall)
def test_pain_10_an_instance_in_a_zone_abroad_is_the_one_that_was_moved(bridge: GoogleDesk) -> None:
    bridge.rule()
    bridge.resource().put(zoned_series())
    bridge.rest()
    page = bridge.at_google().page
    # Nine o'clock in New York, a week after the clocks went back there and two after they did here.
    moved = datetime.fromisoformat("2026-11-08T11:00:00-05:00")
    page.edit(f"{only(page)['id']}_20261108T140000Z", start=moment(moved), end=moment(moved + HOUR))

    bridge.poll()

    assert shown_here(bridge.objects()) == shown_there(page)
    assert [start.isoformat() for start, _, _ in shown_there(page)][-3:] == [
        "2026-11-01T14:00:00+00:00",
        "2026-11-08T16:00:00+00:00",
        "2026-11-15T14:00:00+00:00",
    ]


def from_midnight(original: Any) -> Any:
    """Days written as the hours from midnight to midnight."""

    def written(value: date | datetime, zone: str) -> Any:
        return original(value if isinstance(value, datetime) else datetime(*value.timetuple()[:3]), zone)  # noqa: DTZ001 -- the pain itself

    return written


@kept_away_by("bridge.upstream.google.mapping.rows:written", from_midnight)
def test_pain_11_a_whole_day_stays_one_at_google_and_back(bridge: GoogleDesk) -> None:
    bridge.rule()
    bridge.resource().put(all_day("one"))
    bridge.rest()
    page = bridge.at_google().page
    there = only(page)
    assert (there["start"], there["end"]) == ({"date": "2026-11-25"}, {"date": "2026-11-26"})

    page.edit(there["id"], start={"date": "2026-11-26"}, end={"date": "2026-11-28"})
    bridge.poll()

    assert "DTSTART;VALUE=DATE:20261126\nDTEND;VALUE=DATE:20261128\n" in bridge.resource().text("one")


HTML = "Bring a <b>photo</b><br>and a <a href='https://example.org'>smile</a>"


@kept_away_by("bridge.upstream.google.becoming:changed", lambda _: lambda wanted, _now: dict(wanted))
def test_pain_12_what_googles_editor_wrote_stays_and_is_not_written_again(bridge: GoogleDesk) -> None:
    there = put(bridge, "DESCRIPTION:Bring a photo")
    page = bridge.at_google().page
    page.edit(there["id"], description=HTML)
    bridge.poll()
    assert "DESCRIPTION:Bring a photo\\nand a smile" in bridge.resource().text("one")
    bridge.at_google().writes()

    [here] = bridge.objects()
    bridge.resource().put(parse(here.raw.replace(b"SUMMARY:Haircut", b"SUMMARY:Colour")))
    bridge.poll()
    assert bridge.at_google().writes() == ["PATCH"]
    bridge.rest()
    bridge.night()

    assert bridge.at_google().writes() == []
    assert (only(page)["summary"], only(page)["description"]) == ("Colour", HTML)


@kept_away_by("bridge.upstream.google.mapping.marks:is_own", always(value=False))
def test_pain_15_what_was_written_and_never_answered_is_neither_new_nor_written_again(bridge: GoogleDesk) -> None:
    bridge.rule()
    bridge.sync()
    bridge.resource().put(event("one"))
    bridge.google.script(lose_answer(), when=call_of("POST"))
    bridge.sync(fails=True)

    bridge.rest()
    bridge.night()

    assert bridge.at_google().titles() == ["Haircut"]
    assert bridge.resource().titles() == {"one": "Haircut"}


HOME: dict[str, Any] = {
    "workingLocationProperties": {"type": "homeOffice", "homeOffice": {}},
    "transparency": "transparent",
    "visibility": "public",
}


@kept_away_by("bridge.core.view:is_special", always(value=False))
def test_near_miss_focus_time_and_working_location_take_time_or_are_left_out_as_the_rule_says(
    bridge: GoogleDesk,
) -> None:
    for resource, calendar, special in (("anna", "shelf", "block"), ("bob", "other", "ignore")):
        bridge.rule(resource, resource, calendar, pull={"special": special})
        page = bridge.at_google(calendar).page
        page.put(single("Focus", eventType="focusTime"))
        page.put(single("Away", START + DAY, eventType="outOfOffice"))
        page.put(single("Home", START + 2 * DAY, eventType="workingLocation", **HOME))
        page.put(single("Yoga", START + 3 * DAY))
        bridge.poll(resource)

    free = {each.summary for each in bridge.objects("anna") if b"TRANSP:TRANSPARENT" in each.raw}
    assert set(bridge.resource("anna").titles().values()) == {"Focus", "Away", "Home", "Yoga"}
    assert free == {"Home"}
    assert list(bridge.resource("bob").titles().values()) == ["Yoga"]


def an_hour_at_least(original: Any) -> Any:
    """Times for somebody who thinks that an appointment lasts."""

    def start_and_end(*args: Any) -> Any:
        start, end = original(*args)
        return start, end if end > start else start + HOUR

    return start_and_end


@kept_away_by("bridge.upstream.google.mapping.rows:start_and_end", an_hour_at_least)
def test_near_miss_an_appointment_of_no_length_goes_to_google_and_comes_from_there(bridge: GoogleDesk) -> None:
    bridge.rule()
    page = bridge.at_google().page
    page.put(single("Theirs", length=timedelta()))
    raw = event("ours", "Ours").raw.replace(b"DTEND:20261125T100000Z", b"DTEND:20261125T090000Z")
    bridge.resource().put(parse(raw))

    bridge.rest()

    assert shown_here(bridge.objects()) == shown_there(page) == [(START, START, "Ours"), (START, START, "Theirs")]
    bridge.at_google().writes()
    bridge.night()
    assert bridge.at_google().writes() == []


def test_near_miss_a_meeting_of_two_stands_in_the_google_calendar_of_each(bridge: GoogleDesk) -> None:
    bridge.rule("one", "anna", "shelf")
    bridge.rule("two", "room", "second")
    bridge.resource("anna").put(event("shared"))
    bridge.resource("room").put(event("shared"))
    bridge.rest()
    assert bridge.at_google("shelf").titles() == bridge.at_google("second").titles() == ["Haircut"]

    page = bridge.at_google("second").page
    page.edit(only(page)["id"], summary="Colour")
    bridge.rest()

    assert bridge.at_google("shelf").titles() == bridge.at_google("second").titles() == ["Colour"]
    assert bridge.resource("anna").titles() == {"shared": "Colour"}
