"""What the next pass over a rule would do, as a person or a program is shown it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge import bootstrap
from bridge.cli import screen
from bridge.core.decision import Move
from bridge.sync.planning import plan_for

if TYPE_CHECKING:
    from bridge.bootstrap import Site
    from bridge.core.plan import Plan, Step

SHOWN = 20
"""Appointments of each kind that are shown where a person did not ask for all."""

_TOO_LONG = 60


def planned(site: Site, key: str) -> Plan:
    """What the next pass over the rule `key` would do, also where it is new in the configuration; nothing is done.

    Raises:
        NotFound: There is no such rule.
        UpstreamError: The upstream cannot be read.
    """
    site.configuration.rule(key)
    site.ensure_collections()
    office = bootstrap.office_of(site, lambda: site.configuration)
    return plan_for(office, key, secret=site.keys.derive("origin"))


def plan_document(key: str, plan: Plan) -> dict[str, object]:
    """The plan for a program."""
    return {
        "rule": key,
        "sentence": plan.sentence(),
        "counts": {str(move): count for move, count in sorted(plan.counts.items())},
        "items": [
            {
                "move": str(step.move),
                "uid": step.uid,
                "remote_id": step.remote_id,
                "title": step.summary,
                "reason": step.reason,
            }
            for step in _steps(plan)
        ],
    }


def show_plan(key: str, plan: Plan, *, most: int | None = SHOWN, more: str = "--all shows them") -> None:
    """Shows the plan to a person.

    Args:
        key: Of the rule.
        plan: The plan.
        most: How many appointments of each kind are shown; None: all.
        more: How a person comes to see the rest.
    """
    steps = _steps(plan)
    screen.say(f"{key}: {plan.sentence()}.")
    shown: list[Step] = []
    for move in plan.counts:
        shown += [step for step in steps if step.move is move][:most]
    if shown:
        screen.say()
        screen.table(
            ("MOVE", "TITLE", "WHY"),
            [(str(step.move), _shortened(step.summary or step.uid), step.reason) for step in shown],
        )
    if len(shown) < len(steps):
        screen.say(f"and {len(steps) - len(shown)} more; {more}.")


def _steps(plan: Plan) -> list[Step]:
    return [step for step in plan.steps if step.move is not Move.NOTHING]


def _shortened(title: str) -> str:
    return title if len(title) <= _TOO_LONG else f"{title[: _TOO_LONG - 1]}…"
