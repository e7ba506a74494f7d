"""Tests of what a plan says before anything is done."""

from __future__ import annotations

from bridge.core.decision import Move
from bridge.core.plan import Plan, Step


def plan(*moves: Move) -> Plan:
    return Plan(tuple(Step(move, f"uid-{number}", None, "") for number, move in enumerate(moves)))


def test_a_plan_says_how_many_objects_each_move_concerns_and_what_is_left_as_it_is() -> None:
    made = plan(Move.CREATE_THERE, Move.ADOPT, Move.CREATE_THERE, Move.FROZEN, Move.NOTHING, Move.CREATE_HERE)

    assert made.sentence() == ("link 1 that are on both sides, create 1 here, create 2 there, 1 lie outside the window")
    assert made.counts[Move.NOTHING] == 0


def test_a_plan_of_nothing_says_so() -> None:
    assert plan(Move.NOTHING).sentence() == plan().sentence() == "nothing to do"
