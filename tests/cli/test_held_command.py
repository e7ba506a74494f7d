"""Tests `held`: a person approves deletions, which are then done, or refuses them, and everything is back."""

from __future__ import annotations

import pytest

from bridge.cli.outcome import Exit
from tests.cli.conftest import event
from tests.cli.remote import Remote, events

GUARDED = "guard: {objects: 1, percent: 10}"


@pytest.fixture
def kept(clinic: Remote) -> Remote:
    """Four appointments from here and two from there, under a rule that deletes one at a time by itself."""
    clinic.configure(clinic.rule_line(options=GUARDED))
    clinic.put_here(*events(4))
    clinic.put_there(event("t0", "Theirs 0"), event("t1", "Theirs 1"))
    clinic.sync()
    return clinic


EVERYTHING = {"e0": "Cut 0", "e1": "Cut 1", "e2": "Cut 2", "e3": "Cut 3", "t0": "Theirs 0", "t1": "Theirs 1"}
RULE = "work"


def only_hold(remote: Remote) -> dict[str, object]:
    (found,) = remote.run("held", "list", "--json").json["held"]
    assert isinstance(found, dict)
    return found


def test_what_was_deleted_there_waits_and_goes_when_a_person_approves(kept: Remote) -> None:
    for uid in ("e0", "e1", "t0"):
        kept.bob.remove(uid)
    assert kept.sync() == {"held": 3}
    assert kept.here() == EVERYTHING
    found = only_hold(kept)
    assert (found["rule"], found["deletes"], found["of"]) == (RULE, "here", 6)
    shown = kept.done("held", "show", str(found["id"])).stdout
    assert all(title in shown for title in ("Cut 0", "Cut 1", "Theirs 0", "3 appointments of 6"))
    assert kept.run("status").code == Exit.PART

    kept.done("held", "approve", str(found["id"]))
    assert kept.sync() == {"delete here": 3}
    assert kept.here() == kept.there() == {uid: EVERYTHING[uid] for uid in ("e2", "e3", "t1")}
    assert kept.run("held", "list").stdout == "Nothing waits for approval.\n"
    assert kept.run("status").code == 0
    assert kept.sync() == {}


def test_what_was_deleted_here_waits_and_goes_when_a_person_approves(kept: Remote) -> None:
    kept.remove_here("e0", "e1", "t0")
    assert kept.sync() == {"held": 3}
    assert kept.there() == EVERYTHING

    kept.done("held", "approve", str(only_hold(kept)["id"]))
    assert kept.sync() == {"delete there": 3}
    assert kept.here() == kept.there() == {uid: EVERYTHING[uid] for uid in ("e2", "e3", "t1")}
    assert kept.sync() == {}


@pytest.mark.parametrize("here", [True, False])
def test_a_person_sees_when_each_begins_the_first_first(clinic: Remote, *, here: bool) -> None:
    clinic.configure(clinic.rule_line(options=GUARDED))
    clinic.put_here(event("a", "Later", start="20271105T090000"), event("b", "Sooner", start="20270705T090000"))
    clinic.sync()
    if here:
        clinic.remove_here("a", "b")
    else:
        for uid in ("a", "b"):
            clinic.bob.remove(uid)
    clinic.sync()

    shown = clinic.done("held", "show", str(only_hold(clinic)["id"])).stdout.splitlines()

    rows = [line.split() for line in shown if line.endswith((" a", " b"))]
    assert rows == [["2027-07-05", "09:00", "Sooner", "b"], ["2027-11-05", "09:00", "Later", "a"]]


def test_refusing_brings_back_there_what_was_deleted_there(kept: Remote) -> None:
    for uid in ("e0", "e1", "t0"):
        kept.bob.remove(uid)
    kept.sync()
    kept.done("held", "refuse", str(only_hold(kept)["id"]))

    assert kept.sync() == {"create there": 3}
    assert kept.here() == kept.there() == EVERYTHING
    assert kept.sync() == {}
    assert kept.run("status").code == 0


def test_refusing_brings_back_here_what_was_deleted_here(kept: Remote) -> None:
    hrefs = {each["uid"]: each["href"] for each in kept.run("history", "--json").json["entries"]}
    kept.remove_here("e0", "e1", "t0")
    kept.sync()
    kept.done("held", "refuse", str(only_hold(kept)["id"]))

    # Under the names that programs know, and at once.
    assert kept.here() == EVERYTHING
    entries = kept.run("history", "--json").json["entries"]
    assert {each["uid"]: each["href"] for each in entries[:3]} == {uid: hrefs[uid] for uid in ("e0", "e1", "t0")}
    assert kept.sync() == {}
    assert kept.here() == kept.there() == EVERYTHING


def test_what_comes_back_there_can_be_deleted_again(kept: Remote) -> None:
    for uid in ("e0", "e1", "t0"):
        kept.bob.remove(uid)
    kept.sync()
    kept.done("held", "refuse", str(only_hold(kept)["id"]))
    kept.sync()
    kept.bob.remove("e0")
    assert kept.sync() == {"delete here": 1}
    assert "e0" not in kept.here()


def test_what_was_edited_meanwhile_is_not_deleted_by_an_approval(kept: Remote) -> None:
    for uid in ("e0", "e1", "t0"):
        kept.bob.remove(uid)
    kept.sync()
    hold = str(only_hold(kept)["id"])
    kept.put_here(event("e0", "Still wanted", start="20261124T080000"))
    kept.done("held", "approve", hold)
    kept.sync()
    assert kept.here()["e0"] == kept.there()["e0"] == "Still wanted"
    assert "e1" not in kept.here()


def test_an_approval_is_for_this_deletion_only(kept: Remote) -> None:
    for uid in ("e0", "e1", "t0"):
        kept.bob.remove(uid)
    kept.sync()
    kept.done("held", "approve", str(only_hold(kept)["id"]))
    kept.sync()
    kept.put_here(*events(2))
    kept.put_there(event("t0", "Theirs 0"))
    kept.sync()
    for uid in ("e0", "e1", "t0"):
        kept.bob.remove(uid)
    assert kept.sync() == {"held": 3}


def test_a_hold_is_decided_once(kept: Remote) -> None:
    kept.remove_here("e0", "e1", "t0")
    kept.sync()
    hold = str(only_hold(kept)["id"])
    kept.done("held", "refuse", hold)
    again = kept.run("held", "approve", hold, "--json")
    assert (again.code, again.error["error"]) == (Exit.FAILED, f"The hold {hold} was refused already.")
    assert kept.run("held", "show", "999", "--json").code == Exit.FAILED


@pytest.fixture
def hold_of_left_over(kept: Remote) -> str:
    """The number of a hold whose rule was taken out of the configuration since."""
    kept.remove_here("e0", "e1", "t0")
    kept.sync()
    kept.configure(kept.rule_line("other", options=GUARDED, name="Elsewhere"))
    kept.run("rule", "pause", "other")
    return str(only_hold(kept)["id"])


def test_a_hold_of_a_left_over_rule_is_shown_as_that(kept: Remote, hold_of_left_over: str) -> None:
    listed = kept.done("held", "list").stdout
    shown = kept.done("held", "show", hold_of_left_over).stdout

    assert "work (left over)" in listed
    for each in (listed, shown):
        assert "The rule 'work' is left over" in each
        assert "calbridge rule remove work" in each
        assert "held approve" not in each
    assert only_hold(kept)["left_over"] is True
    assert "Cut 0" in shown


@pytest.mark.parametrize("word", ["approve", "refuse"])
def test_a_hold_of_a_left_over_rule_is_not_decided(kept: Remote, hold_of_left_over: str, word: str) -> None:
    here = kept.here()
    answer = kept.run("held", word, hold_of_left_over, "--json")

    assert answer.code == Exit.FAILED
    assert "is left over" in answer.error["error"]
    assert "calbridge rule remove work" in answer.error["remedy"]
    assert only_hold(kept)["state"] == "waiting"
    assert kept.here() == here


def test_a_hold_can_be_decided_when_its_rule_is_back(kept: Remote, hold_of_left_over: str) -> None:
    kept.configure(kept.rule_line(options=GUARDED))
    kept.sync()

    assert only_hold(kept)["left_over"] is False
    kept.done("held", "approve", hold_of_left_over)
    assert kept.sync() == {"delete there": 3}


def test_a_hold_goes_with_its_rule(kept: Remote, hold_of_left_over: str) -> None:
    kept.done("rule", "remove", "work", "--yes", "--upstream", "keep", "--here", "keep")

    assert kept.run("held", "list").stdout == "Nothing waits for approval.\n"
    assert kept.run("held", "show", hold_of_left_over).code == Exit.FAILED


def test_the_help_says_that_a_hold_is_decided_as_a_whole(clinic: Remote) -> None:
    for word in ("approve", "refuse"):
        assert "all of it or nothing" in " ".join(clinic.done("held", word, "--help").stdout.split())


def test_the_private_parts_that_a_rule_does_not_send_come_back_too(clinic: Remote) -> None:
    clinic.configure(clinic.rule_line(options=f"push: {{detail: busy}}, {GUARDED}"))
    clinic.put_here(*events(4))
    clinic.sync()
    assert "Cut 0" not in clinic.there().values()
    clinic.remove_here("e0", "e1", "e2")
    clinic.sync()
    clinic.done("held", "refuse", str(only_hold(clinic)["id"]))
    clinic.sync()
    assert clinic.here() == {f"e{number}": f"Cut {number}" for number in range(4)}
