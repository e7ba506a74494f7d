"""Tests how a rule is removed: what it wrote goes or stays, whatever breaks that off, and nobody else is harmed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bridge.errors import CalendarReadOnly, UpstreamUnavailable
from bridge.store import link as links
from bridge.store import rule as rules
from bridge.store.journal import Author
from bridge.store.link import Made
from bridge.sync.holding import holding
from bridge.sync.removal import Fate, Removal, Removed, Wanted
from tests.fakes.shelf import ShelfUpstream
from tests.store.appointments import appointment, parse

if TYPE_CHECKING:
    from tests.sync.desk import SyncDesk

OURS = {"ours-1", "ours-2", "both"}
THEIRS = {"theirs-1", "theirs-2", "both"}


def remove(
    desk: SyncDesk,
    key: str = "r",
    *,
    there: Fate = Fate.REMOVE,
    here: Fate = Fate.REMOVE,
    by_marks: bool = False,
    stays: bool = False,
) -> Removed:
    """Removes the rule of this name that is left over, or the active one where it stays in the configuration."""
    with desk.database.reading() as tx:
        (rule,) = [each for each in rules.every(tx) if each.key == key and each.active is stays]
    remote = desk.remotes["shelf"]
    with holding(desk.database, rule.id, "a person") as taken:
        assert taken is not None
        return Removal(
            desk.database,
            taken,
            owner="a person",
            upstream=ShelfUpstream(remote.shelf, parse, remote.capabilities),
            calendar="Shelf",
            parse=parse,
            author=Author("cli", "test"),
        ).run(Wanted(there, here, by_marks=by_marks, stays_configured=stays))


@pytest.fixture
def kept(desk: SyncDesk) -> SyncDesk:
    """Two appointments from here, two from there, one that both had, under the rule `r`, which is left over now."""
    desk.rule()
    anna, remote = desk.resource(), desk.remote()
    for uid in sorted(OURS):
        anna.put(appointment(uid, uid))
    for uid in sorted(THEIRS):
        remote.put(appointment(uid, uid))
    desk.sync()
    assert anna.titles().keys() == remote.titles().keys()
    desk.drop_rule()
    return desk


@pytest.mark.parametrize("there", Fate)
@pytest.mark.parametrize("here", Fate)
def test_each_side_has_its_own_fate(kept: SyncDesk, there: Fate, here: Fate) -> None:
    removed = remove(kept, there=there, here=here)

    assert removed.kept == ()
    assert kept.remote().titles().keys() == (THEIRS if there is Fate.REMOVE else OURS | THEIRS)
    assert kept.resource().titles().keys() == (OURS if here is Fate.REMOVE else OURS | THEIRS)
    with kept.database.reading() as tx:
        assert rules.every(tx) == []


@pytest.mark.parametrize("misdeed", ["down", "lost"])
@pytest.mark.parametrize("before", [0, 1])
def test_a_removal_that_is_broken_off_anywhere_is_finished_by_another_try(
    kept: SyncDesk, misdeed: str, before: int
) -> None:
    kept.remote().shelf.misdeeds = [*[None] * before, misdeed]
    with pytest.raises(UpstreamUnavailable):
        remove(kept)
    assert remove(kept).kept == ()
    assert kept.remote().titles().keys() == THEIRS
    assert kept.resource().titles().keys() == OURS


def test_a_calendar_that_takes_nothing_leaves_the_rule_to_be_removed_otherwise(kept: SyncDesk) -> None:
    kept.remote().shelf.read_only = True
    with pytest.raises(CalendarReadOnly):
        remove(kept)
    assert remove(kept, there=Fate.KEEP).here == 2
    assert kept.remote().titles().keys() == OURS | THEIRS


def test_what_was_rewritten_there_without_being_changed_goes_and_what_was_changed_stays(kept: SyncDesk) -> None:
    remote = kept.remote()
    same, edited = (remote.id_of(uid) for uid in ("ours-1", "ours-2"))
    remote.shelf.put(same, remote.shelf.objects[same][1])
    remote.shelf.put(edited, remote.shelf.objects[edited][1].replace(b"SUMMARY:ours-2", b"SUMMARY:Shave"))
    removed = remove(kept)

    assert (removed.there, [each.uid for each in removed.kept]) == (1, ["ours-2"])
    assert remote.titles() == {**{uid: uid for uid in THEIRS}, "ours-2": "Shave"}


def test_what_was_edited_there_and_came_here_is_no_bar(desk: SyncDesk) -> None:
    desk.rule()
    desk.resource().put(appointment("a"))
    desk.sync()
    desk.remote().put(appointment("a", "Shave"))
    desk.poll()
    assert desk.resource().titles() == {"a": "Shave"}
    desk.drop_rule()
    assert remove(desk).there == 1


def test_what_was_being_created_when_a_pass_broke_off_is_found_by_its_mark(desk: SyncDesk) -> None:
    desk.rule()
    desk.sync()
    desk.resource().put(appointment("a"))
    desk.remote().shelf.misdeeds = ["lost"]
    desk.run_due(fails=True)
    assert desk.remote().titles() == {"a": "Haircut"}
    assert desk.links()["a"].remote_id is None
    desk.drop_rule()

    assert remove(desk).there == 1
    assert desk.remote().titles() == {}


def test_marks_of_other_rules_are_left_alone(desk: SyncDesk) -> None:
    desk.rule()
    desk.resource().put(appointment("a"))
    desk.sync()
    foreign = desk.remote().text("a").replace("UID:a", "UID:b").replace("X-CALBRIDGE-ORIGIN:", "X-CALBRIDGE-ORIGIN:0")
    desk.remote().put(parse(foreign.replace("\n", "\r\n").encode()))
    desk.remote().put(appointment("c", "C"))
    with desk.database.writing() as tx:
        for uid in links.uids(tx, desk.rule_now().id):
            links.remove(tx, desk.rule_now().id, uid)
    desk.drop_rule()

    assert remove(desk, by_marks=True).there == 1
    assert desk.remote().titles().keys() == {"b", "c"}


def test_a_copy_that_another_rule_sent_on_goes_too_and_what_that_rule_brought_stays(desk: SyncDesk) -> None:
    desk.rule("r", remote="shelf", direction="pull")
    desk.remote().put(appointment("copied", "Copied"))
    desk.remote().put(appointment("known", "Known"))
    desk.rule("onward", remote="other")
    desk.remote("other").put(appointment("known", "Known"))
    desk.rest()
    assert desk.remote("other").titles().keys() == {"copied", "known"}
    made = {uid: link.made for uid, link in desk.links("onward").items()}
    assert made["copied"] is Made.HERE
    desk.drop_rule("r")

    removed = remove(desk)
    desk.rest()
    assert "copied" not in desk.resource().titles()
    # Somebody at the other calendar has it of their own.
    assert "known" in desk.remote("other").titles()
    assert "known" in desk.resource().titles()
    assert removed.here + len(removed.kept) <= 2


def test_a_rule_that_stays_in_the_configuration_is_there_anew_and_paused(kept: SyncDesk) -> None:
    kept.rule()
    old = kept.rule_now()
    remove(kept, stays=True)
    new = kept.rule_now()

    assert new.id != old.id
    assert (new.paused, new.adopted_at, new.origin, new.target) == (True, None, old.origin, old.target)
    assert kept.due() == []


def test_a_rule_that_another_worker_runs_is_not_taken(kept: SyncDesk) -> None:
    with kept.database.reading() as tx:
        (rule,) = rules.every(tx)
    with (
        holding(kept.database, rule.id, "one") as first,
        holding(kept.database, rule.id, "another") as second,
    ):
        assert first is not None
        assert second is None
    with holding(kept.database, rule.id, "another") as third:
        assert third is not None
