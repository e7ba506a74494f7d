"""A rule that was chosen: its first pass is planned, shown and agreed to before it is written and done."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import click

from bridge.cli import screen
from bridge.cli.pass_shown import Done, do_pass, pass_document, show_pass
from bridge.cli.plan_shown import plan_document, planned, show_plan
from bridge.cli.rule_state import configured_rule
from bridge.config import write_duration
from bridge.config.edit import draft_rule
from bridge.config.edited_text import as_block

if TYPE_CHECKING:
    from bridge.bootstrap import Site
    from bridge.cli.choosing import Answers, Choice
    from bridge.core.plan import Plan

_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Made:
    """What became of a rule that was chosen.

    Attributes:
        rule: What it is called.
        plan: What its first pass was to do.
        done: How that went; None where it was not agreed to, and nothing was written.
    """

    rule: str
    plan: Plan
    done: Done | None


def make_rule(site: Site, choice: Choice, answers: Answers, *, as_json: bool) -> Made:
    """Plans the first pass of a rule, asks, writes the rule into the file, and does the pass.

    Nothing is written, here or there, before it is agreed to; where nobody can be asked, only `--yes` agrees.

    Raises:
        ConfigurationError: The rule would work against another one, or the file cannot be changed.
        Conflict: The file was changed meanwhile.
        UpstreamError: The remote calendar cannot be read.
    """
    draft = draft_rule(site.configuration.path, choice.rule, choice.settings, environ=os.environ)
    fresh = replace(site, configuration=draft.configuration)
    if not as_json:
        _show_rule(fresh, choice)
    with screen.progress(f"Reading {choice.calendar.name}"):
        plan = planned(fresh, choice.rule)
    if not as_json:
        screen.say("This is what the first pass will do. Nothing has been written yet.")
        screen.say()
        show_plan(choice.rule, plan, most=_SHOWN, more=f"`calbridge rule plan {choice.rule} --all` will show all")
        screen.say()
    if not _agreed(answers):
        return Made(choice.rule, plan, None)
    draft.write()
    if not as_json:
        screen.say(f"The rule {choice.rule!r} stands in {site.configuration.path}.")
    # A server that runs takes the file up within a second: whoever comes first does the pass, and never both.
    return Made(choice.rule, plan, do_pass(fresh, configured_rule(fresh, choice.rule)))


def show_made(site: Site, made: Made, answers: Answers) -> None:
    """Tells a person what became of the rule."""
    if made.done is None:
        screen.say("No rule was written, and nothing was done.")
        if not answers.asks:
            screen.say("Give the command again with --yes to have it done.")
        return
    show_pass(site, made.done)
    if made.done.seen is not None:
        screen.say("A server that runs keeps it from now on; `calbridge status` shows how it is doing.")


def made_document(made: Made) -> dict[str, object]:
    """What became of the rule, for a program."""
    return {
        "rule": made.rule,
        "written": made.done is not None,
        "plan": plan_document(made.rule, made.plan),
        "pass": None if made.done is None else pass_document(made.done),
    }


def _show_rule(site: Site, choice: Choice) -> None:
    settings = site.configuration.rule(choice.rule)
    screen.say()
    screen.say("The rule:")
    screen.say()
    screen.say("rules:")
    screen.say(as_block(choice.rule, choice.settings))
    screen.say()
    if not choice.calendar.writable:
        screen.say(f"Nothing may be written to {choice.calendar.name!r}, so this rule only fetches.")
    past, future = settings.window.past, settings.window.future
    screen.say(
        f"It looks {'without limit' if past is None else write_duration(past)} back and "
        f"{'without limit' if future is None else write_duration(future)} ahead; `window` and other options of the "
        "rule can be changed in the file at any time."
    )
    screen.say()


def _agreed(answers: Answers) -> bool:
    return answers.yes or (answers.asks and click.confirm("Write the rule, and do this now?", default=True, err=True))
