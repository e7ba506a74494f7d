"""A desk at the sync engine: resources here, remote calendars in memory, rules between them, and a clock that waits.

Passes run through the worker, just as in the server, only one after another and when the test says so.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bridge.config import load
from bridge.core.decision import Move
from bridge.errors import LeaseLost
from bridge.store import collection, conflict, held, lease, link, outbox, parked, placement
from bridge.store import rule as rules
from bridge.store.collection import Address, Kind
from bridge.store.held import State
from bridge.store.journal import Author
from bridge.sync import decisions
from bridge.sync.assigning import Office
from bridge.sync.declaring import declare
from bridge.sync.engine import Pass
from bridge.sync.worker import LEASE, Observation, Worker
from tests.fakes.shelf import FULL, Shelf, ShelfUpstream
from tests.store.appointments import parse
from tests.store.desk import Clock, Desk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import tzinfo

    from bridge.config import Configuration
    from bridge.core.model import CalendarObject
    from bridge.core.plan import Plan
    from bridge.store.conflict import ConflictRecord
    from bridge.store.database import Database
    from bridge.store.held import Held
    from bridge.store.link import Link
    from bridge.store.parked import Parked
    from bridge.store.rule import Rule
    from bridge.sync.engine import Report
    from bridge.upstream.protocol import Capabilities, Upstream

SECRET = b"the secret of the site"
POLL = timedelta(minutes=5)
QUIET = frozenset({Move.NOTHING, Move.FROZEN, Move.IGNORED, Move.BLOCKED, Move.FORGET, Move.HELD})
_MOST_ROUNDS = 40
_configurations: dict[str, Configuration] = {}


class PassFailed(AssertionError):
    """A pass ended in an error that the test did not expect."""


def configured(resources: tuple[str, ...], connections: tuple[str, ...], by_key: Mapping[str, Any]) -> Configuration:
    """The configuration of these rules, read from a file as the server reads it; each is read once."""
    described = {
        "accounts": {
            "salon": {
                "name": "Salon Anna",
                "time_zone": "Europe/Amsterdam",
                "resources": {key: {"kind": "employee", "name": key} for key in resources},
            }
        },
        "connections": {
            key: {"type": "caldav", "url": f"https://{key}.example.org/", "user": "anna", "password": "${PASSWORD}"}
            for key in connections
        },
        "rules": by_key,
    }
    text = json.dumps(described)
    if text not in _configurations:
        folder = Path(tempfile.mkdtemp(prefix="calbridge-"))
        (folder / "bridge.yaml").write_text(text)
        _configurations[text] = load(folder / "bridge.yaml", environ={"PASSWORD": "word"})
        shutil.rmtree(folder)
    return _configurations[text]


@dataclass
class Remote:
    """A remote calendar, and what somebody does there."""

    key: str
    shelf: Shelf
    capabilities: Capabilities
    last: int = 0

    def put(self, new: CalendarObject, remote_id: str | None = None) -> str:
        """Somebody stores an object there: under a new id, or in place of the one that has its UID."""
        if remote_id is None:
            remote_id = next((id_ for id_, each in self.objects().items() if each.uid == new.uid), None)
        if remote_id is None:
            self.last += 1
            remote_id = f"{self.key}-{self.last}.ics"
        self.shelf.put(remote_id, new.raw)
        return remote_id

    def change(self, uid: str, old: str, new: str) -> None:
        """Somebody changes a text in an object there, and leaves the rest of it as it is."""
        remote_id = self.id_of(uid)
        self.shelf.put(remote_id, self.shelf.objects[remote_id][1].replace(old.encode(), new.encode()))

    def delete(self, uid: str) -> None:
        self.shelf.delete(self.id_of(uid))

    def id_of(self, uid: str) -> str:
        return next(id_ for id_, each in self.objects().items() if each.uid == uid)

    def objects(self) -> dict[str, CalendarObject]:
        """All objects that can be read, by id."""
        found = {}
        for id_, (_, raw) in self.shelf.objects.items():
            if raw.startswith(b"BEGIN:VCALENDAR"):
                found[id_] = parse(raw)
        return found

    def text(self, uid: str) -> str:
        """An object as it stands there, without folding."""
        return _unfolded(self.objects()[self.id_of(uid)].raw)

    def titles(self) -> dict[str, str]:
        """The title of each object, by UID; each UID stands there once."""
        uids = Counter(each.uid for each in self.objects().values())
        assert all(times == 1 for times in uids.values()), f"doubled there: {uids}"
        return {each.uid: each.summary for each in self.objects().values()}

    def writes(self) -> list[str]:
        """The calls that changed something, or tried to, since the last look."""
        calls = [call for call in self.shelf.calls if call in {"create", "replace", "remove"}]
        self.shelf.calls.clear()
        return calls


@dataclass
class Resource:
    """A calendar here, and what somebody does in it."""

    desk: Desk
    key: str
    id: int

    def put(self, new: CalendarObject) -> None:
        """Somebody stores an object here: under a new name, or in place of the one that has its UID."""
        self.desk.put(self.id, self.href(new.uid) or f"{new.uid}.ics", new, joinable=self._others())

    def delete(self, uid: str) -> None:
        href = self.href(uid)
        assert href is not None
        self.desk.remove(self.id, href)

    def href(self, uid: str) -> str | None:
        with self.desk.database.reading() as tx:
            return placement.href_of_uid(tx, self.id, uid)

    def objects(self) -> dict[str, CalendarObject]:
        with self.desk.database.reading() as tx:
            return {each.uid: parse(each.raw) for each in placement.get_all(tx, self.id)}

    def text(self, uid: str) -> str:
        """An object as it stands here, without folding."""
        return _unfolded(self.objects()[uid].raw)

    def titles(self) -> dict[str, str]:
        """The title of each object, by UID."""
        return {uid: each.summary for uid, each in self.objects().items()}

    def _others(self) -> set[int]:
        with self.desk.database.reading() as tx:
            return {each.id for each in collection.every(tx)}


def _unfolded(raw: bytes) -> str:
    return raw.decode().replace("\r\n ", "").replace("\r\n", "\n")


@dataclass
class SyncDesk:
    """Rules between resources and remote calendars, on one store."""

    database: Database
    clock: Clock
    remotes: dict[str, Remote] = field(default_factory=dict)
    resources: dict[str, Resource] = field(default_factory=dict)
    by_key: dict[str, dict[str, Any]] = field(default_factory=dict)
    worker_number: int = 1
    seen: list[Observation] = field(default_factory=list)

    # What there is.

    def resource(self, key: str = "anna") -> Resource:
        """The calendar of a resource, made where it is not there yet."""
        if key not in self.resources:
            with self.database.writing() as tx:
                here = collection.ensure(tx, Address(Kind.RESOURCE, "salon", key))
            self.resources[key] = Resource(Desk(self.database, self.clock), key, here.id)
        return self.resources[key]

    def remote(self, key: str = "shelf", capabilities: Capabilities = FULL, **how: Any) -> Remote:
        """A remote calendar, made where it is not there yet."""
        if key not in self.remotes:
            self.remotes[key] = Remote(key, Shelf(id=f"https://{key}.example.org/shelf/", **how), capabilities)
        return self.remotes[key]

    def rule(self, key: str = "r", resource: str = "anna", remote: str = "shelf", **options: Any) -> None:
        """Writes a rule into the configuration, or changes its options."""
        self.resource(resource)
        self.remote(remote)
        self.by_key[key] = self.settings(resource, remote, **options)
        self.reload()

    @staticmethod
    def settings(resource: str, remote: str, **options: Any) -> dict[str, Any]:
        """A rule as the configuration has it."""
        unlimited = {"window": {"past": "all", "future": "all"}}
        fixed = {"resource": f"salon/{resource}", "connection": remote, "calendar": "Shelf"}
        return {**unlimited, **options, **fixed}

    def drop_rule(self, key: str = "r") -> None:
        """Takes a rule out of the configuration."""
        del self.by_key[key]
        self.reload()

    def reload(self) -> None:
        declare(self.database, self.configuration(), secret=SECRET)

    def configuration(self) -> Configuration:
        return configured(tuple(self.resources), tuple(self.remotes), self.by_key)

    # What happens.

    def office(self) -> Office:
        def connect(key: str, parse_: Callable[[bytes], CalendarObject], _zone: tzinfo) -> Upstream:
            remote = self.remotes[key]
            return ShelfUpstream(remote.shelf, parse_, remote.capabilities)

        return Office(self.database, self.configuration, connect, self.clock)

    def worker(self) -> Worker:
        """The worker of this process."""
        owner = f"worker-{self.worker_number}"
        return Worker(self.office(), owner=owner, threads=1, jitter=lambda: 1.0, observe=self.seen.append, quiet=True)

    def rule_now(self, key: str = "r") -> Rule:
        with self.database.reading() as tx:
            found = rules.find(tx, key)
        assert found is not None
        return found

    def due(self) -> list[str]:
        """The rules that would run now."""
        with self.database.writing() as tx:
            claimed = lease.claim(tx, owner="nobody", until=tx.now, limit=100)
            for each in claimed:
                lease.finish(
                    tx,
                    each.id,
                    "nobody",
                    due_at=each.due_at,
                    not_before=each.not_before,
                    failures=each.failures,
                    problem=each.problem,
                    succeeded=False,
                )
        return [each.key for each in claimed]

    def run_due(self, *, fails: bool = False) -> list[Report]:
        """One pass over each rule that is due now."""
        worker = self.worker()
        self.seen.clear()
        with self.database.writing() as tx:
            claimed = lease.claim(tx, owner=f"worker-{self.worker_number}", until=tx.now + LEASE, limit=100)
        return [report for rule in claimed if (report := self._run(worker, rule, fails=fails)) is not None]

    def _run(self, worker: Worker, rule: Rule, *, fails: bool) -> Report | None:
        try:
            observed = worker.run(rule)
        except LeaseLost:
            if not fails:
                raise
            return None
        if observed.error and not fails:
            raise PassFailed(f"{observed.error}: {self.rule_now(rule.key).problem}")
        return observed.report

    def sync(self, key: str = "r", *, fails: bool = False) -> Report | None:
        """One pass over a rule that asks its upstream, as when its time has come.

        Args:
            key: The rule.
            fails: Whether the pass may end in an error of the upstream.
        """
        rule = self.rule_now(key)
        with self.database.writing() as tx:
            rules.make_due(tx, rule.id, tx.now)
            claimed = lease.claim(
                tx, owner=f"worker-{self.worker_number}", until=tx.now + LEASE, limit=1, only=[rule.id]
            )
        assert claimed, "the rule runs already, or is left alone for now"
        return self._run(self.worker(), claimed[0], fails=fails)

    def wait(self, length: timedelta = POLL) -> None:
        self.clock.go_on(length)

    def poll(self, key: str = "r", *, fails: bool = False) -> Report | None:
        """Lets a poll interval go by, and runs the rule."""
        self.wait()
        return self.sync(key, fails=fails)

    def night(self, key: str = "r") -> Report | None:
        """Lets a day go by, and runs the rule: everything is compared."""
        self.wait(timedelta(days=1))
        return self.sync(key)

    def rest(self) -> None:
        """Passes over all rules, until a round of them does nothing any more."""
        for _ in range(_MOST_ROUNDS):
            self.wait(timedelta(minutes=11))
            for remote in self.remotes.values():
                remote.writes()
            reports = self.run_due(fails=True)
            idle = not any(remote.writes() for remote in self.remotes.values()) and all(
                set(report.counts) <= QUIET and not report.unfinished and report.problem is None for report in reports
            )
            if idle and not self._failing():
                return
        raise AssertionError(f"no rest after {_MOST_ROUNDS} rounds: {self.seen}, failing: {self._failing()}")

    def _failing(self) -> list[str]:
        """The rules whose last pass failed, also those that are left alone for a while because of it."""
        with self.database.reading() as tx:
            return [each.key for each in rules.every(tx) if each.active and each.failures]

    def die(self) -> None:
        """The process is killed: another begins when the lease has ended."""
        self.worker_number += 1
        self.wait(LEASE + timedelta(seconds=1))

    @contextmanager
    def assignment(self, key: str = "r") -> Iterator[Any]:
        with self.office().assignment(self.rule_now(key), "nobody") as assignment:
            yield assignment

    def plan(self, key: str = "r") -> Plan:
        """What the next pass would do."""
        with self.assignment(key) as assignment:
            return Pass(assignment).plan()

    # What is to be seen.

    def links(self, key: str = "r") -> dict[str, Link]:
        with self.database.reading() as tx:
            return {each.uid: each for each in link.every(tx, self.rule_now(key).id)}

    def holds(self) -> list[Held]:
        with self.database.reading() as tx:
            return held.waiting(tx)

    def held_uids(self, hold: Held) -> set[str]:
        with self.database.reading() as tx:
            return {each.uid for each in held.items(tx, hold.id)}

    def decide(self, hold: Held, state: State) -> None:
        """A person approves or refuses what is held."""
        with self.database.writing() as tx:
            if state is State.APPROVED:
                decisions.approve(tx, hold.id, by="boss")
            else:
                decisions.refuse(tx, hold.id, by="boss", author=Author("cli:boss"), parse=parse)

    def conflicts(self) -> list[ConflictRecord]:
        with self.database.reading() as tx:
            return conflict.every(tx)

    def parked(self) -> list[Parked]:
        with self.database.reading() as tx:
            return parked.every(tx)

    def retry_parked(self) -> None:
        """A person has everything that is set aside be looked at again."""
        with self.database.writing() as tx:
            decisions.retry(tx, parked.every(tx))

    def waiting(self, key: str = "r") -> tuple[int, int]:
        """How many intents wait, here and there."""
        with self.database.reading() as tx:
            found = outbox.waiting(tx, self.rule_now(key).id)
        return found.here, found.there
