"""What reached the wrong people, or nobody, for Google's users, with the real adapter (pains 16 to 24)."""

from __future__ import annotations

import html
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from bridge.errors import LoginRefused
from tests.pains.at_google import DAY, HOUR, moment, only, put, single
from tests.pains.desk import seen_by_others
from tests.pains.lessons import always, instead, kept_away_by
from tests.pains.test_pains_of_deletion import reading_on
from tests.pains.test_pains_of_people import GUESTS, never_pulling
from tests.store.desk import Clock
from tests.sync.appointments import START, event
from tests.sync.series_by_hand import shown_here, shown_there
from tests.sync.stage import new_database
from tests.sync.watching import WatchDesk
from tests.upstream.oauth.agreeing import office

if TYPE_CHECKING:
    from pathlib import Path

    from tests.sync.google_side import GoogleDesk


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
