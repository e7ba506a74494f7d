"""Tests of what the sync machine once found, each as short as it can be told."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.laws.sync_edits import Kind, Slot
from tests.laws.sync_world import World, open_world


@pytest.fixture
def world() -> World:
    return open_world()


@pytest.mark.parametrize("at", range(0, 80, 3))
def test_an_appointment_whose_uid_is_taken_is_not_doubled_when_its_creation_is_killed(world: World, at: int) -> None:
    world.put_new("weak", "w", Kind.SERIES)
    world.put_new("next", "w", Kind.ALL_DAY)
    world.run()
    world.run_killed(at)

    world.rest()


def test_an_appointment_under_another_uid_that_gets_another_id_there_stays_linked(world: World) -> None:
    world.put_new("next", "v", Kind.SERIES)
    world.run()
    world.hand_over("v", "room", "anna")
    world.run()
    world.put_new("full", "u")
    world.rename("full", "v")

    world.rest()


def test_what_could_not_be_fetched_in_the_first_pass_is_not_created_beside_itself(world: World) -> None:
    world.put_new("room", "w", Kind.SERIES)
    world.put_new("next", "w")
    world.misdeeds("next", [None, None, "cut"])
    world.run()

    world.rest()


def test_a_guest_is_listed_in_what_somebody_made_anew_there_meanwhile(world: World) -> None:
    world.put_new("anna", "v")
    world.rest()
    world.delete("full", "v")
    world.edit("anna", "v", Slot.GUEST)
    world.put_new("full", "v")

    world.rest()


def test_a_guest_is_listed_in_what_is_adopted_there(world: World) -> None:
    world.put_new("anna", "u")
    world.edit("anna", "u", Slot.GUEST)
    world.run()
    world.put_new("next", "u")
    world.share("u")

    world.rest()


@pytest.mark.parametrize("at", range(12))
def test_what_is_edited_and_gets_another_id_there_under_another_uid_stays_linked(world: World, at: int) -> None:
    world.put_new("anna", "u")
    world.rest()
    world.share("u")
    world.wait(timedelta(minutes=5))
    world.run_with(lambda: world.edit("next", "u", Slot.TITLE), at)
    world.edit("room", "u", Slot.PLACE)
    world.rename("next", "u")

    world.rest()


@pytest.mark.parametrize("at", range(12))
def test_a_worker_that_was_taken_over_does_nothing_twice(world: World, at: int) -> None:
    world.put_new("anna", "u", Kind.SERIES)
    world.put_new("full", "v")
    world.run()
    world.edit("anna", "u", Slot.INSTANCE, 2)
    world.edit("weak", "u", Slot.CANCELLED, 1)
    world.delete("full", "v")
    world.wait(timedelta(minutes=5))
    world.run_taken_over(at)

    world.rest()


def test_what_stands_there_under_another_uid_and_gets_another_id_while_it_is_edited_here_stays_one() -> None:
    world = open_world()
    world.put_new("anna", "u")
    world.run()
    world.share("u")
    world.rest()
    assert world.remote("next").shelf.objects
    world.rename("next", "u")
    world.edit("anna", "u", Slot.TIME)

    world.rest()


@pytest.mark.parametrize("at", range(10, 20))
def test_a_guest_who_is_added_while_nobody_knows_that_a_change_arrived_is_listed_there(world: World, at: int) -> None:
    world.put_new("anna", "u")
    world.put_new("anna", "v")
    world.rest()
    world.edit("anna", "u", Slot.TITLE)
    world.wait(timedelta(minutes=5))
    world.run_killed(at)
    world.misdeeds("full", ["down"])
    world.edit("anna", "u", Slot.GUEST)

    world.rest()
