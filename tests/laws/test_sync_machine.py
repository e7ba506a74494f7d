"""Law: whatever people and fate do, at rest nothing is lost, nothing is doubled, and both sides of a rule are the same.

CALBRIDGE_NIGHT=N runs N times as many sequences; `--hypothesis-seed` repeats a run.
"""

from __future__ import annotations

import os
from datetime import timedelta

from hypothesis import HealthCheck, Phase, settings, strategies
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from tests.laws.sync_world import HERE, RULES, THERE, UIDS, Kind, Slot, World, open_world

SEQUENCES = 2_000
STEPS = 14

places = strategies.sampled_from((*HERE, *THERE))
remotes = strategies.sampled_from(THERE)
uids = strategies.sampled_from(UIDS)
keys = strategies.sampled_from(tuple(RULES))
moments = strategies.integers(min_value=0, max_value=60)
calls = strategies.integers(min_value=0, max_value=12)
waits = strategies.sampled_from((timedelta(minutes=5), timedelta(minutes=5), timedelta(hours=2), timedelta(days=1)))
misdeeds = strategies.lists(strategies.sampled_from(("down", "lost", "cut", "stale", None)), min_size=1, max_size=4)
slots = strategies.sampled_from(tuple(Slot))
policies = strategies.sampled_from(("newest", "ours", "theirs"))


class SyncMachine(RuleBasedStateMachine):
    """People at both ends of three rules, and what can go wrong in between."""

    def __init__(self) -> None:
        super().__init__()
        self.world: World = open_world()

    def teardown(self) -> None:
        try:
            self.world.rest()
        finally:
            self.world.close()

    @rule(place=places, uid=uids, kind=strategies.sampled_from(tuple(Kind)))
    def somebody_makes(self, place: str, uid: str, kind: Kind) -> None:
        self.world.put_new(place, uid, kind)

    @rule(place=places, uid=uids, slot=slots, day=strategies.integers(min_value=0, max_value=3))
    def somebody_edits(self, place: str, uid: str, slot: Slot, day: int) -> None:
        self.world.edit(place, uid, slot, day)

    @rule(place=places, uid=uids)
    def somebody_deletes(self, place: str, uid: str) -> None:
        self.world.delete(place, uid)

    @rule(uid=uids)
    def somebody_books_the_room_as_well(self, uid: str) -> None:
        self.world.share(uid)

    @rule(uid=uids, order=strategies.permutations(HERE))
    def somebody_moves_it_to_another_resource(self, uid: str, order: list[str]) -> None:
        self.world.hand_over(uid, *order)

    @rule(place=remotes, uid=uids)
    def the_provider_gives_it_another_id(self, place: str, uid: str) -> None:
        self.world.rename(place, uid)

    @rule(place=remotes, kinds=misdeeds)
    def an_upstream_misbehaves(self, place: str, kinds: list[str | None]) -> None:
        self.world.misdeeds(place, kinds)

    @rule(place=remotes)
    def the_cursors_expire(self, place: str) -> None:
        self.world.expire(place)

    @rule(key=keys)
    def a_rule_is_paused(self, key: str) -> None:
        self.world.pause(key)

    @rule(key=keys)
    def a_rule_is_resumed(self, key: str) -> None:
        self.world.resume(key)

    @rule(key=keys)
    def a_rule_is_reset(self, key: str) -> None:
        self.world.reset(key)

    @rule(key=keys, policy=policies)
    def the_options_change(self, key: str, policy: str) -> None:
        self.world.reconfigure(key, on_conflict=policy)

    @rule(length=waits)
    def time_goes_by(self, length: timedelta) -> None:
        self.world.wait(length)

    @rule(length=waits)
    def the_worker_runs(self, length: timedelta) -> None:
        self.world.wait(length)
        self.world.run()

    @rule(length=waits, at=moments)
    def the_worker_is_killed(self, length: timedelta, at: int) -> None:
        self.world.wait(length)
        self.world.run_killed(at)

    @rule(length=waits, at=calls)
    def the_worker_hangs_and_another_takes_over(self, length: timedelta, at: int) -> None:
        self.world.wait(length)
        self.world.run_taken_over(at)

    @rule(length=waits, at=calls, place=places, uid=uids, slot=slots)
    def somebody_edits_in_the_middle_of_a_pass(
        self, length: timedelta, at: int, place: str, uid: str, slot: Slot
    ) -> None:
        self.world.wait(length)
        self.world.run_with(lambda: self.world.edit(place, uid, slot), at)

    @rule(length=waits, at=calls, place=places, uid=uids)
    def somebody_deletes_in_the_middle_of_a_pass(self, length: timedelta, at: int, place: str, uid: str) -> None:
        self.world.wait(length)
        self.world.run_with(lambda: self.world.delete(place, uid), at)

    @rule()
    def everything_comes_to_rest(self) -> None:
        self.world.rest()


def test_at_rest_nothing_is_lost_and_nothing_is_doubled() -> None:
    sequences = SEQUENCES * int(os.environ.get("CALBRIDGE_NIGHT", "1"))
    run_state_machine_as_test(
        SyncMachine,
        settings=settings(
            max_examples=sequences,
            stateful_step_count=STEPS,
            print_blob=True,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.explicit, Phase.generate, Phase.shrink],
            database=None,
        ),
    )
