"""Tests `conflicts`: both versions are shown, and the one that lost can be swapped back; it goes upstream by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from bridge.cli.outcome import Exit
from tests.cli.conftest import event

if TYPE_CHECKING:
    from tests.cli.remote import Remote


def clash(clinic: Remote, policy: str) -> dict[str, Any]:
    """One appointment whose title changed on both sides, and whose place and notes on one each."""
    clinic.configure(clinic.rule_line(options=f"on_conflict: {policy}"))
    clinic.put_here(event("a", "Cut"))
    clinic.sync()
    clinic.put_here(event("a", "Colour", extra="LOCATION:Room 1"))
    clinic.bob.put(clinic.bob.read("a").replace(b"SUMMARY:Cut", b"SUMMARY:Shave\r\nDESCRIPTION:Bring tea"))
    clinic.sync()
    (found,) = clinic.run("conflicts", "list", "--json").json["conflicts"]
    assert isinstance(found, dict)
    return found


def body_here(clinic: Remote) -> str:
    return clinic.done("export", "salon/anna").stdout


@pytest.mark.parametrize(("policy", "kept", "lost"), [("ours", "Colour", "Shave"), ("theirs", "Shave", "Colour")])
def test_the_version_that_lost_is_swapped_back_on_both_sides(clinic: Remote, policy: str, kept: str, lost: str) -> None:
    found = clash(clinic, policy)
    assert (found["properties"], found["kept"]) == (["SUMMARY"], policy)
    assert clinic.here() == clinic.there() == {"a": kept}

    clinic.done("conflicts", "swap", str(found["id"]))
    assert clinic.here() == {"a": lost}
    assert clinic.sync() == {"push": 1}
    assert clinic.there() == {"a": lost}
    assert clinic.sync() == {}
    # What only one of them had changed is not lost by that.
    for text in (body_here(clinic), clinic.bob.read("a").decode()):
        assert "LOCATION:Room 1" in text
        assert "DESCRIPTION:Bring tea" in text
    assert clinic.run("conflicts", "list").stdout == "There are no conflicts.\n"


def test_both_versions_are_shown_side_by_side(clinic: Remote) -> None:
    number = str(clash(clinic, "ours")["id"])
    shown = clinic.done("conflicts", "show", number, "--json").json
    differing = {each["property"]: (each["kept"], each["lost"]) for each in shown["differing"]}
    assert differing["SUMMARY"] == ("Colour", "Shave")
    assert "SUMMARY:Shave" in shown["lost_version"]

    text = clinic.done("conflicts", "show", number).stdout
    assert "KEPT (ours)" in text
    assert "LOST (theirs)" in text
    assert f"calbridge conflicts swap {number}" in text


def test_a_swap_is_done_once_and_can_be_undone(clinic: Remote) -> None:
    number = str(clash(clinic, "ours")["id"])
    clinic.done("conflicts", "swap", number)
    assert clinic.run("conflicts", "swap", number).code == Exit.FAILED
    newest = clinic.run("history", "salon/anna", "--json").json["entries"][0]
    clinic.done("undo", str(newest["id"]))
    clinic.sync()
    assert clinic.here() == clinic.there() == {"a": "Colour"}


def test_a_swap_brings_back_what_was_deleted_since(clinic: Remote) -> None:
    number = str(clash(clinic, "ours")["id"])
    clinic.remove_here("a")
    clinic.sync()
    assert clinic.there() == {}
    clinic.done("conflicts", "swap", number)
    clinic.sync()
    assert clinic.here() == clinic.there() == {"a": "Shave"}


def test_a_conflict_that_is_dismissed_changes_nothing(clinic: Remote) -> None:
    number = str(clash(clinic, "theirs")["id"])
    assert clinic.run("status", "--json").json["rules"][0]["conflicts"] == 1
    clinic.done("conflicts", "dismiss", number)
    assert clinic.here() == clinic.there() == {"a": "Shave"}
    assert clinic.run("status", "--json").json["rules"][0]["conflicts"] == 0
    assert [each["state"] for each in clinic.run("conflicts", "list", "--all", "--json").json["conflicts"]] == [
        "dismissed"
    ]
    assert clinic.run("conflicts", "show", "999").code == Exit.FAILED
