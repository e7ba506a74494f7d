"""Tests of changes that cannot both be had, of changes that never end, and of what is set aside."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from bridge.core.sides import Side
from bridge.store import journal
from tests.sync.appointments import START, event, series, with_instance

if TYPE_CHECKING:
    from tests.sync.desk import Remote, Resource, SyncDesk


@pytest.fixture
def here(desk: SyncDesk) -> Resource:
    return desk.resource()


@pytest.fixture
def there(desk: SyncDesk) -> Remote:
    return desk.remote()


def clash(desk: SyncDesk, here: Resource, there: Remote, policy: str) -> None:
    """Both sides give one appointment a title of their own, ours later."""
    here.put(event("one", "Cut"))
    desk.rule(on_conflict=policy)
    desk.rest()
    there.put(event("one", "Theirs", "LAST-MODIFIED:20261121T083000Z"))
    desk.wait(timedelta(hours=1))
    here.put(event("one", "Ours"))
    desk.rest()


@pytest.mark.parametrize(
    ("policy", "winner", "lost"),
    [("newest", "Ours", Side.THERE), ("ours", "Ours", Side.THERE), ("theirs", "Theirs", Side.HERE)],
)
def test_the_policy_says_who_wins_a_clash_and_the_loser_is_kept(
    desk: SyncDesk, policy: str, winner: str, lost: Side
) -> None:
    here, there = desk.resource(), desk.remote()
    clash(desk, here, there, policy)

    assert here.titles() == there.titles() == {"one": winner}
    (conflict,) = desk.conflicts()
    assert conflict.lost_side is lost
    assert "SUMMARY" in conflict.properties
    with desk.database.reading() as tx:
        kept = journal.raw(tx, conflict.lost).decode()
    assert f"SUMMARY:{({'Ours', 'Theirs'} - {winner}).pop()}" in kept


def test_the_newest_of_two_wins_also_where_it_is_theirs(desk: SyncDesk, here: Resource, there: Remote) -> None:
    here.put(event("one", "Cut"))
    desk.rule()
    desk.rest()
    here.put(event("one", "Ours"))
    later = desk.clock.now + timedelta(minutes=2)
    there.put(event("one", "Theirs", f"LAST-MODIFIED:{later:%Y%m%dT%H%M%SZ}"))

    desk.rest()

    assert here.titles() == there.titles() == {"one": "Theirs"}


def test_what_is_changed_back_each_time_is_parked_with_the_property_named(
    desk: SyncDesk, here: Resource, there: Remote
) -> None:
    here.put(event("one", "Cut"))
    here.put(event("two", "Colour"))
    desk.rule()
    desk.sync()
    for _ in range(12):
        if desk.parked():
            break
        there.change("one", "SUMMARY:Cut", "SUMMARY:CUT")
        desk.wait(timedelta(minutes=1))
        desk.sync()
        here.put(event("one", "Cut"))
        desk.sync()

    (parked,) = desk.parked()
    assert parked.uid == "one"
    assert parked.property == "SUMMARY"
    here.put(event("two", "Perm"))
    desk.sync()
    assert there.titles()["two"] == "Perm"

    desk.wait(timedelta(hours=2))
    here.put(event("one", "Shave"))
    desk.rest()
    assert here.titles()["one"] == there.titles()["one"]
    assert desk.parked() == []
    desk.wait(timedelta(hours=2))
    here.put(event("one", "Perm"))
    desk.rest()
    assert here.titles()["one"] == there.titles()["one"] == "Perm"


def test_what_is_parked_for_its_restlessness_can_be_deleted(desk: SyncDesk, here: Resource, there: Remote) -> None:
    here.put(event("one", "Cut"))
    desk.rule()
    desk.sync()
    for _ in range(12):
        there.change("one", "SUMMARY:Cut", "SUMMARY:CUT")
        desk.wait(timedelta(minutes=1))
        desk.sync()
        here.put(event("one", "Cut"))
        desk.sync()
    assert [each.uid for each in desk.parked()] == ["one"]
    there.put(event("one", here.titles()["one"]))
    desk.sync()

    here.delete("one")
    desk.sync()

    assert there.titles() == {}
    assert desk.parked() == []


def test_what_is_refused_is_set_aside_and_the_rest_goes_on(desk: SyncDesk, here: Resource, there: Remote) -> None:
    here.put(event("one", "Cut"))
    desk.rule()
    desk.sync()
    here.put(event("one", "REFUSE ME"))
    here.put(event("two", "Colour"))

    desk.rest()

    assert there.titles() == {"one": "Cut", "two": "Colour"}
    (parked,) = desk.parked()
    assert (parked.uid, parked.property) == ("one", "SUMMARY")
    here.put(event("one", "Shave"))
    desk.rest()
    assert there.titles() == {"one": "Shave", "two": "Colour"}
    assert desk.parked() == []


@pytest.mark.parametrize("side", ["here", "there"])
def test_of_this_and_following_no_instance_is_missing_at_any_moment(
    desk: SyncDesk, here: Resource, there: Remote, side: str
) -> None:
    near = here if side == "here" else there
    near.put(event("daily", "Class", "RRULE:FREQ=DAILY;COUNT=30"))
    desk.rule()
    desk.rest()
    far = desk.remote() if side == "here" else None
    near.put(event("daily", "Class", "RRULE:FREQ=DAILY;COUNT=5"))
    near.put(event("second", "Class", "RRULE:FREQ=DAILY;COUNT=25", start=START + timedelta(days=5)))
    seen: list[set[str]] = []

    def look(_when: str, _name: str) -> None:
        objects = there.objects().values() if far is not None else here.objects().values()
        whole = any("COUNT=30" in obj.raw.decode() for obj in objects)
        seen.append({"whole"} if whole else {obj.uid for obj in objects})

    there.shelf.watched = look
    desk.poll()
    there.shelf.watched = None

    assert {"second"} not in seen
    assert {"daily"} not in seen
    assert here.titles() == there.titles() == {"daily": "Class", "second": "Class"}
    assert desk.holds() == []


def test_a_series_with_a_moved_and_a_cancelled_instance_goes_both_ways_intact(
    desk: SyncDesk, here: Resource, there: Remote
) -> None:
    cancelled = f"EXDATE:{START + timedelta(days=2):%Y%m%dT%H%M%SZ}"
    for place, uid in ((here, "ours"), (there, "theirs")):
        place.put(with_instance(series(uid, f"Class {uid}", cancelled), 1, "Exam", moved=timedelta(hours=3)))
    desk.rule()

    desk.rest()

    for uid in ("ours", "theirs"):
        for text in (here.text(uid), there.text(uid)):
            assert cancelled in text
            assert "SUMMARY:Exam" in text
            assert f"DTSTART:{START + timedelta(days=1, hours=3):%Y%m%dT%H%M%SZ}" in text


def test_two_rules_of_one_resource_carry_an_appointment_on_without_a_loop(desk: SyncDesk) -> None:
    here, left, right = desk.resource(), desk.remote("left"), desk.remote("right")
    desk.rule("l", "anna", "left")
    desk.rule("r", "anna", "right")
    left.put(event("one", "Cut"))

    desk.rest()
    assert here.titles() == left.titles() == right.titles() == {"one": "Cut"}
    right.change("one", "SUMMARY:Cut", "SUMMARY:Perm")
    desk.rest()

    assert here.titles() == left.titles() == right.titles() == {"one": "Perm"}


def test_what_a_sibling_rule_wrote_is_not_taken_for_new(desk: SyncDesk) -> None:
    desk.rule("anna", "anna", "one")
    desk.rule("room", "room", "two")
    desk.resource("anna").put(event("one", "Cut"))
    desk.rest()
    # Somebody copies it, mark and all, into the calendar of the other rule.
    ((_, raw),) = desk.remote("one").shelf.objects.values()
    desk.remote("two").shelf.put("copy.ics", raw)

    desk.rest()

    assert desk.resource("room").titles() == {}
