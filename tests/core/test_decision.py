"""The table of moves, and what the options of a rule make of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bridge.core.decision import (
    Acts,
    Blocked,
    Change,
    Direction,
    Existing,
    Move,
    OnConflict,
    Options,
    allowed,
    decide,
    winner,
)
from bridge.core.sides import Side

NOON = datetime(2026, 7, 14, 12, tzinfo=UTC)
UNCHANGED, CHANGED, GONE = Change.UNCHANGED, Change.CHANGED, Change.GONE
WRITING_HERE = {Move.PULL, Move.DELETE_HERE, Move.RESTORE_HERE, Move.CREATE_HERE}
WRITING_THERE = {Move.PUSH, Move.DELETE_THERE, Move.RECREATE_THERE, Move.CREATE_THERE}
WRITING_NOTHING = set(Move) - WRITING_HERE - WRITING_THERE - {Move.MERGE}


@pytest.mark.parametrize(
    ("here", "there", "move"),
    [
        (UNCHANGED, UNCHANGED, Move.NOTHING),
        (UNCHANGED, CHANGED, Move.PULL),
        (UNCHANGED, GONE, Move.DELETE_HERE),
        (CHANGED, UNCHANGED, Move.PUSH),
        (CHANGED, CHANGED, Move.MERGE),
        (CHANGED, GONE, Move.RECREATE_THERE),
        (GONE, UNCHANGED, Move.DELETE_THERE),
        (GONE, CHANGED, Move.RESTORE_HERE),
        (GONE, GONE, Move.FORGET),
    ],
)
def test_each_case_has_its_move(here: Change, there: Change, move: Move) -> None:
    assert decide(here, there) is move


@pytest.mark.parametrize("move", list(Move))
def test_a_rule_of_both_directions_does_every_move(move: Move) -> None:
    assert allowed(move, Options(), first_pass=True) is move
    assert allowed(move, Options(), first_pass=False) is move


@pytest.mark.parametrize("move", sorted(WRITING_HERE))
def test_a_rule_that_only_sends_writes_nothing_here(move: Move) -> None:
    verdict = allowed(move, Options(direction=Direction.PUSH), first_pass=False)
    assert isinstance(verdict, Blocked)
    assert (verdict.move, verdict.side) == (move, Side.HERE)
    assert verdict.reason.startswith("The rule only sends (direction: push), so nothing is ")
    assert allowed(move, Options(direction=Direction.PULL), first_pass=False) is move


@pytest.mark.parametrize("move", sorted(WRITING_THERE))
def test_a_rule_that_only_fetches_writes_nothing_there(move: Move) -> None:
    verdict = allowed(move, Options(direction=Direction.PULL), first_pass=False)
    assert isinstance(verdict, Blocked)
    assert (verdict.move, verdict.side) == (move, Side.THERE)
    assert verdict.reason.startswith("The rule only fetches (direction: pull), so nothing is ")
    assert allowed(move, Options(direction=Direction.PUSH), first_pass=False) is move


@pytest.mark.parametrize("direction", list(Direction))
@pytest.mark.parametrize("move", sorted(WRITING_NOTHING))
def test_what_writes_nothing_is_always_allowed(move: Move, direction: Direction) -> None:
    options = Options(direction=direction, existing=Existing.NONE)
    assert allowed(move, options, first_pass=True) is move


@pytest.mark.parametrize(
    ("options", "move"),
    [
        (Options(direction=Direction.PUSH), Move.PUSH),
        (Options(direction=Direction.PULL), Move.PULL),
        (Options(push=Acts(update=False)), Move.PULL),
        (Options(pull=Acts(update=False)), Move.PUSH),
    ],
)
def test_a_merge_writes_only_the_side_that_may_be_written(options: Options, move: Move) -> None:
    assert allowed(Move.MERGE, options, first_pass=False) is move


def test_a_merge_where_neither_side_may_be_written_is_not_done() -> None:
    verdict = allowed(Move.MERGE, Options(push=Acts(update=False), pull=Acts(update=False)), first_pass=False)
    assert isinstance(verdict, Blocked)
    assert verdict.move is Move.MERGE


@pytest.mark.parametrize(
    ("acts", "moves"),
    [
        (Acts(create=False), {Move.CREATE_HERE, Move.RESTORE_HERE, Move.CREATE_THERE, Move.RECREATE_THERE}),
        (Acts(update=False), {Move.PULL, Move.PUSH, Move.MERGE}),
        (Acts(delete=False), {Move.DELETE_HERE, Move.DELETE_THERE}),
    ],
)
def test_each_flag_stops_its_own_moves_only(acts: Acts, moves: set[Move]) -> None:
    options = Options(push=acts, pull=acts)
    assert {move for move in Move if isinstance(allowed(move, options, first_pass=False), Blocked)} == moves


def test_a_reason_names_the_setting() -> None:
    verdict = allowed(Move.DELETE_THERE, Options(push=Acts(delete=False)), first_pass=False)
    assert isinstance(verdict, Blocked)
    assert verdict.reason == "The rule says push.delete: false, so nothing is deleted at the upstream."


@pytest.mark.parametrize(
    ("existing", "created"),
    [
        (Existing.BOTH, {Move.CREATE_HERE, Move.CREATE_THERE}),
        (Existing.SEND, {Move.CREATE_THERE}),
        (Existing.FETCH, {Move.CREATE_HERE}),
        (Existing.NONE, set()),
    ],
)
def test_what_was_there_before_the_rule_goes_where_the_rule_says(existing: Existing, created: set[Move]) -> None:
    new = {Move.CREATE_HERE, Move.CREATE_THERE}
    options = Options(existing=existing)
    assert {move for move in new if allowed(move, options, first_pass=True) is move} == created
    assert {move for move in new if allowed(move, options, first_pass=False) is move} == new


def test_existing_appointments_that_are_linked_go_on_as_all_others() -> None:
    options = Options(existing=Existing.NONE)
    linked = set(Move) - {Move.CREATE_HERE, Move.CREATE_THERE}
    assert {move for move in linked if allowed(move, options, first_pass=True) is move} == linked


def test_who_asks_why_an_old_appointment_stayed_away_is_told() -> None:
    verdict = allowed(Move.CREATE_HERE, Options(existing=Existing.SEND), first_pass=True)
    assert isinstance(verdict, Blocked)
    assert "(existing: send), so it is not created here." in verdict.reason


def test_the_newest_edit_wins_and_ours_where_both_are_as_new() -> None:
    later = NOON + timedelta(seconds=1)
    assert winner(OnConflict.NEWEST, later, NOON) is Side.HERE
    assert winner(OnConflict.NEWEST, NOON, later) is Side.THERE
    assert winner(OnConflict.NEWEST, NOON, NOON) is Side.HERE


def test_an_edit_of_unknown_time_counts_as_the_oldest() -> None:
    assert winner(OnConflict.NEWEST, NOON, None) is Side.HERE
    assert winner(OnConflict.NEWEST, None, NOON) is Side.THERE
    assert winner(OnConflict.NEWEST, None, None) is Side.HERE


def test_a_rule_may_say_who_wins_whatever_the_time() -> None:
    later = NOON + timedelta(seconds=1)
    assert winner(OnConflict.OURS, NOON, later) is Side.HERE
    assert winner(OnConflict.THEIRS, later, NOON) is Side.THERE


def test_each_side_lies_across_the_other() -> None:
    assert {side: side.other for side in Side} == {Side.HERE: Side.THERE, Side.THERE: Side.HERE}
