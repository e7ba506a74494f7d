"""`conflicts`: what was changed on both sides at once, and the version that lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from bridge.cli import screen
from bridge.cli.naming import Names
from bridge.cli.opening import opened
from bridge.cli.options import with_config, with_json
from bridge.core.sides import Side
from bridge.store import conflict as store
from bridge.store import journal
from bridge.store.journal import Author
from bridge.sync import swapping

if TYPE_CHECKING:
    from pathlib import Path

    from bridge.store.conflict import ConflictRecord

_WHOSE = {Side.HERE: "ours", Side.THERE: "theirs"}


@click.group()
def conflicts() -> None:
    """What was changed on both sides, so that one version lost."""


@conflicts.command("list")
@click.option("--all", "everything", is_flag=True, help="Also those that were swapped or dismissed")
@with_config
@with_json
def list_conflicts(config: Path, *, everything: bool, as_json: bool) -> None:
    """List conflicts, the newest first."""
    site = opened(config)
    with site.database.reading() as tx:
        names = Names.read(site, tx)
        found = store.every(tx, state=None if everything else store.State.OPEN)
    if as_json:
        screen.document({"conflicts": [_document(names, each) for each in found]})
        return
    if not found:
        screen.say("There are no conflicts.")
        return
    screen.table(
        ("ID", "WHEN", "RULE", "TITLE", "WHAT CLASHED", "KEPT", "STATE"),
        [
            (
                str(each.id),
                names.when(each.rule_id, each.at),
                names.key(each.rule_id),
                each.summary or each.uid,
                each.properties,
                _WHOSE[each.lost_side.other],
                str(each.state),
            )
            for each in found
        ],
    )


def _document(names: Names, each: ConflictRecord) -> dict[str, object]:
    return {
        "id": each.id,
        "rule": names.key(each.rule_id),
        "uid": each.uid,
        "title": each.summary,
        "at": each.at,
        "kept": _WHOSE[each.lost_side.other],
        "properties": [name.strip() for name in each.properties.split(",")],
        "state": str(each.state),
    }


@conflicts.command()
@click.argument("number", type=click.IntRange(1), metavar="ID")
@with_config
@with_json
def show(number: int, config: Path, *, as_json: bool) -> None:
    """Show both versions, and in what they differ."""
    site = opened(config)
    with site.database.reading() as tx:
        names = Names.read(site, tx)
        record = store.get(tx, number)
        both = swapping.versions(tx, record, parse=names.parser(record.rule_id))
        texts = [journal.raw(tx, etag).decode() for etag in (record.kept, record.lost)]
    if as_json:
        differing = [
            {"instance": each.instance, "property": each.property, "kept": each.kept, "lost": each.lost}
            for each in both.differing
        ]
        screen.document(
            {
                **_document(names, record),
                "differing": differing,
                "kept_version": texts[0],
                "lost_version": texts[1],
            }
        )
        return
    kept, lost = _WHOSE[record.lost_side.other], _WHOSE[record.lost_side]
    screen.say(
        f"{record.summary or record.uid!r}: {record.properties} changed on both sides, "
        f"{names.when(record.rule_id, record.at)}."
    )
    screen.say()
    screen.table(
        ("", f"KEPT ({kept})", f"LOST ({lost})"),
        [
            (f"{each.property} {each.instance}".strip(), _one_line(each.kept), _one_line(each.lost))
            for each in both.differing
        ],
    )
    if record.state is store.State.OPEN:
        screen.say()
        screen.say(f"`calbridge conflicts swap {number}` takes the version that lost.")


def _one_line(text: str) -> str:
    return "; ".join(text.splitlines()) or "-"


@conflicts.command()
@click.argument("number", type=click.IntRange(1), metavar="ID")
@with_config
@with_json
def swap(number: int, config: Path, *, as_json: bool) -> None:
    """Let what clashed be as in the version that lost; it goes to the upstream by itself, and can be undone."""
    site = opened(config)
    with site.database.writing() as tx:
        names = Names.read(site, tx)
        record = store.get(tx, number)
        author = Author("cli", f"calbridge conflicts swap {number}")
        swapping.swap(tx, number, author=author, parse=names.parser(record.rule_id))
    _say(number, record, "swapped", "has what the other version said, and goes to the upstream.", as_json=as_json)


@conflicts.command()
@click.argument("number", type=click.IntRange(1), metavar="ID")
@with_config
@with_json
def dismiss(number: int, config: Path, *, as_json: bool) -> None:
    """Take a conflict off the list; everything stays as it is."""
    site = opened(config)
    with site.database.writing() as tx:
        record = store.get(tx, number)
        store.set_state(tx, number, store.State.DISMISSED)
    _say(number, record, "dismissed", "stays as it is.", as_json=as_json)


def _say(number: int, record: ConflictRecord, state: str, sentence: str, *, as_json: bool) -> None:
    if as_json:
        screen.document({"id": number, "uid": record.uid, "state": state})
        return
    screen.say(f"{record.summary or record.uid!r} {sentence}")
