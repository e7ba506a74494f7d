"""What a sibling rule wrote is its copy while it keeps the appointment, and is taken over like any other afterwards."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from bridge.store import rule as rules
from tests.sync.appointments import event

if TYPE_CHECKING:
    from tests.sync.desk import SyncDesk


def move_there(desk: SyncDesk, uid: str) -> None:
    """Somebody drags an appointment from calendar `one` into calendar `two`, where the two rules end."""
    moved = desk.remote("one").objects()[desk.remote("one").id_of(uid)]
    desk.remote("one").delete(uid)
    desk.remote("two").put(moved)


def two_rules(desk: SyncDesk) -> None:
    desk.rule("anna", "anna", "one")
    desk.rule("room", "room", "two")
    desk.resource("anna").put(event("made-here", "Cut"))
    desk.remote("one").put(event("made-there", "Dye"))
    desk.rest()


def test_what_somebody_moves_there_into_the_calendar_of_another_rule_moves_here_too(desk: SyncDesk) -> None:
    two_rules(desk)

    move_there(desk, "made-here")
    move_there(desk, "made-there")
    desk.sync("anna")
    desk.rest()

    assert desk.resource("anna").titles() == {}
    assert desk.resource("room").titles() == {"made-here": "Cut", "made-there": "Dye"}
    assert desk.remote("two").titles() == {"made-here": "Cut", "made-there": "Dye"}


def test_it_comes_before_the_night_though_the_other_rule_sees_it_first(desk: SyncDesk) -> None:
    two_rules(desk)
    move_there(desk, "made-here")

    desk.sync("room")
    desk.sync("anna")
    desk.wait(timedelta(minutes=6))
    desk.run_due()

    assert desk.resource("room").titles() == {"made-here": "Cut"}


def test_what_is_moved_there_and_back_stands_once_where_it_stood(desk: SyncDesk) -> None:
    two_rules(desk)
    move_there(desk, "made-here")
    desk.sync("anna")
    desk.rest()
    back = desk.remote("two").objects()[desk.remote("two").id_of("made-here")]
    desk.remote("two").delete("made-here")
    desk.remote("one").put(back)

    desk.rest()

    assert desk.resource("anna").titles() == {"made-here": "Cut", "made-there": "Dye"}
    assert desk.resource("room").titles() == {}


def test_a_copy_under_another_uid_stays_a_copy(desk: SyncDesk) -> None:
    two_rules(desk)
    raw = desk.remote("one").objects()[desk.remote("one").id_of("made-here")].raw
    desk.remote("two").shelf.put("copy.ics", raw.replace(b"UID:made-here", b"UID:copied"))

    desk.rest()
    desk.night("room")

    assert desk.resource("room").titles() == {}


def test_a_rule_that_is_given_another_resource_brings_it_everything(desk: SyncDesk) -> None:
    desk.rule("r", "anna", "one")
    desk.resource("anna").put(event("made-here", "Cut"))
    desk.remote("one").put(event("made-there", "Dye"))
    desk.rest()

    desk.rule("r", "room", "one")
    desk.rest()

    assert desk.resource("room").titles() == {"made-here": "Cut", "made-there": "Dye"}
    assert desk.remote("one").titles() == {"made-here": "Cut", "made-there": "Dye"}


def test_what_a_rule_wrote_that_was_removed_comes_to_the_resource_that_has_its_calendar_now(desk: SyncDesk) -> None:
    desk.rule("old", "anna", "one")
    desk.resource("anna").put(event("made-here", "Cut"))
    desk.remote("one").put(event("made-there", "Dye"))
    desk.rest()
    gone = desk.rule_now("old").id
    desk.drop_rule("old")
    with desk.database.writing() as tx:
        rules.remove(tx, gone)

    desk.rule("new", "room", "one")
    desk.rest()

    assert desk.resource("room").titles() == {"made-here": "Cut", "made-there": "Dye"}
    assert desk.remote("one").titles() == {"made-here": "Cut", "made-there": "Dye"}
