"""`history`: who changed what."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from bridge.cli import screen
from bridge.cli.opening import opened
from bridge.cli.options import with_config, with_json
from bridge.cli.places import address_of
from bridge.errors import NotFound
from bridge.store import journal

if TYPE_CHECKING:
    from datetime import tzinfo
    from pathlib import Path

    from bridge.bootstrap import Site
    from bridge.store.journal import JournalEntry

_WORDS = {"create": "created", "replace": "changed", "remove": "deleted"}


@click.command()
@click.argument("calendar", required=False, metavar="[ACCOUNT/RESOURCE]")
@click.option("--uid", help="Only the appointment with this UID")
@click.option("--limit", type=click.IntRange(1, 100_000), default=50, show_default=True, help="At most so many changes")
@with_config
@with_json
def history(calendar: str | None, uid: str | None, limit: int, config: Path, *, as_json: bool) -> None:
    """Show who changed which appointments, the newest change first."""
    site = opened(config)
    with site.database.reading() as tx:
        address = None if calendar is None else address_of(site, tx, calendar)
        entries = journal.history(tx, address=address, uid=uid, limit=limit)
    if as_json:
        screen.document({"entries": [entry_document(entry) for entry in entries]})
        return
    if not entries:
        screen.say("Nothing was changed.")
        return
    screen.table(
        ("ENTRY", "WHEN", "CALENDAR", "WHAT", "TITLE", "WHO", "THROUGH"),
        [
            (
                str(entry.id),
                screen.when(entry.at, _zone(site, entry)),
                str(entry.address),
                _WORDS[entry.action],
                entry.summary or entry.uid,
                entry.author.who,
                entry.author.via,
            )
            for entry in entries
        ],
    )
    if len(entries) == limit:
        screen.say(f"These are the newest {limit}; --limit shows more.")


def _zone(site: Site, entry: JournalEntry) -> tzinfo:
    try:
        return site.zone(entry.address)
    except NotFound:
        # A resource that has left the configuration keeps its history.
        return site.configuration.usual_zone


def entry_document(entry: JournalEntry) -> dict[str, object]:
    """A change, for programs."""
    return {
        "id": entry.id,
        "at": entry.at,
        "calendar": str(entry.address),
        "action": str(entry.action),
        "uid": entry.uid,
        "href": entry.href,
        "title": entry.summary,
        "who": entry.author.who,
        "via": entry.author.via,
    }
