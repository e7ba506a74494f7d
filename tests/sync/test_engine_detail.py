"""Tests of options that are changed later: what they take away, and from whom."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.sync.appointments import event

if TYPE_CHECKING:
    from tests.sync.desk import SyncDesk

LESS: dict[str, dict[str, Any]] = {"pull": {"pull": {"detail": "titles"}}, "push": {"push": {"detail": "busy"}}}


@pytest.mark.parametrize("way", LESS)
def test_a_rule_that_shows_less_takes_nothing_from_what_was_made_there(desk: SyncDesk, way: str) -> None:
    there = desk.remote()
    desk.rule()
    there.put(event("theirs", "Dentist", "DESCRIPTION:Upper left", "LOCATION:Main street"))
    desk.sync()
    before = there.text("theirs")

    desk.rule(**LESS[way])
    desk.rest()

    assert there.text("theirs") == before
    assert desk.resource().titles() == {"theirs": "Dentist"}

    desk.rule()
    desk.rest()

    assert there.text("theirs") == before


@pytest.mark.parametrize("way", LESS)
def test_what_was_made_there_is_still_moved_from_here_where_the_rule_shows_less(desk: SyncDesk, way: str) -> None:
    there, here = desk.remote(), desk.resource()
    desk.rule()
    there.put(event("theirs", "Dentist", "DESCRIPTION:Upper left"))
    desk.sync()
    desk.rule(**LESS[way])
    desk.rest()

    here.put(event("theirs", "Dentist", "DESCRIPTION:Upper left", "TRANSP:TRANSPARENT"))
    desk.rest()

    assert "TRANSP:TRANSPARENT" in there.text("theirs")
    assert "DESCRIPTION:Upper left" in there.text("theirs")
    assert there.titles() == {"theirs": "Dentist"}


def test_a_rule_that_shows_less_takes_the_text_from_what_was_made_here(desk: SyncDesk) -> None:
    there, here = desk.remote(), desk.resource()
    desk.rule()
    here.put(event("ours", "Dentist", "DESCRIPTION:Upper left"))
    desk.sync()
    assert "DESCRIPTION:Upper left" in there.text("ours")

    desk.rule(**LESS["push"])
    desk.rest()

    assert there.titles() == {"ours": "Busy"}
    assert "Upper left" not in there.text("ours")
    assert "DESCRIPTION:Upper left" in here.text("ours")


def test_a_rule_that_shows_more_again_sends_what_was_changed_here_meanwhile(desk: SyncDesk) -> None:
    there, here = desk.remote(), desk.resource()
    desk.rule(**LESS["push"])
    there.put(event("theirs", "Dentist", "DESCRIPTION:Upper left"))
    desk.sync()
    here.put(event("theirs", "Root canal", "DESCRIPTION:Upper left"))
    desk.rest()
    assert there.titles() == {"theirs": "Dentist"}

    desk.rule()
    desk.rest()

    assert there.titles() == {"theirs": "Root canal"}
    assert "DESCRIPTION:Upper left" in there.text("theirs")


def test_guests_of_an_appointment_made_there_stay_guests_there_when_the_rule_sends_none_any_more(
    desk: SyncDesk,
) -> None:
    there = desk.remote()
    desk.rule(attendees=True)
    there.put(event("theirs", "Meeting", "ORGANIZER:mailto:anna@example.org", "ATTENDEE:mailto:bob@example.org"))
    desk.sync()
    before = there.text("theirs")

    desk.rule(attendees=False)
    desk.rest()

    assert there.text("theirs") == before
