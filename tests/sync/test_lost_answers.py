"""Tests of writes whose answers were lost, after which somebody goes on: what they do stands, and nothing is undone."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from bridge.core.sides import Side
from bridge.store import outbox
from bridge.store.journal import Author
from bridge.sync import swapping
from tests.store.appointments import parse
from tests.sync.appointments import event

if TYPE_CHECKING:
    from tests.sync.desk import SyncDesk

MOMENT = timedelta(seconds=30)


def agreed(desk: SyncDesk, **options: Any) -> None:
    """An appointment stands on both sides; who takes a write of ours for one of theirs has it win."""
    desk.resource().put(event("one", "Cut"))
    desk.rule(**{"on_conflict": "theirs", **options})
    desk.sync()


def unheard(desk: SyncDesk, call: str) -> None:
    """A pass runs whose write is done there, and whose answer is lost."""
    shelf = desk.remote().shelf

    def lose(when: str, name: str) -> None:
        if (when, name) == ("before", call):
            shelf.misdeeds[:] = ["lost"]

    shelf.watched = lose
    desk.poll(fails=True)
    shelf.watched = None
    desk.wait(MOMENT)


def agree(desk: SyncDesk) -> dict[str, str]:
    """The titles when nothing waits any more, the same on both sides."""
    desk.rest()
    desk.wait(timedelta(days=1))
    desk.rest()
    titles = desk.resource().titles()
    assert desk.remote().titles() == titles
    assert desk.waiting() == (0, 0)
    return titles


def test_what_was_taken_back_after_a_lost_answer_is_taken_back_there(desk: SyncDesk) -> None:
    agreed(desk)
    desk.resource().put(event("one", "Colour"))
    unheard(desk, "replace")
    assert desk.remote().titles() == {"one": "Colour"}

    desk.resource().put(event("one", "Cut"))

    assert agree(desk) == {"one": "Cut"}
    assert desk.conflicts() == []


def test_who_changes_it_to_and_fro_after_a_lost_answer_has_the_last_word(desk: SyncDesk) -> None:
    agreed(desk)
    desk.resource().put(event("one", "Colour"))
    unheard(desk, "replace")

    for title in ("Cut", "Trim"):
        desk.resource().put(event("one", title))
        desk.wait(MOMENT)

    assert agree(desk) == {"one": "Trim"}
    assert desk.conflicts() == []


def test_what_came_back_there_in_an_older_version_is_an_edit_of_theirs(desk: SyncDesk) -> None:
    agreed(desk)
    desk.resource().put(event("one", "Colour"))
    desk.poll()
    desk.resource().put(event("one", "Cut"))
    desk.poll()
    desk.remote().put(event("one", "Colour"))
    desk.resource().put(event("one", "Cut", "LOCATION:Room 1"))

    assert agree(desk) == {"one": "Colour"}
    assert "LOCATION:Room 1" in desk.remote().text("one")


def test_what_they_change_back_there_comes_here_also_where_it_is_to_be_looked_at_here(desk: SyncDesk) -> None:
    agreed(desk)
    desk.resource().put(event("one", "Colour"))
    desk.poll()
    desk.wait(MOMENT)
    desk.remote().put(event("one", "Cut"))
    with desk.database.writing() as tx:
        outbox.bring_back(tx, desk.rule_now().id, Side.HERE, ["one"])

    assert agree(desk) == {"one": "Cut"}


def test_what_was_removed_here_after_both_were_brought_together_unheard_stays_removed(desk: SyncDesk) -> None:
    agreed(desk)
    desk.resource().put(event("one", "Colour", "LOCATION:Room 1"))
    desk.remote().put(event("one", "Shave", "CATEGORIES:VIP"))
    unheard(desk, "replace")
    assert "LOCATION:Room 1" in desk.remote().text("one")

    desk.resource().put(event("one", "Colour"))

    assert agree(desk) == {"one": "Shave"}
    for text in (desk.resource().text("one"), desk.remote().text("one")):
        assert "LOCATION" not in text
        assert "CATEGORIES:VIP" in text


def test_what_was_deleted_here_and_edited_there_comes_back_as_it_stands_there(desk: SyncDesk) -> None:
    agreed(desk)
    desk.resource().put(event("one", "Colour"))
    unheard(desk, "replace")

    desk.remote().change("one", "END:VEVENT", "LOCATION:Room 1\r\nEND:VEVENT")
    desk.resource().delete("one")

    assert agree(desk) == {"one": "Colour"}
    assert "LOCATION:Room 1" in desk.resource().text("one")


def test_an_edit_there_of_what_was_created_unheard_beats_a_deletion_here(desk: SyncDesk) -> None:
    agreed(desk)
    desk.resource().put(event("new", "Shave", start=event().span.first + timedelta(days=1)))
    unheard(desk, "create")

    desk.remote().change("new", "SUMMARY:Shave", "SUMMARY:Perm")
    desk.resource().delete("new")

    assert agree(desk) == {"one": "Cut", "new": "Perm"}


def test_what_was_created_and_changed_unheard_and_is_deleted_here_is_deleted_there(desk: SyncDesk) -> None:
    agreed(desk)
    desk.resource().put(event("new", "Shave", start=event().span.first + timedelta(days=1)))
    unheard(desk, "create")
    desk.resource().put(event("new", "Perm", start=event().span.first + timedelta(days=1)))
    unheard(desk, "replace")
    assert desk.remote().titles()["new"] == "Perm"

    desk.resource().delete("new")

    assert agree(desk) == {"one": "Cut"}


def test_what_was_veiled_unheard_and_is_deleted_here_is_deleted_there(desk: SyncDesk) -> None:
    agreed(desk)
    desk.rule(on_conflict="theirs", push={"detail": "busy"})
    unheard(desk, "replace")
    assert desk.remote().titles() == {"one": "Busy"}

    desk.resource().delete("one")

    assert agree(desk) == {}


def test_what_a_person_swaps_before_the_clash_is_settled_stands(desk: SyncDesk) -> None:
    agreed(desk)
    desk.resource().put(event("one", "Colour"))
    desk.remote().put(event("one", "Shave", "LOCATION:Room 1"))
    desk.resource().put(event("one", "Colour", "CATEGORIES:VIP"))
    unheard(desk, "replace")
    [clash] = desk.conflicts()

    with desk.database.writing() as tx:
        swapping.swap(tx, clash.id, author=Author("cli:boss"), parse=parse)

    assert agree(desk) == {"one": "Colour"}
    assert "LOCATION:Room 1" in desk.resource().text("one")
