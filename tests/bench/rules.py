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
from tests.bench.findings import Bound, Comparison
from tests.bench.rule_site import Target
from tests.bench.vdirsyncer import Vdirsyncer
from tests.fakes.faults import faults

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date
    from pathlib import Path

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
    """

    links: int
    appointments: int
    rules: int
    seconds: int
    passes: int


FULL = Size(links=10_000, appointments=2_000, rules=1_000, seconds=60, passes=10_000)
QUICK = Size(links=1_000, appointments=100, rules=50, seconds=20, passes=500)


@dataclass(frozen=True, slots=True)
class RuleFindings:
    """What was found.

    Attributes:
        first_syncs: Against vdirsyncer.
        bounds: Of passes that find nothing.
    """

    first_syncs: tuple[Comparison, ...]
    bounds: tuple[Bound, ...]


def measure(folder: Path, today: date, size: Size, *, say: Callable[[str], None]) -> RuleFindings:
    """Measures everything.

    Args:
        folder: For the files.
        today: What the appointments are about.
        size: How much.
        say: Told of what is done now.
    """
    comparisons: list[Comparison] = []
    for name, start, home in (
        ("Xandikos", servers.xandikos, f"/{servers.USER}/calendars/"),
        ("Radicale", servers.radicale, f"/{servers.USER}/"),
    ):
        say(f"first sync of {size.appointments:,} appointments with {name}, each way")
        with start(folder / name) as server:
            stored = list(appointments(size.appointments, today))
            comparisons += _first_syncs(folder / f"{name}-clients", server, home, name, stored)
    say(f"passes over a rule with {size.links:,} links")
    bounds = _idle(folder / "idle", size, today)
    say(f"{size.rules:,} rules, and {size.passes:,} passes over them")
    bounds += _many(folder / "many", size)
    return RuleFindings(tuple(comparisons), tuple(bounds))


def _first_syncs(
    folder: Path, server: Server, home: str, name: str, stored: list[Appointment]
) -> tuple[Comparison, Comparison]:
    count = len(stored)
    for calendar in ("ours", "theirs"):
        _make_calendar(server, f"{home}{calendar}/")
    root = f"http://127.0.0.1:{server.port}"
    here = rule_site.make(folder / "up", [Target("a", "r", f"{root}/", f"{root}{home}ours/")], user=servers.USER)
    site.fill(here, stored, Address(Kind.RESOURCE, "a", "r"))
    here.database.close()
    sent = _passes("settle", folder / "up")["seconds"]
    sent_by_peer = Vdirsyncer(folder / "peer-up", f"{root}{home}theirs/", servers.USER, stored).sync()
    peer = Vdirsyncer(folder / "peer-down", f"{root}{home}theirs/", servers.USER, [])
    fetched_by_peer = peer.sync()
    assert len(list(peer.files.iterdir())) == count
    rule_site.make(
        folder / "down", [Target("a", "r", f"{root}/", f"{root}{home}theirs/")], user=servers.USER
    ).database.close()
    found = _passes("settle", folder / "down")
    assert found["links"] == count, found
    return (
        Comparison(f"{count:,} to {name}", sent, sent_by_peer, _FIRST_SYNC_GOAL),
        Comparison(f"{count:,} from {name}", found["seconds"], fetched_by_peer, _FIRST_SYNC_GOAL),
    )


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
        before = sum(proxy.counts.values())
        _passes("idle", folder / "counted", 1, 1)
        requests = sum(proxy.counts.values()) - before
        cost = _passes("idle", folder / "here", 100, 10)
    label = f"idle pass, {size.links:,} links"
    return [
        Bound(f"{label}: requests", requests, 1, ""),
        Bound(f"{label}: own processor time", cost["cpu"] * 1000, _IDLE_MILLISECONDS, "ms"),
    ]


def _many(folder: Path, size: Size) -> list[Bound]:
    remote, names = rule_site.make_upstream(folder / "there", size.rules)
    remote.database.close()
    with servers.calbridge(folder / "there") as server:
        rule_site.make(folder / "here", _targets(names, server.port)).database.close()
        found = _passes("settle", folder / "here")
        assert found["passes"] == size.rules, found
        spread = _passes("work", folder / "here", size.seconds)
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
