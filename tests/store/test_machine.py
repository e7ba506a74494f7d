"""Law: whatever is done in whatever order, the store holds what a plain dictionary would, and its tokens are true."""

from __future__ import annotations

import shutil
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings, strategies
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from bridge.core.canonical import digest
from bridge.errors import Conflict, NotFound, SyncTokenRefused
from bridge.store import collection, journal, outbox, placement
from bridge.store.database import Database
from tests.store.appointments import appointment, parse
from tests.store.assignments import declare
from tests.store.desk import Clock, Desk
from tests.store.integrity import check_integrity

if TYPE_CHECKING:
    from collections.abc import Callable

KEYS = ("anna", "room-1", "laser")
keys = strategies.sampled_from(KEYS)
hrefs = strategies.sampled_from(("a.ics", "b.ics", "c.ics"))
uids = strategies.sampled_from(("u", "v"))
titles = strategies.sampled_from(("Cut", "Colour"))
stamps = strategies.sampled_from(("20261101T000000Z", "20261102T000000Z"))
joining = strategies.frozensets(keys)


class StoreMachine(RuleBasedStateMachine):
    """Writers, clients that sync, undo and upkeep against a model of dictionaries."""

    migrated: Path

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="calbridge-"))
        shutil.copyfile(self.migrated, self.folder / "store.sqlite3")
        self.clock = Clock()
        self.database = Database(f"sqlite:///{self.folder / 'store.sqlite3'}", clock=self.clock)
        self.desk = Desk(self.database, self.clock)
        self.ids = {key: self.desk.calendar(key) for key in KEYS}
        # Where it stands -> a box that all placements of one shared object have in common.
        self.model: dict[tuple[str, str], list[bytes]] = {}
        self.clients: dict[str, tuple[str, dict[str, str]]] = {key: ("", {}) for key in KEYS}
        # What the passes of a rule of each calendar have copied: etag by UID.
        self.pushers = {key: declare(self.desk, f"rule of {key}", of=key) for key in KEYS}
        self.copies: dict[str, dict[str, str]] = {key: {} for key in KEYS}
        self.expired = False

    def teardown(self) -> None:
        try:
            for key, here in self.ids.items():
                self.a_pass(key, limit=1000)
                with self.database.reading() as tx:
                    there = {each.uid: each.etag for each in placement.get_all(tx, here)}
                assert self.copies[key] == there, "whoever follows the intents has seen everything"
            if self.expired:
                with self.database.writing() as tx:
                    journal.expire(tx, tx.now)
            check_integrity(self.database, expired=self.expired)
        finally:
            self.database.close()
            shutil.rmtree(self.folder)

    @rule(key=keys, href=hrefs, uid=uids, title=titles, stamp=stamps, joinable=joining)
    def put(self, *, key: str, href: str, uid: str, title: str, stamp: str, joinable: frozenset[str]) -> None:
        new = appointment(uid, title, stamp=stamp)
        ids = {self.ids[each] for each in joinable}
        if self._refused(key, href, uid):
            with pytest.raises(Conflict):
                self.desk.put(self.ids[key], href, new, joinable=ids)
            return
        done = self.desk.put(self.ids[key], href, new, joinable=ids)
        assert done.created is ((key, href) not in self.model)
        self._put(key, href, new.raw, joinable)

    @rule(key=keys, href=hrefs)
    def remove(self, key: str, href: str) -> None:
        if (key, href) not in self.model:
            with pytest.raises(NotFound):
                self.desk.remove(self.ids[key], href)
            return
        self.desk.remove(self.ids[key], href)
        del self.model[key, href]

    @rule(key=keys, href=hrefs, to_key=keys, to_href=hrefs)
    def move(self, key: str, href: str, to_key: str, to_href: str) -> None:
        source, target = (key, href), (to_key, to_href)
        if source not in self.model or source == target:
            return
        box = self.model.pop(source)
        also = [place for place, other in self.model.items() if other is box and place[0] == to_key]
        hidden = {} if target in self.model else {place: self.model.pop(place) for place in also}
        if self._refused(to_key, to_href, parse(box[0]).uid):
            self.model |= {source: box, **hidden}
            with pytest.raises(Conflict):
                self.desk.move((self.ids[key], href), (self.ids[to_key], to_href))
            return
        self.desk.move((self.ids[key], href), (self.ids[to_key], to_href))
        self.model[target] = box

    @rule(choice=strategies.integers(min_value=0, max_value=5))
    def undo(self, choice: int) -> None:
        entries = self.desk.history()
        if choice >= len(entries):
            return
        entry = entries[choice]
        place = (entry.address.key, entry.href)
        present = parse(self.model[place][0]).etag if place in self.model else None
        with self.database.reading() as tx:
            before = None if entry.before is None else journal.raw(tx, entry.before)
        refused = before is not None and self._refused(*place, entry.uid)
        if present != entry.after or refused:
            with pytest.raises(Conflict):
                self.desk.undo(entry)
            return
        self.desk.undo(entry)
        if before is None:
            del self.model[place]
        else:
            self._put(*place, before, frozenset())

    @rule(key=keys, limit=strategies.sampled_from((None, 1, 2)))
    def one_page(self, key: str, limit: int | None) -> None:
        token, known = self.clients[key]
        try:
            page = self.desk.changes(key, token, limit=limit)
        except SyncTokenRefused:
            assert self.expired, "a token is refused only where its deletions were forgotten"
            self.clients[key] = ("", {})
            return
        for change in page.changes:
            if change.etag is None:
                assert token, "a first sync lists no deletions"
                known.pop(change.href, None)
            else:
                known[change.href] = change.etag
        self.clients[key] = (page.token, known)
        if not page.truncated:
            assert known == {href: parse(box[0]).etag for (where, href), box in self.model.items() if where == key}

    @rule(key=keys, limit=strategies.sampled_from((1, 2)))
    def some_of_a_pass(self, key: str, limit: int) -> None:
        self.a_pass(key, limit)

    def a_pass(self, key: str, limit: int) -> None:
        copy = self.copies[key]
        with self.database.writing() as tx:
            taken = outbox.take(tx, self.pushers[key].id, now=tx.now, limit=limit)
            found = {each.uid: each for each in placement.by_uids(tx, self.ids[key], [each.key for each in taken])}
            for intent in taken:
                copy.pop(intent.key, None)
                if intent.key in found:
                    copy[intent.key] = found[intent.key].etag
                assert outbox.settle(tx, intent)

    @precondition(lambda self: not self.expired)
    @rule()
    def nothing_was_forgotten(self) -> None:
        check_integrity(self.database)

    @rule(days=strategies.sampled_from((1, 20)))
    def upkeep(self, days: int) -> None:
        self.clock.go_on(timedelta(days=days))
        self.expired = True
        with self.database.writing() as tx:
            collection.expire_tombstones(tx, tx.now - timedelta(days=10))
            journal.expire(tx, tx.now - timedelta(days=10))

    @invariant()
    def it_holds_what_the_model_holds(self) -> None:
        for key, where in self.ids.items():
            expected = {href: box[0] for (place, href), box in self.model.items() if place == key}
            assert {href: self.desk.raw(where, href) for href in self.desk.summaries(where)} == expected

    def _refused(self, key: str, href: str, uid: str) -> bool:
        stands = {at: parse(box[0]).uid for (where, at), box in self.model.items() if where == key}
        return stands[href] != uid if href in stands else uid in stands.values()

    def _put(self, key: str, href: str, raw: bytes, joinable: frozenset[str]) -> None:
        if (key, href) in self.model:
            self.model[key, href][0] = raw
            return
        for box in list(self.model.values()):
            where = {place for (place, _), other in self.model.items() if other is box}
            if where <= joinable and digest(parse(box[0])) == digest(parse(raw)):
                box[0] = raw
                self.model[key, href] = box
                return
        self.model[key, href] = [raw]


@pytest.fixture
def machine(migrated_sqlite: Path) -> Callable[[], StoreMachine]:
    class Machine(StoreMachine):
        migrated = migrated_sqlite

    return Machine


def test_the_store_holds_what_a_dictionary_would(machine: Any) -> None:
    from hypothesis.stateful import run_state_machine_as_test  # noqa: PLC0415

    run_state_machine_as_test(machine, settings=settings(max_examples=25, stateful_step_count=25))
