"""Tests `parked`: what is set aside is listed with its reason, and tried again when a person says so."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from bridge.cli.outcome import Exit
from bridge.core.sides import Side
from bridge.store import outbox
from bridge.store import parked as store
from tests.cli.conftest import event

if TYPE_CHECKING:
    from tests.cli.remote import Remote


@pytest.fixture
def stuck(clinic: Remote) -> Remote:
    """One appointment that never went there, and is set aside."""
    clinic.sync()
    clinic.put_here(event("a", "Cut"))
    rule = clinic.rule()
    with closing(clinic.installation.open().database) as database, database.writing() as tx:
        for intent in outbox.take(tx, rule.id, now=tx.now, limit=10):
            outbox.settle(tx, intent)
        reason = "The upstream refuses its colour."
        store.park(tx, rule.id, Side.HERE, "a", uid="a", summary="Cut", reason=reason, remedy="Choose another.")
    return clinic


def test_what_is_set_aside_is_shown_with_reason_and_remedy(stuck: Remote) -> None:
    assert stuck.sync() == {}
    assert stuck.there() == {}
    (found,) = stuck.run("parked", "list", "--json").json["parked"]
    assert (found["rule"], found["uid"], found["reason"]) == ("work", "a", "The upstream refuses its colour.")
    shown = stuck.run("parked", "list").stdout
    assert all(text in shown for text in ("Cut", "refuses its colour", "Choose another", "calbridge parked retry a"))
    status = stuck.run("status")
    assert status.code == Exit.PART
    assert "calbridge parked list" in status.stdout


@pytest.mark.parametrize("words", [("a",), ("--rule", "work"), ()])
def test_what_is_tried_again_goes_there(stuck: Remote, words: tuple[str, ...]) -> None:
    assert stuck.done("parked", "retry", *words, "--json").json == {"retried": 1}
    assert stuck.sync() == {"create there": 1}
    assert stuck.there() == {"a": "Cut"}
    assert stuck.run("parked", "list").stdout == "Nothing is set aside.\n"
    assert stuck.run("status").code == 0


def test_what_is_not_set_aside_cannot_be_tried_again(stuck: Remote) -> None:
    assert stuck.run("parked", "retry", "b", "--json").error["error"] == "'b' is not set aside."
    assert stuck.run("parked", "retry", "--rule", "wrk").code == Exit.FAILED
    assert len(stuck.run("parked", "list", "--rule", "work", "--json").json["parked"]) == 1
