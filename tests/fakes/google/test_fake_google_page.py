"""A person sees a week of the fake on its page, and edits it there."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from tests.fakes.google.fake import FakeGoogle, fake_google

if TYPE_CHECKING:
    from collections.abc import Iterator

ANNA = "anna@example.org"
WEEK = f"/ui?user={ANNA}&calendar={ANNA}&week=2027-03-01"


@pytest.fixture
def google() -> Iterator[FakeGoogle]:
    with fake_google(clock=lambda: datetime(2027, 3, 1, 8, tzinfo=UTC), serve=False) as google:
        google.add_user(ANNA, zone="Europe/Amsterdam")
        yield google


def do(google: FakeGoogle, what: str, **said: str) -> int:
    return google.app.test_client().post(WEEK, data={"do": what, **said}).status_code


def add(google: FakeGoogle, **more: str) -> None:
    form = {"id": "", "summary": "Haircut", "start": "2027-03-02T09:00", "end": "2027-03-02T10:00", "rule": ""}
    assert do(google, "save", **form | more) == 302


def starts(google: FakeGoogle) -> list[str]:
    return [next(iter(each["start"].values())) for each in google.calendar(ANNA).instances]


def test_an_event_that_is_added_shows_in_its_week(google: FakeGoogle) -> None:
    add(google)

    assert 'title="Haircut"' in google.app.test_client().get(WEEK).text
    assert 'title="Haircut"' not in google.app.test_client().get(WEEK.replace("03-01", "03-08")).text
    assert starts(google) == ["2027-03-02T09:00:00+01:00"]


def test_an_event_is_moved_edited_and_deleted(google: FakeGoogle) -> None:
    add(google)
    event_id = google.calendar(ANNA).events[0]["id"]

    do(google, "move", id=event_id, start="2027-03-04T14:30")
    assert starts(google) == ["2027-03-04T14:30:00+01:00"]
    do(google, "save", id=event_id, summary="Colour", whole="on", start="2027-03-05T00:00", end="2027-03-06T00:00")
    assert starts(google) == ["2027-03-05"]
    do(google, "delete", id=event_id)
    assert starts(google) == []


def test_of_a_series_one_the_following_or_all_are_changed(google: FakeGoogle) -> None:
    add(google, rule="FREQ=DAILY;COUNT=5")
    master = google.calendar(ANNA).events[0]["id"]
    instance = f"{master}_20270304T080000Z"

    do(google, "delete", id=instance, scope="following")
    assert len(starts(google)) == 2
    do(google, "save", id=f"{master}_20270302T080000Z", start="2027-03-02T11:00", end="2027-03-02T12:00", scope="all")
    assert starts(google) == ["2027-03-02T11:00:00+01:00", "2027-03-03T11:00:00+01:00"]
    do(google, "delete", id=f"{master}_20270302T100000Z", scope="this")
    assert starts(google) == ["2027-03-03T11:00:00+01:00"]


def test_what_google_refuses_is_said_on_the_page(google: FakeGoogle) -> None:
    form = {"id": "", "summary": "", "start": "2027-03-02T09:00", "end": "2027-03-02T08:00", "rule": ""}
    page = google.app.test_client().post(WEEK, data={"do": "save", **form})

    assert page.status_code == 400
    assert 'class="wrong"' in page.text
