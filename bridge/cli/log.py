"""`log`: what each pass over a rule did."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from bridge.cli import screen
from bridge.cli.naming import Names
from bridge.cli.opening import opened
from bridge.cli.options import with_config, with_json
from bridge.store import run as runs

if TYPE_CHECKING:
    from pathlib import Path

    from bridge.store.run import Run, RunItem


@click.command()
@click.argument("rule", required=False)
@click.option("--run", "number", type=click.IntRange(1), help="Show what this run did to each appointment")
@click.option("--limit", type=click.IntRange(1, 10_000), default=20, show_default=True, help="At most so many runs")
@with_config
@with_json
def log(rule: str | None, number: int | None, limit: int, config: Path, *, as_json: bool) -> None:
    """Show the passes over a rule, or over all, that did something: the newest first."""
    site = opened(config)
    with site.database.reading() as tx:
        names = Names.read(site, tx)
        if number is not None:
            found = [runs.get(tx, number)]
        elif rule is None:
            found = runs.recent(tx, limit=limit)
        else:
            of_rule = [each for rule_id in names.called(rule) for each in runs.recent(tx, rule_id, limit=limit)]
            found = sorted(of_rule, key=lambda each: each.id, reverse=True)[:limit]
        items = {each.id: runs.items(tx, each.id) for each in found} if as_json or number is not None else {}
    if as_json:
        screen.document({"runs": [_document(names, each, items[each.id]) for each in found]})
        return
    if not found:
        screen.say("No pass has done anything yet.")
        return
    screen.table(("RUN", "RULE", "WHEN", "WHAT", "MOVES", "OUTCOME"), [_row(names, each) for each in found])
    for each in found:
        if each.problem:
            screen.say()
            screen.say(f"run {each.id}: {each.problem}")
    if number is not None:
        screen.say()
        screen.table(
            ("WHEN", "MOVE", "TITLE", "NOTE"),
            [
                (names.when(found[0].rule_id, item.at), item.move, item.summary or item.uid, item.note)
                for item in items[number]
            ],
        )
        screen.say()
        screen.say(f"`calbridge undo --run {number}` takes back what it changed here.")


def _row(names: Names, each: Run) -> tuple[str, ...]:
    moves = ", ".join(f"{move}: {count}" for move, count in sorted(each.moves.items()))
    outcome = each.outcome or ("running, or broken off" if each.ended_at is None else "")
    return (str(each.id), names.key(each.rule_id), names.when(each.rule_id, each.started_at), each.kind, moves, outcome)


def _document(names: Names, each: Run, items: list[RunItem]) -> dict[str, object]:
    return {
        "run": each.id,
        "rule": names.key(each.rule_id),
        "kind": each.kind,
        "started_at": each.started_at,
        "ended_at": each.ended_at,
        "outcome": each.outcome,
        "moves": dict(each.moves),
        "requests": each.requests,
        "problem": each.problem,
        "items": [
            {
                "at": item.at,
                "move": item.move,
                "side": str(item.side),
                "uid": item.uid,
                "title": item.summary,
                "note": item.note,
            }
            for item in items
        ],
    }
