"""`import`: .ics files go into a calendar, with a report on every item."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from bridge.cli import screen
from bridge.cli.intake import Intake, Outcome
from bridge.cli.opening import opened
from bridge.cli.options import with_config, with_json
from bridge.cli.outcome import Exit
from bridge.cli.places import address_of
from bridge.errors import CalbridgeError, NotACalendar, NotFound
from bridge.store.journal import Author

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bridge.cli.intake import Item

_STDIN = "-"
_GO_ON = "What was done stays. Give the same command again to go on: what is there already is passed over."


@click.command("import")
@click.argument("files", nargs=-1, required=True, metavar="FILE.ics...")
@click.option("--into", required=True, metavar="ACCOUNT/RESOURCE", help="The calendar that takes the appointments")
@click.option("--dry-run", is_flag=True, help="Only say what would be done")
@click.option("--verbose", "-v", is_flag=True, help="List every item, not only the refused ones")
@with_config
@with_json
def import_files(
    files: tuple[str, ...], into: str, config: Path, *, dry_run: bool, verbose: bool, as_json: bool
) -> None:
    """Take .ics files into a calendar; - stands for standard input.

    An appointment whose UID is there already is replaced where it differs, and left alone where it does not, so the
    same files can be given again.
    """
    site = opened(config)
    with site.database.reading() as tx:
        address = address_of(site, tx, into)
    report = _Report(into, dry_run=dry_run)
    try:
        for name in files:
            stream = _read(name)
            intake = Intake(site, address, Author("import", f"calbridge import {Path(name).name}"), dry=dry_run)
            report.take(name, intake.take(stream), len(stream))
    except (KeyboardInterrupt, CalbridgeError) as error:
        _tell_how_far(report, error, quiet=as_json)
        raise
    report.show(verbose=verbose, as_json=as_json)
    if report.counts[Outcome.REFUSED]:
        click.get_current_context().exit(Exit.PART)


def _tell_how_far(report: _Report, error: BaseException, *, quiet: bool) -> None:
    """Says what a cut-off import has stored, and how to go on; with --json the error itself is the one document."""
    if quiet:
        return
    if report.items:
        click.echo(report.summary(), err=True)
    # A batch may have been stored whose items were not counted any more.
    if report.items or isinstance(error, KeyboardInterrupt):
        click.echo(_GO_ON, err=True)


def _read(name: str) -> bytes:
    try:
        stream = sys.stdin.buffer.read() if name == _STDIN else Path(name).read_bytes()
    except OSError as error:
        raise NotFound(f"{name} cannot be read ({error.strerror}).") from error
    if b"BEGIN:VCALENDAR" not in stream.upper():
        raise NotACalendar(
            f"{name} is no iCalendar file: it has no BEGIN:VCALENDAR.", remedy="Export it as .ics from where it comes."
        )
    return stream


class _Report:
    """What became of every item, so far."""

    def __init__(self, into: str, *, dry_run: bool) -> None:
        self._into = into
        self._dry_run = dry_run
        self.items: list[tuple[str, Item]] = []
        self.counts: Counter[Outcome] = Counter()

    def take(self, name: str, items: Iterable[Item], size: int) -> None:
        """Notes the items of one file as they come, and shows how far it is."""
        with Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f} %"),
            TextColumn("{task.fields[count]} items"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            disable=not sys.stderr.isatty(),
            transient=True,
        ) as progress:
            task = progress.add_task(Path(name).name, total=size, count=0)
            for count, item in enumerate(items, start=1):
                self.items.append((name, item))
                self.counts[item.outcome] += 1
                progress.update(task, advance=item.size, count=count)

    def summary(self) -> str:
        """The counts in one sentence."""
        counted = ", ".join(f"{self.counts[outcome]} {outcome}" for outcome in Outcome)
        return f"{self._into}: {counted}{' (nothing was stored: --dry-run)' if self._dry_run else ''}."

    def show(self, *, verbose: bool, as_json: bool) -> None:
        """Says what was done."""
        if as_json:
            screen.document(
                {
                    "into": self._into,
                    "dry_run": self._dry_run,
                    "counts": {str(outcome): self.counts[outcome] for outcome in Outcome},
                    "items": [_as_json(name, item) for name, item in self.items],
                }
            )
            return
        shown = [item for _, item in self.items if verbose or item.outcome is Outcome.REFUSED]
        if shown:
            rows = [(item.outcome.value, item.title or item.uid or "(without title)", item.reason) for item in shown]
            screen.table(("", "TITLE", "WHY"), rows)
            screen.say()
        screen.say(self.summary())


def _as_json(name: str, item: Item) -> dict[str, object]:
    return {
        "file": name,
        "uid": item.uid,
        "title": item.title,
        "href": item.href,
        "outcome": str(item.outcome),
        "reason": item.reason,
    }
