"""Tests of a feed that somebody imports into the linked remote calendar: nothing is doubled here."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from bridge.cli.rule_state import concerns
from bridge.core.view import hidden_uid
from bridge.store import link as links
from bridge.store import parked, status
from tests.sync.appointments import START, event

if TYPE_CHECKING:
    from bridge.core.model import CalendarObject
    from tests.sync.desk import SyncDesk

MANY = 120


def copy_of(uid: str, number: int, *, busy: bool) -> CalendarObject:
    """What a feed says of an appointment."""
    start = START + timedelta(hours=number)
    return event(hidden_uid(uid), "Busy", start=start) if busy else event(uid, f"Cut {number}", start=start)


def imported(desk: SyncDesk, many: int = MANY, *, busy: bool = False) -> None:
    """So many appointments are linked, and the feed of all of them is imported there."""
    here, there = desk.resource(), desk.remote("shelf", takes_uid_twice=True, inline=True)
    for number in range(many):
        here.put(event(f"n{number}", f"Cut {number}", start=START + timedelta(hours=number)))
    desk.rule(guard={"objects": 1000, "percent": 100})
    desk.sync()
    desk.poll()
    for number in range(many):
        there.put(copy_of(f"n{number}", number, busy=busy), f"copy-{number}.ics")
    there.shelf.calls.clear()
    desk.poll()


def said(desk: SyncDesk) -> list[str]:
    """What `status` says of the rule."""
    with desk.database.reading() as tx:
        [found] = status.read(tx)
    return [f"{each.sentence} {each.remedy}" for each in concerns(found)]


@pytest.mark.parametrize("busy", [False, True])
def test_nothing_is_doubled_here_and_nothing_is_written_there(desk: SyncDesk, *, busy: bool) -> None:
    imported(desk, busy=busy)
    before = desk.resource().titles()
    written = desk.remote().writes()

    desk.rest()
    desk.night()
    desk.rest()

    assert len(before) == MANY
    assert desk.resource().titles() == before
    assert written == desk.remote().writes() == []


def test_status_says_in_one_line_what_happened_and_what_to_do(desk: SyncDesk) -> None:
    imported(desk)

    [line] = said(desk)
    assert line == (
        f"Imported or copied into the remote calendar a second time, and left alone there: {MANY}. "
        "Delete the copies there: changes of them come to nobody. `calbridge parked list` names them."
    )


def test_each_copy_is_named_with_its_title(desk: SyncDesk) -> None:
    imported(desk, 1)

    [aside] = desk.parked()

    assert aside.summary == "Cut 0"
    assert aside.reason == (
        "The remote calendar holds this appointment a second time, as after an import; the one that is linked counts."
    )
    assert aside.remedy == "Delete the copy there: changes of it come to nobody."


def test_many_copies_cost_few_requests(desk: SyncDesk) -> None:
    imported(desk)

    assert len(desk.remote().shelf.calls) < 10


def test_an_edit_of_a_copy_changes_nothing(desk: SyncDesk) -> None:
    imported(desk, 3)
    desk.remote().put(event("n1", "Edited"), "copy-1.ics")

    desk.rest()

    assert desk.resource().titles()["n1"] == "Cut 1"


@pytest.mark.parametrize("busy", [False, True])
def test_when_the_copies_are_deleted_nothing_is_left_to_say(desk: SyncDesk, *, busy: bool) -> None:
    imported(desk, busy=busy)
    for number in range(MANY):
        desk.remote().shelf.delete(f"copy-{number}.ics")

    desk.rest()

    assert said(desk) == []
    assert len(desk.resource().titles()) == len(desk.remote().shelf.objects) == MANY


def test_that_they_are_deleted_is_also_seen_where_all_is_listed(desk: SyncDesk) -> None:
    imported(desk, 3)
    for number in range(3):
        desk.remote().shelf.delete(f"copy-{number}.ics")
    desk.remote().shelf.forget_changes()

    desk.rest()

    assert said(desk) == []


def test_what_is_deleted_here_does_not_come_back_from_its_copy(desk: SyncDesk) -> None:
    imported(desk, 3)
    desk.resource().delete("n1")

    desk.rest()
    desk.night()
    desk.rest()

    assert set(desk.resource().titles()) == {"n0", "n2"}


def test_who_deletes_the_original_there_and_not_the_copy_keeps_the_appointment(desk: SyncDesk) -> None:
    imported(desk, 3)
    desk.remote().shelf.delete(desk.links()["n1"].remote_id or "")

    desk.rest()

    assert desk.resource().titles()["n1"] == "Cut 1"
    assert desk.links()["n1"].remote_id == "copy-1.ics"
    assert len(desk.parked()) == 2


def test_what_a_busy_feed_showed_takes_the_place_of_nothing(desk: SyncDesk) -> None:
    imported(desk, 3, busy=True)
    desk.remote().shelf.delete(desk.links()["n1"].remote_id or "")

    desk.rest()
    desk.night()

    assert desk.resource().titles() == {"n0": "Cut 0", "n2": "Cut 2"}


def test_what_a_busy_feed_showed_before_there_was_a_rule_is_no_partner(desk: SyncDesk) -> None:
    desk.resource().put(event("n0", "Cut"))
    desk.remote("shelf", takes_uid_twice=True).put(copy_of("n0", 0, busy=True), "copy.ics")
    desk.rule()

    desk.rest()

    assert desk.resource().titles() == {"n0": "Cut"}
    assert desk.links()["n0"].remote_id != "copy.ics"
    assert [each.property for each in desk.parked()] == [parked.COPY]


def test_a_copy_that_somebody_wants_after_all_is_taken_over_when_it_is_tried_again(desk: SyncDesk) -> None:
    imported(desk, 1)
    desk.resource().delete("n0")
    desk.rest()
    desk.retry_parked()

    desk.rest()

    assert desk.resource().titles() == {"n0": "Cut 0"}
    with desk.database.reading() as tx:
        link = links.get(tx, desk.rule_now().id, "n0")
    assert link is not None
    assert link.remote_id == "copy-0.ics"
