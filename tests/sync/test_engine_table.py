"""Tests of each cell of the decision table: what became of an object on either side, and what is done about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bridge.core.decision import Move
from tests.sync.appointments import event

if TYPE_CHECKING:
    from tests.sync.desk import Remote, Resource, SyncDesk


@pytest.fixture
def here(desk: SyncDesk) -> Resource:
    return desk.resource()


@pytest.fixture
def there(desk: SyncDesk) -> Remote:
    return desk.remote()


@pytest.fixture(autouse=True)
def linked(desk: SyncDesk, here: Resource, there: Remote) -> None:
    """One appointment stands on both sides, and both agree."""
    desk.rule()
    here.put(event("one", "Haircut"))
    desk.sync()
    desk.poll()
    there.shelf.calls.clear()


def test_what_nobody_changed_is_left_alone(desk: SyncDesk, there: Remote) -> None:
    report = desk.poll()

    assert report is not None
    assert not report.counts
    assert there.shelf.calls == ["changes"]


def test_a_change_there_comes_here(desk: SyncDesk, here: Resource, there: Remote) -> None:
    there.put(event("one", "Colour"))

    desk.poll()

    assert here.titles() == {"one": "Colour"}
    assert there.writes() == []


def test_a_change_here_goes_there(desk: SyncDesk, here: Resource, there: Remote) -> None:
    here.put(event("one", "Colour"))

    desk.poll()

    assert there.titles() == {"one": "Colour"}
    assert there.writes() == ["replace"]


def test_a_change_here_goes_there_without_a_look_around(desk: SyncDesk, here: Resource, there: Remote) -> None:
    here.put(event("one", "Colour"))

    desk.run_due()

    assert there.shelf.calls == ["replace"]


def test_different_changes_on_both_sides_meet(desk: SyncDesk, here: Resource, there: Remote) -> None:
    here.put(event("one", "Haircut", "LOCATION:Room 1"))
    there.put(event("one", "Colour"))

    desk.poll()

    for text in (here.text("one"), there.text("one")):
        assert "SUMMARY:Colour\n" in text
        assert "LOCATION:Room 1\n" in text
    assert desk.conflicts() == []


def test_the_same_change_on_both_sides_needs_nothing(desk: SyncDesk, here: Resource, there: Remote) -> None:
    here.put(event("one", "Colour"))
    there.put(event("one", "Colour"))

    desk.poll()

    assert there.writes() == []
    assert here.titles() == there.titles() == {"one": "Colour"}
    assert desk.conflicts() == []
    desk.poll()
    assert there.writes() == []


def test_what_was_deleted_there_goes_here(desk: SyncDesk, here: Resource, there: Remote) -> None:
    there.delete("one")

    desk.poll()

    assert here.titles() == {}
    assert desk.links() == {}


def test_what_was_deleted_here_goes_there(desk: SyncDesk, here: Resource, there: Remote) -> None:
    here.delete("one")

    desk.poll()

    assert there.titles() == {}
    assert desk.links() == {}


def test_an_edit_here_beats_a_deletion_there(desk: SyncDesk, here: Resource, there: Remote) -> None:
    there.delete("one")
    here.put(event("one", "Colour"))

    report = desk.poll()

    assert report is not None
    assert report.counts == {Move.RECREATE_THERE: 1}
    assert here.titles() == there.titles() == {"one": "Colour"}
    desk.poll()
    assert there.writes() == ["create"]


def test_an_edit_there_beats_a_deletion_here(desk: SyncDesk, here: Resource, there: Remote) -> None:
    here.delete("one")
    there.put(event("one", "Colour"))

    report = desk.poll()

    assert report is not None
    assert report.counts == {Move.RESTORE_HERE: 1}
    assert here.titles() == there.titles() == {"one": "Colour"}


def test_an_edit_there_that_was_not_heard_of_beats_a_deletion_here(
    desk: SyncDesk, here: Resource, there: Remote
) -> None:
    here.delete("one")
    there.put(event("one", "Colour"))

    desk.run_due()

    assert here.titles() == there.titles() == {"one": "Colour"}


def test_what_is_gone_on_both_sides_is_forgotten(desk: SyncDesk, here: Resource, there: Remote) -> None:
    here.delete("one")
    there.delete("one")

    desk.poll()

    assert desk.links() == {}
    assert there.writes() == []
    assert desk.waiting() == (0, 0)
