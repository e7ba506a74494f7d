"""`parked`: what cannot be brought across, why, and another try."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import click

from bridge.cli import screen
from bridge.cli.naming import Names
from bridge.cli.opening import opened
from bridge.cli.options import with_config, with_json
from bridge.errors import NotFound
from bridge.store import parked as store
from bridge.sync import decisions

if TYPE_CHECKING:
    from pathlib import Path

    from bridge.store.parked import Parked


@click.group()
def parked() -> None:
    """What cannot be brought across, and is set aside while the rest goes on."""


@parked.command("list")
@click.option("--rule", help="Only what this rule has set aside")
@with_config
@with_json
def list_parked(rule: str | None, config: Path, *, as_json: bool) -> None:
    """List what is set aside, and why."""
    site = opened(config)
    with site.database.reading() as tx:
        names = Names.read(site, tx)
        wanted = None if rule is None else names.called(rule)
        found = [each for each in store.every(tx) if wanted is None or each.rule_id in wanted]
    if as_json:
        screen.document({"parked": [_document(names, each) for each in found]})
        return
    if not found:
        screen.say("Nothing is set aside.")
        return
    for number, each in enumerate(found):
        if number:
            screen.say()
        screen.say(
            f"{each.summary or each.uid or each.key}: {names.key(each.rule_id)}, stands {each.side}, "
            f"tried {screen.plural(each.attempts, 'time')}, last {names.when(each.rule_id, each.at)}"
        )
        screen.say(f"  {each.reason}")
        if each.remedy:
            screen.say(f"  {each.remedy}")
        screen.say(f"  calbridge parked retry {shlex.quote(each.key)}")


def _document(names: Names, each: Parked) -> dict[str, object]:
    return {
        "rule": names.key(each.rule_id),
        "side": str(each.side),
        "key": each.key,
        "uid": each.uid,
        "title": each.summary,
        "reason": each.reason,
        "remedy": each.remedy,
        "property": each.property or None,
        "at": each.at,
        "attempts": each.attempts,
    }


@parked.command()
@click.argument("keys", nargs=-1, metavar="[KEY]...")
@click.option("--rule", help="Everything that this rule has set aside")
@with_config
@with_json
def retry(keys: tuple[str, ...], rule: str | None, config: Path, *, as_json: bool) -> None:
    """Try again what is set aside: the KEYs that `parked list` shows, all of a rule, or everything."""
    site = opened(config)
    with site.database.writing() as tx:
        wanted = None if rule is None else Names.read(site, tx).called(rule)
        found = [
            each
            for each in store.every(tx)
            if (wanted is None or each.rule_id in wanted) and (not keys or {each.key, each.uid} & set(keys))
        ]
        missing = sorted(set(keys) - {name for each in found for name in (each.key, each.uid)})
        if missing:
            raise NotFound(
                f"{missing[0]!r} is not set aside.", remedy="`calbridge parked list` shows the keys that there are."
            )
        count = decisions.retry(tx, found)
    if as_json:
        screen.document({"retried": count})
        return
    screen.say(f"To be tried again now: {count}.")
