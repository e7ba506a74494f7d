"""`rule remove`: a rule goes, and what it wrote stays or goes with it."""

from __future__ import annotations

import threading
from contextlib import ExitStack, closing, contextmanager
from typing import TYPE_CHECKING

import click

from bridge import bootstrap
from bridge.cli import screen
from bridge.cli.opening import opened
from bridge.cli.options import with_config, with_json
from bridge.cli.outcome import Exit
from bridge.cli.rule_state import zone_of
from bridge.config import connection_for, read_target
from bridge.core import ics
from bridge.errors import Conflict, NotFound
from bridge.store import rule as rules
from bridge.store.journal import Author
from bridge.sync.holding import holding
from bridge.sync.removal import Fate, Removal, Removed, Wanted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bridge.bootstrap import Site
    from bridge.core.model import CalendarObject
    from bridge.store.rule import Rule

_FATES = [fate.value for fate in Fate]
_PATIENCE_SECONDS = 130
_LOOK_EVERY_SECONDS = 0.5


@click.command()
@click.argument("key")
@click.option(
    "--target", help="Which rule of this name: RESOURCE|SERVER|CALENDAR, as `calbridge rule list --json` shows it"
)
@click.option("--upstream", type=click.Choice(_FATES), help="What becomes of what the rule created there")
@click.option("--here", type=click.Choice(_FATES), help="What becomes of what the rule took over from there")
@click.option(
    "--by-marks",
    is_flag=True,
    help="Search the whole remote calendar for the rule's mark, as when the database is lost",
)
@click.option("--yes", is_flag=True, help="Do not ask")
@with_config
@with_json
def remove(
    key: str,
    target: str | None,
    upstream: str | None,
    here: str | None,
    config: Path,
    *,
    by_marks: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Remove a rule, and keep or remove what it wrote on either side.

    What somebody changed since, or what another rule keeps too, stays in any case. A rule that still stands in the
    configuration begins anew, paused: take it out of the file.
    """
    site = opened(config)
    found = _find(site, key, target)
    fates = _fates(found, upstream, here, ask=not yes)
    wanted = Wanted(*fates, by_marks=by_marks, stays_configured=found.active)
    if not yes:
        click.confirm(_what_happens(found, wanted), abort=True, err=True)
    if found.active:
        with site.database.writing() as tx:
            rules.pause(tx, found.id)
    removed = _remove(site, found, wanted)
    if as_json:
        screen.document(_document(found, removed, wanted))
    else:
        _tell(found, removed, wanted)
    if removed.kept:
        click.get_current_context().exit(Exit.PART)


def _find(site: Site, key: str, target: str | None) -> Rule:
    """The rule that is meant: the one in the configuration, or one that is left over.

    Raises:
        NotFound: There is none, or there are several.
    """
    site.ensure_collections()
    site.declare_rules()
    with site.database.reading() as tx:
        named = [each for each in rules.every(tx) if each.key == key]
    found = [each for each in named if target in {None, each.target}]
    if len(found) == 1:
        return found[0]
    if found:
        raise NotFound(
            f"There are {len(found)} rules {key!r}, to different calendars.",
            remedy="Say which one: " + ", ".join(f"--target '{each.target}'" for each in found),
        )
    if named:
        raise NotFound(
            f"The rule {key!r} has no such target.",
            remedy="It has: " + ", ".join(f"--target '{each.target}'" for each in named),
        )
    raise NotFound(f"There is no rule {key!r}.", remedy="`calbridge rule list` lists those there are.")


def _fates(found: Rule, upstream: str | None, here: str | None, *, ask: bool) -> tuple[Fate, Fate]:
    if not ask and (upstream is None or here is None):
        raise click.UsageError("With --yes, say --upstream keep or remove, and --here keep or remove.")
    questions = (
        (upstream, f"What {found.key!r} created there: keep it, or remove it?"),
        (here, f"What {found.key!r} took over from there: keep it here, or remove it?"),
    )
    chosen = [
        click.prompt(question, type=click.Choice(_FATES), default=Fate.KEEP.value, err=True) if given is None else given
        for given, question in questions
    ]
    return Fate(chosen[0]), Fate(chosen[1])


def _what_happens(found: Rule, wanted: Wanted) -> str:
    there = "is kept" if wanted.there is Fate.KEEP else "is removed, unless it was changed there"
    here = "is kept" if wanted.here is Fate.KEEP else "is removed, unless it was changed here"
    return f"What {found.key!r} created there {there}; what it took over {here}. Remove the rule?"


def _remove(site: Site, found: Rule, wanted: Wanted) -> Removed:
    zone = zone_of(site, found)

    def parse(raw: bytes) -> CalendarObject:
        return ics.parse(raw, zone=zone, max_instances=site.configuration.limits.max_instances)

    target = read_target(found.target)
    owner = bootstrap.owner_name()
    with ExitStack() as stack:
        upstream = None
        if wanted.there is Fate.REMOVE:
            connection = connection_for(site.configuration, target)
            upstream = stack.enter_context(closing(bootstrap.Connections().open(site, connection, parse, zone)))
        rule = stack.enter_context(_patiently(site, found, owner))
        progress = stack.enter_context(screen.progress(f"Removing what {found.key} wrote"))
        settings = site.configuration.rules.get(found.key) if found.active else None
        return Removal(
            site.database,
            rule,
            owner=owner,
            upstream=upstream,
            calendar=target.calendar if settings is None else settings.calendar,
            parse=parse,
            author=Author("cli", f"calbridge rule remove {found.key}"),
            progress=progress,
        ).run(wanted)


@contextmanager
def _patiently(site: Site, found: Rule, owner: str) -> Iterator[Rule]:
    """Takes the rule, after the pass that a worker is at.

    Raises:
        Conflict: The pass takes long.
    """
    pause = threading.Event()
    for _ in range(int(_PATIENCE_SECONDS / _LOOK_EVERY_SECONDS)):
        with holding(site.database, found.id, owner) as rule:
            if rule is not None:
                yield rule
                return
        pause.wait(_LOOK_EVERY_SECONDS)
    raise Conflict(
        f"A worker is still at the rule {found.key!r}.", remedy="It is stopped, so try again when its pass has ended."
    )


def _document(found: Rule, removed: Removed, wanted: Wanted) -> dict[str, object]:
    return {
        "rule": found.key,
        "target": found.target,
        "removed_upstream": removed.there,
        "removed_here": removed.here,
        "kept": [
            {"side": str(each.side), "uid": each.uid, "title": each.summary, "reason": each.reason}
            for each in removed.kept
        ],
        "stands_in_configuration": wanted.stays_configured,
    }


def _tell(found: Rule, removed: Removed, wanted: Wanted) -> None:
    screen.say(f"The rule {found.key!r} is removed.")
    if wanted.there is Fate.REMOVE:
        screen.say(f"Removed there: {removed.there}.")
    if wanted.here is Fate.REMOVE:
        screen.say(f"Removed here: {removed.here}.")
    if removed.kept:
        screen.say()
        screen.say("These were to go, and stay:")
        screen.table(
            ("WHERE", "TITLE", "WHY"),
            [(str(each.side), each.summary or each.uid, each.reason) for each in removed.kept],
        )
    if wanted.stays_configured:
        screen.say()
        screen.say("It still stands in the configuration, and would begin anew: it is paused. Take it out of the file.")
