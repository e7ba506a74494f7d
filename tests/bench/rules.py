"""What rules cost: a first sync beside vdirsyncer, and passes that find nothing."""

from __future__ import annotations

import base64
import http.client
import json
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bridge.store.collection import Address, Kind
from tests.bench import rule_site, servers, site
from tests.bench.appointments import appointments
from tests.bench.findings import Bound, Cost, FirstSync, middle
from tests.bench.rule_site import Target
from tests.bench.vdirsyncer import Vdirsyncer
from tests.fakes.faults import faults

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date
    from pathlib import Path

    from bridge.bootstrap import Site
    from tests.bench.appointments import Appointment
    from tests.bench.servers import Server

_FIRST_SYNC_GOAL = 2
_IDLE_MILLISECONDS = 20
_HALF_A_CORE = 0.5
_FLAT = 1.05


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured.

    Attributes:
        links: Of the rule that is polled.
        appointments: That a first sync carries.
        rules: That one process polls.
        seconds: For which they are watched.
        passes: Over which memory is watched.
        rounds: How often a first sync from there is done.
    """

    links: int
    appointments: int
    rules: int
    seconds: int
    passes: int
    rounds: int


FULL = Size(links=10_000, appointments=2_000, rules=1_000, seconds=60, passes=10_000, rounds=5)
QUICK = Size(links=1_000, appointments=100, rules=50, seconds=20, passes=500, rounds=3)


@dataclass(frozen=True, slots=True)
class RuleFindings:
    """What was found.

    Attributes:
        first_syncs: Against vdirsyncer.
        bounds: Of passes that find nothing.
    """

    first_syncs: tuple[FirstSync, ...]
    bounds: tuple[Bound, ...]


def measure(folder: Path, today: date, size: Size, *, say: Callable[[str], None]) -> RuleFindings:
    """Measures everything.

    Args:
        folder: For the files.
        today: What the appointments are about.
        size: How much.
        say: Told of what is done now.
    """
    first_syncs: list[FirstSync] = []
    for name, start, home in (
        ("Xandikos", servers.xandikos, f"/{servers.USER}/calendars/"),
        ("Radicale", servers.radicale, f"/{servers.USER}/"),
    ):
        with start(folder / name) as server:
            clients = _Clients(folder / f"{name}-clients", server, home, list(appointments(size.appointments, today)))
            say(f"first sync of {size.appointments:,} appointments to {name}")
            label = f"{size.appointments:,} to {name}"
            first_syncs.append(FirstSync(label, clients.we_send(), clients.they_send(), _FIRST_SYNC_GOAL))
            say(f"first sync of {size.appointments:,} appointments from {name}, {size.rounds} times")
            rounds = [(clients.we_fetch(number), clients.they_fetch(number)) for number in range(size.rounds)]
            ours, peer = (middle(costs) for costs in zip(*rounds, strict=True))
            first_syncs.append(FirstSync(f"{size.appointments:,} from {name}", ours, peer, _FIRST_SYNC_GOAL))
    say(f"passes over a rule with {size.links:,} links")
    bounds = _idle(folder / "idle", size, today)
    bounds += _many(folder / "many", size, say=say)
    return RuleFindings(tuple(first_syncs), tuple(bounds))


class _Clients:
    """Calbridge and vdirsyncer, each with a calendar of its own at one server, and with new folders each time.

    Args:
        folder: For their files.
        server: The server.
        home: Path under which its calendars are.
        stored: What they send.
    """

    def __init__(self, folder: Path, server: Server, home: str, stored: list[Appointment]) -> None:
        self._folder = folder
        self._server = server
        self._stored = stored
        self._root = f"http://127.0.0.1:{server.port}"
        self._ours, self._theirs = (f"{self._root}{home}{calendar}/" for calendar in ("ours", "theirs"))
        for calendar in ("ours", "theirs"):
            _make_calendar(server, f"{home}{calendar}/")

    def we_send(self) -> Cost:
        """A first pass of a rule over a full resource and an empty calendar."""
        here = self._site("up", self._ours)
        site.fill(here, self._stored, Address(Kind.RESOURCE, "a", "r"))
        here.database.close()
        return self._first_pass("up")

    def they_send(self) -> Cost:
        """The same of vdirsyncer."""
        return Vdirsyncer(self._folder / "peer-up", self._theirs, servers.USER, self._stored).sync(self._server)

    def we_fetch(self, number: int) -> Cost:
        """A first pass of a rule over an empty resource and the calendar that vdirsyncer has filled."""
        self._site(f"down-{number}", self._theirs).database.close()
        return self._first_pass(f"down-{number}")

    def they_fetch(self, number: int) -> Cost:
        """The same of vdirsyncer."""
        peer = Vdirsyncer(self._folder / f"peer-down-{number}", self._theirs, servers.USER, [])
        cost = peer.sync(self._server)
        assert len(list(peer.files.iterdir())) == len(self._stored)
        return cost

    def _site(self, name: str, calendar: str) -> Site:
        return rule_site.make(self._folder / name, [Target("a", "r", f"{self._root}/", calendar)], user=servers.USER)

    def _first_pass(self, name: str) -> Cost:
        before = self._server.processor_seconds()
        found = _passes("settle", self._folder / name)
        assert found["links"] == len(self._stored), found
        return Cost(found["seconds"], found["cpu"], self._server.processor_seconds() - before)


def _idle(folder: Path, size: Size, today: date) -> list[Bound]:
    """One rule whose remote calendar is one of another Calbridge, as that can be filled in a moment."""
    remote, names = rule_site.make_upstream(folder / "there", 1)
    site.fill(remote, appointments(size.links, today), Address(Kind.RESOURCE, *names[0]))
    remote.database.close()
    with servers.calbridge(folder / "there") as server, faults(server.port) as proxy:
        # Two sites, as the one behind the proxy that counts would also pay for the proxy's slowness.
        for name, port in (("here", server.port), ("counted", proxy.port)):
            rule_site.make(folder / name, _targets(names, port)).database.close()
            found = _passes("settle", folder / name)
            assert found["links"] == size.links, found
        # The first of them asks besides whether deltas can be trusted.
        _passes("idle", folder / "counted", 1, 1)
        before = sum(proxy.counts.values())
        _passes("idle", folder / "counted", 1, 1)
        requests = sum(proxy.counts.values()) - before
        cost = _passes("idle", folder / "here", 100, 10)
    label = f"idle pass, {size.links:,} links"
    return [
        Bound(f"{label}: requests", requests, 1, ""),
        Bound(f"{label}: own processor time", cost["cpu"] * 1000, _IDLE_MILLISECONDS, "ms"),
    ]


def _many(folder: Path, size: Size, *, say: Callable[[str], None]) -> list[Bound]:
    say(f"first passes over {size.rules:,} rules")
    remote, names = rule_site.make_upstream(folder / "there", size.rules)
    remote.database.close()
    with servers.calbridge(folder / "there") as server:
        rule_site.make(folder / "here", _targets(names, server.port)).database.close()
        found = _passes("settle", folder / "here")
        assert found["passes"] == size.rules, found
        say(f"{size.rules:,} rules for {size.seconds} seconds")
        spread = _passes("work", folder / "here", size.seconds)
        say(f"{size.passes:,} passes")
        memory = _passes("idle", folder / "here", size.passes, size.passes // 10)
    return [
        Bound(
            f"{size.rules:,} rules, polled every 5 minutes ({spread['passes']:.0f} passes in {size.seconds} s)",
            spread["cores"],
            _HALF_A_CORE,
            "cores",
        ),
        Bound(
            f"memory after {size.passes:,} passes ({memory['late_mib']:.0f} MiB), of that after {size.passes // 10:,}",
            memory["late_mib"] / memory["early_mib"],
            _FLAT,
            "times",
        ),
    ]


def _targets(names: list[tuple[str, str]], port: int) -> list[Target]:
    root = f"http://127.0.0.1:{port}"
    return [
        Target(account, resource, f"{root}/", f"{root}{rule_site.path_of(account, resource)}")
        for account, resource in names
    ]


def _passes(what: str, folder: Path, *numbers: int) -> dict[str, Any]:
    """What `tests.bench.passes` says, run in a process of its own."""
    command = [sys.executable, "-m", "tests.bench.passes", what, str(folder / "bridge.yaml"), *map(str, numbers)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, cwd=servers.TOP)
    assert ran.returncode == 0, (ran.stdout + ran.stderr)[-2000:]
    found: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
    return found


def _make_calendar(server: Server, path: str) -> None:
    login = base64.b64encode(f"{servers.USER}:{servers.PASSWORD}".encode()).decode()
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    connection.request("MKCALENDAR", path, headers={"Authorization": f"Basic {login}"})
    status = connection.getresponse().status
    connection.close()
    assert status == 201, f"MKCALENDAR {path} was answered with {status}"
