"""Law: nothing runs in circles and nothing is doubled where two rules, or two bridges, meet at Google.

`night` says how to go further.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from tests.fakes.google.state import Role
from tests.laws.google_desk import GoogleDesk, new_google
from tests.laws.google_line import MISDEEDS
from tests.laws.google_world import GoogleWorld, open_google_world
from tests.laws.night import chance, times
from tests.laws.sync_edits import Kind, Slot, made_as
from tests.laws.sync_places import UIDS
from tests.laws.sync_world import NO_GUARD
from tests.store.desk import Clock
from tests.sync.stage import new_database

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Sequence
    from pathlib import Path

EDITS = 1_000
BETWEEN_RESTS = 8
ANNA, BOSS = "anna@example.org", "boss@example.org"


def edit_something(world: GoogleWorld, dice: random.Random, places: Sequence[str]) -> None:
    """Somebody does something to an appointment at one of these places."""
    deeds: list[Callable[[str, str], object]] = [
        lambda place, uid: world.edit(place, uid, dice.choice(tuple(Slot)), dice.randrange(4)),
        lambda place, uid: world.edit(place, uid, dice.choice((Slot.TITLE, Slot.PLACE)), 1),
        lambda place, uid: world.edit(place, uid, dice.choice((Slot.INSTANCE, Slot.MOVED)), dice.randrange(4)),
        world.delete,
    ]
    there: list[Callable[[str, str], object]] = [
        lambda place, uid: world.split(place, uid, dice.randrange(3)),
        world.copy,
    ]
    place = dice.choice(places)
    found = world.choose(dice.randrange(1000), (place,))
    if found is None or dice.random() < 0.2:
        kind = dice.choice(tuple(Kind))
        if place == "anna" or dice.random() < 0.5:
            world.put_new(place, dice.choice(UIDS), kind)
        else:
            world.put_native(place, kind)
        return
    known_to_google = found[0] != "anna" and dice.random() < 0.2
    dice.choice(there if known_to_google else deeds)(*found)


def run_a_pass(world: GoogleWorld, dice: random.Random) -> None:
    """A worker runs, undisturbed or not."""
    world.wait(timedelta(minutes=dice.choice((1, 6, 60))))
    match dice.randrange(6):
        case 0:
            world.misdeeds("full", [dice.choice(MISDEEDS) for _ in range(4)])
            world.run()
        case 1:
            world.run_killed(dice.randrange(60))
        case 2:
            world.run_taken_over(dice.randrange(8))
        case 3:
            world.expire("full")
            world.run()
        case _:
            world.run()


def test_two_rules_of_one_resource_to_two_calendars_neither_double_nor_go_in_circles() -> None:
    dice, world = chance(), open_google_world()
    for number in range(1, times(EDITS) + 1):
        edit_something(world, dice, ("anna", "full", "weak"))
        if dice.random() < 0.4:
            run_a_pass(world, dice)
        if number % BETWEEN_RESTS == 0:
            world.rest()
            assert_quiet(world)
    world.rest()


@dataclass
class Pair:
    """Two installations, each with a resource, that have one calendar at Google in common."""

    first: GoogleWorld
    second: GoogleWorld
    standing: set[str] = field(default_factory=set)

    @property
    def both(self) -> tuple[GoogleWorld, GoogleWorld]:
        return self.first, self.second

    def edit(self, dice: random.Random) -> None:
        """Somebody does something in either calendar here, or at Google."""
        world, other = self.both if dice.random() < 0.5 else self.both[::-1]
        edit_something(world, dice, ("anna", "full"))
        other.number = world.number

    def rest(self) -> None:
        """Everybody waits until nobody has anything to do any more."""
        for world in self.both:
            world.misdeeds("full", [])
        for _ in range(10):
            requests = len(self.first.google.requests)
            for world in self.both:
                world.desk.rest()
            writes = [each for each in self.first.google.requests[requests:] if each.method != "GET"]
            if not any("/watch" not in each.path and "/channels" not in each.path for each in writes):
                break
        else:
            raise AssertionError("the two bridges come to no rest")
        self._check()

    def _check(self) -> None:
        """All three have the same, nothing twice, and what nobody deleted is there."""
        here = [world.objects("anna") for world in self.both]
        made = [{uid: made_as(obj) for uid, obj in objects.items()} for objects in here]
        assert made[0] == made[1]
        assert len(set(made[0].values())) == len(made[0]), f"doubled: {made[0]}"
        for world in self.both:
            world.check_rule("af", "anna", "full")
            assert len(world.objects("full")) == len(here[0]), "something stands there beside what is linked"
            assert world.desk.parked() == []
            assert world.desk.waiting("af") == (0, 0)
        deeds = {uid: [*self.first.deeds[uid], *self.second.deeds[uid]] for uid in self.first.uids}
        for uid, done in deeds.items():
            acts = {deed.act for deed in done}
            if (uid in self.standing or "put" in acts) and "delete" not in acts:
                assert uid in here[0], f"{uid} is lost: {done}"
            if acts == {"delete"}:
                assert uid not in here[0], f"{uid} was deleted and is there again"
        self.standing = set(here[0])
        for world in self.both:
            world.deeds.clear()


def open_pair(folder: Path) -> Pair:
    """Two installations with keys of their own; the second one's user was given the calendar to write to."""
    clock = Clock()
    google = new_google(clock)
    desks = []
    for number, user in enumerate((ANNA, BOSS)):
        place = folder / str(number)
        place.mkdir()
        desk = GoogleDesk(new_database(place, clock), clock, google=google, secret=f"key {number}".encode())
        desk.resource("anna")
        if number == 0:
            desk.google_remote("full", user)
        else:
            google.add_user(user)
            google.calendar(ANNA, "full@group.calendar.google.com").share(user, Role.writer)
            desk.google_visit("full", user)
        desk.rule("af", "anna", "full", guard=NO_GUARD)
        desks.append(desk)
    first, second = (GoogleWorld(desk, google=google) for desk in desks)
    second.uids = first.uids
    return Pair(first, second)


def test_two_bridges_that_share_a_calendar_neither_double_nor_go_in_circles(tmp_path: Path) -> None:
    dice, pair = chance(), open_pair(tmp_path)
    for number in range(1, times(EDITS) + 1):
        pair.edit(dice)
        if dice.random() < 0.5:
            run_a_pass(dice.choice(pair.both), dice)
        if number % BETWEEN_RESTS == 0:
            pair.rest()
    pair.rest()


def assert_quiet(world: GoogleWorld) -> None:
    """One more pass over each rule writes nothing."""
    for remote in world.desk.remotes.values():
        remote.writes()
    world.wait(timedelta(minutes=6))
    world.run()
    assert [remote.writes() for remote in world.desk.remotes.values()] == [[], [], []]
