"""Tests of creations there whose answer is lost, or that the upstream refuses for their UID."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from tests.fakes.shelf import WEAK
from tests.sync.appointments import event

if TYPE_CHECKING:
    from tests.sync.desk import SyncDesk


def two_calendars_of_one_user(desk: SyncDesk) -> None:
    """Anna and the room go to two calendars of one remote user, who can have each UID once."""
    full, other = desk.remote("full"), desk.remote("other")
    full.shelf.neighbours.append(other.shelf)
    other.shelf.neighbours.append(full.shelf)
    desk.rule("anna", "anna", "full")
    desk.rule("room", "room", "other")


def test_an_appointment_of_two_resources_stands_in_both_calendars_of_one_remote_user(desk: SyncDesk) -> None:
    two_calendars_of_one_user(desk)
    for key in ("anna", "room"):
        desk.resource(key).put(event("one", "Haircut"))

    desk.rest()

    assert list(desk.remote("full").titles().values()) == ["Haircut"]
    assert list(desk.remote("other").titles().values()) == ["Haircut"]
    for remote in desk.remotes.values():
        for obj in remote.objects().values():
            remote.put(event(obj.uid, "Colour"))
            break
        desk.rest()
        assert desk.resource("anna").titles() == desk.resource("room").titles() == {"one": "Colour"}
        remote.put(event(next(iter(remote.titles())), "Haircut"))
        desk.rest()
    assert list(desk.remote("full").titles().values()) == ["Haircut"]
    assert list(desk.remote("other").titles().values()) == ["Haircut"]


def test_an_appointment_under_another_uid_there_is_recognised_though_the_answer_was_lost(desk: SyncDesk) -> None:
    two_calendars_of_one_user(desk)
    desk.resource("anna").put(event("one", "Haircut"))
    desk.sync("anna")
    desk.sync("room")
    desk.resource("room").put(event("one", "Haircut"))
    # The first try is refused for the UID, the answer to the second is lost.
    desk.remote("other").shelf.misdeeds[:] = [None, None, "lost"]

    desk.sync("room", fails=True)
    desk.rest()

    assert desk.resource("room").titles() == {"one": "Haircut"}
    assert list(desk.remote("other").titles().values()) == ["Haircut"]


@pytest.mark.parametrize("capabilities", [None, WEAK])
def test_an_edit_after_a_creation_whose_answer_was_lost_goes_there(desk: SyncDesk, capabilities: object) -> None:
    here = desk.resource()
    there = desk.remote("shelf", WEAK, rewrites=True) if capabilities else desk.remote()
    desk.rule()
    desk.sync()
    here.put(event("one", "Haircut"))
    there.shelf.misdeeds[:] = ["lost"]
    desk.run_due(fails=True)
    assert there.titles() == {"one": "Haircut"}

    here.put(event("one", "Colour"))
    desk.rest()

    assert here.titles() == there.titles() == {"one": "Colour"}
    assert desk.conflicts() == []


def test_an_edit_there_of_what_was_created_though_the_answer_was_lost_comes_here(desk: SyncDesk) -> None:
    here, there = desk.resource(), desk.remote()
    desk.rule()
    desk.sync()
    here.put(event("one", "Haircut", "LOCATION:Room 1"))
    there.shelf.misdeeds[:] = ["lost"]
    desk.run_due(fails=True)

    there.change("one", "Haircut", "Colour")
    here.put(event("one", "Haircut", "LOCATION:Room 2"))
    desk.rest()

    assert "SUMMARY:Colour" in here.text("one")
    assert "LOCATION:Room 2" in here.text("one")
    assert "SUMMARY:Colour" in there.text("one")
    assert "LOCATION:Room 2" in there.text("one")


def test_what_was_deleted_after_a_creation_whose_answer_was_lost_goes_there_too(desk: SyncDesk) -> None:
    here, there = desk.resource(), desk.remote()
    desk.rule()
    desk.sync()
    here.put(event("one", "Haircut"))
    there.shelf.misdeeds[:] = ["lost"]
    desk.run_due(fails=True)

    here.delete("one")
    desk.rest()

    assert here.titles() == there.titles() == {}
    assert desk.links() == {}
    assert desk.waiting() == (0, 0)


def test_what_was_deleted_before_it_was_created_leaves_nothing_behind(desk: SyncDesk) -> None:
    here, there = desk.resource(), desk.remote()
    desk.rule()
    desk.sync()
    here.put(event("one", "Haircut"))
    there.shelf.misdeeds[:] = ["down"]
    desk.run_due(fails=True)

    here.delete("one")
    desk.rest()
    desk.wait(timedelta(days=1))
    desk.rest()

    assert here.titles() == there.titles() == {}
    assert desk.links() == {}
    assert desk.waiting() == (0, 0)


def test_what_an_upstream_cannot_hold_stays_here_though_the_answer_was_lost(desk: SyncDesk) -> None:
    here, there = desk.resource(), desk.remote("shelf", WEAK, rewrites=True)
    desk.rule()
    desk.sync()
    here.put(event("one", "Haircut", "X-SALON:chair 3"))
    there.shelf.misdeeds[:] = ["lost"]
    desk.run_due(fails=True)

    desk.rest()

    assert "X-SALON:chair 3" in here.text("one")
    assert "X-SALON" not in there.text("one")


def test_a_creation_that_was_refused_is_tried_anew_when_the_appointment_is_edited(desk: SyncDesk) -> None:
    here, there = desk.resource(), desk.remote()
    desk.rule()
    desk.sync()
    here.put(event("one", "REFUSE ME"))
    here.put(event("two", "Colour"))
    desk.run_due()
    assert there.titles() == {"two": "Colour"}
    assert [each.uid for each in desk.parked()] == ["one"]

    here.put(event("one", "Haircut"))
    desk.run_due()

    assert there.titles() == {"one": "Haircut", "two": "Colour"}
    assert desk.parked() == []


def test_what_was_refused_there_and_deleted_here_is_parked_no_more(desk: SyncDesk) -> None:
    here = desk.resource()
    desk.rule()
    desk.sync()
    here.put(event("one", "REFUSE ME"))
    desk.run_due()

    here.delete("one")
    desk.rest()

    assert desk.parked() == []
    assert desk.waiting() == (0, 0)


def test_what_somebody_made_there_meanwhile_under_the_same_uid_is_linked_and_not_doubled(desk: SyncDesk) -> None:
    here, there = desk.resource(), desk.remote()
    here.put(event("one", "Haircut"))
    there.put(event("one", "Haircut", "LOCATION:Room 1"))
    desk.rule()
    # The list of calendars and the listing succeed, and then the object cannot be fetched.
    there.shelf.misdeeds[:] = [None, None, "cut"]

    desk.sync()
    desk.rest()

    assert next(iter(there.objects().values())).uid == "one"
    assert here.titles() == there.titles() == {"one": "Haircut"}
    assert "LOCATION:Room 1" in here.text("one")


def test_an_edit_there_comes_here_also_where_the_creation_is_repeated_before_anybody_looks(desk: SyncDesk) -> None:
    here, there = desk.resource(), desk.remote()
    desk.rule()
    desk.sync()
    desk.poll()
    here.put(event("one", "Cut"))
    there.shelf.misdeeds += ["lost"]
    desk.run_due(fails=True)
    there.change("one", "SUMMARY:Cut", "LOCATION:Room 3\r\nSUMMARY:Cut")
    there.writes()
    desk.wait(timedelta(minutes=1))
    desk.run_due()
    assert there.writes() == ["create"]

    desk.rest()

    assert "LOCATION:Room 3" in here.text("one")
    assert len(there.shelf.objects) == 1
