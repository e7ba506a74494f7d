"""All commands under one name."""

from __future__ import annotations

from importlib import metadata

import click

from bridge.cli.conflicts import conflicts
from bridge.cli.connecting import calendars, connect, disconnect
from bridge.cli.demo import demo
from bridge.cli.doctor import doctor
from bridge.cli.exporting import export
from bridge.cli.feed import feed
from bridge.cli.held import held
from bridge.cli.history import history
from bridge.cli.importing import import_files
from bridge.cli.key import key
from bridge.cli.log import log
from bridge.cli.outcome import EPILOG, Program
from bridge.cli.parked import parked
from bridge.cli.restored import restored
from bridge.cli.rule import rule
from bridge.cli.serving import check_config, init, serve
from bridge.cli.status import status
from bridge.cli.undoing import undo
from bridge.cli.user import user
from bridge.cli.worker import worker


def _show_version(context: click.Context, _parameter: click.Parameter, value: bool) -> None:  # noqa: FBT001 -- click's form
    if not value or context.resilient_parsing:
        return
    try:
        version = metadata.version("calbridge")
    except metadata.PackageNotFoundError:
        version = "(not installed)"
    click.echo(f"calbridge {version}")
    context.exit()


@click.group(
    cls=Program, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_show_version, help="Show the version"
)
def program() -> None:
    """Self-hosted CalDAV and ICS bridge for organisations that plan appointments."""


for each in (
    *(serve, worker, init, check_config, demo),
    *(user, feed, key),
    *(connect, calendars, disconnect, rule, status, log, held, conflicts, parked),
    *(history, undo, import_files, export, restored, doctor),
):
    program.add_command(each)
