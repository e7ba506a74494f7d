"""What every database must do for claims: inherited beside `tests.contracts.store`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.store import claim
from tests.store.assignments import MINUTE

if TYPE_CHECKING:
    from collections.abc import Callable

    from bridge.store.database import Database
    from tests.store.desk import Clock, Desk


def take(desk: Desk, owner: str, name: str = "tokens") -> bool:
    with desk.database.writing() as tx:
        return claim.take(tx, name, owner, tx.now + MINUTE)


def release(desk: Desk, owner: str, name: str = "tokens") -> None:
    with desk.database.writing() as tx:
        claim.release(tx, name, owner)


class ClaimContract:
    """One process at a time does what has a name."""

    def test_a_claim_is_one_owner_s_until_it_lets_go(self, desk: Desk) -> None:
        assert take(desk, "a")
        assert not take(desk, "b")
        release(desk, "b")
        assert not take(desk, "b"), "nobody ends the claim of another"
        release(desk, "a")
        assert take(desk, "b")

    def test_different_names_are_claimed_apart(self, desk: Desk) -> None:
        assert take(desk, "a", "one")
        assert take(desk, "b", "two")

    def test_the_claim_of_a_dead_process_ends_by_itself(self, desk: Desk) -> None:
        assert take(desk, "dead")
        desk.clock.go_on(MINUTE)
        assert take(desk, "b")
        release(desk, "dead")
        assert not take(desk, "dead"), "what came to an end is another's now"

    def test_its_owner_extends_a_claim(self, desk: Desk) -> None:
        assert take(desk, "a")
        desk.clock.go_on(MINUTE / 2)
        assert take(desk, "a")
        desk.clock.go_on(MINUTE / 2)
        assert not take(desk, "b")

    def test_a_claim_counts_for_every_process(
        self, desk: Desk, open_database: Callable[[], Database], clock: Clock
    ) -> None:
        assert take(desk, "a")
        with open_database().writing() as tx:
            assert not claim.take(tx, "tokens", "b", clock.now + MINUTE)
