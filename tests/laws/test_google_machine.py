"""Law: with Google at the other end of every rule nothing is lost, nothing is doubled, and both sides are the same.

What Google cannot hold is compared as the adapter's mapping would bring it back, and the grid as a person sees it.
`night` says how to go further.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, cast

from hypothesis import strategies
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from tests.laws.google_line import MISDEEDS
from tests.laws.google_people import SPRING, GoingOn
from tests.laws.google_world import GoogleWorld, open_google_world
from tests.laws.night import sequences
from tests.laws.sync_edits import Slot
from tests.laws.sync_places import GROUPS, HERE, PLACES, THERE
from tests.laws.test_sync_machine import STEPS, SyncMachine, kinds, remotes, slots, some, steps
from tests.sync.appointments import START

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from tests.laws.sync_edits import Kind

SEQUENCES = 150

days = strategies.integers(min_value=0, max_value=3)
misdeeds = strategies.lists(strategies.sampled_from((*MISDEEDS, "410")), min_size=1, max_size=6)
jumps = strategies.sampled_from((timedelta(hours=-2), timedelta(minutes=-7), timedelta(days=8), timedelta(days=40)))


class GoogleMachine(SyncMachine):
    """People here and at Google's page, and what can go wrong in between."""

    def __init__(self) -> None:
        RuleBasedStateMachine.__init__(self)
        self.world = open_google_world()

    @property
    def google(self) -> GoogleWorld:
        return cast("GoogleWorld", self.world)

    @initialize(follow=strategies.booleans(), stay=strategies.booleans())
    def google_is_as_it_is(self, *, follow: bool, stay: bool) -> None:
        quirks = self.google.google.world.quirks
        quirks.exceptions_follow_master, quirks.exceptions_stay = follow, stay

    @rule(which=some, day=days)
    def somebody_deletes_this_and_the_following(self, which: int, day: int) -> None:
        self._there(which, lambda place, uid: self.google.cut(place, uid, day))

    @rule(which=some)
    def somebody_moves_a_whole_series(self, which: int) -> None:
        found = self.google.choose(which, PLACES)
        if found is not None:
            self.google.shift(*found)

    @rule(which=some, number=some)
    def somebody_decorates(self, which: int, number: int) -> None:
        self._there(which, lambda place, uid: self.google.decorate(place, uid, number))

    @rule(place=remotes, which=some)
    def somebody_takes_one_out_of_the_bin(self, place: str, which: int) -> None:
        self.google.restore(place, which)

    @rule(place=remotes)
    def somebody_else_invites_to_one_instance(self, place: str) -> None:
        self.google.invite(place)

    @rule(place=remotes, kind=kinds, start=strategies.sampled_from((START, SPRING)))
    def somebody_makes_one_at_googles_page(self, place: str, kind: Kind, start: datetime) -> None:
        self.google.put_native(place, kind, start=start)

    @rule(which=some)
    def the_provider_gives_it_another_id(self, which: int) -> None:
        """A copy is what has another id at Google, with the marks of what it was made from."""
        self._there(which, self.google.copy)

    @rule(which=some, day=days)
    def somebody_changes_this_and_the_following(self, which: int, day: int) -> None:
        self._there(which, lambda place, uid: self.google.split(place, uid, day))

    @rule(place=remotes, kinds=misdeeds)
    def an_upstream_misbehaves(self, place: str, kinds: list[str | None]) -> None:
        self.google.misdeeds(place, kinds)

    @rule(most=strategies.integers(min_value=1, max_value=3))
    def listings_come_in_odd_pages(self, most: int) -> None:
        self.google.odd_pages(most)

    @rule(which=some, slot=slots, at=steps, day=days, going_on=strategies.sampled_from(GoingOn))
    def somebody_goes_on_at_googles_page_after_a_worker_was_killed(
        self, which: int, slot: Slot, at: int, day: int, going_on: GoingOn
    ) -> None:
        found = self.google.choose(which, HERE if slot is Slot.GUEST else PLACES)
        if found is None:
            return
        place, uid = found
        self.google.edit(place, uid, slot, day)
        self.google.wait(timedelta(minutes=5))
        self.google.run_killed(at)
        pages = [each for each in THERE if GROUPS[each] == GROUPS[place]]
        self.google.go_on(pages[which % len(pages)], uid, going_on, day)

    @rule(times=strategies.integers(min_value=1, max_value=2), keep=strategies.integers(min_value=0, max_value=2))
    def notifications_arrive(self, times: int, keep: int) -> None:
        self.google.deliver(times=times, keep=keep)
        self.google.run()

    @rule()
    def somebody_forges_a_notification(self) -> None:
        due = self.google.desk.due()
        assert self.google.forge() != 0
        assert self.google.desk.due() == due

    @rule(length=jumps)
    def the_clock_jumps(self, length: timedelta) -> None:
        self.google.wait(length)

    def _there(self, which: int, act: Callable[[str, str], None]) -> None:
        found = self.google.choose(which, THERE)
        if found is not None:
            act(*found)


def test_at_rest_both_sides_are_the_same_with_google_at_the_other_end() -> None:
    run_state_machine_as_test(GoogleMachine, settings=sequences(SEQUENCES, steps=STEPS))
