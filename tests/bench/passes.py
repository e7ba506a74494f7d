"""Runs passes over the rules of a site in a process of its own, and says what they cost it."""

from __future__ import annotations

import json
import resource
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from bridge.bootstrap.garbage import collect_seldom
from bridge.bootstrap.site import open_site
from bridge.bootstrap.syncing import office_of, worker_of
from bridge.store import lease
from bridge.store import link as links
from bridge.store import rule as rules
from bridge.sync.worker import Worker

if TYPE_CHECKING:
    from bridge.bootstrap import Site
    from bridge.sync.worker import Observation

_OWNER = "bench"
_LEASE = timedelta(minutes=30)
_POLL = timedelta(minutes=5)


def main() -> None:
    """Runs what the command line says, and prints the findings as JSON."""
    what, config, *numbers = sys.argv[1:]
    collect_seldom()
    site = open_site(Path(config))
    found = run(what, site, *map(int, numbers))
    sys.stdout.write(json.dumps(found))


def run(what: str, site: Site, *numbers: int) -> dict[str, float]:
    """Does one of what can be done here."""
    match what:
        case "settle":
            return _settle(site)
        case "idle":
            return _idle(site, *numbers)
        case "work":
            return _work(site, *numbers)
    raise SystemExit(f"there is no {what!r}")


class _Runner:
    """Does passes one after another, as the worker does each."""

    def __init__(self, site: Site) -> None:
        self.errors: list[str] = []
        self._site = site
        self._worker = Worker(
            office_of(site, lambda: site.configuration),
            owner=_OWNER,
            threads=1,
            jitter=lambda: 0.5,
            observe=self._observe,
        )

    def _observe(self, seen: Observation) -> None:
        if seen.error:
            self.errors.append(f"{seen.rule}: {seen.error}")

    def one(self) -> bool:
        """Runs the rule that has waited longest; False where none is due."""
        database = self._site.database
        with database.writing() as tx:
            claimed = lease.claim(tx, owner=_OWNER, until=tx.now + _LEASE, limit=1)
        for rule in claimed:
            self._worker.run(rule)
        if self.errors:
            raise SystemExit(f"a pass failed: {self.errors[0]}")
        return bool(claimed)

    def wake(self, rule_id: int) -> None:
        """Makes a rule due at once."""
        with self._site.database.writing() as tx:
            rules.make_due(tx, rule_id, tx.now)

    def ids(self) -> list[int]:
        """Numbers of all rules."""
        with self._site.database.reading() as tx:
            return [each.id for each in rules.every(tx)]


def _settle(site: Site) -> dict[str, float]:
    """Runs passes until none is due."""
    runner = _Runner(site)
    count = 0
    began, began_cpu = time.perf_counter(), time.process_time()
    while runner.one():
        count += 1
    spent = {"seconds": time.perf_counter() - began, "cpu": time.process_time() - began_cpu}
    with site.database.reading() as tx:
        return {**spent, "passes": count, "links": sum(links.count(tx, each.id) for each in rules.every(tx))}


def _idle(site: Site, count: int, half_way: int) -> dict[str, float]:
    """Runs `count` passes that find nothing, over all rules in turn; memory is also taken after `half_way`."""
    runner = _Runner(site)
    ids = runner.ids()
    cpu = wall = 0.0
    early = 0
    for number in range(count):
        runner.wake(ids[number % len(ids)])
        began, began_cpu = time.perf_counter(), time.process_time()
        runner.one()
        wall += time.perf_counter() - began
        cpu += time.process_time() - began_cpu
        if number + 1 == half_way:
            early = _resident_kib()
    return {"cpu": cpu / count, "wall": wall / count, "early_mib": early / 1024, "late_mib": _resident_kib() / 1024}


def _work(site: Site, seconds: int) -> dict[str, float]:
    """Lets the worker run for so long, and measures the processor time that it takes.

    The rules are due one after another, as they are when a server has run for a while.
    """
    with site.database.writing() as tx:
        every = rules.every(tx)
        for number, each in enumerate(every):
            rules.make_due(tx, each.id, tx.now + _POLL * number / len(every))
    worker = worker_of(site, lambda: site.configuration)
    began = time.process_time()
    worker.start()
    time.sleep(seconds)
    spent = time.process_time() - began
    worker.stop()
    with site.database.reading() as tx:
        since = tx.now - timedelta(seconds=seconds)
        done = [each for each in rules.every(tx) if each.last_succeeded_at and each.last_succeeded_at >= since]
    return {"cores": spent / seconds, "passes": len(done)}


def _resident_kib() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() // 1024


if __name__ == "__main__":
    main()
