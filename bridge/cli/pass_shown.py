"""A pass over one rule at a person's wish: done with progress, and told how it went."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from bridge import bootstrap
from bridge.cli import screen
from bridge.cli.outcome import Exit
from bridge.cli.rule_state import zone_of
from bridge.store import rule as rules
from bridge.sync.holding import holding

if TYPE_CHECKING:
    from bridge.bootstrap import Site
    from bridge.store.rule import Rule
    from bridge.sync.worker import Observation


@dataclass(frozen=True, slots=True)
class Done:
    """How a pass went.

    Attributes:
        rule: As it stands afterwards.
        seen: What was done; None where another worker is at the rule.
    """

    rule: Rule
    seen: Observation | None

    @property
    def exit(self) -> Exit:
        """How the command ends."""
        if self.seen is None or self.rule.problem is None:
            return Exit.DONE
        return Exit.FAILED if self.seen.report is None else Exit.PART


def do_pass(site: Site, found: Rule) -> Done:
    """Does a pass over a rule now; where another worker is at it, has it do another one at once."""
    owner = bootstrap.owner_name()
    worker = bootstrap.worker_of(site, lambda: site.configuration, owner=owner, quiet=True)
    seen: Observation | None = None
    with holding(site.database, found.id, owner) as held:
        if held is None:
            with site.database.writing() as tx:
                rules.ask_now(tx, found.id)
        else:
            with screen.progress(f"Comparing {found.key}") as progress:
                seen = worker.run(held, progress=progress)
    with site.database.reading() as tx:
        return Done(rules.get(tx, found.id), seen)


def pass_document(done: Done) -> dict[str, object]:
    """How it went, for a program."""
    rule, problem = done.rule, done.rule.problem
    if done.seen is None:
        return {"rule": rule.key, "done": False, "reason": "another worker runs it"}
    report = done.seen.report
    return {
        "rule": rule.key,
        "done": report is not None,
        "kind": None if report is None else str(report.kind),
        "moves": _moves(done.seen),
        "seconds": done.seen.seconds,
        "next": rule.due_at,
        "problem": None
        if problem is None
        else {"code": problem.code, "sentence": problem.sentence, "remedy": problem.remedy},
    }


def show_pass(site: Site, done: Done) -> None:
    """Tells a person how it went."""
    rule, problem = done.rule, done.rule.problem
    if done.seen is None:
        screen.say(f"Another worker is at {rule.key!r} now. Another pass follows as soon as that has ended.")
        return
    if done.seen.report is not None:
        moves = ", ".join(f"{move}: {count}" for move, count in _moves(done.seen).items()) or "nothing to do"
        screen.say(f"{rule.key}: {moves}.")
    if problem is not None:
        click.echo(problem.sentence, err=True)
        if problem.remedy:
            click.echo(problem.remedy, err=True)
    elif done.seen.report is not None:
        screen.say(f"The next pass is due at {screen.when(rule.due_at, zone_of(site, rule))}.")


def _moves(seen: Observation) -> dict[str, int]:
    report = seen.report
    return {} if report is None else {str(move): count for move, count in sorted(report.counts.items())}
