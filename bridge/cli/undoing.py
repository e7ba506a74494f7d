"""`undo`: one change is taken back, or what a run of a rule changed, or all of a calendar since some time."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import click

from bridge.cli import screen
from bridge.cli.history import entry_document
from bridge.cli.opening import opened
from bridge.cli.options import with_config, with_json
from bridge.cli.outcome import Exit
from bridge.cli.places import address_of, joinable
from bridge.store import journal
from bridge.store.collection import Address, Kind
from bridge.store.journal import Author
from bridge.store.rewind import rewind, undo_run
from bridge.store.undo import undo as take_back

if TYPE_CHECKING:
    from datetime import tzinfo
    from pathlib import Path

    from bridge.bootstrap import Site
    from bridge.store.database import Transaction
    from bridge.store.rewind import Undone

_STANDS = {"create": "is deleted again", "replace": "is as it was before", "remove": "is back"}


@click.command()
@click.argument("what", required=False, metavar="[ENTRY | CALENDAR]")
@click.option("--run", "run_id", type=click.IntRange(1), help="Take back what this run of a rule changed here")
@click.option("--to", metavar="TIME", help="Bring CALENDAR back to how it was then: '2026-11-20 18:00', in its zone")
@with_config
@with_json
def undo(what: str | None, run_id: int | None, to: str | None, config: Path, *, as_json: bool) -> None:
    """Take back one change, those of one run, or all of a calendar since some time.

    ENTRY is the number of a change in `calbridge history`, RUN that of a run in `calbridge log`, and CALENDAR is
    written ACCOUNT/RESOURCE. What is taken back goes to the upstreams by itself, and can be undone again.
    """
    if (run_id is not None) + (to is not None) + (what is not None and to is None) != 1 or (to and what is None):
        raise click.UsageError("Name one ENTRY, or --run RUN, or a CALENDAR with --to TIME.")
    site = opened(config)
    if run_id is not None:
        _tell(_undo_run(site, run_id), as_json=as_json)
    elif to is not None:
        _tell(_rewind(site, what or "", to), as_json=as_json)
    elif what is not None and what.isdecimal():
        _undo_entry(site, int(what), as_json=as_json)
    else:
        raise click.UsageError(f"{what!r} is no number of `calbridge history`; a calendar needs --to TIME.")


def _undo_entry(site: Site, entry: int, *, as_json: bool) -> None:
    with site.database.writing() as tx:
        address = journal.get(tx, entry).address
        undone = take_back(
            tx,
            entry,
            author=Author("undo", f"calbridge undo {entry}"),
            parse=lambda raw: site.parse(raw, address),
            joinable=joinable(site, tx, address),
        )
    if as_json:
        screen.document({"undone": entry_document(undone)})
        return
    screen.say(f"{undone.summary or undone.uid!r} in {undone.address} {_STANDS[undone.action]}.")


def _undo_run(site: Site, run_id: int) -> Undone:
    with site.database.writing() as tx:
        entries = journal.of_run(tx, run_id)
        author = Author("undo", f"calbridge undo --run {run_id}")
        address = entries[0].address if entries else Address(Kind.RESOURCE, "", "")
        return undo_run(
            tx,
            run_id,
            author=author,
            parse=lambda raw: site.parse(raw, address),
            joinable=joinable(site, tx, address),
        )


def _rewind(site: Site, name: str, to: str) -> Undone:
    with site.database.writing() as tx:
        address = address_of(site, tx, name)
        moment = _moment(tx, to, site.zone(address))
        return rewind(
            tx,
            address,
            moment,
            author=Author("undo", f"calbridge undo {name} --to {to}"),
            parse=lambda raw: site.parse(raw, address),
            joinable=joinable(site, tx, address),
        )


def _moment(tx: Transaction, text: str, zone: tzinfo) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise click.UsageError(f"{text!r} is no time; write it as '2026-11-20 18:00'.") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone)
    if moment > tx.now:
        raise click.UsageError(f"{text!r} is still to come.")
    return moment


def _tell(undone: Undone, *, as_json: bool) -> None:
    if as_json:
        skipped = [{"entry": entry_document(each.entry), "reason": each.reason} for each in undone.skipped]
        screen.document({"undone": [entry_document(each) for each in undone.done], "skipped": skipped})
    else:
        for each in undone.done:
            screen.say(f"{each.summary or each.uid!r} in {each.address} {_STANDS[each.action]}.")
        for skip in undone.skipped:
            click.echo(f"{skip.entry.summary or skip.entry.uid!r} stays as it is: {skip.reason}", err=True)
        if not undone.done and not undone.skipped:
            screen.say("Nothing was changed since.")
    if undone.skipped:
        click.get_current_context().exit(Exit.PART)
