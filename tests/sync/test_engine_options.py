"""Tests of the options of a rule: what they let pass, and what they leave alone."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from bridge.core.decision import Move
from tests.sync.appointments import HOUR, START, event, series, task

if TYPE_CHECKING:
    from tests.sync.desk import Remote, Resource, SyncDesk

GUEST = "ATTENDEE;CN=Guest:mailto:guest@example.org"


@pytest.fixture
def here(desk: SyncDesk) -> Resource:
    return desk.resource()


@pytest.fixture
def there(desk: SyncDesk) -> Remote:
    return desk.remote()


def agreed(desk: SyncDesk, here: Resource, there: Remote, **options: Any) -> None:
    """One appointment of each side stands on both, under a rule that has these options from now on."""
    here.put(event("ours", "Cut"))
    there.put(event("theirs", "Colour"))
    desk.rule()
    desk.sync()
    desk.rule(**options)
    desk.rest()


# Direction and flags.


def test_a_rule_that_only_sends_changes_nothing_here(desk: SyncDesk, here: Resource, there: Remote) -> None:
    agreed(desk, here, there, direction="push")

    there.put(event("ours", "Shave"))
    there.put(event("new", "Shave"))
    there.delete("theirs")
    desk.rest()

    assert here.titles() == {"ours": "Cut", "theirs": "Colour"}
    here.put(event("mine", "Perm"))
    desk.rest()
    assert there.titles() == {"ours": "Shave", "new": "Shave", "mine": "Perm"}


def test_a_rule_that_only_fetches_changes_nothing_there(desk: SyncDesk, here: Resource, there: Remote) -> None:
    agreed(desk, here, there, direction="pull")
    there.writes()

    here.put(event("theirs", "Shave"))
    here.put(event("new", "Shave"))
    here.delete("ours")
    there.put(event("yours", "Perm"))
    desk.rest()

    assert there.titles() == {"ours": "Cut", "theirs": "Colour", "yours": "Perm"}
    assert here.titles() == {"theirs": "Shave", "new": "Shave", "yours": "Perm"}
    assert there.writes() == []


@pytest.mark.parametrize("side", ["push", "pull"])
def test_without_create_nothing_new_goes_over_and_the_rest_does(
    desk: SyncDesk, here: Resource, there: Remote, side: str
) -> None:
    agreed(desk, here, there, **{side: {"create": False}})
    near, far = (here, there) if side == "push" else (there, here)

    near.put(event("new", "Shave"))
    near.put(event("ours", "Perm"))
    near.delete("theirs")
    desk.rest()

    assert far.titles() == {"ours": "Perm"}


@pytest.mark.parametrize("side", ["push", "pull"])
def test_without_update_no_change_goes_over_and_the_rest_does(
    desk: SyncDesk, here: Resource, there: Remote, side: str
) -> None:
    agreed(desk, here, there, **{side: {"update": False}})
    near, far = (here, there) if side == "push" else (there, here)

    near.put(event("new", "Shave"))
    near.put(event("ours", "Perm"))
    near.delete("theirs")
    desk.rest()

    assert far.titles() == {"ours": "Cut", "new": "Shave"}


@pytest.mark.parametrize("side", ["push", "pull"])
def test_without_delete_no_deletion_goes_over_and_the_rest_does(
    desk: SyncDesk, here: Resource, there: Remote, side: str
) -> None:
    agreed(desk, here, there, **{side: {"delete": False}})
    near, far = (here, there) if side == "push" else (there, here)

    near.put(event("new", "Shave"))
    near.put(event("ours", "Perm"))
    near.delete("theirs")
    desk.rest()

    assert far.titles() == {"ours": "Perm", "new": "Shave", "theirs": "Colour"}


# What was there before the rule.


@pytest.mark.parametrize(
    ("existing", "ours", "theirs"),
    [
        ("both", {"ours", "theirs"}, {"ours", "theirs"}),
        ("send", {"ours"}, {"ours", "theirs"}),
        ("fetch", {"ours", "theirs"}, {"theirs"}),
        ("none", {"ours"}, {"theirs"}),
    ],
)
def test_existing_says_what_goes_over_of_what_was_there_before(
    desk: SyncDesk, existing: str, ours: set[str], theirs: set[str]
) -> None:
    here, there = desk.resource(), desk.remote()
    here.put(event("ours", "Cut"))
    there.put(event("theirs", "Colour", start=START + timedelta(hours=3)))
    desk.rule(existing=existing)

    desk.rest()
    desk.night()

    assert set(here.titles()) == ours
    assert set(there.titles()) == theirs


def test_the_plan_says_why_a_changed_existing_brings_nothing_over(desk: SyncDesk) -> None:
    desk.rule(existing="none")
    desk.resource().put(event("ours", "Cut"))
    desk.remote().put(event("theirs", "Dye", start=START + HOUR))
    desk.rest()

    desk.rule(existing="both")
    reasons = {step.uid: step.reason for step in desk.plan().steps}

    assert reasons.keys() == {"ours", "theirs"}
    assert all("`existing`" in reason for reason in reasons.values())


def test_what_was_left_alone_comes_over_when_somebody_edits_it(desk: SyncDesk, here: Resource, there: Remote) -> None:
    here.put(event("ours", "Cut"))
    there.put(event("theirs", "Colour", start=START + timedelta(hours=3)))
    desk.rule(existing="none")
    desk.rest()

    here.put(event("ours", "Perm"))
    there.put(event("theirs", "Shave", start=START + timedelta(hours=3)))
    desk.rest()

    assert here.titles() == there.titles() == {"ours": "Perm", "theirs": "Shave"}


# Window.


def test_what_lies_outside_of_the_window_is_left_alone_until_it_comes_in(
    desk: SyncDesk, here: Resource, there: Remote
) -> None:
    far = START + timedelta(days=40)
    here.put(event("ours", "Cut", start=far))
    there.put(event("theirs", "Colour", start=far + timedelta(hours=3)))
    desk.rule(window={"past": "30d", "future": "30d"})

    desk.rest()
    assert here.titles() == {"ours": "Cut"}
    assert there.titles() == {"theirs": "Colour"}

    desk.wait(timedelta(days=20))
    desk.rest()
    assert here.titles() == there.titles() == {"ours": "Cut", "theirs": "Colour"}


def test_what_has_left_the_window_is_neither_changed_nor_deleted(desk: SyncDesk, here: Resource, there: Remote) -> None:
    here.put(event("ours", "Cut"))
    there.put(event("theirs", "Colour"))
    desk.rule(window={"past": "30d", "future": "30d"})
    desk.rest()

    desk.wait(timedelta(days=60))
    here.put(event("ours", "Perm"))
    there.delete("theirs")
    desk.rest()
    desk.night()

    assert here.titles() == {"ours": "Perm", "theirs": "Colour"}
    assert there.titles() == {"ours": "Cut"}


# Components and categories.


def test_only_the_components_of_the_rule_go_over(desk: SyncDesk, here: Resource, there: Remote) -> None:
    here.put(task("call"))
    there.put(task("ring", "Ring them"))
    desk.rule(push={"components": ["VTODO"]})

    desk.rest()
    assert there.titles() == {"ring": "Ring them", "call": "Call back"}
    assert here.titles() == {"call": "Call back"}

    desk.rule(push={"components": ["VTODO"]}, pull={"components": ["VEVENT", "VTODO"]})
    desk.rest()
    assert here.titles() == {"call": "Call back", "ring": "Ring them"}


def test_only_the_categories_of_the_rule_go_over(desk: SyncDesk, here: Resource, there: Remote) -> None:
    here.put(event("ours", "Cut", "CATEGORIES:Salon"))
    here.put(event("mine", "Dentist"))
    there.put(event("theirs", "Colour", "CATEGORIES:work,SALON"))
    there.put(event("yours", "Holiday"))
    desk.rule(push={"categories": ["salon"]}, pull={"categories": ["salon"]})

    desk.rest()

    assert here.titles() == {"ours": "Cut", "mine": "Dentist", "theirs": "Colour"}
    assert there.titles() == {"ours": "Cut", "yours": "Holiday", "theirs": "Colour"}


# Plans.


def test_a_plan_writes_nothing_and_the_pass_then_does_just_that(desk: SyncDesk, here: Resource, there: Remote) -> None:
    here.put(event("both", "Cut"))
    there.put(event("both", "Cut"))
    here.put(series("ours", "Class"))
    there.put(event("theirs", "Colour", start=START + timedelta(hours=3)))
    there.put(task("task"))
    desk.rule()
    before = (here.titles(), there.titles(), desk.links(), desk.waiting())

    planned = desk.plan()

    assert (here.titles(), there.titles(), desk.links(), desk.waiting()) == before
    assert there.writes() == []
    report = desk.sync()
    assert report is not None
    assert dict(report.counts) == dict(planned.counts)


def test_three_hundred_appointments_on_both_sides_are_linked_without_a_double(
    desk: SyncDesk, here: Resource, there: Remote
) -> None:
    for number in range(300):
        start = START + timedelta(hours=number)
        edited = ("LOCATION:Room 1",) if number % 10 == 0 else ()
        here.put(event(f"u{number}", f"Cut {number}", *edited, start=start))
        theirs = f"Cut {number}" if number % 10 != 1 else f"Edited {number}"
        there.put(event(f"u{number}" if number % 3 else f"other{number}", theirs, start=start))
    # Of these, title and UID are other ones there: nobody could tell that they are the same.
    strangers = [number for number in range(300) if number % 10 == 1 and number % 3 == 0]
    desk.rule()

    planned = desk.plan()
    assert planned.counts[Move.ADOPT] == 300 - len(strangers)
    desk.rest()

    assert len(here.titles()) == len(there.titles()) == 300 + len(strangers)
    assert "LOCATION:Room 1" in there.text("other0")
