"""`held`: deletions that a rule does not do by itself, and what a person decides about them."""

from __future__ import annotations

import getpass
from typing import TYPE_CHECKING

import click

from bridge.cli import screen
from bridge.cli.naming import Names
from bridge.cli.opening import opened
from bridge.cli.options import with_config, with_json
from bridge.core.sides import Side
from bridge.store import held as holds
from bridge.store import journal
from bridge.store import link as links
from bridge.store.journal import Author
from bridge.sync import decisions

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from bridge.store.database import Transaction
    from bridge.store.held import Held, HeldItem
    from bridge.store.rule import Rule

_PLACES = {Side.HERE: "here", Side.THERE: "at the upstream"}
_GONE = {Side.HERE: "at the upstream", Side.THERE: "here"}


@click.group()
def held() -> None:
    """Deletions that wait for a person."""


@held.command("list")
@with_config
@with_json
def list_held(config: Path, *, as_json: bool) -> None:
    """List what waits for approval."""
    site = opened(config)
    with site.database.reading() as tx:
        names = Names.read(site, tx)
        found = [(each, holds.items(tx, each.id)) for each in holds.waiting(tx)]
    if as_json:
        screen.document({"held": [_document(names, each, items) for each, items in found]})
        return
    if not found:
        screen.say("Nothing waits for approval.")
        return
    screen.table(
        ("ID", "RULE", "SINCE", "WOULD DELETE", "OF"),
        [
            (
                str(each.id),
                names.key(each.rule_id) + ("" if names.rules[each.rule_id].active else " (left over)"),
                names.when(each.rule_id, each.at),
                f"{len(items)} {_PLACES[each.side]}",
                str(each.total),
            )
            for each, items in found
        ],
    )
    for rule_id in dict.fromkeys(each.rule_id for each, _ in found):
        _say_if_left_over(names.rules[rule_id])


def _say_if_left_over(rule: Rule) -> None:
    if not rule.active:
        error = decisions.left_over(rule)
        screen.say()
        screen.say(error.message)
        screen.say(f"  {error.remedy}")


@held.command()
@click.argument("number", type=click.IntRange(1), metavar="ID")
@with_config
@with_json
def show(number: int, config: Path, *, as_json: bool) -> None:
    """Show what would be deleted."""
    site = opened(config)
    with site.database.reading() as tx:
        names = Names.read(site, tx)
        found, items = holds.get(tx, number), holds.items(tx, number)
        begins = _begins(tx, names, found, items)
    if as_json:
        screen.document(_document(names, found, items))
        return
    key = names.key(found.rule_id)
    screen.say(
        f"{key}: {screen.plural(len(items), 'appointment')} of {found.total} would be deleted {_PLACES[found.side]}, "
        f"as they were deleted {_GONE[found.side]}."
    )
    if found.state is not holds.State.WAITING and found.decided_at is not None:
        screen.say(f"{found.state.capitalize()} by {found.decided_by}, {names.when(found.rule_id, found.decided_at)}.")
    screen.say()
    shown = sorted(items, key=lambda each: (each.uid not in begins, begins.get(each.uid, found.at), each.uid))
    times = {uid: names.when(found.rule_id, moment) for uid, moment in begins.items()}
    rows = [(times.get(each.uid, ""), each.summary or "(no title)", each.uid) for each in shown]
    screen.table(("BEGINS", "TITLE", "UID"), rows)
    _say_if_left_over(names.rules[found.rule_id])
    if found.state is holds.State.WAITING and names.rules[found.rule_id].active:
        screen.say()
        screen.say(
            f"`calbridge held approve {number}` deletes them, `calbridge held refuse {number}` brings them back."
        )


def _begins(tx: Transaction, names: Names, found: Held, items: list[HeldItem]) -> dict[str, datetime]:
    """When each appointment that is still linked begins, or its series does, by UID."""
    parse = names.parser(found.rule_id)
    known = links.by_uids(tx, found.rule_id, [each.uid for each in items])
    texts = {uid: journal.raw(tx, link.base_here) for uid, link in known.items() if link.base_here is not None}
    return {uid: parse(raw).span.first for uid, raw in texts.items()}


def _document(names: Names, found: Held, items: list[HeldItem]) -> dict[str, object]:
    return {
        "id": found.id,
        "rule": names.key(found.rule_id),
        "left_over": not names.rules[found.rule_id].active,
        "deletes": str(found.side),
        "since": found.at,
        "of": found.total,
        "state": str(found.state),
        "decided_at": found.decided_at,
        "decided_by": found.decided_by or None,
        "items": [{"uid": each.uid, "remote_id": each.remote_id, "title": each.summary} for each in items],
    }


@held.command()
@click.argument("number", type=click.IntRange(1), metavar="ID")
@with_config
@with_json
def approve(number: int, config: Path, *, as_json: bool) -> None:
    """Let a rule delete what it held back, all of it or nothing.

    What was changed meanwhile is not deleted: to keep some of it, change that first, where it still stands.
    """
    site = opened(config)
    with site.database.writing() as tx:
        count = len(holds.items(tx, number))
        decided = decisions.approve(tx, number, by=_who())
        key = Names.read(site, tx).key(decided.rule_id)
    if as_json:
        screen.document({"id": number, "rule": key, "state": str(decided.state), "items": count})
        return
    place = _PLACES[decided.side]
    screen.say(f"{screen.plural(count, 'appointment')} will be deleted {place} with the next pass, which is due now.")


@held.command()
@click.argument("number", type=click.IntRange(1), metavar="ID")
@with_config
@with_json
def refuse(number: int, config: Path, *, as_json: bool) -> None:
    """Keep what a rule held back, all of it or nothing, and bring it back where it was deleted."""
    site = opened(config)
    with site.database.writing() as tx:
        rule_id = holds.get(tx, number).rule_id
        names = Names.read(site, tx)
        decided, count = decisions.refuse(
            tx,
            number,
            by=_who(),
            author=Author("cli", f"calbridge held refuse {number}"),
            parse=names.parser(rule_id),
        )
        key = names.key(rule_id)
    if as_json:
        screen.document({"id": number, "rule": key, "state": str(decided.state), "items": count})
        return
    when = "are back here" if decided.side is Side.THERE else "come back at the upstream with the next pass"
    screen.say(f"Nothing is deleted. Appointments that {when}: {count}.")


def _who() -> str:
    """The person at the terminal, as this machine knows them."""
    try:
        return f"{getpass.getuser()} (calbridge)"
    except OSError:
        return "calbridge"
