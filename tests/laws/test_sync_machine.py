"""Law: whatever people and fate do, at rest nothing is lost, nothing is doubled, and both sides of a rule are the same.

`night` says how to go further.
"""

from __future__ import annotations

from datetime import timedelta

from hypothesis import strategies
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from tests.laws.night import sequences
from tests.laws.sync_edits import Kind, Slot
from tests.laws.sync_places import HERE, PLACES, RULES, THERE, UIDS
from tests.laws.sync_world import Fate, World, open_world

SEQUENCES = 2_000
STEPS = 12
ENOUGH = 4
"""So much has to happen before a rest pays."""

remotes = strategies.sampled_from(THERE)
uids = strategies.sampled_from(UIDS)
kinds = strategies.sampled_from(tuple(Kind))
keys = strategies.sampled_from(tuple(RULES))
some = strategies.integers(min_value=0, max_value=999)
steps = strategies.integers(min_value=0, max_value=80)
calls = strategies.integers(min_value=0, max_value=12)
waits = strategies.sampled_from((timedelta(minutes=5), timedelta(minutes=5), timedelta(hours=2), timedelta(days=1)))
misdeeds = strategies.lists(strategies.sampled_from(("down", "lost", "cut", "stale", None)), min_size=1, max_size=4)
slots = strategies.sampled_from(tuple(Slot))
policies = strategies.sampled_from(("newest", "ours", "theirs"))
makings = strategies.lists(
    strategies.tuples(strategies.sampled_from(PLACES), uids, kinds),
    min_size=1,
    max_size=3,
    unique_by=lambda made: made[:2],
)


class SyncMachine(RuleBasedStateMachine):
    """People at both ends of three rules, and what can go wrong in between."""

    def __init__(self) -> None:
        super().__init__()
        self.world: World = open_world()

    def teardown(self) -> None:
        self.world.rest()

    @initialize(made=makings, agreed=strategies.booleans())
    def it_begins(self, made: list[tuple[str, str, Kind]], *, agreed: bool) -> None:
        for place, uid, kind in made:
            self.world.put_new(place, uid, kind)
        if agreed:
            self.world.run()

    @rule(place=strategies.sampled_from(PLACES), uid=uids, kind=kinds)
    def somebody_makes(self, place: str, uid: str, kind: Kind) -> None:
        self.world.put_new(place, uid, kind)

    @rule(which=some, slot=slots, day=strategies.integers(min_value=0, max_value=3))
    def somebody_edits(self, which: int, slot: Slot, day: int) -> None:
        self._edit(which, slot, day)

    @rule(which=some)
    def somebody_deletes(self, which: int) -> None:
        self._delete(which)

    @rule(which=some)
    def somebody_books_the_room_as_well(self, which: int) -> None:
        found = self.world.choose(which, ("anna",))
        if found is not None:
            self.world.share(found[1])

    @rule(which=some)
    def somebody_moves_it_to_the_other_resource(self, which: int) -> None:
        found = self.world.choose(which, HERE)
        if found is not None:
            self.world.hand_over(found[1], found[0], HERE[1 - HERE.index(found[0])])

    @rule(which=some)
    def the_provider_gives_it_another_id(self, which: int) -> None:
        found = self.world.choose(which, THERE)
        if found is not None:
            self.world.rename(*found)

    @rule(place=remotes, kinds=misdeeds)
    def an_upstream_misbehaves(self, place: str, kinds: list[str | None]) -> None:
        self.world.misdeeds(place, kinds)

    @rule(key=keys, fate=strategies.sampled_from(Fate))
    def somebody_manages_a_rule(self, key: str, fate: Fate) -> None:
        self.world.manage(key, fate)

    @rule(key=keys, policy=policies)
    def the_options_change(self, key: str, policy: str) -> None:
        self.world.reconfigure(key, on_conflict=policy)

    @rule(length=waits)
    def the_worker_runs(self, length: timedelta) -> None:
        self.world.wait(length)
        self.world.run()

    @rule(length=waits, at=steps)
    def the_worker_is_killed(self, length: timedelta, at: int) -> None:
        self.world.wait(length)
        self.world.run_killed(at)

    @rule(which=some, slot=slots, at=steps, deletes=strategies.booleans())
    def somebody_goes_on_after_a_worker_was_killed(self, which: int, slot: Slot, at: int, *, deletes: bool) -> None:
        found = self.world.choose(which, HERE if slot is Slot.GUEST else PLACES)
        if found is None:
            return
        self.world.edit(*found, slot)
        self.world.wait(timedelta(minutes=5))
        self.world.run_killed(at)
        if deletes:
            self.world.delete(*found)
        else:
            self.world.edit(*found, slot)

    @rule(length=waits, at=calls)
    def the_worker_hangs_and_another_takes_over(self, length: timedelta, at: int) -> None:
        self.world.wait(length)
        self.world.run_taken_over(at)

    @rule(length=waits, at=calls, which=some, slot=slots)
    def somebody_edits_in_the_middle_of_a_pass(self, length: timedelta, at: int, which: int, slot: Slot) -> None:
        self.world.wait(length)
        self.world.run_with(lambda: self._edit(which, slot), at)

    @rule(length=waits, at=calls, which=some)
    def somebody_deletes_in_the_middle_of_a_pass(self, length: timedelta, at: int, which: int) -> None:
        self.world.wait(length)
        self.world.run_with(lambda: self._delete(which), at)

    @precondition(lambda self: sum(map(len, self.world.deeds.values())) >= ENOUGH)
    @rule()
    def everything_comes_to_rest(self) -> None:
        self.world.rest()

    def _edit(self, which: int, slot: Slot, day: int = 1) -> None:
        # Guests are taken over from nobody there: to add one there changes nothing here.
        found = self.world.choose(which, HERE if slot is Slot.GUEST else PLACES)
        if found is not None:
            self.world.edit(*found, slot, day)

    def _delete(self, which: int) -> None:
        found = self.world.choose(which, PLACES)
        if found is not None:
            self.world.delete(*found)


def test_at_rest_nothing_is_lost_and_nothing_is_doubled() -> None:
    run_state_machine_as_test(SyncMachine, settings=sequences(SEQUENCES, steps=STEPS))
