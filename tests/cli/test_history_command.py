"""Tests `history` and `undo`: who changed what, and how it is taken back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.cli.outcome import Exit
from tests.cli.conftest import calendar, event

if TYPE_CHECKING:
    from tests.cli.conftest import Installation


def store(installation: Installation, *components: str, into: str = "salon/anna") -> None:
    assert installation.run("import", "-", "--into", into, typed=calendar(*components)).code == 0


def entries(installation: Installation, *words: str) -> list[dict[str, object]]:
    found: list[dict[str, object]] = installation.run("history", *words, "--json").json["entries"]
    return found


def test_the_newest_change_comes_first(installation: Installation) -> None:
    store(installation, event("a", "Cut"))
    store(installation, event("a", "Colour"))
    newest, oldest = entries(installation, "salon/anna")

    assert newest.pop("at")
    assert newest == {
        "id": 2,
        "calendar": "salon/anna",
        "action": "replace",
        "uid": "a",
        "href": "a.ics",
        "title": "Colour",
        "who": "import",
        "via": "calbridge import -",
    }
    assert (oldest["id"], oldest["action"], oldest["title"]) == (1, "create", "Cut")


def test_history_is_of_one_calendar_or_one_appointment(installation: Installation) -> None:
    store(installation, event("a"), event("b"))
    store(installation, event("c"), into="salon/room-1")

    assert [entry["uid"] for entry in entries(installation)] == ["c", "b", "a"]
    assert [entry["uid"] for entry in entries(installation, "salon/anna")] == ["b", "a"]
    assert [entry["uid"] for entry in entries(installation, "--uid", "a")] == ["a"]
    assert [entry["uid"] for entry in entries(installation, "--limit", "1")] == ["c"]


def test_a_person_is_told_when_there_is_more(installation: Installation) -> None:
    assert installation.run("history").stdout == "Nothing was changed.\n"
    store(installation, event("a", "[bold]Cut[/bold]"), event("b"))
    shown = installation.run("history", "--limit", "1").stdout
    assert "These are the newest 1; --limit shows more." in shown
    assert "[bold]Cut[/bold]" in installation.run("history").stdout


def test_an_undone_change_can_be_undone_itself(installation: Installation) -> None:
    store(installation, event("a", "Cut"))
    before = installation.run("export", "salon/anna").stdout
    store(installation, event("a", "Colour"))
    after = installation.run("export", "salon/anna").stdout

    undone = installation.run("undo", "2", "--json").json["undone"]
    assert (undone["id"], undone["action"]) == (2, "replace")
    assert installation.run("export", "salon/anna").stdout == before
    assert installation.run("undo", "3").stdout == "'Cut' in salon/anna is as it was before.\n"
    assert installation.run("export", "salon/anna").stdout == after


def test_the_undoing_of_a_creation_deletes_and_brings_back(installation: Installation) -> None:
    store(installation, event("a", "Cut"))

    assert installation.run("undo", "1").stdout == "'Cut' in salon/anna is deleted again.\n"
    assert installation.run("undo", "2").stdout == "'Cut' in salon/anna is back.\n"


def test_a_change_under_later_ones_is_not_undone(installation: Installation) -> None:
    store(installation, event("a", "Cut"))
    store(installation, event("a", "Colour"))
    answer = installation.run("undo", "1", "--json")

    assert answer.code == Exit.FAILED
    assert "was changed again after entry 1" in answer.error["error"]
    assert "newest first" in answer.error["remedy"]


def test_an_entry_that_is_not_there_is_named(installation: Installation) -> None:
    answer = installation.run("undo", "99")

    assert answer.code == Exit.FAILED
    assert "There is no journal entry 99." in answer.stderr


def test_the_history_of_a_resource_that_was_taken_out_stays(installation: Installation) -> None:
    store(installation, event("a"), into="salon/room-1")
    text = installation.config.read_text()
    installation.config.write_text("".join(line for line in text.splitlines(keepends=True) if "room-1:" not in line))

    assert "salon/room-1" in installation.run("history").stdout


def test_a_shared_appointment_that_comes_back_is_shared_again(installation: Installation) -> None:
    for calendar_name in ("salon/anna", "salon/room-1"):
        store(installation, event("a", "Cut"), into=calendar_name)
    for _ in ("out of the room", "and back"):
        assert installation.run("undo", str(entries(installation)[0]["id"])).code == Exit.DONE

    store(installation, event("a", "Colour"), into="salon/room-1")

    assert "SUMMARY:Colour" in installation.run("export", "salon/anna").stdout
