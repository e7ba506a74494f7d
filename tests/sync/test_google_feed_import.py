"""Tests of the resource's feed that somebody imports into the linked Google calendar."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import icalendar
import pytest

from bridge.cli.rule_state import concerns
from bridge.core.view import Detail, hidden_uid
from bridge.feed.entry import FeedEntry, FeedSettings
from bridge.feed.render import render
from bridge.store import status
from tests.store.appointments import AMSTERDAM
from tests.sync.appointments import START, event, series, with_instance
from tests.sync.google_side import google_desks
from tests.sync.series_by_hand import shown_here

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bridge.core.model import CalendarObject
    from tests.sync.google_side import GoogleDesk

OBJECTS = (
    event("cut", "Haircut"),
    event("doctor", "Doctor", "CLASS:PRIVATE", start=START + timedelta(days=1)),
    with_instance(series("class", "Class"), 2, "Class (later)", moved=timedelta(hours=3)),
)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[GoogleDesk]:
    with google_desks(tmp_path, "ours") as [desk]:
        yield desk


def feed(objects: list[CalendarObject], detail: Detail) -> bytes:
    """What the resource's feed says."""
    entries = [
        FeedEntry(
            each.raw, each.uid, each.component, each.tzids, each.feed_ready, START, each.span.first, each.span.last
        )
        for each in objects
    ]
    days = timedelta(days=1_000)
    settings = FeedSettings(name="Anna", detail=detail, past=days, future=days)
    return render(entries, settings, zone=AMSTERDAM, today=START.date()).body


def import_into_google(desk: GoogleDesk, stream: bytes) -> int:
    """Imports a file as Google's page does: each UID becomes an event of its own; gives how many there are."""
    page = desk.at_google().page
    events: list[Any] = icalendar.Calendar.from_ical(stream).walk("VEVENT")
    masters = [each for each in events if "RECURRENCE-ID" not in each]
    for each in masters:
        rules = [f"RRULE:{each['RRULE'].to_ical().decode()}"] if "RRULE" in each else []
        times = {name: {"dateTime": each[key].dt.isoformat(), "timeZone": "UTC"} for name, key in _TIMES.items()}
        made = page.import_(
            {"iCalUID": str(each["UID"]), "summary": str(each.get("SUMMARY", "")), "recurrence": rules, **times}
        )
        for override in events:
            if override["UID"] == each["UID"] and override is not each:
                moved = {
                    name: {"dateTime": override[key].dt.isoformat(), "timeZone": "UTC"} for name, key in _TIMES.items()
                }
                page.edit(f"{made['id']}_{override['RECURRENCE-ID'].dt:%Y%m%dT%H%M%SZ}", moved)
    return len(masters)


_TIMES = {"start": "DTSTART", "end": "DTEND"}


def linked(desk: GoogleDesk) -> None:
    """Some appointments stand on both sides."""
    desk.rule()
    for each in OBJECTS:
        desk.resource().put(each)
    desk.rest()
    assert len(desk.at_google().titles()) == len(OBJECTS)


def said(desk: GoogleDesk) -> list[str]:
    """What `status` says of the rule."""
    with desk.database.reading() as tx:
        [found] = status.read(tx)
    return [each.sentence for each in concerns(found)]


@pytest.mark.parametrize("detail", list(Detail))
def test_nothing_is_doubled_here_and_status_says_what_happened(desk: GoogleDesk, detail: Detail) -> None:
    linked(desk)
    before = {each.uid: each.raw for each in desk.objects()}
    many = import_into_google(desk, feed(desk.objects(), detail))
    assert len(desk.at_google().titles()) == len(OBJECTS) + many

    desk.poll()
    assert said(desk) == [f"Imported or copied into the remote calendar a second time, and left alone there: {many}."]
    desk.at_google().writes()
    desk.rest()
    desk.night()
    desk.rest()

    assert {each.uid: each.raw for each in desk.objects()} == before
    assert desk.at_google().writes() == []


@pytest.mark.parametrize("detail", list(Detail))
def test_an_edit_of_the_appointment_at_google_still_arrives(desk: GoogleDesk, detail: Detail) -> None:
    linked(desk)
    page = desk.at_google().page
    [ours] = [each["id"] for each in page.events if each["summary"] == "Haircut"]
    import_into_google(desk, feed(desk.objects(), detail))
    desk.poll()

    page.edit(ours, summary="Colour")
    desk.poll()

    assert desk.resource().titles()["cut"] == "Colour"


@pytest.mark.parametrize("detail", list(Detail))
def test_a_feed_that_was_imported_before_the_first_pass_is_not_doubled_here(desk: GoogleDesk, detail: Detail) -> None:
    for each in OBJECTS:
        desk.resource().put(each)
    seen = shown_here(desk.objects())
    import_into_google(desk, feed(desk.objects(), detail))
    desk.rule()

    desk.rest()
    desk.night()

    assert shown_here(desk.objects()) == seen
    assert set(desk.resource().titles()) == {each.uid for each in OBJECTS}
    assert desk.resource().titles() == {each.uid: each.summary for each in OBJECTS}


def test_when_the_copies_are_deleted_at_google_nothing_is_left_to_say(desk: GoogleDesk) -> None:
    linked(desk)
    page = desk.at_google().page
    ours = {each["id"] for each in page.events}
    import_into_google(desk, feed(desk.objects(), Detail.BUSY))
    desk.poll()

    for each in page.events:
        if each["id"] not in ours and "recurringEventId" not in each:
            page.delete(each["id"])
    desk.rest()

    assert said(desk) == []
    assert len(desk.objects()) == len(OBJECTS)
    assert not {hidden_uid(each.uid) for each in OBJECTS} & {each.uid for each in desk.objects()}
