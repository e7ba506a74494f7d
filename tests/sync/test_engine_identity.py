"""Tests of objects that are known under several names: moved to another id, doubled there, or under two UIDs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bridge.core.decision import Move
from tests.fakes.shelf import Shelf
from tests.sync.appointments import event

if TYPE_CHECKING:
    from tests.sync.desk import Remote, SyncDesk


def give_another_id(there: Remote, uid: str, new: str = "elsewhere.ics") -> None:
    """The provider deletes an object under one id, and has it under another."""
    old = there.id_of(uid)
    raw = there.shelf.objects[old][1]
    there.shelf.delete(old)
    there.shelf.put(new, raw)


def test_an_object_that_got_another_id_there_is_still_the_same(desk: SyncDesk) -> None:
    here, there = desk.resource(), desk.remote()
    desk.rule()
    here.put(event("one", "Haircut"))
    desk.sync()

    give_another_id(there, "one")
    desk.poll()
    here.put(event("one", "Colour"))
    desk.poll()

    assert there.titles() == {"one": "Colour"}
    assert list(there.shelf.objects) == ["elsewhere.ics"]
    assert there.writes() == ["create", "replace"]


def test_an_object_under_another_uid_there_that_got_another_id_is_still_the_same(desk: SyncDesk) -> None:
    here, there = desk.resource(), desk.remote()
    here.put(event("ours", "Haircut"))
    there.put(event("theirs", "Haircut"))
    desk.rule()
    desk.sync()

    give_another_id(there, "theirs")
    desk.poll()
    here.put(event("ours", "Colour"))
    desk.poll()

    assert here.titles() == {"ours": "Colour"}
    assert there.titles() == {"theirs": "Colour"}


def test_beside_one_that_got_another_id_a_stranger_of_its_uid_is_set_aside(desk: SyncDesk) -> None:
    here, there = desk.resource(), desk.remote()
    here.put(event("ours", "Haircut"))
    there.put(event("theirs", "Haircut"))
    desk.rule()
    desk.sync()

    there.shelf.put("a-stranger.ics", event("ours", "Perm").raw)
    give_another_id(there, "theirs")
    desk.rest()

    assert here.titles() == {"ours": "Haircut"}
    assert there.titles() == {"theirs": "Haircut", "ours": "Perm"}
    assert [each.key for each in desk.parked()] == ["a-stranger.ics"]


def test_what_was_created_there_again_under_another_uid_and_is_then_restored_there_is_set_aside(desk: SyncDesk) -> None:
    here, there, neighbour = desk.resource(), desk.remote(), Shelf()
    there.shelf.neighbours.append(neighbour)
    neighbour.put("a.ics", event("one", "Perm").raw)
    here.put(event("one", "Haircut"))
    desk.rule()
    desk.sync()
    [(first, (_, deleted))] = there.shelf.objects.items()
    assert b"UID:one" not in deleted

    there.shelf.delete(first)
    here.put(event("one", "Colour"))
    desk.rest()
    there.shelf.put("restored.ics", deleted)
    desk.rest()

    assert here.titles() == {"one": "Colour"}
    assert sorted(there.titles().values()) == ["Colour", "Haircut"]
    assert [each.key for each in desk.parked()] == ["restored.ics"]


@pytest.mark.parametrize("renamed", [False, True])
def test_what_got_another_id_while_nobody_could_look_at_it_is_not_created_again(
    desk: SyncDesk, *, renamed: bool
) -> None:
    here, there, neighbour = desk.resource(), desk.remote(), Shelf()
    there.shelf.neighbours.append(neighbour)
    if renamed:
        neighbour.put("a.ics", event("one", "Perm").raw)
    here.put(event("one", "Haircut"))
    desk.rule()
    desk.sync()

    [first] = there.shelf.objects
    there.shelf.rename(first, "elsewhere.ics")
    here.put(event("one", "Colour"))
    there.shelf.misdeeds += [None, "cut"]
    desk.poll()
    desk.rest()

    assert list(there.titles().values()) == ["Colour"]
    assert list(there.shelf.objects) == ["elsewhere.ics"]
    assert here.titles() == {"one": "Colour"}
    assert desk.conflicts() == []
    assert desk.parked() == []


def test_one_appointment_under_two_uids_is_linked_and_not_doubled(desk: SyncDesk) -> None:
    here, there = desk.resource(), desk.remote()
    here.put(event("ours", "Haircut"))
    there.put(event("theirs", "Re: HAIRCUT"))
    desk.rule()

    assert [step.move for step in desk.plan().steps] == [Move.ADOPT]
    desk.sync()
    there.change("theirs", "Haircut", "Colour")
    desk.poll()

    assert here.titles() == {"ours": "Colour"}
    assert there.titles() == {"theirs": "Colour"}


def test_of_an_appointment_that_stands_twice_there_one_counts_and_the_other_is_shown(desk: SyncDesk) -> None:
    here, there = desk.resource(), desk.remote()
    there.shelf.put("a.ics", event("one", "Haircut").raw)
    there.shelf.put("b.ics", event("one", "Colour").raw)
    desk.rule()

    desk.rest()

    assert len(here.titles()) == 1
    assert [each.key for each in desk.parked()] in (["a.ics"], ["b.ics"])
    assert there.writes() == []


def test_the_second_of_two_takes_the_place_of_the_first_when_that_is_deleted_there(desk: SyncDesk) -> None:
    here, there = desk.resource(), desk.remote()
    there.shelf.put("a.ics", event("one", "Haircut").raw)
    desk.rule()
    desk.sync()
    there.shelf.put("b.ics", event("one", "Colour").raw)
    desk.poll()

    there.shelf.delete("a.ics")
    desk.poll()

    assert here.titles() == {"one": "Colour"}
    assert desk.parked() == []


def test_what_cannot_be_read_there_is_shown_and_the_rest_goes_on(desk: SyncDesk) -> None:
    here, there = desk.resource(), desk.remote()
    there.shelf.put("broken.ics", b"no calendar at all")
    there.put(event("one", "Haircut"))
    desk.rule()

    desk.rest()

    assert here.titles() == {"one": "Haircut"}
    assert [each.key for each in desk.parked()] == ["broken.ics"]


def test_what_cannot_be_read_any_more_is_not_deleted_here(desk: SyncDesk) -> None:
    here, there = desk.resource(), desk.remote()
    there.shelf.put("one.ics", event("one", "Haircut").raw)
    desk.rule()
    desk.sync()

    there.shelf.put("one.ics", b"no calendar at all")
    desk.rest()
    assert here.titles() == {"one": "Haircut"}

    there.shelf.put("one.ics", event("one", "Colour").raw)
    desk.rest()
    assert here.titles() == {"one": "Colour"}
    assert desk.parked() == []
