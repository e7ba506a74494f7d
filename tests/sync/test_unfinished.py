"""Tests of writes that were broken off between two requests: they are done once more, and never read as an edit."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from bridge.core.decision import Move
from bridge.errors import UpstreamUnavailable
from bridge.store import link as links
from bridge.store import rule as rules
from tests.laws.sync_edits import bare
from tests.sync.appointments import event, series, with_instance

if TYPE_CHECKING:
    from bridge.core.model import CalendarObject
    from tests.sync.desk import SyncDesk

LATER = timedelta(hours=2)


def lesson(title: str, *instances: tuple[int, str]) -> CalendarObject:
    """A series of which the instances of some days have titles and times of their own."""
    obj = series("class", title)
    for day, name in instances:
        obj = with_instance(obj, day, name, moved=LATER)
    return obj


def half_written(desk: SyncDesk, **options: Any) -> None:
    """A series stands on both sides, and the write of its new state was broken off after its master."""
    here, there = desk.resource(), desk.remote("shelf", stepwise=True)
    here.put(lesson("Class", (1, "Exam")))
    desk.rule(**options)
    desk.sync()
    desk.poll()
    here.put(lesson("Lesson", (1, "Exam"), (2, "Party")))
    there.shelf.misdeeds += [None, "cut"]
    desk.poll(fails=True)
    assert there.shelf.unfinished
    assert "Party" not in there.text("class")
    desk.wait(timedelta(minutes=1))


def agree(desk: SyncDesk) -> None:
    """Nothing waits any more, and both sides hold the same."""
    desk.rest()
    there = desk.remote()
    assert not there.shelf.unfinished
    ours, theirs = desk.resource().objects(), {each.uid: each for each in there.objects().values()}
    assert {uid: bare(each) for uid, each in ours.items()} == {uid: bare(each) for uid, each in theirs.items()}
    assert len(there.shelf.objects) == len(theirs)
    assert desk.parked() == []
    assert desk.waiting() == (0, 0)


def test_a_change_that_was_broken_off_is_written_as_a_whole(desk: SyncDesk) -> None:
    half_written(desk)

    agree(desk)

    assert "Party" in desk.remote().text("class")
    assert desk.conflicts() == []


def test_a_change_that_was_taken_back_meanwhile_is_taken_back_there(desk: SyncDesk) -> None:
    half_written(desk)
    desk.resource().put(lesson("Class", (1, "Exam")))

    agree(desk)

    assert desk.resource().titles() == desk.remote().titles() == {"class": "Class"}
    assert desk.conflicts() == []


def test_what_was_changed_again_meanwhile_arrives_as_it_is_now(desk: SyncDesk) -> None:
    half_written(desk)
    desk.resource().put(lesson("Course", (3, "Feast")))

    agree(desk)

    assert desk.remote().titles() == {"class": "Course"}
    assert "Party" not in desk.resource().text("class")
    assert desk.conflicts() == []


def test_what_was_deleted_here_meanwhile_is_deleted_there(desk: SyncDesk) -> None:
    half_written(desk)
    desk.resource().delete("class")

    agree(desk)

    assert desk.remote().titles() == desk.resource().titles() == {}


def test_what_somebody_edits_in_the_half_of_it_is_kept_on_both_sides(desk: SyncDesk) -> None:
    half_written(desk)
    desk.remote().change("class", "SUMMARY:Exam", "LOCATION:Room 3\r\nSUMMARY:Exam")

    agree(desk)

    for text in (desk.remote().text("class"), desk.resource().text("class")):
        assert "Room 3" in text
        assert "Party" in text
        assert "SUMMARY:Lesson" in text


def test_what_somebody_edits_in_the_half_of_what_was_deleted_here_comes_back(desk: SyncDesk) -> None:
    half_written(desk)
    desk.remote().change("class", "SUMMARY:Exam", "SUMMARY:Final exam")
    desk.resource().delete("class")

    agree(desk)

    assert "Final exam" in desk.resource().text("class")


@pytest.mark.parametrize("inline", [False, True])
@pytest.mark.parametrize("edited", [False, True])
def test_a_creation_that_was_broken_off_goes_on(desk: SyncDesk, *, inline: bool, edited: bool) -> None:
    here, there = desk.resource(), desk.remote("shelf", stepwise=True, inline=inline)
    desk.rule()
    desk.sync()
    desk.poll()
    here.put(lesson("Class", (1, "Exam"), (2, "Party")))
    there.shelf.misdeeds += [None, "cut"]
    desk.poll(fails=True)
    if edited:
        there.change("class", "SUMMARY:Class", "LOCATION:Room 3\r\nSUMMARY:Class")
    desk.wait(timedelta(minutes=1))

    agree(desk)

    assert there.titles() == {"class": "Class"}
    assert "Party" in there.text("class")
    assert ("Room 3" in here.text("class")) is edited


def test_a_creation_that_was_broken_off_and_is_not_wanted_any_more_is_removed(desk: SyncDesk) -> None:
    here, there = desk.resource(), desk.remote("shelf", stepwise=True)
    desk.rule()
    desk.sync()
    desk.poll()
    here.put(lesson("Class", (1, "Exam")))
    there.shelf.misdeeds += [None, "cut"]
    desk.poll(fails=True)
    here.delete("class")
    desk.wait(timedelta(minutes=1))

    agree(desk)

    assert there.titles() == {}


def test_the_half_of_something_that_no_link_knows_is_adopted_and_written_again(desk: SyncDesk) -> None:
    half_written(desk)
    with desk.database.writing() as tx:
        rules.reset(tx, desk.rule_now().id)

    agree(desk)

    assert "Party" in desk.remote().text("class")


def test_the_half_of_something_that_is_not_here_is_taken_over_and_ended(desk: SyncDesk) -> None:
    half_written(desk)
    desk.resource().delete("class")
    with desk.database.writing() as tx:
        links.remove(tx, desk.rule_now().id, "class")
        rules.reset(tx, desk.rule_now().id)

    agree(desk)

    assert desk.resource().titles() == {"class": "Lesson"}


def test_a_rule_that_may_not_write_there_any_more_leaves_the_half_as_it_is(desk: SyncDesk) -> None:
    half_written(desk)
    desk.remote().writes()
    desk.rule(direction="pull")

    desk.sync()

    assert desk.remote().writes() == []
    assert "Party" in desk.resource().text("class")
    assert desk.plan().counts == {}


def test_half_a_state_that_nobody_can_read_is_written_again(desk: SyncDesk) -> None:
    half_written(desk)
    shelf = desk.remote().shelf
    [remote_id] = shelf.unfinished
    shelf.put(remote_id, b"nothing that makes sense")

    agree(desk)

    assert "Party" in desk.remote().text("class")


def test_the_plan_says_that_the_half_is_written_again(desk: SyncDesk) -> None:
    half_written(desk)
    desk.resource().put(lesson("Class", (1, "Exam")))

    assert desk.plan().counts == {Move.PUSH: 1}


def test_what_is_unfinished_says_so_through_the_protocol(desk: SyncDesk) -> None:
    half_written(desk)
    with desk.assignment() as a:
        [remote_id] = desk.remote().shelf.unfinished
        [found] = a.upstream.fetch(a.calendar, [remote_id])
        assert found.unfinished

        stored = a.upstream.replace(a.calendar, remote_id, lesson("Lesson", (1, "Exam")), if_match=found.etag)

        [found] = a.upstream.fetch(a.calendar, [remote_id])
    assert not found.unfinished
    assert found.etag == stored.etag


def test_a_write_of_one_request_is_done_or_not_done(desk: SyncDesk) -> None:
    there = desk.remote("shelf", stepwise=True)
    there.put(event("one", "Cut"))
    desk.rule()
    with desk.assignment() as a:
        [found] = a.upstream.fetch(a.calendar, list(there.shelf.objects))
        there.shelf.misdeeds.append("cut")
        with pytest.raises(UpstreamUnavailable):
            a.upstream.replace(a.calendar, found.remote_id, event("one", "Shave"), if_match=found.etag)

    assert there.titles() == {"one": "Shave"}
    assert not there.shelf.unfinished
