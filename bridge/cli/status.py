"""`status`: how all rules are doing, and what a person should do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from bridge.cli import screen, watch_state
from bridge.cli.opening import opened
from bridge.cli.options import with_config, with_json
from bridge.cli.outcome import Exit
from bridge.cli.rule_state import concerns, not_taken_up, word, zone_of
from bridge.config import read_target
from bridge.store import status as statuses

if TYPE_CHECKING:
    from pathlib import Path

    from bridge.bootstrap import Site
    from bridge.store.status import RuleStatus


@click.command()
@click.argument("rule", required=False)
@with_config
@with_json
def status(rule: str | None, config: Path, *, as_json: bool) -> None:
    """Show how all rules are doing, or one; the exit code is 5 where something needs a person."""
    site = opened(config)
    with site.database.reading() as tx:
        every = statuses.read(tx)
    taken_up = {each.rule.key for each in every if each.rule.active}
    fresh = [key for key in site.configuration.rules if rule is None and key not in taken_up]
    found = every if rule is None else _of(site, every, rule)
    if as_json:
        screen.document({"rules": [as_document(each) for each in found], "not_taken_up": fresh})
    elif rule is None:
        _show_all(site, found, fresh)
    else:
        for number, each in enumerate(found):
            if number:
                screen.say()
            _show_one(site, each)
    if any(concern.needs_person for each in found for concern in concerns(each)):
        click.get_current_context().exit(Exit.PART)


def _of(site: Site, every: list[RuleStatus], key: str) -> list[RuleStatus]:
    found = [each for each in every if each.rule.key == key]
    if not found:
        raise not_taken_up(site, key)
    return found


def _show_all(site: Site, found: list[RuleStatus], fresh: list[str]) -> None:
    if found:
        _show_table(site, found)
    if fresh:
        said = f"Not taken up yet: {', '.join(fresh)}. A server or worker that runs does so within seconds."
        screen.say(f"\n{said}" if found else said)
    elif not found:
        screen.say("There are no rules yet. `calbridge connect CONNECTION` shows what to write under `rules`.")


def _show_table(site: Site, found: list[RuleStatus]) -> None:
    screen.table(
        (
            "RULE",
            "ACTIVE",
            "STATUS",
            "LAST SYNC",
            "NEXT",
            "LAG",
            "LINKS",
            "WAITING",
            "HELD",
            "CONFLICTS",
            "PARKED",
        ),
        [
            (
                each.rule.key,
                "yes" if each.rule.active and not each.rule.paused else "no",
                word(each),
                _last(site, each),
                _next(site, each),
                "" if each.lag is None else screen.how_long(each.lag),
                *map(str, (each.links, each.waiting, each.held, each.conflicts, each.parked)),
            )
            for each in found
        ],
    )
    for each in found:
        for concern in concerns(each):
            screen.say()
            screen.say(f"{each.rule.key}: {concern.sentence}")
            if concern.remedy:
                screen.say(f"  {concern.remedy}")


def _show_one(site: Site, each: RuleStatus) -> None:
    target = read_target(each.rule.target)
    problem = each.rule.problem
    rows = [
        ("rule", each.rule.key),
        ("resource", target.resource),
        ("upstream", target.connection),
        ("calendar", target.calendar or "the only one"),
        ("active", "yes" if each.rule.active and not each.rule.paused else "no"),
        ("status", word(each)),
        ("last sync", _last(site, each)),
        ("next", _next(site, each)),
        ("links", str(each.links)),
        ("waiting", f"{each.waiting}{'' if each.lag is None else f', for {screen.how_long(each.lag)}'}"),
        ("held", str(each.held)),
        ("conflicts", str(each.conflicts)),
        ("parked", str(each.parked)),
    ]
    told = watch_state.notifications(each, zone_of(site, each.rule))
    if told:
        rows.append(("notifications", told))
    if problem is not None:
        rows.append(("since", screen.when(problem.since, zone_of(site, each.rule))))
    screen.table(("", ""), rows)
    for concern in concerns(each):
        screen.say()
        screen.say(concern.sentence)
        if concern.remedy:
            screen.say(concern.remedy)


def _last(site: Site, each: RuleStatus) -> str:
    at = each.rule.last_succeeded_at
    return "never" if at is None else screen.when(at, zone_of(site, each.rule))


def _next(site: Site, each: RuleStatus) -> str:
    at = each.next_pass
    if at is None:
        return ""
    return "now" if at <= each.read_at else screen.when(at, zone_of(site, each.rule))


def as_document(each: RuleStatus) -> dict[str, object]:
    """How a rule is doing, for programs."""
    rule, problem, target = each.rule, each.rule.problem, read_target(each.rule.target)
    return {
        "rule": rule.key,
        "target": rule.target,
        "resource": target.resource,
        "calendar": target.calendar,
        "active": rule.active and not rule.paused,
        "paused": rule.paused,
        "left_over_since": rule.left_over_at,
        "status": word(each),
        "last_sync": rule.last_succeeded_at,
        "last_full_comparison": rule.last_full_at,
        "next": each.next_pass,
        "lag_seconds": each.lag,
        "links": each.links,
        "waiting": each.waiting,
        "held": each.held,
        "conflicts": each.conflicts,
        "parked": each.parked,
        "copies": each.copies,
        "notifications": watch_state.as_document(each),
        "problem": None
        if problem is None
        else {
            "code": problem.code,
            "sentence": problem.sentence,
            "remedy": problem.remedy,
            "since": problem.since,
            "failures": rule.failures,
        },
        "concerns": [
            {"sentence": concern.sentence, "remedy": concern.remedy, "needs_person": concern.needs_person}
            for concern in concerns(each)
        ],
    }
