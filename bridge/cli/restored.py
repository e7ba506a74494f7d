"""`restored`: after the database was put back from a backup, no calendar program trusts what it was told since."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from bridge.cli import screen
from bridge.cli.opening import opened
from bridge.cli.options import with_config, with_json
from bridge.store import collection

if TYPE_CHECKING:
    from pathlib import Path


@click.command()
@click.option("--yes", is_flag=True, help="Do not ask")
@with_config
@with_json
def restored(config: Path, *, yes: bool, as_json: bool) -> None:
    """Make calendar programs read everything anew, after the database was restored from a backup.

    Programs remember how far they have read. After a restore that memory is of a time which the database knows nothing
    of, and they would miss changes; from now on it is refused.
    """
    site = opened(config)
    if not yes:
        click.confirm("Every calendar program then reads every calendar anew. Go on?", abort=True, err=True)
    with site.database.writing() as tx:
        calendars = collection.every(tx)
        for each in calendars:
            collection.renew(tx, each.id)
    if as_json:
        screen.document({"calendars": [str(each.address) for each in calendars]})
        return
    screen.say(f"{screen.plural(len(calendars), 'calendar')} made new: programs read them from the beginning.")
    screen.say("App passwords and feed addresses that were revoked after the backup are valid again.")
    screen.say("`calbridge user list` and `calbridge feed list` show them, to be revoked once more.")
