"""`rule`: the rules of the configuration, what they would do, and when they do it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from bridge.cli import screen
from bridge.cli.opening import opened
from bridge.cli.options import with_config, with_json
from bridge.cli.outcome import Exit
from bridge.cli.pass_shown import do_pass, pass_document, show_pass
from bridge.cli.plan_shown import SHOWN, plan_document, planned, show_plan
from bridge.cli.removing import remove
from bridge.cli.rule_state import configured_rule, word
from bridge.config import read_target
from bridge.config.schema import written
from bridge.config.settings import Settings
from bridge.errors import Conflict
from bridge.store import rule as rules
from bridge.store import status as statuses

if TYPE_CHECKING:
    from pathlib import Path

    from bridge.bootstrap import Site
    from bridge.config import Rule as RuleSettings
    from bridge.store.status import RuleStatus


@click.group()
def rule() -> None:
    """The rules that keep resources and remote calendars the same."""


@rule.command("list")
@with_config
@with_json
def list_rules(config: Path, *, as_json: bool) -> None:
    """List the rules of the configuration, those that it does not have any more, and how they are doing."""
    site = opened(config)
    with site.database.reading() as tx:
        known = statuses.read(tx)
    taken_up = {each.rule.key for each in known if each.rule.active}
    fresh = [key for key in site.configuration.rules if key not in taken_up]
    if as_json:
        documents = [_document(site, each) for each in known]
        screen.document({"rules": documents, "not_taken_up": fresh})
        return
    if not known and not fresh:
        screen.say("There are no rules yet. `calbridge connect CONNECTION` shows what to write under `rules`.")
        return
    rows = [_row(site, each) for each in known]
    rows += [_fresh_row(key, site.configuration.rules[key]) for key in fresh]
    screen.table(("RULE", "RESOURCE", "CONNECTION", "CALENDAR", "DIRECTION", "STATUS"), rows)


def _row(site: Site, each: RuleStatus) -> tuple[str, ...]:
    target = read_target(each.rule.target)
    settings = site.configuration.rules.get(each.rule.key) if each.rule.active else None
    if settings is None:
        return (each.rule.key, target.resource, target.connection, target.calendar, "", word(each))
    return (*_fresh_row(each.rule.key, settings)[:-1], word(each))


def _fresh_row(key: str, settings: RuleSettings) -> tuple[str, ...]:
    return (key, str(settings.resource), settings.connection, settings.calendar, str(settings.direction), "new")


def _document(site: Site, each: RuleStatus) -> dict[str, object]:
    target = read_target(each.rule.target)
    settings = site.configuration.rules.get(each.rule.key) if each.rule.active else None
    return {
        "rule": each.rule.key,
        "target": each.rule.target,
        "resource": target.resource,
        "connection": None if settings is None else settings.connection,
        "calendar": target.calendar,
        "direction": None if settings is None else str(settings.direction),
        "status": word(each),
        "active": each.rule.active,
        "paused": each.rule.paused,
    }


@rule.command()
@click.argument("key")
@with_config
@with_json
def show(key: str, config: Path, *, as_json: bool) -> None:
    """Show what a rule ties together, and its options."""
    site = opened(config)
    settings = site.configuration.rule(key)
    with site.database.reading() as tx:
        found = rules.find(tx, key)
    options = _options(settings)
    if as_json:
        remote = None if found is None else found.calendar
        screen.document(
            {"rule": key, "options": options, "calendar_id": remote, "origin": found.origin if found else None}
        )
        return
    rows = [("rule", key), *options.items()]
    if found is not None:
        rows += [("calendar id", found.calendar or "not found yet"), ("mark", found.origin)]
    screen.table(("", ""), [(name, _one_line(value)) for name, value in rows])


def _options(settings: Settings, place: str = "") -> dict[str, Any]:
    """The options of a rule as they stand in the file, by their place in it."""
    found: dict[str, Any] = {}
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        if isinstance(value, Settings):
            found |= _options(value, f"{place}{name}.")
        else:
            plain = written(value)
            found[f"{place}{name}"] = "all" if plain is None else plain
    return found


def _one_line(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


@rule.command()
@click.argument("key")
@click.option("--all", "everything", is_flag=True, help=f"Show every appointment, not only {SHOWN} of each kind")
@with_config
@with_json
def plan(key: str, config: Path, *, everything: bool, as_json: bool) -> None:
    """Show what the next pass over a rule would do, without doing it; also for a rule that is new in the file."""
    site = opened(config)
    found = planned(site, key)
    if as_json:
        screen.document(plan_document(key, found))
        return
    show_plan(key, found, most=None if everything else SHOWN)


@rule.command()
@click.argument("key")
@with_config
@with_json
def sync(key: str, config: Path, *, as_json: bool) -> None:
    """Do a pass over a rule now; where another worker is at it, have it do another one at once."""
    site = opened(config)
    found = configured_rule(site, key)
    if found.paused:
        raise Conflict(f"The rule {key!r} is paused.", remedy=f"`calbridge rule resume {key}` lets it go on.")
    done = do_pass(site, found)
    if as_json:
        screen.document(pass_document(done))
    else:
        show_pass(site, done)
    if done.exit is not Exit.DONE:
        click.get_current_context().exit(done.exit)


@rule.command()
@click.argument("key")
@with_config
@with_json
def pause(key: str, config: Path, *, as_json: bool) -> None:
    """Stop a rule until it is resumed; what changes meanwhile is not forgotten."""
    site = opened(config)
    found = configured_rule(site, key)
    with site.database.writing() as tx:
        rules.pause(tx, found.id)
    _say(key, "paused", f"{key!r} is paused. `calbridge rule resume {key}` lets it go on.", as_json=as_json)


@rule.command()
@click.argument("key")
@with_config
@with_json
def resume(key: str, config: Path, *, as_json: bool) -> None:
    """Let a rule that was paused go on."""
    site = opened(config)
    found = configured_rule(site, key)
    with site.database.writing() as tx:
        rules.resume(tx, found.id)
    _say(key, "resumed", f"{key!r} goes on: it is due now.", as_json=as_json)


@rule.command()
@click.argument("key")
@with_config
@with_json
def reset(key: str, config: Path, *, as_json: bool) -> None:
    """Have a rule read everything anew and compare it, without doubling anything."""
    site = opened(config)
    found = configured_rule(site, key)
    with site.database.writing() as tx:
        rules.reset(tx, found.id)
    _say(key, "reset", f"{key!r} reads both sides anew with its next pass, which is due now.", as_json=as_json)


def _say(key: str, done: str, sentence: str, *, as_json: bool) -> None:
    if as_json:
        screen.document({"rule": key, "done": done})
        return
    screen.say(sentence)


rule.add_command(remove)
