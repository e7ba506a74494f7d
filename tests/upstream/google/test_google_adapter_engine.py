"""Appointments travel both ways between a resource and Google, also where passes are broken off anywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.fakes.google.fake import fake_google
from tests.store.desk import Clock
from tests.sync.appointments import event, series, with_instance
from tests.sync.stage import new_database
from tests.upstream.google.connecting import ZONE
from tests.upstream.google.google_desk import LOSSES, GoogleDesk, google_desk

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[GoogleDesk]:
    clock = Clock()
    database = new_database(tmp_path, clock)
    with fake_google(clock=clock, serve=False) as google:
        yield google_desk(google, database, clock)
        assert google.misuses == []
    database.close()


def _event(summary: str, day: str = "2026-11-26", **fields: Any) -> dict[str, Any]:
    when = {
        name: {"dateTime": f"{day}T{time}", "timeZone": ZONE}
        for name, time in (("start", "09:00:00"), ("end", "10:00:00"))
    }
    return {"summary": summary, **when, **fields}


def test_what_was_made_on_either_side_is_on_both(desk: GoogleDesk) -> None:
    desk.sync.resource().put(event("ours", "Haircut"))
    theirs = desk.page.put(_event("Dentist"))

    desk.rest()

    assert desk.seen_here() == {"ours": "Haircut", theirs["iCalUID"]: "Dentist"}
    assert [title for title, _ in desk.seen_there()] == ["Dentist", "Haircut"]


def test_what_was_edited_and_deleted_on_either_side_is_so_on_both(desk: GoogleDesk) -> None:
    here = desk.sync.resource()
    for uid in ("a", "b", "c", "d"):
        here.put(event(uid, f"Title {uid}"))
    desk.rest()
    ids = {each["summary"]: each["id"] for each in desk.page.events}

    here.put(event("a", "Ours"))
    here.delete("b")
    desk.page.edit(ids["Title c"], summary="Theirs")
    desk.page.delete(ids["Title d"])
    desk.rest()

    assert desk.seen_here() == {"a": "Ours", "c": "Theirs"}
    assert [title for title, _ in desk.seen_there()] == ["Ours", "Theirs"]


def test_an_instance_is_edited_on_one_side_and_another_on_the_other(desk: GoogleDesk) -> None:
    here = desk.sync.resource()
    here.put(series("class", "Class"))
    desk.rest()
    (master,) = desk.page.events

    here.put(with_instance(series("class", "Class"), 1, "Exam"))
    desk.page.edit(f"{master['id']}_20261127T090000Z", summary="Party")
    desk.page.delete(f"{master['id']}_20261128T090000Z")
    desk.rest()

    assert [title for title, _ in desk.seen_there()] == ["Class", "Class", "Exam", "Party"]
    text = desk.text("class")
    assert "SUMMARY:Exam" in text
    assert "SUMMARY:Party" in text
    assert "EXDATE:20261128T090000Z" in text.replace(";TZID=UTC", "")


def test_a_feed_of_the_resource_that_somebody_imports_doubles_nothing(desk: GoogleDesk) -> None:
    here = desk.sync.resource()
    here.put(event("ours", "Haircut"))
    desk.rest()

    copied = desk.page.import_(_event("Haircut", iCalUID="ours"))
    desk.rest()

    assert desk.seen_here() == {"ours": "Haircut"}
    assert [each.uid for each in desk.sync.parked()] == ["ours"]
    desk.page.delete(copied["id"])
    desk.rest()
    assert desk.seen_here() == {"ours": "Haircut"}
    assert len(desk.page.events) == 1


def test_a_copy_that_somebody_makes_of_ours_at_google_is_an_appointment_of_its_own(desk: GoogleDesk) -> None:
    desk.sync.resource().put(event("ours", "Haircut"))
    desk.rest()
    (ours,) = desk.page.events

    copied = desk.page.put(_event("Haircut, again", extendedProperties=ours["extendedProperties"]))
    desk.rest()

    assert desk.seen_here() == {"ours": "Haircut", copied["iCalUID"]: "Haircut, again"}
    assert len(desk.page.events) == 2


@pytest.mark.parametrize("loss", LOSSES)
def test_a_push_of_a_series_that_is_broken_off_anywhere_arrives_whole(desk: GoogleDesk, loss: str) -> None:
    here = desk.sync.resource()
    for number in range(9):
        uid = f"class-{number}"
        here.put(with_instance(series(uid, "Class"), 1, "Exam"))
        desk.rest()
        changed = with_instance(with_instance(series(uid, "Lesson"), 1, "Exam"), 2, "Party")
        here.put(changed)

        desk.break_off(number, loss, lambda: desk.sync.poll(fails=True))
        desk.rest()

        titles = [title for title, _ in desk.seen_there()]
        assert titles == sorted(["Exam", "Lesson", "Lesson", "Lesson", "Party"])
        assert desk.seen_here() == {uid: "Lesson"}
        assert desk.sync.conflicts() == []
        assert not any("calbridgeUnfinished" in str(each) for each in desk.page.events)
        here.delete(uid)
        desk.rest()


@pytest.mark.parametrize("loss", LOSSES)
def test_a_first_pass_that_is_broken_off_anywhere_doubles_and_loses_nothing(desk: GoogleDesk, loss: str) -> None:
    here = desk.sync.resource()
    here.put(event("plain", "Haircut"))
    here.put(with_instance(series("class", "Class"), 1, "Exam"))
    desk.page.put(_event("Dentist"))
    for number in range(8):
        desk.break_off(number, loss, lambda: desk.sync.poll(fails=True))

    desk.rest()

    assert sorted(desk.seen_here().values()) == ["Class", "Dentist", "Haircut"]
    assert [title for title, _ in desk.seen_there()] == sorted(["Class"] * 4 + ["Dentist", "Exam", "Haircut"])


@pytest.mark.parametrize("loss", LOSSES)
def test_a_recovery_from_an_expired_token_that_is_broken_off_anywhere_is_a_comparison(
    desk: GoogleDesk, loss: str
) -> None:
    here = desk.sync.resource()
    for uid in ("stays", "goes", "changes"):
        here.put(event(uid, uid))
    desk.rest()
    ids = {each["summary"]: each["id"] for each in desk.page.events}
    desk.page.delete(ids["goes"])
    desk.page.edit(ids["changes"], summary="changed")
    desk.page.put(_event("comes"))
    desk.google.purge()
    for number in range(4):
        desk.break_off(number, loss, lambda: desk.sync.poll(fails=True))

    desk.rest()

    assert sorted(desk.seen_here().values()) == ["changed", "comes", "stays"]
    assert [title for title, _ in desk.seen_there()] == ["changed", "comes", "stays"]
