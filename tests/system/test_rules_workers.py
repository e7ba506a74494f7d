"""Two workers share one PostgreSQL, and one of them is killed again and again: no appointment is lost or doubled."""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import sys
import threading
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import IO, TYPE_CHECKING

import psycopg
import pytest

from bridge import bootstrap
from bridge.store import collection, placement
from bridge.store import held as holds
from bridge.store import parked as parking
from bridge.store import rule as rules
from bridge.store.collection import Address, Kind
from bridge.store.database import Database
from tests.postgresql import running_postgresql
from tests.repository import TOP, unmeasured
from tests.store.appointments import parse
from tests.store.desk import Clock, Desk
from tests.system.elsewhere import PASSWORDS, elsewhere
from tests.system.process import PASSWORD, Server, event, eventually, settings
from tests.upstream.servers.caldav_server import uid_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.system.elsewhere import RemoteCalendar

KILLS = 50
LEASE_SECONDS = 2
KEYS = ("anna", "bob", "room", "laser")
PATIENCE = 120.0

# Forking is a hundred times as fast as loading everything anew for each of fifty workers.
_NURSERY = """
import os, signal, sys
from datetime import timedelta
from pathlib import Path
from bridge import bootstrap
from sqlalchemy import Engine, event
import bridge.web.metrics
@event.listens_for(Engine, "connect")
def say_who_it_is(connection, _record):
    if hasattr(connection, "pgconn"):
        connection.execute(f"SET application_name = 'worker-{os.getpid()}'")
        connection.commit()
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
for _ in sys.stdin:
    child = os.fork()
    if not child:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        bootstrap.work_alone(Path(sys.argv[1]), lease=timedelta(seconds=float(sys.argv[2])))
        os._exit(0)
    print(child, flush=True)
"""

# What the workers do with leases and links is noted by the database itself, with the clock of the moment.
_WITNESS = """
CREATE TABLE seen_lease (id bigserial, rule_id bigint, old_owner text, old_until bigint, owner text, at bigint);
CREATE TABLE seen_write (id bigserial, rule_id bigint, owner text, worker text);
CREATE FUNCTION see_lease() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO seen_lease (rule_id, old_owner, old_until, owner, at) VALUES
        (NEW.id, OLD.lease_owner, OLD.lease_until, NEW.lease_owner, extract(epoch FROM clock_timestamp()) * 1000000);
    RETURN NEW;
END $$;
CREATE FUNCTION see_write() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO seen_write (rule_id, owner, worker)
        SELECT NEW.rule_id, rule.lease_owner, current_setting('application_name') FROM rule WHERE id = NEW.rule_id;
    RETURN NEW;
END $$;
CREATE TRIGGER see_lease AFTER UPDATE ON rule FOR EACH ROW
    WHEN (OLD.lease_owner IS DISTINCT FROM NEW.lease_owner) EXECUTE FUNCTION see_lease();
CREATE TRIGGER see_write AFTER INSERT OR UPDATE ON link FOR EACH ROW EXECUTE FUNCTION see_write();
"""


@dataclass
class Editor:
    """Makes, changes and deletes appointments of its own in one calendar, and knows what has to be there.

    Attributes:
        who: Begins the UIDs of its appointments.
        titles: What has to be there, by UID.
    """

    who: str
    titles: dict[str, str] = field(default_factory=dict)
    made: int = 0

    def edit(self, chance: random.Random) -> None:
        act = chance.choice(["make", "make", "change", "delete"]) if self.titles else "make"
        if act == "make":
            self.made += 1
            # Two that look the same are taken for one that was named anew.
            uid, title = f"{self.who}-{self.made}", f"Number {self.made} of {self.who}"
        else:
            uid = chance.choice(sorted(self.titles))
            title = f"Changed {uid} {chance.randrange(1_000_000)}"
        if act == "delete":
            self.delete(uid)
            del self.titles[uid]
        else:
            self.put(uid, title)
            self.titles[uid] = title

    def put(self, uid: str, title: str) -> None:
        raise NotImplementedError

    def delete(self, uid: str) -> None:
        raise NotImplementedError


@dataclass
class EditorHere(Editor):
    """Works in a calendar of the server."""

    desk: Desk | None = None
    where: int = 0

    def put(self, uid: str, title: str) -> None:
        assert self.desk
        self.desk.put(self.where, f"{uid}.ics", parse(event(uid, title)))

    def delete(self, uid: str) -> None:
        assert self.desk
        self.desk.remove(self.where, f"{uid}.ics")


@dataclass
class EditorThere(Editor):
    """Works in a calendar elsewhere."""

    calendar: RemoteCalendar | None = None

    def put(self, uid: str, title: str) -> None:
        assert self.calendar
        path = f"{self.calendar.path}{uid}.ics"
        reply = self.calendar.elsewhere.server.ask("PUT", path, event(uid, title), Content_Type="text/calendar")
        assert reply.status in {201, 204}, reply.body

    def delete(self, uid: str) -> None:
        assert self.calendar
        assert self.calendar.elsewhere.server.ask("DELETE", f"{self.calendar.path}{uid}.ics").status == 200


@dataclass
class Nursery:
    """Brings up workers, and kills them."""

    process: subprocess.Popen[str]
    alive: list[int] = field(default_factory=list)

    def bring_up(self) -> None:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        self.alive.append(int(self.process.stdout.readline()))

    def kill(self, number: int) -> None:
        os.kill(self.alive.pop(number), signal.SIGKILL)


@contextmanager
def nursery(server: Server, log: IO[bytes]) -> Iterator[Nursery]:
    with subprocess.Popen(
        [sys.executable, "-c", _NURSERY, server.path, str(LEASE_SECONDS)],
        cwd=TOP,
        env={**unmeasured(), "ANNAS_PASSWORD": PASSWORD, **PASSWORDS},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=log,
        text=True,
    ) as process:
        found = Nursery(process)
        try:
            yield found
        finally:
            while found.alive:
                found.kill(0)
            process.kill()


def configured(address: str, calendars: Mapping[str, RemoteCalendar]) -> dict[str, object]:
    port = next(iter(calendars.values())).elsewhere.port
    resources = {key: {"kind": "employee", "name": key} for key in calendars}
    there = {"type": "caldav", "url": f"http://127.0.0.1:{port}/", "user": "alice", "password": "${ALICES_PASSWORD}"}
    return settings(
        database=address,
        accounts={"salon": {"name": "Salon", "time_zone": "Europe/Amsterdam", "resources": resources}},
        feeds={},
        connections={"elsewhere": {**there, "rate": 60_000, "parallel": 16}},
        rules={
            key: {
                "resource": f"salon/{key}",
                "connection": "elsewhere",
                "calendar": each.name,
                "poll": "1s",
                "window": {"past": "all", "future": "all"},
                "guard": {"objects": 1000, "percent": 100},
            }
            for key, each in calendars.items()
        },
    )


@dataclass
class Story:
    """What happened, and what is to be seen of it.

    Attributes:
        meant: What has to stand in each calendar, by rule: titles by UID.
        here: What stands here.
        there: What stands elsewhere; each object's UID and title.
        leases: Every change of owner: rule, old owner, until when that one had it, new owner, when.
        writes: Every write of a link: the rule, who had its lease, and who wrote.
        attention: What waits for a person.
    """

    meant: dict[str, dict[str, str]]
    here: dict[str, dict[str, str]]
    there: dict[str, list[tuple[str, str]]]
    leases: list[tuple[int, str | None, int | None, str | None, int]]
    writes: list[tuple[int, str, str]]
    attention: list[object]


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    folder = tmp_path_factory.mktemp("workers")
    with running_postgresql() as postgresql, elsewhere(folder / "elsewhere") as other:
        address = postgresql.url(postgresql.make_database())
        calendars = {key: other.calendar(key) for key in KEYS}
        server = Server(folder, configured(address, calendars), environ=PASSWORDS)
        os.environ |= {"ANNAS_PASSWORD": PASSWORD, **PASSWORDS}
        try:
            bootstrap.initialise(server.path).database.close()
        finally:
            for name in ("ANNAS_PASSWORD", *PASSWORDS):
                del os.environ[name]
        with psycopg.connect(address) as connection:
            connection.execute(_WITNESS)
        with closing(Database(address, clock=lambda: datetime.now(UTC))) as database:
            yield told(database, address, server, calendars)


def told(database: Database, address: str, server: Server, calendars: Mapping[str, RemoteCalendar]) -> Story:
    seed = random.randrange(1_000_000)
    desk = Desk(database, Clock())
    with database.reading() as tx:
        ids = {key: collection.get(tx, Address(Kind.RESOURCE, "salon", key)).id for key in KEYS}
    editors: dict[str, tuple[Editor, Editor]] = {
        key: (EditorHere("h", desk=desk, where=ids[key]), EditorThere("t", calendar=calendars[key])) for key in KEYS
    }
    over = threading.Event()
    failures: list[BaseException] = []
    crews = [
        threading.Thread(
            target=work, args=(random.Random(seed + side), [editors[key][side] for key in KEYS], over, failures)
        )
        for side in (0, 1)
    ]
    chance = random.Random(seed)
    with (server.folder / "workers.log").open("wb") as log, nursery(server, log) as workers:
        for _ in range(2):
            workers.bring_up()
        for crew in crews:
            crew.start()
        pause = threading.Event()
        for _ in range(KILLS):
            pause.wait(chance.uniform(0.1, 1.2))
            workers.kill(chance.randrange(2))
            workers.bring_up()
        over.set()
        for crew in crews:
            crew.join()
        assert failures == []
        meant = {key: ours.titles | theirs.titles for key, (ours, theirs) in editors.items()}

        wrong: list[str] = []

        def at_rest() -> bool:
            wrong[:] = [
                f"{key} {side} {sorted(set(found.items()) ^ set(meant[key].items()))}"
                for key in KEYS
                for side, found in (
                    ("here", titles_here(database, ids[key])),
                    ("there", dict(objects_there(calendars[key]))),
                )
                if found != meant[key]
            ]
            return not wrong

        try:
            eventually(at_rest, f"all is the same on both sides (seed {seed})", within=PATIENCE)
        except AssertionError as error:
            raise AssertionError(f"{error}: {wrong}") from None
        # What is at rest stays so: some more polls go by.
        polled = datetime.now(UTC)
        eventually(lambda: all_succeeded_since(database, polled + timedelta(seconds=2)), "polls go by", within=PATIENCE)
    with psycopg.connect(address) as connection:
        leases = connection.execute("SELECT rule_id, old_owner, old_until, owner, at FROM seen_lease ORDER BY id")
        writes = connection.execute("SELECT rule_id, owner, worker FROM seen_write ORDER BY id")
        with database.reading() as tx:
            attention = [*holds.waiting(tx), *parking.every(tx)]
        return Story(
            meant,
            {key: titles_here(database, ids[key]) for key in KEYS},
            {key: objects_there(calendars[key]) for key in KEYS},
            leases.fetchall(),
            writes.fetchall(),
            attention,
        )


def work(chance: random.Random, editors: list[Editor], over: threading.Event, failures: list[BaseException]) -> None:
    try:
        while not over.wait(chance.uniform(0.02, 0.2)):
            chance.choice(editors).edit(chance)
    except BaseException as error:  # noqa: BLE001 -- a thread has nobody else to tell
        failures.append(error)


def titles_here(database: Database, where: int) -> dict[str, str]:
    with database.reading() as tx:
        return {each.uid: parse(each.raw).summary for each in placement.get_all(tx, where)}


def objects_there(calendar: RemoteCalendar) -> list[tuple[str, str]]:
    found = []
    for body in calendar.somebody.bodies():
        title = re.search(rb"(?m)^SUMMARY:(.*?)\r?$", body)
        found.append((uid_of(body).decode(), title[1].decode() if title else ""))
    return found


def all_succeeded_since(database: Database, since: datetime) -> bool:
    with database.reading() as tx:
        return all(
            each.last_succeeded_at is not None and each.last_succeeded_at > since and each.problem is None
            for each in rules.every(tx)
        )


@pytest.mark.parametrize("key", KEYS)
def test_no_appointment_is_lost_or_doubled(story: Story, key: str) -> None:
    assert story.meant[key]
    assert story.here[key] == story.meant[key]
    assert sorted(story.there[key]) == sorted(story.meant[key].items())


def test_nothing_waits_for_a_person(story: Story) -> None:
    assert story.attention == []


def test_no_rule_changes_hands_before_its_lease_is_over(story: Story) -> None:
    taken = [(old, until, new, at) for _, old, until, new, at in story.leases if old is not None and new is not None]

    assert all(until is not None and until <= at for _, until, _, at in taken)
    # Killed workers did leave rules behind, and others did take them over.
    assert taken


def test_only_whoever_has_the_lease_of_a_rule_writes_for_it(story: Story) -> None:
    assert story.writes
    assert {
        (owner, worker)
        for _, owner, worker in story.writes
        if f":{worker.removeprefix('worker-')}:" not in (owner or "")
    } == set()


def test_the_work_was_shared_among_many(story: Story) -> None:
    # Most live for less than the lease of the one before them.
    assert len({worker for _, _, worker in story.writes}) > KILLS // 10
