"""The pains of Google's users, felt or not with the real adapter and a Google of its own (7 to 24 and near misses)."""

from __future__ import annotations

import html
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from bridge.errors import LoginRefused
from tests.fakes.google.fake import call_of, lose_answer
from tests.pains.desk import seen_by_others
from tests.pains.lessons import always, instead, kept_away_by
from tests.pains.test_pains_of_deletion import reading_on
from tests.pains.test_pains_of_people import GUESTS, never_pulling
from tests.pains.test_pains_of_series import zoned_series
from tests.store.appointments import parse
from tests.store.desk import Clock
from tests.sync.appointments import START, all_day, event, series
from tests.sync.series_by_hand import shown_here, shown_there
from tests.sync.stage import new_database
from tests.sync.watching import WatchDesk
from tests.upstream.oauth.agreeing import office

if TYPE_CHECKING:
    from pathlib import Path

    from tests.fakes.google.by_hand import ByHand
    from tests.sync.google_side import GoogleDesk

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def single(title: str, start: datetime = START, length: timedelta = HOUR, **more: Any) -> dict[str, Any]:
    """An event as somebody makes it at Google's page."""
    return {"summary": title, "start": moment(start), "end": moment(start + length), **more}


def moment(at: datetime) -> dict[str, str]:
    return {"dateTime": at.isoformat(), "timeZone": "Europe/Amsterdam"}


def only(page: ByHand) -> dict[str, Any]:
    """The only event, or series."""
    [found] = [each for each in page.events if "recurringEventId" not in each]
    return found


def put(bridge: GoogleDesk, *lines: str) -> dict[str, Any]:
    """An appointment stands on both sides; gives it as it is at Google."""
    bridge.rule()
    bridge.resource().put(event("one", "Haircut", *lines))
    bridge.rest()
    return only(bridge.at_google().page)


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


def inviting(_: Any) -> Any:
    """A creation after which Google writes to everybody."""

    def insert(self: Any, body: Any) -> Any:
        return self.wire.ask(self.service.events.insert(calendarId=self.calendar, body=body, sendUpdates="all"))

    return insert


@kept_away_by("bridge.upstream.google.place:Place.insert", inviting)
def test_pain_16_google_writes_to_nobody_though_the_guests_go_along(bridge: GoogleDesk) -> None:
    bridge.rule(attendees=True)
    bridge.resource().put(event("one", "Haircut", *GUESTS))
    bridge.rest()
    page = bridge.at_google().page
    assert [each["email"] for each in only(page)["attendees"]] == ["eva@example.com"]

    bridge.resource().put(event("one", "Colour", *GUESTS))
    bridge.rest()
    bridge.resource().delete("one")
    bridge.rest()

    assert page.events == []
    assert {said for _, said, _ in bridge.google.world.mails} <= {"none"}


@kept_away_by("bridge.core.projection:with_list", lambda _: lambda part: part)
def test_pain_16_guests_stand_in_the_text_at_google_and_are_none(bridge: GoogleDesk) -> None:
    there = put(bridge, *GUESTS)

    assert "attendees" not in there
    assert "Eva Smit <eva@example.com>" in html.unescape(there["description"])


@kept_away_by("bridge.sync.judging:decide", never_pulling)
def test_pain_17_what_is_done_at_google_is_done_here(bridge: GoogleDesk) -> None:
    bridge.rule()
    for number, uid in enumerate(("moved", "renamed", "deleted")):
        bridge.resource().put(event(uid, uid, start=START + number * DAY))
    bridge.rest()
    page = bridge.at_google().page
    ids = {each["summary"]: each["id"] for each in page.events}

    page.edit(ids["moved"], start=moment(START + 3 * HOUR), end=moment(START + 4 * HOUR))
    page.edit(ids["renamed"], summary="Colour")
    page.delete(ids["deleted"])
    bridge.poll()

    assert bridge.resource().titles() == {"moved": "moved", "renamed": "Colour"}
    assert shown_here(bridge.objects()) == shown_there(page)


@kept_away_by("bridge.upstream.oauth.endings:_ended_by", always(value=False))
def test_pain_18_a_login_of_an_app_in_testing_says_after_a_week_what_is_wrong() -> None:
    with office(testing=True) as here:
        here.connect()
        here.clock.go_on(days=8)
        with pytest.raises(LoginRefused) as refused:
            here.login().access_token()

    assert "'Testing'" in refused.value.message
    assert "In production" in refused.value.remedy


@kept_away_by("bridge.sync.worker:_problem", always(None))
def test_pain_18_a_login_that_has_ended_is_named_and_a_new_one_goes_on_where_the_old_one_was(
    bridge: GoogleDesk,
) -> None:
    put(bridge)
    bridge.password = "ended"
    bridge.resource().put(event("two", "Colour", start=START + DAY))
    bridge.wait(HOUR)
    bridge.sync(fails=True)
    problem = bridge.rule_now().problem
    assert problem is not None
    assert problem.code == "LoginRefused"
    assert "Connect again" in problem.remedy

    bridge.password = ""
    bridge.wait(HOUR)
    bridge.google.forget()
    bridge.sync()

    listings = [each for each in bridge.google.requests if each.method == "GET" and "maxResults" in each.path]
    assert all("syncToken" in each.path or "iCalUID" in each.path for each in listings), "nothing is read anew"
    assert bridge.at_google().titles() == ["Colour", "Haircut"]
    assert bridge.rule_now().problem is None


@kept_away_by("bridge.store.watch:WatchRecord.renews_at", lambda _: property(lambda watch: watch.expires_at))
def test_pain_19_a_watch_is_renewed_before_it_lapses_and_the_poll_goes_on(tmp_path: Path) -> None:
    clock = Clock()
    desk = WatchDesk(new_database(tmp_path, clock), clock)
    try:
        desk.rule(poll="6h")
        desk.sync()
        for number in range(4 * 21):
            desk.wait(6 * HOUR)
            # Everything that is told gets lost.
            desk.remote().put(event(f"n{number}"))
            assert desk.exchange.live(), "there is always one that would tell"
            desk.run_due()
            desk.close()
            assert f"n{number}" in desk.resource().titles()
    finally:
        desk.database.close()


@kept_away_by("bridge.sync.engine:look", reading_on)
def test_pain_20_a_sync_token_that_google_has_forgotten_clears_nothing_and_doubles_nothing(
    bridge: GoogleDesk,
) -> None:
    bridge.rule()
    for number in range(5):
        bridge.resource().put(event(f"n{number}", f"Cut {number}", start=START + number * DAY))
    bridge.rest()
    page = bridge.at_google().page
    ids = {each["summary"]: each["id"] for each in page.events}
    page.delete(ids["Cut 0"])
    page.edit(ids["Cut 1"], summary="Colour")
    page.put(single("New"))
    bridge.google.purge()
    seen: list[int] = []

    with seen_by_others(bridge.database, lambda: seen.append(len(bridge.objects()))):
        bridge.poll()
    bridge.rest()

    assert sorted(bridge.resource().titles().values()) == bridge.at_google().titles()
    assert bridge.at_google().titles() == ["Colour", "Cut 2", "Cut 3", "Cut 4", "New"]
    assert min(seen) >= 4


def mistaken(original: Any) -> Any:
    """A table in which too many requests mean what their status means elsewhere."""
    return {key: meaning for key, meaning in original.items() if "ateLimit" not in key[1]}


@kept_away_by("bridge.upstream.google.refusals:_BY_REASON", mistaken)
def test_pain_21_what_google_was_asked_too_often_for_comes_later_and_once(bridge: GoogleDesk) -> None:
    bridge.rule()
    bridge.sync()
    bridge.google.quota.per_user = 10
    for number in range(30):
        bridge.resource().put(event(f"n{number}", f"Cut {number}", start=START + number * HOUR))
    bridge.wait()
    bridge.sync(fails=True)
    problem = bridge.rule_now().problem
    assert problem is not None
    assert problem.code == "Throttled"

    for _ in range(20):
        bridge.wait(timedelta(minutes=10))
        bridge.run_due(fails=True)

    assert bridge.at_google().titles() == sorted(f"Cut {number}" for number in range(30))
    assert len(bridge.objects()) == 30
    assert bridge.parked() == []


@kept_away_by("bridge.upstream.google.mapping.words:_CLASS", instead({}))
def test_pain_24_what_is_private_at_google_is_a_busy_block_here(bridge: GoogleDesk) -> None:
    bridge.rule()
    page = bridge.at_google().page
    page.put(single("Lawyer", visibility="private", description="Divorce"))
    page.put(single("Doctor", START + DAY, visibility="confidential"))

    bridge.poll()

    texts = [bridge.resource().text(each.uid) for each in bridge.objects()]
    assert set(bridge.resource().titles().values()) == {"Busy"}
    assert not any(secret in text for text in texts for secret in ("Lawyer", "Doctor", "Divorce"))
    assert all("TRANSP:TRANSPARENT" not in text for text in texts)


@kept_away_by("bridge.core.view:is_private", always(value=False))
def test_pain_24_what_is_private_here_is_a_busy_block_at_google(bridge: GoogleDesk) -> None:
    there = put(bridge, "CLASS:PRIVATE", "DESCRIPTION:Scar", "LOCATION:Upstairs")

    assert there["summary"] == "Busy"
    assert "transparency" not in there or there["transparency"] == "opaque"
    assert "Scar" not in str(there)
    assert "Upstairs" not in str(there)


@kept_away_by("bridge.core.projection:_blocking", lambda _: lambda part, _view: part)
def test_pain_24_what_is_free_at_google_blocks_or_not_as_the_rule_says(bridge: GoogleDesk) -> None:
    for resource, calendar, free in (("anna", "shelf", "ignore"), ("bob", "other", "block")):
        bridge.rule(resource, resource, calendar, pull={"free": free})
        bridge.at_google(calendar).page.put(single("Maybe", transparency="transparent"))
        bridge.poll(resource)

    [free_for_anna], [free_for_bob] = bridge.objects("anna"), bridge.objects("bob")
    assert b"TRANSP:TRANSPARENT" in free_for_anna.raw
    assert b"TRANSP:TRANSPARENT" not in free_for_bob.raw


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
