"""Measures Calbridge against plain Radicale, feeds against nginx, and rules against vdirsyncer, in one run."""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

from tests.bench import load, machine, picture, rules, servers, site, table
from tests.bench.appointments import appointments, whole
from tests.bench.calendar import Calendar
from tests.bench.client import Connection
from tests.bench.findings import Comparison, Findings, Memory, comparison, growth
from tests.bench.load import Throughput
from tests.bench.measure import measure
from tests.bench.operations import READING, WRITING, Target

if TYPE_CHECKING:
    from datetime import date

_FEW, _SOME, _MANY, _MILLION = 1_000, 10_000, 100_000, 1_000_000
_PEER_PATH = f"/{servers.USER}/calendar/"
_OUR_PATH = f"/dav/{servers.USER}/salon.anna/"
_ANSWERS_A_SECOND = 10_000


def main() -> None:
    """Runs the bench and shows what it found; a full run also writes it to the documentation."""
    arguments = _arguments()
    into = arguments.into or (None if arguments.quick else servers.TOP / "docs")
    if not arguments.rules:
        _measure_requests(into, million=arguments.million, quick=arguments.quick)
    _measure_rules(into, quick=arguments.quick)


def _measure_requests(into: Path | None, *, million: bool, quick: bool) -> None:
    counts = [_FEW] if quick else [_FEW, _SOME, _MANY]
    with tempfile.TemporaryDirectory(prefix="calbridge-bench-") as folder, ExitStack() as stack:
        found = _run(Path(folder), stack, counts, million=million, quick=quick)
    _show(table.text(found), into, "bench.txt")
    if into is not None:
        (into / "bench.svg").write_text(picture.svg(found))


def _show(text: str, into: Path | None, name: str) -> None:
    sys.stdout.write(f"\n{text}")
    if into is not None:
        into.mkdir(parents=True, exist_ok=True)
        (into / name).write_text(text)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="only 1,000 appointments, in under two minutes")
    parser.add_argument("--million", action="store_true", help="also a store with a million appointments")
    parser.add_argument("--rules", action="store_true", help="only what rules cost")
    parser.add_argument(
        "--into", type=Path, help="where the tables and the picture go (default: docs, with --quick nowhere)"
    )
    return parser.parse_args()


def _measure_rules(into: Path | None, *, quick: bool) -> None:
    today = datetime.now(UTC).date()
    before = machine.load()
    with tempfile.TemporaryDirectory(prefix="calbridge-bench-") as folder:
        found = rules.measure(Path(folder), today, rules.QUICK if quick else rules.FULL, say=_say)
    tables = table.rules(found.first_syncs, found.bounds)
    sentences = "\n".join((
        *machine.sentences(today, [before, machine.load()], peers=("vdirsyncer", "Xandikos")), *_METHOD_OF_RULES,
    ))  # fmt: skip
    _show("\n\n".join([*tables, sentences]) + "\n", into, "bench-rules.txt")


def _say(sentence: str) -> None:
    print(f"{datetime.now(UTC):%H:%M:%S} {sentence}", file=sys.stderr)


def _run(folder: Path, stack: ExitStack, counts: list[int], *, million: bool, quick: bool) -> Findings:
    today = datetime.now(UTC).date()
    budget = 1.0 if quick else 3.0
    compared = min(max(counts), _SOME)
    loads = [machine.load()]
    memories: list[Memory] = []
    targets: list[Target] = []
    imported = 0.0
    for count in counts:
        _say(f"Filling stores with {count:,} appointments")
        targets.append(_ours(stack, folder / f"ours-{count}", count, today))
        memories.append(Memory(f"Calbridge, {count:,} appointments", targets[-1].server.resident_mib(), bounded=True))
        if count <= compared:
            _say(f"Filling the peer with {count:,} appointments (some 30 ms for each)")
            peer, imported = _peer(stack, folder / f"peer-{count}", count, today)
            targets.append(peer)
    comparisons, growths = [], []
    for operation in (*READING, *WRITING):
        _say(operation.label)
        times = measure(operation, targets, budget=budget)
        loads.append(machine.load())
        # The goals are for as many appointments as a full run compares.
        goal = operation.goal if compared == _SOME else None
        comparisons.append(comparison(operation.label, goal, times, compared))
        growths.append(growth(operation.label, times, bounded=operation.flat))
    label = f"import of a file of {compared:,}"
    _say(label)
    comparisons.append(Comparison(label, _import(folder / "imported", compared, today), imported, None if quick else 3))
    memories += [
        Memory(
            f"the same, after {(len(READING) + len(WRITING))} kinds of requests",
            each.server.resident_mib(),
            bounded=False,
        )
        for each in targets
        if each.ours and each.count == compared
    ]
    memories += [
        Memory(f"Radicale, {each.count:,} appointments, after the same", each.server.resident_mib(), bounded=False)
        for each in targets
        if not each.ours and each.count == compared
    ]
    throughputs = _throughputs(
        stack, folder / "nginx", next(t for t in targets if t.ours and t.count == compared), quick=quick
    )
    if million:
        _say("Filling a store with a million appointments (some minutes)")
        memories.append(_million(folder / "million", today))
    return Findings(
        count=compared,
        peer=machine.version_of("Radicale"),
        comparisons=tuple(comparisons),
        growths=tuple(growths),
        throughputs=throughputs,
        memories=tuple(memories),
        machine=machine.sentences(today, loads),
        method=_METHOD,
    )


def _ours(stack: ExitStack, folder: Path, count: int, today: date) -> Target:
    here = site.make(folder)
    stored = list(appointments(count, today))
    site.fill(here, stored)
    paths = [f"/feed/{here.feed_url(name).partition('/feed/')[2]}" for name in (site.WHOLE_FEED, site.PHONE_FEED)]
    here.database.close()
    server = stack.enter_context(servers.calbridge(folder))
    connection = Connection(server.port, servers.USER, servers.PASSWORD)
    calendar = Calendar(connection, _OUR_PATH, stored, today)
    return Target(True, count, server, calendar, *paths)  # noqa: FBT003 -- says whose it is


def _peer(stack: ExitStack, folder: Path, count: int, today: date) -> tuple[Target, float]:
    """The peer with its own storage, filled by one PUT of the whole collection; and how long that took."""
    stored = list(appointments(count, today))
    server = stack.enter_context(servers.radicale(folder))
    connection = Connection(server.port, servers.USER, servers.PASSWORD)
    content = {"Content-Type": "text/calendar; charset=utf-8"}
    filled = connection.request("PUT", _PEER_PATH, whole(stored), expect=(201,), headers=content)
    calendar = Calendar(connection, _PEER_PATH, stored, today)
    return Target(False, count, server, calendar, _PEER_PATH), filled.seconds  # noqa: FBT003 -- says whose it is


def _import(folder: Path, count: int, today: date) -> float:
    """Seconds that `calbridge import` takes for one file, from its start to its end."""
    site.make(folder).database.close()
    (folder / "all.ics").write_bytes(whole(list(appointments(count, today))))
    command = [sys.executable, "-m", "bridge", "import", "--config", str(folder / "bridge.yaml")]
    began = perf_counter()
    shown = subprocess.run(
        [*command, "--into", "salon/anna", str(folder / "all.ics")],
        capture_output=True,
        text=True,
        check=True,
        cwd=servers.TOP,
    )
    seconds = perf_counter() - began
    assert f"{count} created" in shown.stdout, shown.stdout
    return seconds


def _throughputs(stack: ExitStack, folder: Path, target: Target, *, quick: bool) -> tuple[Throughput, ...]:
    folder.mkdir()
    (folder / "www").mkdir()
    found = []
    nginx = stack.enter_context(servers.nginx(folder))
    seconds = 2.0 if quick else 5.0
    for path, name in ((target.phone, "phone.ics"), (target.whole, "whole.ics")):
        answer = target.calendar.connection.request("GET", path, expect=(200,))
        size = f"{len(answer.body) / 1000:,.0f} kB"
        (folder / "www" / name).write_bytes(answer.body)
        _say(f"answers a second to a feed of {size}")
        asked = {"If-None-Match": answer.header("ETag")}
        if name == "phone.ics":
            ours = load.requests_per_second(target.server.port, path, asked, status=304, seconds=seconds)
            other = None
            if nginx is not None:
                etag = Connection(nginx.port).request("GET", f"/{name}", expect=(200,)).header("ETag")
                asked = {"If-None-Match": etag}
                other = load.requests_per_second(nginx.port, f"/{name}", asked, status=304, seconds=seconds)
            found.append(Throughput("304: the feed has not changed", ours, other, _ANSWERS_A_SECOND))
        ours = load.requests_per_second(target.server.port, path, {}, status=200, seconds=seconds)
        other = None
        if nginx is not None:
            other = load.requests_per_second(nginx.port, f"/{name}", {}, status=200, seconds=seconds)
        found.append(Throughput(f"200: a feed of {size}", ours, other, None if other is None else other / 2))
    return tuple(found)


def _million(folder: Path, today: date) -> Memory:
    here = site.make(folder)
    site.fill(here, appointments(_MILLION, today))
    here.database.close()
    with servers.calbridge(folder) as server:
        idle = server.resident_mib()
        calendar = Calendar(Connection(server.port, servers.USER, servers.PASSWORD), _OUR_PATH, [], today)
        for act in (calendar.ctag, calendar.week):
            act()
        times = [
            f"{name} {table.duration(act().seconds)}"
            for name, act in (("ctag", calendar.ctag), ("week", calendar.week))
        ]
    return Memory(f"Calbridge, {_MILLION:,} appointments ({', '.join(times)})", idle, bounded=True)


_METHOD = (
    "All servers run at once on loopback, each with one worker, a warm cache and a folder of its own, and are asked",
    "in turns, so that all share the noise of the machine. Each time is the median of 5 to 200 requests of one client",
    "that keeps its connection (Radicale's own server closes it each time); no answer is compressed. Radicale is set",
    "up as it comes, with a password file, and filled by one PUT of the whole collection, which is what the import is",
    "compared with; how many appointments it answers with has to agree with Calbridge. Memory is the proportional set",
    "size of all processes of a server. Made by `make bench`.",
)

_METHOD_OF_RULES = (
    "A first sync is one pass over a new rule, or one run of vdirsyncer without the time that it needs to sync",
    "nothing, one after the other with the same server; from there it is the median of several rounds in turns. So the",
    "start of the program and the reading of its configuration count for neither. To look for the calendar on the",
    "server counts for Calbridge, which does it in the pass (3 or 4 requests), but not for vdirsyncer, which has done",
    "it before in a run of its own. Whether the deltas of a server can be trusted, Calbridge asks with the pass after.",
    "'Possible' is how many times as fast as vdirsyncer somebody would be who needs no time at all beyond that of the",
    "server, by their processor times: each appointment goes there by a PUT of its own, and neither server does two",
    "things at a time. vdirsyncer keeps the texts as they come, in files; Calbridge reads each, finds its place in",
    "time, and keeps it with its history in the store. Passes over rules run in a process of their own; counted is its",
    "processor time, without that of the other server. Made by `make bench BENCH_OPTIONS=--rules`.",
)

if __name__ == "__main__":
    main()
