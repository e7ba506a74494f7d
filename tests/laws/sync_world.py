"""A small world of people, calendars and misfortune around the sync engine, and what must be true of it at rest.

Each thing that somebody writes holds a word that nothing else holds, so that it can be found again wherever it went.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING

from bridge.core.content import read, write
from bridge.core.origin import is_alias
from bridge.store import rule as rules
from bridge.sync.views import Views
from tests.fakes.shelf import FULL, WEAK
from tests.laws.sync_edits import DAYS, Kind, Slot, bare, edited, made_as
from tests.laws.sync_fuse import burning
from tests.laws.sync_places import GROUPS, HERE, PLACES, RULES, UIDS, Deed
from tests.laws.sync_rest import check
from tests.store.appointments import parse
from tests.sync.appointments import all_day, event, series
from tests.sync.desk import SyncDesk
from tests.sync.stage import Stage

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bridge.core.model import CalendarObject
    from tests.sync.desk import Remote, Resource


class Fate(StrEnum):
    """What somebody does to a rule, or its provider to its cursors."""

    PAUSE = "pause"
    RESUME = "resume"
    RESET = "reset"
    EXPIRE = "expire"


@dataclass
class World:
    """Two resources, three remote calendars, a rule between each pair; made by `open_world`."""

    desk: SyncDesk
    number: int = 0
    deeds: dict[str, list[Deed]] = field(default_factory=lambda: defaultdict(list))
    standing: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    uids: list[str] = field(default_factory=lambda: list(UIDS))
    clashes: int = 0
    """How many conflicts there were at the last rest."""
    made: dict[str, str] = field(default_factory=dict)
    """The UID of each appointment, by the word that it was made with."""

    # People.

    def word(self) -> str:
        """A word that nothing else holds."""
        self.number += 1
        return f"w{self.number}x"

    def put_new(self, place: str, uid: str, kind: Kind = Kind.SINGLE) -> None:
        """Somebody makes an appointment, unless there is one of that UID."""
        if self.find(place, uid) is not None:
            return
        word = self.word()
        extra = [f"DESCRIPTION:made {word}", f"X-SALON:{word}"]
        match kind:
            case Kind.SINGLE:
                new = event(uid, word, *extra)
            case Kind.SERIES:
                new = series(uid, word, *extra, days=DAYS)
            case Kind.ALL_DAY:
                new = all_day(uid, word, *extra)
        self.made[word] = uid
        self._note(uid, Deed("put", place, Slot.TITLE, word))
        self._write(place, uid, new)

    def edit(self, place: str, uid: str, slot: Slot, day: int = 1) -> None:
        """Somebody edits an appointment, where it is there and has such a thing."""
        old = self.find(place, uid)
        if old is None:
            return
        word = self.word()
        new = edited(read(old), slot, day, self.number, word)
        if new is None:
            return
        self._note(uid, Deed("edit", place, slot, word))
        self._write(place, uid, parse(write(new)))

    def delete(self, place: str, uid: str) -> None:
        """Somebody deletes an appointment, where it is there."""
        if self.find(place, uid) is None:
            return
        self._note(uid, Deed("delete", place))
        if place in HERE:
            self.resource(place).delete(uid)
        else:
            self.remote(place).shelf.delete(self.remote_id(place, uid) or "")

    def share(self, uid: str) -> None:
        """Somebody books an appointment of anna for the room as well."""
        old = self.find("anna", uid)
        if old is None or self.find("room", uid) is not None:
            return
        self._note(uid, Deed("put", "room", "share"))
        self.resource("room").put(old)

    def hand_over(self, uid: str, source: str, target: str) -> None:
        """Somebody moves an appointment from one resource to the other."""
        old = self.find(source, uid)
        if old is None or self.find(target, uid) is not None:
            return
        self._note(uid, Deed("delete", source))
        self._note(uid, Deed("put", target, "hand over"))
        here, there = self.resource(source), self.resource(target)
        href = here.href(uid)
        assert href is not None
        here.desk.move((here.id, href), (there.id, f"{uid}-{self.number}.ics"))

    def rename(self, place: str, uid: str) -> None:
        """The provider gives an object another id, as some do when it is moved to and fro."""
        remote_id = self.remote_id(place, uid)
        if remote_id is None:
            return
        self.number += 1
        self.remote(place).shelf.rename(remote_id, f"{place}-moved-{self.number}.ics")
        self._note(uid, Deed("rename", place))

    # Fate.

    def misdeeds(self, place: str, kinds: list[str | None]) -> None:
        """The next calls of an upstream go wrong."""
        self.remote(place).shelf.misdeeds[:] = kinds

    def expire(self, place: str) -> None:
        """All cursors of an upstream expire."""
        self.remote(place).shelf.forget_changes()

    def wait(self, length: timedelta) -> None:
        self.desk.wait(length)

    def manage(self, key: str, fate: Fate) -> None:
        match fate:
            case Fate.PAUSE:
                self.pause(key)
            case Fate.RESUME:
                self.resume(key)
            case Fate.RESET:
                self.reset(key)
            case Fate.EXPIRE:
                self.expire(RULES[key][1])

    def pause(self, key: str) -> None:
        with self.desk.database.writing() as tx:
            rules.pause(tx, self.desk.rule_now(key).id)

    def resume(self, key: str) -> None:
        with self.desk.database.writing() as tx:
            rules.resume(tx, self.desk.rule_now(key).id)

    def reset(self, key: str) -> None:
        with self.desk.database.writing() as tx:
            rules.reset(tx, self.desk.rule_now(key).id)

    def reconfigure(self, key: str, **options: object) -> None:
        resource, remote = RULES[key]
        self.desk.rule(key, resource, remote, **{"guard": NO_GUARD, **options})

    # Passes.

    def run(self) -> None:
        """A pass over each rule that is due."""
        self.desk.run_due(fails=True)

    def run_killed(self, at: int) -> int:
        """Passes that are killed at a step, if they get that far; then a new process when the leases have ended.

        Returns:
            How many steps there were.
        """
        with burning(self.desk, at) as fuse:
            self.desk.run_due(fails=True)
        return fuse.steps

    def run_with(self, meanwhile: Callable[[], None], at: int) -> None:
        """Passes in the middle of which, at a call to an upstream, something else happens."""
        calls = iter(range(at + 1))

        def look(_when: str, _name: str) -> None:
            if next(calls, None) == at:
                for remote in self.desk.remotes.values():
                    remote.shelf.watched = None
                meanwhile()

        for remote in self.desk.remotes.values():
            remote.shelf.watched = look
        try:
            self.desk.run_due(fails=True)
        finally:
            for remote in self.desk.remotes.values():
                remote.shelf.watched = None

    def run_taken_over(self, at: int) -> None:
        """Passes that hang at a call until their leases have ended and others have done the work; then they go on."""

        def take_over() -> None:
            self.desk.die()
            self.desk.run_due(fails=True)

        self.run_with(take_over, at)

    # Rest.

    def rest(self) -> None:
        """Fate is kind again, and everybody waits until nothing is to be done; then everything is checked."""
        for remote in self.desk.remotes.values():
            remote.shelf.misdeeds.clear()
        for key in RULES:
            if self.desk.rule_now(key).paused:
                self.resume(key)
        self.desk.rest()
        # The comparison of the night may bring more to light; when it has, no pass writes anything any more.
        self.desk.wait(timedelta(days=1))
        self.desk.rest()
        check(self)
        self.standing = defaultdict(set)
        for place in PLACES:
            for uid in self.objects(place):
                self.standing[uid].add(GROUPS[place])
        self.clashes = len(self.desk.conflicts())
        self.deeds.clear()

    # What must be true.

    def check_rule(self, key: str, resource: str, remote: str) -> None:
        """Both sides of a rule hold the same objects, as far as the upstream can hold them."""
        ours, theirs = self.objects(resource), self.objects(remote)
        assert set(ours) == set(theirs), f"{key}: {sorted(ours)} here and {sorted(theirs)} there"
        links = self.desk.links(key)
        assert set(links) == set(ours), f"{key}: links {sorted(links)}"
        for uid, here in ours.items():
            views = Views.read(links[uid].view)
            shown = views.shown(here, parse=parse)
            assert bare(shown) == bare(theirs[uid]), (
                f"{key}: {uid} differs:\n{shown.raw.decode()}\n{theirs[uid].raw.decode()}"
            )

    # What there is.

    def resource(self, key: str) -> Resource:
        return self.desk.resources[key]

    def remote(self, key: str) -> Remote:
        return self.desk.remotes[key]

    def objects(self, place: str) -> dict[str, CalendarObject]:
        """All objects of a place, by the UID that they have here."""
        if place in HERE:
            return self.resource(place).objects()
        found = self.remote(place).objects()
        named: dict[str, CalendarObject] = {}
        for remote_id, obj in found.items():
            uid = self._uid_here(place, remote_id, obj)
            assert uid not in named, f"{uid} stands twice in {place}"
            named[uid] = obj
        return named

    def _uid_here(self, place: str, remote_id: str, obj: CalendarObject) -> str:
        if obj.uid in self.uids:
            return obj.uid
        key = next(key for key, (_, remote) in RULES.items() if remote == place)
        by_remote = {link.remote_id: uid for uid, link in self.desk.links(key).items()}
        if remote_id not in by_remote and is_alias(obj.uid):
            # What we had to create there under another UID is the same appointment while no link knows its id, too.
            return self.made[made_as(obj)]
        return by_remote.get(remote_id, obj.uid)

    def remote_id(self, place: str, uid: str) -> str | None:
        if place in HERE:
            return None
        found = self.remote(place).objects()
        return next((id_ for id_, each in found.items() if self._uid_here(place, id_, each) == uid), None)

    def find(self, place: str, uid: str) -> CalendarObject | None:
        """What somebody sees of an appointment at a place."""
        if place in HERE:
            return self.resource(place).objects().get(uid)
        remote_id = self.remote_id(place, uid)
        return None if remote_id is None else self.remote(place).objects()[remote_id]

    def choose(self, number: int, places: Sequence[str]) -> tuple[str, str] | None:
        """An appointment that stands somewhere, with its place; None where there is none."""
        found = [(place, uid) for place in places for uid in self.objects(place) if uid in self.uids]
        return found[number % len(found)] if found else None

    def _write(self, place: str, uid: str, new: CalendarObject) -> None:
        if place in HERE:
            self.resource(place).put(new)
        else:
            self.remote(place).put(new, self.remote_id(place, uid))

    def _note(self, uid: str, deed: Deed) -> None:
        self.deeds[uid].append(deed)


NO_GUARD = {"objects": 1000, "percent": 100}


@cache
def _stage() -> Stage:
    return Stage()


def open_world() -> World:
    """A world in which nothing has happened yet; the one before it ends."""
    stage = _stage()
    known = stage.clear()
    desk = SyncDesk(stage.database, stage.clock)
    for key in HERE:
        desk.resource(key)
    desk.remote("full", FULL, inline=True, stepwise=True)
    desk.remote("weak", WEAK, rewrites=True)
    desk.remote("next", FULL)
    desk.remotes["full"].shelf.neighbours.append(desk.remotes["next"].shelf)
    desk.remotes["next"].shelf.neighbours.append(desk.remotes["full"].shelf)
    for key, (resource, remote) in RULES.items():
        desk.by_key[key] = desk.settings(resource, remote, guard=NO_GUARD)
    if not known:
        desk.reload()
        stage.keep()
    return World(desk)
