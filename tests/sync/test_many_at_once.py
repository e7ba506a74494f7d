"""Tests of many objects at once, which go over several connections in parts."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import event as sqlalchemy_event

from tests.sync.appointments import event

if TYPE_CHECKING:
    from tests.sync.desk import SyncDesk

MANY = 120


def test_each_of_many_appointments_is_created_once(desk: SyncDesk) -> None:
    here, there = desk.resource(), desk.remote()
    desk.rule()
    for number in range(MANY):
        here.put(event(f"n{number}", f"Haircut {number}"))

    desk.sync()
    desk.poll()

    assert there.titles() == here.titles() == {f"n{number}": f"Haircut {number}" for number in range(MANY)}
    assert there.writes() == ["create"] * MANY


def test_those_that_are_refused_stop_none_of_the_others(desk: SyncDesk) -> None:
    here, there = desk.resource(), desk.remote()
    desk.rule()
    for number in range(MANY):
        here.put(event(f"n{number}", "REFUSE ME" if number % 40 == 7 else "Haircut"))

    desk.sync()

    assert len(there.titles()) == MANY - 3
    assert {each.uid for each in desk.parked()} == {"n7", "n47", "n87"}


def test_a_calendar_that_takes_nothing_is_not_tried_with_each_of_many(desk: SyncDesk) -> None:
    here, there = desk.resource(), desk.remote()
    desk.rule()
    for number in range(MANY):
        here.put(event(f"n{number}", "Haircut"))
    there.shelf.read_only = True

    desk.sync()
    tried = len(there.shelf.calls)
    there.shelf.read_only = False
    desk.wait(timedelta(hours=2))
    desk.rest()

    assert tried < MANY
    assert len(there.titles()) == MANY


@pytest.mark.parametrize("half", [1, 30, 60, 119])
def test_creations_that_an_outage_breaks_off_are_each_there_once_in_the_end(desk: SyncDesk, half: int) -> None:
    here, there = desk.resource(), desk.remote()
    desk.rule()
    for number in range(MANY):
        here.put(event(f"n{number}", "Haircut"))
    there.shelf.misdeeds += [None, *[None] * half, "lost", *["down"] * MANY]

    desk.sync(fails=True)
    there.shelf.misdeeds.clear()
    desk.wait(timedelta(minutes=30))
    desk.rest()

    assert len(there.titles()) == len(there.shelf.objects) == MANY


def test_many_appointments_that_come_from_there_are_read_over_several_connections(desk: SyncDesk) -> None:
    here, there = desk.resource(), desk.remote()
    desk.rule()
    for number in range(3 * MANY):
        there.put(event(f"n{number}", f"Haircut {number}"))
    there.shelf.left_out |= set(there.shelf.objects)

    desk.sync()

    assert here.titles() == there.titles()
    # Once all of it, which brings nothing, and then a hundred with each.
    assert there.shelf.calls.count("fetch") == 1 + 4


def test_an_outage_while_many_are_read_takes_nothing_for_gone(desk: SyncDesk) -> None:
    here, there = desk.resource(), desk.remote()
    desk.rule()
    for number in range(3 * MANY):
        there.put(event(f"n{number}", "Haircut"))
    there.shelf.misdeeds += [None, None, "down", *["down"] * 4]

    desk.sync(fails=True)
    there.shelf.misdeeds.clear()
    desk.wait(timedelta(minutes=30))
    desk.rest()

    assert len(here.titles()) == len(there.titles()) == 3 * MANY


def test_many_that_stand_on_both_sides_are_linked_in_batches(desk: SyncDesk) -> None:
    here, there = desk.resource(), desk.remote("shelf", inline=True)
    for number in range(3 * MANY):
        there.put(event(f"n{number}", f"Haircut {number}"))
        here.put(event(f"n{number}", f"Haircut {number}"))
    desk.rule()
    commits: list[object] = []

    def note(connection: object) -> None:
        commits.append(connection)

    sqlalchemy_event.listen(desk.database.engine, "commit", note)
    desk.sync()
    sqlalchemy_event.remove(desk.database.engine, "commit", note)

    assert len(desk.links()) == 3 * MANY
    assert there.writes() == []
    assert len(commits) < MANY / 2


def test_one_of_many_that_differs_stops_none_of_the_others(desk: SyncDesk) -> None:
    here, there = desk.resource(), desk.remote("shelf", inline=True)
    for number in range(MANY):
        there.put(event(f"n{number}", "Haircut"))
        here.put(event(f"n{number}", "Shave" if number == 7 else "Haircut"))
    desk.rule(on_conflict="theirs")
    desk.rest()

    assert len(desk.links()) == MANY
    assert here.titles() == there.titles()
    assert [each.uid for each in desk.conflicts()] == ["n7"]


def test_a_remote_id_that_cannot_be_kept_concerns_that_appointment_only(desk: SyncDesk) -> None:
    here, there = desk.resource(), desk.remote("shelf")
    for number in range(10):
        there.put(event(f"n{number}", "Haircut"))
    there.put(event("long", "Shave"), remote_id="x" * 3_000)
    desk.rule()
    desk.sync()
    there.put(event("longer", "Shave"), remote_id="y" * 3_000)

    desk.rest()
    desk.night()

    assert set(here.titles()) == {f"n{number}" for number in range(10)}
    parked = desk.parked()
    assert len(parked) == 2
    assert "longer than 2000 octets" in parked[0].reason


def test_what_is_left_out_where_a_whole_calendar_is_told_at_once_is_asked_for_by_itself(desk: SyncDesk) -> None:
    here, there = desk.resource(), desk.remote()
    for number in range(MANY):
        there.put(event(f"n{number}", "Haircut"))
    there.shelf.left_out |= {there.id_of("n7"), there.id_of("n70")}
    desk.rule()

    desk.sync()

    assert set(here.titles()) == {f"n{number}" for number in range(MANY)}
    assert there.shelf.calls.count("fetch") == 2


def test_a_few_changes_do_not_lead_to_a_reading_of_a_whole_calendar(desk: SyncDesk) -> None:
    here, there = desk.resource(), desk.remote()
    for number in range(MANY):
        there.put(event(f"n{number}", "Haircut"))
    desk.rule()
    desk.sync()
    there.change("n7", "Haircut", "Shave")
    # All of it is missing there: what is asked for comes in answers of its own only.
    there.shelf.left_out |= set(there.shelf.objects)
    there.shelf.calls.clear()

    desk.poll()

    assert here.titles()["n7"] == "Shave"
    assert there.shelf.calls.count("fetch") == 1
