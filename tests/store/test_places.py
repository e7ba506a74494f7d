"""A crowd is served one after the other; a jam holds up only those who are part of it."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from bridge.store.places import NoPlace, Places

LONG = 20.0


def test_a_crowd_larger_than_places_and_line_is_served_while_it_gets_on() -> None:
    places = Places(2, in_line=1, patience=LONG, stuck=LONG)
    held: list[int] = []
    most: list[int] = []

    def hold(number: int) -> None:
        with places.one():
            held.append(number)
            most.append(len(held))
            held.remove(number)

    with ThreadPoolExecutor(12) as crowd:
        list(crowd.map(hold, range(200)))

    assert len(most) == 200
    assert max(most) <= 2


def test_whoever_finds_the_line_full_is_turned_away_at_once_where_someone_is_stuck() -> None:
    places = Places(1, in_line=0, patience=LONG, stuck=0)
    with places.one(), pytest.raises(NoPlace), places.one():
        pass
    with places.one():
        pass


def test_whoever_waits_in_line_is_turned_away_when_patience_ends() -> None:
    places = Places(1, in_line=5, patience=0.01, stuck=LONG)
    with places.one(), pytest.raises(NoPlace), places.one():
        pass


def test_one_person_cannot_take_the_places_of_the_others() -> None:
    places = Places(4, each=2, in_line=0, patience=LONG, stuck=0)
    with ExitStack() as taken:
        for whose in ("anna", "anna", "ben"):
            taken.enter_context(places.one(whose))
        with pytest.raises(NoPlace), places.one("anna"):
            pass
        taken.enter_context(places.one("ben"))
        with pytest.raises(NoPlace), places.one("cleo"):
            pass


def test_nobody_waits_behind_a_person_who_has_all_places_that_one_may_have() -> None:
    places = Places(4, each=1, in_line=5, patience=LONG, stuck=LONG)
    waits = threading.Event()

    def second() -> None:
        waits.set()
        with places.one("anna"):
            pass

    with places.one("anna"):
        waiting = threading.Thread(target=second)
        waiting.start()
        waits.wait(LONG)
        with places.one("ben") as left:
            assert left > 0
    waiting.join(LONG)
    assert not waiting.is_alive()


def test_whoever_did_not_wait_has_all_patience_left() -> None:
    with Places(1, in_line=1, patience=LONG, stuck=LONG).one() as left:
        assert left == pytest.approx(LONG, abs=1)
